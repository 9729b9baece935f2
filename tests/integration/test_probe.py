"""hallmark-oracle --probe: what an operator asks before the first start."""

import support
from stack import run

FEED = 8  # exchange symbol last bid ask age_ms state ms feed ...


class Probe(support.StackTest):
    def probe(self):
        done = run("hallmark-oracle", "--probe", self.stack.config("oracle"))
        table, _, feeds = done.stdout.partition("\n\n")
        rows = [line.split() for line in table.splitlines()[1:]]
        return done, {(row[FEED], row[0]): row for row in rows}, feeds

    def with_fault(self, *exchanges):
        for exchange in exchanges:
            self.stack.fault(exchange, "451")
        try:
            return self.probe()
        finally:
            for exchange in exchanges:
                self.stack.fault(exchange, "none")

    def test_all_answer(self):
        """--probe asks each source through the bridge and shows its quote"""
        done, rows, feeds = self.probe()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(rows), 11, done.stdout)
        for row in rows.values():
            self.assertEqual(row[6], "used")
            self.assertGreaterEqual(int(row[7]), 0)
        self.assertGreater(float(rows["BTC-USD", "kraken"][2]), 1000)
        for feed, needed in (("USDT-USD", 2), ("BTC-USD", 3), ("ETH-USD", 3)):
            self.assertRegex(feeds, rf"{feed} +[0-9.]+, \d used, {needed}")

    def test_sorted(self):
        """--probe's lines are sorted by exchange and symbol"""
        done, rows, _ = self.probe()
        order = [(row[0], row[1]) for row in rows.values()]
        self.assertEqual(order, sorted(order), done.stdout)

    def test_one_fails(self):
        """--probe names a source that fails, why, and with which status"""
        done, rows, _ = self.with_fault("bitstamp")
        self.assertEqual(rows["BTC-USD", "bitstamp"][6], "failed")
        self.assertEqual(rows["BTC-USD", "bitstamp"][FEED:],
                         ["BTC-USD", "geo_blocked", "HTTP", "451"])
        self.assertEqual(rows["BTC-USD", "kraken"][6], "used")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_too_few(self):
        """--probe exits 1 and names the feeds that have too few sources"""
        done, _, feeds = self.with_fault("bitstamp", "coinbase_exchange")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("BTC-USD    TOO FEW SOURCES, 1 used, 3 needed", feeds)


if __name__ == "__main__":
    unittest.main()
