"""vsock_device between a guest's kernel and Unix sockets of this machine. The
test has both ends: its own socket, and the guest's through inside/hands.py. Any
QEMU does; one boot for all.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

import guest
import kernel

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "inside"), str(HERE.parents[0] / "integration")]

import hands    # noqa: E402
from program import Program, wait_until    # noqa: E402

VM_BIN = pathlib.Path(os.environ.get("HALLMARK_VM_BIN",
                                     HERE.parents[1] / "build/vm"))
MODULES = ("vmw_vsock_virtio_transport",)
CID, HOST, PARENT = 52, 2, 3
PORT, NOBODY = 6000, 6001
MIB = 64            # each way
MANY = 300
FULL = 4 << 20      # more than all buffers on the way have
MEMORY = (f"memory-backend-memfd,id=shared,size={guest.MEMORY_MIB}M,share=on")


class Error(Exception):
    """The guest's, by its name."""


class Remote:
    """inside/hands.Hands, from here."""

    def __init__(self, sock):
        self._lines = sock.makefile("rw")

    def __getattr__(self, name):
        def do(*args, **named):
            names = hands.Hands.__dict__[name].__code__.co_varnames[1:]
            asked = {"do": name, **dict(zip(names, args)), **named}
            self._lines.write(json.dumps(asked) + "\n")
            self._lines.flush()
            answer = json.loads(self._lines.readline())
            if "error" in answer:
                raise Error(answer["error"])
            return answer["is"]
        return do


class End:
    """The guest's end of one connection, with the methods of a socket."""

    def __init__(self, remote, number):
        self._remote, self.number = remote, number

    def sendall(self, data):
        self._remote.send(self.number, data.decode())

    def read_all(self):
        return self._remote.receive_all(self.number).encode()

    def shutdown(self, how):
        self._remote.shutdown(self.number, how)

    def close(self):
        self._remote.close(self.number)


class HostEnd(socket.socket):
    def read_all(self):
        parts = []
        while part := self.recv(1 << 16):
            parts.append(part)
        return b"".join(parts)


def _archive(vm_kernel):
    archive = guest.base_archive(vm_kernel, MODULES)
    archive.add_python()
    archive.add_file(HERE / "inside/hands.py", "/bin/hands.py")
    return archive


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-vm-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.uds = cls.dir / "vsock"
        cls.device = Program(
            "vsock_device", [VM_BIN / "vsock_device", cls.dir / "device",
                             str(CID), cls.uds], cls.dir / "log")
        cls.addClassCleanup(cls.device.kill)
        with cls.listen(hands.CONTROL) as listening:
            cls._boot(kernel.find(guest.BUILD))
            listening.settimeout(2 * guest.BOOT_S)
            cls.control = listening.accept()[0]
        cls.control.settimeout(2 * hands.SEEN_S)
        cls.remote = Remote(cls.control)

    @classmethod
    def _run(cls, machine):
        cls.results.append(machine.run())
        cls.device.process.wait(hands.SEEN_S)   # it ends with this thread

    @classmethod
    def _boot(cls, vm_kernel):
        """In a thread; once the test is over, the guest ends by itself."""
        machine = guest.Guest(
            vm_kernel, _archive(vm_kernel), ["python3", "/bin/hands.py"],
            prepare=cls._start_device,
            more=["-object", MEMORY, "-machine", "memory-backend=shared",
                  "-chardev", f"socket,id=v,path={cls.dir}/device",
                  "-device", "vhost-user-vsock-pci,chardev=v"])
        cls.results = []
        cls.thread = threading.Thread(target=cls._run, args=(machine,))
        cls.thread.start()
        cls.addClassCleanup(cls.thread.join)

    @classmethod
    def _start_device(cls):
        """A new one for each boot: it serves one QEMU."""
        cls.device.kill()
        cls.device.start()
        wait_until("vsock_device listens", (cls.dir / "device").exists,
                   hands.SEEN_S, cls.device.must_run)

    @classmethod
    def tearDownClass(cls):
        cls.control.shutdown(socket.SHUT_RDWR)  # Remote holds it, too
        cls.control.close()
        cls.thread.join()
        result = cls.results[0]
        assert result.status == 0, (result.why, result.output, result.console)
        assert cls.device.process.returncode == 0, cls.device.log()

    @classmethod
    def listen(cls, port, backlog=8):
        sock = HostEnd(socket.AF_UNIX)
        sock.bind(f"{cls.uds}_{port}")
        sock.listen(backlog)
        sock.settimeout(hands.SEEN_S)
        return sock

    def listening(self, backlog=8):
        sock = self.listen(PORT, backlog)
        self.addCleanup(os.unlink, f"{self.uds}_{PORT}")
        self.addCleanup(sock.close)
        return sock

    def accept(self, listening):
        sock = HostEnd(fileno=listening.accept()[0].detach())
        sock.settimeout(hands.SEEN_S)
        self.addCleanup(sock.close)
        return sock

    def dial(self, port):
        """A connection to the guest; None if it hangs up."""
        sock = HostEnd(socket.AF_UNIX)
        sock.settimeout(hands.SEEN_S)
        self.addCleanup(sock.close)
        sock.connect(str(self.uds))
        sock.sendall(b"CONNECT %d\n" % port)
        answer = b""
        while not answer.endswith(b"\n"):
            byte = sock.recv(1)
            if not byte:
                return None
            answer += byte
        self.assertRegex(answer, rb"\AOK [0-9]+\n\Z")
        return sock

    def guest_dials(self, cid=PARENT):
        """(the guest's end, ours)"""
        listening = self.listen(PORT)
        with contextlib.closing(listening):
            number = self.remote.dial(cid, PORT)[0]
            ours = self.accept(listening)
        os.unlink(f"{self.uds}_{PORT}")
        return End(self.remote, number), ours

    def host_dials(self):
        listening = self.remote.listen(PORT)
        ours = self.dial(PORT)
        number = self.remote.accept(listening)[0]
        self.remote.close(listening)
        return End(self.remote, number), ours

    def both(self):
        """A connection made from each side."""
        for dials in (self.guest_dials, self.host_dials):
            theirs, ours = dials()
            yield theirs, ours
            ours.close()

    def test_addresses(self):
        """the guest reaches this machine by CID 2 and CID 3, and has its own"""
        for cid in (HOST, PARENT):
            theirs, ours = self.guest_dials(cid)
            self.assertEqual(self.remote.names(theirs.number)[1], [cid, PORT])
            theirs.close()
            self.assertEqual(ours.read_all(), b"")
        theirs, ours = self.host_dials()
        local, peer = self.remote.names(theirs.number)
        self.assertEqual((local, peer[0]), ([CID, PORT], PARENT))

    def test_flow(self):
        """64 MiB each way at once arrive as they were sent"""
        wanted = [hashlib.sha256(hands.block_of(seed) * MIB).hexdigest()
                  for seed in (1, 2)]
        theirs, ours = self.guest_dials()
        self.remote.flow(theirs.number, 1, MIB)
        sender = threading.Thread(target=hands.send_blocks,
                                  args=(ours, 2, MIB))
        sender.start()
        found = hands.digest_of(ours)
        sender.join()
        self.assertEqual([found, self.remote.flowed(theirs.number)], wanted)

    def test_nobody_reads(self):
        """where nobody reads a sender has to wait, others do not; and nothing
        of it is lost"""
        theirs, ours = self.guest_dials()
        sent = [self.remote.fill(theirs.number), hands.fill(ours)]
        self.assertLess(max(sent), FULL)
        self.half_close(*self.host_dials())
        for end in (theirs, ours):
            end.shutdown(socket.SHUT_WR)
        self.assertEqual(
            [len(ours.read_all()), len(theirs.read_all())], sent)

    def half_close(self, first, second):
        first.sendall(b"question")
        first.shutdown(socket.SHUT_WR)
        self.assertEqual(second.read_all(), b"question")
        second.sendall(b"answer")
        second.shutdown(socket.SHUT_WR)
        self.assertEqual(first.read_all(), b"answer")

    def test_half_close(self):
        """whichever side ends its half first, the other half goes on"""
        for theirs, ours in self.both():
            self.half_close(theirs, ours)
        for theirs, ours in self.both():
            self.half_close(ours, theirs)

    def test_receives_no_more(self):
        """a side that receives no more is not sent to, and may send"""
        for theirs, ours in self.both():
            theirs.shutdown(socket.SHUT_RD)
            theirs.sendall(b"still")
            self.assertEqual(ours.recv(9), b"still")
            self.until_refused(lambda: ours.sendall(b"x"))

    def until_refused(self, send):
        """It takes a moment until the other side's end is known here."""
        until = time.monotonic() + hands.SEEN_S
        with self.assertRaises((BrokenPipeError, ConnectionError, Error)):
            while time.monotonic() < until:
                send()

    def test_guest_goes_away(self):
        """a guest's end that goes with bytes unread ends ours"""
        for theirs, ours in self.both():
            ours.sendall(b"unread")
            theirs.sendall(b"last")
            theirs.close()
            self.assertEqual(ours.read_all(), b"last")
            self.until_refused(lambda: ours.sendall(b"x"))

    def test_host_goes_away(self):
        """our end that goes with bytes unread ends the guest's"""
        for theirs, ours in self.both():
            theirs.sendall(b"unread")
            ours.sendall(b"last")
            time.sleep(0.1)     # so that there is something unread: a reset
            ours.close()
            with contextlib.suppress(Error):
                self.assertEqual(theirs.read_all(), b"last")
            self.until_refused(lambda: theirs.sendall(b"x"))

    def test_nobody_there(self):
        """a port that nobody serves: a reset, at once; here we are hung up"""
        with self.assertRaisesRegex(Error, "ECONNRESET"):
            self.remote.dial(PARENT, NOBODY)
        self.assertIsNone(self.dial(NOBODY))

    def test_many(self):
        """300 connections at once, and each is answered what it said"""
        listening = self.listening(MANY)
        numbers = self.remote.dial(PARENT, PORT, MANY)
        ends = [self.accept(listening) for _ in range(MANY)]
        self.must_answer(ends, numbers)

    def test_many_from_host(self):
        """300 connections to the guest at once"""
        listening = self.remote.listen(PORT, MANY)
        ends = [self.dial(PORT) for _ in range(MANY)]
        self.must_answer(ends, self.remote.accept(listening, MANY))
        self.remote.close(listening)

    def must_answer(self, ends, numbers):
        for number, end in enumerate(ends):
            end.sendall(b"%d\n" % number)
        self.remote.answer_each(numbers)
        for number, end in enumerate(ends):
            self.assertEqual(end.read_all(), b"%d\n" % number)
            end.close()


if __name__ == "__main__":
    unittest.main()
