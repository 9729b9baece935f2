"""An oracle in an SGX enclave, under Gramine: its prices stand on quotes, which
users verify with Intel's collateral; and what they must refuse. The machine is
tests/simulator/gramine_helper.c, whose root is nobody's."""

import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import tomllib
import unittest

import client
import settings
import support
from program import Failed, wait_until
from stack import BIN, Stack

HELPER = BIN.parent / "sgx" / "gramine_helper"
MRENCLAVE = "ab" * 32


class Machine:
    def __init__(self, folder, status="UpToDate"):
        if not HELPER.exists():
            raise Failed(f"{HELPER} is not built: make {HELPER.name}")
        self.dir = pathlib.Path(folder) / "attestation"
        self.root, self.collateral = (
            pathlib.Path(f"{self.dir}.{ext}") for ext in ("pem", "json"))
        self.process = subprocess.Popen(
            [HELPER, self.dir, MRENCLAVE, status], text=True,
            stdout=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            raise Failed("gramine_helper did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class GramineStack(Stack):
    """Its verifier accepts this enclave on an up-to-date machine."""

    def __init__(self, status="UpToDate", **more):
        super().__init__(support.fast_feeds(), **more)
        self.machine = Machine(self.dir, status)

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        del config["simulated_dir"]
        config.update(attester="gramine", gramine_dir=str(self.machine.dir),
                      gramine_root=str(self.machine.root))
        if self.machine.process.args[-1] == "debug":
            config["insecure_allow_debug"] = True
        settings.write_json(self.config("oracle"), config)

    def write_policy(self, **more):
        settings.write_json(self.policy, {
            "root_files": [str(self.machine.root)],
            "collateral_files": [str(self.machine.collateral)],
            "releases": [{"name": "enclave", "mrenclave": MRENCLAVE}],
            **more})

    def price(self):
        reply = client.request(
            self.oracle_url("/price/BTC-USD?attestation=full"))
        return reply.body if reply.status == 200 else None

    def item(self):
        path = self.dir / "item.json"
        path.write_bytes(wait_until("a price", self.price, 20))
        return path

    def stop(self, keep=False):
        self.machine.stop()
        return super().stop(keep)


class Gramine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = GramineStack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()

    def verify(self, *more):
        return self.stack.verify(self.stack.item(), *more)

    def test_item(self):
        """a price on a quote is verified, also by verifierd"""
        item = json.loads(self.stack.item().read_text())
        self.assertEqual(item["platform"], "sgx-dcap")
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until("verifierd has it", lambda: client.request(
            self.stack.url("/price/BTC-USD")).status == 200, 20)

    def test_report_data(self):
        """64 bytes were written: the key's SHA-256 and zeros"""
        answer = client.request(self.stack.oracle_url("/attestation")).json()
        key = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"],
            input=answer["public_key"].encode(), capture_output=True,
            check=True).stdout
        self.assertEqual(
            (self.stack.machine.dir / "user_report_data").read_bytes(),
            hashlib.sha256(key).digest() + bytes(32))

    def test_nonce(self):
        """a nonce is refused, not left out in silence"""
        reply = client.request(
            self.stack.oracle_url("/attestation?nonce=" + "00" * 32))
        self.assertGreaterEqual(reply.status, 400, reply.body)

    def test_other_code(self):
        """another MRENCLAVE is refused, by name"""
        self.stack.write_policy(
            releases=[{"name": "enclave", "mrenclave": "cd" * 32}])
        self.addCleanup(self.stack.write_policy)
        done = self.verify()
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("measurement_mismatch", done.stdout)

    def test_no_collateral(self):
        """without collateral it is refused, unless the policy says so"""
        self.addCleanup(self.stack.write_policy)
        self.stack.write_policy(collateral_files=[])
        done = self.verify()
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("collateral_missing", done.stdout)
        self.stack.write_policy(collateral_files=[],
                                insecure_without_collateral=True)
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_bundle(self):
        """a bundle has the collateral in it, and verifies alone"""
        self.stack.item()
        wait_until("verifierd has archived some", lambda: client.request(
            self.stack.url("/history?feed=BTC-USD")).status == 200, 20)
        path = self.stack.dir / "bundle.json"
        made = support.run("hallmark", "bundle", self.stack.archive,
                           "--policy", self.stack.policy, "-o", path)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        bundle = json.loads(path.read_text())
        hidden = self.stack.machine.collateral.rename(
            self.stack.dir / "hidden")
        self.addCleanup(hidden.rename, self.stack.machine.collateral)
        done = support.run("hallmark", "verify", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pin = made.stdout.split("policy SHA-256 ")[1].split()[0]
        for spoilt in ({"b64": "AAAA"}, {"file": "x"}):
            changed = json.loads(json.dumps(bundle))
            changed["collateral"][0].update(spoilt)
            settings.write_json(path, changed)
            for more in ([], ["--policy-sha256", pin]):
                done = support.run("hallmark", "verify", path, *more)
                self.assertEqual(done.returncode, 5, done.stdout)
                self.assertIn("SHA-256" if more else "collateral",
                              done.stderr)

    def test_intels_root(self):
        """nobody is Intel but Intel"""
        self.addCleanup(self.stack.write_policy)
        self.stack.write_policy(root_files=[], roots=["intel-sgx"])
        done = self.verify()
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn("root_untrusted", done.stdout)

    def test_other_key(self):
        """a quote of this enclave vouches for no other key"""
        path = self.stack.item()
        item = json.loads(path.read_text())
        key = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
             "rsa_keygen_bits:3072"], capture_output=True, check=True)
        item["public_key"] = subprocess.run(
            ["openssl", "pkey", "-pubout"], input=key.stdout,
            capture_output=True, check=True).stdout.decode()
        path.write_text(json.dumps(item, separators=(",", ":")))
        done = self.stack.verify(path)
        self.assertEqual(done.returncode, 3, done.stdout)

    def test_collateral_check(self):
        """hallmark collateral check: of this machine, and not Intel's"""
        file = self.stack.machine.collateral
        done = support.run("hallmark", "collateral", "check", file,
                           "--policy", self.stack.policy)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("valid    SGX TCB info of platform", done.stdout)
        done = support.run("hallmark", "collateral", "check", file)
        self.assertEqual(done.returncode, 4, done.stdout)
        done = support.run("hallmark", "collateral", "check", file,
                           "--policy", self.stack.policy, "--at",
                           "2036-01-01T00:00:00Z")
        self.assertEqual(done.returncode, 6, done.stdout)


class Bad(unittest.TestCase):
    def start(self, status):
        stack = GramineStack(status, verifierd=False)
        self.addCleanup(stack.stop)
        stack.start()
        return stack

    def test_outdated(self):
        """a machine that is out of date is refused, unless named"""
        stack = self.start("OutOfDate")
        done = stack.verify(stack.item())
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("tcb_status", done.stdout)
        stack.write_policy(tcb_statuses=["UpToDate", "OutOfDate"])
        done = stack.verify(stack.item())
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_debug(self):
        """a debug enclave is refused"""
        stack = self.start("debug")
        done = stack.verify(stack.item())
        self.assertEqual(done.returncode, 7, done.stdout)
        self.assertIn("debug_enclave", done.stdout)


class Deployed(unittest.TestCase):
    FOLDER = settings.ROOT / "deploy" / "gramine"

    def test_manifest(self):
        """deploy/gramine: all of ours is measured, nothing is the host's"""
        text = (self.FOLDER / "hallmark-oracle.manifest.template").read_text()
        manifest = tomllib.loads(text)
        self.assertEqual(manifest["sgx"]["remote_attestation"], "dcap")
        self.assertFalse(manifest["sgx"]["debug"])
        trusted = manifest["sgx"]["trusted_files"]
        for mount in manifest["fs"]["mounts"]:
            self.assertTrue(mount["uri"] in trusted
                            or mount["uri"] + "/" in trusted, mount)
        self.assertNotIn("allowed_files", manifest["sgx"])
        self.assertNotIn("insecure", text)

    def test_configuration(self):
        """and its configuration is a good one"""
        with tempfile.TemporaryDirectory() as name:
            config = json.loads(settings.LIVE.read_text())
            for key in ("proxy", "simulated_dir"):
                config.pop(key, None)
            config.update(json.loads(
                (self.FOLDER / "oracle-sgx.json").read_text()))
            path = settings.write_json(
                pathlib.Path(name) / "oracle.json", config)
            done = support.run("hallmark-oracle", "--check", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("attester      /dev/attestation", done.stdout)


class Start(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-gramine-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def start(self, **more):
        config = settings.oracle(self.dir, support.fast_feeds(),
                                 settings.SYSTEM_CA, f"unix://{self.dir}/p")
        del config["simulated_dir"]
        path = settings.write_json(self.dir / "oracle.json", {
            **config, "attester": "gramine",
            "gramine_dir": str(self.dir / "attestation"), **more})
        return support.run("hallmark-oracle", path)

    def test_not_gramine(self):
        """outside of an enclave it does not start, and says why"""
        done = self.start()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("does it run under gramine-sgx?", done.stderr)

    def test_no_quotes(self):
        """nor in one that was built without attestation"""
        (self.dir / "attestation").mkdir()
        (self.dir / "attestation" / "attestation_type").write_text("none\n")
        done = self.start()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sgx.remote_attestation", done.stderr)

    def test_more_keys(self):
        """what a quote cannot vouch for is refused"""
        done = self.start(tls="attested")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("tls: not with", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
