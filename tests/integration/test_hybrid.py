"""The bridge beside a monitor that offers a guest's vsock as Unix sockets
(hybrid://, base/endpoint.h). The test is the monitor and the guest."""

import pathlib
import shutil
import socket
import tempfile
import unittest

import settings
import support
from program import Program, wait_until
from stack import BIN, START_S

PORT = 8080


class Hybrid(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.monitor_path = str(cls.dir / "vm.vsock")
        cls.near, cls.far = settings.free_ports(2)
        rules = [{"listen": f"tcp://127.0.0.1:{cls.near}",
                  "connect": f"hybrid://{cls.monitor_path}:{PORT}"},
                 {"listen": f"hybrid://{cls.monitor_path}:{PORT + 1}",
                  "connect": f"tcp://127.0.0.1:{cls.far}"}]
        config = settings.write_json(cls.dir / "bridge.json",
                                     {"inbound": rules})
        cls.monitor = socket.socket(socket.AF_UNIX)
        cls.addClassCleanup(cls.monitor.close)
        cls.monitor.bind(cls.monitor_path)
        cls.monitor.listen()
        cls.monitor.settimeout(support.SEEN_S)
        cls.bridge = Program("bridge", [BIN / "vsock-bridge", config],
                             cls.dir / "bridge.log")
        cls.bridge.start()
        cls.addClassCleanup(cls.bridge.stop)
        wait_until("the bridge listens", lambda: cls.bridge.log().count(
            "inbound listening") == len(rules), START_S, cls.bridge.must_run)

    def to_guest(self):
        """A client of the bridge, and the connection at the monitor."""
        client = socket.create_connection(("127.0.0.1", self.near),
                                          support.SEEN_S)
        self.addCleanup(client.close)
        monitor = self.monitor.accept()[0]
        self.addCleanup(monitor.close)
        monitor.settimeout(support.SEEN_S)
        self.assertEqual(monitor.recv(99), b"CONNECT %d\n" % PORT)
        return client, monitor

    def test_to_the_guest(self):
        """a connection to the guest's port, where the guest speaks first"""
        client, monitor = self.to_guest()
        monitor.sendall(b"OK 1073741824\nhello")
        self.assertEqual(client.recv(99), b"hello")
        client.sendall(b"good day")
        self.assertEqual(monitor.recv(99), b"good day")

    def test_from_the_guest(self):
        """what the guest connects to arrives at PATH_PORT"""
        with socket.create_server(("127.0.0.1", self.far)) as server, \
                socket.socket(socket.AF_UNIX) as guest:
            server.settimeout(support.SEEN_S)
            guest.connect(f"{self.monitor_path}_{PORT + 1}")
            guest.sendall(b"request")
            with server.accept()[0] as accepted:
                accepted.settimeout(support.SEEN_S)
                self.assertEqual(accepted.recv(99), b"request")

    def assert_failed(self, answer, why):
        client, monitor = self.to_guest()
        before = self.bridge.log().count(why)
        monitor.sendall(answer)
        monitor.close()
        try:
            self.assertEqual(client.recv(99), b"")
        except ConnectionResetError:
            pass
        wait_until(why, lambda: self.bridge.log().count(why) == before + 1,
                   support.SEEN_S, self.bridge.must_run)

    def test_nobody_there(self):
        """a monitor that hangs up: nobody listens in the guest"""
        self.assert_failed(b"", "connection reset by peer")

    def test_other_answer(self):
        """a monitor that says something else is not relayed"""
        self.assert_failed(b"HTTP/1.1 200 OK\r\n\r\n", "protocol error")


if __name__ == "__main__":
    unittest.main()
