"""A whole installation in one directory: simulated exchanges, bridge, oracle
and verifier daemon, as real programs on free ports of this machine. Unix
sockets stand for vsock. Used by the integration tests and by deploy/demo.py.

The programs are taken from $HALLMARK_BIN (default: build/bin). They end with
the process that started them, whatever becomes of it.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import client
import settings
from program import Failed, Program, wait_until
from recorder import Recorder

BIN = pathlib.Path(os.environ.get("HALLMARK_BIN",
                                  settings.ROOT / "build" / "bin")).resolve()
SIMULATOR = settings.ROOT / "tests" / "simulator" / "simulator.py"
START_S = 20    # for one program to be ready; a ceiling, not a promise
NAMES = ("simulator", "bridge", "oracle", "verifierd")


def run(program, *args, **more):
    """One of our programs, run to its end."""
    return subprocess.run([BIN / program, *map(str, args)], text=True,
                          capture_output=True, timeout=60,
                          **{"stdin": subprocess.DEVNULL, **more})


class Stack:
    bin = BIN

    def __init__(self, feeds=None, live=False, record=False, verifierd=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-"))
        self.feeds = feeds or settings.live_feeds()
        self.live, self.record = live, record
        self.names = [name for name in NAMES
                      if not (name == "simulator" and live)
                      and not (name == "verifierd" and not verifierd)]
        ports = settings.free_ports(3 + len(settings.HOSTS))
        self.oracle_port, self.verifierd_port, self.control_port = ports[:3]
        self.ports = dict(zip(settings.HOSTS, ports[3:]))
        self.policy = self.dir / "policy.json"
        self.archive = self.dir / "archive.db"
        self.near = None    # recorder between oracle and bridge
        self.far = {}       # recorders between bridge and exchanges
        self.programs = {name: self._program(name) for name in self.names}

    # ---- addresses ----

    def url(self, path):
        return f"http://127.0.0.1:{self.verifierd_port}{path}"

    def oracle_url(self, path):
        return f"http://127.0.0.1:{self.oracle_port}{path}"

    def control_url(self, path):
        return f"http://127.0.0.1:{self.control_port}{path}"

    def config(self, name):
        return self.dir / f"{name}.json"

    # ---- files ----

    def _program(self, name):
        argv = {
            "simulator": [sys.executable, SIMULATOR, "--dir",
                          self.dir / "exchanges", "--control",
                          str(self.control_port)],
            "bridge": [BIN / "vsock-bridge", self.config("bridge")],
            "oracle": [BIN / "hallmark-oracle", self.config("oracle")],
            "verifierd": [BIN / "hallmark-verifierd",
                          self.config("verifierd")]}[name]
        if name == "simulator":
            for exchange, port in self.ports.items():
                argv += ["--port", f"{exchange}={port}"]
        return Program(name, argv, self.dir / f"{name}.log")

    def _recorded_ports(self):
        if not self.record:
            return self.ports
        self.near = Recorder(self.dir / "bridge-out.sock",
                             self.dir / "recorded.sock")
        self.far = {name: Recorder(port) for name, port in self.ports.items()}
        return {name: recorder.port for name, recorder in self.far.items()}

    def write_configs(self):
        ports = None if self.live else self._recorded_ports()
        allowlist = self.dir / "allowlist.txt"
        allowlist.write_text(settings.allowlist(ports))
        settings.write_json(self.config("bridge"), settings.bridge(
            self.dir, "allowlist.txt", self.oracle_port))
        socket = "recorded.sock" if self.record else "bridge-out.sock"
        settings.write_json(self.config("oracle"), settings.oracle(
            self.dir, self.feeds,
            settings.SYSTEM_CA if self.live else self.dir / "exchanges/ca.pem",
            f"unix://{self.dir}/{socket}"))
        settings.write_json(self.config("verifierd"), {
            "listen": f"tcp://127.0.0.1:{self.verifierd_port}",
            "policy": "policy.json", "archive": "archive.db",
            "oracles": [self.oracle_url("")]})

    def write_policy(self):
        """Once the oracle has made its simulated root."""
        done = run("hallmark", "config-pcr", self.config("oracle"))
        found = re.search(r"\b[0-9a-f]{96}\b", done.stdout)
        if not found:
            raise Failed(f"hallmark config-pcr: {done.stdout}{done.stderr}")
        settings.write_json(self.policy, settings.policy(found[0]))

    # ---- programs ----

    def _ready_page(self, name):
        return {"simulator": self.control_url("/state"),
                "oracle": self.oracle_url("/readyz"),
                "verifierd": self.url("/readyz")}[name]

    def wait_ready(self, name, seconds=START_S):
        page = self._ready_page(name)
        try:
            wait_until(f"{name} is ready", lambda: client.ready(page),
                       seconds, self.programs[name].must_run)
        except Failed as failed:
            raise Failed(f"{failed}; {page} says: "
                         + client.why_not(page)) from None

    def _start_listener(self, name, sock):
        program = self.programs[name]
        program.start()
        wait_until(f"{name} listens", (self.dir / sock).exists, START_S,
                   program.must_run)

    def start(self, progress=lambda text: None):
        self.write_configs()
        (self.dir / "simulated").mkdir(exist_ok=True)
        if "simulator" in self.programs:
            progress("starting the exchanges (simulated) ...")
            self.programs["simulator"].start()
            self.wait_ready("simulator")
        progress("starting the bridge ...")
        self._start_listener("bridge", "bridge-out.sock")
        progress("starting the oracle (simulated attestation) ...")
        self._start_listener("oracle", "oracle.sock")
        self.wait_ready("oracle")
        self.write_policy()
        if "verifierd" in self.programs:
            progress("starting the verifier ...")
            self.programs["verifierd"].start()
            self.wait_ready("verifierd")

    def kill(self, name):
        self.programs[name].kill()

    def restart(self, name):
        self.programs[name].start()

    def stop(self, keep=False):
        """Ends all, the last one first. The exit statuses by name."""
        codes = {name: self.programs[name].stop()
                 for name in reversed(self.names)}
        for recorder in [self.near, *self.far.values()]:
            if recorder is not None:
                recorder.close()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)
        return codes

    # ---- what tests and the demo do with it ----

    def fault(self, exchange, fault, retry_after=2):
        body = json.dumps({"exchange": exchange, "fault": fault,
                           "retry_after": retry_after}).encode()
        reply = client.request(self.control_url("/fault"), "POST", body)
        if reply.status != 200:
            raise Failed(f"simulator: {reply.body.decode()}")

    def exchanges(self):
        return client.request(self.control_url("/state")).json()

    def verify(self, path, *more):
        return run("hallmark", "verify", path, "--policy", self.policy, *more)

    def logs(self, lines=10):
        return "\n".join(f"{name}:\n{self.programs[name].log_tail(lines)}"
                         for name in self.names)
