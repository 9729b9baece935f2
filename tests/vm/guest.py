#!/usr/bin/env python3
"""Runs a program in a throw-away Linux guest that has a real AF_VSOCK (CID 1,
the loopback) and /dev/cuse. Nothing of it touches this machine: QEMU emulates
the processor (no KVM needed), the guest has no disk and no network.

The exit status is the program's own, or
  124  it did not end in time; the guest was ended
  125  the guest died before the program had ended
  126  there was no way to start it
Standard output is the program's. Why else it failed, with the guest's last
messages, comes on standard error.
"""

import argparse
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import initramfs
import kernel

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "vm"
MODULES = ("vsock_loopback", "cuse")
TIMED_OUT, DIED, NOT_STARTED = 124, 125, 126
BOOT_S = 60     # to reach /init: 2 s on a quiet machine
MEMORY_MIB = 768
TAIL_LINES = 20


def qemu():
    return os.environ.get("HALLMARK_QEMU", "qemu-system-x86_64")


def busybox():
    """The static one: Debian has it as /bin/busybox or /usr/bin/busybox."""
    found = shutil.which("busybox")
    if found is None:
        raise kernel.Missing("busybox-static is not installed")
    return found


def base_archive(vm_kernel, modules=MODULES):
    """What every guest has: a shell, /init, modules, names of users."""
    archive = initramfs.Archive()
    archive.add_busybox(busybox())
    archive.add_file(pathlib.Path(__file__).with_name("init"), "/init")
    for number, (name, data) in enumerate(vm_kernel.modules(*modules)):
        archive.add_bytes(f"/modules/{number:02}-{name}.ko", data)
    for directory in ("dev", "proc", "sys", "run", "root", "usr/bin"):
        archive.add_directory(directory)
    archive.add_directory("tmp", 0o1777)
    archive.add_text("/etc/passwd", "root:x:0:0:root:/tmp:/bin/sh\n"
                     "nobody:x:65534:65534:nobody:/tmp:/bin/sh\n")
    archive.add_text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    archive.add_text("/etc/hosts", "127.0.0.1 localhost\n")
    archive.add_text("/etc/nsswitch.conf", "hosts: files\n")
    return archive


class Result:
    """How a run ended."""

    def __init__(self, status, output, why="", console=""):
        self.status, self.output = status, output
        self.why, self.console = why, console


class Guest:
    """One boot. The archive is the caller's, and is written with what this
    run adds: /run-me and /run-id. `more` are arguments for QEMU: devices;
    prepare() is called before each boot, for what such devices need."""

    def __init__(self, vm_kernel, archive, argv, timeout_s=120,
                 interactive=False, processors=2, boot_s=BOOT_S, more=(),
                 prepare=lambda: None):
        self._kernel, self._timeout_s = vm_kernel, timeout_s
        self._interactive, self._processors = interactive, processors
        self._boot_s, self._more = boot_s, [*map(str, more)]
        self._prepare = prepare
        self._id = secrets.token_hex(16)
        self._archive = archive
        archive.add_text("/run-id", self._id + "\n", 0o400)
        archive.add_text(
            "/run-me", f"#!/bin/sh\nexec {shlex.join(map(str, argv))}\n",
            0o755)
        if interactive:
            archive.add_text("/interactive", "")

    def _argv(self, directory):
        ports = [("stdio" if self._interactive
                  else f"file:{directory}/console")]
        ports += [f"file:{directory}/{name}" for name in ("output", "status")]
        argv = [qemu(), "-M", "q35,accel=tcg", "-cpu", "max",
                "-smp", str(self._processors), "-m", str(MEMORY_MIB),
                "-nodefaults", "-no-reboot", "-display", "none",
                "-kernel", self._kernel.image, "-initrd",
                directory / "initramfs", "-append",
                "console=ttyS0 quiet panic=-1 reboot=t random.trust_cpu=on"]
        for port in ports:
            argv += ["-serial", port]
        return argv + self._more

    def _reports(self, directory):
        """The lines that only /init can have written, word by word."""
        try:
            text = (directory / "status").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return [line.split()[1:] for line in text.splitlines()
                if line.split()[:1] == [self._id]]

    def _wait(self, process, directory):
        """None: it ended by itself; or why it had to be ended."""
        began = time.monotonic()
        while process.poll() is None:
            waited = time.monotonic() - began
            if waited > self._boot_s and not self._reports(directory):
                why = f"no /init within {self._boot_s} s"
            elif waited > self._timeout_s:
                why = f"timed out after {self._timeout_s} s"
            else:
                time.sleep(0.05)
                continue
            process.kill()
            process.wait()
            return why
        return None

    def _boot(self, directory):
        """As _wait() says."""
        for name in ("console", "output", "status", "qemu"):
            (directory / name).unlink(missing_ok=True)
        self._prepare()
        with open(directory / "qemu", "wb") as says:
            process = subprocess.Popen(
                self._argv(directory), stderr=says,
                stdin=None if self._interactive else subprocess.DEVNULL)
        try:
            return self._wait(process, directory)
        finally:
            process.kill()  # Ctrl-C: it must not outlive us
            process.wait()

    def _result(self, directory, why):
        def text(name):
            path = directory / name
            return path.read_text(errors="replace") if path.exists() else ""
        reports = self._reports(directory)
        ended = [int(words[1]) for words in reports if words[0] == "ended"]
        lines = (text("console") + text("qemu")).splitlines()
        console = "\n".join(lines[-TAIL_LINES:])
        missing = [words[1] for words in reports if words[0] == "no-module"]
        if missing:
            return Result(NOT_STARTED, "", f"modules: {missing}", console)
        if why is not None:
            return Result(TIMED_OUT, text("output"), why, console)
        if len(ended) != 1:
            return Result(DIED, text("output"), "the guest died", console)
        return Result(ended[0], text("output"), "", console)

    def run(self):
        """Boots, and once more if /init was not reached: one boot in some
        hundred hangs before it under emulation, and then nothing ran."""
        with tempfile.TemporaryDirectory(prefix="hallmark-vm-") as name:
            directory = pathlib.Path(name)
            self._archive.write(directory / "initramfs")
            why = self._boot(directory)
            if not self._reports(directory):
                why = self._boot(directory)
            return self._result(directory, why)


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-t", type=int, default=120, metavar="SECONDS",
                        help="end the guest after that (default 120)")
    parser.add_argument("-i", action="store_true",
                        help="a shell in the guest instead of the program")
    parser.add_argument("-f", action="append", default=[], metavar="SRC[:DST]",
                        help="a file or directory to bring (to /bin/NAME)")
    parser.add_argument("program", help="what to run, as the guest finds it")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _add(archive, what):
    source, _, name = what.partition(":")
    if pathlib.Path(source).is_dir():
        archive.add_tree(source, name or source)
    else:
        archive.add_file(source, name or f"/bin/{pathlib.Path(source).name}")


def main():
    options = _arguments()
    try:
        vm_kernel = kernel.find(BUILD)
        archive = base_archive(vm_kernel)
        for what in options.f:
            _add(archive, what)
    except (kernel.Missing, OSError) as error:
        print(f"guest: {error}", file=sys.stderr)
        return NOT_STARTED
    result = Guest(vm_kernel, archive, [options.program, *options.arguments],
                   10 ** 6 if options.i else options.t, options.i).run()
    sys.stdout.write(result.output)
    if result.why:
        print(f"guest: {result.why}\n{result.console}", file=sys.stderr)
    return result.status


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
