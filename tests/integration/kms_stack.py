"""An installation whose oracle keeps its signing key by KMS, and the stand-in
for KMS and the metadata service (tests/simulator/kms*.py) in this process."""

import copy
import json
import pathlib
import shutil
import sys

import client
import settings
import support
from program import Failed, wait_until
from stack import BIN, Stack

sys.path.insert(0, str(settings.ROOT / "tests" / "simulator"))
import kms as kms_stand_in  # noqa: E402
import kms_server  # noqa: E402

HELPER = BIN.parent / "kms" / "kms_helper"
POLICY = settings.ROOT / "deploy" / "kms" / "key-policy.json"
HOST = "kms.eu-central-1.amazonaws.com"
ARN = ("arn:aws:kms:eu-central-1:111122223333:key/"
       "1234abcd-12ab-34cd-56ef-1234567890ab")
ROLE = ("arn:aws:sts::111122223333:assumed-role/hallmark-enclave/"
        "i-0123456789abcdef0")


class KmsStack(Stack):
    def __init__(self, key=None, feeds=None, **more):
        super().__init__(feeds or support.fast_feeds(), **more)
        if not HELPER.exists():
            raise Failed(f"{HELPER} is not built: make {HELPER.name}")
        self.key = {"wait_s": 3, **(key or {})}
        self.kms_port, imds_port = settings.free_ports(2)
        self.kms = kms_stand_in.Kms(
            HELPER, self.dir / "simulated" / "simulated-root.pem")
        (self.dir / "keys").mkdir()
        self.server = kms_server.Server(
            self.kms, self.dir / "exchanges", HOST, self.kms_port, imds_port)
        self.server.new_credentials(ROLE)
        self.server.start()

    def key_policy(self, **pcrs):
        """deploy/kms's, for this oracle; or with other PCRs."""
        policy = json.loads(POLICY.read_text())
        found = support.run("hallmark", "config-pcr", self.config("oracle"))
        values = {**{f"PCR{i}": settings.simulated_pcr(i) for i in (1, 2)},
                  "ImageSha384": settings.simulated_pcr(0),
                  "PCR16": found.stdout.split()[-1], **pcrs}
        test = policy["Statement"][0]["Condition"]["StringEqualsIgnoreCase"]
        for name in test:
            test[name] = values[name.rpartition(":")[2]]
        return policy

    def write_configs(self):
        super().write_configs()
        self._change("bridge", {
            "keeper": {"listen": f"unix://{self.dir}/keeper.sock",
                       "directory": "keys"},
            "credentials": {
                "listen": f"unix://{self.dir}/credentials.sock",
                "imds": f"tcp://127.0.0.1:{self.server.imds_port}"}})
        self._change("oracle", {"key": {**self.key, "kms": {
            "key_id": ARN, "region": "eu-central-1",
            "blob": f"unix://{self.dir}/keeper.sock",
            "credentials": f"unix://{self.dir}/credentials.sock"}}})
        with open(self.dir / "allowlist.txt", "a", encoding="ascii") as file:
            file.write(f"{HOST}:443 tcp://127.0.0.1:{self.kms_port}\n")
        self.kms.keys[ARN] = self.key_policy()

    def _change(self, name, more):
        config = json.loads(self.config(name).read_text())
        settings.write_json(self.config(name), {**config, **more})

    def stop(self, keep=False):
        self.server.stop()
        return super().stop(keep)

    # ---- what tests do with it ----

    def attestation(self):
        reply = client.request(self.oracle_url("/attestation"))
        return reply.json() if reply.status == 200 else None

    def blobs(self):
        return sorted((self.dir / "keys").iterdir(),
                      key=lambda path: int(path.suffix[1:]))

    def restart_oracle(self):
        self.programs["oracle"].stop()
        self.programs["oracle"].start()
        self.wait_ready("oracle")

    def oracle_dies(self, seconds=30):
        """Starts the stopped oracle; what it wrote until it gave up."""
        program = self.programs["oracle"]
        before = len(program.log())
        program.start()
        wait_until("the oracle gives up", lambda: not program.running(),
                   seconds)
        return program.process.returncode, program.log()[before:]
