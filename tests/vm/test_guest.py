"""The runner itself, with a script in QEMU's place: no guest is booted here."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import guest
import initramfs
import kernel

# What stands for QEMU: finds its "serial ports" and the run's id in the
# arguments, as the guest would find them, then does what the test wants.
FAKE = """#!/bin/sh
while [ $# -gt 0 ]; do
	case $1 in
	-serial) n=$((n + 1)); eval "port$n=${2#file:}"; shift ;;
	-initrd) archive=$2; shift ;;
	esac
	shift
done
id=$(tr '\\0' '\\n' <"$archive" | grep -ax '[0-9a-f]\\{32\\}')
say() { echo "$id $*" >>"$port3"; }
boots=$(cat %(count)s 2>/dev/null || echo 0)
echo $((boots + 1)) >%(count)s
"""


class Fake(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.count = self.dir / "count"
        self.addCleanup(os.environ.pop, "HALLMARK_QEMU", None)

    def run_with(self, script, **options):
        """The result when QEMU does this."""
        program = self.dir / "qemu"
        program.write_text(FAKE % {"count": self.count} + script)
        program.chmod(0o755)
        os.environ["HALLMARK_QEMU"] = str(program)
        none = type("Kernel", (), {"image": "/nowhere"})()
        return guest.Guest(none, initramfs.Archive(), ["true"],
                           **options).run()

    def boots(self):
        return int(self.count.read_text())

    def test_status(self):
        """the status that /init reports is the run's, and the output comes"""
        result = self.run_with("say began; echo out >$port2; say ended 7")
        self.assertEqual((result.status, result.output), (7, "out\n"))
        self.assertEqual(self.boots(), 1)

    def test_forged(self):
        """a report without the run's id is none, wherever it stands"""
        result = self.run_with(
            "say began; for p in $port1 $port2 $port3; do "
            "echo '00000000000000000000000000000000 ended 0' >>$p; "
            "echo 'ended 0' >>$p; echo \"x $id ended 0\" >>$p; done")
        self.assertEqual(result.status, guest.DIED)

    def test_two_ends(self):
        """a guest that reports two ends is not believed"""
        result = self.run_with("say began; say ended 0; say ended 0")
        self.assertEqual(result.status, guest.DIED)

    def test_died(self):
        """a guest that dies in the program is told from one that failed"""
        result = self.run_with("say began; echo panic >$port1; exit 1")
        self.assertEqual(result.status, guest.DIED)
        self.assertIn("panic", result.console)
        self.assertEqual(self.boots(), 1)

    def test_second_boot(self):
        """a boot that never reached /init is tried once more, not twice"""
        result = self.run_with("[ $boots = 0 ] && exit 1; say began; "
                               "say ended 0")
        self.assertEqual((result.status, self.boots()), (0, 2))
        self.count.unlink()
        result = self.run_with("echo lost >&2; exit 1")
        self.assertEqual((result.status, self.boots()), (guest.DIED, 2))
        self.assertIn("lost", result.console)

    def test_hangs_before_init(self):
        """a boot that hangs before /init is ended, and tried once more"""
        result = self.run_with("exec sleep 99", boot_s=0.3)
        self.assertEqual((result.status, self.boots()), (guest.TIMED_OUT, 2))
        self.assertIn("no /init", result.why)

    def test_hangs(self):
        """a program that does not end is ended with its guest, once"""
        began = time.monotonic()
        result = self.run_with("say began; exec sleep 99", timeout_s=0.5)
        self.assertEqual((result.status, self.boots()), (guest.TIMED_OUT, 1))
        self.assertLess(time.monotonic() - began, 60)

    def test_no_module(self):
        """a module that does not load is an error of the runner"""
        result = self.run_with("say no-module vsock.ko; say began; "
                               "say ended 0")
        self.assertEqual(result.status, guest.NOT_STARTED)
        self.assertIn("vsock.ko", result.why)


class Archive(unittest.TestCase):
    def test_cpio_reads_it(self):
        """another program unpacks the archive as it was meant"""
        with tempfile.TemporaryDirectory() as name:
            here = pathlib.Path(name)
            source = here / "source"
            source.write_bytes(b"x" * 13)
            os.utime(source, (1000000000, 1000000000))
            archive = initramfs.Archive()
            archive.add_file(source, "/a/b/file")
            archive.add_link("/a/link", "b/file")
            archive.add_text("/run", "yes\n", 0o755)
            archive.write(here / "archive")
            (here / "out").mkdir()
            with open(here / "archive", "rb") as stdin:
                subprocess.run([guest.busybox(), "cpio", "-idm"], stdin=stdin,
                               cwd=here / "out", check=True,
                               capture_output=True)
            out = here / "out"
            self.assertEqual((out / "a/link").read_bytes(), b"x" * 13)
            self.assertEqual((out / "a/b/file").stat().st_mtime, 1000000000)
            self.assertTrue(os.access(out / "run", os.X_OK))

    def test_libraries(self):
        """a program's libraries and its loader come along"""
        with tempfile.TemporaryDirectory() as name:
            archive = initramfs.Archive()
            archive.add_file(sys.executable)
            archive.write(pathlib.Path(name, "archive"))
            names = re.findall(rb"lib[a-z]+[^/\0]*\.so|ld-linux[^/\0]*",
                               pathlib.Path(name, "archive").read_bytes())
            self.assertIn(b"libc.so", names)
            self.assertTrue([each for each in names
                             if each.startswith(b"ld-linux")])


class Kernel(unittest.TestCase):
    def test_order(self):
        """modules come after what they need, each once"""
        with tempfile.TemporaryDirectory() as name:
            here = pathlib.Path(name)
            modules = here / "lib/modules/6.12"
            (here / "boot").mkdir()
            modules.mkdir(parents=True)
            (here / "boot/vmlinuz-6.12").touch()
            (modules / "modules.builtin").write_text("kernel/x/built-in.ko\n")
            for each, needs in (("a", b"b-b,c,built_in"), ("b_b", b"c"),
                                ("c", b"")):
                (modules / f"{each}.ko").write_bytes(
                    b"elf\0depends=" + needs + b"\0name=x\0")
            found = kernel.Kernel(here).modules("a", "c")
            self.assertEqual([each for each, _ in found], ["c", "b_b", "a"])
            with self.assertRaises(kernel.Missing):
                kernel.Kernel(here).modules("d")

    def test_no_image(self):
        """a directory without a kernel is refused by name"""
        with self.assertRaisesRegex(kernel.Missing, "/nonexistent"):
            kernel.Kernel("/nonexistent")


if __name__ == "__main__":
    unittest.main()
