"""The bridge as a proxy for programs that know nothing of it: curl, Python and
openssl; and what it does not let through. Where $HALLMARK_BRIDGE_KINDS is
vsock (in a guest), they reach it through a second bridge, as an enclave would.
"""

import contextlib
import http.client
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

import bridge_ends
import client
import settings
import support
from program import Failed, Program, wait_until
from stack import BIN, START_S

sys.path.insert(0, str(settings.ROOT / "tests" / "simulator"))
from certificates import Authority  # noqa: E402

HOSTS = ("good.test", "other.test", "a.b.star.test", "localhost")
BODY = b"a page behind the bridge\n"
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
CLIENT_S = 60   # for curl and the like; a ceiling
# Every answer of the bridge that can be a failure has its time: quick here.
LIMITS = {"connect_timeout_ms": 3000, "request_timeout_ms": 6000}


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """HTTPS for all of HOSTS, each with its own certificate by SNI."""

    def __init__(self, authority):
        super().__init__(("127.0.0.1", 0), Page)
        self.contexts = {host: self.context(authority, host)
                         for host in HOSTS}
        default = self.contexts[HOSTS[0]]
        default.sni_callback = self.choose
        self.socket = default.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @staticmethod
    def context(authority, host):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate(host, host))
        return context

    def choose(self, sock, name, _):
        if name in self.contexts:
            sock.context = self.contexts[name]

    def handle_error(self, *_):
        pass    # a client that left is the test's own doing


def black_hole():
    """A port where the handshake is never answered: the backlog is full."""
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    filler = socket.create_connection(hole.getsockname())
    return hole, filler


class Outbound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        authority = Authority(cls.dir / "ca")
        cls.ca = authority.ca
        cls.server = Server(authority)
        cls.addClassCleanup(cls.server.shutdown)
        cls.echo = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.echo.close)
        cls.hole, filler = black_hole()
        cls.addClassCleanup(filler.close)
        cls.addClassCleanup(cls.hole.close)
        cls.port, cls.metrics_port = settings.free_ports(2)
        cls.write_allowlist()
        listen = f"tcp://127.0.0.1:{cls.port}"
        if "vsock" in bridge_ends.KINDS:
            end = bridge_ends.End("vsock", cls.dir, "")
            cls.start("forward", {"inbound": [
                {"listen": listen, "connect": end.uri}]})
            listen = end.listen_uri
        cls.bridge = cls.start("bridge", {
            "outbound": [{"listen": listen, "allowlist": "allowlist.txt"}],
            "metrics": f"tcp://127.0.0.1:{cls.metrics_port}", **LIMITS})

    @classmethod
    def start(cls, name, settings_of_it):
        config = settings.write_json(cls.dir / f"{name}.json", settings_of_it)
        bridge = Program(name, [BIN / "vsock-bridge", config],
                         cls.dir / f"{name}.log")
        cls.addClassCleanup(bridge.stop)
        bridge.start()
        wait_until("the bridge listens", lambda: " listening " in bridge.log(),
                   START_S, bridge.must_run)
        return bridge

    @classmethod
    def write_allowlist(cls, more=""):
        there = f"tcp://127.0.0.1:{cls.server.server_port}"
        echo = cls.echo.getsockname()[1]
        hole = cls.hole.getsockname()[1]
        (cls.dir / "allowlist.txt").write_text(
            f"good.test:443 {there}\n"
            f"other.test:443 {there}\n"
            f"*.star.test:443 {there}\n"
            f"localhost:{cls.server.server_port} allow-private\n"
            f"localhost:{echo}\n"
            f"ssh.test:22 tcp://127.0.0.1:{echo} any-protocol\n"
            f"hole.test:443 tcp://127.0.0.1:{hole}\n"
            f"localhost:{hole} allow-private\n"
            "name.invalid:443\n" + more)

    def setUp(self):
        self.before = len(self.bridge.log())

    # ---- clients ----

    def curl(self, url, *more):
        """Its exit status, body, what the proxy answered to CONNECT."""
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(CLIENT_S),
             "--noproxy", "", "--proxy", f"http://127.0.0.1:{self.port}",
             "--cacert", self.ca, "--write-out", "\n%{http_connect}", *more,
             url], capture_output=True, timeout=2 * CLIENT_S)
        body, _, answer = done.stdout.rpartition(b"\n")
        return done.returncode, body, int(answer)

    def s_client(self, target, *more):
        done = subprocess.run(
            ["openssl", "s_client", "-proxy", f"127.0.0.1:{self.port}",
             "-connect", target, "-CAfile", self.ca, "-verify_return_error",
             *more], input=b"", capture_output=True, timeout=CLIENT_S)
        return done.returncode, done.stdout + done.stderr

    def tunnel(self, target):
        """A plain socket that was granted a CONNECT."""
        sock = socket.create_connection(("127.0.0.1", self.port), CLIENT_S)
        self.addCleanup(sock.close)
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            piece = sock.recv(1)
            self.assertTrue(piece, answer)
            answer += piece
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        return sock

    # ---- what the log says ----

    def lines(self):
        """Those about this test's connections."""
        return [line for line in self.bridge.log()[self.before:].splitlines()
                if " refused " in line]

    def assert_one_line(self, *words):
        wait_until("a log line", self.lines, support.SEEN_S)
        lines = self.lines()
        self.assertEqual(len(lines), 1, lines)
        for word in words:
            self.assertIn(word, lines[0])

    # ---- let through ----

    def test_curl(self):
        """curl --proxy works unchanged, and nothing is logged"""
        for url in ("https://good.test/", "https://other.test/",
                    "https://a.b.star.test/", "https://GOOD.test/",
                    f"https://localhost:{self.server.server_port}/"):
            self.assertEqual(self.curl(url), (0, BODY, 200), url)
        for version in ("--tlsv1.3", "--tls-max"):
            args = [version] + ["1.2"] * (version == "--tls-max")
            self.assertEqual(self.curl("https://good.test/", *args),
                             (0, BODY, 200))
        self.assertEqual(self.lines(), [])

    def test_python(self):
        """Python's http.client with set_tunnel works unchanged"""
        link = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=CLIENT_S,
            context=ssl.create_default_context(cafile=self.ca))
        self.addCleanup(link.close)
        link.set_tunnel("good.test", 443)
        link.request("GET", "/")
        self.assertEqual(link.getresponse().read(), BODY)
        self.assertEqual(self.lines(), [])

    def test_openssl(self):
        """openssl s_client -proxy works unchanged"""
        code, text = self.s_client("good.test:443", "-servername", "good.test")
        self.assertEqual(code, 0, text)
        self.assertIn(b"Verify return code: 0 (ok)", text)
        self.assertEqual(self.lines(), [])

    def test_any_protocol(self):
        """SSH passes where the rule says any-protocol"""
        sock = self.tunnel("ssh.test:22")
        sock.sendall(BANNER)
        far, _ = self.echo.accept()
        self.addCleanup(far.close)
        far.settimeout(CLIENT_S)
        self.assertEqual(far.recv(len(BANNER), socket.MSG_WAITALL), BANNER)
        self.assertEqual(self.lines(), [])

    # ---- refused after the 200 ----

    def test_other_name(self):
        """a ClientHello with another SNI is refused, by one log line"""
        code, _, answer = self.curl("https://good.test/", "--connect-to",
                                    "good.test:443:other.test:443")
        self.assertEqual((code, answer), (35, 200))
        self.assert_one_line("target=other.test:443",
                             "reason=wrong_server_name", "good.test")

    def test_alert(self):
        """its client hears unrecognized_name"""
        code, text = self.s_client("good.test:443", "-servername", "evil.test")
        self.assertNotEqual(code, 0)
        self.assertIn(b"unrecognized name", text)
        self.assert_one_line("reason=wrong_server_name", "evil.test")

    def test_sister_of_star(self):
        """below a star the SNI must be the host that was asked for"""
        code, _, answer = self.curl("https://a.b.star.test/", "--connect-to",
                                    "a.b.star.test:443:c.star.test:443")
        self.assertEqual((code, answer), (35, 200))
        self.assert_one_line("target=c.star.test:443",
                             "reason=wrong_server_name")

    def test_no_name(self):
        """a ClientHello without SNI is refused, by one log line"""
        code, _ = self.s_client("good.test:443", "-noservername")
        self.assertNotEqual(code, 0)
        self.assert_one_line("target=good.test:443", "reason=no_server_name")

    def test_plain_http(self):
        """plain HTTP is refused, by one log line"""
        code, _, answer = self.curl("http://good.test:443/", "--proxytunnel")
        self.assertEqual((code, answer), (52, 200))
        self.assert_one_line("target=good.test:443", "reason=not_tls")

    def test_ssh(self):
        """SSH is refused, by one log line"""
        sock = self.tunnel("good.test:443")
        sock.sendall(BANNER)
        self.assertEqual(sock.recv(100), b"")
        self.assert_one_line("target=good.test:443", "reason=not_tls")

    def test_silence(self):
        """a client that says nothing is refused in the end"""
        sock = self.tunnel("good.test:443")
        self.assertEqual(sock.recv(100), b"")
        self.assert_one_line("reason=request_timeout")

    # ---- refused with a status ----

    def assert_status(self, url, status, *words):
        code, _, answer = self.curl(url)
        self.assertEqual(answer, status, url)
        self.assertNotEqual(code, 0)
        self.assert_one_line(f"status={status}", *words)

    def test_not_listed(self):
        """what is not on the list is a 403"""
        self.assert_status("https://evil.test/", 403, "target=evil.test:443")

    def test_suffix_itself(self):
        """a star does not stand for nothing"""
        self.assert_status("https://star.test/", 403)

    def test_dns(self):
        """a name that does not exist is a 502; or a 504, if the machine's
        resolver does not answer"""
        code, _, answer = self.curl("https://name.invalid/")
        self.assertIn(answer, (502, 504))
        self.assertNotEqual(code, 0)
        self.assert_one_line(
            "target=name.invalid:443", "reason=dns_error" if answer == 502
            else "its name was not looked up in time")

    def test_prohibited(self):
        """a name that leads to this machine is a 502"""
        port = self.echo.getsockname()[1]
        self.assert_status(f"https://localhost:{port}/", 502,
                           "reason=destination_ip_prohibited")

    def test_black_hole(self):
        """an exchange that never answers is a 504"""
        self.assert_status("https://hole.test/", 504,
                           "reason=connection_timeout")

    def test_black_hole_by_name(self):
        """so is one that was looked up"""
        port = self.hole.getsockname()[1]
        self.assert_status(f"https://localhost:{port}/", 504,
                           "reason=connection_timeout")

    # ---- SIGHUP ----

    def hang_up(self, event):
        before = self.bridge.log().count(event)
        self.bridge.process.send_signal(signal.SIGHUP)
        wait_until(event, lambda: self.bridge.log().count(event) > before,
                   support.SEEN_S, self.bridge.must_run)
        return [line for line in self.bridge.log().splitlines()
                if event in line][-1]

    def test_hangup(self):
        """SIGHUP: a bad file keeps the old list and says so, a good one counts
        at once, and what was granted goes on"""
        self.addCleanup(self.hang_up, " allowlist_reloaded ")
        self.addCleanup(self.write_allowlist)
        there = f"tcp://127.0.0.1:{self.server.server_port}"
        granted = self.tunnel("ssh.test:22")
        far, _ = self.echo.accept()
        self.addCleanup(far.close)
        self.write_allowlist(f"new.test:443 {there}\n*.com:443\n")
        line = self.hang_up(" allowlist_kept ")
        self.assertRegex(line, r'error="line 11: a star needs two labels')
        self.assertEqual(self.curl("https://good.test/"), (0, BODY, 200))
        self.assertEqual(self.curl("https://new.test/")[2], 403)
        (self.dir / "allowlist.txt").write_text(f"other.test:443 {there}\n")
        self.hang_up(" allowlist_reloaded ")
        self.assertEqual(self.curl("https://other.test/"), (0, BODY, 200))
        self.assertEqual(self.curl("https://good.test/")[2], 403)
        granted.sendall(b"still here")
        far.settimeout(CLIENT_S)
        self.assertEqual(far.recv(10, socket.MSG_WAITALL), b"still here")

    # ---- counted ----

    def metric(self, name, **labels):
        """The sum of the samples with these labels."""
        reply = client.request(f"http://127.0.0.1:{self.metrics_port}/metrics")
        self.assertEqual(reply.status, 200)
        found = re.findall(rf"^{name}{{(.*)}} (\S+)$", reply.body.decode(),
                           re.M)
        self.assertTrue(found, name)
        return sum(float(value) for have, value in found
                   if all(f'{key}="{text}"' in have
                          for key, text in labels.items()))

    def test_counted(self):
        """each connection is counted once, where it belongs"""
        names = {"opened": "connections_opened_total",
                 "refused": "connections_refused_total",
                 "closed": "connections_closed_total"}

        def counts():
            return {key: self.metric("vsock_bridge_" + name)
                    for key, name in names.items()}

        def settled():
            return self.metric("vsock_bridge_connections_open") == 0

        wait_until("all is over", settled, support.SEEN_S)
        before = counts()
        reasons = ("wrong_server_name", "not_tls", "not_allowed")
        refused = {reason: self.metric(
            "vsock_bridge_connections_refused_total", reason=reason)
            for reason in reasons}
        lookups = self.metric("vsock_bridge_dns_seconds_count")
        attempts = self.metric("vsock_bridge_connect_seconds_count")
        self.curl("https://good.test/")
        self.curl("https://good.test/", "--connect-to",
                  "good.test:443:other.test:443")
        self.curl("http://good.test:443/", "--proxytunnel")
        self.curl("https://evil.test/")
        self.curl("https://name.invalid/")
        wait_until("all is over", settled, support.SEEN_S)
        after = counts()
        self.assertEqual(after["opened"] - before["opened"], 5)
        self.assertEqual(after["refused"] - before["refused"], 4)
        self.assertEqual(after["closed"] - before["closed"], 1)
        for reason in reasons:
            self.assertEqual(self.metric(
                "vsock_bridge_connections_refused_total", reason=reason),
                refused[reason] + 1, reason)
        self.assertEqual(self.metric("vsock_bridge_dns_seconds_count"),
                         lookups + 1)
        self.assertEqual(self.metric("vsock_bridge_connect_seconds_count"),
                         attempts + 3)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.bridge.process.pid}/fd"))

    def test_descriptors(self):
        """whatever becomes of a connection, it leaves no descriptor behind"""
        def all_kinds():
            for args in (("https://good.test/",), ("https://name.invalid/",),
                         ("https://evil.test/",), ("https://hole.test/",),
                         ("https://good.test/", "--connect-to",
                          "good.test:443:other.test:443"),
                         ("http://good.test:443/", "--proxytunnel")):
                self.curl(*args)
            self.tunnel("good.test:443").close()
            wait_until("all is over", lambda: self.metric(
                "vsock_bridge_connections_open") == 0, support.SEEN_S)

        all_kinds()     # what is opened once and kept
        before = self.descriptors()
        for _ in range(3):
            all_kinds()
        wait_until("no more than before",
                   lambda: self.descriptors() <= before, support.SEEN_S)

    @classmethod
    def tearDownClass(cls):
        """Whatever came, it ends as it should."""
        code = cls.bridge.stop()
        if code != 0:
            raise Failed(f"the bridge ended with status {code}")


if __name__ == "__main__":
    unittest.main()
