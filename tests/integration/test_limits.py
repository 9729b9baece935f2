"""One client that asks without end, or holds 10,000 connections, of the real
oracle: it is told when to go on, and others notice nothing. The bridge is
played: it says in a PROXY header whose connection it is."""

import http.client
import os
import pathlib
import re
import shutil
import socket
import struct
import tempfile
import time
import unittest

import settings
import support
from hostile import allow_descriptors
from program import Program, wait_until
from stack import BIN, START_S

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"     # PROXY protocol, version 2
PER_S, BURST = 1, 5
CROWD = 10000
EACH_MAX = 256      # HTTP_CONNECTIONS_PER_CLIENT_MAX
MEMORY_KB = 16 << 10
SPARE = 8           # descriptors of what the oracle does meanwhile


def header(address):
    ends = socket.inet_aton(address) + socket.inet_aton("192.0.2.99") \
        + struct.pack("!HH", 40000, 80)
    return SIGNATURE + b"\x21\x11" + struct.pack("!H", len(ends)) + ends


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        (cls.dir / "simulated").mkdir()
        config = settings.oracle(
            cls.dir, support.fast_feeds(), settings.SYSTEM_CA,
            f"unix://{cls.dir}/nobody.sock")
        config |= {"listen_proxy_protocol": True, "requests_per_s": PER_S,
                   "requests_burst": BURST}
        cls.oracle = Program(
            "oracle", [BIN / "hallmark-oracle", settings.write_json(
                cls.dir / "oracle.json", config)], cls.dir / "oracle.log")
        cls.oracle.start()
        cls.addClassCleanup(cls.oracle.stop)
        wait_until("the oracle listens", (cls.dir / "oracle.sock").exists,
                   START_S, cls.oracle.must_run)

    def get(self, address, path="/livez"):
        """Status, headers and body, for a client at this address."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(support.SEEN_S)
            sock.connect(str(self.dir / "oracle.sock"))
            sock.sendall(header(address) + (
                f"GET {path} HTTP/1.1\r\nHost: x\r\n"
                "Connection: close\r\n\r\n").encode())
            reply = http.client.HTTPResponse(sock)
            reply.begin()
            endless = path == "/stream" and reply.status == 200
            return (reply.status, reply.headers,
                    b"" if endless else reply.read())

    def use_up(self, address):
        """The first answer that is a 429; a slow machine earns a few more."""
        for number in range(20 * BURST):
            reply = self.get(address)
            if reply[0] == 429:
                self.assertGreaterEqual(number, BURST)
                return reply
            self.assertEqual(reply[0], 200)
        return self.fail("nobody is limited")

    def test_one_address(self):
        """a client that asks too often gets 429 and Retry-After, alone"""
        _, headers, body = self.use_up("192.0.2.1")
        self.assertIn(b'"RATE_LIMITED"', body)
        self.assertIn(headers["Retry-After"], ("1", "2"))
        self.assertEqual(headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(self.get("192.0.2.2")[0], 200)
        wait_until("it may ask again", lambda: self.get(
            "192.0.2.1")[0] == 200, support.SEEN_S)

    def test_streams_too(self):
        """a stream is a request like others"""
        self.assertIn(429, (self.get("192.0.2.3", "/stream")[0]
                            for _ in range(20 * BURST)))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.oracle.process.pid}/fd"))

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.oracle.process.pid}/status")
        return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1])

    def test_crowd(self):
        """of 10,000 connections from one address 256 are held"""
        count = min(CROWD, allow_descriptors(CROWD + 1000) - 1000)
        before, memory, began = (self.descriptors(), self.memory_kb(),
                                 time.monotonic())
        crowd = []
        self.addCleanup(lambda: [sock.close() for sock in crowd])
        for number in range(count):
            crowd.append(socket.socket(socket.AF_UNIX))
            crowd[-1].connect(str(self.dir / "oracle.sock"))
            crowd[-1].sendall(header("192.0.2.4"))
            if number % 1000 == 0:
                other = f"198.51.100.{number // 1000}"
                self.assertEqual(self.get(other)[0], 200)
        wait_until("the others are closed", lambda: self.descriptors()
                   <= before + EACH_MAX + SPARE, support.SEEN_S)
        self.assertGreater(self.descriptors(), before + EACH_MAX - SPARE)
        self.assertEqual(self.get("198.51.100.99")[0], 200)
        self.assertLess(self.memory_kb() - memory, MEMORY_KB)
        lines, took = (self.oracle.log().count("http connection_refused"),
                       time.monotonic() - began)
        self.assertIn("client=192.0.2.4", self.oracle.log())
        self.assertLess(lines, took + 2)
        print(f"# {count} connections: {EACH_MAX} held, {lines} lines in "
              f"{took:.1f} s, {self.memory_kb() - memory} KB", flush=True)
        for sock in crowd:
            sock.close()
        wait_until("none is left", lambda: self.descriptors()
                   <= before + SPARE, support.SEEN_S)

    def test_same_machine(self):
        """clients of the same machine are not limited"""
        for _ in range(3 * BURST):
            self.assertEqual(self.get("127.0.0.1")[0], 200)


if __name__ == "__main__":
    unittest.main()
