"""The past, from a daemon that archived it: pages, lines, and moments."""

import json
import pathlib
import re
import tempfile
import unittest

import client
import support
from program import wait_until

ITEMS = 6  # of a feed, before the past is asked about


class History(support.StackTest):
    def setUp(self):
        super().setUp()
        self.until_ms = wait_until(
            f"{ITEMS} items in the archive", self.enough, support.SEEN_S)

    def enough(self):
        reply = self.get("/history?feed=BTC-USD")
        if reply.status != 200 or len(reply.json()["items"]) < ITEMS:
            return None
        last = client.content_of(reply.json()["items"][-1])
        return last["published_ms"] + 1

    def key(self, item):
        content = client.content_of(item)
        return (content["published_ms"], content["boot_id"],
                content["sequence"])

    def pages(self, query):
        """All items of all pages, by next_cursor."""
        items, cursor = [], ""
        while cursor is not None:
            reply = self.get(f"/history?feed=BTC-USD&to={self.until_ms}"
                             f"&{query}{cursor and '&cursor=' + cursor}")
            self.assertEqual(reply.status, 200, reply.body)
            page = reply.json()
            self.assertEqual(page["damaged"], 0)
            link = reply.headers.get("Link")
            self.assertEqual(link is None, page["next_cursor"] is None)
            items += page["items"]
            cursor = page["next_cursor"]
        return items

    def lines(self):
        """The same by Accept and Link."""
        items, path = [], f"/history?feed=BTC-USD&to={self.until_ms}&limit=4"
        while path:
            reply = client.request(
                self.stack.url(path),
                headers={"Accept": "application/x-ndjson"})
            self.assertEqual(reply.headers["Content-Type"],
                             "application/x-ndjson")
            items += [json.loads(line)
                      for line in reply.body.decode().splitlines()]
            link = re.fullmatch('<(.*)>; rel="next"',
                                reply.headers.get("Link", ""))
            path = link and link[1]
        return items

    def test_pages(self):
        """pages of any size, either way and as lines are the same items,
        while new ones come in"""
        all_items = self.pages("limit=1000")
        keys = [self.key(item) for item in all_items]
        self.assertGreaterEqual(len(keys), ITEMS)
        self.assertEqual(keys, sorted(set(keys)))
        self.assertEqual(self.pages("limit=1"), all_items)
        self.assertEqual(self.pages("limit=3&order=desc"), all_items[::-1])
        self.assertEqual(self.lines(), all_items)
        first_ms = keys[0][0]
        self.assertEqual(self.pages(f"limit=5&from={first_ms + 1}"),
                         [item for item in all_items
                          if self.key(item)[0] > first_ms])

    def test_verifies_alone(self):
        """what comes out of the past is good when it was published"""
        reply = self.get("/history?feed=BTC-USD&limit=1&attestation=full")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "item.json"
            path.write_text(json.dumps(reply.json()["items"][0]))
            result = self.stack.verify(path, "--at", "published")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_at(self):
        """each moment has the item that was in force then"""
        items = self.pages("limit=1000")[-ITEMS:]
        for item, after in zip(items, items[1:]):
            begins, ends = (client.content_of(i)["published_ms"]
                            for i in (item, after))
            for at_ms in (begins, ends - 1):
                reply = self.get(f"/price/BTC-USD?at_ms={at_ms}"
                                 "&attestation=ref")
                self.assertEqual((reply.status, reply.json()), (200, item))

    def test_when_there_was_nothing(self):
        """a time before all, one to come, an unknown feed: all are named"""
        reply = self.get("/price/BTC-USD?at_ms=1")
        self.assert_problem(reply, 404, "HISTORY_NOT_FOUND")
        problem = reply.json()
        self.assertIsNone(problem["before"])
        self.assertEqual(problem["feed"], "BTC-USD")
        first = client.content_of(self.pages("limit=1000")[0])
        self.assertEqual(problem["after"], {
            name: first[name] for name in (
                "boot_id", "sequence", "published_ms", "expires_ms")})
        at_ms = support.now_ms() + 3600000
        self.assert_problem(self.get(f"/price/BTC-USD?at_ms={at_ms}"), 404,
                            "HISTORY_NOT_FOUND")
        for path in ("/history?feed=NO-FEED", "/price/NO-FEED?at_ms=1"):
            self.assert_problem(self.get(path), 404, "FEED_UNKNOWN")
        self.assert_problem(self.get("/history"), 400, "PARAM_MISSING")


if __name__ == "__main__":
    unittest.main()
