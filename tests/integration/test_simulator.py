"""The simulator answers as the exchanges do: the world that all the other
tests stand on."""

import decimal
import email.utils
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import sys
import tempfile
import time
import unittest

import client
import fault_causes
import settings
from program import Program, wait_until
from stack import run

SIMULATOR = settings.ROOT / "tests" / "simulator"
sys.path.insert(0, str(SIMULATOR))
import exchanges
import faults
import market

VECTORS = pathlib.Path(os.environ.get(
    "HALLMARK_VECTORS", settings.ROOT.parent / "shared" / "vectors"))
DAY = "/api/v3/ticker/24hr?symbols=%5B%22"
SPOT = "/v5/market/tickers?category=spot"
COINS = "/api/v3/simple/price?ids="
DATED = "&vs_currencies=usd&include_last_updated_at=true"
IDS = "/v2/cryptocurrency/quotes/latest?id="
# What adapters ask for, by exchange: the target and the symbols in it.
ASKED = {
    "binance": [(DAY + "BTCUSDT%22%5D", "BTCUSDT"),
                (DAY + "ETHUSDT%22,%22BTCUSDT%22%5D", "BTCUSDT ETHUSDT")],
    "coinbase_exchange": [("/products/BTC-USD/ticker", "BTC-USD"),
                          ("/products/stats", "BTC-USD ETH-USD USDT-USD")],
    "kraken": [("/0/public/Ticker?pair=XBTUSD", "XBTUSD"),
               ("/0/public/Ticker?pair=XBTUSD,ETHUSD", "XBTUSD ETHUSD"),
               ("/0/public/Ticker", "XBTUSD ETHUSD USDTUSD")],
    "bitstamp": [("/api/v2/ticker/btcusd/", "btcusd"),
                 ("/api/v2/ticker/", "btcusd ethusd usdtusd")],
    "binance_us": [(DAY + "BTCUSD%22%5D", "BTCUSD"),
                   (DAY + "BTCUSD%22,%22USDTUSD%22%5D", "BTCUSD USDTUSD")],
    "gemini": [("/v1/pubticker/btcusd", "btcusd"),
               ("/v1/pricefeed", "btcusd ethusd")],
    "bitfinex": [("/v2/tickers?symbols=tBTCUSD", "tBTCUSD"),
                 ("/v2/tickers?symbols=tUSTUSD,tETHUSD", "tUSTUSD tETHUSD"),
                 ("/v2/tickers?symbols=ALL", "tBTCUSD tETHUSD tUSTUSD")],
    "cryptocom": [("/exchange/v1/public/get-tickers?instrument_name=BTC_USD",
                   "BTC_USD"),
                  ("/exchange/v1/public/get-tickers", "BTC_USD ETH_USD")],
    "okx": [("/api/v5/market/ticker?instId=BTC-USDT", "BTC-USDT"),
            ("/api/v5/market/tickers?instType=SPOT", "BTC-USDT ETH-USDT")],
    "bybit": [(SPOT + "&symbol=BTCUSDT", "BTCUSDT"),
              (SPOT, "BTCUSDT ETHUSDT")],
    "kucoin": [("/api/v1/market/orderbook/level1?symbol=BTC-USDT",
                "BTC-USDT"),
               ("/api/v1/market/allTickers", "BTC-USDT ETH-USDT")],
    "gate": [("/api/v4/spot/tickers?currency_pair=BTC_USDT", "BTC_USDT"),
             ("/api/v4/spot/tickers", "BTC_USDT ETH_USDT")],
    "bitget": [("/api/v2/spot/market/tickers?symbol=BTCUSDT", "BTCUSDT"),
               ("/api/v2/spot/market/tickers", "BTCUSDT ETHUSDT")],
    "htx": [("/market/detail/merged?symbol=btcusdt", "btcusdt"),
            ("/market/tickers", "btcusdt ethusdt")],
    "mexc": [("/api/v3/ticker/24hr?symbol=BTCUSDT", "BTCUSDT"),
             ("/api/v3/ticker/bookTicker", "BTCUSDT ETHUSDT")],
    "coingecko": [(COINS + "bitcoin" + DATED, "bitcoin"),
                  (COINS + "tether,ethereum" + DATED, "tether ethereum")],
    "coinmarketcap": [(IDS + "1&convert=USD", "1"),
                      (IDS + "825,1027&convert=USD", "825 1027")],
}
KEYS = {e.name: f"{e.key_header}: {e.key}\r\n" for e in exchanges.ALL
        if e.key}
TARGETS = {name: asked[0][0] for name, asked in ASKED.items()}
# The first word that is in a symbol tells its asset.
ASSETS = (("TETHER", "USDT"), ("BTC", "BTC"), ("XBT", "BTC"),
          ("BITCOIN", "BTC"), ("ETH", "ETH"), ("USDT", "USDT"),
          ("UST", "USDT"), ("1027", "ETH"), ("825", "USDT"), ("1", "BTC"))
# A symbol that it does not have.
UNKNOWN = {"binance": "NOPEUSDT", "coinbase_exchange": "NOPE-USD",
           "kraken": "NOPEUSD", "bitstamp": "nopeusd",
           "binance_us": "NOPEUSD", "gemini": "nopeusd",
           "bitfinex": "tNOPEUSD", "cryptocom": "NOPE_USD",
           "okx": "NOPE-USDT", "bybit": "NOPEUSDT", "kucoin": "NOPE-USDT",
           "gate": "NOPE_USDT", "bitget": "NOPEUSDT", "htx": "nopeusdt",
           "mexc": "NOPEUSDT", "coingecko": "nopecoin",
           "coinmarketcap": "99999999"}


# Asked alone, Bitfinex leaves nothing.
NO_SUCH = {"bitfinex": "no_price"}
NEAR = decimal.Decimal("0.005")


def _all(body):
    return body


def _first(body):
    return body[0]


def _first_of(*path):
    """The first row of the list at this path."""
    def pick(body):
        for key in path:
            body = body[key]
        return body[0]
    return pick


def _any(body):
    """One member, whatever its name."""
    return next(iter(body.values()))


def _market_cap(body):
    """The prices: what is beside them is told or left out by the plan."""
    quote = _any(body["data"])["quote"]["USD"]
    return {name: quote[name] for name in ("price", "last_updated")}


def _gemini(body):
    """The recorded one is of a market in USDT."""
    body["volume"] = {key.replace("USDT", "USD"): value
                      for key, value in body["volume"].items()}
    return body


# The recorded answer with the members in the order of the wire, and the part
# of it, and of ours, that is compared. The number is that of the target.
RECORDED = [
    ("binance", 0, "ticker_24hr_all.json", _first),
    ("binance_us", 0, "ticker_24hr_all_prelaunch.json", _first),
    ("coinbase_exchange", 0, "products_BTC-USD_ticker.json", _all),
    ("kraken", 0, "Ticker_XBTUSD.json", _all),
    ("kraken", 1, "Ticker_two_pairs.json", _all),
    ("bitstamp", 0, "v2_ticker_btcusd-perp.json", _all),
    ("bitstamp", 1, "v2_ticker_all.json", _first),
    ("gemini", 0, "v1_pubticker_BTCUSDT.json", _gemini),
    ("bitfinex", 1, "v2_tickers_two.json", _all),
    ("bitfinex", 2, "v2_tickers_ALL.json", _first),
    ("cryptocom", 0, "v1_public_get-tickers_BTC_USD.json", _all),
    ("cryptocom", 1, "v1_public_get-tickers.json",
     _first_of("result", "data")),
    ("okx", 0, "market_ticker_BTC-USDT_2026-08.json", _all),
    ("okx", 1, "market_tickers_SPOT_2023.json", _first_of("data")),
    ("bybit", 0, "v5_market_tickers_spot_BTCUSDT.json", _all),
    ("kucoin", 0, "v1_market_orderbook_level1.json", _all),
    ("kucoin", 1, "v1_market_allTickers.json", _first_of("data", "ticker")),
    ("gate", 0, "v4_spot_tickers_BTC_USDT.json", _all),
    ("bitget", 0, "v2_spot_market_tickers_BTCUSDT.json", _all),
    ("bitget", 1, "v2_spot_market_tickers_all.json", _first_of("data")),
    ("htx", 0, "market_detail_merged_btcusdt.json", _all),
    ("htx", 1, "market_tickers.json", _first_of("data")),
    ("mexc", 0, "v3_ticker_24hr_nulls.json", _all),
    ("mexc", 1, "v3_ticker_bookTicker.json", _first),
    ("coinmarketcap", 0, "v2_cryptocurrency_quotes_latest_id1.json",
     _market_cap),
    ("coingecko", 0, "simple_price_last_updated_at.json", _any)]
PERPETUAL = {"index_price", "mark_price", "open_interest",
             "open_interest_value"}


def market_price(symbol, in_usdt):
    """Where the market keeps the price of this symbol's asset."""
    asset = next(asset for word, asset in ASSETS if word in symbol.upper())
    return market.START[asset] / (market.START["USDT"] if in_usdt else 1)


def shape(value):
    """A JSON value with its members in order and its leaves as types."""
    if isinstance(value, dict):
        return [(key, shape(member)) for key, member in value.items()
                if key not in PERPETUAL]
    if isinstance(value, list):
        return [shape(member) for member in value]
    if isinstance(value, (int, float)):
        return "number"     # 1 and 1.0 are the same to JSON
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

    def get(self, name, target=None, seconds=10, key=None):
        """All bytes of the answer; TimeoutError if it takes longer."""
        end = time.monotonic() + seconds
        host = settings.HOSTS[name]
        port = self.served["ports"][name]
        head = (f"GET {target or TARGETS[name]} HTTP/1.1\r\nHost: {host}\r\n"
                f"{KEYS.get(name, '') if key is None else key}"
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
        for name, number, file, part in RECORDED:
            path = VECTORS / "exchanges" / name / file
            if not path.exists():
                self.skipTest(f"no {path}")
            recorded = part(json.loads(path.read_text()))
            ours = json.loads(self.body(name, ASKED[name][number][0]))
            with self.subTest(name, file=file):
                self.assertEqual(shape(part(ours)), shape(recorded))

    def parse(self, name, symbol, body, status=200):
        done = run("hallmark-oracle", "--parse", name, symbol, "--status",
                   str(status), input=body.decode(), stdin=None)
        return done.returncode, done.stdout + done.stderr

    def test_every_target(self):
        """every request that an adapter makes is answered with the price"""
        self.assertEqual({e.name: e.host for e in exchanges.ALL},
                         settings.HOSTS)
        in_usdt = {e.name: e.in_usdt for e in exchanges.ALL}
        for name, asked in ASKED.items():
            for target, symbols in asked:
                body = self.body(name, target)
                for symbol in symbols.split():
                    with self.subTest(name, target=target, symbol=symbol):
                        self.price_is_right(name, symbol, body, in_usdt[name])

    def price_is_right(self, name, symbol, body, in_usdt):
        code, said = self.parse(name, symbol, body)
        self.assertEqual(code, 0, said)
        there = market_price(symbol, in_usdt)
        quote = json.loads(said, parse_float=decimal.Decimal)
        for which in ("last", "bid", "ask"):
            if quote[which] is not None:
                price = decimal.Decimal(quote[which])
                self.assertLess(abs(price / there - 1), NEAR, which)
        if None not in (quote["bid"], quote["ask"]):
            self.assertLess(decimal.Decimal(quote["bid"]),
                            decimal.Decimal(quote["ask"]))

    def test_unknown_by_adapter(self):
        """each adapter understands its exchange's word for unknown symbols"""
        for name, symbol in UNKNOWN.items():
            known = ASKED[name][0][1]
            target = TARGETS[name].replace(known, symbol)
            self.assertNotEqual(target, TARGETS[name])
            status = int(self.get(name, target).split()[1])
            code, said = self.parse(name, symbol, self.body(name, target),
                                    status)
            with self.subTest(name):
                self.assertNotEqual(code, 0)
                self.assertRegex(said, NO_SUCH.get(name, "unknown_symbol"))

    def test_own_words(self):
        """each adapter understands what its exchange calls each failure"""
        for name, fault in fault_causes.own_words():
            self.fault(name, fault)
            status = int(self.get(name).split()[1])
            code, said = self.parse(name, ASKED[name][0][1],
                                    self.body(name), status)
            with self.subTest(name, fault=fault):
                self.assertEqual(code, 3, said)
                self.assertIn(json.loads(said)["error"],
                              fault_causes.of(name)[fault])

    def test_words_for_prices(self):
        """what is in place of a price is in place of each, and is refused"""
        for name in ASKED:
            good = self.body(name)
            for fault, (word, _) in faults.WORDS.items():
                self.fault(name, fault)
                body = self.body(name)
                code, said = self.parse(name, ASKED[name][0][1], body)
                with self.subTest(name, fault=fault):
                    self.assertGreater(body.count(word), good.count(word))
                    self.assertIn(json.loads(said)["error"],
                                  fault_causes.of(name)[fault])

    def test_truth(self):
        """/truth is where the exchanges' prices are"""
        truth = client.request(
            f"http://127.0.0.1:{self.served['control']}/truth").json()
        for asset, price in truth["prices"].items():
            off = decimal.Decimal(price) / market.START[asset] - 1
            self.assertLess(abs(off), NEAR, asset)

    def test_wrong_date(self):
        """a wrong Date is five minutes off"""
        self.fault("kraken", "wrong_date")
        head = self.get("kraken").partition(b"\r\n\r\n")[0].decode()
        date = email.utils.parsedate_to_datetime(
            re.search(r"\r\nDate: ([^\r]*)", head)[1])
        self.assertAlmostEqual(date.timestamp() - time.time(), 300, delta=60)

    def test_head(self):
        """each answer says when it was made (RFC 9110, 6.6.1)"""
        for name in ASKED:
            head = self.get(name).partition(b"\r\n\r\n")[0]
            self.assertRegex(head, rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} "
                             rb"\d\d:\d\d:\d\d GMT\r\n", name)

    def test_no_such_path(self):
        """a path that an exchange does not have is not found there"""
        for name in ASKED:
            self.assertIn(b" 404 ", self.get(name, "/nothing/here")[:20])

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

    def test_keys(self):
        """who wants a key says no without it, and with another"""
        self.assertEqual(set(KEYS), settings.KEYED)
        for name, line in KEYS.items():
            for key in ("", line[:-3] + "x\r\n", line.replace("-", "_", 1)):
                answer = self.get(name, key=key)
                self.assertIn(b" 401 ", answer[:20])
                code, said = self.parse(name, ASKED[name][0][1],
                                        answer.partition(b"\r\n\r\n")[2], 401)
                self.assertEqual(json.loads(said)["error"], "auth")

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
                           ("wrong_host", "mismatch"),
                           ("untrusted", "self.signed"),
                           ("no_tls", "WRONG_VERSION|wrong version")):
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
                          (b'{"fault":"lockout_200","exchange":"okx"}',
                           b"no fault"),
                          (b'{"fault":"lockout_200","exchange":"all"}',
                           b"no fault"),
                          (b'{"fault":"none","when":1}', b"when")):
            reply = client.request(url, "POST", body)
            self.assertEqual(reply.status, 400)
            self.assertIn(why, reply.body)


if __name__ == "__main__":
    unittest.main()
