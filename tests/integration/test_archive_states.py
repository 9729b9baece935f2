"""The archive of a running verifierd is full, locked, moved away or damaged:
/readyz and /metrics say which, nothing that was accepted is lost, and when the
cause goes it goes on by itself."""

import contextlib
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack

JUNK = b"\xa5" * 65536


class States(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(support.fast_feeds())
        self.addCleanup(self.stack.stop)
        self.more_files()
        self.stack.start()
        self.stream = client.Stream(self.stack.verifierd_port, "/stream")

    def more_files(self):
        pass

    # ---- what is seen from outside ----

    def archive(self):
        return client.request(self.stack.url("/readyz")).json()

    def metric(self, name):
        text = client.request(self.stack.url("/metrics")).body.decode()
        return float(re.search(
            rf"^hallmark_verifierd_archive_{re.escape(name)} (\S+)$", text,
            re.M)[1])

    def wait_for(self, state):
        wait_until(f"state {state}",
                   lambda: self.archive()["archive"]["state"] == state,
                   support.SEEN_S)

    def assert_failing(self, state):
        """It says so everywhere, and items wait."""
        self.wait_for(state)
        wait_until("items wait",
                   lambda: self.archive()["archive"]["waiting"] > 2,
                   support.SEEN_S)
        ready = self.archive()
        self.assertFalse(ready["ready"])
        self.assertIn(state, ready["checks"]["archive"])
        self.assertIn("items wait", ready["checks"]["archive"])
        since_ms = ready["archive"]["since_ms"]
        self.assertLess(abs(support.now_ms() - since_ms), 60000)
        self.assertEqual(self.metric("ok"), 0)
        self.assertEqual(self.metric(f'state{{state="{state}"}}'), 1)
        self.assertEqual(self.metric('state{state="ok"}'), 0)
        self.assertGreater(self.metric("failing_since_timestamp_seconds"), 0)

    def assert_well_again(self, files=None):
        """And with all that was announced, and no number missing."""
        self.wait_for("ok")
        support.wait_prices(self.stack, support.now_ms())
        self.assertEqual(self.metric('state{state="ok"}'), 1)
        announced = {support.sha256(event.json()["content"])
                     for event in self.stream.named("price", "status")}
        archived, numbers = set(), {}
        for path in files or [self.stack.archive]:
            db = sqlite3.connect(path)
            with contextlib.closing(db):
                for feed, sequence, sha256 in db.execute(
                        "SELECT feed, sequence, content_sha256 FROM items"):
                    archived.add(sha256)
                    numbers.setdefault(feed, []).append(sequence)
        self.assertEqual(announced - archived, set())
        for feed, found in numbers.items():
            self.assertEqual(sorted(found),
                             list(range(min(found), max(found) + 1)), feed)

    # ---- what is done to it ----

    def hold_lock(self):
        db = sqlite3.connect(self.stack.archive, isolation_level=None,
                             timeout=5)
        # What is in the -wal only cannot be damaged in the file.
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("BEGIN EXCLUSIVE")
        return db

    def hold_all(self):
        """Nobody else may even read it."""
        db = sqlite3.connect(self.stack.archive, isolation_level=None,
                             timeout=5)
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        return db

    def damage(self):
        """As a failing disk does: pages that are needed to open it."""
        with open(self.stack.archive, "r+b") as file:
            file.seek(4096)
            file.write(JUNK)

    def restart(self):
        """It may not be ready, but it answers."""
        self.stack.restart("verifierd")
        wait_until("an answer", self.answers, support.SEEN_S)
        self.stream = client.Stream(self.stack.verifierd_port, "/stream")

    def answers(self):
        with contextlib.suppress(OSError):
            return self.archive()
        return None

    def set_aside(self):
        return [path for path in self.stack.dir.glob("archive.db.corrupt-*")
                if not path.name.endswith(("-wal", "-shm"))]


class Limits(States):
    def test_file_limit(self):
        """a limit on file sizes is a full disk: it recovers by itself"""
        pid = self.stack.programs["verifierd"].process.pid
        most = max(path.stat().st_size
                   for path in self.stack.dir.glob("archive.db*"))
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        # Its log is a file as well, and smaller.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
        self.assert_failing("full")
        self.stack.programs["verifierd"].must_run()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        self.assert_well_again()

    def test_locked(self):
        """another process holds the lock for seconds"""
        with contextlib.closing(self.hold_lock()):
            self.assert_failing("locked")
        self.assert_well_again()

    def test_locked_at_the_start(self):
        """another process has all of it at the start: it waits"""
        self.stack.kill("verifierd")
        with contextlib.closing(self.hold_all()):
            self.restart()
            self.wait_for("locked")
            ready = self.archive()
            self.assertFalse(ready["ready"])
            self.assertIn("locked for", ready["checks"]["archive"])
            self.assertEqual(self.metric('state{state="locked"}'), 1)
        self.assert_well_again()
        log = self.stack.programs["verifierd"].log()
        self.assertIn("not_usable", log)

    def test_stopped_while_it_waits(self):
        """SIGTERM while the archive is locked ends it, and well"""
        self.stack.kill("verifierd")
        with contextlib.closing(self.hold_all()):
            self.restart()
            self.wait_for("locked")
            process = self.stack.programs["verifierd"].process
            process.terminate()
            self.assertEqual(process.wait(support.SEEN_S), 0)

    def test_moved(self):
        """moved away while it runs: both files together have all"""
        old = self.stack.dir / "taken.db"
        self.stack.archive.rename(old)
        wait_until("a new one", self.stack.archive.exists, support.SEEN_S)
        self.assert_well_again([old, self.stack.archive])
        self.assertEqual(self.set_aside(), [])

    def test_damaged(self):
        """a damaged file is set aside and a new one goes on"""
        db = self.hold_lock()
        self.assert_failing("locked")  # and so it is opened anew
        self.damage()
        db.close()
        self.wait_for("ok")
        support.wait_prices(self.stack, support.now_ms())
        self.assertEqual(len(self.set_aside()), 1)
        self.assertEqual(self.archive()["archive"]["set_aside"], 1)
        self.assertEqual(self.metric("set_aside_total"), 1)
        self.assertIn("corrupt_set_aside",
                      self.stack.programs["verifierd"].log())
        # Killed and damaged: the same at the start.
        self.hold_lock().close()  # all of it is in the file then
        self.stack.kill("verifierd")
        self.damage()
        self.stack.restart("verifierd")
        self.stack.wait_ready("verifierd")
        self.assertEqual(len(self.set_aside()), 2)

    def test_not_ours(self):
        """at the start, a file that is no archive is left as it is"""
        self.stack.kill("verifierd")
        for path in self.stack.dir.glob("archive.db*"):
            path.unlink()
        self.stack.archive.write_bytes(JUNK)
        self.stack.restart("verifierd")
        self.assertEqual(
            self.stack.programs["verifierd"].process.wait(support.SEEN_S), 1)
        self.assertIn("not a database",
                      self.stack.programs["verifierd"].log_tail(3))
        self.assertEqual(self.stack.archive.read_bytes(), JUNK)
        self.assertEqual(self.set_aside(), [])


    def test_days(self):
        """a day that is over gets a file of its own while prices go on"""
        support.wait_prices(self.stack)
        self.stack.kill("verifierd")
        db = sqlite3.connect(self.stack.archive)
        with contextlib.closing(db), db:
            # As if it had been off for two days.
            old = db.execute("UPDATE items SET published_ms ="
                             " published_ms - 2 * 86400000").rowcount
        path = self.stack.config("verifierd")
        settings.write_json(path, json.loads(path.read_text())
                            | {"archive_rotate": True})
        self.stack.restart("verifierd")
        days = wait_until("the day's file", lambda: list(
            self.stack.dir.glob("archive-20??-??-??.db")), support.SEEN_S)
        wait_until("the day is closed", lambda: "day_closed" in
                   self.stack.programs["verifierd"].log(), support.SEEN_S)
        support.wait_prices(self.stack, support.now_ms())
        self.assertEqual(self.metric("rotation_ok"), 1)
        moved = 0
        for day in days:  # two, if it is midnight
            db = sqlite3.connect(f"file:{day}?mode=ro&immutable=1", uri=True)
            with contextlib.closing(db):
                moved += db.execute("SELECT count(*) FROM items"
                                    ).fetchone()[0]
        self.assertEqual(moved, old)


class Disk(States):
    """A disk of its own, of 2 MB. Needs root, for mount."""

    def more_files(self):
        support.need("root and mount", os.geteuid() == 0
                     and shutil.which("mount"))
        disk = self.stack.dir / "disk"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m",
                               "tmpfs", disk], capture_output=True)
        support.need("a mount", done.returncode == 0)
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        # The stack names archive.db: it is there by way of a link.
        self.stack.archive.symlink_to(disk / "archive.db")

    def fill(self):
        filler = self.stack.dir / "disk" / "filler"
        with contextlib.suppress(OSError), open(filler, "wb") as file:
            while True:
                file.write(JUNK)
                file.flush()
        return filler

    def mount_again(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}",
                        self.stack.dir / "disk"], check=True)

    def test_full_disk(self):
        """a full disk: said, nothing lost, and on when there is space"""
        filler = self.fill()
        self.assert_failing("full")
        filler.unlink()
        self.assert_well_again()

    def test_full_disk_at_the_start(self):
        """a full disk at the start: it waits for space, and goes on"""
        self.stack.kill("verifierd")
        filler = self.fill()
        self.restart()
        self.wait_for("full")
        filler.unlink()
        self.assert_well_again()

    def test_read_only_at_the_start(self):
        """a disk that is read-only at the start: it waits, and goes on"""
        self.stack.kill("verifierd")
        self.mount_again("ro")
        self.restart()
        self.wait_for("read_only")
        self.assertFalse(self.archive()["ready"])
        self.mount_again("rw")
        self.assert_well_again()


if __name__ == "__main__":
    unittest.main()
