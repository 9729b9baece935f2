"""What tests of clients that nobody wants need: the two programs that serve,
what they cost meanwhile, and somebody who only wants a price."""

import contextlib
import os
import re
import resource
import select
import socket
import threading
import time

TIMEOUT_S = 10
SILENT_S = 0.5  # after which nothing more is expected of a hostile request
PRICE = (b"GET /price/BTC-USD?attestation=ref HTTP/1.1\r\nHost: localhost\r\n"
         b"Connection: close\r\n\r\n")
# What clients make the programs say.
OF_CLIENTS = re.compile(r"^\S+ \w+ +(?:http|sse|board) ")


def allow_descriptors(count):
    """So many, or what this machine gives; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = min(count, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


class Target:
    """hallmark-verifierd by TCP, or hallmark-oracle by its Unix socket, which
    is how the bridge reaches it."""

    def __init__(self, stack, name):
        self.name, self.program = name, stack.programs[name]
        self.pid = self.program.process.pid
        self._tcp = name == "verifierd"
        self._address = ("127.0.0.1", stack.verifierd_port) if self._tcp \
            else str(stack.dir / "oracle.sock")

    def connect(self):
        sock = socket.socket(socket.AF_INET if self._tcp else socket.AF_UNIX)
        try:
            sock.connect(self._address)  # waits while its backlog is full
        except OSError:
            sock.close()
            raise
        sock.settimeout(TIMEOUT_S)
        if self._tcp:  # thousands of ports must not wait for their time
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            b"\1\0\0\0\0\0\0\0")
        return sock

    def memory_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def lines(self):
        return [line for line in self.program.log().splitlines()
                if OF_CLIENTS.match(line)]


def read_all(sock):
    """What comes until the other end closes, resets or is silent for long."""
    got = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while more := sock.recv(1 << 16):
            got += more
    return got


def ask_all(target, requests):
    """What is answered to each of these, a connection for each, which ends
    with it. One that ends too early may be kept until its time is over."""
    socks = []
    for request in requests:
        sock = target.connect()
        sock.settimeout(SILENT_S)
        with contextlib.suppress(ConnectionError):
            sock.sendall(request)
        socks.append(sock)
    time.sleep(0.02)  # what comes with its end is read without it
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
    for sock in socks:
        with sock:
            yield read_all(sock)


def flood(target, head, piece, ceiling):
    """Sends `head`, then `piece` again and again, until the other end has had
    enough or `ceiling` bytes have gone: how many went, and what was answered.
    """
    sent, got, end = 0, b"", time.monotonic() + 3 * TIMEOUT_S
    with target.connect() as sock, contextlib.suppress(ConnectionError):
        sock.setblocking(False)
        rest = head
        while sent < ceiling and time.monotonic() < end:
            readable, writable, _ = select.select([sock], [sock], [], 1)
            if readable:
                more = sock.recv(1 << 16)
                got += more
                if not more:
                    return sent, got
            if writable:
                count = sock.send(rest)
                sent += count
                rest = rest[count:] or piece
    return sent, got


class Others(threading.Thread):
    """Asks each target for a price again and again, with a new connection, and
    notes what goes wrong, how long it took and what the targets cost."""

    def __init__(self, targets):
        super().__init__(daemon=True)
        self.targets, self.over = targets, threading.Event()
        self.wrong, self.count, self.slowest_s = [], 0, 0.0
        self.peak_kb = {target.name: 0 for target in targets}

    def run(self):
        while True:
            for target in self.targets:
                self._ask(target)
            if self.over.wait(0.02):
                return

    def _ask(self, target):
        began = time.monotonic()
        try:
            answer = ask_politely(target)
        except OSError as error:
            answer = repr(error).encode()
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.count += 1
        if not answer.startswith(b"HTTP/1.1 200 OK\r\n"):
            self.wrong.append((target.name, answer[:200]))
        self.peak_kb[target.name] = max(self.peak_kb[target.name],
                                        target.memory_kb())

    def stop(self):
        self.over.set()
        self.join()


def ask_politely(target):
    with target.connect() as sock:
        sock.sendall(PRICE)
        return read_all(sock) or b"nothing"


class Slow(threading.Thread):
    """Connections that never get further than the middle of a request, some a
    byte a second: `closed` tells of each after how long it was ended."""

    def __init__(self, target, begins, each):
        super().__init__(daemon=True)
        self.opened = time.monotonic()
        self.socks, self.closed, self.over = [], [], threading.Event()
        for head, drip in begins:
            for _ in range(each):
                sock = target.connect()
                sock.sendall(head)
                sock.setblocking(False)
                self.socks.append((sock, drip))

    def run(self):
        while self.socks and not self.over.wait(1):
            self.socks = [(sock, drip) for sock, drip in self.socks
                          if self._goes_on(sock, drip)]

    def _goes_on(self, sock, drip):
        try:
            sock.send(drip)
            if sock.recv(1 << 16):
                return True
        except BlockingIOError:
            return True
        except ConnectionError:
            pass
        sock.close()
        self.closed.append(time.monotonic() - self.opened)
        return False

    def stop(self):
        self.over.set()
        self.join()
        for sock, _ in self.socks:
            sock.close()
