"""kill -9 of verifierd at random moments under load, and copies of its files at
random moments: what it had announced is in the archive, and the archive is
sound. HALLMARK_LONG=1 does it more often.

An oracle of nineteen feeds, five items a second each: there is always a batch on
its way to the disk.
"""

import contextlib
import copy
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import tempfile
import time
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack, run

LONG = os.environ.get("HALLMARK_LONG") == "1"
KILLS, COPIES = (200, 100) if LONG else (40, 20)
TIMES = 8   # each feed, under other names
SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))


def many_feeds():
    feeds = settings.live_feeds(interval_ms=200, max_age_ms=6000)
    for i in range(TIMES):
        for feed in feeds[1:3]:
            feeds.append(copy.deepcopy(feed) | {
                "feed": feed["feed"].replace("-", f"{i}-")})
    return feeds


class Under(unittest.TestCase):
    """An installation of its own, under load."""

    @classmethod
    def setUpClass(cls):
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)
        cls.stack = Stack(many_feeds())
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def watch(self):
        """A stream that has shown something."""
        stream = wait_until("a stream", self.try_stream, support.SEEN_S,
                            self.stack.programs["verifierd"].must_run)
        wait_until("an item", lambda: shown(stream), support.SEEN_S)
        return stream

    def try_stream(self):
        with contextlib.suppress(OSError):
            return client.Stream(self.stack.verifierd_port, "/stream")

    def check_copy(self, announced, moment):
        """The files as they are now: sound, and all that is there."""
        with tempfile.TemporaryDirectory() as directory:
            for path in self.stack.dir.glob("archive.db*"):
                shutil.copy(path, directory)
            moment()
            db = sqlite3.connect(pathlib.Path(directory) / "archive.db")
            with contextlib.closing(db):
                self.assertEqual(
                    db.execute("PRAGMA integrity_check").fetchall(),
                    [("ok",)])
                archived = {sha256 for sha256, in db.execute(
                    "SELECT content_sha256 FROM items")}
        self.assertEqual(announced - archived, set())

    def check_all(self):
        """Nothing twice, no number missing, and each item proves itself."""
        db = sqlite3.connect(f"file:{self.stack.archive}?mode=ro", uri=True)
        with contextlib.closing(db):
            for *where, first, last, count in db.execute(
                    "SELECT feed, boot_id, min(sequence), max(sequence),"
                    " count(*) FROM items GROUP BY feed, boot_id"):
                self.assertEqual(count, last - first + 1, where)
            self.assertEqual(db.execute(
                "SELECT count(*) FROM refused").fetchone(), (0,))
        if run("hallmark", "replay", "--help").returncode == 0:
            done = run("hallmark", "replay", self.stack.archive, "--policy",
                       self.stack.policy)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Kill(Under):
    def test_kill(self):
        """kill -9 at random moments: what was announced is archived"""
        total = 0
        for _ in range(KILLS):
            stream = self.watch()
            time.sleep(self.random.uniform(0, 0.7))
            self.stack.kill("verifierd")
            stream.closed.wait(support.SEEN_S)
            announced = shown(stream)
            total += len(announced)
            self.check_copy(announced, lambda: None)
            self.stack.restart("verifierd")
        self.watch()
        print(f"# {KILLS} kills, {total} items announced", flush=True)
        self.assertGreater(total, 5 * KILLS)
        self.check_all()

    def test_copies(self):
        """the files copied at random moments hold what was announced"""
        stream = self.watch()
        pid = self.stack.programs["verifierd"].process.pid
        for _ in range(COPIES):
            time.sleep(self.random.uniform(0, 0.3))
            announced = shown(stream)
            # Three files, one moment: it stands still in between.
            os.kill(pid, signal.SIGSTOP)
            self.check_copy(announced, lambda: os.kill(pid, signal.SIGCONT))
        self.assertGreater(len(shown(stream)), COPIES)
        stream.close()


def shown(stream):
    return {support.sha256(event.json()["content"])
            for event in stream.named("price", "status")}


if __name__ == "__main__":
    unittest.main()
