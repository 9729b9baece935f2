"""The main line: prices that a separate program has verified, and that a user
can verify again, with our command or without it."""

import json
import subprocess
import unittest

import client
import support
from program import wait_until

RECIPE = """
jq -r .public_key item.json > key.pem
jq -r .signature_b64 item.json | base64 -d > sig.bin
jq -j .content item.json | openssl dgst -sha256 -verify key.pem -signature sig.bin
"""  # noqa: E501 (as the README has it)


class Prices(support.StackTest):
    def test_four_exchanges(self):
        """BTC-USD and ETH-USD are verified, each from 4 exchanges"""
        for feed in support.FEEDS:
            item = support.price(self.stack, feed)
            self.assertIsNotNone(item, feed)
            content = client.content_of(item)
            self.assertEqual(content["feed"], feed)
            self.assertEqual(content["status"], "ok")
            self.assertEqual(item["platform"], "simulated")
            self.assertEqual(support.used(item), {
                "binance", "bitstamp", "coinbase_exchange", "kraken"})
            self.assertEqual(
                client.sources_of(item)["binance"]["via"], "USDT-USD")

    def test_price_is_the_market(self):
        """the price is the simulated market's, and moves"""
        item = support.price(self.stack, "BTC-USD")
        first = client.content_of(item)["price"]
        self.assertLess(abs(float(first) / 84036 - 1), 0.02)
        wait_until("the price moves", lambda: client.content_of(
            self.get("/price/BTC-USD").json())["price"] != first,
            support.SEEN_S)

    def test_verify(self):
        """hallmark verify prints each check on a line and exits 0"""
        done = self.stack.verify(self.save_item())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertGreaterEqual(len(lines), 8, done.stdout)
        for check in ("chain", "pcr0", "pcr16", "signature"):
            self.assertTrue([line for line in lines if check in line], check)
        self.assertIn("VALID", lines[-1])

    def test_verify_json(self):
        """hallmark verify --json says the same to machines"""
        done = self.stack.verify(self.save_item(), "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)["verdict"], "valid")

    def test_openssl_recipe(self):
        """the README's recipe with openssl and jq says Verified OK"""
        self.save_item()
        done = subprocess.run(["sh", "-e", "-c", RECIPE], text=True,
                              capture_output=True, cwd=self.stack.dir)
        self.assertEqual(done.stdout, "Verified OK\n", done.stderr)

    def test_recipe_is_the_readmes(self):
        """the recipe that is tested is the one in the README"""
        readme = (support.settings.ROOT / "README.md").read_text()
        shown = [line.strip() for line in readme.splitlines()]
        for line in RECIPE.strip().splitlines():
            self.assertIn(line, shown)

    def test_wrong_policy(self):
        """another configuration's PCR16 is refused, and named"""
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"][0]["pcrs"]["16"] = "11" * 48
        other = self.stack.dir / "other-policy.json"
        other.write_text(json.dumps(policy))
        done = support.run("hallmark", "verify", self.save_item(),
                           "--policy", other)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn("pcr16", done.stdout + done.stderr)

    def test_no_policy(self):
        """without a policy nothing is accepted"""
        done = support.run("hallmark", "verify", self.save_item())
        self.assertNotEqual(done.returncode, 0)

    def test_chain_of_items(self):
        """items are numbered without gaps, each with its forerunner's hash"""
        stream = client.Stream(self.stack.verifierd_port,
                               "/stream?feeds=BTC-USD")
        self.addCleanup(stream.close)
        wait_until("six items", lambda: len(stream.named("price")) >= 6,
                   support.SEEN_S)
        contents = [event.json()["content"]
                    for event in stream.named("price")]
        for before, after in zip(contents, contents[1:]):
            self.assertEqual(json.loads(before)["sequence"] + 1,
                             json.loads(after)["sequence"])
            self.assertEqual(support.sha256(before),
                             json.loads(after)["previous_sha256"])


if __name__ == "__main__":
    unittest.main()
