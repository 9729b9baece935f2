"""Somebody between a client and an oracle with TLS of its own: it takes the
client's connection with its own key and passes on all that is said."""

import contextlib
import socket
import ssl
import subprocess
import threading

TIMEOUT_S = 10


class Between:
    """A context whose value is the port to connect to in place of the real
    one; `directory` gets its key and certificate."""

    def __init__(self, port, directory):
        self.port, self.pem = port, directory / "between.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=hallmark-oracle", "-days", "10", "-keyout", self.pem,
             "-out", directory / "between.crt"],
            capture_output=True, check=True)
        with open(self.pem, "a") as both:
            both.write((directory / "between.crt").read_text())

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self.listener.getsockname()[1]

    def __exit__(self, *_):
        # Wakes accept(), which close() alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,),
                                 daemon=True).start()

    def _serve(self, client):
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(self.pem)
        client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_side.check_hostname = False
        client_side.verify_mode = ssl.CERT_NONE
        with contextlib.suppress(OSError):
            near = server_side.wrap_socket(client, server_side=True)
            far = client_side.wrap_socket(
                socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S))
            threading.Thread(target=self._pass_on, args=(near, far),
                             daemon=True).start()
            self._pass_on(far, near)

    @staticmethod
    def _pass_on(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                end.close()
