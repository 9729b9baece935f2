"""The attested channel, from the client's side: hallmark attest, watch and
hallmark-verifierd over https+attested://, and all who would like to be in
between."""

import concurrent.futures
import contextlib
import copy
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

import client
import settings
import support
from between import Between
from program import wait_until
from stack import Stack, run
from test_attested_tls import Connection, TlsStack

MANY = 24  # nonces at once
LOST_S = 15


class ChannelStack(TlsStack):
    """An oracle with TLS of its own, and a verifier daemon that pins it
    through `switch`, which can lead to somebody else."""

    def __init__(self):
        Stack.__init__(self, support.fast_feeds())
        self.switch = Switch(self.oracle_port)

    def attested(self, port=None):
        return f"https+attested://127.0.0.1:{port or self.oracle_port}"

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("verifierd").read_text())
        settings.write_json(self.config("verifierd"), {
            **config, "oracles": [self.attested(self.switch.port)]})

    def stop(self, keep=False):
        codes = super().stop(keep)
        self.switch.close()
        return codes


class Switch:
    """A TCP relay that leads where `target` says; what it carries now ends
    when it is turned."""

    def __init__(self, target):
        self.target, self.ends = target, []
        self.listener = socket.create_server(
            ("127.0.0.1", settings.free_ports(1)[0]))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def turn(self, target):
        self.target = target
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends = []

    def close(self):
        self.turn(0)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(one,),
                                 daemon=True).start()

    def _serve(self, one):
        try:
            other = socket.create_connection(("127.0.0.1", self.target))
        except (OSError, OverflowError):
            one.close()
            return
        self.ends += [one, other]
        threading.Thread(target=self._pass_on, args=(other, one),
                         daemon=True).start()
        self._pass_on(one, other)

    @staticmethod
    def _pass_on(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def replaying(answer):
    """An HTTP server that has this one answer for everybody."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class ChannelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = ChannelStack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def attest(self, url, *more, code=0):
        done = run("hallmark", "attest", url, "--policy", self.stack.policy,
                   *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def ask(self, path):
        connection = Connection(self.stack.oracle_port)
        with contextlib.closing(connection):
            status, body = connection.get(path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def peer(self):
        connection = Connection(self.stack.oracle_port)
        with contextlib.closing(connection):
            return connection.peer()


class Attest(ChannelTest):
    """hallmark attest, and hallmark watch of such an address"""

    def test_attested(self):
        """the key of this connection is the attested one"""
        said = self.attest(self.stack.attested())
        self.assertIn("ok    tls_key", said)
        self.assertIn("this connection ends in that enclave", said)
        told = json.loads(self.attest(self.stack.attested(), "--json"))
        self.assertEqual(told["tls_spki_sha256"], self.peer())
        self.assertTrue(told["bound"])

    def test_pin_for_curl(self):
        """curl takes the pin, and refuses all others"""
        pin = json.loads(self.attest(self.stack.attested(), "--json"))["pin"]
        url = f"https://127.0.0.1:{self.stack.oracle_port}/version"
        argv = ["curl", "-sS", "--insecure", "--pinnedpubkey"]
        done = subprocess.run([*argv, pin, url], capture_output=True,
                              timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        with Between(self.stack.oracle_port, self.stack.dir) as port:
            done = subprocess.run(
                [*argv, pin, f"https://127.0.0.1:{port}/version"],
                capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 90, done.stderr)

    def test_relay(self):
        """a relay with a key of its own is refused, and gets nothing"""
        with Between(self.stack.oracle_port, self.stack.dir) as port:
            said = self.attest(self.stack.attested(port), code=3)
            self.assertIn("FAIL  tls_key", said)
            self.assertIn("REFUSED key_not_attested", said)
            done = run("hallmark", "watch", self.stack.attested(port),
                       "--policy", self.stack.policy, "--for", "3")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn("not attested: ", done.stderr)
        self.assertIn("key_not_attested", done.stderr)

    def test_replayed(self):
        """an answer that was given before is not one to our nonce"""
        old = self.ask(f"/attestation?nonce={os.urandom(32).hex()}")
        with replaying(json.dumps(old).encode()) as url:
            said = self.attest(url, code=5)
            self.assertIn("REFUSED nonce_mismatch", said)

    def test_another_oracle(self):
        """the document of another oracle is not ours"""
        stranger = TlsStack()
        self.addCleanup(stranger.stop)
        stranger.start()
        said = self.attest(f"https+attested://127.0.0.1:"
                           f"{stranger.oracle_port}", code=4)
        self.assertIn("REFUSED root_untrusted", said)

    def test_no_tls_of_its_own(self):
        """a plain server is no attested channel"""
        done = run("hallmark", "attest",
                   f"https+attested://127.0.0.1:{self.stack.verifierd_port}",
                   "--policy", self.stack.policy)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)

    def many_at_once(self):
        """Answers to nonces that share a document, with their nonces."""
        def ask(nonce):
            return nonce, self.ask(f"/attestation?nonce={nonce}")

        with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
            got = pool.map(ask, [os.urandom(32).hex() for _ in range(MANY)])
        return [(n, answer) for n, answer in got if "nonce_path" in answer]

    def test_batch(self):
        """each of many has its path; a wrong one leads nowhere"""
        shared = wait_until("nonces share a document", self.many_at_once, 30)
        (nonce, answer), (other, _) = shared[0], shared[1]
        path = self.stack.dir / "answer.json"

        def verify(changed, with_nonce, code):
            settings.write_json(path, changed)
            done = self.stack.verify(path, "--nonce", with_nonce)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)

        verify(answer, nonce, 0)
        verify(answer, other, 5)
        wrong = copy.deepcopy(answer)
        first = wrong["nonce_path"]["path"][0]
        wrong["nonce_path"]["path"][0] = ("1" if first[0] != "1" else "2") \
            + first[1:]
        verify(wrong, nonce, 5)
        wrong = copy.deepcopy(answer)
        wrong["nonce_path"]["index"] ^= 1
        verify(wrong, nonce, 5)
        del wrong["nonce_path"]
        verify(wrong, nonce, 5)

    def test_watch(self):
        """hallmark watch attests first, then follows"""
        done = run("hallmark", "watch", self.stack.attested(), "--policy",
                   self.stack.policy, "--until", "verified", "--for", "30")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("hallmark watch: attested: ", done.stderr)
        self.assertIn("TLS ends in the enclave itself (simulated", done.stderr)
        self.assertIn("valid (SIMULATED)", done.stdout)


class Pinned(ChannelTest):
    """hallmark-verifierd, pinned to an oracle's key"""

    def boot(self):
        """Of the verifier's newest item."""
        item = support.price(self.stack, "BTC-USD", sources=1)
        return item and client.content_of(item)["boot_id"]

    def fresh(self):
        """An item that was published after now comes."""
        after = support.now_ms()
        wait_until("a new price", lambda: support.price(
            self.stack, "BTC-USD", after, sources=1), support.SEEN_S)

    def log_has(self, text):
        return text in self.stack.programs["verifierd"].log_path.read_text()

    def test_between_and_back(self):
        """who steps in between stops it, gets nothing, and is forgotten"""
        switch = self.stack.switch
        self.fresh()
        with Between(self.stack.oracle_port, self.stack.dir) as port:
            switch.turn(port)
            wait_until("it is found out", lambda: self.log_has(
                "key_not_attested"), LOST_S)
            said = client.request(self.stack.url("/readyz")).json()
            self.assertIn("not attested: refused as key_not_attested",
                          said["checks"]["oracles"])
            switch.turn(self.stack.oracle_port)
        self.fresh()
        log = self.stack.programs["verifierd"].log_path.read_text()
        self.assertRegex(log, r"attested.*tls_spki_sha256\W+" + self.peer())

    @staticmethod
    def until_boot(watch, boot_id):
        """What hallmark watch tells up to the first item of this boot."""
        events = []
        while line := watch.stdout.readline():
            events.append(json.loads(line))
            if events[-1]["event"] == "item" and \
                    events[-1]["item"]["boot_id"] == boot_id:
                break
        return events

    def test_restart(self):
        """another start has another key: attested anew, all by itself"""
        self.fresh()
        before, key = self.boot(), self.peer()
        argv = [self.stack.bin / "hallmark", "watch", self.stack.attested(),
                "--policy", self.stack.policy, "--json", "--for", "60"]
        watch = subprocess.Popen(argv, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(watch.communicate)
        self.addCleanup(watch.kill)
        events = self.until_boot(watch, before)
        self.assertEqual(self.stack.programs["oracle"].stop(), 0)
        self.stack.restart("oracle")
        self.stack.wait_ready("oracle")
        self.assertNotEqual(self.peer(), key)
        after = wait_until("items of the new boot", lambda: self.boot() not in
                           (None, before) and self.boot(), support.SEEN_S)
        events += self.until_boot(watch, after)
        watch.send_signal(signal.SIGINT)
        self.assertEqual([e["event"] for e in events].count("attested"), 2)
        self.assertFalse([e for e in events if e.get("refused")])


if __name__ == "__main__":
    unittest.main()
