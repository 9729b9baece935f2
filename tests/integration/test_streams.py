"""Thousands of readers of the verifier's stream, some of whom never read.

$HALLMARK_READERS (default 2000; 10,000 with HALLMARK_LONG=1) of them, in one
process: it needs so many descriptors, and so does verifierd.
"""

import json
import os
import re
import resource
import selectors
import socket
import time
import unittest

import client
import support
from program import wait_until

LONG = os.environ.get("HALLMARK_LONG") == "1"
READERS = int(os.environ.get("HALLMARK_READERS", "10000" if LONG else "2000"))
STALLED = READERS // 10
ITEMS = 3           # that each reader must get of BTC-USD
READER_KB_MAX = 16  # memory of verifierd for each
MEMORY_MB = 200     # of verifierd with all of them
STALL_S = 120       # until those that do not read are closed: half a minute
                    # after the kernel keeps 256 KB for them
SEQUENCE = re.compile(rb'\\"sequence\\":(\d+)')
HEAD = b"HTTP/1.1 200 OK\r\n"
READS = "/stream?feeds=BTC-USD"
# Large events, so that what the kernel keeps for them is soon full.
STALLS = "/v2/updates/price/stream?attestation=full&" + "&".join(
    f"ids[]={support.sha256(feed)}" for feed in support.FEEDS)


class Reader:
    def __init__(self, port, stalls):
        self.sock = socket.socket()
        if stalls:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(f"GET {STALLS if stalls else READS} HTTP/1.1\r\n"
                          "Host: localhost\r\n\r\n".encode())
        self.sock.setblocking(False)
        self.rest, self.count, self.next, self.began = b"", 0, None, False

    def read(self):
        """Each item is the one after the last."""
        more = self.sock.recv(1 << 16)
        assert more, "a stream ended"
        assert self.began or more.startswith(HEAD), more[:80]
        self.began = True
        lines, _, self.rest = (self.rest + more).rpartition(b"\n")
        for number in map(int, SEQUENCE.findall(lines)):
            assert self.next in (None, number), (self.next, number)
            self.next = number + 1
            self.count += 1


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    support.need(f"{count} descriptors", hard >= count)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Thousands(support.StackTest):
    def setUp(self):
        super().setUp()
        need_descriptors(READERS + 500)
        self.readers = []
        self.selector = selectors.DefaultSelector()
        self.addCleanup(self.close)

    def close(self):
        self.selector.close()
        for reader in self.readers:
            reader.sock.close()

    def open_all(self):
        for number in range(READERS):
            stalls = number < STALLED
            reader = Reader(self.stack.verifierd_port, stalls)
            self.readers.append(reader)
            if not stalls:
                self.selector.register(reader.sock, selectors.EVENT_READ,
                                       reader)

    def all_have(self, count):
        for key, _ in self.selector.select(0.1):
            key.data.read()
        return all(reader.count >= count
                   for reader in self.readers[STALLED:])

    def metric(self, name):
        text = self.get("/metrics").body.decode()
        return float(re.search(rf"(?m)^{name} (\S+)$", text).group(1))

    def memory_kb(self):
        pid = self.stack.programs["verifierd"].process.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def slow_closed(self):
        return self.metric("hallmark_verifierd_stream_slow_closed_total")

    def slow_lines(self):
        return self.stack.programs["verifierd"].log().count("sse slow_closed")

    def subscribers(self):
        return self.metric("hallmark_verifierd_stream_subscribers")

    def test_readers(self):
        """thousands of readers miss nothing, though a tenth never reads"""
        before, slow, lines = (self.memory_kb(), self.slow_closed(),
                               self.slow_lines())
        others, began = self.subscribers(), time.monotonic()
        self.open_all()
        wait_until(f"{ITEMS} items for each", lambda: self.all_have(ITEMS),
                   2 * support.SEEN_S)
        self.assertGreaterEqual(self.subscribers(), READERS)
        self.assertEqual(self.get("/price/BTC-USD").status, 200)
        self.assert_memory(before)
        wait_until("those that do not read are closed", lambda: self.all_have(
            ITEMS) and self.slow_closed() - slow >= STALLED, STALL_S)
        self.assertEqual(self.slow_closed() - slow, STALLED)
        self.assertLessEqual(self.subscribers(), READERS - STALLED + others)
        took = time.monotonic() - began
        self.assertLess(self.slow_lines() - lines, took + 2)
        print(f"# after {took:.0f} s {STALLED} were closed, in "
              f"{self.slow_lines() - lines} lines of the log", flush=True)
        count = self.readers[-1].count + ITEMS
        wait_until(f"{count} items for the others",
                   lambda: self.all_have(count), support.SEEN_S)
        self.assert_memory(before)

    def assert_memory(self, before):
        memory = self.memory_kb()
        print(f"# {READERS} readers: {(memory - before) / READERS:.1f} KB "
              f"each, verifierd has {memory / 1024:.0f} MB", flush=True)
        self.assertLess((memory - before) / READERS, READER_KB_MAX)
        self.assertLess(memory, MEMORY_MB << 10)

    def test_thinned(self):
        """?min_interval_ms= leaves out what a newer item replaces"""
        stream = client.Stream(self.stack.verifierd_port,
                               "/stream?feeds=BTC-USD&min_interval_ms=2000")
        self.addCleanup(stream.close)
        wait_until("three items", lambda: len(
            stream.named("price")) >= 3, support.SEEN_S)
        numbers = [json.loads(event.json()["content"])["sequence"]
                   for event in stream.named("price")]
        # Items come each 500 ms.
        for first, second in zip(numbers, numbers[1:]):
            self.assertGreater(second, first + 1)

    def test_thinned_refused(self):
        """an interval that is none is refused, and named"""
        reply = self.get("/stream?min_interval_ms=0")
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.json()["parameter"], "min_interval_ms")


if __name__ == "__main__":
    unittest.main()
