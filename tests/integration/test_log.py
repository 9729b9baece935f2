"""The log, from the oracle's heads to a proof in a user's hands: a real
installation, proofs judged by `hallmark log verify` and by rfc6962.py."""

import json
import pathlib
import re
import sqlite3
import unittest

import client
import rfc6962
import support
from program import wait_until
from stack import run


class LogTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = support.QuickHeads(support.fast_feeds())
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def get(self, path):
        return client.request(self.stack.url(path))

    def metric(self, name):
        text = self.get("/metrics").body.decode()
        found = re.search(rf"(?m)^hallmark_verifierd_log_{name} (\d+)$", text)
        return int(found[1]) if found else 0

    def outcome(self, name):
        return self.metric(rf'heads_total\{{outcome="{name}"\}}')

    def head(self, above=0):
        """The newest head, once it counts more items than that."""
        def newest():
            reply = self.get("/log/head")
            if reply.status != 200:
                return None
            head = client.content_of(reply.json())
            return reply if head["tree_size"] > above else None
        reply = wait_until(f"a head above {above}", newest, support.SEEN_S)
        return reply.json(), client.content_of(reply.json())

    def prove(self, feed, boot_id, sequence):
        """/log/inclusion, once a head counts the item."""
        path = (f"/log/inclusion?feed={feed}&boot_id={boot_id}"
                f"&sequence={sequence}")

        def proven():
            reply = self.get(path)
            return reply if reply.status == 200 else None
        return wait_until(f"{path} is answered", proven,
                          support.SEEN_S).json()

    def save(self, name, value):
        path = self.stack.dir / name
        path.write_text(json.dumps(value))
        return path

    def verify(self, *args, code=0, says=""):
        done = run("hallmark", "log", "verify", *args, "--policy",
                   self.stack.policy)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(says, done.stdout + done.stderr)
        return done

    def check_inclusion(self, proof, item):
        """By the RFC alone: the item's own bytes, the head's own root."""
        head = client.content_of(proof["head"])
        digest = rfc6962.sha256(item["content"].encode())
        self.assertEqual(digest.hex(), proof["content_sha256"])
        self.assertTrue(rfc6962.included(
            rfc6962.leaf(digest), proof["leaf_index"], head["tree_size"],
            [bytes.fromhex(text) for text in proof["path"]],
            bytes.fromhex(head["root_sha256"])))


class Proofs(LogTest):
    def an_item(self, feed="BTC-USD"):
        item = self.get(f"/price/{feed}").json()
        content = client.content_of(item)
        return item, self.prove(feed, content["boot_id"], content["sequence"])

    def test_inclusion(self):
        """an item's proof holds, by our code and by the RFC's own words"""
        item, proof = self.an_item()
        self.check_inclusion(proof, item)
        path, item_path = self.save("proof", proof), self.save("item", item)
        self.verify(path, says="VALID an item of this content_sha256")
        done = self.verify(path, "--item", item_path, says="VALID BTC-USD")
        self.assertIn("ok    inclusion", done.stdout)
        done = self.verify(path, "--item", item_path, "--json")
        self.assertEqual(json.loads(done.stdout)["kind"], "inclusion")
        self.verify("--url", self.stack.url(""), "--item", item_path,
                    says="VALID BTC-USD")

    def test_each_item(self):
        """every item that heads have counted since can be proven"""
        _, first = self.head()
        _, head = self.head(above=first["tree_size"] + 15)
        archive = sqlite3.connect(
            f"file:{self.stack.dir}/archive.db?mode=ro", uri=True)
        for feed, count in head["feeds"].items():
            for sequence in range(first["feeds"].get(feed, 0), count):
                proof = self.prove(feed, head["boot_id"], sequence)
                content, = archive.execute(
                    "SELECT content FROM items WHERE feed=? AND boot_id=?"
                    " AND sequence=?", (feed, head["boot_id"], sequence)
                ).fetchone()
                self.check_inclusion(proof, {"content": content})
        archive.close()

    def test_inclusion_wrong(self):
        """what is changed in a proof is refused, with its exit code"""
        item, proof = self.an_item()
        other, _ = self.an_item("ETH-USD")
        digest = "00" * 32
        for name, change, code, says in (
                ("path", {"path": [digest, *proof["path"][1:]]}, 8,
                 "log_proof"),
                ("index", {"leaf_index": proof["leaf_index"] ^ 1}, 8,
                 "log_proof"),
                ("hash", {"content_sha256": digest}, 8, "log_proof"),
                ("size", {"tree_size": proof["tree_size"] + 1}, 8,
                 "another head"),
                ("boot", {"boot_id": "00" * 16}, 8, "another head"),
                ("more", {"more": 1}, 2, "content_malformed"),
                ("head", {"head": item}, 2, "head is not genuine")):
            with self.subTest(name):
                self.verify(self.save("wrong", {**proof, **change}),
                            code=code, says=says)
        forged = proof["head"]["content"].replace(
            '"head":', '"head":1', 1)
        self.verify(self.save("wrong", {**proof, "head": {
            **proof["head"], "content": forged}}), code=3,
            says="item_signature")
        self.verify(self.save("proof", proof), "--item",
                    self.save("other", other), code=8, says="another item")

    def test_consistency(self):
        """a head that was kept leads to the newest one"""
        kept, first = self.head()
        _, second = self.head(above=first["tree_size"] + 3)
        proof = self.get(f"/log/consistency?boot_id={first['boot_id']}"
                         f"&from={first['tree_size']}"
                         f"&to={second['tree_size']}").json()
        self.assertTrue(rfc6962.consistent(
            first["tree_size"], bytes.fromhex(first["root_sha256"]),
            second["tree_size"], bytes.fromhex(second["root_sha256"]),
            [bytes.fromhex(text) for text in proof["path"]]))
        kept_path = self.save("kept", kept)
        path = self.save("consistency", proof)
        self.verify(path, says="the log has only grown")
        self.verify(path, "--head", kept_path)
        self.verify("--url", self.stack.url(""), "--head", kept_path,
                    says="the log has only grown")
        self.verify(kept_path, says="VALID head")
        self.verify("--url", self.stack.url(""), says="VALID head")
        proof["path"] = ["00" * 32, *proof["path"][1:]]
        self.verify(self.save("wrong", proof), code=8, says="log_proof")
        self.verify(self.save("wrong", {**proof, "heads":
                                        proof["heads"][::-1]}),
                    code=8, says="other heads")

    def test_heads(self):
        """all heads, page by page, each naming the one before"""
        self.head(above=20)
        heads, after = [], 0
        while after is not None:
            page = self.get(f"/log/heads?limit=2&after={after}").json()
            heads += page["heads"]
            after = page["next_after"]
        first = client.content_of(heads[0])["head"]
        for number, envelope in enumerate(heads, first):
            head = client.content_of(envelope)
            self.assertEqual(head["head"], number)
            if number > first:
                self.assertEqual(head["previous_sha256"], before)
            before = support.sha256(envelope["content"])

    def test_streamed(self):
        """the verifier's own stream hands heads on"""
        stream = client.Stream(self.stack.verifierd_port, "/stream")
        self.addCleanup(stream.close)
        wait_until("a head", lambda: stream.named("tree_head"),
                   support.SEEN_S)
        self.verify("--url", self.stack.url(""))
        head = stream.named("tree_head")[0].json()
        self.assertEqual(client.content_of(head)["format"], "hallmark-head/1")

    def test_usage(self):
        """what cannot be asked is exit 1, and says so"""
        self.verify(code=1, says="which FILE?")
        self.verify("/nonexistent", code=1, says="No such file")
        self.verify("--url", "ftp://x", code=1, says="--url")
        self.verify("--url", "http://127.0.0.1:1", code=1, says="connect")
        item, _ = self.an_item()
        content = client.content_of(item)
        item["content"] = json.dumps({**content, "sequence": 10**9})
        self.verify("--url", self.stack.url(""), "--item",
                    self.save("later", item), code=1, says="ITEM_UNKNOWN")


class Interrupted(LogTest):
    def test_restart(self):
        """after kill -9 the log goes on where it was, without a gap"""
        kept, first = self.head(above=6)
        for _ in range(3):
            self.stack.kill("verifierd")
            self.stack.restart("verifierd")
            self.stack.wait_ready("verifierd")
            before = self.outcome("whole")
            wait_until("two more heads",
                       lambda: self.outcome("whole") >= before + 2,
                       support.SEEN_S)
            self.assertEqual(self.outcome("gap"), 0)
            self.assertEqual(self.outcome("joined"), 0)
        self.verify("--url", self.stack.url(""), "--head",
                    self.save("kept", kept), says="the log has only grown")
        _, head = self.head()
        for sequence in range(first["feeds"]["BTC-USD"],
                              head["feeds"]["BTC-USD"]):
            self.prove("BTC-USD", head["boot_id"], sequence)

    def test_oracle_restart(self):
        """another boot has a log of its own; the first one's stays"""
        _, first = self.head(above=6)
        kept, second = self.head(above=first["tree_size"])
        self.stack.programs["oracle"].stop()
        self.stack.restart("oracle")
        self.stack.wait_ready("oracle")
        wait_until("a head of another boot",
                   lambda: self.head()[1]["boot_id"] != first["boot_id"],
                   support.SEEN_S)
        self.assertEqual(self.outcome("gap"), 0)
        self.prove("BTC-USD", first["boot_id"],
                   second["feeds"]["BTC-USD"] - 1)
        self.verify("--url", self.stack.url(""), "--head",
                    self.save("kept", kept))


class LeftOut(LogTest):
    def take_one(self, head):
        """The newest item, before a head counts it."""
        archive = sqlite3.connect(self.stack.dir / "archive.db", timeout=10)
        with archive:
            archive.execute(
                "DELETE FROM items WHERE feed='ETH-USD' AND boot_id=?"
                " AND sequence>=? AND sequence="
                "(SELECT max(sequence) FROM items WHERE feed='ETH-USD')",
                (head["boot_id"], head["feeds"]["ETH-USD"]))
        archive.close()

    def test_left_out(self):
        """an item that is not there is a gap with its name, and it goes on"""
        self.head(above=6)

        def missed():
            self.take_one(self.head()[1])
            return self.metric("missing_items_total")
        wait_until("an item is missed", missed, support.SEEN_S)
        log = self.stack.programs["verifierd"].log_tail(10000)
        gap = re.search(r"log log_gap .*items_missing=(\d+) feed=ETH-USD "
                        r"sequence=(\d+)", log)
        self.assertTrue(gap, log[-2000:])
        before = self.outcome("whole")
        wait_until("heads after it", lambda: self.outcome("whole") > before,
                   support.SEEN_S)
        _, head = self.head()
        self.prove("BTC-USD", head["boot_id"],
                   head["feeds"]["BTC-USD"] - 1)
        reply = self.get(f"/log/inclusion?feed=ETH-USD&sequence={gap[2]}"
                         f"&boot_id={head['boot_id']}")
        self.assertEqual((reply.status, reply.json()["code"]),
                         (404, "ITEM_UNKNOWN"))
        self.assertEqual(self.get("/readyz").json()["checks"]["log"], "ok")
        self.assertEqual(
            list(pathlib.Path(self.stack.dir).glob("misbehaviour-*")), [])
