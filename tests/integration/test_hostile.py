"""Clients that send garbage, slow headers, endless headers, huge bodies, or
come by the thousand from one address, against the real verifier daemon and
oracle: memory and descriptors stay bounded, the log gets a line a second at
most, and others are served meanwhile. HALLMARK_LONG=1: more of the garbage.
"""

import contextlib
import os
import random
import re
import time
import unittest

import support
from hostile import Others, Slow, Target, allow_descriptors, ask_all, \
    flood, read_all
from program import wait_until
from settings import ROOT

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
LONG = os.environ.get("HALLMARK_LONG") == "1"
BATCH = 50              # at once
MUTANTS = 20000 if LONG else 600    # of the corpus, for each program
MEMORY_MB = 32          # more than before: buffers and the heap's leftovers
SPARE_DESCRIPTORS = 16  # of the others, and of what the daemon does meanwhile
FLOOD_BYTES = 64 << 20  # what nobody may send; sockets alone hold some MB
CROWD = 10000
CROWD_KB = 8            # of a connection that has sent half a request
SLOW_EACH = 20
IDLE_S = 60             # HTTP_IDLE_TIMEOUT_S
GET = b"GET /price/BTC-USD HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /verify HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# [what has no end, how it begins, what follows, statuses that may come back]
ENDLESS = [
    ("method", b"", b"A" * 4096, {400, 405, 414, 431, 501}),
    ("path", b"GET /", b"a" * 4096, {400, 414, 431}),
    ("query", b"GET /price?feeds=", b"BTC-USD,%41&a=" * 300, {400, 414, 431}),
    ("header", GET + b"X-A: ", b"a" * 4096, {431}),
    ("headers", GET, b"X-A: b\r\n" * 512, {431}),
    ("name", GET, b"a" * 4096, {400, 431}),
    ("folding", GET + b"X-A: b\r\n", b" b\r\n" * 1024, {400, 431}),
    ("body", POST + b"Content-Length: 1099511627776\r\n\r\n", b"a" * 65536,
     {405, 413}),
    ("length", POST + b"Content-Length: ", b"9" * 4096, {400, 413, 431}),
    ("chunks", CHUNKED, b"1\r\na\r\n" * 1024, {411}),
    ("chunk", CHUNKED + b"ffffffff\r\n", b"a" * 65536, {411}),
    ("chunk's line", CHUNKED + b"1;", b"a" * 4096, {411}),
    ("trailer", CHUNKED + b"0\r\n", b"X-A: b\r\n" * 512, {411}),
]

GARBAGE = [
    b"\0" * 4096, b"\xff" * 4096, b"\n" * 4096, b" " * 4096, b"\r" * 4096,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),   # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64),
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),              # PROXY
    b"GET\r\n\r\n", b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", b"GET /livez\r\n\r\n",
    b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /price?" + b"a&" * 1500 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    GET + b"Host: y\r\n\r\n", GET + b"Content-Length: -1\r\n\r\n",
    GET + b"Last-Event-ID: \0\xff\r\n\r\n", GET + b": b\r\n\r\n",
    b"GET /stream?since=" + b"9" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"-1\r\n", CHUNKED + b"10000000000000000\r\n", b"CONNECT",
]

# [how it begins, what follows each second]
SLOW = [
    (b"", b"G"),                        # a method
    (b"GET /", b"a"),
    (GET + b"X-Slow: ", b"a"),
    (GET, b"\r\nA"),
    (POST + b"Content-Length: 60000\r\n\r\n", b"a"),
    (b"", b""),                         # not a word
    (GET, b""),
    (GET + b"\r\n", b""),               # a request, and then nothing
    ((GET + b"\r\n") * 100, b""),       # answers that nobody reads
]


def mutated(rng, text):
    """Bytes changed, cut out, doubled, moved or put in."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.randint(0, 12))
        data[at:end] = rng.choice([
            b"", bytes(data[at:end]) * 2, rng.randbytes(rng.randint(1, 4)),
            rng.choice([b"\r\n", b"\n", b"%", b"&", b"=", b":", b" ", b"\0",
                        b"[]", b"/", b"?", b"\r\n\r\n", b",", b"-", b"\xff",
                        b"a" * 3000, b"99999999999999999999"])])
    return bytes(data)


class Hostile(support.StackTest):
    @classmethod
    def setUpClass(cls):
        stack = support.shared_stack()
        support.wait_prices(stack)
        cls.targets = [Target(stack, name) for name in ("verifierd",
                                                        "oracle")]
        # They take a minute: the other tests run meanwhile.
        cls.slow = {}
        for target in cls.targets:
            cls.slow[target.name] = Slow(target, SLOW, SLOW_EACH)
            cls.addClassCleanup(cls.slow[target.name].stop)
            cls.slow[target.name].start()
            cls.settled(target)

    @staticmethod
    def settled(target):
        """All that it has accepted by now is in its descriptors, and what
        others left behind is not."""
        seen = [-1]

        def is_the_same():
            seen.append(target.descriptors())
            time.sleep(0.3)
            return seen[-1] == seen[-2]
        wait_until("its descriptors", is_the_same, support.SEEN_S)

    @contextlib.contextmanager
    def harmless(self, memory_kb=0):
        """What happens in here costs others nothing, the programs no more
        than MEMORY_MB and memory_kb, and the log a line a second."""
        before = {t: (t.memory_kb(), t.descriptors(), len(t.lines()))
                  for t in self.targets}
        others, began = Others(self.targets), time.monotonic()
        others.start()
        try:
            yield
            took = time.monotonic() - began
        finally:
            others.stop()
        self.assertEqual(others.wrong, [])
        for target, (memory, descriptors, lines) in before.items():
            wait_until("its descriptors back", lambda: target.descriptors()
                       <= descriptors + SPARE_DESCRIPTORS, support.SEEN_S)
            more = others.peak_kb[target.name] - memory
            self.assertLess(more, (MEMORY_MB << 10) + memory_kb, target.name)
            self.assertLess(len(target.lines()) - lines, took + 2,
                            target.lines()[lines:][-5:])
            print(f"# {target.name}: {max(more, 0)} KB more at the peak, "
                  f"{len(target.lines()) - lines} lines in {took:.0f} s; "
                  f"others: {others.count} answers, the slowest "
                  f"{1000 * others.slowest_s:.0f} ms", flush=True)

    def assert_answered(self, reply, request):
        """Without a word, or with an answer that is one."""
        if reply:
            status = re.match(rb"HTTP/1\.[01] ([2-5]\d\d) ", reply)
            self.assertIsNotNone(status, (request, reply[:80]))
            self.assertNotIn(status[1], (b"500", b"502", b"504"), request)

    def ask_batches(self, target, requests):
        """The statuses that came back."""
        statuses = set()
        for start in range(0, len(requests), BATCH):
            batch = requests[start:start + BATCH]
            for request, reply in zip(batch, ask_all(target, batch)):
                self.assert_answered(reply, request)
                statuses.add(reply[9:12])
        return statuses

    def test_garbage(self):
        """garbage is answered as such, or with nothing"""
        rng = random.Random(7)
        noise = [rng.randbytes(rng.randint(1, 5000)) for _ in range(200)]
        with self.harmless():
            for target in self.targets:
                self.ask_batches(target, GARBAGE + noise)

    def test_mutated_requests(self):
        """requests, their queries and headers, a little altered"""
        seeds = [path.read_bytes() for folder in ("http_server", "plain_get")
                 for path in sorted((CORPUS / folder).glob("*"))]
        self.assertGreater(len(seeds), 10)
        statuses = set()
        with self.harmless():
            for target in self.targets:
                rng = random.Random(2026)
                statuses |= self.ask_batches(target, [
                    mutated(rng, rng.choice(seeds)) for _ in range(MUTANTS)])
        # It gets beyond the first check, and past all of them.
        self.assertLessEqual({b"200", b"400", b"404"}, statuses)

    def test_endless(self):
        """whatever has no end is cut off, and the sender told why"""
        with self.harmless():
            for target in self.targets:
                for what, head, piece, wanted in ENDLESS:
                    sent, got = flood(target, head, piece, FLOOD_BYTES)
                    self.assertLess(sent, FLOOD_BYTES,
                                    f"{target.name}: endless {what}")
                    if got:  # a reset may have overtaken it
                        self.assertIn(int(got[9:12]), wanted, what)

    def test_body_ceiling(self):
        """a body of 64 KiB is read, one byte more is too much"""
        for size, status in ((65536, 200), (65537, 413)):
            with self.targets[0].connect() as sock:
                sock.sendall(POST + b"Connection: close\r\nContent-Length: "
                             b"%d\r\n\r\n" % size + b"{" * size)
                self.assertEqual(int(read_all(sock)[9:12]), status)

    def test_crowd(self):
        """10,000 connections from one address leave room for others"""
        count = min(CROWD, allow_descriptors(CROWD + 1000) - 1000)
        if count < CROWD:
            print(f"# only {count} connections: this machine's limit",
                  flush=True)
        for target in self.targets:
            with self.harmless(count * CROWD_KB):
                crowd = self.open_crowd(target, count)
                wait_until("all of them are in", lambda: target.descriptors()
                           > 0.9 * count, support.SEEN_S)
                time.sleep(2)
                for sock in crowd:
                    sock.close()

    def open_crowd(self, target, count):
        """A third says nothing, one half a request, one asked before."""
        crowd = []
        for number in range(count):
            sock = target.connect()
            sock.sendall((b"", GET, b"GET /livez HTTP/1.1\r\n"
                          b"Host: x\r\n\r\n")[number % 3])
            crowd.append(sock)
        return crowd

    def test_slow(self):
        """a request that does not end is ended after a minute"""
        for target in self.targets:
            slow = self.slow[target.name]
            wait_until("all the slow ones are closed",
                       lambda: not slow.is_alive(),
                       IDLE_S + 2 * support.SEEN_S)
            self.assertEqual(len(slow.closed), len(SLOW) * SLOW_EACH)
            print(f"# {target.name}: {len(slow.closed)} slow ones were ended "
                  f"after {min(slow.closed):.0f} to {max(slow.closed):.0f} s",
                  flush=True)


if __name__ == "__main__":
    unittest.main()
