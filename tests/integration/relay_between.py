"""Somebody in the middle of two enclaves: takes the TLS of the one with a key
of his own and dials the other, and hands over what each says, byte by byte.
"""

import contextlib
import select
import socket
import ssl
import subprocess
import threading


def make_key(directory):
    key, certificate = directory / "middle.key", directory / "middle.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", certificate, "-subj", "/CN=hallmark-oracle"],
                   check=True, capture_output=True)
    return certificate, key


def context(protocol, certificate, key):
    made = ssl.SSLContext(protocol)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.load_cert_chain(certificate, key)
    return made


class RelayBetween:
    def __init__(self, listen, connect, directory):
        pair = make_key(directory)
        self.server = context(ssl.PROTOCOL_TLS_SERVER, *pair)
        self.client = context(ssl.PROTOCOL_TLS_CLIENT, *pair)
        self.connect, self.relayed, self.taken = str(connect), 0, 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(listen))
        self.socket.listen()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.socket.accept()
                threading.Thread(target=self._relay, args=(near,),
                                 daemon=True).start()

    def _relay(self, near):
        with contextlib.suppress(OSError, ssl.SSLError):
            near = self.server.wrap_socket(near, server_side=True)
            self.taken += 1
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.connect)
            far = self.client.wrap_socket(far)
            self._hand_over(near, far)

    def _hand_over(self, near, far):
        with near, far:
            while True:
                ready = select.select([near, far], [], [], 5)[0]
                if not ready:
                    return
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is near else near).sendall(data)
                    self.relayed += len(data)

    def close(self):
        self.socket.close()
