"""Attested fetch: an oracle makes one GET for somebody and signs the answer;
and whoever would like to make it ask for something else, or too often, or to
put another answer in its place."""

import collections
import concurrent.futures
import contextlib
import http.server
import json
import threading
import time
import unittest

import client
import settings
import support
from program import wait_until
from stack import Stack, run
from test_attested_tls import TlsStack

TICKER = "/v1/pubticker/btcusd"
GEMINI = settings.HOSTS["gemini"]
PER_MINUTE = 120        # one each 500 ms
SPACING_S = 60 / PER_MINUTE
FLOOD_S = 4
CALLERS = 40
# Hosts of exchanges that no feed here uses, each for one kind of trouble.
TROUBLE = ("okx", "bybit", "kucoin", "gate", "bitget", "htx")


def allowed():
    return ([{"hostname": GEMINI, "port": 443,
              "path_prefix": "/v1/pubticker"}]
            + [{"hostname": settings.HOSTS[name], "port": 443,
                "path_prefix": "/"} for name in TROUBLE])


class Fetches:
    """A stack whose oracle fetches from exchanges that no feed asks."""

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        settings.write_json(self.config("oracle"), config | {
            "fetch": {"allow": allowed(), "per_minute": PER_MINUTE,
                      "max_bytes": 65536}})

    def post(self, hostname, path, port=443, headers=(), more=()):
        """`more`: members of the body that a caller would like to have."""
        body = {"hostname": hostname, "port": port, "path": path, **dict(more)}
        return client.request(self.oracle_url("/fetch"), "POST",
                              json.dumps(body).encode(), headers)

    def fetch_command(self, what, *more, url=None):
        return run("hallmark", "fetch", url or self.oracle_url(""), what,
                   "--policy", self.policy, *more)


class FetchStack(Fetches, Stack):
    pass


class FetchTlsStack(Fetches, TlsStack):
    pass


class Server(http.server.ThreadingHTTPServer):
    """Stands where the oracle should: answers whatever is posted with a text
    that it has kept."""

    def __init__(self, text):
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads, self.text = True, text
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.text)))
        self.end_headers()
        self.wfile.write(self.server.text)


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = FetchStack(support.fast_feeds(), verifierd=False)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def asked(self, name):
        return self.stack.exchanges()[name]["requests"]

    def within_budget(self, ask):
        """The first answer that is not "come again"."""
        def answer():
            reply = ask()
            return None if reply.status == 429 else reply
        return wait_until("a budget", answer, support.SEEN_S)

    def get(self, hostname=GEMINI, path=TICKER, **more):
        return self.within_budget(
            lambda: self.stack.post(hostname, path, **more))

    def command(self, what, *more):
        """`hallmark fetch`, once the host's budget allows it."""
        time.sleep(2 * SPACING_S)
        return self.stack.fetch_command(what, *more)

    def assert_problem(self, reply, status, code):
        self.assertEqual((reply.status, reply.json()["code"]), (status, code))

    # ---- what it is for ----

    def test_command(self):
        """hallmark fetch prints what the exchange says, once verified"""
        saved = self.stack.dir / "fetched.json"
        done = self.command(f"{GEMINI}{TICKER}", "--save", saved)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("last", json.loads(done.stdout))
        self.assertIn("SIMULATED", done.stderr)
        done = self.stack.verify(saved)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"VALID https://{GEMINI}:443{TICKER} answered 200",
                      done.stdout)
        done = self.stack.verify(saved, "--at", "published", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["fetched"]["status"], 200)
        done = run("hallmark", "inspect", saved)
        self.assertEqual(json.loads(done.stdout)["kind"], "fetched")

    def test_form(self):
        """POST /fetch answers the four keys; content is the signed text"""
        before_ms = support.now_ms()
        reply = self.get()
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(set(reply.json()), {
            "attestation_doc_b64", "content", "public_key", "signature_b64"})
        content = client.content_of(reply.json())
        self.assertEqual(
            (content["format"], content["hostname"], content["port"],
             content["path"], content["status"]),
            ("hallmark-fetch/1", GEMINI, 443, TICKER, 200))
        self.assertEqual(content["body_sha256"],
                         support.sha256(content["body"]))
        self.assertIn("last", json.loads(content["body"]))
        self.assertTrue(before_ms - 1 <= content["fetched_ms"]
                        <= support.now_ms() + 1)
        self.assertLess(abs(content["date_ms"] - content["fetched_ms"]), 2000)

    def test_check(self):
        """--check prints what is allowed"""
        done = run("hallmark-oracle", "--check", self.stack.config("oracle"))
        self.assertIn(f"fetch         https://{GEMINI}:443/v1/pubticker\n",
                      done.stdout)

    # ---- what is not on the list ----

    def test_host(self):
        """another host, port or path is refused, and nobody is asked"""
        before = {name: state["requests"] for name, state
                  in self.stack.exchanges().items() if name in TROUBLE
                  or name == "gemini"}
        for hostname, path, port in (
                ("api.bitfinex.com", "/", 443), ("localhost", "/", 443),
                ("evil." + GEMINI, TICKER, 443), (GEMINI + ".evil", TICKER, 443),
                (GEMINI, TICKER, 80), (GEMINI, TICKER, 8443),
                (GEMINI, "/v1", 443), (GEMINI, "/v1/pubtickers", 443),
                (GEMINI, "/v1/pubticker-x", 443), (GEMINI, "/", 443),
                (GEMINI, "/V1/pubticker", 443),
                (GEMINI, "/x?/v1/pubticker", 443)):
            self.assert_problem(self.stack.post(hostname, path, port), 403,
                                "FETCH_NOT_ALLOWED")
        after = self.stack.exchanges()
        self.assertEqual(before, {name: after[name]["requests"]
                                  for name in before})
        self.assertEqual(self.command(f"{GEMINI}/v2/x").returncode, 1)

    def test_path_tricks(self):
        """a path that two programs could read in two ways is none"""
        for path in ("/v1/pubticker/../x", "/v1/pubticker/..",
                     "/v1/pubticker/./x", "/v1/pubticker/%2e%2e/x",
                     "/v1/pubticker/%2E%2E%2Fx", "/v1/pubticker/..%2fx",
                     "/v1/pubticker/%252e%252e/x", "/v1/pubticker/..;/x",
                     "/v1/pubticker//x", "/v1/pubticker\\..\\x",
                     "/v1/pubticker#/../x", "//evil/v1/pubticker",
                     "https://evil/v1/pubticker", "v1/pubticker",
                     "/v1/pubticker HTTP/1.1\r\nX-Evil: 1",
                     "/v1/pubticker\r\n\r\nGET /x", "/v1/pubticker?a b",
                     "/v1/pubticker/\u00e4", "/v1/pubticker?%zz", ""):
            self.assert_problem(self.stack.post(GEMINI, path), 400,
                                "FETCH_INVALID")
        for hostname in (GEMINI.upper(), GEMINI + ".", f"x@{GEMINI}",
                         f"{GEMINI}:443", f"{GEMINI}/", "127.0.0.1", "[::1]",
                         f"{GEMINI}\r\nX-Evil: 1", ""):
            self.assert_problem(self.stack.post(hostname, TICKER), 400,
                                "FETCH_INVALID")

    def test_headers(self):
        """nothing of a caller's headers reaches the exchange"""
        for more in ({"headers": {"X-Evil": "1"}}, {"method": "POST"},
                     {"body": "x"}, {"host": "evil"}):
            self.assert_problem(self.stack.post(GEMINI, TICKER, more=more),
                                400, "FETCH_INVALID")
        reply = self.get(headers={"X-Evil": "1", "Cookie": "a=b",
                                  "Authorization": "Bearer x",
                                  "User-Agent": "evil", "Accept": "text/x"})
        self.assertEqual(reply.status, 200, reply.body)
        headers = self.stack.exchanges()["gemini"]["headers"]
        self.assertEqual(set(headers), {"Host", "User-Agent", "Accept",
                                        "Connection"})
        self.assertNotIn("evil", json.dumps(headers))
        self.assertEqual(headers["Host"], GEMINI)

    # ---- odd answers ----

    def fault(self, name, fault):
        self.stack.fault(name, fault)
        self.addCleanup(self.stack.fault, name, "none")

    def test_redirect(self):
        """a redirect is an answer like any other; it is not followed"""
        self.fault("okx", "redirect")
        before = self.asked("okx")
        done = self.command(f"{settings.HOSTS['okx']}/x", "--json")
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertEqual(json.loads(done.stdout)["fetched"]["status"], 301)
        self.assertEqual(self.asked("okx"), before + 1)

    def test_failures(self):
        """what is too long, or not from that host, is not signed"""
        host = settings.HOSTS["bybit"]
        for fault, error in (("oversize", "too_large"),
                             ("untrusted", "tls_failed"),
                             ("wrong_host", "tls_failed"),
                             ("truncated", "bad_http"),
                             ("no_http", "bad_http")):
            self.fault("bybit", fault)
            reply = self.get(host, "/x")
            self.assert_problem(reply, 502, "FETCH_FAILED")
            self.assertEqual(reply.json()["error"], error)

    def test_retry_after(self):
        """a host that wants to be left alone is left alone"""
        self.fault("kucoin", "429")
        host = settings.HOSTS["kucoin"]
        reply = self.get(host, "/x")
        self.assertEqual(client.content_of(reply.json())["status"], 429)
        reply = self.stack.post(host, "/y")
        self.assert_problem(reply, 429, "FETCH_BUDGET")
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 2)
        done = self.stack.fetch_command(f"{host}/z")
        self.assertEqual(done.returncode, 1)
        self.assertIn("come again in", done.stderr)

    # ---- floods ----

    def test_single_flight(self):
        """many who ask for the same at once cost the host one request"""
        self.fault("gate", "hang")
        before = self.asked("gate")
        host = settings.HOSTS["gate"]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            replies = list(pool.map(
                lambda _: self.stack.post(host, "/held"), range(CALLERS)))
        self.assertEqual({reply.status for reply in replies}, {502})
        self.assertEqual({reply.json()["error"] for reply in replies},
                         {"timeout"})
        self.assertEqual(self.asked("gate"), before + 1)

    def polled(self):
        """Requests so far, of the exchanges that the feeds use."""
        state = self.stack.exchanges()
        return {name: state[name]["requests"] for name in (
            "binance", "coinbase_exchange", "kraken", "bitstamp")}

    def rate(self, seconds):
        before = self.polled()
        time.sleep(seconds)
        after = self.polled()
        return {name: after[name] - before[name] for name in before}

    def flood(self, stop):
        """What one caller gets, who never stops."""
        got, number = collections.Counter(), 0
        while not stop.is_set():
            number += 1
            with contextlib.suppress(OSError):
                reply = self.stack.post(
                    settings.HOSTS["htx"],
                    f"/x?{threading.get_ident()}-{number}")
                got[reply.status] += 1
        return got

    def test_flood(self):
        """a flood costs the host its budget, and the prices nothing"""
        before, quiet = self.asked("htx"), self.rate(FLOOD_S)
        stop = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            callers = [pool.submit(self.flood, stop) for _ in range(8)]
            start = time.monotonic()
            loud = self.rate(FLOOD_S)
            item = client.request(self.stack.oracle_url(
                "/price/BTC-USD")).json()
            stop.set()
            took_s = time.monotonic() - start
            got = sum((each.result() for each in callers),
                      collections.Counter())
        self.assertGreater(got[429], 100)
        # 502: the simulated host may be slow.
        self.assertLessEqual(set(got), {200, 429, 502})
        self.assertLessEqual(self.asked("htx") - before,
                             2 + took_s / SPACING_S)
        self.assertEqual(len(support.used(item)), 4)
        self.assertLess(support.now_ms()
                        - client.content_of(item)["published_ms"], 10000)
        for name, requests in loud.items():
            self.assertGreaterEqual(4 * requests, quiet[name], name)

    # ---- whoever stands in between ----

    def impostor(self, text):
        server = Server(text)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_another_answer(self):
        """the good answer to another request is refused, and an old one"""
        kept = self.get().body
        server = self.impostor(kept)
        done = self.stack.fetch_command(
            f"{GEMINI}/v1/pubticker/ethusd", url=server.url)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("request_mismatch", done.stderr)
        self.assertEqual(done.stdout, "")
        done = self.stack.fetch_command(f"{GEMINI}{TICKER}", url=server.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        time.sleep(2)
        done = self.stack.fetch_command(f"{GEMINI}{TICKER}", "--max-age", "1",
                                        url=server.url)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_altered(self):
        """no altered answer passes, and none is printed"""
        kept = self.get().json()
        item = client.request(self.stack.oracle_url("/price/BTC-USD")).json()
        other = json.loads(kept["content"])
        other["body"] = other["body"].replace("1", "2")
        for change, code in (
                ({"content": kept["content"].replace('200,', '201,')}, 3),
                ({"content": kept["content"] + " "}, 2),
                ({"content": json.dumps(other, separators=(",", ":"))}, 2),
                ({"content": item["content"],
                  "signature_b64": item["signature_b64"]}, 2),
                ({"public_key": kept["public_key"][:-30]}, 3),
                ({"more": "1"}, 2)):
            text = json.dumps(kept | change).encode()
            done = self.stack.fetch_command(f"{GEMINI}{TICKER}",
                                            url=self.impostor(text).url)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(done.stdout, "")
        path = self.stack.dir / "not-an-item.json"
        path.write_text(json.dumps(item | {
            "content": kept["content"],
            "signature_b64": kept["signature_b64"]}))
        self.assertEqual(self.stack.verify(path).returncode, 2)


class Attested(unittest.TestCase):
    def test_channel(self):
        """hallmark fetch over an attested channel attests it first"""
        stack = FetchTlsStack()
        self.addCleanup(stack.stop)
        stack.start()
        url = f"https+attested://127.0.0.1:{stack.oracle_port}"
        done = stack.fetch_command(f"{GEMINI}{TICKER}", url=url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("last", json.loads(done.stdout))
        policy = json.loads(stack.policy.read_text())
        policy["releases"][0]["pcrs"]["0"] = "11" * 48
        settings.write_json(stack.policy, policy)
        done = stack.fetch_command(f"{GEMINI}{TICKER}", url=url)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
