"""/openapi.json and the programs say the same: each route, parameter, status,
type of content and code that is in the document, and nothing else."""

import json
import re
import unittest
import urllib.parse

import client
import support
from program import wait_until
from settings import ROOT

SOURCES = ("base", "oracle", "verifier/daemon")
# Of paths and methods that no document can name.
ELSEWHERE = {"NOT_FOUND", "METHOD_NOT_ALLOWED"}
ANY_PATH = "/no/such/path"


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def codes_of(operation, status):
    content = operation["responses"].get(str(status), {}).get("content", {})
    problem = content.get("application/problem+json")
    if problem is None:
        return set()
    return set(problem["schema"]["allOf"][1]["properties"]["code"]["enum"])


def all_codes(document):
    return {code for _, _, operation in operations(document)
            for status in operation["responses"]
            for code in codes_of(operation, status)}


def status_of(path):
    """This oracle keeps no raw answers, fetches nothing, takes no secrets and
    has no peers; those of test_raw, test_fetch, test_seal and test_peers do."""
    return 404 if path in ("/raw/{sha256}", "/fetch",
                           "/secrets/{name}", "/peers") else 200


class Program(support.StackTest):
    """What both programs have to keep; run for each."""

    def setUp(self):
        super().setUp()
        self.item = self.get("/price/BTC-USD").json()
        self.id = support.sha256("BTC-USD")
        self.heads = wait_until("two heads of the log", self.two_heads,
                                support.SEEN_S)

    def two_heads(self):
        heads = self.get("/log/heads?limit=1000")
        if heads.status != 200 or len(heads.json()["heads"]) < 2:
            return None
        return [client.content_of(head) for head in heads.json()["heads"][-2:]]

    def programs(self):
        return [(url, client.request(url("/openapi.json")).json())
                for url in (self.stack.oracle_url, self.stack.url)]

    def parts(self):
        return {"feed": "BTC-USD", "file": "style.css",
                "name": "coinmarketcap_api_key",
                "sha256": self.item["attestation_sha256"]}

    def log_query(self, path):
        """The newest item that a head counts; the newest two heads."""
        first, second = self.heads
        if path == "/log/inclusion":
            return {"feed": "BTC-USD", "boot_id": second["boot_id"],
                    "sequence": second["feeds"]["BTC-USD"] - 1}
        if path == "/log/consistency":
            return {"boot_id": second["boot_id"], "from": first["tree_size"],
                    "to": second["tree_size"]}
        return {}

    def target(self, path, **query):
        query = {**({"ids[]": self.id} if "/updates/" in path else {}),
                 **({"feed": "BTC-USD"} if path == "/history" else {}),
                 **self.log_query(path),
                 **query}
        return path.format(**self.parts()) + (
            "?" + urllib.parse.urlencode(query) if query else "")

    def ask(self, url, method, target):
        """The first bytes of a stream are enough."""
        body = json.dumps(self.item).encode() if method == "POST" else None
        if "/stream" in target:
            stream = client.Stream(int(url("").rsplit(":", 1)[1]), target)
            reply = client.Reply(stream.status, stream._reply.headers, b"")
            if stream.status != 200:
                stream.closed.wait(support.SEEN_S)
            stream.close()
            return reply
        return client.request(url(target), method, body)

    def assert_described(self, operation, reply, what):
        """Status, type, and code if it is a problem."""
        responses = operation["responses"]
        self.assertIn(str(reply.status), responses, what)
        self.assertIn("X-Request-Id", reply.headers, what)
        described = responses[str(reply.status)]
        for header in ("ETag", "Retry-After"):
            if header in reply.headers:
                self.assertIn(header, described["headers"], what)
        content = described.get("content", {})
        if not content:
            self.assertEqual(reply.body, b"", what)
            return
        kind = reply.headers["Content-Type"]
        self.assertTrue(kind in content or "*/*" in content,
                        f"{what}: {kind}")
        if kind == "application/problem+json" and reply.body:
            self.assertIn(reply.json()["code"],
                          codes_of(operation, reply.status), what)

    def test_each_route(self):
        """each route of the document answers as it says"""
        for url, document in self.programs():
            for method, path, operation in operations(document):
                reply = self.ask(url, method, self.target(path))
                self.assertEqual(reply.status, status_of(path),
                                 f"{method} {path}")
                self.assert_described(operation, reply, path)

    def test_each_parameter(self):
        """each parameter of the document is known, no other is"""
        for url, document in self.programs():
            for method, path, operation in operations(document):
                names = [p["name"] for p in operation["parameters"]
                         if p["in"] == "query"]
                for name in names:
                    reply = self.ask(url, method,
                                     self.target(path, **{name: "~"}))
                    self.assert_described(operation, reply,
                                          f"{path}?{name}")
                    if reply.status == 400 and reply.body:
                        self.assertNotEqual(reply.json()["code"],
                                            "PARAM_UNKNOWN", path)
                reply = client.request(
                    url(self.target(path, surprise="1")), method,
                    b"{}" if method == "POST" else None)
                self.assertEqual(reply.json()["code"], "PARAM_UNKNOWN", path)
                self.assert_described(operation, reply, path)

    def test_nothing_else(self):
        """a path of one program's document that is not in the other's is
        404 there; another method than the document's is 405"""
        every = {path for _, document in self.programs()
                 for path in document["paths"]}
        for url, document in self.programs():
            for path in every | {ANY_PATH}:
                known = path in document["paths"]
                for method in ("PUT", "GET", "POST"):
                    if known and method.lower() in document["paths"][path]:
                        continue
                    reply = client.request(url(self.target(path)), method,
                                           None if method == "GET" else b"{}")
                    self.assert_problem(
                        reply, 405 if known else 404,
                        "METHOD_NOT_ALLOWED" if known else "NOT_FOUND")

    def test_head_and_options(self):
        """HEAD has what GET has but a body; OPTIONS lists the methods"""
        for url, document in self.programs():
            for path, methods in document["paths"].items():
                target = self.target(path)
                reply = client.request(url(target), "OPTIONS")
                self.assertEqual(reply.status, 204, path)
                allowed = reply.headers["Allow"].split(", ")
                wanted = {"OPTIONS"} | {m.upper() for m in methods}
                wanted |= {"HEAD"} if "get" in methods else set()
                self.assertEqual(set(allowed), wanted, path)
                if "get" in methods and "/stream" not in path:
                    reply = client.request(url(target), "HEAD")
                    self.assertEqual((reply.status, reply.body),
                                     (status_of(path), b""), path)

    def test_etags(self):
        """what the document gives an ETag can be 304"""
        for url, document in self.programs():
            for method, path, operation in operations(document):
                first = operation["responses"]["200"]
                if "ETag" not in first["headers"]:
                    self.assertNotIn("304", operation["responses"])
                    continue
                self.assertIn("304", operation["responses"])

                def unchanged(target=url(self.target(path))):
                    etag = client.request(target).headers["ETag"]
                    reply = client.request(
                        target, headers={"If-None-Match": etag})
                    return reply if reply.status == 304 else None
                reply = wait_until(f"a 304 of {path}", unchanged,
                                   support.SEEN_S)
                self.assert_described(operation, reply, path)

    def test_each_code(self):
        """each code of the programs' sources is in a document, and back"""
        written = set()
        for room in SOURCES:
            for path in (ROOT / room).glob("*.c"):
                if path.name in ("board_routes.c", "service_document.c"):
                    continue
                text = re.sub(r"static const struct service_problem.*?};", "",
                              path.read_text(), flags=re.S)
                written |= set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|BUSY)"',
                                          text))
        documented = set()
        for _, document in self.programs():
            documented |= all_codes(document)
        self.assertEqual(documented - written, set())
        problems = set()
        for room in SOURCES:
            for path in (ROOT / room).glob("*.c"):
                problems |= set(re.findall(
                    r'(?:http_problem|reply_problem|refuse_now|problem_about|'
                    r'blame|refuse)\([^;]*?"([A-Z]+(?:_[A-Z]+)*)"',
                    path.read_text()))
        self.assertGreater(len(problems), 15)
        self.assertEqual(problems - documented - ELSEWHERE, set())


if __name__ == "__main__":
    unittest.main()
