"""hallmark replay over archives of two years ago, as a day of publishing leaves
them (tests/bench/make_archive.c): whole, and after whatever can be done to a
file. What is changed is found, and named."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time
import unittest

import settings
import support
from program import wait_until
from stack import BIN, run

MAKE_ARCHIVE = BIN.parent / "bench" / "make_archive"
LONG = os.environ.get("HALLMARK_LONG") == "1"
SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))
FLIPS = 1000 if LONG else 40    # anywhere in the file
ITEM_FLIPS = 200 if LONG else 12  # in an item's own bytes
SECONDS = 40
BOOTS = 2
FEEDS = 6  # USDT-USD to BTC-USD
START_MS = int((time.time() - 2 * 365 * 86400) * 1000)

# All that somebody signed, or that says where it is.
SIGNED = (
    "SELECT rowid, feed, boot_id, sequence, content, signature,"
    " attestation_sha256, published_ms, expires_ms, content_sha256"
    " FROM items NOT INDEXED",
    "SELECT a.* FROM attestations a NOT INDEXED")


def flip(path, at, bit):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not MAKE_ARCHIVE.exists():
            if os.environ.get("CI") == "true":
                raise AssertionError(f"{MAKE_ARCHIVE} was not built")
            raise unittest.SkipTest(f"needs {MAKE_ARCHIVE} (make "
                                    "build/bench/make_archive)")
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="replay-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        feeds = json.loads(
            (settings.ROOT / "deploy/feeds/all.json").read_text())["feeds"]
        cls.config = settings.write_json(
            cls.dir / "oracle.json", {"feeds": feeds[:FEEDS]})
        cls.made = cls.dir / "archive.db"
        cls.policy = cls.dir / "policy.json"
        done = run("../bench/make_archive", cls.config, cls.dir, SECONDS,
                   START_MS, BOOTS)
        assert done.returncode == 0, done.stderr

    def setUp(self):
        self.archive = self.dir / "changed.db"
        for left in self.dir.glob("changed.db*"):
            left.unlink()
        shutil.copy(self.made, self.archive)

    def replay(self, *args, archive=None, config=True):
        done = run("hallmark", "replay", archive or self.archive, "--policy",
                   self.policy, "--json", *args,
                   *(["--config", self.config] if config else []))
        self.assertIn(done.returncode, range(9), done.stderr)
        try:
            said = json.loads(done.stdout)
        except json.JSONDecodeError:
            self.fail(f"exit {done.returncode}: {done.stdout}{done.stderr}")
        self.assertEqual(said["exit"], done.returncode)
        return said

    def sql(self, *statements):
        with contextlib.closing(sqlite3.connect(self.archive)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    def feed_and_boot(self):
        with contextlib.closing(sqlite3.connect(self.archive)) as db:
            return db.execute("SELECT feed, boot_id FROM items ORDER BY"
                              " rowid LIMIT 1").fetchone()

    def assert_found(self, said, kind, feed=None, sequence=None):
        for finding in said["findings"]:
            if (finding["kind"] == kind
                    and feed in (None, finding["feed"])
                    and sequence in (None, finding["sequence"])):
                return finding
        self.fail(f"no {kind} of {feed} {sequence} in "
                  f"{said['findings'][:5]}")

    # ---- as it was made ----

    def test_whole(self):
        """an archive of two years ago is valid, each price made again"""
        said = self.replay()
        items = FEEDS * SECONDS
        self.assertEqual(said["findings"], [])
        self.assertEqual((said["items"], said["valid"], said["exit"]),
                         (items, items, 0))
        self.assertEqual(said["prices"]["whole"], items)
        self.assertEqual(said["prices"]["jump_open"], 0)
        self.assertEqual(len(said["lines"]), FEEDS * BOOTS)
        self.assertEqual(said["first_ms"], START_MS)

    def test_now(self):
        """and is refused with --at now: its chains expired long ago"""
        said = self.replay("--at", "now")
        self.assertEqual(said["exit"], 6)
        self.assertEqual(said["valid"], 0)
        self.assertEqual(said["verdicts"],
                         {"chain_expired": FEEDS * SECONDS})

    def test_jobs(self):
        """whatever the number of threads, it says the same"""
        self.sql("DELETE FROM items WHERE rowid IN (7, 90)",
                 "UPDATE items SET signature = zeroblob(256)"
                 " WHERE rowid = 100")
        one, many = self.replay("--jobs", "1"), self.replay("--jobs", "5")
        for said in one, many:
            for key in "took_ms", "jobs":
                del said[key]
        self.assertEqual(one, many)
        self.assertEqual(one["exit"], 3)

    def test_without_configuration(self):
        """without --config it says what it did not check"""
        said = self.replay(config=False)
        self.assertEqual(said["exit"], 0)
        self.assertEqual(said["prices"]["whole"], 0)
        self.assertEqual(said["prices"]["part"], said["items"])
        done = run("hallmark", "replay", self.archive, "--policy", self.policy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not\n            checked without", done.stdout)
        self.assertIn("outliers", done.stdout)
        self.assertNotIn("\033", done.stdout + done.stderr)

    def test_another_configuration(self):
        """a configuration that the items do not name is not theirs"""
        other = settings.write_json(self.dir / "other.json", dict(
            json.loads(self.config.read_text()), listen="x"))
        done = run("hallmark", "replay", self.archive, "--policy", self.policy,
                   "--json", "--config", other)
        self.assertEqual(json.loads(done.stdout)["prices"]["whole"], 0)

    def test_other_forms(self):
        """exported as NDJSON or a bundle it is the same"""
        bundle = self.dir / "bundle.json"
        done = run("hallmark", "bundle", self.archive, "--policy", self.policy,
                   "-o", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = self.dir / "archive.ndjson"
        done = run("hallmark", "export", self.archive, "--format", "ndjson")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines.write_text(done.stdout)
        for form in bundle, lines:
            said = self.replay(archive=form)
            self.assertEqual(said["findings"], [])
            self.assertEqual(said["prices"]["whole"], FEEDS * SECONDS)
        done = run("hallmark", "replay", bundle)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("came with the data", done.stdout)
        self.removed_lines(lines)

    def removed_lines(self, lines):
        """Of a text: a line gone, two exchanged, the last cut."""
        text = lines.read_text().splitlines(keepends=True)
        items = [i for i, line in enumerate(text) if "content" in line]
        names = {i: json.loads(json.loads(text[i])["content"])
                 for i in items}
        gone = next(i for i in items if names[i]["sequence"] == 5)
        lines.write_text("".join(text[:gone] + text[gone + 1:]))
        self.assert_found(self.replay(archive=lines), "sequence_gap",
                          names[gone]["feed"], 5)
        after = next(i for i in items if i > gone
                     and names[i]["feed"] == names[gone]["feed"]
                     and names[i]["sequence"] == 6)
        text[gone], text[after] = text[after], text[gone]
        lines.write_text("".join(text))
        said = self.replay(archive=lines)
        self.assert_found(said, "out_of_order", names[gone]["feed"], 5)
        self.assertEqual(said["exit"], 0)  # a text's lines have no order
        lines.write_text("".join(text)[:-100])
        self.assertNotEqual(self.replay(archive=lines)["exit"], 0)

    def test_wrong_usage(self):
        """what it cannot go by it says, with exit code 1"""
        for args in ([], [self.archive], [self.archive, "--policy",
                                          self.dir / "none.json"],
                     [self.dir / "none.db", "--policy", self.policy],
                     [self.archive, "--policy", self.policy, "--jobs", "0"],
                     [self.archive, "--policy", self.policy, "--at", "noon"],
                     [self.archive, "--policy", self.policy, "--config",
                      self.policy]):
            done = run("hallmark", "replay", *args)
            self.assertEqual(done.returncode, 1, f"{args} {done.stdout}")
            self.assertIn("hallmark replay: ", done.stderr)

    # ---- what was done to it ----

    def test_removed(self):
        """a removed item is named"""
        feed, boot = self.feed_and_boot()
        self.sql(f"DELETE FROM items WHERE feed='{feed}' AND"
                 f" boot_id='{boot}' AND sequence=7")
        said = self.replay()
        self.assertEqual(said["exit"], 8)
        found = self.assert_found(said, "sequence_gap", feed, 7)
        self.assertEqual(found["boot_id"], boot)
        self.assertEqual(len(said["findings"]), 1)

    def test_swapped(self):
        """a swapped pair is named, both of it"""
        feed, boot = self.feed_and_boot()
        where = f"feed='{feed}' AND boot_id='{boot}'"
        self.sql("CREATE TEMP TABLE t AS SELECT * FROM items",
                 "UPDATE items SET (content, signature) = (SELECT content,"
                 f" signature FROM t WHERE {where} AND"
                 f" t.sequence = 9 - items.sequence) WHERE {where} AND"
                 " sequence IN (4, 5)")
        said = self.replay()
        for sequence in 4, 5:
            self.assert_found(said, "row_mismatch", feed, sequence)

    def test_truncated(self):
        """a tail that is gone is named"""
        feed, boot = self.feed_and_boot()
        with contextlib.closing(sqlite3.connect(self.archive)) as db:
            last, = db.execute(
                "SELECT max(sequence) FROM items WHERE feed=? AND boot_id=?",
                (feed, boot)).fetchone()
        self.sql(f"DELETE FROM items WHERE feed='{feed}' AND"
                 f" boot_id='{boot}' AND sequence > {last - 3}")
        said = self.replay()
        self.assertEqual(said["exit"], 8)
        self.assert_found(said, "end_missing", feed, last)

    def test_cut_file(self):
        """a file that was cut says so, wherever"""
        size = self.made.stat().st_size
        for part in 0.999, 0.9, 0.5, 0.1:
            shutil.copy(self.made, self.archive)
            os.truncate(self.archive, int(size * part))
            done = run("hallmark", "replay", self.archive, "--policy",
                       self.policy)
            self.assertIn(done.returncode, range(1, 9), f"{part}")

    def test_replaced_boot(self):
        """another boot's name, or a boot that is gone, is named"""
        feed, boot = self.feed_and_boot()
        self.sql(f"UPDATE items SET boot_id='{'ef' * 16}' WHERE"
                 f" feed='{feed}' AND boot_id='{boot}'")
        found = self.assert_found(self.replay(), "row_mismatch", feed, 3)
        self.assertEqual(found["boot_id"], boot)
        self.assertIn("boot_id", found["text"])
        # the second one's items are given for the first one's
        shutil.copy(self.made, self.archive)
        with contextlib.closing(sqlite3.connect(self.archive)) as db:
            last = db.execute("SELECT boot_id FROM items ORDER BY rowid DESC"
                              " LIMIT 1").fetchone()[0]
        self.sql(f"DELETE FROM items WHERE boot_id='{last}'",
                 "UPDATE heads SET published_ms = published_ms")
        said = self.replay()
        found = self.assert_found(said, "end_missing", feed)
        self.assertEqual(found["boot_id"], last)

    def signed_bytes(self):
        with contextlib.closing(sqlite3.connect(
                f"file:{self.archive}?mode=ro", uri=True)) as db:
            db.text_factory = bytes
            return [db.execute(query).fetchall() for query in SIGNED]

    def test_flip_in_an_item(self):
        """a flipped bit of an item is found, and the item named"""
        with contextlib.closing(sqlite3.connect(self.archive)) as db:
            rows = db.execute("SELECT rowid, feed, sequence, content,"
                              " signature FROM items").fetchall()
        whole = self.archive.read_bytes()
        for row, feed, sequence, content, signature in self.random.sample(
                rows, ITEM_FLIPS):
            part = self.random.choice([signature[:64], content[:200].encode(),
                                       content[-100:].encode()])
            at = whole.find(part)
            if at < 0 or whole.find(part, at + 1) >= 0:
                continue  # a page ends in it
            shutil.copy(self.made, self.archive)
            at += self.random.randrange(len(part))
            flip(self.archive, at, self.random.randrange(8))
            said = self.replay(config=False)
            self.assertNotEqual(said["exit"], 0)
            self.assertTrue(
                any((f["feed"], f["sequence"]) == (feed, sequence)
                    or str(f["where"]).endswith(f"items row {row}")
                    for f in said["findings"]),
                f"byte {at}: {feed} {sequence}: {said['findings'][:5]}")

    def test_flip_anywhere(self):
        """a flipped bit anywhere is found, if it says anything signed"""
        before = self.signed_bytes()
        size = self.made.stat().st_size
        found = 0
        for _ in range(FLIPS):
            shutil.copy(self.made, self.archive)
            at, bit = self.random.randrange(size), self.random.randrange(8)
            flip(self.archive, at, bit)
            try:
                same = self.signed_bytes() == before
            except sqlite3.DatabaseError:
                same = False
            done = run("hallmark", "replay", self.archive, "--policy",
                       self.policy)
            self.assertIn(done.returncode, range(9),
                          f"byte {at} bit {bit}: {done.stderr}")
            found += done.returncode != 0
            if not same:
                self.assertNotEqual(done.returncode, 0,
                                    f"byte {at} bit {bit}: {done.stdout}")
        print(f"# {found} of {FLIPS} flips were found", flush=True)
        self.assertGreater(found, FLIPS // 5)  # the rest hit free space


class ReplayOfAStack(support.StackTest):
    """What a running verifier has archived, while it goes on."""

    def replay(self, archive):
        done = run("hallmark", "replay", archive, "--policy",
                   self.stack.dir / "policy.json", "--config",
                   self.stack.config("oracle"), "--json")
        said = json.loads(done.stdout or "{}")
        self.assertEqual(done.returncode, 0,
                         f"{done.stderr} {said.get('findings', [])[:5]}")
        return said

    def test_archive_and_url(self):
        """the archive of a running verifier, and its URL, are whole"""
        def has_head():
            with contextlib.closing(sqlite3.connect(
                    f"file:{self.stack.archive}?mode=ro", uri=True)) as db:
                return db.execute(
                    "SELECT count(*) FROM tree_heads").fetchone()[0]

        wait_until("a tree head is archived", has_head, support.SEEN_S)
        said = self.replay(self.stack.archive)
        self.assertGreater(said["valid"], 0)
        self.assertEqual(said["valid"], said["items"])
        self.assertGreater(said["heads_valid"], 0)
        self.assertEqual(said["prices"]["part"], 0)
        self.assertEqual(said["prices"]["whole"], said["valid"])
        fetched = self.replay(self.stack.url("").rstrip("/"))
        self.assertGreaterEqual(fetched["valid"], said["valid"])
        # a head counts what it counts: without its items it convicts
        with tempfile.TemporaryDirectory() as folder:
            copy = f"{folder}/copy.db"
            with contextlib.closing(sqlite3.connect(
                    self.stack.archive)) as from_, contextlib.closing(
                    sqlite3.connect(copy)) as to:
                from_.backup(to)
                newest, = to.execute("SELECT max(sequence) FROM items WHERE"
                                     " feed='BTC-USD'").fetchone()
                to.execute("DELETE FROM items WHERE feed='BTC-USD'"
                           " AND sequence > 0")
                to.execute("DELETE FROM heads")
                to.commit()
            self.assertGreater(newest, 0)
            done = run("hallmark", "replay", copy, "--policy",
                       self.stack.dir / "policy.json")
            self.assertEqual(done.returncode, 8, done.stdout)
            self.assertIn("a signed tree head says", done.stdout)


if __name__ == "__main__":
    unittest.main()
