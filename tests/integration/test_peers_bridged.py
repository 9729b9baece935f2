"""Three oracles, each behind its parent's bridge, with the files of deploy/peers:
their links go out by the one bridge's CONNECT and in by the other's forward. And
what a parent can do to them: cut, misdirect."""

import json
import shutil
import unittest

import settings
import support
from bridged_cluster import LINKS, BridgedCluster, dialed
from cluster import START_S
from program import wait_until
from test_peers import FEED, verify


DEPLOY = settings.ROOT / "deploy"


def deployed(name):
    return json.loads((DEPLOY / name).read_text())


class Deployed(support.Folder):
    """deploy/peers, as its README puts it together."""

    def check(self, program, *argv):
        done = support.run(program, *argv)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_oracle(self):
        """the oracle accepts it, dials by way of the bridge, waits for two"""
        config = {**deployed("live.json"), **deployed("peers/peers.json")}
        said = self.check("hallmark-oracle", "--check", settings.write_json(
            self.dir / "oracle.json", config))
        self.assertIn("listens on vsock://any:9000\n", said)
        for at in config["peers"]["connect"]:
            self.assertIn(f"dials {at}, through the proxy\n", said)
        self.assertIn("no longer than for 2\n", said)

    def commands(self):
        """Of deploy/peers/README.md, by their first word."""
        found = {}
        for line in (DEPLOY / "peers/README.md").read_text().splitlines():
            words = line.split()
            if line.startswith("    ") and words:
                found.setdefault(words[0], []).append(line.strip())
        return found

    def shell(self, command):
        done = self.command("sh", "-c", command)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_commands(self):
        """its commands make the files that are checked here"""
        support.need("jq", shutil.which("jq"))
        (self.dir / "deploy").symlink_to(DEPLOY)
        oracle, quorum = [line for line in self.commands()["jq"]
                          if " > " in line]
        shutil.copy(DEPLOY / "policy.example.json", self.dir / "policy.json")
        for command in (oracle, quorum):
            self.shell(f"cd {self.dir} && {command}")
        self.assertEqual(json.loads((self.dir / "oracle.json").read_text()),
                         {**deployed("live.json"),
                          **deployed("peers/peers.json")})
        self.assertEqual(json.loads((self.dir / "quorum.json").read_text()),
                         deployed("peers/policy.example.json"))

    def test_bridge(self):
        """the bridge, too; it forwards to where the oracle listens, and lets
        out to all that the oracle dials; else it is the usual one"""
        shutil.copy(DEPLOY / "peers/bridge.json", self.dir)
        shutil.copy(DEPLOY / "live.json", self.dir / "oracle.json")
        allowed = "".join((DEPLOY / name).read_text() for name in (
            "allowlist.txt", "peers/allowlist-peers.txt"))
        (self.dir / "allowlist.txt").write_text(allowed)
        said = self.check("vsock-bridge", "--check", self.dir / "bridge.json")
        peers = deployed("peers/peers.json")["peers"]
        usual, bridge = deployed("bridge.json"), deployed("peers/bridge.json")
        forward = bridge["inbound"].pop()
        self.assertEqual(bridge, usual)
        cid = deployed("enclave.json")["enclave_cid"]
        port = peers["listen"].rpartition(":")[2]
        self.assertEqual(forward["connect"], f"vsock://{cid}:{port}")
        for at in peers["connect"]:
            self.assertEqual(at.rpartition(":")[2],
                             forward["listen"].rpartition(":")[2])
            self.assertIn(at.removeprefix("tcp://"), said)

    def test_readers(self):
        """the policy is the usual one with a quorum; the daemon takes it"""
        self.assertEqual(deployed("peers/policy.example.json"), {
            **deployed("policy.example.json"),
            "quorum": deployed("peers/peers.json")["quorum"]})
        shutil.copy(DEPLOY / "peers/policy.example.json",
                    self.dir / "policy.json")
        said = self.check("hallmark", "policy", "check",
                          self.dir / "policy.json")
        self.assertIn("quorum", said)
        config = deployed("peers/verifierd.json")
        self.assertEqual(config, {**deployed("verifierd.json"),
                                  "oracles": config["oracles"]})
        settings.write_json(self.dir / "verifierd.json", config)
        self.check("hallmark-verifierd", "--check",
                   self.dir / "verifierd.json")
        self.assertEqual(
            [at.partition("://")[2].rpartition(":")[0]
             for at in config["oracles"]],
            [at.partition("://")[2].rpartition(":")[0]
             for at in deployed("peers/peers.json")["peers"]["connect"]])


class Bridged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = BridgedCluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self):
        for name in self.cluster.names:
            self.cluster.wait_linked(name)

    def wait_why(self, name, peer, state, why):
        def seen():
            found = self.cluster[name].why().get(dialed(peer), ("", ""))
            return found[0] == state and why in (found[1] or "")
        wait_until(f"{name} says of {peer}: {state} {why}", seen, START_S)

    def boots(self, item):
        return [json.loads(c["content"])["boot_id"]
                for c in item.get("cosignatures", [])]

    def test_quorum(self):
        """co-signed through two bridges each, as deploy/peers has it"""
        for name, others in (("a", "bc"), ("b", "ac"), ("c", "ab")):
            item = self.cluster.cosigned(name, FEED, 2)
            self.assertEqual(set(self.boots(item)), {
                self.cluster[other].boot_id() for other in others})
            done = verify(self.cluster, item, self.cluster.strict)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("2 of 2 co-signatures hold", done.stdout)
        for name in self.cluster.names:
            self.assertGreaterEqual(self.cluster[name].open(LINKS), 2)
            states = {at: state for at, (state, _) in
                      self.cluster[name].why().items()}
            self.assertEqual(states.pop(dialed(name)), "self")
            self.assertEqual(set(states.values()), {"open"})

    def test_bridge_restarts(self):
        """a bridge that goes away costs its two pairs, until it is back"""
        self.cluster.cosigned("a", FEED, 2)
        self.cluster["b"].bridge.kill()
        item = self.cluster.cosigned("a", FEED, 1)
        self.assertEqual(self.boots(item), [self.cluster["c"].boot_id()])
        done = verify(self.cluster, item, self.cluster.strict)
        self.assertIn("quorum_missing", done.stdout)
        self.cluster["b"].start_bridge()
        self.cluster.cosigned("a", FEED, 2)

    def test_not_allowed(self):
        """a name that the parent does not allow: 403, and the status says so
        """
        self.cluster["a"].restart_bridge(c=None)
        self.addCleanup(self.cluster["a"].restart_bridge)
        self.wait_why("a", "c", "down", "403")
        self.wait_why("a", "b", "open", "")
        item = self.cluster.cosigned("a", FEED, 1)
        self.assertEqual(self.boots(item), [self.cluster["b"].boot_id()])

    def test_nobody_there(self):
        """a name that leads to nobody: 502, and the status says so"""
        self.cluster["c"].bridge.stop()
        self.addCleanup(self.cluster["c"].start_bridge)
        self.wait_why("a", "c", "down", "502")

    def test_misdirected(self):
        """a parent that leads two names to one enclave: it counts once"""
        boot_id = self.cluster["b"].boot_id()
        opened = f"peers open peer={dialed('c')} boot_id={boot_id}"
        self.cluster["a"].restart_bridge(c="b")
        self.addCleanup(self.cluster["a"].restart_bridge)
        wait_until("b answers in c's place",
                   lambda: opened in self.cluster["a"].log(), START_S)
        before = self.cluster["a"].item(FEED)
        for item in self.next_items("a", before, 10):
            self.assertLessEqual(set(self.boots(item)), {boot_id})
            self.assertLessEqual(len(self.boots(item)), 1)
            self.assertIn("quorum_missing", verify(
                self.cluster, item, self.cluster.strict).stdout)

    def next_items(self, name, last, count):
        for _ in range(count):
            last = wait_until("another item", lambda: (
                lambda item: item if item and item["content"] !=
                last["content"] else None)(self.cluster[name].item(FEED)),
                START_S)
            yield last


if __name__ == "__main__":
    unittest.main()
