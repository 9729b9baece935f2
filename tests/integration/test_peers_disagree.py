"""Two oracles of one configuration that are told different prices: the parent
of one leads it to other exchanges. They do not co-sign, and a signed status
says who disagrees in what, and by how much."""

import json
import re
import shutil
import sys
import unittest

import client
import settings
from bridged_cluster import BridgedCluster
from program import Program, wait_until
from stack import SIMULATOR, START_S, run

FEED = "BTC-USD"
LIE_BPS = 300   # the simulator's fault "lie"
BOUND_BPS = 50  # max_disagreement_bps, as it is unless configured


class OtherExchanges:
    """A second set of simulated exchanges, of the same authority."""

    def __init__(self, directory, first):
        self.dir = directory / "other-exchanges"
        shutil.copytree(first, self.dir)
        control, *ports = settings.free_ports(1 + len(settings.HOSTS))
        self.ports = dict(zip(settings.HOSTS, ports))
        self.control = f"http://127.0.0.1:{control}"
        argv = [sys.executable, SIMULATOR, "--dir", self.dir,
                "--control", str(control)]
        for name, port in self.ports.items():
            argv += ["--port", f"{name}={port}"]
        self.program = Program("other exchanges", argv, directory / "other.log")

    def start(self):
        self.program.start()
        wait_until("the other exchanges are ready",
                   lambda: client.ready(f"{self.control}/state"), START_S,
                   self.program.must_run)

    def all_of_them(self, fault):
        body = json.dumps({"exchange": "all", "fault": fault}).encode()
        reply = client.request(f"{self.control}/fault", "POST", body)
        if reply.status != 200:
            raise AssertionError(reply.body)


class LedElsewhere(BridgedCluster):
    """b's parent has other exchanges behind its bridge."""

    others = None

    def start_bridges(self):
        self.others = OtherExchanges(self.dir, self.dir / "exchanges")
        self.others.start()
        self["a"].start_bridge()
        ports, self.stack.ports = self.stack.ports, self.others.ports
        self["b"].start_bridge()
        self.stack.ports = ports

    def stop(self):
        codes = super().stop()
        if self.others:
            self.others.program.stop()
        return codes


class Disagree(unittest.TestCase):
    def setUp(self):
        self.cluster = LedElsewhere(("a", "b"))
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def disagreement(self):
        """What a's newest status says that b says of the feed, or None."""
        status = self.cluster["a"].peers()
        found = [d for peer in (status[1]["peers"] if status else [])
                 for d in peer["disagreements"]
                 if (d["feed"], d["why"]) == (FEED, "price")]
        return (status, found[0]) if found else None

    def whole_lie(self):
        """The same, once all of b's exchanges lie: while some do, b's price is
        somewhere between."""
        told = self.disagreement()
        return told if told and abs(
            told[1]["gap_bps"] - LIE_BPS) < BOUND_BPS else None

    def test_told_and_mended(self):
        """three percent apart: no co-signature, and a signed status tells"""
        a = self.cluster["a"]
        self.cluster.cosigned("a", FEED, 1)
        self.assertIsNone(self.disagreement())
        self.cluster.others.all_of_them("lie")
        (envelope, content), found = wait_until(
            "the status tells of it", self.whole_lie, START_S,
            a.program.must_run)
        self.assertEqual(content["max_disagreement_bps"], BOUND_BPS)
        self.assertIsNotNone(self.cluster.cosigned("a", FEED, 0))
        self.check_signed(envelope, found)
        self.assertRegex(a.get("/metrics").body.decode(),
                         r"(?m)^hallmark_oracle_peer_feeds_in_disagreement"
                         r"\{.*\} [1-9]")
        # Once for each change, and not with each item.
        self.assertEqual(len(re.findall(
            rf"peers disagrees .*feed={FEED} .*why=price", a.log())), 1,
            a.log()[-2000:])
        self.cluster.others.all_of_them("none")
        self.cluster.cosigned("a", FEED, 1)
        wait_until("the status no longer tells of it",
                   lambda: not self.disagreement(), START_S)

    def verify(self, envelope, *more):
        path = settings.write_json(self.cluster.dir / "status.json", envelope)
        return run("hallmark", "verify", path, "--policy",
                   self.cluster.policy, *more)

    def check_signed(self, envelope, found):
        """Anybody can verify it, and what was altered in it is refused."""
        done = self.verify(envelope)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"disagrees in {FEED}: price, its price is "
                      f"{found['price']}, {found['gap_bps']} bps away",
                      done.stdout)
        told = json.loads(self.verify(envelope, "--json").stdout)["peers"]
        self.assertEqual(told["max_disagreement_bps"], BOUND_BPS)
        mild = envelope["content"].replace(
            f'"gap_bps":{found["gap_bps"]}', '"gap_bps":51')
        self.assertNotEqual(mild, envelope["content"])
        done = self.verify({**envelope, "content": mild})
        self.assertEqual(done.returncode, 3, done.stdout)
        item = self.cluster["a"].item(FEED)
        done = self.verify({**envelope, "signature_b64":
                            item["signature_b64"]})
        self.assertEqual(done.returncode, 3, done.stdout)
        # Nor is it worth anything tomorrow, as news.
        done = self.verify(envelope, "--at", "2100-01-01T00:00:00Z")
        self.assertEqual(done.returncode, 6, done.stdout)
        done = self.verify(envelope, "--at", "published")
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
