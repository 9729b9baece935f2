"""An emulated Nitro machine: the image that `make image` made boots in QEMU's
microvm. What a hypervisor does for an enclave is done here by others:

  kernel, command line, ramdisks   taken out of the image as it does, byte for
                                   byte; behind the command line, outside of
                                   what is measured, come the devices (QEMU's
                                   virtio_mmio.device=) and the clock's speed
  /dev/nsm                         the kernel's own driver; the module behind it
                                   is tests/vm/nsm_device, which was told the
                                   PCRs and signs under a root of its own
  vsock, CID 3                     the kernel's own; tests/vm/vsock_device makes
                                   each port P of the parent a Unix socket,
                                   vm.vsock_P

On the parent's side stand the bridge, the verifier daemon and the simulated
exchanges: tests/integration's Stack, with this machine for its oracle.
"""

import datetime
import functools
import json
import pathlib
import re
import shutil
import socket
import threading
import time

import check
import client
import settings
import tsc
from program import Failed, Program, wait_until
from stack import Stack, run
from test_eif import CMDLINE, KERNEL, RAMDISK, measurements, sections

VM_BIN = check.VM_BIN
CID = 16            # the enclave's; the parent is 3
ORACLE, PROXY, HEARTBEAT, CONFIGURATION, LOGS = 8080, 8443, 9000, 9001, 9002
MEMORY_MIB = 256    # more than what the README says an enclave needs
REACH_S = 60        # to the first line of init: 2 s on a quiet machine
BOOT_S = 120        # to all else that a boot has to show
BOOTS_MAX = 3
CLOCK_S = 1.5       # what the oracle takes is 2 s from the exchanges' time
BEAT = b"\xb7"
# Ours (base/log.h), whatever the kernel has put before it.
LINE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) (debug|info|warn|error) +"
                  r"(\w+) (\S+)(.*)")


def hallmark(*args):
    """What the command prints; Failed if it does not succeed."""
    done = run("hallmark", *args)
    if done.returncode != 0:
        raise Failed(f"hallmark {args[0]}: {done.stdout}{done.stderr}")
    return done.stdout


class Image:
    """An EIF, read by the tests' own few lines."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        data = self.path.read_bytes()
        self.pcrs = measurements(data)      # PCR0, PCR1, PCR2
        self._sections = sections(data)[1]

    def _of(self, wanted):
        return [data for kind, data in self._sections if kind == wanted]

    def cmdline(self):
        return self._of(CMDLINE)[0].decode()

    def unpack(self, directory):
        """For QEMU: the kernel; the ramdisks, one behind the other."""
        (directory / "kernel").write_bytes(self._of(KERNEL)[0])
        (directory / "ramdisks").write_bytes(b"".join(self._of(RAMDISK)))


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
                    guest.settimeout(REACH_S)
                    self.received.append(guest.recv(16))
                    guest.sendall(BEAT)
        except OSError:
            pass    # closed, or gone; `received` says what came

    def close(self):
        self._listener.close()


class Console(threading.Thread):
    """What comes out of the serial port, with our time for each line."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.lines = []     # (monotonic, text)
        self._path, self._ended = path, threading.Event()
        path.touch()
        self.start()

    def run(self):
        rest = ""
        with open(self._path, encoding="utf-8", errors="replace") as file:
            while True:
                ending = self._ended.is_set()
                text = file.read().replace("\r", "")
                now = time.monotonic()
                *whole, rest = (rest + text).split("\n")
                self.lines += [(now, line) for line in whole]
                if ending and not text:
                    return
                self._ended.wait(0.02)

    def close(self):
        self._ended.set()
        self.join()

    def text(self):
        return "\n".join(line for _, line in list(self.lines))


def _next_second():
    """Waits for one to begin; the one after that, for the emulated clock.
    A guest reads it once, in whole seconds, and counts timer interrupts from
    then on until the kernel is up, of which it loses a second's worth: with
    this start it is half a second off on a quiet machine, either way."""
    now = time.time()
    time.sleep(1 - now % 1)
    then = datetime.datetime.fromtimestamp(int(now) + 2, datetime.timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%S")


@functools.cache
def _clock():
    """For the command line: what a hypervisor tells in another way."""
    found = tsc.khz()
    return f" tsc=reliable tsc_early_khz={found}" if found else ""


class Machine(Program):
    """QEMU and the two devices. A start() is one boot; booted again it is
    another machine, whose module signs under another root."""

    def __init__(self, qemu, image, directory, nsm=True):
        self._qemu, self._image, self._dir = qemu, image, directory
        self.uds, self.root = directory / "vm.vsock", directory / "root.pem"
        pcrs = [image.pcrs[f"PCR{index}"] for index in range(3)]
        devices = {"vsock": [VM_BIN / "vsock_device",
                             directory / "vsock-device", CID, self.uds]}
        if nsm:
            devices["nsm"] = [VM_BIN / "nsm_device", directory / "nsm-device",
                              self.root, *pcrs]
        self._devices = [
            Program(name, [*map(str, argv)], directory / f"{name}-device.log")
            for name, argv in devices.items()]
        super().__init__(str(qemu), self._arguments(), directory / "qemu.log")
        self.console, self.began = None, None

    def _arguments(self):
        argv = ["/usr/bin/env", *(f"{name}={value}" for name, value
                                  in self._qemu.environment.items()),
                *self._qemu.argv, "-M",
                "microvm,accel=tcg,acpi=off,memory-backend=ram",
                "-object", "memory-backend-memfd,id=ram,share=on,"
                f"size={MEMORY_MIB}M", "-m", f"{MEMORY_MIB}M",
                "-cpu", "max", "-smp", "2", "-nodefaults", "-no-user-config",
                "-no-reboot", "-display", "none",
                "-global", "virtio-mmio.force-legacy=false",
                # Resets like Nitro's; else Linux jumps into a BIOS, and
                # sometimes that boots it again.
                "-device", "i8042",
                "-serial", f"file:{self._dir}/console",
                "-kernel", self._dir / "kernel",
                "-initrd", self._dir / "ramdisks",
                "-append", self._image.cmdline() + _clock()]
        for device in self._devices:
            name = device.name
            kind = ("vhost-user-vsock-device" if name == "vsock" else
                    "vhost-user-test-device,virtio-id=33,num_vqs=1")
            argv += ["-chardev",
                     f"socket,id={name},path={self._dir}/{name}-device",
                     "-device", f"{kind},chardev={name}"]
        return [*map(str, argv)]

    def start_devices(self):
        """Afterwards `root` is there."""
        self.uds.unlink(missing_ok=True)
        for device in self._devices:
            where = pathlib.Path(device.argv[1])
            where.unlink(missing_ok=True)
            device.start()
            wait_until(f"{device.name}_device listens", where.exists, REACH_S,
                       device.must_run)

    def start(self):
        """Powers it on; start_devices() was called."""
        self._image.unpack(self._dir)
        (self._dir / "console").unlink(missing_ok=True)
        self.console = Console(self._dir / "console")
        self.argv = self._arguments() + ["-rtc", f"base={_next_second()}"]
        self.began = time.monotonic()
        super().start()

    def lines(self, module=None, event=None):
        """Ours on the console: [(our time, level, module, event, fields)]."""
        found = []
        for when, text in list(self.console.lines):
            match = LINE.search(text)
            if match and module in (None, match[3]) \
                    and event in (None, match[4]):
                found.append((when, *match.groups()[1:]))
        return found

    def reached(self):
        """Did init say anything within a minute?"""
        try:
            wait_until("init's first line", self.lines, REACH_S,
                       self.must_run)
        except Failed:
            if not self.running():
                self.console.close()    # has read all of it now
        return bool(self.lines())

    def clock_behind_s(self):
        """How far its clock was behind ours at init's first line."""
        when, text = next((when, text) for when, text in self.console.lines
                          if LINE.search(text))
        said = datetime.datetime.fromisoformat(LINE.search(text)[1])
        return when + time.time() - time.monotonic() - said.timestamp()

    def wait_line(self, what, pattern, seconds=BOOT_S):
        """Until the console shows this."""
        return wait_until(what, lambda: re.search(
            pattern, self.console.text(), re.M), seconds, self.must_run)

    def wait_off(self, seconds=BOOT_S):
        """Until it has powered itself off: QEMU's status."""
        wait_until("the machine powers off", lambda: not self.running(),
                   seconds)
        self.console.close()
        return self.process.returncode

    def stop(self, seconds=10):
        status = super().stop(seconds)
        for device in self._devices:
            device.stop(seconds)
        if self.console is not None:
            self.console.close()
        return status

    def log(self):
        text = self.console.text() if self.console is not None else ""
        return text + "\n" + super().log() + "".join(
            device.log() for device in self._devices)


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
        print(f"# The guest's clock lost {behind_s:.1f} s: it boots again.",
              flush=True)
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
        sock.settimeout(REACH_S)
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
