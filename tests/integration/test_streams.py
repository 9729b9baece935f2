"""Thousands of readers of the verifier's stream, some of whom never read.

$HALLMARK_READERS (default 2000) of them, in one process: it needs so many
descriptors, and so does verifierd.
"""

import json
import os
import re
import resource
import selectors
import socket
import unittest

import client
import support
from program import wait_until

READERS = int(os.environ.get("HALLMARK_READERS", "2000"))
STALLED = READERS // 10
ITEMS = 3           # that each reader must get of BTC-USD
READER_KB_MAX = 16  # memory of verifierd; 10,000 are to fit into 200 MB
REQUEST = (b"GET /stream?feeds=BTC-USD HTTP/1.1\r\nHost: localhost\r\n"
           b"Accept: text/event-stream\r\n\r\n")


class Reader:
    def __init__(self, port, stalls):
        self.sock = socket.socket()
        if stalls:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(REQUEST)
        self.sock.setblocking(False)
        self.bytes = b""

    def read(self):
        more = self.sock.recv(1 << 16)
        if not more:
            raise AssertionError("a stream ended")
        self.bytes += more

    def sequences(self):
        return [int(number) for number in re.findall(
            rb'\\"sequence\\":(\d+)', self.bytes)]


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
        return all(len(reader.sequences()) >= count
                   for reader in self.readers[STALLED:])

    def metric(self, name):
        text = self.get("/metrics").body.decode()
        return float(re.search(rf"(?m)^{name} (\S+)$", text).group(1))

    def memory_kb(self):
        pid = self.stack.programs["verifierd"].process.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def test_readers(self):
        """thousands of readers miss nothing, though a tenth never reads"""
        before = self.memory_kb()
        self.open_all()
        wait_until(f"{ITEMS} items for each", lambda: self.all_have(ITEMS),
                   2 * support.SEEN_S)
        for reader in self.readers[STALLED:]:
            self.assertTrue(reader.bytes.startswith(b"HTTP/1.1 200 OK\r\n"))
            got = reader.sequences()
            self.assertEqual(got, list(range(got[0], got[0] + len(got))))
        self.assertGreaterEqual(
            self.metric("hallmark_verifierd_stream_subscribers"), READERS)
        each = (self.memory_kb() - before) / READERS
        self.assertLess(each, READER_KB_MAX, "KB a reader")
        print(f"# {READERS} readers: {each:.1f} KB each, verifierd has "
              f"{self.memory_kb() / 1024:.0f} MB", flush=True)
        self.assertEqual(self.get("/price/BTC-USD").status, 200)

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
