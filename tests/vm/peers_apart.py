"""The cluster of deploy/peers with a guest for each enclave: its vsock is the
kernel's own, each parent's bridge a program on this machine, and TCP between
the two bridges.
"""

import json
import pathlib
import re
import shutil
import socket
import sys
import threading
import time

import guest
import kernel

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "inside"), str(HERE.parents[0] / "integration")]

import check                        # noqa: E402
import cluster                      # noqa: E402
import settings                     # noqa: E402
from bridged_cluster import API, PEERS, BridgedCluster, BridgedOracle  # noqa
from peer import CONTROL            # noqa: E402
from program import Program, wait_until     # noqa: E402

MODULES = ("vmw_vsock_virtio_transport", "cuse")
CID = 16            # deploy/enclave.json's
START_S = 120       # emulated, and two at once; a ceiling
WAIT_MS = 3000      # a co-signature takes an emulated processor a while
cluster.START_S = START_S
MEMORY = (f"memory-backend-memfd,id=shared,size={guest.MEMORY_MIB}M,share=on")


class GuestOracle(BridgedOracle):
    def __init__(self, cluster, name):
        super().__init__(cluster, name)
        self.uds = self.dir / "vsock"
        self.device = Program("vsock_device", [
            check.VM_BIN / "vsock_device", self.dir / "device", str(CID),
            self.uds], self.dir / "device.log")
        self.program = self     # what Cluster stops, and asks if it runs
        self.thread = self.control = self.result = None

    def parent_side(self, text):
        return re.sub(r"vsock://\w+:(\d+)", rf"hybrid://{self.uds}:\1", text)

    def port(self):
        return self.ports[API]

    def log(self):
        return (self.result.output + self.result.why + self.result.console
                if self.result else "")

    def boot_id(self):
        return self.get("/version").json()["boot_id"]

    # ---- the guest ----

    def _archive(self, vm_kernel):
        archive = guest.base_archive(vm_kernel, MODULES)
        archive.add_python()
        for program in (check.BIN / "hallmark-oracle",
                        check.VM_BIN / "nsm_cuse"):
            archive.add_file(program, f"/hallmark/{program.name}")
        archive.add_file(HERE / "inside/peer.py", "/hallmark/peer.py")
        archive.add_file(self.config, "/hallmark/oracle.json")
        archive.add_file(self.cluster.stack.dir / "exchanges/ca.pem",
                         "/hallmark/ca.pem")
        archive.add_tree(self.cluster.nsm, "/nsm")
        return archive

    def _start_device(self):
        """A new one for each boot; it ends with this thread."""
        self.device.kill()
        self.device.start()
        wait_until("vsock_device listens", (self.dir / "device").exists,
                   START_S, self.device.must_run)

    def start(self, config):
        settings.write_json(self.config, config)
        vm_kernel = kernel.find(guest.BUILD)
        machine = guest.Guest(
            vm_kernel, self._archive(vm_kernel),
            ["python3", "/hallmark/peer.py"], timeout_s=4 * START_S,
            processors=1, prepare=self._start_device,
            more=["-object", MEMORY, "-machine", "memory-backend=shared",
                  "-chardev", f"socket,id=v,path={self.dir}/device",
                  "-device", "vhost-user-vsock-pci,chardev=v"])
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{self.uds}_{CONTROL}")
        listening.listen()
        listening.settimeout(START_S)

        def run():
            self.result = machine.run()
        self.thread = threading.Thread(target=run)
        self.thread.start()
        with listening:
            self.control = listening.accept()[0]
        self.control.sendall(f"{time.time()}\n".encode())

    def must_run(self):
        if not self.thread.is_alive():
            raise AssertionError(f"the guest of {self.name} ended: "
                                 + self.log())

    def stop(self):
        """Its status."""
        if self.control is not None:
            self.control.close()
        if self.thread is None:
            return None
        self.thread.join()
        return self.result.status


class GuestCluster(BridgedCluster):
    oracle = GuestOracle

    def __init__(self):
        super().__init__(("a", "b"))
        self.quorum = 1
        self.nsm = self.dir / "nsm"
        self.nsm.mkdir()
        check.make_root(self.nsm)
        shutil.copytree(check.certificates(), self.dir / "exchanges")

    def config(self, **more):
        """deploy's, with its vsock, and what is known in the guests only."""
        config = {**json.loads(settings.LIVE.read_text()),
                  **json.loads((PEERS / "peers.json").read_text())}
        config["peers"]["wait_ms"] = WAIT_MS
        config.update(
            ca_bundle="ca.pem", nsm_root="/nsm/simulated-root.pem",
            quorum=self.quorum, feeds=settings.live_feeds(
                interval_ms=5000, max_age_ms=20000))
        return {**config, **more}

    def write_policy(self):
        super().write_policy()
        policy = json.loads(self.policy.read_text())
        policy["root_files"] = [str(self.nsm / "simulated-root.pem")]
        settings.write_json(self.policy, policy)
        self.strict = self.with_quorum(self.quorum)
