"""A bridge between two kinds of sockets, and what the tests do at its ends.

The kinds are those of $HALLMARK_BRIDGE_KINDS, default "unix,tcp"; "vsock" is
for a guest with vsock loopback (make check-vm), whose own CID is
$HALLMARK_BRIDGE_CID, default 1.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading

import settings
from program import Program, wait_until
from stack import BIN

KINDS = os.environ.get("HALLMARK_BRIDGE_KINDS", "unix,tcp").split(",")
CID = int(os.environ.get("HALLMARK_BRIDGE_CID", "1"))
LONG = os.environ.get("HALLMARK_LONG") == "1"
DEADLINE_S = 60     # for anything; a ceiling
CHUNK = 1 << 18

_VSOCK_PORTS = itertools.count(20000 + os.getpid() % 1000 * 40)


class End:
    """One kind of socket at one address: its URIs for the bridge, and both
    ends of a connection for the test."""

    def __init__(self, kind, directory, name):
        self.kind = kind
        if kind == "tcp":
            self.address = ("127.0.0.1", settings.free_ports(1)[0])
            self.uri = "tcp://127.0.0.1:%d" % self.address[1]
            self.listen_uri = self.uri
        elif kind == "unix":
            self.address = str(directory / name)
            self.uri = self.listen_uri = f"unix://{self.address}"
        elif kind == "vsock":
            port = next(_VSOCK_PORTS)
            self.address = (CID, port)
            self.uri = f"vsock://{CID}:{port}"
            self.listen_uri = f"vsock://any:{port}"
        else:
            raise ValueError(f"HALLMARK_BRIDGE_KINDS: {kind}")

    def _socket(self):
        family = {"tcp": "AF_INET", "unix": "AF_UNIX", "vsock": "AF_VSOCK"}
        sock = socket.socket(getattr(socket, family[self.kind]))
        sock.settimeout(DEADLINE_S)
        return sock

    def connect(self):
        sock = self._socket()
        try:
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        return sock

    def listen(self, backlog=4096):
        sock = self._socket()
        if self.kind == "tcp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.kind == "unix" and os.path.exists(self.address):
            os.unlink(self.address)
        address = self.address
        if self.kind == "vsock":
            address = (socket.VMADDR_CID_ANY, address[1])
        sock.bind(address)
        sock.listen(backlog)
        return sock


class Bridge:
    """vsock-bridge with inbound rules, each a pair of Ends."""

    def __init__(self, *rules, limits=None, descriptors=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        self.ends = [(End(near, self.dir, f"near{i}"),
                      End(far, self.dir, f"far{i}"))
                     for i, (near, far) in enumerate(rules)]
        self.config = self.dir / "bridge.json"
        self.config.write_text(json.dumps({
            "inbound": [{"listen": near.listen_uri, "connect": far.uri}
                        for near, far in self.ends],
            "connections_max": 8000, **(limits or {})}))
        argv = [str(BIN / "vsock-bridge"), str(self.config)]
        if descriptors is not None:
            argv = ["/bin/sh", "-c", f'ulimit -n {descriptors}; exec "$@"',
                    "sh", *argv]
        self.program = Program("bridge", argv, self.dir / "log")

    def start(self):
        self.program.start()
        for near, _ in self.ends:
            wait_until("the bridge listens",
                       lambda: f"listen={near.listen_uri} " in self.log(),
                       DEADLINE_S, self.program.must_run)
        return self

    def log(self):
        return self.program.log()

    def stop(self):
        status = self.program.stop(DEADLINE_S)
        shutil.rmtree(self.dir, ignore_errors=True)
        return status

    # ---- what it holds ----

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.program.process.pid}/fd"))

    def memory_kb(self):
        """What is its own: anonymous memory."""
        with open(f"/proc/{self.program.process.pid}/status",
                  encoding="ascii") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1])
        raise OSError("no RssAnon")


# ---- at the ends ----

class Pattern:
    """Bytes without a short period, as many as one likes, and their hash."""

    def __init__(self, length):
        self.block = memoryview(os.urandom(CHUNK - 13) * 2)
        self.length = length
        self.hash = hashlib.sha256()

    def chunks(self):
        at, left = 0, self.length
        while left > 0:
            part = self.block[at:at + min(left, CHUNK // 2)]
            at = (at + len(part)) % (CHUNK - 13)
            left -= len(part)
            yield part

    def send(self, sock, end=True):
        for part in self.chunks():
            sock.sendall(part)
            self.hash.update(part)
        if end:
            sock.shutdown(socket.SHUT_WR)


class Reader:
    """Reads until the end; what came, counted and hashed."""

    def __init__(self):
        self.buffer = memoryview(bytearray(CHUNK))
        self.length = 0
        self.hash = hashlib.sha256()

    def some(self, sock, most=CHUNK):
        count = sock.recv_into(self.buffer, min(most, CHUNK))
        self.hash.update(self.buffer[:count])
        self.length += count
        return count

    def all(self, sock):
        while self.some(sock):
            pass
        return self


def echo(sock):
    """Sends back what comes, and its end."""
    buffer = memoryview(bytearray(CHUNK))
    while count := sock.recv_into(buffer):
        sock.sendall(buffer[:count])
    sock.shutdown(socket.SHUT_WR)


class Worker(threading.Thread):
    """A function in a thread whose failure is the test's."""

    def __init__(self, work, *args):
        super().__init__(daemon=True)
        self.work, self.args, self.failure = work, args, None
        self.start()

    def run(self):
        try:
            self.work(*self.args)
        except BaseException as failure:
            self.failure = failure

    def done(self):
        self.join(DEADLINE_S * 5)
        if self.is_alive():
            raise TimeoutError(f"{self.work} does not end")
        if self.failure is not None:
            raise self.failure


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError(f"ended after {data!r}")
        data += more
    return data


def reset(sock):
    """Closes with RST where there is such a thing."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    sock.close()


def how_it_ended(sock):
    """"end" or "reset", when nothing but that is to come."""
    try:
        return "end" if sock.recv(1) == b"" else "a byte"
    except OSError as error:
        if error.errno in (errno.ECONNRESET, errno.EPIPE):
            return "reset"
        raise
