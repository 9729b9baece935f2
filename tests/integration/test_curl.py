"""curl, as people use it, against the API of both programs: nothing of ours
between it and them."""

import json
import subprocess
import unittest

import client
import support

CURL_S = 20     # a ceiling


class Curl(support.StackTest):
    def setUp(self):
        super().setUp()
        self.bases = [self.stack.oracle_url(""), self.stack.url("")]
        self.file = self.stack.dir / "curl.out"

    def curl(self, *words, code=0):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(CURL_S),
             *map(str, words)], text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def test_item(self):
        """--compressed -o: an item that hallmark verify takes"""
        for base in self.bases:
            self.curl("--fail", "--compressed", "-o", self.file,
                      f"{base}/price/BTC-USD")
            done = self.stack.verify(self.file)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_etag(self):
        """--etag-save, --etag-compare: nothing is sent twice"""
        etag = self.stack.dir / "etag"
        url = f"{self.stack.url('')}/web/style.css"
        self.curl("--etag-save", etag, "-o", self.file, url)
        self.assertEqual("304", self.curl(
            "--etag-compare", etag, "-o", self.file, "-w", "%{http_code}",
            url))

    def test_head(self):
        """-I: the headers, and the connection serves another request"""
        for base in self.bases:
            said = self.curl("-I", f"{base}/price/BTC-USD",
                             f"{base}/feeds").lower()
            self.assertEqual(said.count("http/1.1 200"), 2)
            self.assertIn("etag: ", said)
            self.assertEqual("1", self.curl(
                "-o", "/dev/null", f"{base}/feeds", "-o", self.file,
                f"{base}/livez", "-w", "%{num_connects}\n").split()[0])

    def test_next_item(self):
        """a loop of long polls, with jq's part played by Python"""
        for base in self.bases:
            item = json.loads(self.curl(f"{base}/price/BTC-USD"))
            content = client.content_of(item)
            for _ in range(3):
                newer = client.content_of(json.loads(self.curl(
                    "--get", f"{base}/price/BTC-USD",
                    "-d", f"after_sequence={content['sequence']}",
                    "-d", f"boot_id={content['boot_id']}")))
                self.assertEqual(newer["sequence"], content["sequence"] + 1)
                content = newer

    def test_stream(self):
        """-N: events as they come, until it has had enough"""
        for base in self.bases:
            said = self.curl("-N", "--max-time", "3",
                             f"{base}/stream?feeds=BTC-USD", code=28)
            events = [event.name for event in client.parse_events(
                line.encode() for line in said.splitlines())]
            self.assertEqual(events[0], "attestation")
            self.assertGreaterEqual(events.count("price"), 3)

    def test_post(self):
        """--data-binary @item: the verdict, and 411 to one in chunks"""
        url = f"{self.stack.url('')}/verify"
        self.curl("-o", self.file, f"{self.stack.url('')}/price/BTC-USD")
        said = json.loads(self.curl("--data-binary", f"@{self.file}", url))
        self.assertEqual(said["verdict"], "valid")
        said = json.loads(self.curl(
            "-H", "Transfer-Encoding: chunked", "--data-binary",
            f"@{self.file}", url))
        self.assertEqual((said["status"], said["code"]),
                         (411, "LENGTH_REQUIRED"))

    def test_problem(self):
        """--fail: what is no price ends it with 22"""
        for base in self.bases:
            self.curl("--fail", f"{base}/price/NO-SUCH", code=22)
            said = self.curl("--fail-with-body", f"{base}/price/NO-SUCH",
                             code=22)
            self.assertEqual(json.loads(said)["code"], "FEED_UNKNOWN")


if __name__ == "__main__":
    unittest.main()
