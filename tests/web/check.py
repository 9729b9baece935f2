#!/usr/bin/env python3
"""make check-web: the dashboard's verifier under node against recorded and
made documents; the page in Chromium, and examples/, against the programs of
make demo. Ends with "N passed, N failed"; the screenshots are in build/web.

  check.py               all
  check.py items browser tests/web/unit/items.test.js, and the browser's
  check.py cosigned      the page under a policy with a quorum
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import settings  # noqa: E402
from cluster import Cluster  # noqa: E402
from edge import Edge  # noqa: E402
from program import Failed  # noqa: E402
from stack import BIN, Stack  # noqa: E402

UNIT = sorted((HERE / "unit").glob("*.test.js"))
COSIGNED = HERE / "browser" / "cosigned.test.js"
BROWSER = sorted(set((HERE / "browser").glob("*.test.js")) - {COSIGNED})
MODULES = ROOT / "build" / "web" / "node_modules"
SHOTS = ROOT / "build" / "web"
TEST_S = 600
INTERVAL_MS = 1000  # make demo's


class Count:
    passed = failed = skipped = 0

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


count = Count()


def say(text):
    print(text, flush=True)


def node(path, **env):
    """Runs a file of tests, shows what failed, and counts."""
    done = subprocess.run(
        ["node", "--test-reporter=tap", path], text=True, timeout=TEST_S,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
        env={**os.environ, "HALLMARK_BIN": str(BIN), **env})
    lines = done.stdout.splitlines()
    skipped = sum(" # SKIP" in line for line in lines
                  if re.match(r"ok \d", line))
    passed = sum(bool(re.match(r"ok \d", line)) for line in lines) - skipped
    failed = sum(bool(re.match(r"not ok \d", line)) for line in lines)
    if done.returncode != 0 and failed == 0 or not passed + failed + skipped:
        failed += 1
    if failed:
        say(done.stdout)
    count.passed += passed
    count.failed += failed
    count.skipped += skipped
    say(f"{path.stem.removesuffix('.test'):44} {passed} ok, {failed} not ok, "
        f"{skipped} skipped")


def install():
    """playwright-core, as the lock file has it, beside what is built."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, SHOTS / name)
    marker = MODULES / ".package-lock.json"
    if not marker.exists() or \
            marker.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit",
                        "--no-fund", "--loglevel=error"], cwd=SHOTS,
                       check=True)
    # Node looks for modules above the file that asks.
    for name in ("browser", ):
        target = SHOTS / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(HERE / name, target)


def browser():
    install()
    stack = Stack(settings.live_feeds(interval_ms=INTERVAL_MS))
    try:
        stack.start()
        for path in BROWSER:
            node(SHOTS / "browser" / path.name, HALLMARK_SHOTS=str(SHOTS),
                 HALLMARK_PORT=str(stack.verifierd_port),
                 HALLMARK_POLICY=str(stack.policy))
        if count.failed:
            say(stack.logs())
    finally:
        stack.stop()


def cosigned():
    """Three oracles that are peers, and a daemon that demands two of them."""
    install()
    cluster = Cluster()
    edge = None
    try:
        cluster.start()
        cluster.wait_linked("a")
        edge = Edge(cluster.stack, "strict", [cluster["a"].url()],
                    policy=str(cluster.strict)).start()
        failed = count.failed
        node(SHOTS / "browser" / COSIGNED.name,
             HALLMARK_PORT=str(edge.port))
        if count.failed > failed:
            say(edge.program.log_tail(30) + cluster["a"].log()[-4000:])
    finally:
        if edge is not None:
            edge.stop()
        cluster.stop()


PARTS = {"browser": browser, "cosigned": cosigned}


def main():
    wanted = sys.argv[1:]
    for path in UNIT:
        if not wanted or path.name.removesuffix(".test.js") in wanted:
            node(path)
    for name, part in PARTS.items():
        if wanted and name not in wanted:
            continue
        try:
            part()
        except (Failed, OSError, subprocess.SubprocessError) as failed:
            say(f"not ok - the browser's tests: {failed}")
            count.failed += 1
    say(f"\n{count}")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
