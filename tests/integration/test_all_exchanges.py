"""The feeds of deploy/feeds/all.json against the exchanges: each has a price that the verifier accepts, each exchange is part of one, and none is
asked more than its budget."""

import copy
import json
import unittest

import client
import settings
from program import wait_until
from stack import Stack

ALL = settings.ROOT / "deploy" / "feeds" / "all.json"
START_S = 60
# Those that no ready feed asks, as further sources of BTC-USD.
OTHERS = {"binance_us": "BTCUSD", "kucoin": "BTC-USDT", "gate": "BTC_USDT",
          "bitget": "BTCUSDT", "htx": "btcusdt", "mexc": "BTCUSDT"}
CHECK_ONLY = "coingecko"
HOSTS = set(settings.HOSTS) - settings.KEYED
NEAR = 0.01


def feeds():
    """all.json's, with all exchanges in BTC-USD; the slow ones quicker."""
    made = copy.deepcopy(json.loads(ALL.read_text())["feeds"])
    for feed in made:
        feed["interval_ms"] = 1000
        if feed["feed"] == "BTC-USD":
            feed["sources"] += [
                {"exchange": name, "symbol": symbol} | (
                    {"quote_feed": "USDT-USD"} if "USDT" in symbol.upper()
                    else {}) for name, symbol in OTHERS.items()]
    return made


def states_of(items):
    """By exchange, those that its sources are in."""
    states = {}
    for item in items.values():
        for source in client.content_of(item)["sources"]:
            states.setdefault(source["exchange"], set()).add(source["state"])
    return states


class AllExchanges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.feeds = {feed["feed"]: feed for feed in feeds()}
        cls.stack = Stack(list(cls.feeds.values()))
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        cls.items = wait_until("all feeds are verified, by all exchanges",
                               cls.all_in_use, START_S)

    @classmethod
    def all_in_use(cls):
        """The verifier's items by feed, once each source has answered and
        each exchange is used."""
        items = {feed: cls.item(feed) for feed in cls.feeds}
        if None in items.values():
            return None
        states = states_of(items)
        waited_for = HOSTS - {CHECK_ONLY}
        return items if "failed" not in set().union(*states.values()) and all(
            "used" in states.get(name, ()) for name in waited_for) else None

    @classmethod
    def item(cls, feed):
        reply = client.request(cls.stack.url(f"/price/{feed}"))
        return reply.json() if reply.status == 200 else None

    def sources(self):
        """Each feed's configured source with what its item says of it."""
        for name, item in self.items.items():
            said = {(source["exchange"], source["symbol"]): source
                    for source in client.content_of(item)["sources"]}
            for wanted in self.feeds[name]["sources"]:
                yield wanted, said[wanted["exchange"], wanted["symbol"]]

    def test_each_feed(self):
        """each ready feed has a verified price, near the market's"""
        for name, item in self.items.items():
            content = client.content_of(item)
            self.assertEqual(content["status"], "ok", name)
            path = self.stack.dir / f"{name}.json"
            path.write_text(json.dumps(item))
            done = self.stack.verify(path)
            self.assertEqual(done.returncode, 0, name + done.stdout)
            for source in content["sources"]:
                if source["state"] == "used":
                    self.assertLess(abs(float(source["price"])
                                        / float(content["price"]) - 1), NEAR)

    def test_each_exchange(self):
        """each exchange is used in an item, CoinGecko for comparison only"""
        states = states_of(self.items)
        self.assertEqual(set(states), HOSTS)
        checks = states.pop(CHECK_ONLY)
        # It is asked so seldom that its price is mostly old.
        self.assertLessEqual(checks, {"check", "stale"})
        for exchange, seen in states.items():
            self.assertIn("used", seen, exchange)

    def test_conversion(self):
        """what is quoted in USDT says by which feed and rate it was read"""
        rates = {name: float(client.content_of(item)["price"])
                 for name, item in self.items.items()}
        converted = 0
        for wanted, source in self.sources():
            via = wanted.get("quote_feed")
            self.assertEqual(source.get("via"), via, source)
            if via:
                converted += 1
                rate = float(source["rate"])
                self.assertLess(abs(rate / rates[via] - 1), NEAR)
                self.assertLess(abs(float(source["price"]) / rate
                                    / float(source["bid"]) - 1), NEAR)
        self.assertGreater(converted, len(OTHERS))

    def test_budgets(self):
        """no exchange was asked more than its budget"""
        page = client.request(self.stack.oracle_url("/sources")).json()
        self.assertEqual(len(page["exchanges"]), len(HOSTS))
        for row in page["exchanges"]:
            name = row["exchange"]
            self.assertLessEqual(row["requests_last_minute"],
                                 row["budget_per_min"], name)
            # What it says of itself is what the exchange has seen; those
            # under way are still to come.
            wait_until(f"{name} was asked so often", lambda: row["requests"]
                       <= self.stack.exchanges()[name]["requests"], 10)



if __name__ == "__main__":
    unittest.main()
