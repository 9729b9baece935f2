"""TLS that ends in the oracle: its key is in a document with the client's nonce,
got over this very connection."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import unittest

import cbor
import settings
import support
from between import Between
from program import wait_until
from stack import Stack

TIMEOUT_S = 10


def context():
    """Nobody vouches for the certificate but the attestation."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def spki_sha256(certificate):
    """Of a certificate in DER, by openssl."""
    der = certificate
    for args in (["x509", "-inform", "DER", "-pubkey", "-noout"],
                 ["pkey", "-pubin", "-outform", "DER"]):
        der = subprocess.run(["openssl", *args], input=der,
                             capture_output=True, check=True).stdout
    return hashlib.sha256(der).hexdigest()


class Connection:
    """One connection, so that what is asked over it is asked of one peer."""

    def __init__(self, port):
        self.http = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=TIMEOUT_S, context=context())
        self.http.connect()

    def get(self, path):
        self.http.request("GET", path)
        reply = self.http.getresponse()
        return reply.status, reply.read()

    def peer(self):
        return spki_sha256(self.http.sock.getpeercert(binary_form=True))

    def close(self):
        self.http.close()


class TlsStack(Stack):
    def __init__(self):
        super().__init__(support.fast_feeds(), verifierd=False)

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        settings.write_json(self.config("oracle"),
                            {**config, "tls": "attested"})

    def _answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(Connection(self.oracle_port)) as made:
                return made.get("/readyz")[0] == 200

    def wait_ready(self, name, seconds=20):
        if name != "oracle":
            super().wait_ready(name, seconds)
            return
        wait_until("the oracle is ready", self._answers, seconds,
                   self.programs[name].must_run)


class AttestedTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = TlsStack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def connect(self):
        made = Connection(self.stack.oracle_port)
        self.addCleanup(made.close)
        return made

    def attested(self, connection):
        """What a document with a fresh nonce says of the key."""
        nonce = os.urandom(32)
        status, body = connection.get(f"/attestation?nonce={nonce.hex()}")
        self.assertEqual(status, 200, body)
        answer = json.loads(body)
        document = cbor.read(base64.b64decode(answer["attestation_doc_b64"]))
        payload = cbor.read(document[2])
        self.assertEqual(payload["nonce"], nonce)
        told = cbor.read(payload["user_data"])["tls_spki_sha256"].hex()
        self.assertEqual(answer["tls_spki_sha256"], told)
        return told

    def test_key(self):
        """the key at the other end is the one in the document"""
        connection = self.connect()
        self.assertEqual(connection.http.sock.version(), "TLSv1.3")
        self.assertEqual(self.attested(connection), connection.peer())

    def test_in_between(self):
        """who stands in between has another key, and cannot have this one"""
        with Between(self.stack.oracle_port, self.stack.dir) as port:
            connection = Connection(port)
            self.addCleanup(connection.close)
            self.assertNotEqual(self.attested(connection), connection.peer())

    def test_prices(self):
        """prices, documents and a stream come over it"""
        connection = self.connect()
        status, body = connection.get("/price/BTC-USD?attestation=ref")
        self.assertEqual(status, 200)
        sha256 = json.loads(body)["attestation_sha256"]
        status, document = connection.get(f"/attestations/{sha256}")
        self.assertEqual(support.sha256(document), sha256)
        connection.http.request("GET", "/stream?feeds=BTC-USD")
        reply = connection.http.getresponse()
        lines = [reply.readline() for _ in range(40)]
        self.assertIn(b"event: price\n", lines)

    def test_nothing_else(self):
        """no older TLS, and nothing without TLS"""
        old = context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(
                ("127.0.0.1", self.stack.oracle_port), TIMEOUT_S) as plain:
            with self.assertRaises(OSError):
                old.wrap_socket(plain)
        with socket.create_connection(
                ("127.0.0.1", self.stack.oracle_port), TIMEOUT_S) as plain:
            plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                self.assertNotIn(b"HTTP/1.1", plain.recv(4096))
        self.assertEqual(self.connect().get("/livez")[0], 200)

    def test_restart(self):
        """another start has another key, and says so"""
        stack = TlsStack()
        self.addCleanup(stack.stop)
        stack.start()
        one = Connection(stack.oracle_port)
        before = one.peer()
        self.assertEqual(stack.programs["oracle"].stop(), 0)
        one.close()
        stack.restart("oracle")
        stack.wait_ready("oracle")
        other = Connection(stack.oracle_port)
        self.addCleanup(other.close)
        self.assertNotEqual(other.peer(), before)
        self.assertEqual(self.attested(other), other.peer())

    def test_check(self):
        """--check tells that TLS ends in the oracle"""
        done = support.run("hallmark-oracle", "--check",
                           self.stack.config("oracle"))
        self.assertRegex(done.stdout, r"(?m)^tls +attested")
