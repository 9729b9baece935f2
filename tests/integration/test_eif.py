"""Enclave images: what `hallmark eif build` writes and `hallmark pcrs` reads,
held against a computation of its own (hashlib, zlib, the openssl command)."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

import cbor
import support

KERNEL, CMDLINE, RAMDISK, SIGNATURE, METADATA = range(1, 6)
HEADER = struct.Struct(">4sHHQQHH32Q32QII")
SECTION = struct.Struct(">HHQ")


def pcr(data):
    return hashlib.sha384(bytes(48) + hashlib.sha384(data).digest()).hexdigest()


def sections(image):
    """[(type, data)] by the header's table; [(type, data)] by walking."""
    fields = HEADER.unpack_from(image)
    count, offsets, sizes = fields[6], fields[7:39], fields[39:71]
    table = [(SECTION.unpack_from(image, at)[0], image[at + 12:at + 12 + size])
             for at, size in list(zip(offsets, sizes))[:count]]
    walk, at = [], HEADER.size
    while at < len(image):
        kind, flags, size = SECTION.unpack_from(image, at)
        walk.append((kind, image[at + 12:at + 12 + size]))
        at += 12 + size
    return table, walk


def measurements(image):
    """PCR0, 1, 2 as AWS's specification defines them."""
    _, walk = sections(image)
    boot = b"".join(data for kind, data in walk if kind in (KERNEL, CMDLINE))
    disks = [data for kind, data in walk if kind == RAMDISK]
    return {"PCR0": pcr(boot + b"".join(disks)), "PCR1": pcr(boot + disks[0]),
            "PCR2": pcr(b"".join(disks[1:]))}


def crc_of(image):
    return zlib.crc32(image[HEADER.size:], zlib.crc32(image[:HEADER.size - 4]))


class Images(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-eif-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.parts = {"kernel": os.urandom(70000), "boot": os.urandom(300),
                      "app": bytes(200000), "more": b"070701"}
        for name, data in self.parts.items():
            (self.dir / name).write_bytes(data)

    def hallmark(self, *args, wanted=0, **environment):
        done = support.run("hallmark", *args,
                           env={**os.environ, **environment})
        self.assertEqual(done.returncode, wanted, done.stdout + done.stderr)
        return done

    def build(self, *more, ramdisks=("boot", "app", "more"), name="image.eif",
              **environment):
        args = ["eif", "build", "--kernel", self.dir / "kernel", "--cmdline",
                "console=ttyS0 quiet", "--output", self.dir / name, *more]
        for ramdisk in ramdisks:
            args += ["--ramdisk", self.dir / ramdisk]
        said = json.loads(self.hallmark(*args, **environment).stdout)
        return said["Measurements"], (self.dir / name).read_bytes()

    def described(self, name="image.eif"):
        return json.loads(
            self.hallmark("pcrs", self.dir / name, "--json").stdout)

    def refused(self, image, wanted, word):
        (self.dir / "bad.eif").write_bytes(image)
        done = self.hallmark("pcrs", self.dir / "bad.eif", wanted=wanted)
        self.assertEqual(done.stdout, "")
        self.assertIn(word, done.stderr)

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True,
                       capture_output=True, cwd=self.dir)

    # ---- what is built ----

    def test_measurements(self):
        """an image's PCRs and CRC are those of hashlib and zlib"""
        said, image = self.build()
        self.assertEqual(said.pop("HashAlgorithm"), "Sha384 { ... }")
        self.assertEqual(said, measurements(image))
        crc = HEADER.unpack_from(image)[-1]
        self.assertEqual(crc, crc_of(image))
        described = self.described()
        self.assertEqual(described["Measurements"]["PCR0"], said["PCR0"])
        self.assertEqual(described["CRC32"], f"{crc:08x}")
        text = self.hallmark("pcrs", self.dir / "image.eif").stdout
        for value in said.values():
            self.assertIn(value, text)

    def test_openssl(self):
        """PCR0 of an image with the openssl command alone"""
        said, image = self.build()
        parts = [self.parts["kernel"], b"console=ttyS0 quiet",
                 self.parts["boot"], self.parts["app"], self.parts["more"]]
        (self.dir / "all").write_bytes(b"".join(parts))
        self.openssl("dgst", "-sha384", "-binary", "-out", "inner", "all")
        inner = (self.dir / "inner").read_bytes()
        (self.dir / "both").write_bytes(bytes(48) + inner)
        self.openssl("dgst", "-sha384", "-binary", "-out", "outer", "both")
        self.assertEqual((self.dir / "outer").read_bytes().hex(), said["PCR0"])

    def test_layout(self):
        """table and walk give the same sections, in nitro-cli's order"""
        _, image = self.build()
        table, walk = sections(image)
        self.assertEqual(table, walk)
        kinds = [kind for kind, _ in walk]
        self.assertEqual(kinds, [KERNEL, CMDLINE, METADATA] + [RAMDISK] * 3)
        self.assertEqual(walk[0][1], self.parts["kernel"])
        metadata = json.loads(walk[2][1])
        self.assertEqual(set(metadata), {
            "ImageName", "ImageVersion", "BuildMetadata", "DockerInfo",
            "CustomMetadata"})

    def test_reproducible(self):
        """the same parts give the same bytes; SOURCE_DATE_EPOCH is the time"""
        said, first = self.build(name="a.eif")
        _, second = self.build(name="b.eif")
        self.assertEqual(first, second)
        again, dated = self.build(name="c.eif", SOURCE_DATE_EPOCH="1793491200")
        self.assertEqual(said, again)
        self.assertNotEqual(first, dated)
        self.assertEqual(dated, self.build(
            name="d.eif", SOURCE_DATE_EPOCH="1793491200")[1])
        self.assertIn(b"2026-11-01T00:00:00", dated)

    def test_one_byte(self):
        """one byte of one part changes the PCRs that it should, and no other"""
        before, _ = self.build()
        for name, changed in (("kernel", {"PCR0", "PCR1"}),
                              ("boot", {"PCR0", "PCR1"}),
                              ("app", {"PCR0", "PCR2"}),
                              ("more", {"PCR0", "PCR2"})):
            data = bytearray(self.parts[name])
            data[len(data) // 2] ^= 1
            (self.dir / name).write_bytes(data)
            after, _ = self.build()
            self.assertEqual(changed, {key for key in before
                                       if before[key] != after[key]}, name)
            (self.dir / name).write_bytes(self.parts[name])

    # ---- signatures ----

    def sign(self, key="key.pem"):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-384", "-nodes", "-sha384", "-subj",
                     "/CN=image signer", "-keyout", key, "-out", "cert.pem")
        (self.dir / key).chmod(0o600)
        return self.build("--signing-certificate", self.dir / "cert.pem",
                          "--private-key", self.dir / key)

    def test_signed(self):
        """openssl verifies the signature; PCR8 is the certificate's"""
        said, image = self.sign()
        self.openssl("x509", "-in", "cert.pem", "-outform", "DER", "-out",
                     "cert.der")
        self.assertEqual(said["PCR8"], pcr((self.dir / "cert.der").read_bytes()))
        entry, = cbor.read(sections(image)[0][-1][1])
        self.assertEqual(bytes(entry["signing_certificate"]),
                         (self.dir / "cert.pem").read_bytes())
        protected, unprotected, payload, signature = cbor.read(
            bytes(entry["signature"]))
        self.assertEqual((cbor.read(protected), unprotected), ({1: -35}, {}))
        self.assertEqual(cbor.read(payload), {
            "register_index": 0,
            "register_value": list(bytes.fromhex(said["PCR0"]))})
        # RFC 9052, 4.4
        (self.dir / "signed").write_bytes(
            b"\x84\x6aSignature1\x44" + protected + b"\x40\x58"
            + bytes([len(payload)]) + payload)
        (self.dir / "signature").write_bytes(der_signature(signature))
        self.openssl("x509", "-in", "cert.pem", "-pubkey", "-noout", "-out",
                     "public.pem")
        self.openssl("dgst", "-sha384", "-verify", "public.pem", "-signature",
                     "signature", "signed")
        described = self.described()
        self.assertTrue(described["IsSigned"] and described["SignatureCheck"])
        self.assertEqual(described["Measurements"], said)

    def test_signature_of_another(self):
        """a signature moved to another image is refused, with exit code 3"""
        _, image = self.sign()
        at = image.index(self.parts["boot"])
        other = bytearray(image)
        other[at] ^= 1
        struct.pack_into(">I", other, HEADER.size - 4, crc_of(other))
        self.refused(other, 3, "signed_other")

    # ---- refused ----

    def test_damaged(self):
        """what is damaged is refused: cut off, longer, a bit"""
        _, image = self.build()
        self.refused(image[:-1], 2, "short")
        self.refused(image + b"\0", 2, "trailing")
        flipped = bytearray(image)
        flipped[-1] ^= 1
        self.refused(flipped, 2, "crc")
        self.refused(image[:100], 2, "short")
        self.refused(b"MZ" + image[2:], 2, "magic")

    def test_two_readings(self):
        """an image that AWS's reader and QEMU's take for two is refused"""
        _, image = self.build()
        fields = list(HEADER.unpack_from(image))
        offsets = fields[7:39]
        # the table swaps two ramdisks, which are measured in another order
        fields[7 + 4], fields[7 + 5] = offsets[5], offsets[4]
        fields[39 + 4], fields[39 + 5] = fields[39 + 5], fields[39 + 4]
        other = bytearray(image)
        HEADER.pack_into(other, 0, *fields)
        struct.pack_into(">I", other, HEADER.size - 4, crc_of(other))
        table, walk = sections(other)
        self.assertNotEqual(table, walk)
        self.refused(other, 2, "offset")

    # ---- the policy ----

    def test_policy(self):
        """pcrs --policy writes what policy check accepts, with PCR16"""
        said, _ = self.build()
        config = self.dir / "oracle.json"
        config.write_text('{"listen": "vsock://any:8080"}')
        done = self.hallmark("pcrs", self.dir / "image.eif", "--policy",
                             "1.4.0", "--config", config)
        policy = json.loads(done.stdout)
        release, = policy["releases"]
        self.assertEqual(policy["roots"], ["aws-nitro-g1"])
        self.assertEqual(release, {"name": "1.4.0", "pcrs": {
            "0": said["PCR0"], "1": said["PCR1"], "2": said["PCR2"],
            "16": pcr(config.read_bytes())}})
        self.assertEqual(release["pcrs"]["16"], self.hallmark(
            "config-pcr", config).stdout.strip())
        path = self.dir / "policy.json"
        path.write_text(done.stdout)
        self.assertIn("release  1.4.0: PCR 0 1 2 16\n",
                      self.hallmark("policy", "check", path).stdout)

    def test_nothing_half_written(self):
        """a build that fails leaves the old image, and no other file"""
        _, image = self.build()
        files = set(self.dir.iterdir())
        (self.dir / "app").write_bytes(b"")
        done = self.hallmark(
            "eif", "build", "--kernel", self.dir / "kernel", "--cmdline", "",
            "--ramdisk", self.dir / "app", "--output",
            self.dir / "image.eif", wanted=2)
        self.assertIn("app: a section without data", done.stderr)
        self.assertEqual((self.dir / "image.eif").read_bytes(), image)
        self.assertEqual(set(self.dir.iterdir()), files)

    def test_recorded_images(self):
        """images built by other software are written anew, bit for bit"""
        folder = support.VECTORS / "eif"
        support.need_vectors(folder)
        expected = json.loads((folder / "expected.json").read_text())
        rebuilt = 0
        for name, facts in expected.items():
            path = folder / f"{name}.eif"
            if facts.get("error") or facts["problems"]:
                self.hallmark("pcrs", path, wanted=2)
                continue
            said = json.loads(self.hallmark("pcrs", path, "--json").stdout)
            said["Measurements"].pop("HashAlgorithm")
            self.assertEqual(said["Measurements"], facts["measurements"])
            if not said["IsSigned"]:
                self.write_anew(path, facts)
                rebuilt += 1
        self.assertGreater(rebuilt, 0)

    def write_anew(self, path, facts):
        options = {KERNEL: "--kernel", CMDLINE: "--cmdline-file",
                   RAMDISK: "--ramdisk", METADATA: "--metadata"}
        args = ["--arch", "arm64" if facts["flags"] else "x86_64"]
        for number, (kind, data) in enumerate(sections(path.read_bytes())[1]):
            (self.dir / f"part{number}").write_bytes(data)
            args += [options[kind], self.dir / f"part{number}"]
        output = self.dir / "anew.eif"
        self.hallmark("eif", "build", *args, "--output", output)
        self.assertEqual(hashlib.sha256(output.read_bytes()).hexdigest(),
                         facts["sha256"], path.name)


def der_signature(raw):
    """r || s as the SEQUENCE of two INTEGERs that openssl reads."""
    def integer(data):
        data = data.lstrip(b"\0") or b"\0"
        data = b"\0" * (data[0] >> 7) + data
        return bytes([2, len(data)]) + data
    both = integer(raw[:48]) + integer(raw[48:])
    return bytes([0x30, len(both)]) + both


if __name__ == "__main__":
    unittest.main()
