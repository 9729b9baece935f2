"""An upgrade as deploy/OPERATIONS.md has it: with both releases in the policy
nobody misses a price; in the wrong order the new one is refused, counted, and
nothing wrong is served."""

import json
import re
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack, run


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(support.fast_feeds())
        self.addCleanup(self.stack.stop)
        self.stack.start()
        support.wait_prices(self.stack)
        self.old = json.loads(self.stack.policy.read_text())["releases"][0]

    def config_sha256(self):
        return support.sha256(self.stack.config("oracle").read_bytes())

    def new_release(self):
        """Another configuration in the oracle's file; its release."""
        config = json.loads(self.stack.config("oracle").read_text())
        for feed in config["feeds"]:
            feed["max_jump_bps"] = 1234
        settings.write_json(self.stack.config("oracle"), config)
        said = run("hallmark", "config-pcr", self.stack.config("oracle"))
        return dict(self.old, name="new", pcrs=dict(
            self.old["pcrs"], **{"16": said.stdout.strip()}))

    def trust(self, *releases):
        """These in the policy, and a verifier that has read it."""
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"] = list(releases)
        settings.write_json(self.stack.policy, policy)
        self.again("verifierd")

    def again(self, name):
        """systemctl restart."""
        self.assertEqual(self.stack.programs[name].stop(), 0, name)
        self.stack.restart(name)

    def verdicts(self, name="pcr_mismatch"):
        """How many items got this one since verifierd was started."""
        try:
            text = client.request(self.stack.url("/metrics")).body.decode()
        except OSError:
            return 0
        return int(re.search(rf'items_total\{{verdict="{name}"\}} (\d+)',
                             text)[1])

    def assert_nothing_lost(self):
        self.assertEqual([self.verdicts(), self.verdicts("sequence_gap")],
                         [0, 0])

    def new_price(self):
        item = support.price(self.stack, "BTC-USD")
        return item if item and client.content_of(
            item)["config_sha256"] == self.config_sha256() else None

    def test_in_order(self):
        """verifiers first, then the oracle, then the old release goes"""
        new = self.new_release()
        self.trust(self.old, new)
        support.wait_prices(self.stack)
        self.again("oracle")
        wait_until("the new release's price", self.new_price, support.SEEN_S)
        self.assert_nothing_lost()
        ended = dict(self.old, not_after="2020-01-01T00:00:00Z")
        self.trust(ended, new)
        wait_until("its price still", self.new_price, support.SEEN_S)
        self.assert_nothing_lost()
        path = self.stack.dir / "item.json"
        settings.write_json(path, self.new_price())
        done = self.stack.verify(path, "--explain")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("new", done.stdout)

    def test_wrong_order(self):
        """an oracle that verifiers do not know yet is refused until they do"""
        new = self.new_release()
        self.again("oracle")
        wait_until("refusals are counted", self.verdicts, support.SEEN_S)
        self.assertIsNone(self.new_price())
        self.trust(self.old, new)
        wait_until("its price, once it is known", self.new_price,
                   support.SEEN_S)
        self.assertEqual(self.verdicts(), 0)


if __name__ == "__main__":
    unittest.main()
