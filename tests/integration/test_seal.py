"""Sealed secrets: the key of a paid API reaches the enclave and nobody else.
Who relays everything and keeps it learns nothing, and can neither change it,
nor send it on to another place, nor again, nor say that it has arrived.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import subprocess
import sys
import threading
import time
import unittest

import client
import settings
from between import Between
from program import wait_until
from recorder import Recorder
from stack import Stack, run
from test_attested_tls import Connection, TlsStack

sys.path.insert(0, str(settings.ROOT / "tests" / "simulator"))
from paid import CoinMarketCap  # noqa: E402

NAME = "coinmarketcap_api_key"
KEY = CoinMarketCap.key
SHOWS_S = 30
FEED = {"feed": "BTC-USD", "decimals": 2, "interval_ms": 500,
        "max_age_ms": 60000, "min_sources": 2, "sources": [
            {"exchange": "kraken", "symbol": "XBTUSD"},
            {"exchange": "bitstamp", "symbol": "btcusd"},
            {"exchange": "coinmarketcap", "symbol": "1", "role": "check"}]}


class Sealing(Stack):
    """An installation whose oracle takes the key from who knows `token`."""

    def __init__(self, token):
        self.token = token
        Stack.__init__(self, [FEED], record=True, verifierd=False)

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        config["secrets"] = {
            "token_sha256": hashlib.sha256(self.token.encode()).hexdigest(),
            "names": [NAME]}
        settings.write_json(self.config("oracle"), config)

    def source(self):
        """What the newest item says of CoinMarketCap."""
        item = client.request(self.oracle_url("/price/BTC-USD")).json()
        return client.sources_of(item)["coinmarketcap"]

    def seal(self, url=None, token=None, secret=KEY, name=NAME, policy=None):
        file = self.dir / "token"
        file.write_text((token or self.token) + "\n")
        return run("hallmark", "seal", url or self.oracle_url(""), "--policy",
                   policy or self.policy, "--token-file", file, name,
                   input=secret + "\n", stdin=None)

    def post(self, body, name=NAME, method="POST"):
        reply = client.request(self.oracle_url(f"/secrets/{name}"), method,
                               body)
        code = reply.json().get("code") if reply.status != 200 else None
        return reply.status, code


class SealingOverTls(Sealing, TlsStack):
    """The same, with TLS that ends in the oracle."""

    def source(self):
        with contextlib.closing(Connection(self.oracle_port)) as made:
            item = json.loads(made.get("/price/BTC-USD")[1])
        return client.sources_of(item)["coinmarketcap"]


def key_of_its_own(directory):
    """Of a relay: the public part."""
    key = directory / "relay.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "3072"], check=True,
                   capture_output=True)
    return subprocess.run(["openssl", "rsa", "-in", key, "-pubout"],
                          check=True, capture_output=True, text=True).stdout


def posted(recorder):
    """The bodies of all POSTs that it has seen."""
    bodies = []
    for part in bytes(recorder.sent).split(b"POST /secrets/")[1:]:
        head, _, rest = part.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1)
                      for line in head.split(b"\r\n")[1:])
        bodies.append(rest[:int(fields[b"content-length"])])
    return bodies


class Liar(http.server.BaseHTTPRequestHandler):
    """A relay that answers with what `change` makes of the truth."""
    def log_message(self, *_):
        pass

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        truth = client.request(self.server.upstream + self.path)
        self._answer(truth.status, self.server.change(truth.body))

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.taken.append(self.rfile.read(length))
        self._answer(200, self.server.receipt(self.server.taken[-1]))


@contextlib.contextmanager
def liar(upstream, change=lambda body: body, receipt=lambda body: b"{}"):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.upstream, server.change, server.receipt = upstream, change, receipt
    server.taken = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Seal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = secrets.token_hex(32)
        cls.stack = Sealing(cls.token)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def state(self, wanted, error=None):
        def look():
            source = self.stack.source()
            return (source["state"], source.get("error")) == (wanted, error)
        wait_until(f"CoinMarketCap is {wanted} {error}", look, SHOWS_S)

    def sealed(self, **how):
        done = self.stack.seal(**how)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def without_key(self):
        """A new start, which has none."""
        self.stack.programs["oracle"].stop()
        self.stack.restart("oracle")
        self.stack.wait_ready("oracle")

    def test_a_secret(self):
        """the key is sealed, and only then CoinMarketCap is asked, with it"""
        self.without_key()
        asked = self.stack.exchanges()["coinmarketcap"]["requests"]
        self.state("failed", "no_key")
        self.assertEqual(
            self.stack.exchanges()["coinmarketcap"]["requests"], asked)
        out = self.sealed()
        self.assertIn(f"SEALED {NAME} to boot ", out)
        self.state("check")
        path = self.stack.dir / "item.json"
        path.write_bytes(
            client.request(self.stack.oracle_url("/price/BTC-USD")).body)
        self.assertEqual(self.stack.verify(path).returncode, 0)

    def test_wrong_token(self):
        """a token that is wrong by one bit is refused"""
        self.without_key()
        wrong = chr(ord(self.token[0]) ^ 1) + self.token[1:]
        done = self.stack.seal(token=wrong)
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("SECRET_REFUSED", done.stdout)
        hashed = hashlib.sha256(self.token.encode()).hexdigest()
        self.assertEqual(self.stack.seal(token=hashed).returncode, 5)
        self.state("failed", "no_key")

    def test_wrong_key(self):
        """a key that the API refuses is seen, and replaced by another"""
        self.without_key()
        self.sealed(secret="a-key-that-is-nobodys")
        self.state("failed", "auth")
        self.sealed()
        self.assertEqual(self.stack.source()["error"], "auth")

    def test_another_place(self):
        """a message is for one start, one name, and once"""
        with contextlib.closing(Recorder(self.stack.oracle_port)) as between:
            self.sealed(url=f"http://127.0.0.1:{between.port}")
        body, = set(posted(between))
        self.assertEqual(self.stack.post(body), (409, "SECRET_STALE"))
        self.assertEqual(self.stack.post(body, "another_api_key"),
                         (404, "SECRET_UNKNOWN"))
        self.without_key()
        self.assertEqual(self.stack.post(body), (403, "SECRET_REFUSED"))
        self.state("failed", "no_key")

    def test_altered(self):
        """a message that was cut or changed on its way is refused"""
        self.without_key()
        with liar(self.stack.oracle_url("")) as (relay, url):
            self.stack.seal(url=url)
        body, = relay.taken
        cut = [body[:-1], body[:len(body) // 2], b"", body + b"\0",
               body[:-1] + bytes([body[-1] ^ 1]),
               body.replace(bytes.fromhex("60864801650304012e"),
                            bytes.fromhex("60864801650304012a"))]
        for changed in cut:
            self.assertNotEqual(changed, body)
            self.assertEqual(self.stack.post(changed), (403, "SECRET_REFUSED"))
        self.state("failed", "no_key")
        self.assertEqual(self.stack.post(body), (200, None))

    def test_no_way_out(self):
        """a secret cannot be asked for"""
        self.assertEqual(self.stack.post(None, method="GET"),
                         (405, "METHOD_NOT_ALLOWED"))

    def test_nobody_else_learns(self):
        """who records all bytes, reads the logs and every page learns nothing
        """
        with contextlib.closing(Recorder(self.stack.oracle_port)) as between:
            url = f"http://127.0.0.1:{between.port}"
            self.sealed(url=url)
            self.stack.seal(url=url, token=self.token[:-1] + "x")
        self.assertGreaterEqual(len(posted(between)), 2)
        pages = b"".join(client.request(self.stack.oracle_url(page)).body
                         for page in ("/metrics", "/sources", "/attestation",
                                      "/openapi.json", "/feeds", "/version",
                                      "/price/BTC-USD"))
        self.assertIn(b"seal_public_key", pages)
        logs = b"".join(path.read_bytes()
                        for path in self.stack.dir.glob("*.log"))
        self.assertIn(b"secrets stored name=" + NAME.encode(), logs)
        recorders = [between, self.stack.near, *self.stack.far.values()]
        seen = b"".join(bytes(r.sent + r.received) for r in recorders)
        self.assertIn(b"CONNECT pro-api.coinmarketcap.com:443", seen)
        for text in (KEY, self.token, self.token[:-1] + "x"):
            for form in (text.encode(), text.encode().hex().encode(),
                         base64.b64encode(text.encode())[:-4]):
                for where in (seen, pages, logs):
                    self.assertNotIn(form, where)

    def test_lying_relay(self):
        """a relay cannot put its own key in, nor say that it has delivered"""
        done = run("hallmark", "attest", self.stack.oracle_url(""),
                   "--policy", self.stack.policy, "--json")
        theirs = json.loads(done.stdout)["seal_public_key"]
        ours = key_of_its_own(self.stack.dir)

        def swap(body):
            answer = json.loads(body)
            self.assertEqual(answer["seal_public_key"], theirs)
            return json.dumps(answer | {"seal_public_key": ours}).encode()

        with liar(self.stack.oracle_url(""), swap) as (relay, url):
            done = self.stack.seal(url=url)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertEqual(relay.taken, [])

        def receipt(body):
            return json.dumps({"content": json.dumps({
                "format": "hallmark-secret-receipt/1", "boot_id": "00" * 16,
                "name": NAME, "cms_sha256": hashlib.sha256(body).hexdigest()}),
                "signature_b64": base64.b64encode(bytes(256)).decode()
            }).encode()

        with liar(self.stack.oracle_url(""), receipt=receipt) as (relay, url):
            done = self.stack.seal(url=url)
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("FORGED", done.stdout)
            self.assertEqual(len(relay.taken), 1)

    def test_another_policy(self):
        """nothing is sent to an enclave that the policy does not accept"""
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"][0]["pcrs"]["0"] = "ab" * 48
        path = settings.write_json(self.stack.dir / "other.json", policy)
        with liar(self.stack.oracle_url("")) as (relay, url):
            done = self.stack.seal(url=url, policy=path)
            self.assertEqual(done.returncode, 5, done.stdout)
            self.assertIn("nothing was sent", done.stdout)
            self.assertEqual(relay.taken, [])

    def test_flood(self):
        """under a flood of messages with a wrong token the right one is taken,
        prices go on, and the log does not fill"""
        self.without_key()
        with liar(self.stack.oracle_url("")) as (relay, url):
            self.stack.seal(url=url, token=secrets.token_hex(32))
        wrong, = relay.taken    # all that is wrong shows when it is opened
        before = client.request(self.stack.oracle_url("/price/BTC-USD"))
        lines = self.stack.programs["oracle"].log().count("secrets refused")
        over, answers = threading.Event(), []

        def flood():
            while not over.is_set():
                answers.append(self.stack.post(wrong))
        threads = [threading.Thread(target=flood) for _ in range(24)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            wait_until("the flood", lambda: len(answers) > 200, SHOWS_S)
            self.sealed()
            self.assertFalse(over.is_set())
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(answers), {(403, "SECRET_REFUSED")})
        seconds = time.monotonic() - began
        self.assertLessEqual(
            self.stack.programs["oracle"].log().count("secrets refused")
            - lines, seconds + 2)
        self.state("check")
        after = client.request(self.stack.oracle_url("/price/BTC-USD"))
        self.assertGreater(client.content_of(after.json())["sequence"],
                           client.content_of(before.json())["sequence"])

    def test_usage(self):
        """what the enclave would refuse is not sent"""
        for how, why in (({"token": "short"}, "token"),
                         ({"secret": ""}, "secret"),
                         ({"secret": "two words"}, "secret"),
                         ({"secret": "x" * 513}, "secret"),
                         ({"name": "No"}, "NAME")):
            done = self.stack.seal(**how)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(why, done.stderr)
        done = run("hallmark", "seal", "--help")
        self.assertIn("--token-file", done.stdout)


class OverChannel(unittest.TestCase):
    def test_attested_channel(self):
        """over https+attested:// too, and not to who is in between"""
        stack = SealingOverTls(secrets.token_hex(32))
        self.addCleanup(stack.stop)
        stack.start()
        with Between(stack.oracle_port, stack.dir) as port:
            done = stack.seal(url=f"https+attested://127.0.0.1:{port}")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("nothing was sent", done.stdout)
        self.assertEqual(stack.source()["error"], "no_key")
        done = stack.seal(url=f"https+attested://127.0.0.1:"
                              f"{stack.oracle_port}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until("CoinMarketCap is asked",
                   lambda: stack.source()["state"] == "check", SHOWS_S)


if __name__ == "__main__":
    unittest.main()
