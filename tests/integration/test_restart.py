"""Kill any program with -9 and start it again: the others recover by
themselves, and nothing that was accepted is lost. Stop one, and it says
goodbye."""

import json
import os
import random
import sqlite3
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
    def rows(self):
        uri = f"file:{self.stack.archive}?mode=ro"
        with sqlite3.connect(uri, uri=True) as archive:
            return {(feed, sequence, text(content)) for
                    feed, sequence, content in archive.execute(
                        "SELECT feed, sequence, content FROM items")}

    def watch(self):
        stream = wait_until("a stream", self._try_stream, support.SEEN_S)
        wait_until("an item", lambda: stream.named("price"), support.SEEN_S)
        return stream

    def _try_stream(self):
        try:
            return client.Stream(self.stack.verifierd_port, "/stream")
        except OSError:
            return None

    def test_nothing_accepted_is_lost(self):
        """what verifierd had shown is in the archive after kill -9"""
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        moments = random.Random(SEED)
        shown = []
        for _ in range(KILLS):
            stream = self.watch()
            time.sleep(moments.uniform(0.2, 1.5))
            self.stack.kill("verifierd")
            stream.closed.wait(support.SEEN_S)
            shown += stream.named("price", "status")
            self.stack.restart("verifierd")
        support.wait_prices(self.stack, support.now_ms(), support.RECOVER_S)
        archived = self.rows()
        self.assertGreater(len(shown), KILLS)
        for event in shown:
            content = event.json()["content"]
            item = json.loads(content)
            self.assertIn((item["feed"], item["sequence"], content), archived)

    def test_no_duplicates(self):
        """an item is archived once, whoever sent it again"""
        uri = f"file:{self.stack.archive}?mode=ro"
        with sqlite3.connect(uri, uri=True) as archive:
            total, different = archive.execute(
                "SELECT count(*), count(DISTINCT content) FROM items"
            ).fetchone()
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
