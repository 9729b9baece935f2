"""The bridge between sockets that are really AF_VSOCK: what its unit tests do
with Unix sockets in place of it. Each test goes through all ways in and out
that have vsock in them.
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import unittest

import settings
import support
import vsock_stack
from program import Program, wait_until
from stack import BIN, START_S

SIZE = 16 << 20     # each way; under emulation 1 GiB would take minutes
CHUNK = 1 << 18
SOME = os.urandom(1 << 15)  # fits into any buffer on the way
# Of the bridge, of the far end, and one that nobody serves.
VSOCK_NEAR, VSOCK_BOTH, VSOCK_FAR, VSOCK_NOBODY = 7001, 7002, 7003, 7004


def _listener(address):
    kind = socket.AF_INET if isinstance(address[0], str) else socket.AF_VSOCK
    sock = socket.socket(kind)
    if kind == socket.AF_INET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(8)
    sock.settimeout(support.SEEN_S)
    return sock


def _dial(address):
    kind = socket.AF_INET if isinstance(address[0], str) else socket.AF_VSOCK
    sock = socket.socket(kind)
    sock.settimeout(support.SEEN_S)
    sock.connect(address)
    return sock


def _read_all(sock):
    """Until its end of file."""
    parts = []
    while part := sock.recv(CHUNK):
        parts.append(part)
    return b"".join(parts)


def _uri(address):
    host, port = address
    if isinstance(host, str):
        return f"tcp://{host}:{port}"
    return f"vsock://{host}:{port}"


class Bridge(unittest.TestCase):
    """name: (where the bridge listens, where it connects)."""

    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        near, far, lost = settings.free_ports(3)
        cid = vsock_stack.CID
        cls.ways = {
            "tcp to vsock": (("127.0.0.1", near), (cid, VSOCK_FAR)),
            "vsock to tcp": ((cid, VSOCK_NEAR), ("127.0.0.1", far)),
            "vsock to vsock": ((cid, VSOCK_BOTH), (cid, VSOCK_FAR))}
        cls.lost = ("127.0.0.1", lost)
        rules = [{"listen": _uri(listen), "connect": _uri(connect)}
                 for listen, connect in cls.ways.values()]
        rules.append({"listen": _uri(cls.lost),
                      "connect": _uri((cid, VSOCK_NOBODY))})
        config = settings.write_json(cls.dir / "bridge.json",
                                     {"inbound": rules})
        cls.bridge = Program("bridge", [BIN / "vsock-bridge", config],
                             cls.dir / "bridge.log")
        cls.bridge.start()
        cls.addClassCleanup(cls.bridge.stop)
        wait_until("the bridge listens", lambda: cls.bridge.log().count(
            "inbound listening") == len(rules), START_S, cls.bridge.must_run)

    @contextlib.contextmanager
    def through(self, way):
        """A connection through the bridge: its two ends."""
        listen, connect = self.ways[way]
        with _listener(connect) as listening, _dial(listen) as client:
            server = listening.accept()[0]
            server.settimeout(support.SEEN_S)
            with server:
                yield client, server

    def each_way(self, check):
        """check(client, server) on a connection of each kind."""
        for way in self.ways:
            with self.subTest(way), self.through(way) as ends:
                check(*ends)
                self.bridge.must_run()

    def test_both_directions_at_once(self):
        """16 MiB each way at once arrive as they were sent"""
        block = os.urandom(CHUNK)
        wanted = hashlib.sha256(block * (SIZE // CHUNK)).hexdigest()

        def send(sock):
            for _ in range(SIZE // CHUNK):
                sock.sendall(block)
            sock.shutdown(socket.SHUT_WR)

        def receive(sock, found):
            digest = hashlib.sha256()
            while part := sock.recv(CHUNK):
                digest.update(part)
            found.append(digest.hexdigest())

        def both(*ends):
            found = []
            threads = [threading.Thread(target=send, args=(end,))
                       for end in ends]
            threads += [threading.Thread(target=receive, args=(end, found))
                        for end in ends]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(support.SEEN_S * 2)
            self.assertEqual(found, [wanted] * 2)
        self.each_way(both)

    def half_close(self, first, second):
        first.sendall(SOME)
        first.shutdown(socket.SHUT_WR)
        self.assertEqual(_read_all(second), SOME)
        second.sendall(SOME[::-1])
        second.shutdown(socket.SHUT_WR)
        self.assertEqual(_read_all(first), SOME[::-1])

    def test_half_close(self):
        """whichever side closes its half first, the other half goes on"""
        self.each_way(self.half_close)
        self.each_way(lambda *ends: self.half_close(*reversed(ends)))

    def go_away(self, gone, left):
        gone.sendall(SOME)
        left.sendall(SOME)  # never read: so it is a reset
        gone.close()
        with contextlib.suppress(ConnectionError):
            _read_all(left)
            while True:
                left.sendall(SOME)

    def test_gone(self):
        """an end that goes away in mid-transfer ends the other one's"""
        self.each_way(self.go_away)
        self.each_way(lambda *ends: self.go_away(*reversed(ends)))

    def test_nobody_there(self):
        """a port that nobody serves: reset, and one line that says so"""
        with _dial(self.lost) as client:
            with contextlib.suppress(ConnectionError):
                self.assertEqual(_read_all(client), b"")
        where = f"vsock://{vsock_stack.CID}:{VSOCK_NOBODY}"
        lines = wait_until("a log line", lambda: [
            line for line in self.bridge.log().splitlines()
            if "failed" in line and where in line], support.SEEN_S)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("connection reset by peer", lines[0])

    def test_kernel(self):
        """the kernel's own answers that the above stands on"""
        with self.assertRaises(ConnectionResetError):
            vsock_stack.connect(VSOCK_NOBODY)
        with open("/dev/vsock", "rb") as device:
            import fcntl
            import struct
            cid = struct.unpack("I", fcntl.ioctl(
                device, 0x7b9, bytes(4)))[0]    # GET_LOCAL_CID
        self.assertEqual(cid, vsock_stack.CID)


if __name__ == "__main__":
    unittest.main()
