"""Raw exchange answers: the oracle keeps them for a while, verifierd archives
those that accepted items name, and each is the body that was hashed."""

import contextlib
import json
import sqlite3
import time
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack


class RawStack(Stack):
    def write_configs(self):
        super().write_configs()
        for name, key, value in (("oracle", "keep_raw_s", 60),
                                 ("verifierd", "archive_keep_raw", True)):
            path = self.config(name)
            config = json.loads(path.read_text())
            settings.write_json(path, config | {key: value})


class Raw(unittest.TestCase):
    def setUp(self):
        self.stack = RawStack(support.fast_feeds())
        self.addCleanup(self.stack.stop)
        self.stack.start()

    def rows(self):
        """Hashes that items name, and the bodies that are archived."""
        db = sqlite3.connect(f"file:{self.stack.archive}?mode=ro", uri=True)
        with contextlib.closing(db):
            named = {source["body_sha256"]
                     for content, in db.execute("SELECT content FROM items")
                     for source in json.loads(content)["sources"]
                     if source.get("body_sha256")}
            return named, dict(db.execute("SELECT sha256, body FROM raw"))

    def test_archived(self):
        """an exchange's answer is archived with the items that name it"""
        support.wait_prices(self.stack)
        time.sleep(2)
        first, _ = self.rows()
        self.assertGreater(len(first), 8)
        wait_until("their answers", lambda: first <= set(self.rows()[1]),
                   support.SEEN_S)
        named, bodies = self.rows()
        for sha256, body in bodies.items():
            self.assertEqual(support.sha256(body), sha256)
            self.assertIn(sha256, named)
            json.loads(body)
        reply = client.request(self.stack.oracle_url(
            f"/raw/{sorted(named - set(first) or named)[0]}"))
        self.assertIn(reply.status, (200, 404))
        reply = client.request(self.stack.oracle_url(f"/raw/{'0' * 64}"))
        self.assertEqual(reply.status, 404)
        self.assertEqual(reply.json()["code"], "RAW_UNKNOWN")


if __name__ == "__main__":
    unittest.main()
