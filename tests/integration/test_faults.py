"""An exchange fails in each of its ways: the price goes on from the other
three, and the item says what was wrong with the fourth.

Each exchange has an installation of its own here, so that they can fail at
the same time; what one of them goes through stands in LANES.
"""

import concurrent.futures
import json
import unittest

import client
import support
from program import Failed, wait_until
from stack import Stack

SHOWS_S = 30    # until the item names the fault: a ceiling
HEALS_S = 40    # until the source is used again; it may be backing off

# fault: the state and the errors that the item may show for it.
LANES = {
    "binance": {
        "429": ("failed", "rate_limited"),
        "451": ("failed", "geo_blocked"),
        "wrong_symbol": ("failed", "unknown_symbol"),
        "expired_cert": ("failed", "tls_failed"),
        "truncated": ("failed", "bad_http"),
    },
    "coinbase_exchange": {
        "418": ("failed", "banned"),
        "500": ("failed", "server_error"),
        # Its answers do not name the symbol: the price gives it away.
        "wrong_symbol": ("outlier", None),
        "wrong_host": ("failed", "tls_failed"),
        "redirect": ("failed", "redirect"),
        "html": ("failed", "bad_body"),
    },
    "kraken": {
        "503": ("failed", "maintenance"),
        "unknown_symbol": ("failed", "unknown_symbol"),
        "zero": ("failed", "no_price"),
        "hang": ("failed", "timeout"),
        "close": ("failed", "tls_failed connect_failed bad_http"),
    },
    "bitstamp": {
        "403": ("failed", "blocked"),
        "absurd": ("outlier", None),
        "oversize": ("failed", "too_large"),
        "bad_json": ("failed", "bad_body"),
        "frozen": ("frozen", None),
        "slow": ("failed", "timeout"),
    },
}


class Lane:
    """One exchange's way through its faults; run() goes it in a thread."""

    def __init__(self, exchange, expected):
        self.exchange, self.expected = exchange, expected
        self.passed, self.problems = [], []
        self.stack = Stack(support.fast_feeds(
            max_age_ms=5000, frozen_after_ms=4000), verifierd=False)

    def item(self):
        """The oracle's BTC-USD, which must be there at any time."""
        reply = client.request(self.stack.oracle_url("/price/BTC-USD"))
        if reply.status != 200:
            raise Failed(f"no price: {reply.body.decode()[:600]}")
        item = reply.json()
        off = float(client.content_of(item)["price"]) / 84036 - 1
        if abs(off) > 0.02:
            raise Failed(f"the price is wrong: {reply.body.decode()[:600]}")
        return item

    def shows(self, state, errors):
        """The item, once its source is in this state for this reason."""
        item = self.item()
        source = client.sources_of(item)[self.exchange]
        self.last = (source["state"], source.get("error"))
        known = errors is None or source.get("error") in errors.split()
        return item if source["state"] == state and known else None

    def check(self, fault):
        state, errors = self.expected[fault]
        self.stack.fault(self.exchange, fault)
        item = wait_until(f"{state} {errors}",
                          lambda: self.shows(state, errors), SHOWS_S)
        if len(support.used(item)) != 3:
            raise Failed(f"used: {sorted(support.used(item))}")
        path = self.stack.dir / "item.json"
        path.write_text(json.dumps(item))
        done = self.stack.verify(path)
        if done.returncode != 0:
            raise Failed(done.stdout + done.stderr)
        self.heal()

    def heal(self):
        self.stack.fault(self.exchange, "none")
        wait_until("used again", lambda: self.shows("used", None), HEALS_S)

    def run(self):
        wait_until("four sources", lambda: len(support.used(self.item())) == 4,
                   support.SEEN_S)
        for fault in self.expected:
            try:
                self.last = None
                self.check(fault)
                self.passed.append(fault)
            except (Failed, OSError) as problem:
                self.problems.append(
                    f"{self.exchange} {fault}: {problem}; last: {self.last}")
        return self


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lanes = [Lane(*each) for each in LANES.items()]
        for lane in lanes:
            cls.addClassCleanup(lane.stack.stop)
            lane.stack.start()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            cls.lanes = {lane.exchange: lane
                         for lane in pool.map(Lane.run, lanes)}

    def result(self, exchange):
        lane = self.lanes[exchange]
        self.assertEqual(lane.problems, [])
        self.assertEqual(lane.passed, list(LANES[exchange]))


def _add_tests():
    for exchange, expected in LANES.items():
        def test(self, exchange=exchange):
            self.result(exchange)
        test.__doc__ = (f"{exchange} fails, the price goes on: "
                        + ", ".join(expected))
        setattr(Faults, f"test_{exchange}", test)


_add_tests()


FAILING = ("kraken", "bitstamp")


class TooFew(support.StackTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(support.wait_prices, self.stack)
        self.addCleanup(self.stack.fault, "all", "none")

    def refusal(self):
        """The refusal, once both failures show in its item; before that one
        of them may only be stale."""
        reply = self.get("/price/BTC-USD")
        if reply.status != 503:
            return None
        states = {name: source["state"] for name, source
                  in client.sources_of(reply.json()["item"]).items()}
        return reply if {states[name] for name in FAILING} == {"failed"} \
            else None

    def test_unavailable(self):
        """with too few exchanges left, /price says so and has it signed"""
        for exchange in FAILING:
            self.stack.fault(exchange, "500")
        reply = wait_until("a refusal", self.refusal, support.SEEN_S)
        problem = self.assert_problem(reply, 503, "FEED_UNAVAILABLE")
        self.assertEqual(problem["feed"], "BTC-USD")
        self.assertIn("insufficient_sources", problem["detail"])
        self.check_item(problem["item"])
        self.check_stream()

    def check_item(self, item):
        content = client.content_of(item)
        self.assertEqual(content["status"], "unavailable")
        self.assertEqual(content["reason"], "insufficient_sources")
        self.assertIsNone(content["price"])
        for exchange in FAILING:
            source = client.sources_of(item)[exchange]
            self.assertEqual((source["state"], source["error"]),
                             ("failed", "server_error"))
        path = self.stack.dir / "unavailable.json"
        path.write_text(json.dumps(item))
        done = self.stack.verify(path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("unavailable", done.stdout)

    def check_stream(self):
        stream = client.Stream(self.stack.verifierd_port,
                               "/stream?feeds=BTC-USD")
        self.addCleanup(stream.close)
        wait_until("a status event", lambda: stream.named("status"),
                   support.SEEN_S)
        reply = self.get("/readyz")
        self.assertEqual(reply.status, 503)
        self.assertIn("BTC-USD", reply.body.decode())


if __name__ == "__main__":
    unittest.main()
