"""Quotes of SGX and TDX on the command line: those of a platform that is
nobody's (tests/simulator/quote_helper.c), each kind good and wrong in one way, and the
recorded ones, each with the verdict that its side file names."""

import datetime
import hashlib
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

import support
from stack import BIN

HELPER = BIN.parent / "sgx" / "quote_helper"
HELD = bytes(range(200)) + b"\n"
SGX_ECDSA = bytes.fromhex("a3a21e871b4d4014b70aa125d2fbcd8c")


def release(measures, kind):
    """A policy's release for who is quoted."""
    names = ["mrenclave"] if kind.startswith("sgx") else ["mrtd"]
    found = {"name": "r", **{name: measures[name] for name in names}}
    if kind.startswith("tdx"):
        found["rtmrs"] = {"1": measures["rtmr1"]}
    return found


def hallmark(*args):
    return support.run("hallmark", *args)


class Folder(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-quote-"))
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "held").write_bytes(HELD)

    def make(self, kind="sgx3", *more):
        subprocess.run([HELPER, self.dir, kind, self.dir / "held", *more], check=True)
        self.measures = json.loads((self.dir / "measures.json").read_text())
        self.write_policy(release(self.measures, kind))
        self.quote = (self.dir / "quote.bin").read_bytes()

    def write_policy(self, accepted, **more):
        policy = {"root_files": ["root.pem"], "releases": [accepted],
                  "collateral_files": ["collateral.json"], **more}
        if "roots" in more:
            policy.pop("root_files")
        self.policy = {key: value for key, value in policy.items()
                       if value is not None}
        (self.dir / "policy.json").write_text(json.dumps(self.policy))

    def verify(self, quote=None, *args, held=True):
        path = self.dir / "tried.bin"
        path.write_bytes(self.quote if quote is None else quote)
        if held:
            args = ("--held", self.dir / "held", *args)
        return hallmark("verify", path, "--policy", self.dir / "policy.json",
                        *args)

    def refused(self, done, code, verdict, check):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(f"REFUSED {verdict} ", done.stdout)
        self.assertRegex(done.stdout, rf"(?m)^FAIL  {check}\b")


class Quotes(Folder):
    def test_each_kind(self):
        for kind in ("sgx3", "sgx4", "tdx4", "tdx5"):
            with self.subTest(kind):
                self.make(kind)
                done = self.verify()
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                platform = "sgx-dcap" if kind.startswith("sgx") else "tdx"
                self.assertIn(f"VALID {platform} ", done.stdout)
                self.assertIn("TCB UpToDate", done.stdout)
                self.assertIn(f"for {len(HELD)} bytes", done.stdout)

    def test_as_json(self):
        self.make()
        found = json.loads(self.verify(None, "--json").stdout)
        self.assertEqual(found["verdict"], "valid")
        quote = found["document"]["quote"]
        self.assertEqual(quote["mrenclave"], self.measures["mrenclave"])
        self.assertEqual(quote["tcb_status"], "UpToDate")
        self.assertEqual(quote["report_data"],
                         hashlib.sha256(HELD).hexdigest() + 64 * "0")
        self.assertIn("held_data", [c["check"] for c in found["checks"]])

    def test_other_data(self):
        self.make()
        (self.dir / "held").write_bytes(HELD[:-1])
        self.refused(self.verify(), 5, "held_data_mismatch", "held_data")
        done = self.verify(held=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("was not looked at", done.stdout)

    def test_a_debug_enclave(self):
        for kind in ("sgx3", "tdx5"):
            self.make(kind, "debug")
            self.refused(self.verify(), 7, "debug_enclave", "debug")
            self.write_policy(release(self.measures, kind),
                              insecure_allow_debug=True)
            done = self.verify()
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("DEBUG", done.stdout)

    def test_another_enclave(self):
        self.make()
        other = {**self.measures, "mrenclave": 64 * "0"}
        self.write_policy(release(other, "sgx3"))
        self.refused(self.verify(), 5, "measurement_mismatch", "mrenclave")
        signer = {"name": "s", "mrsigner": self.measures["mrsigner"],
                  "product_id": 7, "min_svn": 3}
        self.write_policy(signer)
        self.assertEqual(self.verify().returncode, 0)
        self.write_policy({**signer, "min_svn": 4})
        self.refused(self.verify(), 5, "measurement_mismatch", "svn")
        self.write_policy({**signer, "product_id": 8})
        self.refused(self.verify(), 5, "measurement_mismatch", "product_id")

    def test_another_kernel(self):
        self.make("tdx4")
        other = {**self.measures, "rtmr1": 96 * "0"}
        self.write_policy(release(other, "tdx4"))
        self.refused(self.verify(), 5, "measurement_mismatch", "rtmr1")

    def test_a_root_that_is_not_intels(self):
        self.make()
        self.write_policy(release(self.measures, "sgx3"),
                          roots=["intel-sgx"])
        self.refused(self.verify(), 4, "root_untrusted", "root")

    def test_collateral(self):
        self.make()
        self.write_policy(release(self.measures, "sgx3"),
                          collateral_files=None)
        self.refused(self.verify(), 5, "collateral_missing", "root_crl")
        self.write_policy(release(self.measures, "sgx3"),
                          collateral_files=None,
                          insecure_without_collateral=True)
        done = self.verify()
        self.assertEqual(done.returncode, 0)
        self.assertIn("TCB Unknown", done.stdout)

    def test_each_part_of_the_collateral(self):
        self.make()
        path = self.dir / "collateral.json"
        whole = json.loads(path.read_text())
        for part, check in (("tcb_info", "tcb_info"),
                            ("qe_identity", "qe_identity"),
                            ("pck_crl", "pck_crl"),
                            ("root_ca_crl", "root_crl")):
            with self.subTest(part):
                path.write_text(json.dumps(
                    {key: value for key, value in whole.items()
                     if not key.startswith(part)}))
                self.refused(self.verify(), 5, "collateral_missing", check)
        text = whole["tcb_info"].replace("UpToDate", "upToDate")
        path.write_text(json.dumps({**whole, "tcb_info": text}))
        self.assertNotEqual(self.verify().returncode, 0)

    def test_a_platform_out_of_date(self):
        self.make("sgx3", "OutOfDate")
        self.refused(self.verify(), 5, "tcb_status", "tcb_status")
        self.write_policy(release(self.measures, "sgx3"),
                          tcb_statuses=["UpToDate", "OutOfDate"])
        self.assertEqual(self.verify().returncode, 0)

    def test_times(self):
        self.make()
        for days, verdict in ((60, "collateral_expired"),
                              (5000, "chain_expired")):
            then = datetime.datetime.now() + datetime.timedelta(days)
            done = self.verify(None, "--at", f"{then:%Y-%m-%dT%H:%M:%SZ}")
            self.assertEqual(done.returncode, 6)
            self.assertIn(verdict, done.stdout)
        done = self.verify(None, "--at", "document")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no time of its own", done.stderr)

    def test_every_bit_counts(self):
        """But of the quote's own copy of the root, which is only compared."""
        self.make()
        root = self.quote.rindex(b"-----BEGIN CERTIFICATE-----")
        chance = random.Random(9)
        for at in chance.sample(range(root), 40):
            bit = 1 << chance.randrange(8)
            flipped = bytearray(self.quote)
            flipped[at] ^= bit
            done = self.verify(bytes(flipped))
            self.assertNotEqual(done.returncode, 0, (at, bit, done.stdout))

    def test_without_a_policy_file(self):
        """--root, --mrenclave or --mrtd, and --collateral do instead"""
        for kind, name in (("sgx3", "mrenclave"), ("tdx4", "mrtd")):
            self.make(kind)
            good = self.measures[name]
            other = "0" * len(good)
            args = ("verify", self.dir / "quote.bin", "--held",
                    self.dir / "held", "--root", self.dir / "root.pem")
            collateral = ("--collateral", self.dir / "collateral.json")
            done = hallmark(*args, f"--{name}", good, *collateral)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            done = hallmark(*args, f"--{name}", other, f"--{name}", good,
                            *collateral)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.refused(hallmark(*args, f"--{name}", other, *collateral), 5,
                         "measurement_mismatch", name)
            self.refused(hallmark(*args, f"--{name}", good), 5,
                         "collateral_missing", "root_crl")
        done = hallmark(*args, *collateral)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--mrenclave", done.stderr)

    def test_usage(self):
        self.make()
        done = self.verify(None, "--nonce", "00")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--nonce", done.stderr)
        (self.dir / "x.json").write_text("{}")
        done = hallmark("verify", self.dir / "x.json", "--policy",
                        self.dir / "policy.json", "--held", self.dir / "held")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--held", done.stderr)


class OpenEnclave(Folder):
    """Headers around a quote, and claims behind it."""

    def claims(self, **claims):
        out = struct.pack("<QQ", 1, len(claims))
        for name, value in claims.items():
            out += struct.pack("<QQ", len(name) + 1, len(value))
            out += name.encode() + b"\0" + value
        return out

    def report(self, behind=b""):
        return struct.pack("<IIQ", 1, 2, len(self.quote)) + self.quote + behind

    def evidence(self, behind):
        data = self.quote + behind
        return (struct.pack("<I", 3) + SGX_ECDSA + bytes(4) +
                struct.pack("<Q", len(data)) + data)

    def test_a_report(self):
        self.make()
        self.assertEqual(self.verify(self.report()).returncode, 0)
        self.refused(self.verify(self.report()[:-1]), 2, "quote_malformed",
                     "quote")

    def test_custom_claims_are_held(self):
        claims = self.claims(Event=b"Oracle started", Empty=b"")
        (self.dir / "held").write_bytes(claims)
        self.make()
        for wrapped in (self.report(claims), self.evidence(claims)):
            done = self.verify(wrapped, held=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"for {len(claims)} bytes", done.stdout)
            other = wrapped.replace(b"started", b"stopped")
            self.refused(self.verify(other, held=False), 5,
                         "held_data_mismatch", "held_data")
            # One hash is not that of two things.
            (self.dir / "held").write_bytes(b"x")
            self.refused(self.verify(wrapped), 5, "held_data_mismatch",
                         "held_data")

    def test_claims_are_shown(self):
        claims = self.claims(Event=b"Oracle started")
        (self.dir / "held").write_bytes(claims)
        self.make()
        path = self.dir / "evidence"
        path.write_bytes(self.evidence(claims))
        found = json.loads(hallmark("inspect", path).stdout)
        about = found["open_enclave"]
        self.assertEqual(about["form"], "evidence")
        self.assertEqual(about["format"], "SGX_ECDSA")
        self.assertEqual(about["custom_claims"], [
            {"name": "Event", "value": b"Oracle started".hex()}])
        self.assertTrue(found["held"]["is_report_data"])

    def test_sizes_of_a_stranger(self):
        self.make()
        hostile = self.claims(Event=b"x").replace(
            struct.pack("<QQ", 6, 1), struct.pack("<QQ", 6, 2**64 - 1))
        for wrapped in (self.evidence(hostile), self.report(hostile),
                        struct.pack("<IIQ", 1, 2, 2**64 - 1) + self.quote):
            self.assertIn(self.verify(wrapped, held=False).returncode, (2, 5))
            path = self.dir / "tried.bin"
            self.assertIn(hallmark("inspect", path).returncode, (0, 2))


class Inspect(Folder):
    def test_the_published_names(self):
        self.make()
        done = hallmark("inspect", self.dir / "quote.bin", "--held",
                        self.dir / "held")
        found = json.loads(done.stdout)
        self.assertEqual(list(found)[:8], [
            "Type", "MrEnclaveHex", "MrSignerHex", "ProductIdHex",
            "SecurityVersion", "Attributes", "QuoteHex", "EnclaveHeldDataHex"])
        self.assertEqual(found["MrEnclaveHex"],
                         self.measures["mrenclave"].upper())
        self.assertEqual(found["ProductIdHex"], "07" + 30 * "0")
        self.assertEqual(found["SecurityVersion"], 3)
        self.assertEqual(found["QuoteHex"], self.quote.hex().upper())
        self.assertEqual(found["EnclaveHeldDataHex"], HELD.hex().upper())
        # And what was printed can be verified.
        page = self.dir / "page.json"
        page.write_text(done.stdout)
        done = hallmark("verify", page, "--policy", self.dir / "policy.json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"for {len(HELD)} bytes", done.stdout)
        found["EnclaveHeldDataHex"] = "00"
        page.write_text(json.dumps(found))
        done = hallmark("verify", page, "--policy", self.dir / "policy.json")
        self.refused(done, 5, "held_data_mismatch", "held_data")

    def test_a_quote_that_is_none(self):
        self.make()
        path = self.dir / "cut"
        path.write_bytes(self.quote[:500])
        done = hallmark("inspect", path)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(json.loads(done.stdout)["error"], "quote_malformed")


class Collateral(Folder):
    def test_check(self):
        self.make()
        path = self.dir / "collateral.json"
        done = hallmark("collateral", "check", path, "--policy",
                        self.dir / "policy.json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = hallmark("collateral", "check", path)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        done = hallmark("collateral", "check", path, "--policy",
                        self.dir / "policy.json", "--at",
                        "2040-01-01T00:00:00Z")
        self.assertEqual(done.returncode, 6, done.stdout + done.stderr)


@unittest.skipUnless((support.VECTORS / "sgx").is_dir() or
                     os.environ.get("CI") == "true", "no recorded quotes")
class Recorded(Folder):
    """Each by a policy that names its own measurement and Intel's root."""

    def judge(self, side, **more):
        name, body = side["name"], side["quote"]["body"]
        folder = support.VECTORS / "sgx"
        sgx = side["quote"]["kind"] == "SGX"
        measure = "mrenclave" if sgx else "mrtd"
        collateral = folder / f"{name}.collateral.json"
        policy = {"roots": ["intel-sgx"], **more,
                  "releases": [{"name": "r", measure: body[measure]}]}
        if collateral.exists():
            policy["collateral_files"] = [str(collateral)]
        path = self.dir / "policy.json"
        path.write_text(json.dumps(policy))
        held = folder / f"{name}.held"
        at = side["evaluated_at"].replace("+00:00", "Z")
        return hallmark("verify", folder / f"{name}.bin", "--policy", path,
                        "--at", at, *(["--held", held] if held.exists()
                                      else []))

    def sides(self):
        for path in sorted((support.VECTORS / "sgx").glob("*.json")):
            if ".collateral." not in path.name:
                yield json.loads(path.read_text())

    def test_their_verdicts(self):
        failing = (("enclave_not_debug", 7), ("td_not_debug", 7),
                   ("qe_identity_time", 6), ("tcb_status", 5),
                   ("tcb_info_fmspc", 5))
        for side in self.sides():
            with self.subTest(side["name"]):
                status = {c["check"]: c["status"] for c in side["checks"]}
                wanted = [code for check, code in failing
                          if status.get(check) == "FAIL"]
                if not wanted and "SKIP" in status.values():
                    wanted = [5]    # some collateral is missing
                done = self.judge(side)
                self.assertEqual(done.returncode, (wanted or [0])[0],
                                 done.stdout + done.stderr)
                for check in ("chain", "qe_signature", "quote_signature"):
                    self.assertRegex(done.stdout, rf"(?m)^ok    {check}\b")

    def test_the_published_page(self):
        for side in self.sides():
            if side["name"] != "seed_mithril_oe_report":
                continue
            done = self.judge(side)
            self.assertEqual(done.returncode, 7)
            held = (support.VECTORS / "sgx" /
                    f"{side['name']}.held").read_bytes()
            self.assertEqual(len(held), 512)
            for check in ("root", "chain", "chain_time", "qe_signature",
                          "attestation_key", "quote_signature"):
                self.assertRegex(done.stdout, rf"(?m)^ok    {check}\b")
            self.assertRegex(done.stdout, r"(?m)^ok    held_data +" +
                             hashlib.sha256(held).hexdigest())
            self.refused(done, 7, "debug_enclave", "debug")

    def test_the_names_of_their_pages(self):
        for side in self.sides():
            fields = side.get("json_fields")
            if not fields:
                continue
            path = support.VECTORS / "sgx" / side["name"]
            found = json.loads(hallmark("inspect", f"{path}.bin", "--held",
                                        f"{path}.held").stdout)
            for name, value in fields.items():
                self.assertEqual(found[name], value, name)


if __name__ == "__main__":
    unittest.main()
