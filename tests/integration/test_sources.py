"""GET /sources and /metrics of the oracle: an operator sees at once which
source is down, why, with which status, and what is left of the budget."""

import re
import unittest

import client
import settings
import support
from program import wait_until


class Sources(support.StackTest):
    def sources(self, query=""):
        reply = client.request(self.stack.oracle_url("/sources" + query))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def exchange(self, name):
        return {row["exchange"]: row
                for row in self.sources()["exchanges"]}[name]

    def all_up(self):
        """The page, once nothing fails: another test may have made it."""
        page = self.sources()
        return page if all(
            symbol["up"] for row in page["exchanges"]
            for symbol in row["symbols"]) and all(
            source["state"] == "used" for feed in page["feeds"]
            for source in feed["sources"]) else None

    def metrics(self):
        reply = client.request(self.stack.oracle_url("/metrics"))
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        lines = reply.body.decode().splitlines()
        samples = dict(line.rsplit(" ", 1) for line in lines
                       if not line.startswith("#"))
        # No sample stands twice.
        self.assertEqual(len(samples), sum(
            not line.startswith("#") for line in lines))
        return samples

    def test_all_up(self):
        """/sources shows each exchange, its symbols, budget and clock"""
        page = wait_until("all are up", self.all_up, support.SEEN_S)
        self.assertEqual({row["exchange"] for row in page["exchanges"]},
                         {"binance", "bitstamp", "coinbase_exchange",
                          "kraken"})
        self.assertTrue(page["clock"]["agrees"])
        for row in page["exchanges"]:
            self.assertTrue(row["up"])
            self.assertGreater(row["requests"], 0)
            self.assertLess(row["budget_left"], row["budget_per_min"])
            self.assertTrue(row["limit"])
            self.assertLess(abs(row["clock_offset_ms"]), 2000)
            for symbol in row["symbols"]:
                self.assertEqual((symbol["status"], symbol["error"]),
                                 (200, None))
                self.assertGreaterEqual(symbol["latency_ms"], 0)
        for feed in page["feeds"]:
            self.assertEqual(feed["status"], "ok")
            self.assertEqual(feed["used"], len(feed["sources"]))

    def test_down(self):
        """a source that is down shows its error and HTTP status in both"""
        # Else what another test left behind may end while we look.
        wait_until("all are up", self.all_up, support.SEEN_S)
        self.stack.fault("bitstamp", "451")
        try:
            row = wait_until("bitstamp is down", lambda: next(
                (symbol for symbol in self.exchange("bitstamp")["symbols"]
                 if symbol["error"]), None), support.SEEN_S)
            self.assertEqual((row["error"], row["status"], row["up"]),
                             ("geo_blocked", 451, False))
            self.assertGreater(row["errors"]["geo_blocked"], 0)
            self.assertGreater(row["failures_in_a_row"], 0)
            labels = f'{{exchange="bitstamp",symbol="{row["symbol"]}"'
            samples = self.metrics()
            name = "hallmark_oracle_source_"
            self.assertEqual(samples[f"{name}up{labels}}}"], "0")
            self.assertEqual(samples[f"{name}http_status{labels}}}"], "451")
            self.assertIn(
                f'{name}errors_total{labels},error="geo_blocked"}}', samples)
        finally:
            self.stack.fault("bitstamp", "none")
        wait_until("bitstamp is up", self.all_up, support.SEEN_S)

    def test_filters(self):
        """?exchange= and ?feed= leave the others out; others are refused"""
        page = self.sources("?exchange=kraken&feed=BTC-USD")
        self.assertEqual([feed["feed"] for feed in page["feeds"]],
                         ["BTC-USD"])
        self.assertEqual([symbol["symbol"] for row in page["exchanges"]
                          for symbol in row["symbols"]], ["XBTUSD"])
        for query, status, code in (
                ("?exchange=nobody", 404, "EXCHANGE_UNKNOWN"),
                ("?feed=NO-SUCH", 404, "FEED_UNKNOWN"),
                ("?surprise=1", 400, "PARAM_UNKNOWN")):
            self.assert_problem(client.request(
                self.stack.oracle_url("/sources" + query)), status, code)

    def test_metrics(self):
        """/metrics has the feeds, their states, the clock and the version"""
        wait_until("all are up", self.all_up, support.SEEN_S)
        samples = self.metrics()
        name = "hallmark_oracle_"
        version = re.search(r"^VERSION *:= *(\S+)",
                            (settings.ROOT / "Makefile").read_text(), re.M)[1]
        self.assertEqual(samples[f'{name}build_info{{version="{version}",'
                                 'platform="simulated"}'], "1")
        self.assertEqual(
            samples[f'{name}feed_sources{{feed="BTC-USD",state="used"}}'],
            "4")
        self.assertGreater(
            int(samples[f'{name}feed_items_total{{feed="BTC-USD",'
                        'status="ok",reason=""}']), 0)
        self.assertEqual(samples[f'{name}feed_status{{feed="BTC-USD",'
                                 'status="ok",reason=""}'], "1")
        self.assertLess(
            abs(float(samples[f"{name}clock_offset_seconds"])), 2)


if __name__ == "__main__":
    unittest.main()
