"""What the bridge does for an enclave's first process, and that process where
it is not the first. The two together: tests/unit/init/test_boot_bridge.c, and
in an emulated enclave make check-enclave.
"""

import re
import signal
import socket
import unittest

import client
import settings
import support
from program import Program, wait_until
from stack import BIN, START_S

CONFIG = b'{"listen": "vsock://any:8080", "attester": "nsm"}\n'
LINE = re.compile(r"(?m)^\S+Z info  enclave unix:pid=\d+,uid=\d+ \| (.*)$")


class Rules(support.Folder):
    def setUp(self):
        super().setUp()
        self.file = self.dir / "oracle.json"
        self.file.write_bytes(CONFIG)
        self.port = settings.free_ports(1)[0]
        config = settings.write_json(self.dir / "bridge.json", {
            "configuration": [{"listen": f"unix://{self.dir}/9001",
                               "file": "oracle.json"}],
            "logs": [{"listen": f"unix://{self.dir}/9002"}],
            "metrics": f"tcp://127.0.0.1:{self.port}"})
        self.bridge = Program("bridge", [BIN / "vsock-bridge", config],
                              self.dir / "log")
        self.bridge.start()
        self.addCleanup(self.bridge.stop)
        wait_until("the bridge listens", lambda: " metrics listen="
                   in self.bridge.log(), START_S, self.bridge.must_run)

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        sock.settimeout(support.SEEN_S)
        sock.connect(f"{self.dir}/{name}")
        return sock

    def take(self):
        with self.connect("9001") as sock, sock.makefile("rb") as file:
            return file.read()

    def metric(self, name):
        text = client.request(
            f"http://127.0.0.1:{self.port}/metrics").body.decode()
        return sum(int(number) for number in re.findall(
            rf"(?m)^vsock_bridge_{name}\{{.*\}} (\d+)$", text))

    def test_configuration(self):
        """an enclave gets its configuration: four bytes of length, the file"""
        self.assertEqual(
            self.take(), len(CONFIG).to_bytes(4, "big") + CONFIG)

    def test_reload(self):
        """a new file is handed out after SIGHUP, a bad one is not"""
        for fresh, good in ((b'{"a": 1}', True), (b"[]", False)):
            self.file.write_bytes(fresh)
            event = ("configuration_reloaded" if good
                     else "configuration_kept")
            self.bridge.process.send_signal(signal.SIGHUP)
            wait_until(event, lambda: event in self.bridge.log(),
                       support.SEEN_S, self.bridge.must_run)
            self.assertEqual(self.take()[4:], b'{"a": 1}')
        self.assertEqual(self.metric("configuration_reloads_total"), 2)

    def test_log(self):
        """an enclave's lines are the bridge's, each with its head"""
        sock = self.connect("9002")
        sock.sendall(b"one\ntwo \x1b[2J\n" + b"x" * 9000 + b"\nlast\n")
        wait_until("the last", lambda: " | last\n" in self.bridge.log(),
                   support.SEEN_S, self.bridge.must_run)
        lines = LINE.findall(self.bridge.log())
        self.assertEqual(lines[0], "one")
        self.assertEqual(lines[1], "two \\x1b[2J")
        self.assertRegex(lines[2], r"^x{3900,4095} \.\.\.$")
        self.assertEqual(lines[3:], ["last"])
        self.assertEqual(self.metric("log_lines_total"), 4)

    def test_stop(self):
        """a log that is open does not hold up the end"""
        sock = self.connect("9002")
        sock.sendall(b"here\n")
        wait_until("its line", lambda: " | here\n" in self.bridge.log(),
                   support.SEEN_S, self.bridge.must_run)
        self.assertEqual(self.bridge.stop(4), 0)    # drain_timeout_ms: 5 s
        self.assertEqual(sock.recv(1), b"")


class Init(support.Folder):
    def test_not_the_first(self):
        """hallmark-init does nothing where it is not the first process"""
        done = support.run("hallmark-init")
        self.assertEqual(done.returncode, 2)
        self.assertIn("first process of an enclave", done.stderr)
        done = support.run("hallmark-init", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = support.run("hallmark-init", "--version")
        self.assertRegex(done.stdout, r"^hallmark-init \d+\.\d+\.\d+\n$")

    def test_may_not_mount(self):
        """as the first process it says what it cannot do, and ends there"""
        # Without a network of its own /sys cannot be mounted in here.
        try:
            done = self.command(
                "unshare", "--user", "--map-root-user", "--pid", "--fork",
                "--mount", BIN / "hallmark-init")
        except FileNotFoundError:
            self.skipTest("no unshare")
        if done.stderr.startswith("unshare: "):
            self.skipTest(done.stderr.strip())
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"error init refused step=mounts why=")
        self.assertNotIn("name=oracle", done.stderr)


if __name__ == "__main__":
    unittest.main()
