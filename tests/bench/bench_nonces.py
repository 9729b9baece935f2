#!/usr/bin/env python3
"""How many nonces an oracle answers, and what that costs its attester: a client
asks for a document with a fresh nonce on each of its connections, again and
again, and verifies every answer, document and path. The oracle is the real one
with the simulated attester, on one core; the client has the other.

Exit status 1 if an answer was not good. Nothing else is judged.

  bench_nonces.py NONCE_LOAD [--connections N] [--seconds N]
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import client  # noqa: E402
import settings  # noqa: E402
from program import Failed, Program, wait_until  # noqa: E402
from stack import BIN, run  # noqa: E402

ORACLE_CORE, CLIENT_CORE = 0, 1
START_S = 20
COUNTERS = ("attester_calls_total", "nonces_attested_total")


class Oracle:
    """Alone: its exchanges cannot be reached, which nonces do not need."""

    def __init__(self, directory):
        self.dir = directory
        self.port, = settings.free_ports(1)
        self.config = settings.write_json(directory / "oracle.json", {
            **settings.oracle(directory, settings.live_feeds()[:1],
                              settings.SYSTEM_CA,
                              f"unix://{directory}/nobody.sock"),
            "listen": f"tcp://127.0.0.1:{self.port}", "requests_per_s": 0})
        self.program = Program("oracle", [
            shutil.which("taskset"), "-c", str(ORACLE_CORE),
            BIN / "hallmark-oracle", self.config], directory / "log")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        (self.dir / "simulated").mkdir()
        self.program.start()
        wait_until("the oracle answers",
                   lambda: client.ready(self.url("/livez")), START_S,
                   self.program.must_run)

    def policy(self):
        done = run("hallmark", "config-pcr", self.config)
        pcr = re.search(r"\b[0-9a-f]{96}\b", done.stdout)[0]
        return settings.write_json(self.dir / "policy.json",
                                   settings.policy(pcr))

    def counted(self):
        text = client.request(self.url("/metrics")).body.decode()
        return [int(re.search(rf"(?m)^hallmark_oracle_{name} (\d+)$",
                              text)[1]) for name in COUNTERS]

    def cpu_s(self):
        """proc(5): utime and stime, of all threads."""
        stat = pathlib.Path(f"/proc/{self.program.process.pid}/stat")
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(oracle, load, connections, seconds):
    calls, nonces = oracle.counted()
    cpu = oracle.cpu_s()
    done = subprocess.run(
        [shutil.which("taskset"), "-c", str(CLIENT_CORE), load,
         str(oracle.port), str(connections), str(seconds), oracle.policy()],
        text=True, capture_output=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    good, p50, p99, documents = map(int, done.stdout.split())
    cpu = (oracle.cpu_s() - cpu) / seconds
    calls, nonces = (now - then for now, then
                     in zip(oracle.counted(), (calls, nonces)))
    print(f"connections         {connections}")
    print(f"answers, verified   {good / seconds:,.0f} a second")
    print(f"documents           {documents / seconds:.1f} a second, "
          f"{good / max(documents, 1):.0f} nonces in each")
    print(f"attester calls      {calls / seconds:.1f} a second "
          "(by /metrics)")
    print(f"time to an answer   {p50 / 1000:.0f} ms the 50th, "
          f"{p99 / 1000:.0f} ms the 99th percentile")
    print(f"the oracle's CPU    {cpu:.0%} of a core, "
          f"{cpu * seconds / max(nonces, 1) * 1e6:.0f} us a nonce")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("load")
    parser.add_argument("--connections", type=int, default=512)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
    oracle = Oracle(directory)
    try:
        oracle.start()
        measure(oracle, options.load, options.connections, options.seconds)
    except Failed as failed:
        print(f"{failed}\n{oracle.program.log_tail(10)}")
        return 1
    finally:
        oracle.program.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
