"""The image that `make image` made, booted in an emulated Nitro machine: what
comes out of it, under which policies, and what it does with what its parent
gives it. Its PCRs are computed here, from its bytes, with hashlib.
"""

import base64
import json
import os
import re
import secrets
import signal
import socket
import time
import unittest

import cbor
import client
import enclave
import support
from enclave import Given
from machine import BOOT_S
from program import Failed, wait_until
from test_eif import measurements, pcr

EXIT_CHAIN, EXIT_PCR = 4, 5
# In the bridge's log, with what the enclave wrote behind it.
LINE_OF_ENCLAVE = re.compile(r" enclave \S+ \| ")
times = []      # [(what, seconds)] of the boot that ends with a price


def note_times(machine, now):
    """Of a boot that has just ended with a verified price."""
    def field(step, name):
        for _, _, _, _, fields in machine.lines("init", "step"):
            if f"name={step} " in fields:
                return int(re.search(rf"{name}=(\d+)", fields)[1]) / 1000
        return 0

    oracle = machine.lines("init", "step")[-1][0]
    attested = machine.lines("oracle", "attested")[0][0]
    priced = machine.lines("publisher", "first_price")[0][0]
    times[:] = [
        ("power-on to init", machine.lines()[0][0] - machine.began),
        ("  by the machine's own clock", field("mounts", "boot_ms")),
        ("init: heartbeat to nitro-cli", field("heartbeat", "took_ms")),
        ("init: entropy from the NSM", field("entropy", "took_ms")),
        ("init: configuration from the parent",
         field("configuration", "took_ms")),
        ("init: PCR16 extended and locked", field("measure", "took_ms")),
        ("oracle: start, key, first attestation", attested - oracle),
        ("oracle: first poll, to the first price signed", priced - attested),
        ("BTC-USD of 4 exchanges, verified on the parent", now - priced),
        ("all of it", now - machine.began)]


def pcrs_of(path):
    """Of a document: {index: hex}, read by the tests' own reader."""
    document = cbor.read(base64.b64decode(path.read_text()))
    pcrs = cbor.read(document[2])["pcrs"]
    return {index: value.hex() for index, value in pcrs.items()}


def verify(path, policy, *more):
    """`hallmark verify`: its status and what it says."""
    done = support.run("hallmark", "verify", path, "--policy", policy, *more)
    return done.returncode, done.stdout + done.stderr


def flipped(policy, index):
    """The policy with the last bit of a PCR turned."""
    policy = json.loads(json.dumps(policy))
    pcrs = policy["releases"][0]["pcrs"]
    pcrs[index] = "%096x" % (int(pcrs[index], 16) ^ 1)
    return policy


class Judged(unittest.TestCase):
    """Before anything boots."""

    def test_measurements(self):
        """hallmark pcrs accepts the image, with the PCRs of hashlib"""
        said = json.loads(enclave.hallmark("pcrs", Given.image.path, "--json"))
        for name, value in measurements(Given.image.path.read_bytes()).items():
            self.assertEqual(said["Measurements"][name], value)

    def test_size(self):
        """the image is smaller than 20 MB"""
        self.assertLess(Given.image.path.stat().st_size, 20 * 10 ** 6)


class Emulated(unittest.TestCase):
    """A boot for all tests of a class."""

    stack = None

    @classmethod
    def boot(cls, stack):
        """By the subclass."""

    @classmethod
    def setUpClass(cls):
        if Given.qemu is None or cls is Emulated:
            return
        cls.stack = enclave.EnclaveStack(Given.qemu, Given.image, cls is Prices)
        cls.addClassCleanup(cls.stack.stop)
        try:
            cls.boot(cls.stack)
        except Failed as failed:
            raise Failed(f"{failed}\n{cls.stack.logs(30)}") from None

    def setUp(self):
        if Given.qemu is None:
            self.skipTest(Given.why)

    def temporary(self, value):
        """The path of a JSON file in the installation's directory."""
        path = self.stack.dir / f"{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(value))
        return path


class Prices(Emulated):
    @classmethod
    def boot(cls, stack):
        stack.start()
        cls.item = wait_until("a price of 4 exchanges", lambda: support.price(
            stack, "BTC-USD"), BOOT_S, stack.machine.must_run)
        note_times(stack.machine, time.monotonic())
        cls.policy = json.loads(stack.policy.read_text())

    def setUp(self):
        super().setUp()
        self.path = self.stack.dir / "item.json"
        self.path.write_text(json.dumps(self.item))

    def refused(self, policy, status):
        """What is said of the item as it was when it was published."""
        code, said = verify(self.path, self.temporary(policy), "--at",
                            "published")
        self.assertEqual(code, status, said)
        return said

    def test_a_price(self):
        """a price comes out that verifierd accepts under the image's policy"""
        self.assertEqual(self.item["platform"], "aws-nitro")
        content = client.content_of(self.item)
        self.assertEqual(content["status"], "ok")
        self.assertGreaterEqual(len(support.used(self.item)), 4)
        page = client.request(self.stack.url("/price/BTC-USD"))
        self.assertEqual(page.status, 200)

    def test_b_verify(self):
        """hallmark verify accepts it too"""
        self.path.write_bytes(
            client.request(self.stack.url("/price/BTC-USD")).body)
        code, said = verify(self.path, self.stack.policy)
        self.assertEqual(code, 0, said)

    def test_c_policy(self):
        """the policy is what hallmark pcrs wrote, with config-pcr's PCR16"""
        pcrs = self.policy["releases"][0]["pcrs"]
        self.assertEqual(
            {f"PCR{i}": pcrs[str(i)] for i in range(3)}, Given.image.pcrs)
        self.assertEqual(pcrs["16"], enclave.hallmark(
            "config-pcr", self.stack.config("oracle")).strip())

    def test_d_document(self):
        """a document has the image's PCR0-2 and the configuration's PCR16"""
        nonce = secrets.token_hex(16)
        path = self.stack.document(nonce)
        found = pcrs_of(path)
        for index in range(3):
            self.assertEqual(found[index], Given.image.pcrs[f"PCR{index}"])
        self.assertEqual(found[16], pcr(
            self.stack.config("oracle").read_bytes()))
        code, said = verify(path, self.stack.policy, "--nonce", nonce)
        self.assertEqual(code, 0, said)

    def test_e_other_image(self):
        """a policy with another PCR0, 1, 2 or 16, by one bit, refuses it"""
        for index in ("0", "1", "2", "16"):
            said = self.refused(flipped(self.policy, index), EXIT_PCR)
            self.assertRegex(said, rf"(?m)^FAIL  pcr{index}\b")

    def test_f_other_root(self):
        """a policy that trusts AWS's root alone refuses it"""
        self.refused(dict(self.policy, root_files=[]), EXIT_CHAIN)

    def test_g_second_configuration(self):
        """the parent cannot hand over a second configuration"""
        self.assertIsNone(self.stack.dial(enclave.CONFIGURATION))
        config = self.stack.config("oracle")
        before = config.read_bytes()
        self.addCleanup(config.write_bytes, before)
        config.write_bytes(before + b" ")
        bridge = self.stack.programs["bridge"]
        bridge.process.send_signal(signal.SIGHUP)
        wait_until("the bridge has it", lambda: re.search(
            r" handout configuration_reloaded ", bridge.log()),
            BOOT_S)
        found = pcrs_of(self.stack.document(secrets.token_hex(16)))
        self.assertEqual(found[16], pcr(before))
        self.assertEqual(bridge.log().count(" handout handed_out "),
                         self.stack.boots)

    def test_h_ports(self):
        """of the enclave's ports only the oracle's answers"""
        answering = self.stack.dial(enclave.ORACLE)
        self.assertIsNotNone(answering)
        answering.close()
        for port in (22, 1024, 5000, enclave.HEARTBEAT, enclave.LOGS):
            self.assertIsNone(self.stack.dial(port), port)

    def test_i_heartbeat(self):
        """init told the parent's port 9000 that it is up, once"""
        received = self.stack.heartbeat.received
        self.assertEqual(set(received), {enclave.BEAT})
        self.assertLessEqual(len(received), self.stack.boots)

    def test_j_logs(self):
        """init's and the oracle's lines come out through the log channel"""
        log = self.stack.programs["bridge"].log()
        for what in (r"init measured pcr16=", r"oracle attested "):
            self.assertRegex(log, LINE_OF_ENCLAVE.pattern + ".*" + what)
        self.assertNotRegex(log, "PRIVATE")

    def test_k_bridge_again(self):
        """prices and logs go on when the bridge was away"""
        log = self.stack.programs["bridge"].log
        self.assertEqual(self.stack.programs["bridge"].stop(), 0)
        length, after_ms = len(log()), support.now_ms()
        self.stack.start_bridge()
        wait_until("a newer price", lambda: support.price(
            self.stack, "BTC-USD", after_ms), BOOT_S)
        wait_until("a line of the enclave's", lambda: LINE_OF_ENCLAVE.search(
            log(), length), BOOT_S)

    def test_l_hardware(self):
        """the module gives random numbers; only the clock is let pass"""
        machine = self.stack.machine
        (_, _, _, _, bits), = machine.lines("init", "seeded")
        self.assertGreaterEqual(int(bits.split("=")[1]), 256)
        (_, level, _, _, said), = machine.lines("init", "tolerated")
        self.assertEqual(level, "warn")
        self.assertRegex(said, r"what=clock .*kvm-clock")


# What a parent may do in place of handing over a configuration.
BAD_ANSWERS = (b"", b"\0\0", bytes(4), b"\xff" * 4, b"\0\x10\0\1" + b"{",
               b"\0\0\0\x10{}")


def answer_badly(path):
    """Each of them once, to whoever connects there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(BOOT_S)
        listener.bind(path)
        listener.listen()
        for answer in BAD_ANSWERS:
            with listener.accept()[0] as guest:
                guest.sendall(answer)
    os.unlink(path)


class Handover(Emulated):
    """A parent that is late, answers badly, and in the end gives another
    configuration than was agreed on. No nitro-cli listens."""

    @classmethod
    def boot(cls, stack):
        stack.boot(bridge=False, heartbeat=False)

    def test_other_configuration(self):
        """init waits for a configuration; one byte more is another PCR16"""
        stack = self.stack
        stack.machine.wait_line("init says that nobody hears it",
                                r" init no_heartbeat ")
        stack.machine.wait_line("init says that it waits",
                                r" handover no_configuration ")
        answer_badly(f"{stack.machine.uds}_{enclave.CONFIGURATION}")
        expected = stack.write_policy()
        config = stack.config("oracle")
        config.write_bytes(config.read_bytes() + b"\n")
        stack.start_bridge()
        # No exchanges, no prices: it lives, and is not ready.
        wait_until("the oracle", lambda: client.ready(
            stack.oracle_url("/livez")), BOOT_S,
            stack.machine.must_run)
        path = stack.document(secrets.token_hex(16))
        self.assertEqual(pcrs_of(path)[16], pcr(config.read_bytes()))
        code, said = verify(path, expected)
        self.assertEqual(code, EXIT_PCR, said)
        self.assertRegex(said, r"(?m)^FAIL  pcr16\b")
        code, said = verify(path, stack.write_policy(stack.dir / "new.json"))
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
