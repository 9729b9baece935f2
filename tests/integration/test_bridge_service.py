"""The bridge as a service: ready when it listens, sockets that the service
manager has opened, a drain that is told about, and no privilege left.
"""

import fcntl
import json
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import time
import unittest

import client
import settings
import support
from bridge_ends import DEADLINE_S, End
from program import Program, wait_until
from stack import BIN, Stack

DRAIN = {"drain_timeout_ms": 60000}


class Manager:
    """The datagram socket of a service manager; '@': an abstract one."""

    def __init__(self, address):
        self.address = str(address)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address.replace("@", "\0"))
        self.socket.settimeout(DEADLINE_S)

    def hear(self):
        """The next message, as a dictionary."""
        text = self.socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())


class Service(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.listen(self.dir / "notify")
        self.near = End("tcp", self.dir, "near")
        self.far = End("unix", self.dir, "far")
        self.server = self.far.listen()
        self.addCleanup(self.server.close)
        self.out = End("unix", self.dir, "out")
        self.allow = self.dir / "allow"
        self.allow.write_text("a.example:443\n")

    def listen(self, address):
        self.manager = Manager(address)
        self.addCleanup(self.manager.socket.close)

    def shortDescription(self):
        return f"bridge service: {super().shortDescription()}"

    def start(self, sockets=(), **more):
        """With these sockets as descriptors from 3 on."""
        config = self.dir / "bridge.json"
        config.write_text(json.dumps({
            "inbound": [{"listen": self.near.listen_uri,
                         "connect": self.far.uri}],
            "outbound": [{"listen": self.out.listen_uri,
                          "allowlist": "allow"}], **more}))
        copies = ()
        script = f"export NOTIFY_SOCKET={self.manager.address}; "
        if sockets:
            # First out of the way of 3, 4, ...
            copies = [fcntl.fcntl(sock, fcntl.F_DUPFD, 50)
                      for sock in sockets]
            for i, copy in enumerate(copies):
                self.addCleanup(os.close, copy)
                script += f"exec {3 + i}<&{copy} {copy}<&-; "
            script += f"export LISTEN_PID=$$ LISTEN_FDS={len(sockets)}; "
        script += 'exec "$@"'
        # bash: a dash knows descriptors of one digit only
        argv = ["/bin/bash", "-c", script, "bash",
                str(BIN / "vsock-bridge"), str(config)]
        self.program = Program("bridge", argv, self.dir / "log")
        self.program.pass_fds = tuple(copies)
        self.program.start()
        self.addCleanup(self.program.kill)

    def ready(self, **more):
        self.start(**more)
        message = self.manager.hear()
        self.assertEqual(message.get("READY"), "1", message)

    def pair(self):
        near = self.near.connect()
        self.addCleanup(near.close)
        self.server.settimeout(DEADLINE_S)
        far, _ = self.server.accept()
        self.addCleanup(far.close)
        far.settimeout(DEADLINE_S)
        return near, far

    def status(self):
        pid = self.program.process.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)

    # ---- ready, reload ----

    def test_ready(self):
        """READY=1 comes when clients can come"""
        self.ready()
        near, far = self.pair()
        near.sendall(b"ping")
        self.assertEqual(far.recv(4), b"ping")

    def test_abstract(self):
        """an abstract socket can be told from inside the sandbox, too"""
        self.listen(f"@{self.dir.name}")
        self.ready()
        self.stop()
        self.assertEqual(self.program.process.wait(DEADLINE_S), 0)

    def test_reload(self):
        """a reload is told, and whether the allow-list was good"""
        self.ready()
        for text, good in (("b.example:443\n", True), ("no rule\n", False)):
            fresh = self.dir / "fresh"  # as editors do it
            fresh.write_text(text)
            fresh.rename(self.allow)
            before = time.monotonic_ns() // 1000
            self.program.process.send_signal(1)
            message = self.manager.hear()
            self.assertEqual(message.get("RELOADING"), "1")
            self.assertGreaterEqual(int(message["MONOTONIC_USEC"]), before)
            message = self.manager.hear()
            self.assertEqual(message.get("READY"), "1")
            self.assertEqual("invalid" not in message["STATUS"], good)

    # ---- sockets of the manager ----

    def test_activation(self):
        """a client that came before the bridge was started is served"""
        listeners = [self.near.listen(), self.out.listen()]
        for listener in listeners:
            self.addCleanup(listener.close)
        early = self.near.connect()
        self.addCleanup(early.close)
        early.sendall(b"early")
        self.ready(sockets=listeners)
        far, _ = self.server.accept()
        self.addCleanup(far.close)
        self.assertEqual(far.recv(5), b"early")
        with self.out.connect() as out:
            out.sendall(b"CONNECT b.example:443 HTTP/1.1\r\n"
                        b"Host: b.example:443\r\n\r\n")
            self.assertIn(b" 403 ", out.recv(100))

    def test_wrong_socket(self):
        """a socket that no rule is for: it does not start, and says which"""
        other = End("tcp", self.dir, "other")
        listener = other.listen()
        self.addCleanup(listener.close)
        self.start(sockets=[listener])
        self.assertEqual(self.program.process.wait(DEADLINE_S), 1)
        self.assertIn("inherited descriptor 3: no rule listens at "
                      + other.uri, self.program.log())

    # ---- the end ----

    def stop(self):
        self.program.process.terminate()
        message = self.manager.hear()
        self.assertEqual(message.get("STOPPING"), "1", message)
        return message

    def test_drain(self):
        """after SIGTERM a transfer is finished, and nobody else is taken"""
        self.ready(**DRAIN)
        near, far = self.pair()
        size, got = 32 << 20, []
        sender = threading.Thread(target=near.sendall, args=(b"x" * size,))
        sender.start()
        got.append(len(far.recv(1)))
        message = self.stop()
        self.assertEqual(int(message["EXTEND_TIMEOUT_USEC"]), 65000000)
        wait_until("nobody listens", self.is_closed, DEADLINE_S)
        while got[0] < size:
            got[0] += len(far.recv(1 << 20))
        sender.join()
        near.close()
        self.assertEqual(far.recv(1), b"")
        far.close()
        self.assertEqual(self.program.process.wait(DEADLINE_S), 0)
        self.assertNotIn("aborting", self.program.log())

    def is_closed(self):
        try:
            self.near.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    def test_drain_ends(self):
        """after drain_timeout_ms what is left is reset"""
        self.ready(drain_timeout_ms=200)
        near, far = self.pair()
        self.stop()
        with self.assertRaises(ConnectionResetError):
            near.recv(1)
        self.assertEqual(far.recv(1), b"")
        self.assertEqual(self.program.process.wait(DEADLINE_S), 0)
        self.assertIn("aborting", self.program.log())

    def test_second_signal(self):
        """a second SIGTERM ends it at once"""
        self.ready(**DRAIN)
        near, _ = self.pair()
        self.stop()
        time.sleep(0.2)
        self.assertTrue(self.program.running())
        began = time.monotonic()
        self.program.process.terminate()
        self.assertEqual(self.program.process.wait(DEADLINE_S), 0)
        self.assertLess(time.monotonic() - began, 30)
        with self.assertRaises(ConnectionResetError):
            near.recv(1)

    # ---- least privilege ----

    def test_no_privilege(self):
        """once it listens it has no capability and a filter for calls"""
        self.ready()
        status = self.status()
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertIn(" sandbox on ", self.program.log())

    def test_insecure(self):
        """insecure_no_sandbox: none of it, and the log says so"""
        self.ready(insecure_no_sandbox=True)
        self.assertEqual(self.status()["Seccomp"],
                         self.own_status("Seccomp"))
        self.assertIn(" sandbox off ", self.program.log())

    @staticmethod
    def own_status(name):
        with open("/proc/self/status", encoding="ascii") as file:
            return next(line.split()[1] for line in file
                        if line.startswith(name + ":"))

    def test_lookup(self):
        """names are looked up inside the sandbox, by threads started there"""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(DEADLINE_S)
            port = server.getsockname()[1]
            self.allow.write_text(
                f"localhost:{port} any-protocol allow-private\n")
            self.ready()
            with self.out.connect() as out:
                out.sendall(f"CONNECT localhost:{port} HTTP/1.1\r\n"
                            f"Host: localhost:{port}\r\n\r\n".encode())
                self.assertIn(b" 200 ", out.recv(100))
                far, _ = server.accept()
                with far:
                    out.sendall(b"ping")
                    self.assertEqual(far.recv(4), b"ping")
        self.assertTrue(self.program.running())

    def test_metrics(self):
        """the metrics are served inside the sandbox, and count"""
        at = End("tcp", self.dir, "metrics")
        self.ready(metrics=at.uri, connections_per_peer_max=1)
        self.pair()
        with self.assertRaises(ConnectionResetError):
            # It may be reset before connect() has looked.
            with self.near.connect() as refused:
                refused.recv(1)
        reply = client.request(at.uri.replace("tcp:", "http:") + "/metrics")
        self.assertEqual(reply.status, 200)
        labels = f'direction="inbound",listen="{self.near.uri}"'
        lines = reply.body.decode().splitlines()
        for line in (
                f"vsock_bridge_connections_open{{{labels}}} 1",
                f'vsock_bridge_connections_refused_total{{{labels},'
                'reason="connections_per_peer_max"} 1'):
            self.assertIn(line, lines)


class ProxiedStack(Stack):
    """The bridge tells the oracle who the clients are."""

    def write_configs(self):
        super().write_configs()
        for name, change in (("bridge", self.tell), ("oracle", self.expect)):
            config = json.loads(self.config(name).read_text())
            change(config)
            settings.write_json(self.config(name), config)

    @staticmethod
    def tell(config):
        config["inbound"][0]["proxy_protocol"] = True

    @staticmethod
    def expect(config):
        config["listen_proxy_protocol"] = True


class Proxied(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = ProxiedStack(support.fast_feeds(), verifierd=False)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def shortDescription(self):
        return f"bridge service: {super().shortDescription()}"

    def test_price(self):
        """the oracle serves behind PROXY headers"""
        page = self.stack.oracle_url("/price/BTC-USD")
        wait_until("a price", lambda: client.ready(page), DEADLINE_S)

    def test_no_header(self):
        """a connection without one is closed without an answer"""
        for first in (b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
                      b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(DEADLINE_S)
                sock.connect(str(self.stack.dir / "oracle.sock"))
                sock.sendall(first)
                self.assertEqual(self.rest(sock), b"")
        wait_until("a log line", lambda: "proxy_header_refused"
                   in self.stack.programs["oracle"].log(), DEADLINE_S)

    @staticmethod
    def rest(sock):
        try:
            return sock.recv(100)
        except ConnectionResetError:
            return b""


if __name__ == "__main__":
    unittest.main()
