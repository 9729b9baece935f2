"""An oracle that shows two readers two histories of one boot, and who notices.
"""

import json
import unittest

import fork
import support
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
