"""The oracle as it runs in an enclave: its only ways out are vsock and
/dev/nsm. Prices must come out verified by another program, and what the test
module signs must be worth nothing to a policy that does not name its root.
"""

import atexit
import http.client
import json
import os
import secrets
import unittest

import client
import settings
import support
import vsock_stack
from program import Failed, Program, wait_until
from stack import BIN

EXIT_CHAIN = 4


def _start_shared():
    stack = vsock_stack.VsockStack(support.fast_feeds(interval_ms=2000))
    atexit.register(stack.stop)  # twice is harmless
    try:
        stack.start()
    except Failed as failed:
        support._shared = failed
        raise Failed(f"{failed}\n{stack.logs(20)}") from None
    support._shared = stack


def tearDownModule():
    """The tests after these need the processor for themselves."""
    if isinstance(support._shared, vsock_stack.VsockStack):
        support._shared.stop(keep=True)


class EnclaveTest(support.StackTest):
    def setUp(self):
        if support._shared is None:
            _start_shared()
        self.stack = support.shared_stack()
        support.wait_prices(self.stack, seconds=support.SEEN_S)

    def other_policy(self, **changes):
        policy = json.loads(self.stack.policy.read_text())
        policy.update(changes)
        return settings.write_json(self.stack.dir / "other.json", policy)

    def verify_with(self, policy, path, *more):
        done = support.run("hallmark", "verify", path, "--policy", policy,
                           *more)
        return done.returncode, done.stdout + done.stderr

    def document(self, nonce):
        """A new document, asked for over vsock and the bridge."""
        reply = client.request(
            self.stack.oracle_url(f"/attestation?nonce={nonce}"))
        self.assertEqual(reply.status, 200, reply.body)
        path = self.stack.dir / "document.b64"
        path.write_text(reply.json()["attestation_doc_b64"])
        return path


class Prices(EnclaveTest):
    def test_a_prices(self):
        """prices of 4 exchanges come out of an oracle on vsock and /dev/nsm"""
        for feed in support.FEEDS:
            item = support.price(self.stack, feed)
            self.assertIsNotNone(item, feed)
            self.assertEqual(item["platform"], "aws-nitro")
            self.assertEqual(client.content_of(item)["status"], "ok")
            self.assertEqual(len(support.used(item)), 4)

    def test_oracle_is_on_vsock_only(self):
        """the oracle answers on its vsock port, and has no other listener"""
        connection = http.client.HTTPConnection("oracle")
        connection.sock = vsock_stack.connect(vsock_stack.ORACLE_PORT)
        self.addCleanup(connection.close)
        connection.request("GET", "/livez")
        self.assertEqual(connection.getresponse().status, 200)
        pid = self.stack.programs["oracle"].process.pid
        tcp = [line.split() for name in ("tcp", "tcp6")
               for line in open(f"/proc/{pid}/net/{name}")][1:]
        listening = {row[9] for row in tcp if row[3] == "0A"}
        mine = {os.readlink(f"/proc/{pid}/fd/{fd}")
                for fd in os.listdir(f"/proc/{pid}/fd")}
        self.assertFalse(mine & {f"socket:[{inode}]" for inode in listening})
        self.assertIn("/dev/nsm", mine)

    def test_verify(self):
        """hallmark verify accepts an item by a policy that names the root"""
        code, said = self.verify_with(self.stack.policy, self.save_item())
        self.assertEqual(code, 0, said)

    def test_default_root(self):
        """AWS's root refuses item and document of the test root: chain, 4"""
        aws = self.other_policy(roots=["aws-nitro-g1"], root_files=[])
        for path in (self.save_item(), self.document("00" * 16)):
            code, said = self.verify_with(aws, path)
            self.assertEqual(code, EXIT_CHAIN, said)

    def test_nonce(self):
        """a document made for a nonce verifies with it and with no other"""
        nonce = secrets.token_hex(20)
        document = self.document(nonce)
        code, said = self.verify_with(
            self.stack.policy, document, "--nonce", nonce)
        self.assertEqual(code, 0, said)
        code, said = self.verify_with(
            self.stack.policy, document, "--nonce", "11" * 20)
        self.assertNotEqual(code, 0, said)

    def test_verifierd_default_root(self):
        """a verifier with AWS's root takes nothing from this oracle"""
        self.other_policy(roots=["aws-nitro-g1"], root_files=[])
        port = settings.free_ports(1)[0]
        config = settings.write_json(self.stack.dir / "strict.json", {
            "listen": f"tcp://127.0.0.1:{port}", "policy": "other.json",
            "archive": "strict.db", "oracles": [self.stack.oracle_url("")]})
        strict = Program("strict", [BIN / "hallmark-verifierd", config],
                         self.stack.dir / "strict.log")
        strict.start()
        self.addCleanup(strict.stop)
        wait_until("a refusal", lambda: "announce refused" in strict.log(),
                   support.SEEN_S, strict.must_run)
        self.assertIn("verdict=root_untrusted", strict.log())
        reply = client.request(f"http://127.0.0.1:{port}/price/BTC-USD")
        self.assertNotEqual(reply.status, 200)


class Module(EnclaveTest):
    """What only a module that outlives the oracle can show."""

    def test_restart(self):
        """after kill -9 the same configuration finds its PCR16 and serves"""
        self.stack.kill("oracle")
        self.stack.restart("oracle")
        support.wait_prices(self.stack, support.now_ms(), support.SEEN_S)

    def start_other(self, name, **changes):
        """Another oracle in this enclave; its log, once it has ended badly.
        None takes a key out of its configuration."""
        config = json.loads(self.stack.config("oracle").read_text())
        config.update(listen="vsock://any:8081", **changes)
        path = settings.write_json(self.stack.dir / f"{name}.json", {
            key: value for key, value in config.items() if value is not None})
        other = Program(name, [BIN / "hallmark-oracle", path],
                        self.stack.dir / f"{name}.log")
        self.addCleanup(other.kill)
        other.start()
        self.assertNotEqual(other.process.wait(support.SEEN_S), 0)
        return other.log()

    def test_second_configuration(self):
        """a second configuration finds PCR16 locked and does not start"""
        self.assertIn("PCR16 does not hold this configuration",
                      self.start_other("second"))

    def test_root_is_aws_by_default(self):
        """without nsm_root an oracle does not believe a test module"""
        log = self.start_other("strict-oracle", nsm_root=None,
                               nsm_device="/dev/nsm2")
        self.assertIn("root_untrusted", log)


if __name__ == "__main__":
    unittest.main()
