"""The pages for operators: what they name is there: files, targets of make,
units, options, verdicts; and their small programs do what they say."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest

import settings
import support

DEPLOY = settings.ROOT / "deploy"
PAGES = [DEPLOY / "README.md", DEPLOY / "OPERATIONS.md",
         DEPLOY / "MANY-EDGES.md",
         DEPLOY / "feeds" / "README.md"]
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.socket")])


class Pages(unittest.TestCase):
    def text(self):
        return "\n".join(page.read_text() for page in PAGES)

    def test_paths(self):
        """each file of deploy/ that the pages name is there"""
        named = set(re.findall(r"\bdeploy/[\w./-]*\w", self.text()))
        named |= {f"deploy/{path}" for path in
                  re.findall(r"\bmonitoring/[\w.]*\w", self.text())}
        self.assertGreater(len(named), 8)
        for path in named:
            self.assertTrue((settings.ROOT / path).exists(), path)

    def test_make(self):
        """each target of make that the pages name is there"""
        makefiles = "\n".join(path.read_text() for path in (
            settings.ROOT / "Makefile", *DEPLOY.glob("**/*.mk")))
        targets = set(re.findall(r"^([a-z][\w-]*):", makefiles, re.M))
        named = set(re.findall(r"(?m)(?:^ +|`|sudo )make ([a-z][a-z-]*)",
                               self.text()))
        self.assertGreater(len(named), 3)
        self.assertEqual(named - targets, set())

    def test_units(self):
        """each unit of ours that the pages name is there"""
        named = set(re.findall(
            r"\b((?:hallmark-|vsock-bridge)[\w-]*\.(?:service|socket))",
            self.text()))
        self.assertLessEqual(named, {unit.name for unit in UNITS})
        self.assertGreaterEqual(len(named), 4)
        journals = set(re.findall(r"-u ((?:hallmark|vsock)[\w-]+)",
                                  self.text()))
        self.assertLessEqual(journals, {unit.stem for unit in UNITS})

    def test_options(self):
        """each option of our programs that the pages use is there"""
        used = 0
        for program in ("hallmark", "hallmark-oracle", "hallmark-verifierd",
                        "vsock-bridge"):
            for command in re.findall(
                    rf"(?<![\w.-]){program} ((?:[^\n`|>#]|\\\n)*)",
                    self.text()):
                options = set(re.findall(r"(?<!\S)(--[a-z-]+)", command))
                if not options:
                    continue
                words = command.split()
                sub = [] if words[0].startswith("-") else words[:1]
                if re.match("[a-z]+ [a-z]+ ", command):  # policy check
                    sub = words[:2]
                page = support.run(program, *sub, "--help").stdout
                for option in options:
                    self.assertTrue(option in page, (program, command))
                    used += 1
        self.assertGreater(used, 5)

    def test_words(self):
        """verdicts, checks, errors and reasons that they name exist"""
        header = (settings.ROOT / "verifier" / "hallmark_verdict.h").read_text()
        sight = (settings.ROOT / "vsock-bridge" / "sight.h").read_text()
        quote = (settings.ROOT / "feeds" / "quote.h").read_text()
        operations = PAGES[1].read_text()
        refused = operations.split("## verifierd refuses\n")[1] \
            .split("## A sequence gap")[0]
        for word in re.findall(r"`([a-z]+_[a-z_]+)`", refused):
            self.assertTrue(f'"{word}"' in header
                            or word in ("not_after",), word)
        sources = operations.split("## Sources fail\n")[1] \
            .split("## All sources")[0]
        for cell in re.findall(r"^\| (`.*?) \|", sources, re.M):
            for word in re.findall(r"`([a-z_]+)`", cell):
                self.assertTrue(f'"{word}"' in quote
                                or word in ("stale", "frozen"), word)
        bridge = operations.split("## The bridge refuses")[1]
        for cell in re.findall(r"^\| (`.*?) \|", bridge, re.M):
            for word in re.findall(r"`([a-z_]+)`", cell):
                self.assertTrue(f'"{word}"' in sight, word)
        for cell in re.findall(r"^\| (`FAIL.*?) \|", PAGES[0].read_text(),
                               re.M):
            for word in re.findall(r"`(?:FAIL  )?(\w+)`", cell):
                word = "pcr0" if word.startswith("pcr") else word
                self.assertTrue(f" {word}" in header, word)

    def test_log_lines(self):
        """each line of the enclave's log that they name is written"""
        sources = "".join(path.read_text() for path in (
            *settings.ROOT.glob("oracle/*.c"),
            *settings.ROOT.glob("oracle/init/*.c")))
        lines = re.findall(r"`(init|handover) (\w+)(?: step=(\w+))?`",
                           PAGES[0].read_text())
        self.assertGreater(len(lines), 5)
        for who, event, step in lines:
            self.assertTrue(re.search(rf'"{who}",\s*"{event}"', sources),
                            (who, event))
            self.assertTrue(not step or f'{{"{step}", ' in sources, step)
        for event in ("attested", "listening"):
            self.assertTrue(f'"oracle", "{event}"' in sources, event)

    def test_policies_merge(self):
        """the upgrade's jq makes one policy of two releases"""
        support.need("jq", shutil.which("jq"))
        steps = re.findall(r"jq (?:-s )?'([^']*releases[^']*)'",
                           PAGES[1].read_text())
        self.assertEqual(len(steps), 2)
        old = (DEPLOY / "policy.example.json").read_text()
        new = old.replace("a0a0", "abab").replace("example:", "the next:")
        both = subprocess.run(["jq", "-s", steps[0]], input=old + new,
                              text=True, capture_output=True, check=True)
        ended = subprocess.run(["jq", steps[1]], input=both.stdout,
                               text=True, capture_output=True, check=True)
        policy = json.loads(ended.stdout)
        self.assertEqual(len(policy["releases"]), 2)
        self.assertTrue(policy["releases"][0]["not_after"])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(ended.stdout)
            file.flush()
            done = support.run("hallmark", "policy", "check", file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_shortest_allowlist(self):
        """the command for it gives hosts that the bridge accepts"""
        done = support.run("hallmark-oracle", "--check", settings.LIVE)
        piped = re.search(r"grep -oE '([^']+)'", PAGES[0].read_text())[1]
        hosts = {found.removeprefix("https://") + ":443"
                 for found in re.findall(piped, done.stdout)}
        allowed = (DEPLOY / "allowlist.txt").read_text().splitlines()
        self.assertEqual(len(hosts), 4)
        self.assertLessEqual(hosts, set(allowed))


if __name__ == "__main__":
    unittest.main()
