"""The command lines: each program explains itself, checks its configuration
and refuses what it does not know, by name."""

import copy
import json
import re
import shutil
import tempfile
import pathlib
import unittest

import settings
import support

PROGRAMS = ("hallmark-oracle", "vsock-bridge", "hallmark-verifierd",
            "hallmark")
VERSION = re.search(r"^VERSION *:= *(\S+)",
                    (settings.ROOT / "Makefile").read_text(), re.M)[1]


class Help(unittest.TestCase):
    def test_help(self):
        """--help of each program exits 0 and shows how to call it"""
        for program in PROGRAMS:
            done = support.run(program, "--help")
            self.assertEqual(done.returncode, 0, program)
            self.assertIn(program, done.stdout)
            self.assertGreater(len(done.stdout.splitlines()), 5)

    def test_version(self):
        """--version of each program exits 0 and says which"""
        for program in PROGRAMS:
            done = support.run(program, "--version")
            self.assertEqual(done.returncode, 0, program)
            self.assertIn(VERSION, done.stdout)

    def test_usage(self):
        """a wrong command line is refused and says where to look"""
        for program in PROGRAMS:
            for wrong in ([], ["--no-such-option"], ["a", "b", "c", "d"]):
                done = support.run(program, *wrong)
                self.assertNotEqual(done.returncode, 0, (program, wrong))
                self.assertTrue(done.stderr, (program, wrong))


class Check(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-check-"))
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "allowlist.txt").write_text(settings.allowlist(None))
        (self.dir / "ca.pem").write_text("")
        self.configs = {
            "hallmark-oracle": settings.oracle(
                self.dir, settings.live_feeds(), "ca.pem",
                f"unix://{self.dir}/out.sock"),
            "vsock-bridge": settings.bridge(
                self.dir, "allowlist.txt", 8080),
            "hallmark-verifierd": {
                "listen": "tcp://127.0.0.1:8081", "policy": "policy.json",
                "archive": "archive.db",
                "oracles": ["http://127.0.0.1:8080"]}}
        policy = settings.policy("ab" * 48)
        policy.update(roots=["aws-nitro-g1"], root_files=[])
        settings.write_json(self.dir / "policy.json", policy)

    def check(self, program, config):
        path = settings.write_json(self.dir / f"{program}.json", config)
        return support.run(program, "--check", path)

    def assert_names(self, done, word):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn(word, done.stdout + done.stderr)

    def test_good(self):
        """--check accepts a good configuration and prints its plan"""
        for program, config in self.configs.items():
            done = self.check(program, config)
            self.assertEqual(done.returncode, 0, program + done.stderr)
            self.assertTrue(done.stdout, program)

    def test_live(self):
        """deploy/live.json passes --check"""
        done = support.run("hallmark-oracle", "--check", settings.LIVE)
        self.assertEqual(done.returncode, 0, done.stderr)
        for feed in ("BTC-USD", "ETH-USD", "USDT-USD"):
            self.assertIn(feed, done.stdout)

    def test_unknown_key(self):
        """an unknown key is refused and named"""
        for program, config in self.configs.items():
            done = self.check(program, dict(config, surprise=1))
            self.assert_names(done, "surprise")

    def test_unknown_inner_key(self):
        """an unknown key of a feed, source or rule is refused and named"""
        oracle = copy.deepcopy(self.configs["hallmark-oracle"])
        oracle["feeds"][0]["surprise"] = 1
        self.assert_names(self.check("hallmark-oracle", oracle), "surprise")
        oracle = copy.deepcopy(self.configs["hallmark-oracle"])
        oracle["feeds"][0]["sources"][0]["surprise"] = 1
        self.assert_names(self.check("hallmark-oracle", oracle), "surprise")
        bridge = copy.deepcopy(self.configs["vsock-bridge"])
        bridge["inbound"][0]["surprise"] = 1
        self.assert_names(self.check("vsock-bridge", bridge), "surprise")

    def test_missing_key(self):
        """a missing key is refused and named"""
        for program, config in self.configs.items():
            key = "listen" if "listen" in config else "outbound"
            without = {k: v for k, v in config.items() if k != key}
            done = self.check(program, without)
            if program != "vsock-bridge":  # each of its halves is optional
                self.assert_names(done, key)

    def test_not_json(self):
        """a file that is not JSON, or not there, is refused and named"""
        broken = self.dir / "broken.json"
        broken.write_text('{"listen": ')
        for program in self.configs:
            for path in (broken, self.dir / "absent.json"):
                done = support.run(program, "--check", path)
                self.assert_names(done, path.name)

    def test_policy(self):
        """hallmark policy check explains a policy and refuses unknown keys"""
        path = self.dir / "policy.json"
        done = support.run("hallmark", "policy", "check", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for said in ("root     aws-nitro-g1, for platform aws-nitro",
                     "at most 300 s old"):
            self.assertIn(said, done.stdout)
        policy = json.loads(path.read_text())
        policy.update(booted_after="2026-11-01T00:00:00Z", nonce="00ff",
                      max_enclave_age_s=60, insecure_allow_debug=True)
        settings.write_json(path, policy)
        done = support.run("hallmark", "policy", "check", path)
        for said in ("started at most 60 s ago", "exactly 00ff",
                     "started at or after 2026-11-01T00:00:00.000Z",
                     "DEBUG ENCLAVES ARE ACCEPTED"):
            self.assertIn(said, done.stdout)
        policy["surprise"] = True
        settings.write_json(path, policy)
        self.assert_names(support.run("hallmark", "policy", "check", path),
                          "surprise")


if __name__ == "__main__":
    unittest.main()
