"""Two verifiers that compare what one enclave showed them: both have the proof,
and a third party needs nothing but it and the policy."""

import json
import re
import shutil

import client
import fork
import rfc6962
import support
from edge import Edge
from program import wait_until
from stack import run

LIE_AT = 8  # the item from which on face 1 lies


class Convicts(support.Folder):
    def liar(self, lie):
        liar = fork.Fork(lie, LIE_AT)
        self.addCleanup(liar.stop)
        return liar.start()

    def proof(self, edge):
        def newest():
            return sorted(edge.dir.glob("misbehaviour-*.json"))
        return wait_until(f"a proof beside {edge.name}'s archive", newest,
                          support.SEEN_S, edge.program.must_run)[0]

    def third_party(self, liar, proof, *more, code=0):
        """Who has the file, the policy and its root, and nothing else."""
        for path in (proof, liar.policy):
            shutil.copy(path, self.dir)
        (self.dir / "simulated").mkdir(exist_ok=True)
        shutil.copy(liar.dir / "simulated/simulated-root.pem",
                    self.dir / "simulated")
        done = run("hallmark", "log", "verify", "--misbehaviour",
                   self.dir / proof.name, "--policy",
                   self.dir / liar.policy.name, *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def alarm(self, edge):
        reply = client.request(edge.url("/readyz"))
        self.assertIn("warning", reply.json()["checks"]["log"])
        self.assertGreaterEqual(
            edge.metric("hallmark_verifierd_log_misbehaviour_proofs"), 1)
        self.assertRegex(edge.program.log_path.read_text(),
                         r"error log log_(fork|mismatch) .*proof=")

    def test_each_reads_the_other(self):
        """each fed another history and reading the other: both convict"""
        liar = self.liar("fork")
        edges = [Edge(liar, name) for name in ("a", "b")]
        for face, edge in enumerate(edges):
            self.addCleanup(edge.stop)
            edge.config["oracles"] = [liar.url(face), edges[1 - face].url()]
            edge.start(ready=False)
        for edge in edges:
            proof = self.proof(edge)
            self.assertIn("PROVEN", self.third_party(liar, proof))
            self.alarm(edge)
            self.own_words(json.loads(proof.read_text()), liar)

    def subtrees(self, head):
        """The roots of the full subtrees that a head's frontier names."""
        found, at = {}, 0
        for level, text in zip((bit for bit in range(60, -1, -1)
                                if head["tree_size"] >> bit & 1),
                               head["frontier"]):
            found[level, at] = text
            at += 1 << level
        return found

    def own_words(self, proof, liar):
        """Without our code: one number, one place in the chain, or one subtree
        with two contents, a log that shrinks, or signed items that do not give
        the signed root (those are third_party()'s)."""
        first, second = sorted(
            (client.content_of(head) for head in proof["heads"]),
            key=lambda head: head["head"])
        self.assertEqual(first["boot_id"], liar.boot_id())
        self.assertEqual(second["boot_id"], liar.boot_id())
        ours, theirs = self.subtrees(first), self.subtrees(second)
        hashes = {support.sha256(head["content"]) for head in proof["heads"]}
        self.assertTrue(
            proof.get("items")
            or first["head"] == second["head"]
            or first["tree_size"] >= second["tree_size"]
            or any(count > second["feeds"].get(feed, 0)
                   for feed, count in first["feeds"].items())
            or (first["head"] + 1 == second["head"]
                and second["previous_sha256"] not in hashes)
            or any(ours[at] != theirs[at] for at in set(ours) & set(theirs)))
        self.assertNotEqual(first, second)

    def test_of_no_use_elsewhere(self):
        """nothing to who does not accept this enclave, or when it is changed
        """
        liar, other = self.liar("fork"), self.liar("honest")
        edge = Edge(liar, "both", [liar.url(0), liar.url(1)])
        self.addCleanup(edge.stop)
        edge.start(ready=False)
        proof = self.proof(edge)
        self.third_party(other, proof, code=4)  # another root
        text = proof.read_text()
        proof = self.dir / "changed.json"
        at = re.search(r'"published_ms\\":\d{8}', text).end()
        proof.write_text(text[:at] + ("0" if text[at] != "0" else "1")
                         + text[at + 1:])
        copy = self.dir / "copy"
        copy.mkdir()
        shutil.move(proof, copy)
        self.third_party(liar, copy / "changed.json", code=3)

    def test_items_convict(self):
        """items that a head does not count convict, to one verifier alone
        """
        liar = self.liar("rewrite")
        edge = Edge(liar, "alone", [liar.url(1)])
        self.addCleanup(edge.stop)
        edge.start(ready=False)
        proof = self.proof(edge)
        self.assertIn("does not count the items",
                      self.third_party(liar, proof))
        self.alarm(edge)
        parsed = json.loads(proof.read_text())
        self.rebuild(parsed["heads"], parsed["items"])

    def rebuild(self, heads, items):
        """By the RFC alone: these items, added to the first head's frontier,
        give another root than the second head's."""
        contents = [client.content_of(head) for head in heads]
        size = contents[0]["tree_size"] if len(heads) == 2 else 0
        frontier = [(bit, bytes.fromhex(text)) for bit, text in zip(
            (bit for bit in range(60, -1, -1) if size >> bit & 1),
            contents[0]["frontier"] if size else [])]
        for item in items:
            level, digest = 0, rfc6962.leaf(
                rfc6962.sha256(item["content"].encode()))
            while frontier and frontier[-1][0] == level:
                digest = rfc6962.node(frontier.pop()[1], digest)
                level += 1
            frontier.append((level, digest))
        root = frontier.pop()[1]
        while frontier:
            root = rfc6962.node(frontier.pop()[1], root)
        self.assertEqual(size + len(items), contents[-1]["tree_size"])
        self.assertNotEqual(root.hex(), contents[-1]["root_sha256"])
