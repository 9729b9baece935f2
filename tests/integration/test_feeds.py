"""deploy/feeds: each ready feed works alone with those it converts by, and
all.json is all of them."""

import json
import pathlib
import re
import shutil
import tempfile
import unittest

import settings
import support

FEEDS_DIR = settings.ROOT / "deploy" / "feeds"
MAJORS = "BTC ETH SOL XRP ADA DOGE AVAX LINK LTC DOT".split()


def files():
    return {path.stem: json.loads(path.read_text())
            for path in sorted(FEEDS_DIR.glob("*-*.json"))}


def with_quote_feeds(feed, feeds):
    """The feeds that it converts by, then itself."""
    names = dict.fromkeys(source["quote_feed"] for source in feed["sources"]
                          if "quote_feed" in source)
    return [feeds[name] for name in names] + [feed]


class Registry(unittest.TestCase):
    def check(self, feeds):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-feeds-"))
        self.addCleanup(shutil.rmtree, directory)
        config = settings.oracle(directory, feeds, "ca.pem",
                                 "vsock://3:8443")
        return support.run("hallmark-oracle", "--check", settings.write_json(
            directory / "oracle.json", config))

    def assert_keeps_up(self, done, name):
        self.assertEqual(done.returncode, 0, name + done.stdout + done.stderr)
        self.assertNotIn("warning", done.stdout, name)

    def test_each(self):
        """each ready feed passes --check without a warning"""
        feeds = files()
        for name, feed in feeds.items():
            self.assertEqual(feed["feed"], name)
            self.assert_keeps_up(
                self.check(with_quote_feeds(feed, feeds)), name)

    def test_all(self):
        """all.json has all of them, quote feeds first, and passes --check"""
        path = FEEDS_DIR / "all.json"
        feeds = json.loads(path.read_text())["feeds"]
        self.assertEqual({feed["feed"]: feed for feed in feeds}, files())
        self.assertEqual(len(feeds), len(files()))
        self.assertEqual([feed["feed"] for feed in feeds[:2]],
                         ["USDT-USD", "USDC-USD"])
        self.assert_keeps_up(
            support.run("hallmark-oracle", "--check", path), "all.json")

    def test_twenty(self):
        """there are the ten majors, four stablecoins, EUR-USD and thin ones"""
        feeds = files()
        self.assertGreaterEqual(len(feeds), 20)
        for name in MAJORS + ["USDT", "USDC", "EUR"]:
            self.assertIn(f"{name}-USD", feeds)

    def test_fiat_books(self):
        """what others are converted by is made of books in dollars alone"""
        feeds = files()
        for name in ("USDT-USD", "USDC-USD"):
            for source in feeds[name]["sources"]:
                self.assertNotIn("quote_feed", source, name)

    def test_allowlist(self):
        """deploy/allowlist.txt has the host of each source"""
        done = support.run("hallmark-oracle", "--check",
                           FEEDS_DIR / "all.json")
        hosts = set(re.findall(r"https://([^/]+)/", done.stdout))
        allowed = (settings.ROOT / "deploy" / "allowlist.txt").read_text()
        self.assertGreater(len(hosts), 5)
        for host in hosts:
            self.assertIn(f"\n{host}:443\n", allowed)


class Large(unittest.TestCase):
    def test_large(self):
        """a configuration of a megabyte is read, a longer one is refused"""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-feeds-"))
        self.addCleanup(shutil.rmtree, directory)
        text = (FEEDS_DIR / "all.json").read_text()
        path = directory / "oracle.json"
        for size, fits in ((1 << 20, True), ((1 << 20) + 1, False)):
            path.write_text(text.ljust(size))
            for command in (("hallmark-oracle", "--check"),
                            ("hallmark", "config-pcr")):
                done = support.run(*command, path)
                self.assertEqual(done.returncode == 0, fits, command)
                self.assertEqual("too large" in done.stderr, not fits)


class Slow(unittest.TestCase):
    def test_cannot_live(self):
        """--check exits 1 and names a feed that an exchange is too slow for"""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-feeds-"))
        self.addCleanup(shutil.rmtree, directory)
        feed = dict(files()["BTC-USD"], min_sources=1, max_age_ms=1500,
                    sources=[{"exchange": "bitfinex", "symbol": "tBTCUSD"}])
        config = settings.oracle(directory, [feed], "ca.pem", "vsock://3:1")
        done = support.run("hallmark-oracle", "--check", settings.write_json(
            directory / "oracle.json", config))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("feed BTC-USD cannot live", done.stdout)


if __name__ == "__main__":
    unittest.main()
