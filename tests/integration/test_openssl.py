"""OpenSSL's own command line as a second judge of every recorded document: of
its chain and of its signature. Where it refuses, hallmark must refuse; where it
finds both good, hallmark must say valid, or what is wrong that OpenSSL does not
know of: a debug enclave, no enclave at all, another form than AWS writes.
"""

import base64
import collections
import csv
import hashlib
import json
import pathlib
import ssl
import subprocess
import tempfile
import time
import typing
import unittest

import cbor
import support

NITRO = support.VECTORS / "nitro"
ROOT_SHA256 = \
    "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
ZEROS = "00" * 48
ES384 = {1: -35}  # RFC 9053, table 1
SCALAR = 48       # bytes of r and of s
FAILS_HERE = ("cose", "document", "root", "certificate_profile", "chain",
              "document_signature")
WORDS = {True: "good", False: "refused", None: "-"}


class Document(typing.NamedTuple):
    protected: bytes
    payload: bytes
    signature: bytes
    leaf: bytes
    bundle: list
    timestamp_ms: int
    as_aws_writes: bool  # outside of the payload, which is signed


def need(condition, what):
    if not condition:
        raise cbor.Malformed(what)


def byte_string(data):
    """As CBOR, with the shortest length."""
    size = len(data)
    if size < 24:
        return bytes([0x40 + size]) + data
    width = 1 if size < 1 << 8 else 2 if size < 1 << 16 else 4
    head = {1: 0x58, 2: 0x59, 4: 0x5A}[width]
    return bytes([head]) + size.to_bytes(width, "big") + data


def take_apart(data):
    """A COSE_Sign1 (RFC 9052, 4.2) with a document in it, or Malformed."""
    outer = cbor.read(data)
    tagged = isinstance(outer, cbor.Tagged)
    need(not tagged or outer.number == 18, "another tag than 18")
    parts = outer.value if tagged else outer
    need(isinstance(parts, list) and len(parts) == 4, "not four parts")
    protected, unprotected, payload, signature = parts
    need(all(isinstance(part, bytes)
             for part in (protected, payload, signature)), "no byte string")
    need(isinstance(unprotected, dict), "the unprotected header is no map")
    need(cbor.read(protected) == ES384, "another algorithm than ES384")
    need(len(signature) == 2 * SCALAR, f"{len(signature)} bytes of signature")
    fields = cbor.read(payload)
    need(isinstance(fields, dict), "the payload is no map")
    leaf, bundle, at = (fields.get(key) for key in (
        "certificate", "cabundle", "timestamp"))
    need(isinstance(leaf, bytes) and type(at) is int, "no leaf or no time")
    need(isinstance(bundle, list) and bundle and
         all(isinstance(cert, bytes) for cert in bundle), "no bundle")
    plain = (b"\xd2" * tagged + b"\x84" + byte_string(protected) + b"\xa0"
             + byte_string(payload) + byte_string(signature))
    return Document(protected, payload, signature, leaf, bundle, at,
                    plain == data)


def sig_structure(document):
    """What is signed (RFC 9052, 4.4)."""
    return (b"\x84\x6aSignature1" + byte_string(document.protected)
            + byte_string(b"") + byte_string(document.payload))


def signature_der(raw):
    """r||s as the ASN.1 SEQUENCE of two INTEGERs that OpenSSL reads."""
    body = b""
    for scalar in (raw[:SCALAR], raw[SCALAR:]):
        number = int.from_bytes(scalar, "big")
        size = number.bit_length() // 8 + 1  # a zero bit in front
        body += bytes([2, size]) + number.to_bytes(size, "big")
    return bytes([0x30, len(body)]) + body  # at most 102: one byte is enough


def pem(der):
    return ("-----BEGIN CERTIFICATE-----\n"
            + base64.encodebytes(der).decode()
            + "-----END CERTIFICATE-----\n")


class OpenSsl:
    """Its verdicts, from files in a directory of ours."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)

    def put(self, name, content):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode())
        return path

    def run(self, *args):
        return subprocess.run(["openssl", *map(str, args)], text=True,
                              capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def chain(self, document, root=NITRO / "aws_nitro_root_g1.pem", at=None):
        """Only that root is trusted; at: Unix seconds, else its own time."""
        leaf = self.put("leaf.pem", pem(document.leaf))
        bundle = self.put("bundle.pem", "".join(map(pem, document.bundle)))
        if at is None:
            at = document.timestamp_ms // 1000
        done = self.run("verify", "-CAfile", root, "-no-CApath",
                        "-no-CAstore", "-untrusted", bundle, "-attime", at,
                        leaf)
        return done.returncode == 0 and done.stdout == f"{leaf}: OK\n"

    def signature(self, document):
        leaf = self.put("leaf.pem", pem(document.leaf))
        done = self.run("x509", "-in", leaf, "-pubkey", "-noout")
        if done.returncode != 0:
            return False
        key = self.put("key.pem", done.stdout)
        done = self.run("dgst", "-sha384", "-verify", key, "-signature",
                        self.put("signature.der",
                                 signature_der(document.signature)),
                        self.put("signed.bin", sig_structure(document)))
        return done.returncode == 0 and done.stdout == "Verified OK\n"


def hallmark(row):
    """Its verdict, and the check that failed or None."""
    pcrs = []
    for index in range(3):
        pcrs += ["--pcr", f"{index}:{row[f'pcr{index}'] or ZEROS}"]
    done = support.run("hallmark", "verify", NITRO / row["file"], "--root",
                       "aws-nitro-g1", *pcrs, "--at", "document", "--json")
    said = json.loads(done.stdout)
    failed = [check["check"] for check in said["checks"]
              if not check["passed"]]
    assert (done.returncode == 0) == (said["verdict"] == "valid"), said
    assert len(failed) == (done.returncode != 0), said
    return said["verdict"], failed[0] if failed else None


def beyond_openssl(row, document):
    """The answers that hallmark may give of a document whose chain and
    signature are good."""
    if not document.as_aws_writes:
        return {("cose_malformed", "cose")}
    if row["verdict"] == "debug":
        return {("debug_enclave", "debug")}
    if row["why"] == "nitrotpm":
        return {("not_an_enclave", "document")}
    return {("valid", None)}


class Reader(unittest.TestCase):
    """tests/integration/cbor.py, with RFC 8949's own examples."""

    def test_reads(self):
        """the CBOR reader of this test reads what is well-formed"""
        for text, value in (
                ("1bffffffffffffffff", 2**64 - 1), ("3903e7", -1000),
                ("5f42010243030405ff", bytes([1, 2, 3, 4, 5])),
                ("7f657374726561646d696e67ff", "streaming"),
                ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
                ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
                ("a201020304", {1: 2, 3: 4}), ("80", []), ("f6", None)):
            self.assertEqual(cbor.read(bytes.fromhex(text)), value, text)

    def test_refuses(self):
        """the CBOR reader of this test refuses what is not"""
        for text in (
                "", "18", "19ff", "1bffffff", "41", "5affffffff00", "81",
                "9bffffffffffffffff", "8200", "a1", "a101", "bf01ff",
                "1c", "1d", "1e", "1f", "3f", "5e", "fc", "df00",
                "ff", "81ff", "8200ff", "a1ff00", "5f00ff", "5f6100ff",
                "7f4100ff", "5f5f4100ffff", "61ff", "9f", "9f01", "bf",
                "0000", "a201020103", "a2616101616102", "a14001", "a1f601",
                "f0", "f81f", "f97e00", "fb3ff0000000000000", "81" * 9 + "00"):
            with self.assertRaises(cbor.Malformed, msg=text):
                cbor.read(bytes.fromhex(text))


class OpenSslAgrees(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.need_vectors(NITRO / "EXPECTED.tsv")
        with open(NITRO / "EXPECTED.tsv", newline="") as table:
            cls.rows = list(csv.DictReader(table, delimiter="\t"))

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="hallmark-openssl-")
        self.addCleanup(directory.cleanup)
        self.openssl = OpenSsl(directory.name)

    def ask(self, row):
        """The document, or why it cannot be read; OpenSSL's two verdicts."""
        try:
            document = take_apart((NITRO / row["file"]).read_bytes())
        except cbor.Malformed as malformed:
            return str(malformed), None, None
        return (document, self.openssl.chain(document),
                self.openssl.signature(document))

    def judge(self, row):
        document, chain, signature = self.ask(row)
        verdict, failed = hallmark(row)
        unread = document if isinstance(document, str) else ""
        note = "; ".join(filter(None, (unread, row["why"])))
        print(f"# chain {WORDS[chain]}, signature {WORDS[signature]}, "
              f"hallmark {verdict}: {row['file']}"
              + (f" ({note})" if note else ""), flush=True)
        with self.subTest(row["file"]):
            if chain and signature:
                self.assertIn((verdict, failed),
                              beyond_openssl(row, document), row["file"])
            else:
                self.assertIn(failed, FAILS_HERE, row["file"])
                self.assertEqual(row["verdict"], "reject", row["file"])
        return chain, signature

    def test_every_document(self):
        """openssl and hallmark agree on chain and signature of each document"""
        seen = collections.Counter(map(self.judge, self.rows))
        for (chain, signature), count in seen.items():
            print(f"# {count} documents: openssl: chain {WORDS[chain]}, "
                  f"signature {WORDS[signature]}", flush=True)
        self.assertLessEqual({(True, True), (True, False)}, set(seen))
        self.assertIn(False, {chain for chain, signature in seen})

    def valid_document(self):
        row = next(row for row in self.rows if row["verdict"] == "valid")
        return self.ask(row)[0]

    def test_root(self):
        """the root that openssl is given is the one AWS published"""
        text = (NITRO / "aws_nitro_root_g1.pem").read_text()
        der = ssl.PEM_cert_to_DER_cert(text)
        self.assertEqual(hashlib.sha256(der).hexdigest(), ROOT_SHA256)

    def test_openssl_refuses_chains(self):
        """as asked here, openssl refuses today's date and another root"""
        document, chain = self.valid_document(), self.openssl.chain
        self.assertTrue(chain(document))
        self.assertFalse(chain(document, at=int(time.time())))
        self.assertFalse(
            chain(document, root=NITRO / "aws_us_gov_nitro_root.pem"))
        self.assertFalse(chain(document._replace(bundle=document.bundle[:-1])))

    def test_openssl_refuses_signatures(self):
        """as asked here, openssl refuses another payload and another key"""
        document, signature = self.valid_document(), self.openssl.signature
        changed = document.payload[:-1] + bytes([document.payload[-1] ^ 1])
        self.assertTrue(signature(document))
        self.assertFalse(signature(document._replace(payload=changed)))
        self.assertFalse(
            signature(document._replace(leaf=document.bundle[-1])))


if __name__ == "__main__":
    unittest.main()
