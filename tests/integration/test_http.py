"""The pages of oracle and verifier, as relayers and dashboards use them."""

import json
import unittest

import client
import support
from program import wait_until


class Pages(support.StackTest):
    def test_several(self):
        """/price?feeds= answers with items, and errors by name"""
        answer = self.get("/price?feeds=BTC-USD,ETH-USD,NO-SUCH").json()
        feeds = {client.content_of(item)["feed"] for item in answer["items"]}
        self.assertEqual(feeds, set(support.FEEDS))
        self.assertEqual([(e["feed"], e["code"]) for e in answer["errors"]],
                         [("NO-SUCH", "FEED_UNKNOWN")])

    def test_reference_form(self):
        """?attestation=ref leaves the document out, and it is fetched once"""
        item = self.get("/price/BTC-USD?attestation=ref").json()
        self.assertNotIn("attestation_doc_b64", item)
        reply = self.get(f"/attestations/{item['attestation_sha256']}")
        self.assertEqual(reply.status, 200)
        self.assertIn("immutable", reply.headers["Cache-Control"])
        self.assertEqual(support.sha256(reply.body),
                         item["attestation_sha256"])

    def test_etag(self):
        """the same item again is a 304 without a body"""
        def same_twice():
            first = self.get("/price/BTC-USD")
            again = self.get("/price/BTC-USD",
                             If_None_Match=first.headers["ETag"])
            # A tick between the two is a new item: try once more.
            return again if again.status != 200 else None
        reply = wait_until("a 304", same_twice, support.SEEN_S)
        self.assertEqual((reply.status, reply.body), (304, b""))

    def test_old_etag(self):
        """an ETag of another item gets the item"""
        reply = self.get("/price/BTC-USD", If_None_Match='"0000"')
        self.assertEqual(reply.status, 200)

    def test_dashboard(self):
        """the dashboard runs nothing from elsewhere, and is a 304 next time"""
        for path, kind in (("/", "text/html"), ("/web/app.js", "javascript"),
                           ("/web/style.css", "text/css")):
            page = self.get(path)
            self.assertEqual(page.status, 200)
            self.assertIn(kind, page.headers["Content-Type"])
            policy = page.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'; script-src 'self';", policy)
            self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(page.headers["Cache-Control"], "no-cache")
            again = self.get(path, If_None_Match=page.headers["ETag"])
            self.assertEqual((again.status, again.body), (304, b""))
        self.assertNotIn("Content-Security-Policy", self.get("/feeds").headers)

    def test_policy(self):
        """/policy is the daemon's policy, with its roots' certificates"""
        answer = self.get("/policy").json()
        written = json.loads(self.stack.policy.read_text())
        [release] = answer["policy"]["releases"]
        self.assertEqual({index: [pcr] for index, pcr in
                          written["releases"][0]["pcrs"].items()},
                         release["pcrs"])
        self.assertEqual(len(answer["policy"]["root_files"]), 1)
        [pem] = answer["root_pems"]
        self.assertEqual(pem, (self.stack.dir / "simulated" /
                               "simulated-root.pem").read_text())

    def test_unknown_feed(self):
        """an unknown feed is a 404 problem with the code FEED_UNKNOWN"""
        for url in (self.stack.url, self.stack.oracle_url):
            self.assert_problem(client.request(url("/price/NO-SUCH")),
                                404, "FEED_UNKNOWN")

    def test_unknown_parameter(self):
        """an unknown parameter is refused and named"""
        reply = self.get("/price/BTC-USD?surprise=1")
        self.assertEqual(reply.status, 400)
        self.assertIn("surprise", reply.body.decode())

    def test_unknown_path(self):
        """an unknown path is a 404 problem, another method a 405"""
        self.assertEqual(self.get("/no/such/page").status, 404)
        reply = client.request(self.stack.url("/price/BTC-USD"), "POST", b"x")
        self.assertEqual(reply.status, 405)

    def test_ready_and_live(self):
        """/livez, /readyz, /version and /feeds answer on both"""
        for url in (self.stack.url, self.stack.oracle_url):
            for path in ("/livez", "/readyz", "/version", "/feeds"):
                reply = client.request(url(path))
                self.assertEqual(reply.status, 200, path)
                reply.json()

    def test_nonce(self):
        """/attestation?nonce= gives a document with this nonce"""
        nonce = "00112233445566778899aabbccddeeff"
        reply = client.request(
            self.stack.oracle_url(f"/attestation?nonce={nonce}"))
        self.assertEqual(reply.status, 200, reply.body)
        path = self.stack.dir / "nonce.b64"
        path.write_text(reply.json()["attestation_doc_b64"])
        answer = self.stack.dir / "nonce.json"
        answer.write_bytes(reply.body)
        for given, code in ((nonce, 0), ("ffff", 5)):
            for form in (path, answer):
                done = self.stack.verify(form, "--nonce", given)
                self.assertEqual(done.returncode, code,
                                 done.stdout + done.stderr)

    def test_cors(self):
        """pages may be read from any web page"""
        reply = self.get("/price/BTC-USD")
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")


class Streams(support.StackTest):
    def stream(self, path="/stream", port=None, **more):
        stream = client.Stream(port or self.stack.verifierd_port, path, **more)
        self.addCleanup(stream.close)
        return stream

    def wait_events(self, stream, count):
        wait_until(f"{count} events", lambda: len(
            stream.named("price", "status")) >= count, support.SEEN_S)
        return stream.named("price", "status")

    def test_attestation_first(self):
        """a stream begins with the attestation, then prices refer to it"""
        for port in (self.stack.verifierd_port, self.stack.oracle_port):
            stream = self.stream(port=port)
            event = self.wait_events(stream, 1)[0]
            self.assertEqual(stream.events[0].name, "attestation")
            self.assertEqual(stream.events[0].json()["attestation_sha256"],
                             event.json()["attestation_sha256"])

    def test_resume(self):
        """Last-Event-ID resumes without a gap and without a repetition"""
        for port in (self.stack.verifierd_port, self.stack.oracle_port):
            first = self.stream(port=port)
            before = self.wait_events(first, 4)
            first.close()
            last = before[-1].id
            wait_until("items without us", self._newer_than(before[-1]),
                       support.SEEN_S)
            after = self.wait_events(
                self.stream(port=port, last_event_id=last), 4)
            self.assert_continuous(before + after)

    def _newer_than(self, event):
        sequence = json.loads(event.json()["content"])["sequence"]
        return lambda: client.content_of(
            self.get("/price/BTC-USD").json())["sequence"] > sequence + 2

    def assert_continuous(self, events):
        following = {}
        for event in events:
            content = json.loads(event.json()["content"])
            feed, sequence = content["feed"], content["sequence"]
            self.assertEqual(sequence, following.get(feed, sequence), feed)
            following[feed] = sequence + 1

    def test_unknown_resume_point(self):
        """a resume point of another run says resync"""
        stream = self.stream(last_event_id="0123456789abcdef-7")
        wait_until("resync", lambda: stream.named("resync"), support.SEEN_S)

    def test_one_feed(self):
        """?feeds= limits the stream"""
        events = self.wait_events(self.stream("/stream?feeds=ETH-USD"), 3)
        self.assertEqual({client.content_of(event.json())["feed"]
                          for event in events}, {"ETH-USD"})

    def test_heartbeat(self):
        """a heartbeat comes within its ten seconds"""
        stream = self.stream("/stream?feeds=ETH-USD")
        wait_until("heartbeat", lambda: stream.named("heartbeat"),
                   support.SEEN_S)


if __name__ == "__main__":
    unittest.main()
