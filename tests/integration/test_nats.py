"""NATS between daemons: the stack's own daemon publishes, edges subscribe,
verify for themselves and serve. Servers and edges die; nobody misses an item."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import time
import unittest

import client
import nats
import settings
import support
from edge import Edge, Reader
from program import wait_until
from stack import Stack

AWAY_S = 2
CONFIG = settings.ROOT / "deploy" / "nats"
USERS = CONFIG / "users.conf"


def need_server():
    support.need("nats-server", nats.SERVER)


class NatsStack(Stack):
    """A stack whose verifierd publishes to these servers."""

    def __init__(self, feeds=None, **how):
        super().__init__(feeds or support.fast_feeds())
        self.how = how

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("verifierd").read_text())
        config["nats"] = {"publish": True, **self.how}
        settings.write_json(self.config("verifierd"), config)


class Base(unittest.TestCase):
    @classmethod
    def make_stack(cls, servers, **how):
        cls.stack = NatsStack(
            url=[server.url for server in servers], **how)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    @classmethod
    def edge(cls, name, servers, oracles=(), **how):
        edge = Edge(cls.stack, name, oracles, nats={
            "url": [server.url for server in servers], "subscribe": True,
            "consumer": name, **how})
        cls.addClassCleanup(edge.stop)
        return edge

    def until(self, what, ready, seconds=support.SEEN_S):
        return wait_until(what, ready, seconds)

    def published(self):
        """What the publisher has archived: {(feed, boot, sequence)}."""
        archive = sqlite3.connect(
            f"file:{pathlib.Path(self.stack.archive)}?mode=ro", uri=True,
            timeout=10)
        with contextlib.closing(archive):
            return set(archive.execute(
                "SELECT feed, boot_id, sequence FROM items"))

    def wait_all(self, edge, since=()):
        """Until the edge has all that the publisher has now."""
        wanted = self.published() - set(since)

        def has_all():
            have = set(edge.query("SELECT feed, boot_id, sequence"
                                  " FROM items"))
            return wanted <= have

        self.until(f"{edge.name} has all {len(wanted)}", has_all)

    def wait_new(self, edge):
        since = support.now_ms()

        def fresh():
            with contextlib.suppress(OSError):
                reply = edge.get("/price/BTC-USD")
                return reply.status == 200 and client.content_of(
                    reply.json())["published_ms"] > since

        self.until(f"a new price of {edge.name}", fresh)


class One(Base):
    """A server alone, in the open."""

    @classmethod
    def setUpClass(cls):
        need_server()
        cls.folder = support.tempfile.mkdtemp(prefix="hallmark-nats-")
        cls.addClassCleanup(support.shutil.rmtree, cls.folder)
        cls.server = nats.NatsServer(support.pathlib.Path(cls.folder)).start()
        cls.addClassCleanup(cls.server.stop)
        cls.make_stack([cls.server])
        cls.first = cls.edge("first", [cls.server], **{"from": "all"}).start()

    def test_an_edge_without_oracles(self):
        """an edge that has NATS alone serves verified prices, without a gap"""
        self.wait_new(self.first)
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)
        self.assertEqual(self.first.refused(), [])
        path = self.first.dir / "item.json"
        path.write_bytes(self.first.get("/price/BTC-USD").body)
        done = self.stack.verify(path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        upstream, = self.first.upstreams().values()
        self.assertEqual(upstream["kind"], "nats")
        self.assertTrue(upstream["connected"])
        checks = self.first.get("/readyz").json()["checks"]
        self.assertEqual((checks["nats"], checks["oracles"]), ("ok", "ok"))
        self.assertEqual(
            self.first.metric("hallmark_verifierd_nats_subscribe_ok"), 1)

    def test_a_message_each(self):  # before others write into the stream
        """each item is in the stream once, by its subject and id"""
        self.until("a few items", lambda: len(self.published()) > 9)
        self.wait_all(self.first)
        raw = nats.Client(self.server)
        self.addCleanup(raw.close)
        state = raw.ask("$JS.API.STREAM.INFO.HALLMARK",
                        {"subjects_filter": "hallmark.>"})["state"]
        items = {subject: count for subject, count in
                 state["subjects"].items() if ".item." in subject}
        self.assertEqual(set(items), {f"hallmark.item.{feed['feed']}"
                                      for feed in self.stack.feeds})
        self.assertLessEqual(sum(items.values()), len(self.published()))
        self.assertGreater(sum(items.values()), 5)
        self.assertEqual(len([subject for subject in state["subjects"]
                              if ".document." in subject]), 1)

    def test_edge_away(self):
        """an edge that was killed goes on where it stopped, and streams it"""
        self.wait_new(self.first)
        self.first.kill()
        time.sleep(AWAY_S)
        self.first.start()
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)

    def test_edge_killed_before_the_disk(self):
        """what an edge had in memory when it was killed comes again"""
        self.wait_new(self.first)
        lock = sqlite3.connect(self.first.dir / "archive.db", timeout=10,
                               isolation_level=None)
        with contextlib.closing(lock):
            self.until("the lock", lambda: self.locked(lock))
            before = self.first.metric("hallmark_verifierd_nats_received_total")
            self.until("some are in memory", lambda: self.first.metric(
                "hallmark_verifierd_nats_received_total") >= before + 6)
            time.sleep(1)   # were they acknowledged, the servers would know
            self.first.kill()
        self.first.start()
        self.wait_new(self.first)
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)

    @staticmethod
    def locked(archive):
        with contextlib.suppress(sqlite3.OperationalError):
            archive.execute("BEGIN EXCLUSIVE")
            return True

    def test_edge_stopped(self):
        """an edge that was stopped has acknowledged what it archived"""
        edge = self.edge("stopped", [self.server]).start()
        self.wait_new(edge)
        self.assertEqual(edge.stop(), 0)
        raw = nats.Client(self.server)
        self.addCleanup(raw.close)
        state = raw.consumer("stopped")
        archived, = edge.query("SELECT count(*) FROM items")[0]
        self.assertLessEqual(state["num_ack_pending"], 8)
        self.assertGreaterEqual(
            state["delivered"]["consumer_seq"], archived)

    def test_from_last(self):
        """a new edge begins with the newest item of each feed"""
        self.until("a few items", lambda: len(self.published()) > 30)
        before = len(self.published())
        edge = self.edge("late", [self.server]).start()
        self.wait_new(edge)
        self.assertLess(len(edge.query("SELECT 1 FROM items")), before)
        edge.must_have_no_gap(self)

    def test_server_killed(self):
        """kill -9 of the server: nothing published is lost, all go on"""
        reader = Reader(self.first).open()
        self.until("items", lambda: len(reader.collect().items) > 4)
        self.server.kill()
        self.until("it is missed", lambda: "publish: " in client.request(
            self.stack.url("/readyz")).json()["checks"]["nats"])
        self.assertEqual(
            client.request(self.stack.url("/readyz")).status, 200)
        time.sleep(AWAY_S)
        self.server.start()
        self.wait_new(self.first)
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)
        reader.close()
        self.assertEqual(reader.seen_twice, [])
        self.assertEqual(reader.resyncs, 0)
        for where, sequences in reader.numbers().items():
            self.assertEqual(sequences, list(
                range(sequences[0], sequences[-1] + 1)), where)

    def test_publisher_killed(self):
        """kill -9 of the publisher: it goes on where it stopped"""
        self.wait_new(self.first)
        self.stack.kill("verifierd")
        time.sleep(AWAY_S)
        self.stack.restart("verifierd")
        self.wait_new(self.first)
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)

    def test_hostile_messages(self):
        """what others write into the stream is refused, and holds up nobody"""
        raw = nats.Client(self.server)
        self.addCleanup(raw.close)
        item = self.first.get("/price/BTC-USD?attestation=ref").body
        spoiled = json.loads(item)
        spoiled["content"] = spoiled["content"].replace('"BTC-USD"',
                                                        '"ETH-USD"')
        before = self.first.metric("hallmark_verifierd_nats_hostile_total")
        raw.publish("hallmark.other.BTC-USD", b"x")
        raw.publish("hallmark.document." + 64 * "0", b"no document")
        # In a subject's own place: another document's hash.
        raw.publish("hallmark.document."
                    + json.loads(item)["attestation_sha256"], b"forged")
        for data in (b"", b"\0\xff garbage", b"{}", 131072 * b"[", item[:-9],
                     json.dumps(spoiled).encode()):
            raw.publish("hallmark.item.BTC-USD", data)
        raw.publish("hallmark.item.ETH-USD", item)  # good, misfiled
        raw.publish("hallmark.head.x", b"{}")
        raw.flush()
        self.until("it is refused", lambda: len(self.first.refused()) >= 5)
        self.until("it is counted", lambda: self.first.metric(
            "hallmark_verifierd_nats_hostile_total") > before)
        self.assertIn("item_signature",
                      [verdict for verdict, _ in self.first.refused()])
        self.wait_new(self.first)
        self.wait_all(self.first)
        self.first.must_have_no_gap(self)
        # A new edge finds the forged document: the publisher's repetition
        # heals that, ten minutes later; none of it is served.
        self.until("all is settled", lambda: self.first.metric(
            "hallmark_verifierd_nats_unsettled_items") < 8)

    def test_and_heads(self):  # before others write into the stream
        """heads of the log come through, after the items that they count"""
        def heads():
            return self.first.query("SELECT boot_id, tree_size FROM"
                                    " tree_heads ORDER BY published_ms")

        before = len(heads())
        self.until("a new head", lambda: len(heads()) > before)
        check = self.first.get("/readyz").json()["checks"]["log"]
        self.assertEqual(check, "ok")
        boot, _ = heads()[-1]
        reply = self.first.get(f"/log/head?boot_id={boot}")
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.first.refused(), [])

    def test_both_ways(self):
        """an edge that has an oracle too archives and streams each item once"""
        edge = self.edge("both", [self.server],
                         [self.stack.oracle_url("")]).start()
        reader = Reader(edge).open()
        self.until("items of both", lambda: len(reader.collect().items) > 12)
        reader.close()
        self.assertEqual(reader.seen_twice, [])
        edge.must_have_no_gap(self)
        ups = edge.upstreams().values()
        self.assertEqual({up["kind"] for up in ups}, {"oracle", "nats"})
        self.assertGreater(sum(up["duplicates"] for up in ups), 0)


class Guarded(Base):
    """A server with TLS and deploy/nats/users.conf: the publisher may only
    publish, an edge only read."""

    @classmethod
    def setUpClass(cls):
        need_server()
        cls.folder = support.pathlib.Path(
            support.tempfile.mkdtemp(prefix="hallmark-nats-"))
        cls.addClassCleanup(support.shutil.rmtree, cls.folder)
        os.environ.update(EDGE_PASSWORD="s3cret", PUBLISHER_PASSWORD="secret")
        cls.server = nats.NatsServer(
            cls.folder, tls=True, include=USERS).start()
        cls.addClassCleanup(cls.server.stop)
        (cls.folder / "edge").write_text("s3cret\n")
        (cls.folder / "publisher").write_text("secret\n")
        cls.key = {"user": "edge", "password_file": str(cls.folder / "edge"),
                   "tls_ca": str(cls.server.dir / "ca.pem")}
        cls.make_stack([cls.server], **{
            **cls.key, "user": "publisher",
            "password_file": str(cls.folder / "publisher")})

    def test_with_the_password(self):
        """TLS and a password: prices come through"""
        edge = self.edge("good", [self.server], **self.key).start()
        self.wait_new(edge)
        self.assertNotIn("s3cret", edge.program.log())

    def fails(self, name, why, **how):
        edge = self.edge(name, [self.server], **{**self.key, **how})
        edge.start(ready=False)
        self.until("it says why",
                   lambda: "nats_fails" in edge.program.log())
        self.assertRegex(edge.program.log(), why)
        self.assertEqual(edge.get("/readyz").status, 503)
        edge.stop()

    def test_wrong_password(self):
        """a wrong password is said, and nothing else comes of it"""
        self.fails("wrong", "(?i)authoriz",
                   password_file=str(self.folder / "publisher"))

    def test_edge_may_not_publish(self):
        """with an edge's password nothing gets into the stream"""
        edge = Edge(self.stack, "writer", [self.stack.oracle_url("")], nats={
            "url": self.server.url, "publish": True, **self.key})
        self.addCleanup(edge.stop)
        edge.start()
        self.until("it says so",
                   lambda: "publish: " in edge.get("/readyz").json()[
                       "checks"]["nats"])
        self.assertEqual(edge.metric(
            "hallmark_verifierd_nats_published_total"), 0)
        self.assertEqual(edge.get("/readyz").status, 200)

    def test_unknown_root(self):
        """a server of an unknown root is not spoken to"""
        self.fails("root", "(?i)certificate|SSL|TLS",
                   tls_ca=settings.SYSTEM_CA)

    def test_another_name(self):
        """a certificate for another name is not accepted"""
        other = nats.NatsServer(self.folder, "other", tls=True)
        nats.make_tls(other.dir, "another.example")
        other.start()
        self.addCleanup(other.stop)
        edge = self.edge("name", [other],
                         tls_ca=str(other.dir / "ca.pem"))
        edge.start(ready=False)
        self.until("it says why",
                   lambda: "nats_fails" in edge.program.log())
        self.assertRegex(edge.program.log(), "(?i)certificate|SSL|TLS")
        edge.stop()

    def test_configuration(self):
        """deploy/nats/nats.conf: a server takes it"""
        folder = self.folder / "conf"
        folder.mkdir()
        (folder / "users.conf").write_text(USERS.read_text())
        text = (CONFIG / "nats.conf").read_text()
        text = text.replace("/etc/hallmark/nats/", f"{self.server.dir}/")
        (folder / "nats.conf").write_text(text)
        done = subprocess.run(
            [nats.SERVER, "-t", "-c", folder / "nats.conf"],
            env={**os.environ, "NATS_NAME": "nats1"}, capture_output=True,
            text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
