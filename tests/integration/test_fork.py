"""An oracle that shows two readers two histories of one boot, and who notices.
"""

import json
import re
import unittest

import client
import fork
import support
from edge import Edge
from program import wait_until

HEADS = 6
LIE_AT = 8  # the item from which on face B lies


class Faces(unittest.TestCase):
    """The liar lies as it says, and else tells the truth."""

    def faces(self, lie):
        liar = fork.Fork(lie, LIE_AT)
        self.addCleanup(liar.stop)
        liar.start()
        streams = [liar.stream(face) for face in (0, 1)]
        for stream in streams:
            self.addCleanup(stream.close)
        wait_until("heads", lambda: all(
            len(stream.named("tree_head")) >= HEADS for stream in streams),
            support.SEEN_S, liar.program.must_run)
        return [(fork.texts(stream, "price"), fork.texts(stream, "tree_head"))
                for stream in streams]

    def before(self, items):
        return [text for text in items
                if json.loads(text)["sequence"] < LIE_AT]

    def counted(self, heads, count):
        """Those that count at most so many items of a feed."""
        return [text for text in heads
                if json.loads(text)["feeds"]["BTC-USD"] <= count]

    def test_honest(self):
        """without a lie both faces show the same bytes"""
        (a_items, a_heads), (b_items, b_heads) = self.faces("honest")
        self.assertEqual(a_heads[:HEADS], b_heads[:HEADS])
        common = min(len(a_items), len(b_items))
        self.assertEqual(a_items[:common], b_items[:common])

    def test_fork(self):
        """a fork: the same until then, afterwards nothing"""
        (a_items, a_heads), (b_items, b_heads) = self.faces("fork")
        self.assertEqual(self.before(a_items), self.before(b_items))
        self.assertGreater(len(a_items), 2 * LIE_AT)
        self.assertFalse(set(a_items[2 * LIE_AT:]) & set(b_items[2 * LIE_AT:]))
        same = self.counted(a_heads, LIE_AT)
        self.assertGreater(len(same), 0)
        self.assertEqual(same, self.counted(b_heads, LIE_AT))
        self.assertFalse(set(a_heads[len(same):]) & set(b_heads[len(same):]))
        sizes = [[json.loads(text)["tree_size"] for text in heads[:HEADS]]
                 for heads in (a_heads, b_heads)]
        self.assertEqual(*sizes)

    def test_hide(self):
        """an item that is kept back: the heads count it"""
        (a_items, a_heads), (b_items, b_heads) = self.faces("hide")
        self.assertEqual(a_heads[:HEADS], b_heads[:HEADS])
        hidden, = set(a_items[:2 * LIE_AT + 2]) - set(b_items)
        self.assertEqual((json.loads(hidden)["feed"],
                          json.loads(hidden)["sequence"]),
                         ("BTC-USD", LIE_AT))

    def test_rewrite(self):
        """a tree that was written anew: the items are the same, the heads not
        """
        (a_items, a_heads), (b_items, b_heads) = self.faces("rewrite")
        common = min(len(a_items), len(b_items))
        self.assertEqual(a_items[:common], b_items[:common])
        same = self.counted(a_heads, LIE_AT)
        self.assertEqual(same, self.counted(b_heads, LIE_AT))
        self.assertFalse(set(a_heads[len(same):]) & set(b_heads[len(same):]))


class Caught(unittest.TestCase):
    """Verifier daemons behind the two faces."""

    def start(self, lie, *oracles_of):
        """The liar, and an Edge for each list of whom it reads: faces, or
        edges before it."""
        liar = fork.Fork(lie, LIE_AT)
        self.addCleanup(liar.stop)
        liar.start()
        edges = []
        for number, oracles in enumerate(oracles_of):
            edge = Edge(liar, f"edge{number}", [
                liar.url(face) if isinstance(face, int) else
                edges[int(face[4:])].url() for face in oracles])
            self.addCleanup(edge.stop)
            edges.append(edge.start(ready=False))
        return liar, edges

    def proofs(self, edge):
        return sorted(edge.dir.glob("misbehaviour-*.json"))

    def metric(self, edge, name):
        try:
            text = edge.get("/metrics").body.decode()
        except OSError:
            return 0
        found = re.search(
            rf"(?m)^hallmark_verifierd_log_{re.escape(name)} (\d+)$", text)
        return int(found[1]) if found else 0

    def wait_proof(self, edge):
        return wait_until("a proof of misbehaviour", lambda: self.proofs(edge),
                          support.SEEN_S, edge.program.must_run)[0]

    def test_two_compare(self):
        """of two verifiers, one behind each face, who hears the other has proof
        """
        liar, (a, b) = self.start("fork", [0], [1, "edge0"])
        proof = json.loads(self.wait_proof(b).read_text())
        self.assertEqual(proof["boot_id"], liar.boot_id())
        heads = [client.content_of(head) for head in proof["heads"]]
        self.assertEqual(heads[0]["boot_id"], heads[1]["boot_id"])
        self.assertNotEqual(heads[0]["root_sha256"], heads[1]["root_sha256"])
        self.assertEqual(self.proofs(a), [])  # it was told one story only
        wait_until("a warning", lambda: "misbehaviour" in b.get(
            "/readyz").body.decode(), support.SEEN_S, b.program.must_run)

    def test_one_story(self):
        """who hears one face only finds nothing wrong with it"""
        liar, (a, b) = self.start("fork", [0], [1])
        wait_until("heads past the lie", lambda: all(
            self.metric(edge, 'heads_total{outcome="whole"}')
            + self.metric(edge, 'heads_total{outcome="joined"}') >= HEADS
            for edge in (a, b)), support.SEEN_S, liar.program.must_run)
        self.assertEqual(self.proofs(a) + self.proofs(b), [])

    def test_rewritten(self):
        """a tree that was written anew is caught by one alone"""
        _, (edge,) = self.start("rewrite", [1])
        heads = json.loads(self.wait_proof(edge).read_text())["heads"]
        self.assertGreater(len(heads), 0)

    def test_hidden(self):
        """an item that was kept back is missed, by name"""
        _, (edge,) = self.start("hide", [1])
        wait_until("a gap", lambda: self.metric(
            edge, 'heads_total{outcome="gap"}'), support.SEEN_S,
            edge.program.must_run)
        log = edge.program.log_path.read_text()
        self.assertRegex(log, rf"log_gap.*feed=BTC-USD.*sequence={LIE_AT}\b")
        self.assertEqual(self.proofs(edge), [])
