"""An installation with all that an oracle can do besides prices: one oracle
that takes secrets, fetches and keeps its key by KMS, one that ends TLS itself,
three that are each other's peers, and a quote of a machine that is nobody's.
All on one set of simulated exchanges and one bridge; deploy/tour.py shows it.
"""

import hashlib
import json
import os
import secrets
import subprocess
import sys

import settings
from between import Between
from cluster import Oracle
from kms_stack import ARN, KmsStack
from program import Failed, Program, wait_until
from stack import BIN, START_S, run
from test_attested_tls import Connection

sys.path.insert(0, str(settings.ROOT / "tests" / "simulator"))
from paid import CoinMarketCap  # noqa: E402

QUOTE_HELPER = BIN.parent / "sgx" / "quote_helper"
SECRET = "coinmarketcap_api_key"
PEERS = ("a", "b", "c")


def feeds():
    """Two, so that five oracles are a light load; with a source that wants a
    key, for comparison."""
    chosen = [feed for feed in settings.live_feeds(interval_ms=1000)
              if feed["feed"] in ("USDT-USD", "BTC-USD")]
    chosen[-1]["sources"].append(
        {"exchange": "coinmarketcap", "symbol": "1", "role": "check"})
    return chosen


class Channel:
    """An oracle with TLS of its own, and somebody between it and a client."""

    def __init__(self, stack):
        self.stack, self.dir = stack, stack.dir / "channel"
        self.dir.mkdir()
        self.port = settings.free_ports(1)[0]
        self.config = self.dir / "oracle.json"
        self.program = Program("oracle with TLS", [
            BIN / "hallmark-oracle", self.config], self.dir / "log")
        self.between = Between(self.port, self.dir)
        self.between_port = None

    def start(self, config):
        settings.write_json(self.config, {
            **config, "listen": f"tcp://127.0.0.1:{self.port}",
            "tls": "attested"})
        self.program.start()
        wait_until("the oracle with TLS is ready", self._ready, START_S,
                   self.program.must_run)
        self.between_port = self.between.__enter__()

    def _ready(self):
        try:
            made = Connection(self.port)
        except OSError:
            return False
        status = made.get("/readyz")[0]
        made.close()
        return status == 200

    def stop(self):
        if self.between_port:
            self.between.__exit__()
        self.program.stop()


class TourStack(KmsStack):
    def __init__(self):
        if not QUOTE_HELPER.exists():
            raise Failed(f"{QUOTE_HELPER} is not built")
        super().__init__(feeds=feeds(), verifierd=False)
        self.token = secrets.token_hex(32)
        self.channel = Channel(self)
        self.peers = {name: Oracle(self, name) for name in PEERS}

    # ---- configurations ----

    def write_configs(self):
        super().write_configs()
        self._change("oracle", {
            "secrets": {"names": [SECRET], "token_sha256": hashlib.sha256(
                self.token.encode()).hexdigest()},
            "fetch": {"per_minute": 60, "max_bytes": 65536, "allow": [
                {"hostname": settings.HOSTS["gemini"], "port": 443,
                 "path_prefix": "/v1/pubticker"}]}})
        self.kms.keys[ARN] = self.key_policy()

    def plain(self):
        return settings.oracle(self.dir, self.feeds,
                               self.dir / "exchanges/ca.pem",
                               f"unix://{self.dir}/bridge-out.sock")

    def of_peers(self):
        return {**self.plain(), "listen": "tcp://127.0.0.1:0", "quorum": 2,
                "peers": {"listen": "unix://./peer.sock", "connect": [
                    f"unix://{self.dir}/{name}/peer.sock" for name in PEERS]}}

    def policy_for(self, config, path, **more):
        """Accepts this configuration and nothing else."""
        done = run("hallmark", "config-pcr", config)
        root = str(self.dir / "simulated" / "simulated-root.pem")
        return settings.write_json(path, {
            **settings.policy(done.stdout.split()[-1], root), **more})

    # ---- programs ----

    def start(self, progress=lambda text: None):
        super().start(progress)
        progress("starting an oracle with TLS of its own ...")
        self.channel.start(self.plain())
        progress("starting three that are each other's peers ...")
        for oracle in self.peers.values():
            oracle.start(self.of_peers())
        wait_until("two co-signatures", self._cosigned, START_S,
                   self.peers["a"].program.must_run)

    def _cosigned(self):
        item = self.peers["a"].item("BTC-USD")
        return item and len(item.get("cosignatures", [])) == 2

    def stop(self, keep=False):
        self.channel.stop()
        for oracle in self.peers.values():
            oracle.program.stop()
        return super().stop(keep)

    # ---- what each part has in its folder ----

    def folder(self, name):
        path = self.dir / "tour" / name
        path.mkdir(parents=True)
        return path

    def secret_files(self, folder):
        (folder / "token").write_text(self.token + "\n")
        wrong = self.token[:-1] + chr(ord(self.token[-1]) ^ 1)
        (folder / "wrong-token").write_text(wrong + "\n")
        (folder / "key").write_text(CoinMarketCap.key + "\n")

    @staticmethod
    def quote_files(folder):
        (folder / "held.bin").write_bytes(os.urandom(64))
        subprocess.run([QUOTE_HELPER, folder, "sgx3", folder / "held.bin"],
                       check=True)
        measures = json.loads((folder / "measures.json").read_text())
        settings.write_json(folder / "policy.json", {
            "root_files": ["root.pem"],
            "collateral_files": ["collateral.json"],
            "releases": [{"name": "1.4.0",
                          "mrenclave": measures["mrenclave"]}]})

    def programs_run(self):
        for program in (*self.programs.values(), self.channel.program,
                        *(peer.program for peer in self.peers.values())):
            program.must_run()
