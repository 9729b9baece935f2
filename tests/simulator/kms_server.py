"""kms.py over TLS, and an instance metadata service (IMDSv2) beside it, each on
a port of 127.0.0.1, in threads of this process."""

import http.server
import json
import secrets
import ssl
import threading

import certificates

ROLES = "/latest/meta-data/iam/security-credentials/"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        """Quiet: Kms.calls tells."""

    def say(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _KmsHandler(_Handler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value
                   for name, value in self.headers.items()}
        status, answer = self.server.kms.answer(
            "POST", self.path, headers, body)
        self.say(status, "application/x-amz-json-1.1",
                 json.dumps(answer).encode())


class _ImdsHandler(_Handler):
    def do_PUT(self):
        token = secrets.token_urlsafe(42) + "=="
        self.server.tokens.add(token)
        self.close_connection = True
        self.say(200, "text/plain", token.encode())

    def do_GET(self):
        self.close_connection = True
        token = self.headers.get("X-aws-ec2-metadata-token")
        if token not in self.server.tokens:
            self.say(401, "text/html", b"")
        elif self.path == ROLES:
            self.say(200, "text/plain", b"hallmark-enclave")
        elif self.path == ROLES + "hallmark-enclave":
            self.say(200, "text/plain",
                     json.dumps(self.server.credentials).encode())
        else:
            self.say(404, "text/html", b"")


class Server:
    """KMS at `port`, with a certificate of that directory's authority for
    this host; metadata at `imds_port`. What the metadata service hands out is
    in `credentials`."""

    def __init__(self, kms, directory, host, port, imds_port):
        self.kms, self.host, self.port = kms, host, port
        self.imds_port = imds_port
        self.pem = certificates.Authority(directory).certificate("kms", host)
        self.credentials = {}
        self.http = self.imds = None

    def new_credentials(self, role):
        access_id = "ASIA" + secrets.token_hex(8).upper()
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(600)
        self.kms.credentials[access_id] = {
            "secret": secret, "token": token, "role": role}
        self.credentials.clear()
        self.credentials.update({
            "Code": "Success", "LastUpdated": "2026-11-22T00:00:00Z",
            "Type": "AWS-HMAC", "AccessKeyId": access_id,
            "SecretAccessKey": secret, "Token": token,
            "Expiration": "2026-11-22T06:00:00Z"})

    def _serve(self, port, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        server.daemon_threads = True
        return server

    @staticmethod
    def _begin(server):
        threading.Thread(target=server.serve_forever, args=(0.1,),
                         daemon=True).start()

    def start(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        self.http = self._serve(self.port, _KmsHandler)
        self.http.kms = self.kms
        # The handshake is in the connection's thread: one that fails there
        # is nobody's news.
        self.http.socket = context.wrap_socket(
            self.http.socket, server_side=True,
            do_handshake_on_connect=False)
        self.http.handle_error = lambda *_: None
        self._begin(self.http)
        self.start_imds()

    def start_imds(self):
        self.imds = self._serve(self.imds_port, _ImdsHandler)
        self.imds.tokens, self.imds.credentials = set(), self.credentials
        self._begin(self.imds)

    def stop_kms(self):
        if self.http:
            self.http.shutdown()
            self.http.server_close()
        self.http = None

    def stop(self):
        self.stop_kms()
        if self.imds:
            self.imds.shutdown()
            self.imds.server_close()
        self.imds = None
