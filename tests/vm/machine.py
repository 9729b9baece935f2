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
"""

import datetime
import functools
import pathlib
import re
import threading
import time

import check
import tsc
from program import Failed, Program, wait_until
from test_eif import CMDLINE, KERNEL, RAMDISK, measurements, sections

VM_BIN = check.VM_BIN
CID = 16            # the enclave's; the parent is 3
MEMORY_MIB = 256    # more than what the README says an enclave needs
REACH_S = 60        # to the first line of init: 2 s on a quiet machine
BOOT_S = 120        # to all else that a boot has to show
# Ours (base/log.h), whatever the kernel has put before it.
LINE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) (debug|info|warn|error) +"
                  r"(\w+) (\S+)(.*)")


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

    def parts(self):
        """What `hallmark eif build` wants to make it anew, but for the
        command line: [(option, data)]."""
        return [("--kernel", self._of(KERNEL)[0]),
                *(("--ramdisk", data) for data in self._of(RAMDISK))]

    def unpack(self, directory):
        """For QEMU: the kernel; the ramdisks, one behind the other."""
        (directory / "kernel").write_bytes(self._of(KERNEL)[0])
        (directory / "ramdisks").write_bytes(b"".join(self._of(RAMDISK)))


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
