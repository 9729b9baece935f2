"""hallmark-oracle --probe: what an operator asks before the first start."""

import support
from stack import run


class Probe(support.StackTest):
    def probe(self):
        done = run("hallmark-oracle", "--probe", self.stack.config("oracle"))
        rows = [line.split() for line in done.stdout.splitlines()[1:]]
        return done, {(row[0], row[1]): row for row in rows}

    def test_all_answer(self):
        """--probe asks each source through the bridge and shows its quote"""
        done, rows = self.probe()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(rows), 11, done.stdout)
        for row in rows.values():
            self.assertNotIn("failed:", row)
        self.assertGreater(float(rows["BTC-USD", "kraken"][3]), 1000)

    def test_one_fails(self):
        """--probe names the source that fails, why, and exits 1"""
        self.stack.fault("bitstamp", "451")
        try:
            done, rows = self.probe()
        finally:
            self.stack.fault("bitstamp", "none")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(rows["BTC-USD", "bitstamp"][3:],
                         ["failed:", "geo_blocked"])
        self.assertNotIn("failed:", rows["BTC-USD", "kraken"])
