"""The log's heads: a live oracle's are rebuilt from the items on its stream, by
code that shares nothing with ours."""

import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack

HEADS = 4
RECIPE = """
jq -r .public_key head.json > key.pem
jq -r .signature_b64 head.json | base64 -d > sig.bin
jq -j .content head.json | openssl dgst -sha256 -verify key.pem -signature sig.bin
"""  # noqa: E501 (an item's, from the README)


class QuickHeads(Stack):
    """Heads come sooner than every 10 s; no verifier daemon."""

    def __init__(self):
        super().__init__(support.fast_feeds(), verifierd=False)

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        settings.write_json(self.config("oracle"),
                            {**config, "tree_head_interval_ms": 700})


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(leaves):
    """MTH of RFC 6962, 2.1, of leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def fold(frontier):
    """The root, from the roots of full subtrees."""
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = sha256(b"\1" + left + root)
    return root


class TreeHead(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = QuickHeads()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        version = client.request(cls.stack.oracle_url("/version")).json()
        cls.boot_id = version["boot_id"]
        # all that was streamed since the start
        cls.stream = client.Stream(
            cls.stack.oracle_port, f"/stream?since={cls.boot_id[:16]}-0")
        cls.addClassCleanup(cls.stream.close)

    def heads(self):
        return [client.content_of(event.json())
                for event in self.stream.named("tree_head")]

    def wait_heads(self, count):
        wait_until(f"{count} heads", lambda: len(self.heads()) >= count,
                   support.SEEN_S)
        return self.heads()

    def items(self):
        """content_sha256 by feed and sequence"""
        found = {}
        for event in self.stream.named("price", "status"):
            envelope = event.json()
            content = client.content_of(envelope)
            found[content["feed"], content["sequence"]] = sha256(
                envelope["content"].encode())
        return found

    def rebuild(self, heads, items):
        """Each head's root, out of the items alone."""
        leaves, counted = [], {}
        for head in heads:
            self.assertEqual(list(head["feeds"]), sorted(head["feeds"]))
            for feed, count in head["feeds"].items():
                for sequence in range(counted.get(feed, 0), count):
                    leaves.append(sha256(b"\0" + items[feed, sequence]))
                counted[feed] = count
            self.assertEqual(len(leaves), head["tree_size"])
            self.assertEqual(tree_hash(leaves).hex(), head["root_sha256"])

    def test_rebuilt(self):
        """heads are rebuilt from the items of the stream, none is left out"""
        heads = self.wait_heads(HEADS)
        self.rebuild(heads, self.items())
        self.assertEqual(set(heads[-1]["feeds"]),
                         {feed["feed"] for feed in self.stack.feeds})

    def test_follow_each_other(self):
        """a head names the one before, and counts more items"""
        self.wait_heads(HEADS)
        texts = [event.json()["content"]
                 for event in self.stream.named("tree_head")]
        before, size = "00" * 32, 0
        for number, text in enumerate(texts):
            head = json.loads(text)
            self.assertEqual(head["head"], number)
            self.assertEqual(head["boot_id"], self.boot_id)
            self.assertEqual(head["previous_sha256"], before)
            self.assertGreater(head["tree_size"], size)
            self.assertEqual(sum(head["feeds"].values()), head["tree_size"])
            size, before = head["tree_size"], sha256(text.encode()).hex()

    def test_frontier(self):
        """who came late goes on from a frontier: it folds to the root"""
        for head in self.wait_heads(HEADS):
            frontier = [bytes.fromhex(text) for text in head["frontier"]]
            self.assertEqual(len(frontier), head["tree_size"].bit_count())
            self.assertEqual(fold(frontier).hex(), head["root_sha256"])

    def test_newest(self):
        """GET /log/head is the newest one, in both forms, and no other boot's
        """
        self.wait_heads(1)
        full = client.request(self.stack.oracle_url("/log/head"))
        self.assertEqual(full.status, 200, full.body)
        envelope = full.json()
        self.assertEqual(
            envelope["attestation_sha256"],
            sha256(base64.b64decode(
                envelope["attestation_doc_b64"])).hex())
        self.assertEqual(client.content_of(envelope)["boot_id"], self.boot_id)
        ref = client.request(
            self.stack.oracle_url("/log/head?attestation=ref"
                                  f"&boot_id={self.boot_id}")).json()
        self.assertNotIn("attestation_doc_b64", ref)
        self.assertEqual(set(envelope) - set(ref), {"attestation_doc_b64"})
        for query, status, code in (
                ("boot_id=" + "00" * 16, 404, "LOG_UNKNOWN"),
                ("attestation=no", 400, "PARAM_INVALID"),
                ("size=1", 400, "PARAM_UNKNOWN")):
            reply = client.request(self.stack.oracle_url("/log/head?" + query))
            self.assertEqual((reply.status, reply.json()["code"]),
                             (status, code))

    def test_signature(self):
        """an item's recipe with openssl and jq says Verified OK of a head"""
        self.wait_heads(1)
        with tempfile.TemporaryDirectory() as folder:
            reply = client.request(self.stack.oracle_url("/log/head"))
            (pathlib.Path(folder) / "head.json").write_bytes(reply.body)
            done = subprocess.run(["sh", "-e", "-c", RECIPE], text=True,
                                  capture_output=True, cwd=folder)
        self.assertEqual(done.stdout, "Verified OK\n", done.stderr)

    def test_metrics(self):
        """metrics count heads and items"""
        self.wait_heads(2)
        text = client.request(self.stack.oracle_url("/metrics")).body.decode()
        values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                      if line.startswith("hallmark_oracle_tree_"))
        self.assertGreaterEqual(
            int(values["hallmark_oracle_tree_heads_total"]), 2)
        self.assertGreaterEqual(int(values["hallmark_oracle_tree_size"]), 2)
        self.assertEqual(
            values["hallmark_oracle_tree_head_failures_total"], "0")


class LastHead(unittest.TestCase):
    def test_last_head(self):
        """the head at the end counts every item that was streamed"""
        stack = QuickHeads()
        self.addCleanup(stack.stop)
        stack.start()
        boot_id = client.request(
            stack.oracle_url("/version")).json()["boot_id"]
        stream = client.Stream(
            stack.oracle_port, f"/stream?since={boot_id[:16]}-0")
        self.addCleanup(stream.close)
        wait_until("a head", lambda: stream.named("tree_head"),
                   support.SEEN_S)
        self.assertEqual(stack.programs["oracle"].stop(), 0)
        self.assertTrue(stream.closed.wait(support.SEEN_S))
        self.assertEqual(stream.events[-1].name, "goodbye")
        counts = {}
        for event in stream.named("price", "status"):
            content = client.content_of(event.json())
            counts[content["feed"]] = content["sequence"] + 1
        last = client.content_of(stream.named("tree_head")[-1].json())
        self.assertEqual(last["feeds"], counts)
