"""tests/integration's installation with the sockets and the module of an
enclave: between bridge and oracle there is AF_VSOCK only, and documents come
from /dev/nsm. Guest and parent are one here, so the parent's CID is that of
the loopback.
"""

import json
import shutil
import socket

import settings
from program import wait_until
from stack import Stack

START_S = 90        # for one program to be ready, emulated; a ceiling
CID = 1             # VMADDR_CID_LOCAL; 3 in an enclave
ORACLE_PORT, BRIDGE_PORT = 8080, 8443
NSM = "/nsm"        # what nsm_cuse signs under
ROOT = f"{NSM}/simulated-root.pem"
CERTIFICATES = "/certificates"  # the exchanges', made before the guest was


def connect(port, cid=CID):
    sock = socket.socket(socket.AF_VSOCK)
    sock.settimeout(START_S)
    try:
        sock.connect((cid, port))
    except OSError:
        sock.close()
        raise
    return sock


def answers(port):
    try:
        connect(port).close()
        return True
    except OSError:
        return False


class VsockStack(Stack):
    def write_configs(self):
        super().write_configs()
        oracle = json.loads(self.config("oracle").read_text())
        del oracle["simulated_dir"]
        oracle.update(listen=f"vsock://any:{ORACLE_PORT}", attester="nsm",
                      nsm_root=ROOT, proxy=f"vsock://{CID}:{BRIDGE_PORT}")
        settings.write_json(self.config("oracle"), oracle)
        bridge = json.loads(self.config("bridge").read_text())
        bridge["outbound"][0]["listen"] = f"vsock://any:{BRIDGE_PORT}"
        bridge["inbound"][0]["connect"] = f"vsock://{CID}:{ORACLE_PORT}"
        settings.write_json(self.config("bridge"), bridge)
        shutil.copytree(CERTIFICATES, self.dir / "exchanges")

    def write_policy(self):
        super().write_policy()
        policy = json.loads(self.policy.read_text())
        policy["root_files"] = [ROOT]
        settings.write_json(self.policy, policy)

    def wait_ready(self, name, seconds=START_S):
        super().wait_ready(name, seconds)

    def _start_listener(self, name, sock):
        program = self.programs[name]
        program.start()
        port = BRIDGE_PORT if name == "bridge" else ORACLE_PORT
        wait_until(f"{name} listens", lambda: answers(port), START_S,
                   program.must_run)
