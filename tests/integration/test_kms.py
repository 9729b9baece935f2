"""A signing key that survives restarts, kept by KMS (a stand-in that checks the
signature, the attestation and the key's policy); and each way to attack it."""

import base64
import contextlib
import json
import pathlib
import shutil
import tempfile
import time
import unittest

import client
import settings
import support
from kms_stack import ARN, HOST, ROLE, KmsStack, kms_server, kms_stand_in
from program import wait_until

KMS = settings.ROOT / "deploy" / "kms"


class Signature(unittest.TestCase):
    def test_published(self):
        """the stand-in's Signature Version 4 is AWS's, by its examples"""
        secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        headers = {"host": "example.amazonaws.com",
                   "x-amz-date": "20150830T123600Z",
                   "content-type": "application/x-www-form-urlencoded"}
        for names, method, body, wanted in (
                (["host", "x-amz-date"], "GET", b"",
                 "5fa00fa31553b73ebf1942676e86291e"
                 "8372ff2a2260956d9b8aae1d763fbf31"),
                (["content-type", "host", "x-amz-date"], "POST",
                 b"Param1=value1",
                 "ff11897932ad3f4e8b18135d722051e5"
                 "ac45fc38421b1da7b9d196a0fe09473a")):
            self.assertEqual(kms_stand_in.signature(
                secret, (method, "/", "", headers, body), names,
                "20150830T123600Z", "us-east-1", "service"), wanted)


class Deployed(unittest.TestCase):
    def test_examples(self):
        """deploy/kms: the configurations are good, the policy is closed"""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            oracle = json.loads(settings.LIVE.read_text())
            oracle.update(json.loads((KMS / "oracle-key.json").read_text()))
            settings.write_json(folder / "oracle.json", oracle)
            done = support.run(
                "hallmark-oracle", "--check", folder / "oracle.json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("key           survives restarts", done.stdout)
            self.assertIn("https://kms.eu-central-1.amazonaws.com:443/",
                          done.stdout)
            shutil.copy(KMS / "bridge-key.json", folder / "bridge.json")
            done = support.run(
                "vsock-bridge", "--check", folder / "bridge.json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("keeper vsock://any:9003, in /var/lib", done.stdout)
        policy = json.loads((KMS / "key-policy.json").read_text())
        for statement in policy["Statement"]:
            self.assertNotIn("kms:*", statement["Action"])
            if "kms:Decrypt" in statement["Action"]:
                self.assertIn("kms:RecipientAttestation:ImageSha384",
                              json.dumps(statement["Condition"]))


class Kept(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = KmsStack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        cls.first = cls.stack.attestation()

    def setUp(self):
        self.kms, self.server = self.stack.kms, self.stack.server

    def boot_of(self, feed="BTC-USD"):
        item = support.price(self.stack, feed)
        return item and client.content_of(item)["boot_id"]

    def test_restart(self):
        """a restart keeps the public key, and verifierd follows"""
        support.wait_prices(self.stack)
        before = self.boot_of()
        for shape in ("chunks", "whole"):
            self.kms.shape = shape
            self.stack.restart_oracle()
            after = self.stack.attestation()
            self.assertEqual(after["public_key"], self.first["public_key"])
            self.assertNotEqual(after["attestation_sha256"],
                                self.first["attestation_sha256"])
        support.wait_prices(self.stack, support.now_ms())
        self.assertNotEqual(self.boot_of(), before)
        item = support.price(self.stack, "BTC-USD")
        self.assertEqual(item["public_key"], self.first["public_key"])
        self.assertEqual(self.kms.calls[0], ("GenerateDataKey", "ok"))
        self.assertIn(("Decrypt", "ok"), self.kms.calls)

    def test_nothing_leaks(self):
        """neither credentials nor data keys are in a log or with the keeper"""
        texts = [program.log() for program in self.stack.programs.values()]
        texts += [path.read_text() for path in self.stack.blobs()]
        secrets = [self.server.credentials["SecretAccessKey"],
                   self.server.credentials["Token"]]
        for plain, _, _ in self.kms.wrapped.values():
            secrets += [plain.hex(), base64.b64encode(plain).decode()]
        for text in texts:
            for secret in secrets:
                self.assertNotIn(secret, text)

    # ---- attacks ----

    @contextlib.contextmanager
    def stopped(self):
        """The oracle is, and runs with its key again afterwards; whatever
        was changed meanwhile is as it was."""
        config = self.stack.config("oracle")
        kept = [config, *self.stack.blobs()]
        texts = [path.read_bytes() for path in kept]
        policies = dict(self.kms.keys)
        credentials = dict(self.server.credentials)
        self.stack.programs["oracle"].stop()
        try:
            yield
        finally:
            self.stack.programs["oracle"].stop()
            for path, text in zip(kept, texts):
                path.write_bytes(text)
            self.kms.keys = policies
            self.kms.ahead_s, self.kms.ignores_recipient = 0, False
            self.server.credentials.clear()
            self.server.credentials.update(credentials)
            if self.server.imds is None:
                self.server.stop()
                self.server.start()
        self.stack.programs["oracle"].start()
        self.stack.wait_ready("oracle")
        self.assertEqual(self.stack.attestation()["public_key"],
                         self.first["public_key"])

    def assert_dies(self, *wanted):
        status, log = self.stack.oracle_dies()
        self.assertEqual(status, 1, log)
        for text in wanted:
            self.assertIn(text, log)
        return log

    def test_other_pcrs(self):
        """a key policy for another image: denied, and it says what to do"""
        for name in ("ImageSha384", "PCR16"):
            with self.subTest(name), self.stopped():
                self.kms.keys[ARN] = self.stack.key_policy(
                    **{name: "ab" * 48})
                self.assert_dies("AccessDeniedException",
                                 "not authorized to perform: kms:Decrypt",
                                 "kms:RecipientAttestation:ImageSha384",
                                 "deploy/kms")

    def test_altered_blob(self):
        """an altered blob does not open"""
        path = self.stack.blobs()[-1]
        good = path.read_bytes()
        for key, change in (("sealed_b64", -3), ("nonce_b64", 3)):
            blob = json.loads(good)
            raw = bytearray(base64.b64decode(blob[key]))
            raw[change] ^= 1
            blob[key] = base64.b64encode(raw).decode()
            with self.stopped():
                path.write_text(json.dumps(blob))
                self.assert_dies("the blob was altered")
        blob = {**json.loads(good), "epoch": 7}
        with self.stopped():
            path.write_text(json.dumps(blob))
            self.assert_dies("the blob was altered")

    def test_moved_blob(self):
        """a blob of another configuration is refused, here and by KMS"""
        path, config = self.stack.blobs()[-1], self.stack.config("oracle")
        before = config.read_text()
        sha256 = support.sha256(before + " ")
        moved = path.with_name(f"key-{sha256[:48]}.1")
        with self.stopped():
            config.write_text(before + " ")
            self.kms.keys[ARN] = self.stack.key_policy()
            shutil.copy(path, moved)
            self.assert_dies("it was sealed for another configuration")
            blob = {**json.loads(path.read_text()), "config_sha256": sha256}
            moved.write_text(json.dumps(blob))
            self.assert_dies("InvalidCiphertextException")
            moved.unlink()

    def test_other_configuration(self):
        """another configuration has a key of its own"""
        config = self.stack.config("oracle")
        before = config.read_text()
        with self.stopped():
            config.write_text(before + "\n")
            self.kms.keys[ARN] = self.stack.key_policy()
            self.stack.programs["oracle"].start()
            self.stack.wait_ready("oracle")
            self.assertNotEqual(self.stack.attestation()["public_key"],
                                self.first["public_key"])

    def test_plaintext(self):
        """an answer with the key in the plain is refused"""
        with self.stopped():
            self.kms.ignores_recipient = True
            self.assert_dies("the key in the plain")

    def test_other_authority(self):
        """a stand-in with another CA's certificate gets no request"""
        other = kms_server.Server(self.kms, self.stack.dir / "other", HOST,
                                  self.stack.kms_port, 0)
        calls = len(self.kms.calls)
        with self.stopped():
            self.server.stop()
            other.imds_port = self.server.imds_port
            other.credentials = self.server.credentials
            other.start()
            self.assert_dies("certificate", "ca_bundle")
            other.stop()
            self.assertEqual(len(self.kms.calls), calls)

    def test_wrong_credentials(self):
        """wrong credentials are asked for anew until they are right"""
        good = dict(self.server.credentials)
        for change, error in (
                ({"SecretAccessKey": "x" * 40}, "InvalidSignatureException"),
                ({"Token": "x"}, "UnrecognizedClientException"),
                ({"Code": "Failed"}, "Code is not Success")):
            with self.subTest(error), self.stopped():
                self.server.credentials.update(change)
                self.assert_dies(error)
                program = self.stack.programs["oracle"]
                before = len(program.log())
                program.start()
                wait_until("it waits", lambda: "key waiting" in
                           program.log()[before:], support.SEEN_S)
                self.server.credentials.clear()
                self.server.credentials.update(good)
                self.stack.wait_ready("oracle")

    def test_clock(self):
        """a clock that is off by more than five minutes is named"""
        for ahead_s, text in ((600, "behind AWS's"), (-600, "ahead of AWS's")):
            with self.subTest(text), self.stopped():
                self.kms.ahead_s = ahead_s
                self.assert_dies("InvalidSignatureException", text)

    def test_away(self):
        """KMS away: the oracle says so, waits, and goes on when it is back"""
        with self.stopped():
            self.server.stop()
            log = self.assert_dies("key waiting for=")
            self.assertIn("does the bridge have", log)
            self.server.start()
            self.server.stop_kms()
            log = self.assert_dies(f"{HOST}:443", "proxy: 502")
            self.assertIn("key waiting for=kms", log)
            program = self.stack.programs["oracle"]
            before = len(program.log())
            program.start()
            wait_until("it waits", lambda: "key waiting" in
                       program.log()[before:], support.SEEN_S)
            self.server.stop()
            self.server.start()
            self.stack.wait_ready("oracle")

    def test_no_bridge(self):
        """a bridge that comes later than the oracle is waited for"""
        with self.stopped():
            self.stack.programs["bridge"].stop()
            self.stack.programs["oracle"].start()
            time.sleep(1)
            self.stack.programs["bridge"].start()
            self.stack.wait_ready("oracle")


class Rotated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = KmsStack(key={"rotate_s": 16, "overlap_s": 6})
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        cls.first = cls.stack.attestation()
        cls.old_item = wait_until("an item of the first key", lambda:
                                  support.price(cls.stack, "BTC-USD"),
                                  support.SEEN_S)
        cls.stream = client.Stream(cls.stack.oracle_port, "/stream")

    def epoch(self):
        found = self.stack.attestation()
        return found and found["key_epoch"]

    def test_1_rotation(self):
        """the next key is attested before it signs, and no item is missing"""
        self.assertEqual(self.first["key_epoch"], 1)
        wait_until("the next key", lambda: self.epoch() == 2, 60)
        second = self.stack.attestation()["public_key"]
        self.assertNotEqual(second, self.first["public_key"])
        wait_until("an item under it", lambda: (support.price(
            self.stack, "BTC-USD") or {}).get("public_key") == second, 30)
        version = client.request(self.stack.oracle_url("/version")).json()
        metrics = client.request(self.stack.oracle_url("/metrics")).body
        self.assertEqual(version["key_epoch"], 2)
        self.assertIn(b"\nhallmark_oracle_key_epoch 2\n", metrics)
        self.check_order(second)
        self.check_gaps(second)
        self.assertNotIn("refused", self.stack.programs["oracle"].log())

    def check_order(self, second):
        """Announced, while the last one signs, and then it signs."""
        kinds = []
        for event in list(self.stream.events):
            if event.name == "attestation":
                kinds.append(f"epoch {event.json()['key_epoch']}")
            elif event.name == "price":
                item = event.json()
                kinds.append("new" if item["public_key"] == second else "old")
        announced = kinds.index("epoch 2")
        self.assertIn("old", kinds[announced:])
        self.assertNotIn("new", kinds[:announced])
        self.assertNotIn("old", kinds[kinds.index("new"):])

    def check_gaps(self, second):
        items = [event.json() for event in self.stream.named("price", "status")]
        for feed in support.FEEDS:
            contents = [client.content_of(item) for item in items]
            sequences = [content["sequence"] for content in contents
                         if content["feed"] == feed]
            self.assertEqual(sequences, list(
                range(sequences[0], sequences[0] + len(sequences))))
        self.assertEqual(len({client.content_of(item)["boot_id"]
                              for item in items}), 1)

    def test_2_verify(self):
        """`hallmark verify` takes the answer, and sees a changed epoch"""
        answer = self.stack.attestation()
        path = self.stack.dir / "attestation.json"
        for change, status in ((0, 0), (1, 3)):
            answer["key_epoch"] += change
            path.write_text(json.dumps(answer))
            done = self.stack.verify(path)
            self.assertEqual(done.returncode, status,
                             done.stdout + done.stderr)

    def judge(self, item, **more):
        """`hallmark verify` of an item at its own time, by a policy that
        says more."""
        path = settings.write_json(self.stack.dir / "item.json", item)
        policy = json.loads(self.stack.policy.read_text())
        return support.run(
            "hallmark", "verify", path, "--at", "published", "--policy",
            settings.write_json(self.stack.policy.with_name("more.json"),
                                {**policy, **more}))

    def test_2_item(self):
        """an item says by which key, and a policy can give old ones up"""
        epoch = self.epoch()
        item = wait_until("an item of a later key", lambda: (
            found := support.price(self.stack, "BTC-USD")) and
            found["public_key"] != self.first["public_key"] and found, 60)
        done = self.judge(item, min_key_epoch=2)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^ok    public_key .*key_epoch [2-9]")
        self.assertRegex(done.stdout, r"(?m)^ok    policy_key_epoch ")
        shown = json.loads(support.run(
            "hallmark", "inspect", self.stack.dir / "item.json").stdout)
        self.assertGreaterEqual(shown["document"]["key_epoch"], 2)
        self.assertEqual(self.judge(item, min_key_epoch=epoch + 9).returncode,
                         5)
        done = self.judge(self.old_item, min_key_epoch=2)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn("REFUSED key_epoch ", done.stdout)
        self.assertEqual(self.judge(self.old_item).returncode, 0)

    def test_3_older_blob(self):
        """a keeper that gives back an older blob: its key never signs again"""
        program = self.stack.programs["oracle"]
        program.stop()
        blobs = self.stack.blobs()
        self.assertGreaterEqual(len(blobs), 2)
        for path in blobs[1:]:
            path.unlink()
        before = len(program.log())
        program.start()
        self.stack.wait_ready("oracle")
        self.assertIn("key retired epoch=1", program.log()[before:])
        after = self.stack.attestation()
        self.assertEqual(after["key_epoch"], 2)
        self.assertNotEqual(after["public_key"], self.first["public_key"])

    def test_4_away(self):
        """KMS away at a rotation: the last key signs on, and it is told"""
        self.stack.server.stop_kms()
        program = self.stack.programs["oracle"]
        before, key = len(program.log()), self.stack.attestation()
        wait_until("it says so", lambda: "key rotation_failed step=kms" in
                   program.log()[before:], 60)
        metrics = client.request(
            self.stack.oracle_url("/metrics")).body.decode()
        self.assertRegex(metrics, r"key_rotation_failures_total [1-9]")
        self.assertRegex(metrics, r"key_retires_timestamp_seconds \d{10}")
        support.wait_prices(self.stack, support.now_ms())
        self.assertEqual(self.stack.attestation()["public_key"],
                         key["public_key"])
        self.stack.server.stop()
        self.stack.server.start()
        wait_until("the next key", lambda: self.epoch() > key["key_epoch"],
                   60)
        self.assertEqual(program.stop(), 0)
        program.start()
        self.stack.wait_ready("oracle")


class NotKept(support.StackTest):
    def test_restart(self):
        """without KMS a new boot_id and key appear, and verifierd follows"""
        before = support.price(self.stack, "BTC-USD")
        self.stack.programs["oracle"].stop()
        self.stack.programs["oracle"].start()
        support.wait_prices(self.stack, support.now_ms())
        after = support.price(self.stack, "BTC-USD")
        self.assertNotEqual(client.content_of(before)["boot_id"],
                            client.content_of(after)["boot_id"])
        self.assertNotEqual(before["public_key"], after["public_key"])


if __name__ == "__main__":
    unittest.main()
