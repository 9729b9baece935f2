#!/usr/bin/env python3
"""A part of make check-web: the API under public programs from npm, pinned in
package-lock.json. A validator of OpenAPI documents and one of JSON Schema
look at /openapi.json and at what the programs answer; an EventSource reads and
resumes the streams; Pyth's Hermes client talks to the facade. Ends with "N passed, N failed".
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
import support  # noqa: E402
from program import Failed  # noqa: E402
from stack import Stack  # noqa: E402

BUILD = ROOT / "build" / "openapi"
TEST_S = 300
NODE_MIN = 20   # what the validator asks for; Debian 12 has 18


def node_version():
    done = subprocess.run(["node", "--version"], text=True,
                          stdout=subprocess.PIPE, check=True)
    return int(re.match(r"v(\d+)", done.stdout)[1])


def install():
    """The modules beside the tests: node looks for them above a file."""
    shutil.copytree(HERE, BUILD, dirs_exist_ok=True)
    shutil.copy(ROOT / "tests" / "web" / "browser" / "wire.js", BUILD)
    marker = BUILD / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit",
                        "--no-fund", "--loglevel=error"], cwd=BUILD,
                       check=True)


def node(stack):
    """Runs the tests; the numbers that passed and failed."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "."], text=True,
        timeout=TEST_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=BUILD, env={**os.environ,
                        "HALLMARK_ORACLE": stack.oracle_url(""),
                        "HALLMARK_VERIFIERD": stack.url("")})
    lines = [line.strip() for line in done.stdout.splitlines()]
    passed = sum(bool(re.match(r"ok \d.*HALLMARK_", line)) for line in lines)
    failed = sum(bool(re.match(r"not ok \d.*HALLMARK_", line))
                 for line in lines)
    if done.returncode != 0 or not passed:
        print(done.stdout)
        failed = max(failed, 1)
    return passed, failed


def main():
    if node_version() < NODE_MIN and os.environ.get("CI") != "true":
        print(f"# SKIP the API under npm's programs: needs node {NODE_MIN}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    stack = Stack(support.fast_feeds())
    passed, failed = 0, 1
    try:
        install()
        stack.start()
        passed, failed = node(stack)
        if failed:
            print(stack.logs())
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(f"not ok - the API under npm's programs: {error}")
    finally:
        stack.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
