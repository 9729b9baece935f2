"""Boots of the image that give no price: each must end by itself and say why,
or show one thing only.
"""

import json
import pathlib
import tempfile
import unittest

import enclave
import initramfs
from enclave import Given
from machine import BOOT_S, Image
from program import wait_until
from test_eif import pcr


class Ends(unittest.TestCase):
    """Boots that are not to give a price."""

    def boot(self, qemu, nsm=True, **changes):
        """A machine that was handed a configuration with these members
        changed (None: left out)."""
        if qemu is None:
            self.skipTest(Given.why)
        stack = enclave.EnclaveStack(qemu, Given.image, False, nsm)
        self.addCleanup(stack.stop)

        def configure():
            config = {**stack.oracle_config(), **changes}
            stack.config("oracle").write_text(json.dumps(
                {key: value for key, value in config.items()
                 if value is not None}))
        stack.boot(configure=configure)
        return stack

    def end_of(self, stack):
        """Waits until it is off; its last words came to the parent, too."""
        stack.machine.wait_off()
        self.assertEqual(
            stack.machine.console.text().count("Linux version"), 1)
        found = [line for line in stack.machine.lines("init")
                 if line[3] in ("oracle_ended", "refused")]
        self.assertEqual(len(found), 1, stack.machine.log_tail(40))
        _, level, _, event, fields = found[0]
        self.assertEqual(level, "error")
        log = stack.programs["bridge"].log
        wait_until("its last words at the parent",
                   lambda: event in log(), BOOT_S)
        return event, fields

    def test_emulator(self):
        """unless told that it is emulated the machine refuses, and goes off"""
        stack = self.boot(Given.qemu, insecure_emulator=None)
        event, fields = self.end_of(stack)
        self.assertEqual(event, "refused")
        self.assertRegex(fields, r"step=platform why=\"clock: .*kvm-clock")
        self.assertEqual(stack.machine.lines("oracle"), [])

    def test_oracle_ends(self):
        """when the oracle ends the machine goes off, and init says how"""
        stack = self.boot(Given.qemu, colour="blue")
        event, fields = self.end_of(stack)
        self.assertEqual(event, "oracle_ended")
        self.assertRegex(fields, r"\b1\b")
        self.assertRegex(stack.machine.console.text(), "colour")

    def test_no_module(self):
        """without a security module it refuses, and goes off"""
        event, fields = self.end_of(
            self.boot(Given.plain_qemu, nsm=False, insecure_emulator=None))
        self.assertEqual(event, "refused")
        self.assertRegex(fields, "/dev/nsm")

    def test_plain_qemu(self):
        """Debian's own QEMU, and no module: the oracle starts all the same"""
        stack = self.boot(Given.plain_qemu, nsm=False, attester="simulated",
                          simulated_dir="/tmp/simulated", nsm_root=None)
        stack.machine.wait_line("the oracle", r" oracle listening ")
        stack.machine.wait_line("simulated", r" SIMULATED ")


class Measured(unittest.TestCase):
    """The same kernel, init and oracle with a configuration in the image."""

    def setUp(self):
        if Given.qemu is None:
            self.skipTest(Given.why)
        directory = tempfile.TemporaryDirectory(prefix="hallmark-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def with_configuration(self, config):
        archive = initramfs.Archive()
        archive.add_bytes("/etc/hallmark/oracle.json", config)
        archive.write(self.dir / "more.cpio")
        args = ["--cmdline", Given.image.cmdline(), "--output", self.dir / "eif"]
        for option, data in Given.image.parts():
            path = self.dir / f"part{len(args)}"
            path.write_bytes(data)
            args += [option, path]
        enclave.hallmark("eif", "build", *args, "--ramdisk",
                         self.dir / "more.cpio")
        return Image(self.dir / "eif")

    def test_configuration_in_the_image(self):
        """one in the image is PCR0, 2 and 16; the parent is not asked"""
        config = json.dumps({
            "listen": f"vsock://any:{enclave.ORACLE}", "attester": "nsm",
            "insecure_emulator": True, "ca_bundle": "/etc/hallmark/ca.pem",
            "feeds": enclave.settings.live_feeds()}).encode()
        image = self.with_configuration(config)
        self.assertEqual({name for name, value in image.pcrs.items()
                          if value != Given.image.pcrs[name]}, {"PCR0", "PCR2"})
        stack = enclave.EnclaveStack(Given.qemu, image, False)
        self.addCleanup(stack.stop)
        stack.boot()
        stack.machine.wait_line("PCR16", f" init measured pcr16={pcr(config)}")
        # It demands AWS's root of its documents, and this is another.
        stack.machine.wait_line("its own judgement", r" identity die why=.*"
                                "attestation: the attester's document: ")
        stack.machine.wait_off()
        (_, _, _, _, said), = stack.machine.lines("init", "configuration")
        self.assertIn("from=image", said)
        self.assertNotIn(" handed_out ", stack.programs["bridge"].log())


if __name__ == "__main__":
    unittest.main()
