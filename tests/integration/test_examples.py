"""examples/: the relayer in C, built as its README says and run on verified,
altered and foreign prices. The others are run by make check-web."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import client
import support
from program import wait_until
from settings import ROOT
from stack import BIN

EXAMPLES = ROOT / "examples"
LINES_MAX = 79  # of an example
LIBRARY = BIN.parent / "lib" / "libhallmark.a"
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]


class Mirror(ThreadingHTTPServer):
    """Hands on what the verifier daemon answers, as somebody may alter it."""
    daemon_threads = True

    def __init__(self, stack):
        self.stack, self.alter = stack, lambda path, body: (path, body)
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path, _ = self.server.alter(self.path, b"")
        reply = client.request(self.server.stack.url(path))
        _, body = self.server.alter(self.path, reply.body)
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # it was killed meanwhile
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Relayer(support.StackTest):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.program = cls.dir / "relayer"
        for header in (ROOT / "verifier").glob("hallmark*.h"):
            shutil.copy(header, cls.dir)
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libcurl", "libcrypto",
             "libcbor", "jansson"], text=True, check=True,
            stdout=subprocess.PIPE).stdout.split()
        subprocess.run(["cc", *WARNINGS, "-I", cls.dir, "-o", cls.program,
                        EXAMPLES / "relayer.c", LIBRARY, *flags], check=True)

    def setUp(self):
        super().setUp()
        self.mirror = Mirror(self.stack)
        self.addCleanup(self.mirror.server_close)
        self.addCleanup(self.mirror.shutdown)

    def relay(self, policy=None, feed="BTC-USD"):
        """It runs; its lines so far, as a function."""
        log = self.dir / "log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [self.program, self.mirror.url(), feed,
                 policy or self.stack.policy],
                cwd=self.stack.dir, stdout=out, stderr=subprocess.STDOUT)

        def stop():
            process.kill()
            process.wait()
        self.addCleanup(stop)
        return lambda: log.read_text().splitlines()

    def wait_lines(self, lines, pattern, count):
        def found():
            return [line for line in lines() if re.fullmatch(pattern, line)]
        return wait_until(f"{count} times {pattern}", lambda: found()
                          if len(found()) >= count else None, support.SEEN_S)

    def test_prices(self):
        """the relayer prints each price once, as it comes"""
        lines = self.relay()
        self.wait_lines(lines, r"BTC-USD \d+\.\d+", 5)
        self.assertEqual([line for line in lines()
                          if not line.startswith("BTC-USD ")], [])

    def test_altered(self):
        """it refuses an altered price, and goes on with the next"""
        def alter(path, body):
            return path, body.replace(b'\\"price\\":\\"8', b'\\"price\\":\\"9')
        self.mirror.alter = alter
        lines = self.relay()
        self.wait_lines(lines, "relayer: item_signature", 2)
        self.assertFalse(any(line.startswith("BTC") for line in lines()))
        self.mirror.alter = lambda path, body: (path, body)
        self.wait_lines(lines, r"BTC-USD \d+\.\d+", 2)

    def test_another_feed(self):
        """it refuses a good price of another feed"""
        self.mirror.alter = lambda path, body: (
            path.replace("BTC-USD", "ETH-USD"), body)
        lines = self.relay()
        self.wait_lines(lines, "relayer: content_malformed", 2)
        self.assertFalse(any("USD" in line for line in lines()))

    def test_old_price(self):
        """it refuses a good price that it had before"""
        kept = {}

        def alter(path, body):
            return path, kept.setdefault("body", body) if body else body
        self.mirror.alter = alter
        lines = self.relay()
        self.wait_lines(lines, "relayer: sequence_replay", 1)
        self.wait_lines(lines, r"BTC-USD \d+\.\d+", 1)

    def test_policy(self):
        """it refuses what the policy does not accept, and no price is none"""
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"][0]["pcrs"]["0"] = "ab" * 48
        other = self.dir / "other.json"
        other.write_text(json.dumps(policy))
        self.wait_lines(self.relay(other), "relayer: pcr_mismatch", 1)
        self.wait_lines(self.relay(feed="NO-SUCH"), "relayer: none", 1)
        self.wait_lines(self.relay("absent.json"), "relayer: usage: .*", 1)


class Length(unittest.TestCase):
    def test_short(self):
        """an example is one page"""
        found = sorted(path for path in EXAMPLES.iterdir()
                       if path.suffix in (".c", ".mjs", ".html"))
        self.assertEqual(len(found), 3)
        for path in found:
            lines = path.read_text().splitlines()
            self.assertLessEqual(len(lines), LINES_MAX, path.name)
            self.assertLessEqual(max(map(len, lines)), 80, path.name)


if __name__ == "__main__":
    unittest.main()
