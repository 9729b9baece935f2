"""The relay, by what can happen at its two ends and by their kinds: the same
tests for TCP, Unix sockets and (in a guest) vsock, each as client and as
server, with TCP at the other end. $HALLMARK_LONG=1 makes the transfers 1 GiB,
$HALLMARK_BRIDGE_MIB and $HALLMARK_BRIDGE_IDLE make transfers and crowds smaller,
$HALLMARK_BRIDGE_CONNECT_MS gives more time (in a guest, where all is emulated).
"""

import contextlib
import os
import resource
import signal
import socket
import threading
import time
import unittest

from bridge_ends import (DEADLINE_S, KINDS, LONG, Bridge, Pattern, Reader,
                         Worker, echo, how_it_ended, read_exactly, reset)
from program import wait_until

MIB = 1 << 20
BULK = int(os.environ.get("HALLMARK_BRIDGE_MIB", 1024 if LONG else 64)) * MIB
SLOW = min(8 * MIB, BULK)
# What a relay and the sockets around it may take before the sender waits.
HELD_MAX = 64 * MIB
IDLE_WANTED = int(os.environ.get("HALLMARK_BRIDGE_IDLE", "5000"))
CONNECT_TIMEOUT_MS = int(os.environ.get("HALLMARK_BRIDGE_CONNECT_MS", "700"))


class Matrix(unittest.TestCase):
    """For one pair of kinds; the classes are made below."""
    near_kind = far_kind = None

    @classmethod
    def setUpClass(cls):
        cls.bridge = Bridge((cls.near_kind, cls.far_kind),
                            (cls.near_kind, "tcp"),
                            limits={"connect_timeout_ms": CONNECT_TIMEOUT_MS})
        cls.addClassCleanup(cls.bridge.stop)
        (cls.near, cls.far), (cls.dark, cls.hole) = cls.bridge.ends
        cls.listener = cls.far.listen()
        cls.addClassCleanup(cls.listener.close)
        cls.bridge.start()

    def shortDescription(self):
        return (f"{self.near_kind} to {self.far_kind}: "
                + super().shortDescription())

    def pair(self):
        """Both ends of one new connection."""
        near = self.near.connect()
        self.addCleanup(near.close)
        far, _ = self.listener.accept()
        far.settimeout(DEADLINE_S)
        self.addCleanup(far.close)
        return near, far

    def assert_got(self, reader, pattern):
        self.assertEqual(reader.length, pattern.length)
        self.assertEqual(reader.hash.digest(), pattern.hash.digest())

    # ---- bytes ----

    def test_echo(self):
        """a lot of bytes come back as they were, both ways at once"""
        near, far = self.pair()
        pattern, reader = Pattern(BULK), Reader()
        workers = [Worker(echo, far), Worker(pattern.send, near)]
        reader.all(near)
        for worker in workers:
            worker.done()
        self.assert_got(reader, pattern)

    def test_several(self):
        """some connections at once do not mix their bytes"""
        transfers = []
        for number in range(6):
            near, far = self.pair()
            pattern, reader = Pattern(BULK // 16 + number), Reader()
            ends = (near, far) if number % 2 else (far, near)
            transfers.append((pattern, reader, Worker(pattern.send, ends[0]),
                              Worker(reader.all, ends[1])))
        for pattern, reader, *workers in transfers:
            for worker in workers:
                worker.done()
            self.assert_got(reader, pattern)

    def half_close(self, first, second):
        first.sendall(b"the request")
        first.shutdown(socket.SHUT_WR)
        self.assertEqual(read_exactly(second, 11), b"the request")
        self.assertEqual(second.recv(1), b"")
        pattern, reader = Pattern(3 * MIB), Reader()
        worker = Worker(pattern.send, second)
        reader.all(first)
        worker.done()
        self.assert_got(reader, pattern)

    def test_half_close_near(self):
        """the client ends first, and gets a long answer all the same"""
        self.half_close(*self.pair())

    def test_half_close_far(self):
        """the server ends first, and gets a long request all the same"""
        near, far = self.pair()
        self.half_close(far, near)

    def test_end_after_bytes(self):
        """an end that follows bytes at once never overtakes them"""
        for number in range(50):
            near, far = self.pair()
            pattern = Pattern(1 + number * 7919)
            worker = Worker(pattern.send, near)
            self.assert_got(Reader().all(far), pattern)
            worker.done()
            near.close()
            far.close()

    # ---- resets ----

    def assert_reset(self, victim, kind):
        """Only TCP has a reset to be told of (relay.h)."""
        ended = how_it_ended(victim)
        if kind == "tcp":
            self.assertEqual(ended, "reset")
        else:
            self.assertIn(ended, ("end", "reset"))

    def test_reset_near(self):
        """a client's reset reaches the server"""
        near, far = self.pair()
        near.sendall(b"x")
        read_exactly(far, 1)
        reset(near)
        self.assert_reset(far, self.far_kind)

    def test_reset_far(self):
        """a server's reset reaches the client"""
        near, far = self.pair()
        near.sendall(b"x")
        read_exactly(far, 1)
        reset(far)
        self.assert_reset(near, self.near_kind)

    def test_gone_while_sending(self):
        """a reader that leaves in the middle is an error to the writer"""
        near, far = self.pair()
        worker = Worker(Pattern(1024 * MIB).send, near)
        Reader().some(far)
        far.close()
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            worker.done()

    # ---- speeds ----

    def send_until_full(self, sock):
        """How many bytes are taken while nobody reads."""
        block, taken = bytes(MIB // 4), 0
        sock.settimeout(1)
        try:
            while taken <= HELD_MAX:
                taken += sock.send(block)
        except TimeoutError:
            pass
        sock.settimeout(DEADLINE_S)
        return taken

    def slow_reader(self, sender, receiver):
        taken = self.send_until_full(sender)
        self.assertLess(taken, HELD_MAX)
        # The other way is free.
        receiver.sendall(b"meanwhile")
        self.assertEqual(read_exactly(sender, 9), b"meanwhile")
        pattern, reader = Pattern(SLOW), Reader()
        worker = Worker(pattern.send, sender)
        while taken > 0:
            taken -= len(receiver.recv(min(taken, 65536)))
        while reader.some(receiver, 16384):
            time.sleep(0.001)
        worker.done()
        self.assert_got(reader, pattern)

    def test_slow_reader_far(self):
        """a server that does not read holds the client up, not the bridge"""
        self.slow_reader(*self.pair())

    def test_slow_reader_near(self):
        """a client that does not read holds the server up, not the bridge"""
        near, far = self.pair()
        self.slow_reader(far, near)

    def test_slow_writer(self):
        """each byte of a slow writer arrives before the next is sent"""
        near, far = self.pair()
        for number in range(200):
            sender, receiver = (near, far) if number % 2 else (far, near)
            sender.sendall(bytes([number]))
            self.assertEqual(receiver.recv(16), bytes([number]))

    # ---- many, and none ----

    def test_idle(self):
        """5,000 idle connections (or fewer, if told) cost little, all alive"""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        count = min(IDLE_WANTED, limit[1] // 2 - 300)
        self.pair()
        before = self.bridge.memory_kb()
        held = self.bridge.descriptors()
        pairs = [self.pair() for _ in range(count)]
        for near, far in pairs:
            near.sendall(b"a")
        for near, far in pairs:
            self.assertEqual(far.recv(2), b"a")
            far.sendall(b"b")
        for near, far in pairs:
            self.assertEqual(near.recv(2), b"b")
        grown = self.bridge.memory_kb() - before
        self.assertLess(grown / count, 1.0)
        self.assertEqual(self.bridge.descriptors(), held + 2 * count)
        for near, far in pairs:
            near.close()
            far.close()
        wait_until("all descriptors are closed",
                   lambda: self.bridge.descriptors() <= held, DEADLINE_S)

    def test_black_hole(self):
        """a server that does not answer costs its client the time-out only"""
        hole = self.hole.listen(0)
        self.addCleanup(hole.close)
        fillers = []
        for _ in range(4):   # until its backlog is full
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.hole.address)
            fillers.append(filler)
            self.addCleanup(filler.close)
        time.sleep(0.2)
        began = time.monotonic()
        lost = self.dark.connect()
        self.addCleanup(lost.close)
        near, far = self.pair()
        near.sendall(b"x")
        self.assertEqual(read_exactly(far, 1), b"x")
        self.assert_reset(lost, self.near_kind)
        self.assertGreater(time.monotonic() - began,
                           CONNECT_TIMEOUT_MS / 1000 - 0.1)
        self.assertIn("connection timed out", self.bridge.log())

    def test_refused(self):
        """a server that is not there is told by a reset and a log line"""
        before = self.bridge.log().count("inbound failed ")
        try:
            with self.dark.connect() as lost:
                self.assert_reset(lost, self.near_kind)
        except ConnectionResetError:
            pass    # before connect() had returned
        wait_until("a log line", lambda: self.bridge.log().count(
            "inbound failed ") == before + 1, DEADLINE_S)


class Alone(unittest.TestCase):
    """With a bridge of its own, since it does not survive or is crippled."""
    near_kind = far_kind = None

    def shortDescription(self):
        return (f"{self.near_kind} to {self.far_kind}: "
                + super().shortDescription())

    def begin(self, **more):
        self.bridge = Bridge((self.near_kind, self.far_kind), **more)
        self.addCleanup(self.bridge.stop)
        self.near, far = self.bridge.ends[0]
        self.listener = far.listen()
        self.addCleanup(self.listener.close)
        self.bridge.start()

    def pair(self):
        near = self.near.connect()
        self.addCleanup(near.close)
        far, _ = self.listener.accept()
        far.settimeout(DEADLINE_S)
        self.addCleanup(far.close)
        return near, far

    def test_descriptors(self):
        """without descriptors it waits, and goes on when there are some"""
        self.begin(descriptors=64)
        near, far = self.pair()
        crowd = []
        while "accept_paused" not in self.bridge.log():
            self.assertLess(len(crowd), 200)
            with contextlib.suppress(OSError):
                crowd.append(self.near.connect())
            time.sleep(0.01)
        # What is open goes on, also in bulk, for which there is no pipe.
        pattern, reader = Pattern(8 * MIB), Reader()
        worker = Worker(pattern.send, near)
        reader.all(far)
        worker.done()
        self.assertEqual(reader.hash.digest(), pattern.hash.digest())
        for sock in crowd:
            sock.close()
        # Their servers' ends, too: accepted and closed.
        self.listener.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                self.listener.accept()[0].close()
        self.listener.settimeout(DEADLINE_S)
        wait_until("a log line", lambda: self.fresh_one_works(), DEADLINE_S)
        self.assertIn("accept_resumed", self.bridge.log())

    def fresh_one_works(self):
        near, far = self.pair()
        near.sendall(b"again")
        self.assertEqual(read_exactly(far, 5), b"again")
        near.close()
        far.close()
        return True

    def test_terminate(self):
        """SIGTERM in mid-transfer: no new one, the old one to its end"""
        self.begin(limits={"drain_timeout_ms": 60000})
        near, far = self.pair()
        pattern, reader = Pattern(min(32 * MIB, BULK)), Reader()
        go_on = threading.Event()

        def send():
            near.sendall(pattern.block[:1000])
            go_on.wait(DEADLINE_S)
            pattern.send(near)
        worker = Worker(send)
        self.assertEqual(read_exactly(far, 1000), pattern.block[:1000])
        self.bridge.program.process.send_signal(signal.SIGTERM)
        wait_until("it is stopping", lambda: " stopping " in self.bridge.log(),
                   DEADLINE_S)
        with self.assertRaises(OSError):
            for _ in range(100):
                self.near.connect().close()
                time.sleep(0.02)
        go_on.set()
        reader.all(far)
        worker.done()
        self.assertEqual(reader.length, pattern.length)
        self.assertEqual(reader.hash.digest(), pattern.hash.digest())
        self.assertTrue(self.bridge.program.running())
        far.sendall(b"bye")
        far.close()
        self.assertEqual(read_exactly(near, 3), b"bye")
        self.assertEqual(near.recv(1), b"")
        self.assertEqual(self.bridge.program.process.wait(DEADLINE_S), 0)

    def test_terminate_late(self):
        """SIGTERM: what does not end in time is reset"""
        self.begin(limits={"drain_timeout_ms": 300})
        near, far = self.pair()
        near.sendall(b"x")
        read_exactly(far, 1)
        self.bridge.program.process.send_signal(signal.SIGTERM)
        for sock, kind in ((near, self.near_kind), (far, self.far_kind)):
            self.assertIn(how_it_ended(sock), ("reset",) if kind == "tcp"
                          else ("end", "reset"))
        self.assertEqual(self.bridge.program.process.wait(DEADLINE_S), 0)


def _pairs():
    """Each kind as client and as server of TCP, as an enclave would be."""
    for kind in KINDS:
        yield "tcp", kind
        if kind != "tcp":
            yield kind, "tcp"


def _made(base, near, far):
    members = {"near_kind": near, "far_kind": far, "__module__": __name__}
    # Other kinds cannot send a reset.
    if near != "tcp":
        members["test_reset_near"] = None
    if far != "tcp":
        members["test_reset_far"] = None
    return type(f"{base.__name__}_{near}_{far}", (base,), members)


def load_tests(loader, tests, pattern):
    suite = unittest.TestSuite()
    for near, far in _pairs():
        for base in (Matrix, Alone):
            suite.addTests(
                loader.loadTestsFromTestCase(_made(base, near, far)))
    return suite


if __name__ == "__main__":
    unittest.main()
