"""A whole installation with an emulated enclave (machine.py) for its oracle: on
the parent's side stand the bridge, the verifier daemon and the simulated
exchanges, as in tests/integration's Stack; the parent's vsock ports are Unix
sockets.
"""

import functools
import json
import shutil
import socket
import threading

import check
import client
import settings
from machine import BOOT_S, Machine
from program import Failed, wait_until
from stack import Stack, run

ORACLE, PROXY, HEARTBEAT, CONFIGURATION, LOGS = 8080, 8443, 9000, 9001, 9002
ANSWER_S = 60
BOOTS_MAX = 3
CLOCK_S = 1.5       # what the oracle takes is 2 s from the exchanges' time
BEAT = b"\xb7"
say = functools.partial(print, flush=True)


class Given:
    """What enclave_check.py found. A QEMU that is None could not be had, and
    why says why."""

    image = qemu = plain_qemu = None
    why = ""


def hallmark(*args):
    """What the command prints; Failed if it does not succeed."""
    done = run("hallmark", *args)
    if done.returncode != 0:
        raise Failed(f"hallmark {args[0]}: {done.stdout}{done.stderr}")
    return done.stdout


class Heartbeat:
    """The parent's port 9000, as nitro-cli answers there."""

    def __init__(self, path):
        self.received = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                with self._listener.accept()[0] as guest:
                    guest.settimeout(ANSWER_S)
                    self.received.append(guest.recv(16))
                    guest.sendall(BEAT)
        except OSError:
            pass    # closed, or gone; `received` says what came

    def close(self):
        self._listener.close()


class EnclaveStack(Stack):
    """The installation with the machine for its oracle, and the bridge for
    its parent. Without `simulated` there are no exchanges, and no prices."""

    def __init__(self, qemu, image, simulated=True, nsm=True):
        super().__init__(settings.live_feeds(
            interval_ms=2000, max_age_ms=20000), verifierd=simulated)
        if not simulated:
            self.names.remove("simulator")
        self.image = image
        self.machine = Machine(qemu, image, self.dir, nsm)
        self.programs["oracle"] = self.machine
        self.heartbeat = None
        self.boots = 0
        shutil.copytree(check.certificates(), self.dir / "exchanges")

    # ---- files ----

    def _uri(self, port):
        return f"hybrid://{self.machine.uds}:{port}"

    def _bridge(self):
        return {
            "outbound": [{"listen": self._uri(PROXY),
                          "allowlist": "allowlist.txt"}],
            "inbound": [{"listen": f"tcp://127.0.0.1:{self.oracle_port}",
                         "connect": self._uri(ORACLE)}],
            "configuration": [{"listen": self._uri(CONFIGURATION),
                               "file": "oracle.json"}],
            "logs": [{"listen": self._uri(LOGS)}]}

    def oracle_config(self):
        """What a machine with this root needs, and no file that is not in
        the image."""
        return {
            "listen": f"vsock://any:{ORACLE}", "proxy": f"vsock://3:{PROXY}",
            "attester": "nsm", "insecure_emulator": True,
            "nsm_root": (self.machine.root.read_text()
                         if self.machine.root.exists() else "/none"),
            "ca_bundle": (self.dir / "exchanges/ca.pem").read_text(),
            "feeds": self.feeds}

    def write_configs(self):
        super().write_configs()
        settings.write_json(self.config("oracle"), self.oracle_config())
        settings.write_json(self.config("bridge"), self._bridge())

    def write_policy(self, path=None, config=None, **changes):
        """As `hallmark pcrs` wrote it, with the test root named in it."""
        policy = json.loads(hallmark(
            "pcrs", self.image.path, "--policy", "check-enclave", "--config",
            config or self.config("oracle")))
        policy["root_files"] = [str(self.machine.root)]
        policy.update(changes)
        return settings.write_json(path or self.policy, policy)

    # ---- programs ----

    def start_bridge(self):
        bridge = self.programs["bridge"]
        before = bridge.log().count(" listening")
        bridge.start()
        rules = sum(len(rules) for rules in self._bridge().values())
        wait_until("the bridge listens", lambda: bridge.log().count(
            " listening") - before >= rules, BOOT_S, bridge.must_run)

    def _booted(self, exact):
        """Is it one to go on with? One boot in some hundred hangs before init
        under emulation, and on a busy machine the clock may lose seconds."""
        if not self.machine.reached():
            return False
        if not exact:
            return True
        behind_s = self.machine.clock_behind_s()
        if abs(behind_s) <= CLOCK_S or self.boots == BOOTS_MAX:
            return True
        say(f"# The guest's clock lost {behind_s:.1f} s: it boots again.")
        return False

    def boot(self, bridge=True, heartbeat=True, exact=False,
             configure=lambda: None):
        """Up to init's first line; again if that boot is no good, or its clock
        is not exact enough for prices. `configure` changes the files that were
        written for this boot."""
        if heartbeat and self.heartbeat is None:
            self.heartbeat = Heartbeat(f"{self.machine.uds}_{HEARTBEAT}")
        for self.boots in range(1, BOOTS_MAX + 1):
            self.machine.start_devices()
            self.write_configs()
            configure()
            if bridge:
                self.start_bridge()
            self.machine.start()
            if self._booted(exact):
                return
            if self.boots < BOOTS_MAX:
                self.machine.stop()
                self.programs["bridge"].stop()
        raise Failed(f"init was not reached, {BOOTS_MAX} times:\n"
                     + self.machine.log_tail(30))

    def start(self, progress=lambda text: None):
        if "simulator" in self.names:
            self.programs["simulator"].start()
            self.wait_ready("simulator", BOOT_S)
        self.boot(exact=True)
        self.wait_ready("oracle", BOOT_S)
        self.write_policy()
        if "verifierd" in self.names:
            self.programs["verifierd"].start()
            self.wait_ready("verifierd", BOOT_S)

    def stop(self, keep=False):
        codes = super().stop(keep)
        if self.heartbeat is not None:
            self.heartbeat.close()
        return codes

    # ---- what tests ask ----

    def dial(self, port):
        """A connection to a port of the enclave, as a program on the parent
        makes it; None if nobody listens there."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(ANSWER_S)
        sock.connect(str(self.machine.uds))
        sock.sendall(b"CONNECT %d\n" % port)
        try:
            if sock.recv(64).startswith(b"OK "):
                return sock
        except ConnectionError:
            pass
        sock.close()
        return None

    def document(self, nonce, name="document.b64"):
        """A document made now; the path."""
        reply = client.request(self.oracle_url(f"/attestation?nonce={nonce}"))
        if reply.status != 200:
            raise Failed(f"no document: {reply.body}")
        path = self.dir / name
        path.write_text(reply.json()["attestation_doc_b64"])
        return path
