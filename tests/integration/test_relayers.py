"""What relayers rely on: the next item as soon as it is there, nothing older
than they can use, and the API of Hermes for those who know it."""

import base64
import gzip
import json
import unittest

import client
import support
from program import wait_until

BTC, ETH = support.sha256("BTC-USD"), support.sha256("ETH-USD")


class Relayer(support.StackTest):
    def urls(self):
        return self.stack.oracle_url, self.stack.url


class Prices(Relayer):
    def test_next_item(self):
        """?after_sequence= waits for the next item, one after the other"""
        for url in self.urls():
            content = client.content_of(
                client.request(url("/price/BTC-USD")).json())
            for _ in range(4):
                reply = client.request(url(
                    f"/price/BTC-USD?after_sequence={content['sequence']}"
                    f"&boot_id={content['boot_id']}&attestation=ref"))
                self.assertEqual(reply.status, 200, reply.body)
                newer = client.content_of(reply.json())
                self.assertEqual(newer["sequence"], content["sequence"] + 1)
                content = newer

    def test_nothing_newer(self):
        """a wait that is over is a 204; one for a later boot's is none"""
        for url in self.urls():
            reply = client.request(url(
                "/price/BTC-USD?after_sequence=99999999&wait_ms=1&boot_id="
                + client.content_of(self.get("/price/BTC-USD").json())
                ["boot_id"]))
            self.assertEqual((reply.status, reply.body), (204, b""))
            reply = client.request(url(
                "/price/BTC-USD?after_sequence=99999999"))
            self.assertEqual(reply.status, 200)

    def test_too_old(self):
        """?max_age_ms= refuses what is older, with the item as evidence"""
        for url in self.urls():
            problem = self.assert_problem(
                wait_until("a price of a millisecond ago", lambda: self._old(
                    url), support.SEEN_S), 503, "PRICE_STALE")
            self.assertEqual(client.content_of(problem["item"])["published_ms"],
                             problem["published_ms"])
            self.assertEqual(problem["feed"], "BTC-USD")
            many = client.request(url("/price?max_age_ms=0")).json()
            self.assertEqual(len(many["items"]) + len(many["errors"]),
                             len(self.get("/feeds").json()["feeds"]))

    def _old(self, url):
        reply = client.request(url("/price/BTC-USD?max_age_ms=0"))
        return reply if reply.status == 503 else None

    def test_gzip(self):
        """the full form comes packed to those who ask, with its own ETag"""
        for url in self.urls():
            reply = client.request(url("/price/BTC-USD"), headers={
                "Accept-Encoding": "br, gzip;q=0.8"})
            self.assertEqual(reply.headers["Content-Encoding"], "gzip")
            self.assertTrue(reply.headers["ETag"].endswith('-gzip"'))
            item = json.loads(gzip.decompress(reply.body))
            self.assertEqual(client.content_of(item)["feed"], "BTC-USD")
            self.assertLess(len(reply.body), len(json.dumps(item)) * 0.8)

    def test_request_id(self):
        """a request's own id comes back, in problems too"""
        reply = self.get("/price/NO-SUCH", X_Request_Id="relay-7")
        self.assertEqual(reply.headers["X-Request-Id"], "relay-7")
        self.assertEqual(reply.json()["request_id"], "relay-7")
        self.assertIn("X-Request-Id",
                      reply.headers["Access-Control-Expose-Headers"])


class Hermes(Relayer):
    def check_parsed(self, parsed, item):
        content = client.content_of(item)
        price, expo = parsed["price"], parsed["price"]["expo"]
        for ours, theirs in (("price", "price"), ("confidence", "conf")):
            digits = content[ours].replace(".", "").lstrip("0") or "0"
            self.assertEqual(price[theirs], digits)
        self.assertEqual(expo, -len(content["price"].partition(".")[2]))
        self.assertEqual(price["publish_time"],
                         content["published_ms"] // 1000)
        self.assertEqual(parsed["id"], support.sha256(content["feed"]))
        self.assertEqual(parsed["metadata"]["sequence"], content["sequence"])

    def test_latest(self):
        """/v2/updates/price/latest has our items and their numbers"""
        for url in self.urls():
            reply = client.request(url(
                f"/v2/updates/price/latest?ids[]={BTC}&ids%5B%5D=0x{ETH}"))
            update = reply.json()
            items = [json.loads(bytes.fromhex(text))
                     for text in update["binary"]["data"]]
            self.assertEqual([client.content_of(i)["feed"] for i in items],
                             ["BTC-USD", "ETH-USD"])
            for parsed, item in zip(update["parsed"], items):
                self.check_parsed(parsed, item)
        path = self.stack.dir / "hermes.json"
        path.write_text(json.dumps(items[0]))
        done = self.stack.verify(path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_stream(self):
        """/v2/updates/price/stream has them as they come"""
        for port in (self.stack.oracle_port, self.stack.verifierd_port):
            stream = client.Stream(
                port, f"/v2/updates/price/stream?ids[]={BTC}&encoding=base64"
                "&attestation=full")
            self.addCleanup(stream.close)
            wait_until("three updates", lambda: len(
                stream.named("message")) >= 3, support.SEEN_S)
            sequences = []
            for event in stream.named("message"):
                update = event.json()
                item = json.loads(base64.b64decode(
                    update["binary"]["data"][0]))
                self.check_parsed(update["parsed"][0], item)
                sequences.append(client.content_of(item)["sequence"])
            self.assertEqual(sequences, list(range(
                sequences[0], sequences[0] + len(sequences))))

    def test_feeds(self):
        """/v2/price_feeds names each feed and its id"""
        for url in self.urls():
            feeds = client.request(url("/v2/price_feeds?query=btc/")).json()
            self.assertEqual([(f["id"], f["attributes"]["symbol"])
                              for f in feeds], [(BTC, "BTC-USD")])

    def test_unknown(self):
        """an unknown id is named, and can be left out"""
        other = "ab" * 32
        for url in self.urls():
            path = f"/v2/updates/price/latest?ids[]={other}&ids[]={BTC}"
            problem = self.assert_problem(client.request(url(path)), 404,
                                          "FEED_UNKNOWN")
            self.assertEqual(problem["ids"], [other])
            reply = client.request(url(
                path + "&ignore_invalid_price_ids=true"))
            self.assertEqual(len(reply.json()["parsed"]), 1)


if __name__ == "__main__":
    unittest.main()
