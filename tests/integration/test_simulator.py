"""The simulator answers as the exchanges do: the world that all the other
tests stand on."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import sys
import tempfile
import time
import unittest

import client
import settings
from program import Program, wait_until

SIMULATOR = settings.ROOT / "tests" / "simulator"
VECTORS = pathlib.Path(os.environ.get(
    "HALLMARK_VECTORS", settings.ROOT.parent / "shared" / "vectors"))
TARGETS = {"binance": "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D",
           "coinbase_exchange": "/products/BTC-USD/ticker",
           "kraken": "/0/public/Ticker?pair=XBTUSD",
           "bitstamp": "/api/v2/ticker/btcusd/"}
# The recorded answer with the members in the order of the wire, and the part
# of it that is one ticker.
RECORDED = {"binance": ("ticker_24hr_all.json", lambda b: b[0]),
            "coinbase_exchange": ("products_BTC-USD_ticker.json", None),
            "kraken": ("Ticker_XBTUSD.json", None),
            "bitstamp": ("v2_ticker_btcusd-perp.json", None)}
PERPETUAL = {"index_price", "mark_price", "open_interest",
             "open_interest_value"}


def shape(value):
    """A JSON value with its members in order and its leaves as types."""
    if isinstance(value, dict):
        return [(key, shape(member)) for key, member in value.items()
                if key not in PERPETUAL]
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value).__name__


class Simulator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-sim-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.program = Program("simulator", [
            sys.executable, SIMULATOR / "simulator.py", "--dir", cls.dir],
            cls.dir / "log")
        cls.program.start()
        cls.addClassCleanup(cls.program.stop)
        ready = cls.dir / "simulator.json"
        wait_until("simulator", ready.exists, 20, cls.program.must_run)
        cls.served = json.loads(ready.read_text())
        cls.trust = ssl.create_default_context(cafile=cls.dir / "ca.pem")
        # The default from Python 3.13 on.
        cls.trust.verify_flags |= ssl.VERIFY_X509_STRICT

    def tearDown(self):
        self.fault("all", "none")

    def fault(self, exchange, fault):
        body = json.dumps({"exchange": exchange, "fault": fault}).encode()
        reply = client.request(
            f"http://127.0.0.1:{self.served['control']}/fault", "POST", body)
        self.assertEqual(reply.status, 200)

    def get(self, name, target=None, seconds=10):
        """All bytes of the answer; TimeoutError if it takes longer."""
        end = time.monotonic() + seconds
        host = settings.HOSTS[name]
        port = self.served["ports"][name]
        head = (f"GET {target or TARGETS[name]} HTTP/1.1\r\nHost: {host}\r\n"
                "Connection: close\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", port), seconds) as raw:
            with self.trust.wrap_socket(raw, server_hostname=host) as sock:
                sock.sendall(head)
                whole = b""
                while data := sock.recv(65536):
                    whole += data
                    if time.monotonic() > end:
                        raise TimeoutError
                return whole

    def body(self, name, target=None):
        head, _, body = self.get(name, target).partition(b"\r\n\r\n")
        if b"chunked" not in head:
            return body
        whole = b""
        while not body.startswith(b"0\r\n"):
            size, _, body = body.partition(b"\r\n")
            whole += body[:int(size, 16)]
            body = body[int(size, 16) + 2:]
        return whole

    def test_form(self):
        """each exchange answers with the members of its recorded answers"""
        for name, (file, part) in RECORDED.items():
            path = VECTORS / "exchanges" / name / file
            if not path.exists():
                self.skipTest(f"no {path}")
            recorded = json.loads(path.read_text())
            with self.subTest(name):
                self.assertEqual(shape(json.loads(self.body(name))),
                                 shape(part(recorded) if part else recorded))

    def test_prices_move(self):
        """prices move at every exchange and stay near each other"""
        for name in TARGETS:
            first = self.body(name)
            wait_until(f"{name} moves", lambda: self.body(name) != first, 5)

    def test_unknown_symbol(self):
        """an unknown symbol gets each exchange's own refusal"""
        self.assertIn(b"-1121", self.get(
            "binance", "/api/v3/ticker/24hr?symbols=%5B%22NOPEUSDT%22%5D"))
        self.assertIn(b"404 Not Found", self.get(
            "coinbase_exchange", "/products/NOPE-USD/ticker"))
        self.assertIn(b"EQuery:Unknown asset pair", self.body(
            "kraken", "/0/public/Ticker?pair=NOPE"))
        self.assertIn(b'[{"timestamp"', self.get(
            "bitstamp", "/api/v2/ticker/nopeusd/"))

    def test_status_faults(self):
        """the faults that are a status have it, and Retry-After"""
        for status in ("429", "418", "451", "403", "500", "503"):
            self.fault("kraken", status)
            head = self.get("kraken").partition(b"\r\n\r\n")[0]
            self.assertIn(f"HTTP/1.1 {status} ".encode(), head)
            if status in ("429", "418"):
                self.assertIn(b"Retry-After: 2", head)

    def test_frozen(self):
        """a frozen exchange sends the same bytes"""
        self.fault("bitstamp", "frozen")
        first = self.body("bitstamp")
        with self.assertRaises(Exception):
            wait_until("moves", lambda: self.body("bitstamp") != first, 1)

    def test_certificates(self):
        """expired and wrong certificates are refused by a strict client"""
        for fault, why in (("expired_cert", "expired"),
                           ("wrong_host", "mismatch")):
            self.fault("binance", fault)
            with self.assertRaisesRegex(ssl.SSLError, why):
                self.get("binance")

    def test_connection_faults(self):
        """truncated ends early, slow and hang do not end, close has no TLS"""
        self.fault("kraken", "truncated")
        self.assertNotIn(b"}}}", self.get("kraken"))
        for fault in ("slow", "hang"):
            self.fault("kraken", fault)
            with self.assertRaises(TimeoutError):
                self.get("kraken", seconds=1.5)
        self.fault("kraken", "close")
        with self.assertRaises(OSError):
            self.get("kraken")

    def test_control_refuses(self):
        """the control endpoint says what is wrong with a request"""
        url = f"http://127.0.0.1:{self.served['control']}/fault"
        for body, why in ((b"{}", b"no fault"), (b"[]", b"object"),
                          (b'{"fault":"none","exchange":"x"}', b"'x'"),
                          (b'{"fault":"none","when":1}', b"when")):
            reply = client.request(url, "POST", body)
            self.assertEqual(reply.status, 400)
            self.assertIn(why, reply.body)


if __name__ == "__main__":
    unittest.main()
