"""Co-signatures on their way past the first reader: archive, replay, history,
bundles, NDJSON, a restart, NATS. Whoever asks for a quorum later gets one, and
what was done to them is found."""

import json
import pathlib
import shutil
import sqlite3
import tempfile
import unittest

import client
import nats
import settings
import support
from cluster import START_S, Cluster
from edge import Edge
from program import wait_until
from stack import run

FEED = "BTC-USD"
ITEMS = 6  # of each feed, at least, in the archive


class Cosigned(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        for name in cls.cluster.names:
            cls.cluster.wait_linked(name)
        cls.cluster.cosigned("a", FEED, 2)

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-cosigned-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def edge(self, name, oracles, **more):
        edge = Edge(self.cluster.stack, name, oracles,
                    policy=str(self.cluster.strict), **more)
        self.addCleanup(edge.stop)
        return edge

    def wait_items(self, edge):
        wait_until(f"{edge.name} has archived some", lambda: edge.query(
            "SELECT count(*) FROM items")[0][0] >= ITEMS, support.SEEN_S)

    def assert_code(self, code, done):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)


class Archived(Cosigned):
    """The archive of a daemon whose policy demands two."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = Edge(cls.cluster.stack, "daemon",
                          [cls.cluster["a"].url()],
                          policy=str(cls.cluster.strict))
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.wait_items(cls, cls.daemon)

    def copy(self, *statements):
        """What is archived now, and what somebody did to it."""
        path = self.dir / "copy.db"
        source = sqlite3.connect(
            f"file:{self.daemon.dir / 'archive.db'}?mode=ro", uri=True,
            timeout=10)
        with sqlite3.connect(path) as target:
            source.backup(target)
            for statement in statements:
                changed = target.execute(statement).rowcount
                self.assertGreater(changed, 0, statement)
        source.close()
        target.close()
        return path

    def replay(self, path, policy=None):
        done = run("hallmark", "replay", path, "--policy",
                   policy or self.cluster.strict, "--json")
        return done, json.loads(done.stdout)

    def test_replay(self):
        """an archive replays under a quorum, and under none"""
        for policy in (self.cluster.strict, self.cluster.policy):
            done, said = self.replay(self.copy(), policy)
            self.assert_code(0, done)
            self.assertGreaterEqual(said["items"], ITEMS)
            self.assertEqual(said["valid"], said["items"])

    def test_replay_finds(self):
        """taken away, altered, of another item: found, with its code"""
        last = "SELECT max(sequence) FROM items WHERE feed='BTC-USD'"
        where = f"WHERE feed='BTC-USD' AND sequence=({last})"
        one = f"rowid=(SELECT min(rowid) FROM cosignatures {where})"
        before = f"WHERE feed='BTC-USD' AND sequence=({last})-1"
        attacks = {
            "one taken away": f"DELETE FROM cosignatures WHERE {one}",
            "a bit of its signature":
                "UPDATE cosignatures SET signature=CAST('A' ||"
                f" substr(signature,2) AS BLOB) WHERE {one}",
            "a word of its content":
                "UPDATE cosignatures SET content="
                f"replace(content,'BTC','ETH') WHERE {one}",
            "those of another item":
                "UPDATE cosignatures SET content=(SELECT content FROM"
                f" cosignatures {before} LIMIT 1), signature=(SELECT"
                f" signature FROM cosignatures {before} LIMIT 1) WHERE {one}",
        }
        for name, statement in attacks.items():
            with self.subTest(name):
                path = self.copy(statement)
                done, said = self.replay(path)
                self.assert_code(5, done)
                found, = (f for f in said["findings"]
                          if f["kind"] == "refused")
                self.assertEqual(found["verdict"], "quorum_missing")
                done, said = self.replay(path, self.cluster.with_quorum(1))
                if name == "one taken away":
                    self.assert_code(0, done)  # the other one is enough
                    continue
                self.assert_code(5, done)
                found, = said["findings"]
                self.assertEqual(found["kind"], "cosignature")

    def test_no_document(self):
        """a co-signer's document that is gone: quorum_missing"""
        path = self.copy(
            "DELETE FROM attestations WHERE sha256=(SELECT"
            " attestation_sha256 FROM cosignatures LIMIT 1)")
        done, said = self.replay(path)
        self.assert_code(5, done)
        self.assertEqual({f["verdict"] for f in said["findings"]},
                         {"quorum_missing"})

    def test_bundle(self):
        """a bundle of co-signed items verifies alone under its own policy"""
        bundle = self.dir / "bundle.json"
        done = run("hallmark", "bundle", self.copy(), "--policy",
                   self.cluster.strict, "-o", bundle)
        self.assert_code(0, done)
        done = run("hallmark", "verify", bundle)
        self.assert_code(0, done)
        found = json.loads(bundle.read_text())
        self.assertEqual(found["policy"]["quorum"], 2)
        for item in found["items"]:
            self.assertEqual(len(item["cosignatures"]), 2)
        found["items"][0]["cosignatures"].pop()
        done = run("hallmark", "verify", settings.write_json(bundle, found))
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_ndjson(self):
        """exported and replayed; and the same from a URL"""
        done = run("hallmark", "export", self.copy(), "--format", "ndjson")
        self.assert_code(0, done)
        path = self.dir / "export.ndjson"
        path.write_text(done.stdout)
        done, said = self.replay(path)
        self.assert_code(0, done)
        self.assertEqual(said["valid"], said["items"])
        self.assertGreaterEqual(said["items"], ITEMS)
        done, said = self.replay(self.daemon.url())
        self.assert_code(0, done)
        self.assertGreaterEqual(said["valid"], ITEMS)

    def test_history(self):
        """/history and ?at_ms= answer with them, in both forms"""
        for form in ("full", "ref"):
            page = self.daemon.get(
                f"/history?feed={FEED}&limit=2&attestation={form}").json()
            self.assertEqual(page["damaged"], 0)
            for item in page["items"]:
                self.assertEqual(len(item["cosignatures"]), 2)
        at = client.content_of(page["items"][0])["published_ms"] + 1
        item = self.daemon.get(f"/price/{FEED}?at_ms={at}").json()
        path = settings.write_json(self.dir / "item.json", item)
        done = run("hallmark", "verify", path, "--policy",
                   self.cluster.strict, "--at", "published")
        self.assert_code(0, done)
        self.assertIn("2 of 2 co-signatures hold", done.stdout)


class Restarted(Cosigned):
    def test_restart(self):
        """a daemon that comes back without its oracle shows the last price"""
        daemon = self.edge("restarted", [self.cluster["b"].url()]).start()
        self.wait_items(daemon)
        daemon.kill()
        # the oracle of this port is gone: what is shown is the archive's
        daemon.config["oracles"] = [
            f"http://127.0.0.1:{settings.free_ports(1)[0]}"]
        daemon.start(ready=False)
        reply = wait_until("it answers", lambda: self.answer(daemon), START_S,
                           daemon.program.must_run)
        self.assertEqual(len(reply["cosignatures"]), 2)

    @staticmethod
    def answer(daemon):
        try:
            reply = daemon.get(f"/price/{FEED}")
        except OSError:
            return None
        return reply.json() if reply.status == 200 else None


class OverNats(Cosigned):
    def setUp(self):
        super().setUp()
        support.need("nats-server", nats.SERVER)
        server = nats.NatsServer(self.dir).start()
        self.addCleanup(server.stop)
        self.bus = {"url": [server.url]}

    def test_edge(self):
        """an edge that has NATS alone meets the quorum"""
        self.edge("hub", [self.cluster["c"].url()],
                  nats={**self.bus, "publish": True}).start()
        edge = self.edge("leaf", [], nats={
            **self.bus, "subscribe": True, "consumer": "leaf",
            "from": "all"}).start()
        self.wait_items(edge)
        self.assertEqual(edge.refused(), [])
        self.assertEqual(
            edge.query("SELECT count(*) FROM cosignatures")[0][0],
            2 * edge.query("SELECT count(*) FROM items")[0][0])
        item = edge.get(f"/price/{FEED}").json()
        self.assertEqual(len(item["cosignatures"]), 2)


if __name__ == "__main__":
    unittest.main()
