"""Nothing altered verifies: whatever byte of an item is changed, the command
refuses it and names the check that failed."""

import base64
import json
import os
import random
import unittest

import support

SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))
POSITIONS = 40  # random ones in each value, and its first and last
RAW_POSITIONS = 60
KEYS = ("content", "signature_b64", "public_key", "attestation_doc_b64")
BASE64 = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


class Tamper(support.StackTest):
    @classmethod
    def setUpClass(cls):
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)

    def setUp(self):
        super().setUp()
        self.item = json.loads(self.save_item().read_text())
        self.path = self.stack.dir / "altered.json"

    def verify(self, data):
        """Judged at the item's own time: the clock is not what refuses.
        (`published` would be wrong usage where nothing looks like an item.)
        """
        self.path.write_bytes(data)
        return self.stack.verify(self.path, "--at", "document")

    def positions(self, length, count):
        inner = [self.random.randrange(length) for _ in range(count)]
        return sorted({0, length - 1, *inner})

    def other(self, key, old):
        alphabet = BASE64 if key.endswith("_b64") else (
            [chr(code) for code in range(32, 127)] + ["\n", "\x00", "\u00e9"])
        return self.random.choice([c for c in alphabet if c != old])

    def assert_refused(self, done, what):
        self.assertGreaterEqual(done.returncode, 2, what + done.stdout)
        self.assertLessEqual(done.returncode, 8, what + done.stderr)
        self.assertRegex(done.stdout + done.stderr, support.FAILED_CHECK,
                         what)

    def test_unaltered(self):
        """the item as it came is valid at its own time"""
        for at in ("document", "published"):
            self.path.write_text(json.dumps(self.item))
            done = self.stack.verify(self.path, "--at", at)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def alter(self, key):
        value = self.item[key]
        for at in self.positions(len(value), POSITIONS):
            new = self.other(key, value[at])
            altered = dict(self.item, **{
                key: value[:at] + new + value[at + 1:]})
            self.assert_refused(
                self.verify(json.dumps(altered).encode()),
                f"{key}[{at}] {value[at]!r} -> {new!r}: ")

    def test_content(self):
        """a changed byte of content is refused"""
        self.alter("content")

    def test_signature(self):
        """a changed byte of signature_b64 is refused"""
        self.alter("signature_b64")

    def test_public_key(self):
        """a changed byte of public_key is refused"""
        self.alter("public_key")

    def test_document(self):
        """a changed byte of attestation_doc_b64 is refused"""
        self.alter("attestation_doc_b64")

    def test_any_bit_of_the_file(self):
        """a flipped bit anywhere in the file is refused"""
        raw = self.save_item(name="raw.json").read_bytes()
        for at in self.positions(len(raw.rstrip()), RAW_POSITIONS):
            altered = bytearray(raw)
            altered[at] ^= 1 << self.random.randrange(8)
            self.assert_refused(self.verify(bytes(altered)),
                                f"byte {at} of the file: ")

    def test_any_bit_of_the_bytes(self):
        """a flipped bit of the decoded signature or document is refused"""
        for key in ("signature_b64", "attestation_doc_b64"):
            raw = base64.b64decode(self.item[key])
            for at in self.positions(len(raw), POSITIONS):
                altered = bytearray(raw)
                altered[at] ^= 1 << self.random.randrange(8)
                text = base64.b64encode(altered).decode()
                self.assert_refused(self.verify(json.dumps(
                    dict(self.item, **{key: text})).encode()),
                    f"{key} byte {at}: ")

    def test_names(self):
        """a changed letter of a member's name is refused"""
        for key in self.item:
            for at, letter in enumerate(key):
                new = key[:at] + chr(ord(letter) ^ 1) + key[at + 1:]
                altered = {new if name == key else name: value
                           for name, value in self.item.items()}
                self.assert_refused(
                    self.verify(json.dumps(altered).encode()), new)

    def test_swapped(self):
        """a value of another item is refused"""
        other = json.loads(self.save_item("ETH-USD", "eth.json").read_text())
        for key in ("content", "signature_b64"):
            self.assert_refused(self.verify(json.dumps(
                dict(self.item, **{key: other[key]})).encode()), key)

    def test_shortened(self):
        """a file cut anywhere is refused"""
        raw = json.dumps(self.item).encode()
        for length in self.positions(len(raw) - 1, 12):
            self.assert_refused(self.verify(raw[:length]), f"{length} bytes")


if __name__ == "__main__":
    unittest.main()
