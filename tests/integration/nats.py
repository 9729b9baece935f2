"""NATS servers (Debian's nats-server) for tests: one alone, or a cluster; with
TLS and users if asked. And a client that says what it likes to them.
"""

import contextlib
import json
import shutil
import socket
import subprocess

import settings
from program import Program, wait_until

SERVER = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
START_S = 20


def make_tls(directory, name="127.0.0.1"):
    """A root and a server's certificate for this address or host."""
    kind = "IP" if name[0].isdigit() else "DNS"

    def openssl(*argv):
        subprocess.run(["openssl", *argv], check=True, cwd=directory,
                       capture_output=True, timeout=60)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
            "ca.pem", "-subj", "/CN=test root", "-days", "2")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj",
            f"/CN={name}")
    (directory / "san").write_text(f"subjectAltName={kind}:{name}\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "2",
            "-extfile", "san")


class NatsServer:
    """One server. include: a file that its configuration takes in."""

    def __init__(self, directory, name="n1", include=None, cluster=None,
                 tls=False):
        self.name, self.dir = name, directory / name
        self.dir.mkdir()
        self.port, = settings.free_ports(1)
        self.tls = tls
        lines = [f"server_name: {name}", f"listen: 127.0.0.1:{self.port}",
                 f'jetstream {{ store_dir: "{self.dir}/store" }}',
                 "max_payload: 1048576"]
        if tls:
            make_tls(self.dir)
            lines.append(f'tls {{ cert_file: "{self.dir}/server.pem", '
                         f'key_file: "{self.dir}/server.key" }}')
        if cluster:
            own, others = cluster
            routes = ", ".join(f'"nats://127.0.0.1:{port}"'
                               for port in others)
            lines.append("cluster { name: test, "
                         f"listen: 127.0.0.1:{own}, routes: [{routes}] }}")
        if include:  # by a path relative to its own
            shutil.copy(include, self.dir)
            lines.append(f'include "{include.name}"')
        self.config = self.dir / "nats.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.program = Program(name, [SERVER, "-c", self.config],
                               self.dir / "log")

    @property
    def url(self):
        return f"{'tls' if self.tls else 'nats'}://127.0.0.1:{self.port}"

    def start(self):
        self.program.start()
        wait_until(f"{self.name} listens", self._listens, START_S,
                   self.program.must_run)
        return self

    def _listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.stop()


def cluster(directory, count=3):
    """So many servers that know each other, started."""
    ports = settings.free_ports(count)
    servers = [NatsServer(directory, f"n{i + 1}",
                          cluster=(port, [p for p in ports if p != port]))
               for i, port in enumerate(ports)]
    for server in servers:
        server.program.start()
    for server in servers:
        wait_until(f"{server.name} listens", server._listens, START_S,
                   server.program.must_run)
    return servers


class Client:
    """The protocol's few words: publish anything, ask JetStream's API."""

    def __init__(self, server):
        self.sock = socket.create_connection(("127.0.0.1", server.port), 10)
        self.file = self.sock.makefile("rb")
        self.info = json.loads(self.file.readline()[5:])
        self.sock.sendall(b'CONNECT {"verbose":false,"headers":true,'
                          b'"no_responders":true}\r\nPING\r\n')
        self._until(b"PONG")
        self.inbox = 0

    def _until(self, word):
        while True:
            line = self.file.readline()
            if not line:
                raise OSError("the server hung up")
            if line.startswith(word):
                return line
            if line.startswith(b"PING"):
                self.sock.sendall(b"PONG\r\n")

    def publish(self, subject, data, reply=""):
        self.sock.sendall(f"PUB {subject} {reply} {len(data)}\r\n".encode()
                          + data + b"\r\n")

    def flush(self):
        self.sock.sendall(b"PING\r\n")
        self._until(b"PONG")

    def ask(self, subject, value=None):
        """The answer to a request, parsed."""
        self.inbox += 1
        inbox = f"_INBOX.test.{self.inbox}"
        data = b"" if value is None else json.dumps(value).encode()
        self.sock.sendall(f"SUB {inbox} {self.inbox}\r\n"
                          f"UNSUB {self.inbox} 1\r\n".encode())
        self.publish(subject, data, inbox)
        line = self._until(b"MSG").split()
        return json.loads(self.file.read(int(line[-1]) + 2))

    def stream(self, name="HALLMARK"):
        return self.ask(f"$JS.API.STREAM.INFO.{name}")

    def consumer(self, name, stream="HALLMARK"):
        return self.ask(f"$JS.API.CONSUMER.INFO.{stream}.{name}")

    def close(self):
        self.sock.close()
