"""The bridge moves bytes that it cannot read, and only where it is told to."""

import socket
import unittest

import client
import support
from program import wait_until
from recorder import Recorder
from stack import Stack

PATHS = (b"/api/v3/ticker", b"/0/public/Ticker", b"/products/",
         b"/api/v2/ticker")
SYMBOLS = (b"BTCUSDT", b"XBTUSD", b"XXBTZUSD", b"BTC-USD", b"btcusd")
PRICES_WANTED = 8


def prices_of(item):
    """The texts that the exchanges sent, as bytes."""
    return {source[key].encode()
            for source in client.content_of(item)["sources"]
            for key in ("last", "bid", "ask") if source[key]}


class Ciphertext(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(support.fast_feeds(), record=True)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        cls.prices = set()
        for feed in support.FEEDS * PRICES_WANTED:
            cls.prices |= prices_of(wait_until(
                feed, lambda: support.price(cls.stack, feed), 30))
        far = cls.stack.far.values()
        cls.near = bytes(cls.stack.near.sent + cls.stack.near.received)
        cls.far = b"".join(bytes(each.sent + each.received) for each in far)

    def test_there_is_traffic(self):
        """both recorders saw the exchanges' traffic, and prices are known"""
        self.assertGreater(len(self.near), 8000)
        self.assertGreater(len(self.far), 8000)
        self.assertGreater(len(self.prices), PRICES_WANTED)

    def test_no_path(self):
        """no request path and no symbol crosses the bridge in the clear"""
        for secret in PATHS + SYMBOLS:
            self.assertNotIn(secret, self.near)
            self.assertNotIn(secret, self.far)

    def test_no_price(self):
        """no price crosses the bridge in the clear"""
        for secret in self.prices:
            self.assertNotIn(secret, self.near)
            self.assertNotIn(secret, self.far)

    def test_host_is_seen(self):
        """what the bridge does see is the host that is asked for"""
        asked = {source["exchange"] for feed in self.stack.feeds
                 for source in feed["sources"]}
        for host in map(support.settings.HOSTS.get, asked):
            self.assertIn(b"CONNECT " + host.encode() + b":443", self.near)

    def test_search_can_fail(self):
        """the same search finds a price where it is in the clear"""
        recorder = Recorder(self.stack.oracle_port)
        self.addCleanup(recorder.close)
        reply = client.request(
            f"http://127.0.0.1:{recorder.port}/price/BTC-USD")
        self.assertEqual(reply.status, 200)
        for secret in prices_of(reply.json()):
            self.assertIn(secret, recorder.received)


class AllowList(support.StackTest):
    def ask(self, request):
        """The first line of the bridge's answer."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(support.SEEN_S)
            sock.connect(str(self.stack.dir / "bridge-out.sock"))
            sock.sendall(request)
            return sock.recv(4096).partition(b"\r\n")[0]

    def assert_refused(self, target):
        asked = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"
        self.assertIn(b" 403 ", self.ask(asked.encode()) + b" ")
        bridge = self.stack.programs["bridge"]
        wait_until("a log line", lambda: target in bridge.log(),
                   support.SEEN_S)
        lines = [line for line in bridge.log().splitlines() if target in line]
        self.assertEqual(len(lines), 1, lines)

    def test_unlisted(self):
        """a destination that is not listed gets 403 and one log line"""
        self.assert_refused("elsewhere.example:443")

    def test_other_port(self):
        """a listed host on another port gets 403 and one log line"""
        self.assert_refused("api.kraken.com:8443")

    def test_not_connect(self):
        """anything but CONNECT is refused"""
        line = self.ask(b"GET http://api.kraken.com/ HTTP/1.1\r\n"
                        b"Host: api.kraken.com\r\n\r\n")
        self.assertRegex(line, rb"^HTTP/1.1 4\d\d ")

    def test_listed(self):
        """a listed destination is connected to"""
        line = self.ask(b"CONNECT api.kraken.com:443 HTTP/1.1\r\n"
                        b"Host: api.kraken.com:443\r\n\r\n")
        self.assertRegex(line, rb"^HTTP/1.1 200 ")


if __name__ == "__main__":
    unittest.main()
