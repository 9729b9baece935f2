"""Daemons behind daemons: two oracles, a mirror of both, a mirror of that
mirror, and one that listens to two mirrors. Whatever stops, the freshest is
served, each item is archived once, and /upstreams says who is away or behind.
(Who contradicts: tests/unit/daemon/test_upstreams_api.c, which can sign.)"""

import json
import re
import signal
import time
import unittest

import client
import settings
import support
from edge import Edge, Reader
from program import Program, wait_until
from stack import BIN, Stack, run

STOPPED_S = 8   # longer than an item is good


class TwoOracles(Stack):
    """A stack, and another oracle with a configuration and boot of its own."""

    def __init__(self):
        super().__init__(support.fast_feeds())
        self.second_url = f"unix://{self.dir}/second.sock"
        self.second = Program("second", [BIN / "hallmark-oracle",
                                         self.dir / "second.json"],
                              self.dir / "second.log")

    def write_policy(self):
        super().write_policy()
        config = settings.oracle(self.dir, self.feeds,
                                 self.dir / "exchanges/ca.pem",
                                 f"unix://{self.dir}/bridge-out.sock")
        path = settings.write_json(self.dir / "second.json", {
            **config, "listen": self.second_url})
        pcr = re.search(r"\b[0-9a-f]{96}\b",
                        run("hallmark", "config-pcr", path).stdout)[0]
        policy = json.loads(self.policy.read_text())
        other = settings.policy(pcr)["releases"][0]
        policy["releases"].append({**other, "name": "second"})
        settings.write_json(self.policy, policy)

    def start_all(self):
        self.start()
        self.second.start()

    def stop(self, keep=False):
        self.second.stop()
        return super().stop(keep)


class Mirrors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = TwoOracles()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start_all()
        oracle, second = cls.stack.oracle_url(""), cls.stack.second_url
        cls.both = Edge(cls.stack, "both", [oracle, second]).start()
        cls.addClassCleanup(cls.both.stop)
        cls.behind = Edge(cls.stack, "behind", [cls.both.url()]).start()
        cls.addClassCleanup(cls.behind.stop)
        # The stack's own daemon is a mirror of the first oracle.
        cls.double = Edge(cls.stack, "double",
                          [cls.both.url(), cls.stack.url("")]).start()
        cls.addClassCleanup(cls.double.stop)

    def boots(self, edge):
        return {boot for _, boot in edge.numbers()}

    def until(self, what, ready, seconds=support.SEEN_S):
        return wait_until(what, ready, seconds)

    def wait_fresh(self, edge):
        """A price that was published after this call."""
        since = support.now_ms()

        def fresh():
            reply = edge.get("/price/BTC-USD")
            return reply.status == 200 and client.content_of(
                reply.json())["published_ms"] > since

        self.until(f"a new price of {edge.name}", fresh)

    def test_a_mirror_of_a_mirror(self):
        """a mirror of a mirror archives what both oracles signed, once each"""
        self.until("both boots", lambda: len(self.boots(self.behind)) >= 2)
        for edge in (self.both, self.behind, self.double):
            self.wait_fresh(edge)
            edge.must_have_no_gap(self)
        ours = dict(self.behind.query("SELECT content_sha256, signature"
                                      " FROM items"))
        theirs = dict(self.both.query("SELECT content_sha256, signature"
                                      " FROM items"))
        self.assertGreater(len(ours), 10)
        self.assertLessEqual(set(ours.items()), set(theirs.items()))
        upstream = self.behind.upstreams()[self.both.url()]
        self.assertTrue(upstream["connected"])
        self.assertEqual(upstream["disagreements"], 0)
        self.assertEqual(upstream["feeds"], len(self.stack.feeds))
        self.assertEqual(self.behind.refused(), [])

    def test_an_item_of_the_last_verifies(self):
        """what the last of them serves verifies like the oracle's own"""
        path = self.behind.dir / "item.json"
        path.write_bytes(self.behind.get("/price/BTC-USD").body)
        done = self.stack.verify(path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_duplicates(self):
        """an item that two mirrors bring is archived and streamed once"""
        reader = Reader(self.double).open()
        duplicates = 'hallmark_verifierd_archived_items_total' \
                     '{outcome="duplicate"}'
        before = self.double.metric(duplicates)
        self.until("duplicates",
                   lambda: self.double.metric(duplicates) > before + 4)
        self.until("items", lambda: len(reader.collect().items) > 8)
        reader.close()
        self.assertEqual(reader.seen_twice, [])
        total, different = self.double.query(
            "SELECT count(*), count(DISTINCT content_sha256) FROM items")[0]
        self.assertEqual(total, different)
        both, own = (self.double.upstreams()[url] for url in
                     (self.both.url(), self.stack.url("")))
        # Each is first now and then, or the other always is.
        self.assertGreater(both["first"] + own["first"], 0)
        self.assertGreater(both["duplicates"] + own["duplicates"], 0)
        self.assertEqual(both["items"], both["first"] + both["duplicates"])

    def test_one_oracle_stops(self):
        """one oracle stops: the other's prices are served, and it is named"""
        self.wait_fresh(self.both)
        self.stack.second.stop()
        url = self.stack.second_url
        try:
            self.until("it is missed",
                       lambda: not self.both.upstreams()[url]["connected"])
            for edge in (self.both, self.behind, self.double):
                self.wait_fresh(edge)
            reply = self.both.get("/readyz")
            self.assertEqual(reply.status, 200, reply.body)
            self.assertIn(url, reply.json()["checks"]["oracles"])
            # Its last item has expired meanwhile, the other's has not.
            self.until("it is behind", lambda: self.both.metric(
                'hallmark_verifierd_upstream_behind_feeds'
                f'{{upstream="{url}"}}') == len(self.stack.feeds))
            self.assertIn(f"{url} lags", self.both.get("/readyz").json()[
                "checks"]["upstreams"])
        finally:
            self.stack.second.start()
        self.until("it is back",
                   lambda: self.both.upstreams()[url]["behind_feeds"] == 0
                   and self.both.upstreams()[url]["connected"])

    def test_one_mirror_lags(self):
        """a mirror that hangs lags, is named, and catches up without a gap"""
        own = self.stack.url("")
        seen = self.double.upstreams()[own]["items"]
        self.until("its stream goes on", lambda: self.double.upstreams()[own][
            "items"] > seen + 9)
        process = self.stack.programs["verifierd"].process
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(STOPPED_S)
            self.until("it lags", lambda: self.double.upstreams()[own][
                "behind_feeds"] > 0)
            self.assertGreater(self.double.upstreams()[own]["lag_ms"], 1000)
            self.assertTrue(self.double.upstreams()[own]["connected"])
            self.wait_fresh(self.double)
            reply = self.double.get("/readyz")
            self.assertEqual(reply.status, 200, reply.body)
            self.assertIn(f"{own} lags", reply.json()["checks"]["upstreams"])
        finally:
            process.send_signal(signal.SIGCONT)
        self.until("it is not behind", lambda: self.double.upstreams()[own][
            "behind_feeds"] == 0)
        self.double.must_have_no_gap(self)

    def test_the_only_mirror_dies(self):
        """kill -9 of the only mirror: behind it nothing is missing later"""
        self.wait_fresh(self.behind)
        self.both.kill()
        time.sleep(2)
        self.both.start()
        self.wait_fresh(self.behind)
        for edge in (self.both, self.behind):
            self.until("no gap", lambda e=edge: e.has_no_gap())

    def test_one_mirror_dies(self):
        """kill -9 of one of two mirrors: no item is missed behind them"""
        reader = Reader(self.double).open()
        self.until("items", lambda: len(reader.collect().items) > 4)
        self.stack.kill("verifierd")
        time.sleep(2)
        self.stack.restart("verifierd")
        self.until("it is back", lambda: self.double.upstreams()[
            self.stack.url("")]["connected"])
        self.wait_fresh(self.double)
        reader.close()
        self.assertEqual(reader.seen_twice, [])
        for where, sequences in reader.numbers().items():
            self.assertEqual(sequences, list(
                range(sequences[0], sequences[-1] + 1)), where)
        self.double.must_have_no_gap(self)
