"""The cluster of deploy/peers, with its own files: each oracle behind a bridge
of its own, and nothing between two of them but those. On this machine a Unix
socket stands for each vsock port, and a free port for TCP 9000 and 8080.
"""

import json
import re

import client
import settings
from cluster import NAMES, Cluster, Oracle
from program import Program, wait_until
from stack import BIN, START_S

PEERS = settings.ROOT / "deploy" / "peers"
API, LINKS = 8080, 9000


def unixed(text, place="."):
    """Each vsock endpoint in this text as the socket that stands for it."""
    return re.sub(r"vsock://\w+:(\d+)", rf"unix://{place}/vsock-\1.sock", text)


def dialed(name):
    return f"tcp://{name}.oracle.example:{LINKS}"


class BridgedOracle(Oracle):
    def __init__(self, cluster, name):
        super().__init__(cluster, name)
        self.ports = dict(zip((API, LINKS, 0), settings.free_ports(3)))
        self.bridge = Program(f"bridge {name}", [
            BIN / "vsock-bridge", self.dir / "bridge.json"],
            self.dir / "bridge.log")

    def port(self):
        return self.ports[API] if "oracle listening" in self.log() else None

    def get(self, path):
        """What it says through its bridge; 502 if that is away."""
        try:
            return super().get(path)
        except OSError:
            return client.Reply(502, {}, b"")

    def parent_side(self, text):
        """With what this machine has for the enclave's vsock."""
        return unixed(text, self.dir)

    def write_bridge(self, **elsewhere):
        """deploy/peers/bridge.json, on this machine. elsewhere: whose links
        the name leads to instead; None: it is not allowed."""
        text = self.parent_side((PEERS / "bridge.json").read_text())
        for port in (API, LINKS):
            text = text.replace(f"tcp://0.0.0.0:{port}",
                                f"tcp://127.0.0.1:{self.ports[port]}")
        bridge = json.loads(text)
        # Who hands the configuration to hallmark-init, and takes its log.
        del bridge["configuration"], bridge["logs"]
        bridge["metrics"] = f"tcp://127.0.0.1:{self.ports[0]}"
        settings.write_json(self.dir / "bridge.json", bridge)
        self.write_allowlist(elsewhere)

    def write_allowlist(self, elsewhere):
        lines = [settings.allowlist(self.cluster.stack.ports)]
        for line in (PEERS / "allowlist-peers.txt").read_text().splitlines():
            name = line.partition(".")[0]
            to = elsewhere.get(name, name)
            if name in self.cluster.names and to:
                port = self.cluster[to].ports[LINKS]
                lines.append(f"{line.split()[0]} tcp://127.0.0.1:{port}\n")
        (self.dir / "allowlist.txt").write_text("".join(lines))

    def start_bridge(self, **elsewhere):
        self.write_bridge(**elsewhere)
        self.bridge.start()
        wait_until(f"the bridge of {self.name} listens",
                   lambda: client.ready(self.metrics()), START_S,
                   self.bridge.must_run)

    def restart_bridge(self, **elsewhere):
        self.bridge.kill()  # its links would be drained first
        self.start_bridge(**elsewhere)

    def metrics(self):
        return f"http://127.0.0.1:{self.ports[0]}/metrics"

    def open(self, port):
        """Connections that are open through this bridge's TCP listener."""
        page = client.request(self.metrics())
        return int(re.search(
            r'^vsock_bridge_connections_open\{direction="inbound",'
            rf'listen="tcp://127.0.0.1:{self.ports[port]}"\}} (\d+)$',
            page.body.decode(), re.M)[1])

    def why(self):
        """{endpoint: (state, why)} of the signed status."""
        status = self.peers()
        return {peer["endpoint"]: (peer["state"], peer["why"])
                for peer in status[1]["peers"]} if status else {}


class BridgedCluster(Cluster):
    oracle = BridgedOracle

    def __init__(self, names=NAMES):
        super().__init__(names)
        for name in names:
            self[name].cluster = self

    def config(self, **more):
        deployed = json.loads(unixed((PEERS / "peers.json").read_text()))
        live = json.loads(unixed(settings.LIVE.read_text()))
        simulated = super().config()
        return {**simulated, **deployed, "listen": live["listen"],
                "proxy": live["proxy"], **more}

    def start_bridges(self):
        for oracle in self.oracles.values():
            oracle.start_bridge()

    def stop(self):
        codes = super().stop()
        for oracle in self.oracles.values():
            oracle.bridge.stop()
        return codes
