"""The emulated machine with scripts in the place of QEMU and of its devices:
what is taken out of an image, what the console shows, and the second boot."""

import pathlib
import tempfile
import unittest

import check
import enclave
import machine as vm
from program import Failed
from test_eif import CMDLINE, HEADER, KERNEL, METADATA, RAMDISK, SECTION, pcr

DEVICE = """#!/bin/sh
touch "$1"
[ -z "$4" ] || echo "root $3" >"$2"
exec sleep 60
"""
# Finds its serial port; counts its boots.
QEMU = """#!/bin/sh
echo "$*" >{here}/argv
while [ $# -gt 0 ]; do
	case $1 in -serial) console=${{2#file:}} ;; esac
	shift
done
boots=$(($(cat {here}/boots 2>/dev/null || echo 0) + 1))
echo $boots >{here}/boots
clock=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
say() {{ printf "[ 0.1] $clock $*\\r\\n" >>$console; }}
"""


def image_of(parts):
    """As AWS's tool lays it out; no CRC, which QEMU does not look at here."""
    header = bytearray(HEADER.size)
    return bytes(header) + b"".join(
        SECTION.pack(kind, 0, len(data)) + data for kind, data in parts)


class Fake(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        for name in ("vsock_device", "nsm_device"):
            self.script(name, DEVICE)
        self.change(vm, "VM_BIN", self.dir)
        self.change(vm, "REACH_S", 0.6)
        self.said = []
        self.change(enclave, "say", self.said.append)
        (self.dir / "eif").write_bytes(image_of([
            (KERNEL, b"kernel"), (CMDLINE, b"console=ttyS0"),
            (METADATA, b"{}"), (RAMDISK, b"boot"), (RAMDISK, b"app")]))
        self.image = vm.Image(self.dir / "eif")

    def change(self, where, name, value):
        self.addCleanup(setattr, where, name, getattr(where, name))
        setattr(where, name, value)

    def script(self, name, text):
        path = self.dir / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def qemu(self, script):
        path = self.script("qemu", QEMU.format(here=self.dir) + script)
        return type("Qemu", (), {"argv": [str(path)],
                                 "environment": {"MODULES": "here"}})()

    def machine(self, script):
        machine = vm.Machine(self.qemu(script), self.image, self.dir)
        self.addCleanup(machine.stop)
        machine.start_devices()
        machine.start()
        return machine

    def boots(self):
        return int((self.dir / "boots").read_text())


class Machines(Fake):
    def test_image(self):
        """kernel and ramdisks are the image's own bytes, as measured"""
        self.image.unpack(self.dir)
        self.assertEqual((self.dir / "kernel").read_bytes(), b"kernel")
        self.assertEqual((self.dir / "ramdisks").read_bytes(), b"bootapp")
        self.assertEqual(self.image.cmdline(), "console=ttyS0")
        self.assertEqual(self.image.pcrs, {
            "PCR0": pcr(b"kernelconsole=ttyS0bootapp"),
            "PCR1": pcr(b"kernelconsole=ttyS0boot"), "PCR2": pcr(b"app")})

    def test_arguments(self):
        """the command line is the image's, then what a hypervisor tells"""
        machine = self.machine("say 'info  init began'; exec sleep 60")
        self.assertTrue(machine.reached())
        said = (self.dir / "argv").read_text()
        self.assertRegex(said, r" -append console=ttyS0( tsc=reliable "
                         r"tsc_early_khz=\d+)? -chardev ")
        self.assertIn("vhost-user-test-device,virtio-id=33", said)
        self.assertIn(f"root {self.image.pcrs['PCR0']}",
                      machine.root.read_text())

    def test_console(self):
        """our lines are told from the kernel's, and have a time"""
        machine = self.machine(
            "echo kernel >$console; say 'warn  init one a=1'; "
            "printf 'half' >>$console; exit 3")
        self.assertEqual(machine.wait_off(20), 3)
        (when, *line), = machine.lines()
        self.assertEqual(line, ["warn", "init", "one", " a=1"])
        self.assertGreaterEqual(when, machine.began)
        self.assertEqual(machine.lines("oracle"), [])
        self.assertEqual(machine.lines("init", "two"), [])

    def test_gone(self):
        """a machine that is off before init is noticed at once"""
        self.change(vm, "REACH_S", 300)
        self.assertFalse(self.machine("exit 1").reached())


class Boots(Fake):
    def boot(self, script, **options):
        self.change(check, "certificates", lambda: self.dir / "none")
        (self.dir / "none").mkdir(exist_ok=True)
        (self.dir / "none/ca.pem").write_text("authority")
        stack = enclave.EnclaveStack(self.qemu(script), self.image, False)
        self.addCleanup(stack.stop)
        stack.boot(bridge=False, **options,
                   configure=lambda: self.roots.append(
                       stack.oracle_config()["nsm_root"]))
        return stack

    def setUp(self):
        super().setUp()
        self.roots = []

    def test_once(self):
        """a boot that reaches init is the only one"""
        stack = self.boot("say 'info  init began'; exec sleep 60")
        self.assertEqual((self.boots(), stack.boots), (1, 1))

    def test_second(self):
        """one that hangs before init is tried again, with new files"""
        stack = self.boot("[ $boots = 1 ] && exec sleep 60; "
                          "say 'info  init began'; exec sleep 60")
        self.assertEqual((self.boots(), stack.boots), (2, 2))
        self.assertEqual(len(self.roots), 2)

    def test_no_fourth(self):
        """one that dies each time is a failure; its last words are shown"""
        with self.assertRaisesRegex(Failed, "3 times(.|\n)*last words"):
            self.boot("echo last words >$console; exit 1")
        self.assertEqual(self.boots(), 3)

    def test_clock(self):
        """one whose clock lost seconds is tried again where that matters"""
        script = ("[ $boots = 1 ] && clock=2026-01-01T00:00:00.000Z; "
                  "say 'info  init began'; exec sleep 60")
        self.boot(script, exact=True)
        self.assertEqual(self.boots(), 2)
        self.assertRegex("\n".join(self.said), r"clock lost \d+\.\d s")
        (self.dir / "boots").unlink()
        self.boot(script)
        self.assertEqual(self.boots(), 1)


if __name__ == "__main__":
    unittest.main()
