"""Three oracles with one configuration, byte for byte, that are each other's
peers: one set of simulated exchanges and one bridge for all, a directory for
each. What differs is found beside the configuration (unix://./peer.sock) or
given by the kernel (port 0).
"""

import json
import re
import shutil

import client
import settings
from program import Failed, Program, wait_until
from stack import BIN, START_S, Stack

NAMES = ("a", "b", "c")


class Oracle:
    def __init__(self, cluster, name):
        self.dir = cluster.dir / name
        self.dir.mkdir()
        self.name = name
        self.config = self.dir / "oracle.json"
        self.program = Program(f"oracle {name}", [
            BIN / "hallmark-oracle", self.config], self.dir / "log")

    def start(self, config):
        settings.write_json(self.config, config)
        (self.dir / "log").unlink(missing_ok=True)
        self.program.start()
        wait_until(f"oracle {self.name} listens", self.port, START_S,
                   self.program.must_run)

    def port(self):
        found = re.search(r"oracle listening .*port=(\d+)", self.log())
        return int(found[1]) if found else None

    def boot_id(self):
        return re.search(r"oracle listening .*boot_id=(\w+)", self.log())[1]

    def log(self):
        return self.program.log()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port()}{path}"

    def get(self, path):
        return client.request(self.url(path))

    def item(self, feed, form="full"):
        reply = self.get(f"/price/{feed}?attestation={form}")
        return reply.json() if reply.status == 200 else None

    def peers(self):
        """The signed status: (envelope, its content), or None."""
        reply = self.get("/peers")
        if reply.status != 200:
            return None
        return reply.json(), json.loads(reply.json()["content"])

    def states(self):
        status = self.peers()
        return sorted(p["state"] for p in status[1]["peers"]) if status else []


class Cluster:
    oracle = Oracle

    def __init__(self, names=NAMES, **peers):
        self.stack = Stack(settings.live_feeds(), verifierd=False)
        self.dir = self.stack.dir
        self.names = names
        self.oracles = {name: self.oracle(self, name) for name in names}
        self.peers = {"listen": "unix://./peer.sock",
                      "connect": [f"unix://{self.dir}/{name}/peer.sock"
                                  for name in names], **peers}
        self.quorum = len(names) - 1

    def __getitem__(self, name):
        return self.oracles[name]

    def config(self, **more):
        config = settings.oracle(
            self.dir, self.stack.feeds, self.dir / "exchanges/ca.pem",
            f"unix://{self.dir}/bridge-out.sock")
        return {**config, "listen": "tcp://127.0.0.1:0", "peers": self.peers,
                "quorum": self.quorum, **more}

    def start(self):
        stack = self.stack
        stack.write_configs()
        (self.dir / "simulated").mkdir(exist_ok=True)
        stack.programs["simulator"].start()
        stack.wait_ready("simulator")
        self.start_bridges()
        for oracle in self.oracles.values():
            oracle.start(self.config())
        self.write_policy()

    def start_bridges(self):
        self.stack._start_listener("bridge", "bridge-out.sock")

    def write_policy(self):
        """Accepts these oracles; the other one a quorum of all besides."""
        settings.write_json(self.stack.config("oracle"), self.config())
        shutil.copy(self[self.names[0]].config, self.stack.config("oracle"))
        self.stack.write_policy()
        self.policy = self.stack.policy
        self.strict = self.with_quorum(self.quorum)

    def with_quorum(self, quorum):
        policy = json.loads(self.policy.read_text())
        policy["quorum"] = quorum
        return settings.write_json(self.dir / f"quorum-{quorum}.json", policy)

    def wait_linked(self, name, count=None):
        wanted = len(self.names) - 1 if count is None else count
        wait_until(f"oracle {name} has {wanted} open links",
                   lambda: self[name].states().count("open") == wanted,
                   START_S, self[name].program.must_run)

    def stop(self):
        codes = {name: oracle.program.stop()
                 for name, oracle in self.oracles.items()}
        codes.update(self.stack.stop())
        return codes

    def cosigned(self, name, feed, count):
        """The first item from now on with so many co-signatures."""
        def ready():
            item = self[name].item(feed)
            found = len(item.get("cosignatures", [])) if item else -1
            return item if found == count else None
        try:
            return wait_until(f"{count} co-signatures for {name}'s {feed}",
                              ready, START_S, self[name].program.must_run)
        except Failed as failed:
            raise Failed(f"{failed}; its peers: {self[name].peers()}") from None
