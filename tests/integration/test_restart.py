"""Kill any program with -9 and start it again: the others recover by
themselves, and nothing that was accepted is lost. Stop one, and it says
goodbye."""

import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time
import unittest

import client
import support
from program import wait_until

KILLS = 4       # of verifierd while its stream is read
SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))


class Kill(support.StackTest):
    def kill_and_recover(self, name):
        self.stack.kill(name)
        time.sleep(0.5)
        self.stack.restart(name)
        support.wait_prices(self.stack, support.now_ms(), support.RECOVER_S)

    def test_simulator(self):
        """the exchanges die and come back: prices within 10 s"""
        self.kill_and_recover("simulator")

    def test_bridge(self):
        """the bridge dies and comes back: prices within 10 s"""
        self.kill_and_recover("bridge")

    def test_oracle(self):
        """the oracle dies and comes back: prices of a new boot within 10 s"""
        before = client.content_of(support.price(self.stack, "BTC-USD"))
        self.kill_and_recover("oracle")
        after = client.content_of(support.price(self.stack, "BTC-USD"))
        self.assertNotEqual(before["boot_id"], after["boot_id"])

    def test_verifierd(self):
        """the verifier dies and comes back: prices within 10 s"""
        self.kill_and_recover("verifierd")


class Archive(support.StackTest):
    def query(self, sql):
        """Asks a copy of the archive, as a crash would have left it."""
        with tempfile.TemporaryDirectory() as directory:
            for path in self.stack.dir.glob(self.stack.archive.name + "*"):
                shutil.copy(path, directory)
            copy = sqlite3.connect(
                pathlib.Path(directory) / self.stack.archive.name)
            with contextlib.closing(copy):
                return copy.execute(sql).fetchall()

    def archived(self):
        return {text(content)
                for content, in self.query("SELECT content FROM items")}

    def watch(self):
        stream = wait_until("a stream", self._try_stream, support.SEEN_S)
        wait_until("an item", lambda: stream.named("price"), support.SEEN_S)
        return stream

    def _try_stream(self):
        with contextlib.suppress(OSError):
            return client.Stream(self.stack.verifierd_port, "/stream")

    def shown_until_killed(self, seconds):
        """What verifierd had accepted when it was killed after that time."""
        stream = self.watch()
        time.sleep(seconds)
        self.stack.kill("verifierd")
        stream.closed.wait(support.SEEN_S)
        return {event.json()["content"]
                for event in stream.named("price", "status")}

    def test_nothing_accepted_is_lost(self):
        """what verifierd had shown is in the archive after kill -9"""
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        moments = random.Random(SEED)
        for _ in range(KILLS):
            shown = self.shown_until_killed(moments.uniform(0.5, 3))
            # Before it runs again: then the oracle's ring would fill a gap.
            lost = shown - self.archived()
            self.stack.restart("verifierd")
            self.assertGreaterEqual(len(shown), 3)
            self.assertEqual(lost, set())
        support.wait_prices(self.stack, support.now_ms(), support.RECOVER_S)

    def test_no_gap(self):
        """what verifierd missed while it was dead is in the archive later"""
        self.stack.kill("verifierd")
        time.sleep(1.5)
        self.stack.restart("verifierd")
        support.wait_prices(self.stack, support.now_ms(), support.RECOVER_S)
        for boot_id, feed, first, last, count in self.query(
                "SELECT boot_id, feed, min(sequence), max(sequence), count(*)"
                " FROM items GROUP BY boot_id, feed"):
            self.assertEqual(count, last - first + 1, (boot_id, feed))

    def test_no_duplicates(self):
        """an item is archived once, whoever sent it again"""
        (total, different), = self.query(
            "SELECT count(*), count(DISTINCT content) FROM items")
        self.assertGreater(total, 0)
        self.assertEqual(total, different)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class Goodbye(support.StackTest):
    def stop_and_restart(self, name, port):
        stream = client.Stream(port, "/stream") if port else None
        if stream:
            wait_until("an item", lambda: stream.named("price"),
                       support.SEEN_S)
        self.assertEqual(self.stack.programs[name].stop(), 0,
                         self.stack.programs[name].log_tail(10))
        if stream:
            stream.closed.wait(support.SEEN_S)
            self.assertEqual(stream.events[-1].name, "goodbye")
        self.stack.restart(name)
        support.wait_prices(self.stack, support.now_ms())

    def test_verifierd(self):
        """SIGTERM: verifierd says goodbye to streams and exits 0"""
        self.stop_and_restart("verifierd", self.stack.verifierd_port)

    def test_oracle(self):
        """SIGTERM: the oracle says goodbye to streams and exits 0"""
        self.stop_and_restart("oracle", self.stack.oracle_port)

    def test_bridge(self):
        """SIGTERM: the bridge exits 0"""
        self.stop_and_restart("bridge", None)


if __name__ == "__main__":
    unittest.main()
