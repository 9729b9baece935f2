"""The bridge with AF_VSOCK on both sides, as beside two enclaves that talk to
each other; and what the kernel itself answers. TCP on one side is the matrix's
(tests/integration/test_bridge_matrix.py).
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading
import unittest

import settings
import support
import vsock_stack
from program import Program, wait_until
from stack import BIN

SIZE = 8 << 20      # each way; under emulation 1 GiB would take minutes
CHUNK = 1 << 18
ROUNDS = 50
GET_LOCAL_CID = 0x7b9   # IOCTL_VM_SOCKETS_GET_LOCAL_CID, linux/vm_sockets.h
SOME = os.urandom(1 << 15)  # fits into any buffer on the way
# Of the bridge, of its far end, of the bridge again, and nobody's.
NEAR, FAR, LOST, NOBODY = ((vsock_stack.CID, port)
                           for port in range(7001, 7005))


def _listener(address):
    sock = socket.socket(socket.AF_VSOCK)
    sock.bind(address)
    sock.listen(8)
    sock.settimeout(support.SEEN_S)
    return sock


def _dial(address):
    sock = socket.socket(socket.AF_VSOCK)
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
    return "vsock://%u:%u" % address


class Bridge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        rules = [{"listen": _uri(NEAR), "connect": _uri(FAR)},
                 {"listen": _uri(LOST), "connect": _uri(NOBODY)}]
        config = settings.write_json(cls.dir / "bridge.json",
                                     {"inbound": rules})
        cls.bridge = Program("bridge", [BIN / "vsock-bridge", config],
                             cls.dir / "bridge.log")
        cls.bridge.start()
        cls.addClassCleanup(cls.bridge.stop)
        wait_until("the bridge listens", lambda: cls.bridge.log().count(
            "inbound listening") == len(rules), vsock_stack.START_S,
            cls.bridge.must_run)

    @contextlib.contextmanager
    def through(self):
        """A connection through the bridge: its two ends."""
        with _listener(FAR) as listening, _dial(NEAR) as client:
            server = listening.accept()[0]
            server.settimeout(support.SEEN_S)
            with server:
                yield client, server
        self.bridge.must_run()

    def test_both_directions_at_once(self):
        """8 MiB each way at once arrive as they were sent"""
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

        with self.through() as ends:
            found = []
            threads = [threading.Thread(target=send, args=(end,))
                       for end in ends]
            threads += [threading.Thread(target=receive, args=(end, found))
                        for end in ends]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(support.SEEN_S)
            self.assertEqual(found, [wanted] * 2)

    def half_close(self, first, second):
        first.sendall(SOME)
        first.shutdown(socket.SHUT_WR)
        self.assertEqual(_read_all(second), SOME)
        second.sendall(SOME[::-1])
        second.shutdown(socket.SHUT_WR)
        self.assertEqual(_read_all(first), SOME[::-1])

    def test_half_close(self):
        """whichever side closes its half first, the other half goes on"""
        before = self.bridge.log().count(" broken ")
        with self.through() as (client, server):
            self.half_close(client, server)
        with self.through() as (client, server):
            self.half_close(server, client)
        self.assertEqual(self.bridge.log().count(" broken "), before)

    def test_ends_cross(self):
        """ends that close at the same time have broken nothing"""
        before = self.bridge.log().count(" broken ")
        for turn in range(ROUNDS):
            with self.through() as ends:
                for sender, receiver in (ends, ends[::-1]):
                    sender.sendall(b"x")
                    self.assertEqual(receiver.recv(2), b"x")
                ends[turn % 2].shutdown(socket.SHUT_WR)
                for end in ends:
                    end.close()
        with self.through() as ends:    # and by now all is logged
            self.half_close(*ends)
        self.assertEqual(self.bridge.log().count(" broken "), before)

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
        with self.through() as (client, server):
            self.go_away(client, server)
        with self.through() as (client, server):
            self.go_away(server, client)

    def test_nobody_there(self):
        """a port that nobody serves: an end, and one line that says so"""
        with _dial(LOST) as client:
            with contextlib.suppress(ConnectionError):
                self.assertEqual(_read_all(client), b"")
        lines = wait_until("a log line", lambda: [
            line for line in self.bridge.log().splitlines()
            if "failed" in line and _uri(NOBODY) in line], support.SEEN_S)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("connection reset by peer", lines[0])


class Kernel(unittest.TestCase):
    """What the above, and the bridge, stand on."""

    def test_reset(self):
        """where nobody listens it is a reset, not a refusal as with TCP"""
        with self.assertRaises(ConnectionResetError):
            _dial(NOBODY)

    def test_local_cid(self):
        """there is no other vsock than the loopback's here"""
        with open("/dev/vsock", "rb") as device:
            cid = fcntl.ioctl(device, GET_LOCAL_CID, bytes(4))
        self.assertEqual(struct.unpack("I", cid)[0], vsock_stack.CID)


if __name__ == "__main__":
    unittest.main()
