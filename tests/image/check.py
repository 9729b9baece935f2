#!/usr/bin/env python3
"""make check-image: the enclave's image is the same bytes from two clones of
what is committed here, holds what it should, and each part is measured where
it should be. Prints TAP.

The kernel, which takes minutes, is built once, by the `make image` before, and
given to both clones; HALLMARK_LONG=1 lets each build its own.

  check.py            all of it
  check.py same init  the tests with one of these words in their names
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "integration"),
                str(ROOT / "deploy" / "image")]

import pack                        # noqa: E402
import ramdisk                     # noqa: E402
import run as integration          # noqa: E402
import test_eif as eif             # noqa: E402

LONG = os.environ.get("HALLMARK_LONG") == "1"
KERNEL = pathlib.Path(os.environ.get(
    "KERNEL") or ROOT / "build/image/kernel/bzImage").resolve()
SIZE_MAX = 20 * 10**6
PARTS = ("bzImage", "boot.cpio", "app.cpio", "metadata.json",
         "measurements.json", "policy.json", "hallmark.eif")

# What another builder's shell may have; none of it may show.
OTHER_ENVIRONMENT = {
    "CFLAGS": "-O0 -g3", "LDFLAGS": "-Wl,--build-id=uuid",
    "CPPFLAGS": "-DFROM_ANOTHER_SHELL", "LC_ALL": "C.UTF-8",
    "TZ": "Asia/Tokyo", "HOME": "/nonexistent"}


class Clone:
    """One clone of the committed state, in a directory of its own."""

    def __init__(self, directory, umask=0o022, **environment):
        self.dir = pathlib.Path(directory)
        self.image = self.dir / "build/image"
        self.umask = umask
        self.environment = environment
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT,
                        self.dir], check=True, umask=umask)

    def make(self, check=True, **variables):
        """`make image` with these; the kernel is the one given, but for
        LONG."""
        if not LONG:
            variables.setdefault("KERNEL", KERNEL)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("MAKE")
                       and name not in ("KERNEL", "INIT", "CONFIG", "CMDLINE")}
        done = subprocess.run(
            ["make", "-s", "image", *(f"{name}={value}" for name, value
                                      in variables.items())],
            cwd=self.dir, umask=self.umask, text=True, capture_output=True,
            stdin=subprocess.DEVNULL, env=environment | self.environment)
        if check and done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done

    def read(self, part):
        return (self.image / part).read_bytes()

    def pcrs(self):
        said = json.loads(self.read("measurements.json"))["Measurements"]
        return {name: said[name] for name in ("PCR0", "PCR1", "PCR2")}


class Image(unittest.TestCase):
    __module__ = "image"

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="hallmark-image-")
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.config = cls.dir / "oracle.json"
        shutil.copy(ROOT / "deploy/live.json", cls.config)
        cls.one = Clone(cls.dir / "one")
        cls.other = Clone(cls.dir / "at/another/depth", umask=0o077,
                          **OTHER_ENVIRONMENT)
        cls.one.make(CONFIG=cls.config)
        cls.said = cls.one.pcrs()

    def changed(self, **variables):
        """Which PCRs differ, built with these."""
        self.one.make(**({"CONFIG": self.config} | variables))
        pcrs = self.one.pcrs()
        return {name for name in pcrs if pcrs[name] != self.said[name]}

    def with_one_byte(self, data):
        """A file of this, the last byte of which is another one."""
        path = self.dir / "changed"
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return path

    def held(self, part):
        return {entry.name: entry.data
                for entry in ramdisk.read(self.one.read(part))}

    # ---- the same from the same ----

    def test_a_same(self):
        """two clones, two environments: the same bytes"""
        self.other.make(CONFIG=self.config)
        for part in PARTS:
            with self.subTest(part):
                self.assertEqual(self._sha256(self.one.read(part)),
                                 self._sha256(self.other.read(part)))
        for clone in (self.one, self.other):
            self.assertNotIn(str(clone.dir).encode(),
                             clone.read("hallmark.eif"))

    @staticmethod
    def _sha256(data):
        return hashlib.sha256(data).hexdigest()

    def test_a_computed(self):
        """PCR0, 1, 2 computed from the parts, and by openssl"""
        kernel, boot, app = (self.one.read(part) for part in PARTS[:3])
        cmdline = (ROOT / "deploy/image/cmdline").read_bytes().rstrip(b"\n")
        self.assertEqual(self.said, {
            "PCR0": eif.pcr(kernel + cmdline + boot + app),
            "PCR1": eif.pcr(kernel + cmdline + boot), "PCR2": eif.pcr(app)})
        image = self.one.read("hallmark.eif")
        self.assertEqual(self.said, eif.measurements(image))
        inner = self._openssl(kernel + cmdline + boot + app)
        self.assertEqual(self.said["PCR0"],
                         self._openssl(bytes(48) + inner).hex())

    @staticmethod
    def _openssl(data):
        return subprocess.run(["openssl", "dgst", "-sha384", "-binary"],
                              input=data, check=True,
                              capture_output=True).stdout

    def test_a_policy(self):
        """the policy beside it names it and its configuration"""
        policy = json.loads(self.one.read("policy.json"))
        pcrs = policy["releases"][0]["pcrs"]
        pcrs = {number: value if isinstance(value, str) else value[0]
                for number, value in pcrs.items()}
        self.assertEqual(pcrs, {
            "0": self.said["PCR0"], "1": self.said["PCR1"],
            "2": self.said["PCR2"], "16": eif.pcr(self.config.read_bytes())})

    # ---- what is in it ----

    def test_b_files(self):
        """both ramdisks hold what they should and nothing else"""
        for part, names in (("boot.cpio", ramdisk.BOOT),
                            ("app.cpio", ramdisk.APP)):
            archive = self.one.read(part)
            self.assertEqual(ramdisk.problems(archive, names), [])
            print("#", part, *(entry.name for entry in ramdisk.read(archive)))
        held = self.held("app.cpio")
        self.assertEqual(held["etc/hallmark/oracle.json"],
                         self.config.read_bytes())
        self.assertIn(b"BEGIN CERTIFICATE", held["etc/hallmark/ca.pem"])
        self.assertTrue(held["bin/hallmark-oracle"].startswith(b"\x7fELF"))

    def test_b_planted(self):
        """the list notices a shell, a compiler, set-id, a pipe, an owner"""
        elf, script = b"\x7fELF", b"#!/bin/hallmark-oracle\n"
        app = "lib/x86_64-linux-gnu/"
        archive = b"".join(pack.record(1, mode, 1, name, data, (3, 1))
                           for name, mode, data in (
            ("bin/sh", stat.S_IFREG | 0o755, elf),
            ("bin/hallmark-oracle", stat.S_IFREG | 0o4755, elf),
            (app + "gcc-12", stat.S_IFREG | 0o755, elf),
            (app + "libgcc.so.1", stat.S_IFREG | 0o644, elf),
            (app + "libuv.so.1", stat.S_IFIFO | 0o755, b""),
            ("etc/hallmark", stat.S_IFDIR | 0o777, b""),
            ("etc", stat.S_IFDIR | 0o755, b""),
            ("init", stat.S_IFREG | 0o600, script)))
        owner = archive.index(b"bin/sh") - ramdisk.HEAD + 6 + 2 * 8
        archive = archive[:owner] + b"%08X" % 7 + archive[owner + 8:]
        end = pack.record(0, 0, 1, "TRAILER!!!", b"", (0, 0))
        found = ramdisk.problems(archive + end, ramdisk.APP)
        for wanted in ("bin/sh: has no business here", "bin/sh: uid 7",
                       "bin/sh: is not on the list",
                       "bin/hallmark-oracle: set-id: 104755",
                       app + "gcc-12: has no business here",
                       app + "libgcc.so.1: is not on the list",
                       app + "libgcc.so.1: is a program that is not "
                       "executable", app + "libuv.so.1: of the kind 10000",
                       "etc/hallmark: mode 40777", "is not in order",
                       "init: is not on the list", "init: is a script",
                       "init: mode 100600"):
            self.assertIn(wanted, found)
        self.assertIn("has a name twice",
                      ramdisk.problems(2 * archive + end, ramdisk.APP))
        for broken in (archive, archive + end[:-8], archive[1:] + end,
                       archive + end + b"x", b""):
            with self.assertRaises(ValueError):
                ramdisk.read(broken)

    def test_b_programs(self):
        """what runs finds all its libraries in the image"""
        held = self.held("boot.cpio") | self.held("app.cpio")
        names = {name.rpartition("/")[2] for name in held}
        programs = [name for name in held
                    if held[name].startswith(b"\x7fELF")]
        self.assertLessEqual({"init", "bin/hallmark-oracle"}, set(programs))
        for name in programs:
            self.assertLessEqual(self._needs(held[name]), names, name)

    def _needs(self, program):
        path = self.dir / "program"
        path.write_bytes(program)
        said = subprocess.run(["readelf", "-dW", path], text=True,
                              capture_output=True, check=True).stdout
        return set(re.findall(r"\(NEEDED\).*\[(.*)\]", said))

    def test_b_packed(self):
        """the ramdisks are those of the kernel's own gen_init_cpio"""
        tool = (self.one.image / "kernel" if LONG
                else KERNEL.parent) / "gen_init_cpio"
        if not tool.exists():
            self.skipTest("needs the gen_init_cpio of a kernel built here")
        init = self.one.dir / "init"
        init.write_bytes(self.held("boot.cpio")["init"])
        for part in ("boot", "app"):
            packed = subprocess.run(
                [tool, "-t", "0", self.one.image / f"{part}.list"],
                env={"OUT": str(self.one.image), "INIT": str(init)},
                capture_output=True, check=True).stdout
            self.assertTrue(packed == self.one.read(f"{part}.cpio"), part)

    def test_b_lists(self):
        """a list with a line that is none, or an owner, is refused"""
        self.assertEqual(pack.pack("# nothing\n\n"), pack.pack(""))
        for line in ("nod /dev/null 666 0 0 c 1 3", "dir /a 755 0",
                     "dir /a 755 1 0", "dir a 755 0 0", "dir /a rwx 0 0",
                     "slink /a b c 777 0 0"):
            with self.subTest(line), self.assertRaises(ValueError):
                pack.pack(line)
        with self.assertRaises(OSError):
            pack.pack(f"file /a {self.dir}/absent 644 0 0")

    def test_b_size(self):
        """the image is under 20 MB"""
        size = len(self.one.read("hallmark.eif"))
        print(f"# {size} bytes")
        self.assertLess(size, SIZE_MAX)

    # ---- one byte of each part ----

    def test_c_config(self):
        """a byte of the configuration: PCR0 and PCR2"""
        changed = self.dir / "changed.json"
        text = self.config.read_bytes()
        changed.write_bytes(text.rstrip() + b"\t")
        self.assertEqual(len(changed.read_bytes()), len(text))
        self.assertEqual(self.changed(CONFIG=changed), {"PCR0", "PCR2"})
        policy = self.one.read("policy.json").decode()
        self.assertIn(eif.pcr(changed.read_bytes()), policy)

    def test_c_no_config(self):
        """no configuration in the image: PCR0 and PCR2, and no PCR16"""
        self.assertEqual(self.changed(CONFIG=""), {"PCR0", "PCR2"})
        policy = json.loads(self.one.read("policy.json"))
        self.assertEqual(set(policy["releases"][0]["pcrs"]), {"0", "1", "2"})

    def test_c_cmdline(self):
        """a byte of the command line: PCR0 and PCR1"""
        cmdline = (ROOT / "deploy/image/cmdline").read_text().strip()
        self.assertEqual(self.changed(CMDLINE=cmdline + " "),
                         {"PCR0", "PCR1"})

    def test_c_kernel(self):
        """a byte of the kernel: PCR0 and PCR1"""
        changed = self.with_one_byte(self.one.read("bzImage"))
        self.assertEqual(self.changed(KERNEL=changed), {"PCR0", "PCR1"})

    def test_c_init(self):
        """a byte of init: PCR0 and PCR1"""
        changed = self.with_one_byte(self.held("boot.cpio")["init"])
        self.assertEqual(self.changed(INIT=changed), {"PCR0", "PCR1"})

    def test_c_date(self):
        """SOURCE_DATE_EPOCH: the metadata, and no PCR"""
        before = self.one.read("hallmark.eif")
        self.assertEqual(self.changed(SOURCE_DATE_EPOCH=1700000000), set())
        image = self.one.read("hallmark.eif")
        self.assertNotEqual(image, before)
        self.assertIn(b"2023-11-14", image)

    # ---- what is refused ----

    def _link_own_library(self):
        """A program that the loader finds a library for, here only."""
        source = self.dir / "empty.c"
        source.write_text("int main(void) { return 0; }\n")
        library, program = self.dir / "libown.so", self.dir / "dynamic"
        for args in (["-shared", "-fPIC", "-o", library],
                     ["-o", program, "-Wl,--no-as-needed", library]):
            subprocess.run(["gcc", source, *args], check=True)
        return program

    def refused(self, word, **variables):
        done = self.one.make(check=False, **variables)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(word, done.stderr)

    def test_d_refused(self):
        """absent files, libraries from elsewhere; no kernel is told"""
        absent = self.dir / "absent"
        self.refused("absent: no such file", CONFIG=absent)
        self.refused("absent: no such file", INIT=absent)
        self.refused("absent: no such file", KERNEL=absent)
        self.refused("is not Debian's", INIT=self._link_own_library())
        done = self.one.make(KERNEL=self.config, CONFIG=self.config)
        self.assertIn("will not start it", done.stderr)


def main():
    if not LONG and not KERNEL.is_file():
        print(f"not ok - {KERNEL} is not there: run make image first")
        return 1
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]]
    suite = loader.loadTestsFromTestCase(Image)
    print(f"1..{suite.countTestCases()}")
    tap = integration.Tap()
    suite.run(tap)
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
