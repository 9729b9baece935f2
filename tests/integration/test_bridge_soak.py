"""The bridge under faults for a long time: clients and servers that end, reset,
stall or vanish at any moment. $HALLMARK_LONG=1: ten minutes, else 15 seconds;
$HALLMARK_SOAK_S sets it. At the end it holds no more descriptors and no more
memory than after the first tenth.
"""

import contextlib
import os
import random
import signal
import socket
import threading
import time
import unittest

from bridge_ends import (DEADLINE_S, KINDS, LONG, Bridge, Pattern, Reader,
                         Worker, echo, read_exactly, reset)
from program import wait_until

SOAK_S = int(os.environ.get("HALLMARK_SOAK_S", "600" if LONG else "15"))
WORKERS = 12
SEED = int(os.environ.get("HALLMARK_SOAK_SEED", str(int(time.time()))))
IDLE_TIMEOUT_MS = 400
LEAST = 100         # connections that a soak has made, if it is to count
# Pages that a short one may touch for the first time after its beginning; a
# leak of one session in ten would be more.
FRESH_KB = 0 if SOAK_S >= 300 else 64


class Server:
    """Takes what comes and does something of its choice with it."""

    def __init__(self, end, seed):
        self.listener = end.listen()
        self.random = random.Random(seed)
        self.open = set()
        Worker(self._accept)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.listener.settimeout(None)
                sock, _ = self.listener.accept()
                sock.settimeout(DEADLINE_S)
                self.open.add(sock)
                Worker(self._serve, sock, self.random.random())

    def _serve(self, sock, what):
        with contextlib.suppress(OSError), sock:
            first = sock.recv(1)
            if first == b"E":
                echo(sock)
            elif first == b"S":             # reads slowly, then all
                for _ in range(20):
                    sock.recv(4096)
                    time.sleep(0.005)
                Reader().all(sock)
            elif first == b"R" and what < 0.5:
                sock.recv(100000)
                reset(sock)
            elif first == b"H":             # never reads: nothing moves
                time.sleep(IDLE_TIMEOUT_MS / 1000 * 4)
        self.open.discard(sock)

    def close(self):
        self.listener.close()


class Soak(unittest.TestCase):
    def setUp(self):
        kinds = [kind for kind in KINDS if kind != "tcp"] or ["tcp"]
        self.bridge = Bridge(
            ("tcp", kinds[0]), (kinds[-1], "tcp"), ("tcp", "tcp"),
            ("tcp", kinds[0]),      # its server is away
            limits={"idle_timeout_ms": IDLE_TIMEOUT_MS,
                    "connect_timeout_ms": 1000})
        self.addCleanup(self.bridge.stop)
        self.servers = [Server(far, SEED + number) for number, (_, far)
                        in enumerate(self.bridge.ends[:3])]
        for server in self.servers:
            self.addCleanup(server.close)
        self.bridge.start()
        self.go_on = threading.Event()
        self.made = self.whole = 0

    # ---- what a client does ----

    def whole_echo(self, sock, dice):
        pattern, reader = Pattern(dice.randrange(1, 4 << 20)), Reader()
        sock.sendall(b"E")
        worker = Worker(pattern.send, sock)
        reader.all(sock)
        worker.done()
        if reader.hash.digest() == pattern.hash.digest():
            self.whole += 1
        elif (sock.family == socket.AF_INET
              or reader.length == pattern.length):
            # Other kinds read an end where a relay was broken off (relay.h).
            raise AssertionError(f"{sock.family}: {reader.length} of "
                                 f"{pattern.length} bytes, and not the same")

    def leave_in_the_middle(self, sock, dice):
        sock.sendall(dice.choice((b"E", b"S", b"R"))
                     + bytes(dice.randrange(1 << 20)))
        sock.recv(dice.randrange(1, 1 << 16))

    def reset_in_the_middle(self, sock, dice):
        with contextlib.suppress(OSError):
            self.leave_in_the_middle(sock, dice)
        reset(sock)

    def stall(self, sock, dice):
        sock.sendall(b"H" + bytes(dice.randrange(1 << 19)))
        while sock.recv(1 << 16):
            pass

    def end_first(self, sock, dice):
        sock.sendall(b"S" + bytes(dice.randrange(1 << 18)))
        sock.shutdown(1)
        sock.recv(1)

    def be_reset(self, sock, dice):
        sock.sendall(b"R" + bytes(dice.randrange(1 << 18)))
        Pattern(1 << 20).send(sock)
        Reader().all(sock)

    def say_nothing(self, sock, dice):
        if dice.random() < 0.5:
            sock.recv(1)

    CLIENTS = (whole_echo, whole_echo, leave_in_the_middle,
               reset_in_the_middle, stall, end_first, be_reset, say_nothing)

    def client(self, seed):
        dice = random.Random(seed)
        while self.go_on.is_set():
            near, _ = dice.choice(self.bridge.ends)
            act = dice.choice(self.CLIENTS)
            # Losses are what this is about; that of a byte is not one of them.
            with contextlib.suppress(OSError):
                with near.connect() as sock:
                    self.made += 1
                    act(self, sock, dice)

    # ---- the soak ----

    def run_for(self, seconds, seed, clients=WORKERS):
        end = time.monotonic() + seconds
        self.go_on.set()
        workers = [Worker(self.client, f"{seed} {number}")
                   for number in range(clients)]
        while time.monotonic() < end:
            time.sleep(0.25)
            self.bridge.program.must_run()
            self.bridge.program.process.send_signal(signal.SIGHUP)
        self.go_on.clear()
        for worker in workers:
            worker.done()

    def at_rest(self):
        """What it holds when nobody is connected: descriptors, memory."""
        wait_until("all connections are over",
                   lambda: self.sockets() == len(self.bridge.ends), DEADLINE_S)
        time.sleep(0.5)
        return self.bridge.descriptors(), self.bridge.memory_kb()

    def sockets(self):
        directory = f"/proc/{self.bridge.program.process.pid}/fd"
        count = 0
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                count += os.readlink(f"{directory}/{name}") \
                           .startswith("socket:")
        return count

    def test_soak(self):
        """under faults of all kinds it keeps no descriptor and no memory"""
        # More of them at once than later: the heap grows with the most that
        # ever were, and does not give it back.
        self.run_for(SOAK_S / 10, f"{SEED} warm", 3 * WORKERS)
        before = self.at_rest()
        self.run_for(SOAK_S * 9 / 10, f"{SEED}")
        after = self.at_rest()
        print(f"# soak: seed {SEED}, {self.made} connections, {self.whole} "
              f"echoes, descriptors {before[0]} then {after[0]}, "
              f"KB {before[1]} then {after[1]}", flush=True)
        self.assertGreater(self.whole, LEAST / 4)
        self.assertGreater(self.made, LEAST)
        self.assertLessEqual(after[0], before[0])
        self.assertLessEqual(after[1], before[1] + FRESH_KB)


if __name__ == "__main__":
    unittest.main()
