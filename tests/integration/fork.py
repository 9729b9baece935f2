"""An oracle that lies (tests/fork/fork_oracle.c), in a folder of its own, with
the policy that accepts it. Face A is honest, face B is not. An Edge takes it
for a Stack.
"""

import json
import pathlib
import re
import shutil
import tempfile

import client
import settings
from program import Failed, Program, wait_until
from stack import BIN, START_S, run

FORK_ORACLE = BIN.parent / "fork" / "fork_oracle"


def feed(name):
    return {"feed": name, "decimals": 2, "interval_ms": 400,
            "max_age_ms": 5000, "min_sources": 2, "sources": [
                {"exchange": "bitstamp", "symbol": "btcusd"},
                {"exchange": "kraken", "symbol": "XBTUSD"}]}


class Fork:
    def __init__(self, lie, sequence, feeds=("BTC-USD", "ETH-USD")):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-fork-"))
        self.policy = self.dir / "policy.json"
        self.config = self.dir / "oracle.json"
        self.ports = settings.free_ports(2)
        settings.write_json(self.config, settings.oracle(
            self.dir, [feed(name) for name in feeds], "/none", "unix:///none"))
        (self.dir / "simulated").mkdir()
        self.program = Program(
            "fork_oracle", [FORK_ORACLE, self.config,
                            *map(str, self.ports), lie, str(sequence)],
            self.dir / "fork_oracle.log")

    def url(self, face):
        """Of face 0, which is honest, or 1."""
        return f"http://127.0.0.1:{self.ports[face]}"

    def boot_id(self):
        """None until it serves."""
        found = re.search(r'(?m)^\{"boot_id":"([0-9a-f]{32})"\}$',
                          self.program.log_path.read_text())
        return found and found[1]

    def start(self):
        self.program.start()
        wait_until("fork_oracle serves", self.boot_id, START_S,
                   self.program.must_run)
        done = run("hallmark", "config-pcr", self.config)
        found = re.search(r"\b[0-9a-f]{96}\b", done.stdout)
        if not found:
            raise Failed(f"hallmark config-pcr: {done.stdout}{done.stderr}")
        settings.write_json(self.policy, settings.policy(found[0]))
        return self

    def stream(self, face):
        """All that this face has shown."""
        return client.Stream(self.ports[face],
                             f"/stream?since={self.boot_id()[:16]}-0")

    def stop(self):
        self.program.kill()
        self.program.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def texts(stream, *names):
    """The signed texts of these events, in their order."""
    return [json.loads("\n".join(event.data))["content"]
            for event in stream.named(*names)]
