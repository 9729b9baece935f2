"""Three oracles of one image and one configuration: they attest each other and
co-sign; a verifier that demands it gets what it demands; and what comes between
them, or is not one of them, is told apart."""

import json
import os
import signal
import socket
import time
import unittest

import client
import settings
from cluster import START_S, Cluster
from program import Program, wait_until
from relay_between import RelayBetween
from stack import BIN, run

FEED = "BTC-USD"


def save(cluster, item, name="item.json"):
    return settings.write_json(cluster.dir / name, item)


def verify(cluster, item, policy):
    return run("hallmark", "verify", save(cluster, item), "--policy", policy,
               "--at", "published")


class ThreeOracles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        for name in cls.cluster.names:
            cls.cluster.wait_linked(name)

    def test_quorum(self):
        """an item carries two co-signatures, and the policy can demand them"""
        item = self.cluster.cosigned("a", FEED, 2)
        done = verify(self.cluster, item, self.cluster.strict)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("2 of 2 co-signatures hold", done.stdout)
        boots = {json.loads(c["content"])["boot_id"]
                 for c in item["cosignatures"]}
        self.assertEqual(boots, {self.cluster[n].boot_id() for n in "bc"})
        shown = run("hallmark", "inspect", save(self.cluster, item))
        self.assertEqual(len(json.loads(shown.stdout)["cosignatures"]), 2)

    def test_attacks_on_co_signatures(self):
        """taken away, doubled, of another item, altered: quorum_missing"""
        item = self.cluster.cosigned("a", FEED, 2)
        other = self.cluster.cosigned("b", FEED, 2)
        first, second = item["cosignatures"]
        spoilt = {**second, "signature_b64": first["signature_b64"]}
        for name, found in {"one of two": [first],
                            "one twice": [first, first],
                            "of another item": [first,
                                                other["cosignatures"][0]],
                            "altered": [first, spoilt],
                            "its own": [first, {k: v for k, v in item.items()
                                                if k != "cosignatures"}]
                            }.items():
            with self.subTest(name):
                done = verify(self.cluster, {**item, "cosignatures": found},
                              self.cluster.strict)
                self.assertEqual(done.returncode, 5, done.stdout)
                self.assertIn("quorum_missing", done.stdout)
        done = verify(self.cluster, {k: v for k, v in item.items()
                                     if k != "cosignatures"},
                      self.cluster.policy)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_status(self):
        """GET /peers is signed, and says who is open and who is ourselves"""
        self.cluster.cosigned("a", FEED, 2)
        wait_until("the status says so", lambda: self.cluster["a"].states() ==
                   ["open", "open", "self"], START_S)
        envelope, content = self.cluster["a"].peers()
        self.assertEqual(content["format"], "hallmark-peers/1")
        self.assertEqual(content["boot_id"], self.cluster["a"].boot_id())
        self.assertEqual(envelope["public_key"],
                         self.cluster["a"].item(FEED)["public_key"])
        metrics = self.cluster["a"].get("/metrics").body.decode()
        self.assertIn("hallmark_oracle_peer_open{", metrics)
        self.assertIn('answer="cosigned"', metrics)
        self.assertRegex(metrics, r'quorum_items_total\{feed="BTC-USD",'
                         r'result="reached"\} [1-9]')

    def test_daemon(self):
        """a daemon whose policy has a quorum serves what was co-signed"""
        port = settings.free_ports(1)[0]
        directory = self.cluster.dir / "daemon"
        directory.mkdir()
        settings.write_json(directory / "d.json", {
            "listen": f"tcp://127.0.0.1:{port}",
            "policy": str(self.cluster.strict),
            "archive": str(directory / "archive.db"),
            "oracles": [self.cluster["a"].url()]})
        daemon = Program("daemon", [BIN / "hallmark-verifierd",
                                    directory / "d.json"], directory / "log")
        daemon.start()
        self.addCleanup(daemon.stop)
        base = f"http://127.0.0.1:{port}"
        wait_until("the daemon is ready",
                   lambda: client.ready(base + "/readyz"), START_S,
                   daemon.must_run)
        item = client.request(f"{base}/price/{FEED}").json()
        done = verify(self.cluster, item, self.cluster.strict)
        self.assertEqual(done.returncode, 0, done.stdout + daemon.log())
        ref = client.request(f"{base}/price/{FEED}?attestation=ref").json()
        for cosignature in ref["cosignatures"]:
            self.assertNotIn("attestation_doc_b64", cosignature)
            hash_ = cosignature["attestation_sha256"]
            self.assertEqual(client.request(
                f"{base}/attestations/{hash_}").status, 200)


class Apart(unittest.TestCase):
    def start(self, names=("a", "b"), **peers):
        cluster = Cluster(names, **peers)
        self.addCleanup(cluster.stop)
        return cluster

    def test_another_configuration(self):
        """an oracle with another configuration is no peer: pcr_mismatch"""
        cluster = self.start()
        cluster.start()
        cluster.wait_linked("a")
        cluster["b"].program.stop()
        cluster["b"].start(cluster.config(keep_raw_s=1))
        wait_until("one refuses the other", lambda: any(
            "why=pcr_mismatch" in cluster[name].log() for name in "ab"),
            START_S)
        self.assertIsNotNone(cluster.cosigned("a", FEED, 0))
        self.assertNotIn("open", cluster["b"].states())

    def test_relay_in_the_middle(self):
        """somebody with a key of his own between them: no link, and prices"""
        cluster = self.start()
        cluster.peers["connect"] = [f"unix://{cluster.dir}/middle.sock"]
        relay = RelayBetween(cluster.dir / "middle.sock",
                             cluster["b"].dir / "peer.sock", cluster.dir)
        self.addCleanup(relay.close)
        cluster.start()
        wait_until("one of them has seen through it",
                   lambda: any("made for another connection" in
                               cluster[name].log() for name in "ab"), START_S)
        self.assertGreater(relay.relayed, 1000)
        self.assertNotIn("peers open", cluster["a"].log())
        self.assertIsNotNone(cluster.cosigned("a", FEED, 0))
        done = verify(cluster, cluster["a"].item(FEED), cluster.strict)
        self.assertEqual(done.returncode, 5, done.stdout)

    def test_hostile_peer(self):
        """nonsense in place of TLS, and a peer that never says a word"""
        cluster = self.start(("a",))
        silent = socket.socket(socket.AF_UNIX)
        self.addCleanup(silent.close)
        silent.bind(str(cluster.dir / "silent.sock"))
        silent.listen()
        cluster.peers["connect"] = [f"unix://{cluster.dir}/silent.sock"]
        cluster.start()
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff",
                         b"\0" * 100000):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(cluster["a"].dir / "peer.sock"))
                try:
                    sock.sendall(nonsense)
                    sock.shutdown(socket.SHUT_WR)
                    sock.settimeout(START_S)
                    sock.recv(65536)
                except OSError:
                    pass
        self.assertIsNotNone(cluster.cosigned("a", FEED, 0))
        self.assertTrue(cluster["a"].program.running())

    def test_stalled_peer(self):
        """a peer that stops (SIGSTOP) costs a price wait_ms at most"""
        cluster = self.start(wait_ms=200)
        cluster.start()
        cluster.wait_linked("a")
        cluster.cosigned("a", FEED, 1)
        os.kill(cluster["b"].program.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, cluster["b"].program.process.pid,
                        signal.SIGCONT)
        item = cluster.cosigned("a", FEED, 0)
        first = client.content_of(item)["sequence"]
        time.sleep(3)
        later = client.content_of(cluster["a"].item(FEED))["sequence"]
        self.assertGreaterEqual(later, first + 2)
        wait_until("a hangs up", lambda: "it does not answer" in
                   cluster["a"].log(), START_S)

    def test_gone_and_back(self):
        """a peer that was killed comes back and co-signs again"""
        cluster = self.start()
        cluster.start()
        cluster.cosigned("a", FEED, 1)
        cluster["b"].program.kill()
        cluster.cosigned("a", FEED, 0)
        cluster["b"].start(cluster.config())
        cluster.cosigned("a", FEED, 1)


if __name__ == "__main__":
    unittest.main()
