"""`hallmark watch`: a stream, verified as it comes; what ends it, and how it
says so. A server that goes costs no item, a proxy that alters one is found."""

import contextlib
import http.client
import json
import os
import pty
import re
import signal
import socketserver
import subprocess
import threading
import unittest

import settings
import support
from program import wait_until

ENDS_S = 30  # a ceiling
LINE = (r"(?m)^20\d\d-\d\d-\d\dT\S+Z  (BTC|ETH|USDT)-USD +\d+\.\d+ \+- \d+\.\d+ +"
        r"\d/\d sources  age -?\d+\.\d s  valid \(SIMULATED\)$")


class Proxy:
    """Hands a server's answers on, and changes them: `change` gets each line
    of a stream, and each other body."""

    def __init__(self, port, change):
        outer = self
        self.target, self.change = port, change

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    outer.serve(self.rfile, self.wfile)

        self.server = socketserver.ThreadingTCPServer(
            ("127.0.0.1", settings.free_ports(1)[0]), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def serve(self, request, answer):
        path = request.readline().decode().split(" ")[1]
        while request.readline().strip():
            pass
        upstream = http.client.HTTPConnection("127.0.0.1", self.target)
        upstream.request("GET", path)
        reply = upstream.getresponse()
        kind = reply.headers["Content-Type"]
        answer.write(f"HTTP/1.1 {reply.status} X\r\nContent-Type: {kind}\r\n"
                     "Connection: close\r\n\r\n".encode())
        lines = reply if "event-stream" in kind else [reply.read()]
        for line in lines:
            answer.write(self.change(path, line))
            answer.flush()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def other_price(path, line):
    """The first digit of a signed price is another one."""
    if not path.startswith("/stream"):
        return line
    return re.sub(rb'(\\"price\\":\\")(\d)', lambda m: m[1] + (
        b"1" if m[2] != b"1" else b"2"), line)


def no_document(path, line):
    if path.startswith("/attestations/"):
        return b"x" + line
    return b"" if b"attestation_doc_b64" in line else line


class WatchTest(support.StackTest):
    def argv(self, url, *more, policy=True):
        trust = ["--policy", self.stack.policy] if policy else []
        return [str(word) for word in [
            self.stack.bin / "hallmark", "watch", url, *trust, *more]]

    def watch(self, url, *more, **trust):
        return subprocess.run(self.argv(url, *more, **trust), text=True,
                              capture_output=True, timeout=2 * ENDS_S,
                              check=False)

    def start(self, url, *more):
        """In the background, as NDJSON; events are in self.events."""
        self.events = []
        process = subprocess.Popen(self.argv(url, "--json", *more), text=True,
                                   stdout=subprocess.PIPE)
        reader = threading.Thread(target=lambda: self.events.extend(
            map(json.loads, self.lines(process))), daemon=True)
        reader.start()

        def stop():
            process.kill()
            process.wait()
            reader.join(ENDS_S)
            process.stdout.close()
        self.addCleanup(stop)
        self.reader = reader
        return process

    @staticmethod
    def lines(process):
        yield from process.stdout

    def named(self, name):
        return [event for event in list(self.events)
                if event["event"] == name]

    def sequences(self, feed):
        return [event["item"]["sequence"] for event in self.named("item")
                if event["item"] and event["item"]["feed"] == feed]

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        code = process.wait(ENDS_S)
        self.reader.join(ENDS_S)
        return code

    def both(self):
        return {"verifier": self.stack.url(""),
                "oracle": self.stack.oracle_url("")}.items()

    def proxy(self, change, port=None):
        proxy = Proxy(port or self.stack.oracle_port, change)
        self.addCleanup(proxy.close)
        return proxy.url


class Verified(WatchTest):
    """What is shown, and what ends it."""

    def test_lines(self):
        """each item of an oracle and of a verifier is a verified line"""
        for name, url in self.both():
            done = self.watch(url, "--for", 4)
            self.assertEqual(done.returncode, 0, name + done.stderr)
            lines = done.stdout.splitlines()
            self.assertGreater(len(lines), 3, name)
            for line in lines:
                self.assertRegex(line, LINE)
            self.assertIn(f"end: {len(lines)} verified, 0 refused",
                          done.stderr)

    def test_until_verified(self):
        """--until verified ends with the first verified item"""
        for name, url in self.both():
            done = self.watch(url, "--until", "verified", "--for", ENDS_S)
            self.assertEqual(done.returncode, 0, name + done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_until_price(self):
        """--until FEED>PRICE ends where the price is, and else by --for"""
        url = self.stack.url("")
        for condition, code in (("BTC-USD>1", 0), ("BTC-USD<99999999.5", 0),
                                ("BTC-USD<1", 9), ("ETH-USD>99999999.5", 9)):
            done = self.watch(url, "--until", condition, "--for",
                              3 if code else ENDS_S)
            self.assertEqual(done.returncode, code, condition + done.stderr)
            if code == 0:
                self.assertIn("BTC-USD", done.stdout.splitlines()[-1])

    def test_feed(self):
        """--feed gives that feed only; one that is not there is named"""
        url = self.stack.url("")
        done = self.watch(url, "--feed", "ETH-USD", "--for", 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ETH-USD", done.stdout)
        self.assertNotIn("BTC-USD", done.stdout)
        for more in (("--feed", "NO-SUCH"), ("--until", "NO-SUCH>1")):
            done = self.watch(url, *more, "--for", ENDS_S)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, "no NO-SUCH; it has:.* BTC-USD")

    def test_json(self):
        """--json: verdict and item of each, then the end; SIGINT is 0"""
        process = self.start(self.stack.url(""))
        wait_until("six items", lambda: len(self.named("item")) >= 6, ENDS_S)
        self.assertEqual(self.interrupt(process), 0)
        for event in self.named("item"):
            self.assertEqual((event["verdict"], event["exit"]), ("valid", 0))
            self.assertEqual(event["item"]["document"]["platform"],
                             "simulated")
        end = self.events[-1]
        self.assertEqual((end["event"], end["exit"], end["refused"]),
                         ("end", 0, 0))
        self.assertEqual(end["verified"], len(self.named("item")))

    def test_terminal(self):
        """on a terminal it is a table, drawn in place, a row a feed"""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(
            self.argv(self.stack.url(""), "--for", "4"), stdout=theirs,
            stderr=subprocess.PIPE, text=True)
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while more := os.read(ours, 65536):
                text += more
        self.assertEqual(process.wait(ENDS_S), 0, process.stderr.read())
        process.stderr.close()
        print("# the table's last frame:\n" + "\n".join(
            "# " + line for line in re.sub(
                r"\x1b\[\??[0-9]*[A-Za-z]", "", text.decode().split(
                    "\x1b[?7l")[-1]).splitlines() if line), flush=True)
        self.assertIn(b"\x1b[3A", text)
        frame = text.split(b"\x1b[?7l")[-1]
        for feed in (b"BTC-USD", b"ETH-USD", b"USDT-USD"):
            self.assertEqual(frame.count(feed + b" "), 1, frame)

    def test_closed_pipe(self):
        """nobody reads any more: it ends"""
        process = self.start(self.stack.url(""))
        wait_until("an item", lambda: self.named("item"), ENDS_S)
        other = subprocess.Popen(self.argv(self.stack.url("")),
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(other.kill)
        other.stdout.readline()
        other.stdout.close()
        self.assertEqual(other.wait(ENDS_S), 1)
        self.assertEqual(self.interrupt(process), 0)


class Refused(WatchTest):
    """A proxy between, and other policies."""

    def test_tampered(self):
        """an altered price is refused, and is the exit code"""
        url = self.proxy(other_price)
        done = self.watch(url, "--for", 3)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"REFUSED item_signature \(exit 3\): ")
        self.assertNotIn("BTC-USD", done.stdout)
        done = self.watch(url, "--until", "verified", "--for", 3)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        done = self.watch(url, "--until", "refused", "--for", ENDS_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.watch(url, "--until", "refused", "--json", "--for",
                          ENDS_S)
        item = json.loads(done.stdout.splitlines()[-2])
        self.assertIsNone(item["item"])
        self.assertEqual((item["verdict"], item["exit"]),
                         ("item_signature", 3))

    def test_unaltered(self):
        """the same proxy that alters nothing is valid"""
        url = self.proxy(lambda path, line: line)
        done = self.watch(url, "--until", "verified", "--for", ENDS_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_fetched(self):
        """the document is fetched by its hash where no event brought it"""
        asked = []

        def hide(path, line):
            asked.append(path)
            return b"" if b"attestation_doc_b64" in line else line
        url = self.proxy(hide)
        done = self.watch(url, "--for", 4)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(done.stdout.splitlines()), 3)
        self.assertEqual(len([path for path in asked if path.startswith(
            "/attestations/")]), 1)

    def test_other_document(self):
        """other bytes than those that the item names are refused"""
        done = self.watch(self.proxy(no_document), "--until", "verified",
                          "--for", 3)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"REFUSED attestation_m\w+")

    def test_replayed(self):
        """an item that comes twice is refused the second time"""
        events = {}

        def twice(path, line):
            if line.startswith(b"data:") and b"hallmark/1" in line:
                events.setdefault("item", line)
                return (line + b"\nevent: price\n" + events["item"])
            return line
        done = self.watch(self.proxy(twice), "--until", "refused", "--for",
                          ENDS_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("REFUSED sequence_replay (exit 8)", done.stdout)

    def test_other_policy(self):
        """an enclave of another release is refused, with 5"""
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"][0]["pcrs"]["0"] = "ab" * 48
        other = settings.write_json(self.stack.dir / "other.json", policy)
        self.addCleanup(other.unlink)
        done = self.watch(self.stack.url(""), "--policy", other, "--for", 3,
                          policy=False)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)


class Usage(WatchTest):
    """Wrong calls, and nobody there."""

    def test_no_policy(self):
        """without a policy it does not even begin"""
        done = self.watch(self.stack.url(""), policy=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("what would you accept?", done.stderr)

    def test_nobody(self):
        """nobody there: said once, with what to do, and 9"""
        port = settings.free_ports(1)[0]
        done = self.watch(f"http://127.0.0.1:{port}", "--for", 2)
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertEqual(done.stderr.count("lost: "), 1, done.stderr)
        self.assertIn("Is it running", done.stderr)


    def test_no_answer(self):
        """a server that hangs at any step does not keep it from ending"""
        let_go = threading.Event()
        self.addCleanup(let_go.set)
        for step in ("/feeds", "/stream", "/attestations/"):
            def hang(path, line, step=step):
                if path.startswith(step):
                    let_go.wait(ENDS_S)
                return b"" if b"attestation_doc_b64" in line else line
            done = self.watch(self.proxy(hang), "--feed", "BTC-USD", "--for",
                              2)
            self.assertEqual(done.returncode, 9, step + done.stderr)
            self.assertEqual(done.stdout, "", step)


class Restarted(WatchTest):
    """On servers that are killed."""

    def assert_whole(self, feed):
        found = self.sequences(feed)
        self.assertEqual(found, list(range(found[0], found[0] + len(found))))
        return found

    def kill_and_restart(self, name, seconds_items=4):
        wait_until("items", lambda: len(self.sequences("BTC-USD")) >=
                   seconds_items, ENDS_S)
        self.stack.kill(name)
        wait_until("lost", lambda: self.named("lost"), ENDS_S)
        before = len(self.sequences("BTC-USD"))
        self.stack.restart(name)
        wait_until("items again", lambda: len(
            self.sequences("BTC-USD")) >= before + 4, 2 * ENDS_S)

    def test_bridge(self):
        """the oracle's bridge is killed: all items of that time come late
        or in time, none is missing"""
        process = self.start(self.stack.oracle_url(""))
        self.kill_and_restart("bridge")
        self.assertEqual(self.interrupt(process), 0)
        self.assert_whole("BTC-USD")
        self.assertEqual(self.events[-1]["missing"], 0)
        support.wait_prices(self.stack, support.now_ms())

    def test_verifier(self):
        """verifierd is killed: it resumes, and what is missing is counted"""
        process = self.start(self.stack.url(""))
        self.kill_and_restart("verifierd")
        code = self.interrupt(process)
        found = self.sequences("BTC-USD")
        self.assertEqual(found, sorted(set(found)))
        gaps = sum(event["missing"] for event in self.named("item"))
        self.assertEqual(code, 8 if gaps else 0, self.events[-1])
        self.assertEqual(self.events[-1]["missing"], gaps)
        span = found[-1] - found[0] + 1 - len(found)
        self.assertEqual(span, sum(
            event["missing"] for event in self.named("item")
            if event["item"]["feed"] == "BTC-USD"))


if __name__ == "__main__":
    unittest.main()
