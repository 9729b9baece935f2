#!/usr/bin/env python3
"""make check-vm: the programs over a real AF_VSOCK and a real /dev/nsm, in a
throw-away guest. Prints TAP and, at the end, "N passed, N failed".

  check.py                  everything: the runner itself, the vsock device
                            of emulated enclaves, two enclaves that are peers,
                            the guest, then the units of deploy/ under a
                            systemd
  check.py enclave vsock    only these files of tests/vm/inside; units
  check.py -i               a shell in that guest; /run-me runs the tests

The programs are taken from $HALLMARK_BIN (default build/bin), the module from
$HALLMARK_VM_BIN (build/vm). What is missing is installed or fetched through
apt; if that is not possible it is a failure in CI (CI=true), else a skip.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "integration"),
                str(ROOT / "tests" / "simulator")]

import guest                       # noqa: E402
import kernel                      # noqa: E402
import run as integration          # noqa: E402
import units                       # noqa: E402

BIN = pathlib.Path(os.environ.get("HALLMARK_BIN", ROOT / "build/bin"))
VM_BIN = pathlib.Path(os.environ.get("HALLMARK_VM_BIN", ROOT / "build/vm"))
PACKAGES = ("qemu-system-x86", "busybox-static", "xz-utils", "openssl",
            "systemd")
PROGRAMS = ("hallmark", "hallmark-oracle", "hallmark-verifierd",
            "vsock-bridge")
# Of this machine, for the tests that call them.
TOOLS = ("openssl", "curl")
# A ceiling for all tests in it; see HACKING.md for the usual.
GUEST_S = 3600 if os.environ.get("HALLMARK_LONG") == "1" else 600
KEPT_S = 86400
ROOT_DAYS = 10958   # as AWS's: 30 years

# A root that no verifier takes for a simulated one (its name says which
# platform it speaks for), with the profile of AWS's own.
ROOT_REQUEST = [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384",
    "-sha384", "-nodes", "-days", str(ROOT_DAYS), "-subj",
    "/O=Hallmark/OU=tests/CN=test.nitro-enclaves", "-addext",
    "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"]


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add_tap(self, text):
        for line in text.splitlines():
            skip = "# SKIP" in line
            self.passed += line.startswith("ok ") and not skip
            self.failed += line.startswith("not ok ")
            self.skipped += line.startswith("ok ") and skip

    def say(self, ok, what, more=""):
        line = f"{'ok' if ok else 'not ok'} - {what}"
        print(line, flush=True)
        for each in more.splitlines():
            print(f"# {each}", flush=True)
        self.add_tap(line)

    def skip(self, what, why):
        print(f"ok - {what} # SKIP {why}", flush=True)
        self.skipped += 1

    def end(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"\n{self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed or not self.passed + self.skipped else 0


def _openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)


def make_root(directory):
    """The root that /dev/nsm signs under, for this run only."""
    key = directory / "simulated-root-key.pem"
    _openssl(*ROOT_REQUEST, "-keyout", key,
             "-out", directory / "simulated-root.pem")
    key.chmod(0o600)


def certificates():
    """The exchanges': hundreds of calls of openssl, which are slow under
    emulation. They are good for weeks and kept for a day."""
    import certificates
    import exchanges
    directory = guest.BUILD / "certificates"
    made = directory / "ca.pem"
    oldest = max(time.time() - KEPT_S,
                 pathlib.Path(certificates.__file__).stat().st_mtime)
    if not made.exists() or made.stat().st_mtime < oldest:
        shutil.rmtree(directory, ignore_errors=True)
    authority = certificates.Authority(directory)
    for exchange in exchanges.ALL:
        authority.all_for(exchange.name, exchange.host)
    return directory


def _full_archive(vm_kernel, scratch):
    archive = guest.base_archive(vm_kernel)
    archive.add_python()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            archive.add_file(found, f"/bin/{tool}")
    for program in [BIN / name for name in PROGRAMS] + [VM_BIN / "nsm_cuse"]:
        if not program.exists():
            sys.exit(f"{program} is not built: run make check-vm")
        archive.add_file(program, f"/hallmark/bin/{program.name}")
    for name in ("tests/integration", "tests/simulator", "tests/vm/inside",
                 "deploy"):
        archive.add_tree(ROOT / name, f"/hallmark/{name}")
    make_root(scratch)
    archive.add_tree(scratch, "/nsm")
    archive.add_tree(certificates(), "/certificates")
    for config in ("/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf"):
        if os.path.exists(config):
            archive.add_file(config)
    return archive


def _run_inside(counts, vm_kernel, options):
    """All of it. The runner itself is tried while the archive is made."""
    with (concurrent.futures.ThreadPoolExecutor(1) as pool,
          tempfile.TemporaryDirectory(prefix="hallmark-vm-") as name):
        trial = (None if options.names or options.i
                 else pool.submit(_try_runner, vm_kernel))
        archive = _full_archive(vm_kernel, pathlib.Path(name))
        if trial is not None:
            _judge_runner(counts, trial.result())
        result = guest.Guest(
            vm_kernel, archive,
            ["env", "HALLMARK_BIN=/hallmark/bin",
             f"HALLMARK_LONG={os.environ.get('HALLMARK_LONG', '')}",
             "python3", "/hallmark/tests/vm/inside/main.py",
             *options.names],
            10 ** 6 if options.i else GUEST_S, options.i).run()
    if options.i:
        return
    print(result.output, end="", flush=True)
    counts.add_tap(result.output)
    said = re.search(r"^not ok", result.output, re.M)
    if result.status != 0 and not said:
        counts.say(False, "the guest's tests come to their end",
                   f"status {result.status} {result.why}\n{result.console}")


def _run_units(counts, vm_kernel):
    """In a guest of its own, whose first service they are."""
    result = units.run(vm_kernel, BIN)
    print(result.output, end="", flush=True)
    counts.add_tap(result.output)
    if not re.search(r"^(not ok|# units: 0 failed)", result.output, re.M):
        counts.say(False, "the units' tests come to their end",
                   f"status {result.status} {result.why}\n{result.console}")


# What a program can print is not what decides. (It cannot know the run's id.)
FORGERY = """
for port in /dev/ttyS0 /dev/ttyS1 /dev/ttyS2; do
	echo '0123456789abcdef0123456789abcdef ended 0' >$port
done
test ! -e /run-id || exit 1
test -c /dev/vsock || exit 2
test -c /dev/cuse || exit 3
echo hello
exit 42
"""


def _try_runner(vm_kernel):
    return guest.Guest(vm_kernel, guest.base_archive(vm_kernel),
                       ["sh", "-c", FORGERY], 60).run()


def _judge_runner(counts, result):
    counts.say(result.status == 42 and "hello\n" in result.output,
               "a guest's exit status is the program's, whatever it prints",
               "" if result.status == 42 else
               f"{result.status} {result.why} {result.output}\n"
               f"{result.console}")


def _run_unit_tests(counts):
    tap = integration.Tap()
    unittest.defaultTestLoader.loadTestsFromNames(
        ["test_guest", "test_vsock_device", "test_peers_apart"]).run(tap)
    counts.passed += tap.number - tap.failed - tap.skipped_count
    counts.failed += tap.failed


def _prepare(counts):
    """The kernel; None, and said, if something cannot be had."""
    try:
        done = subprocess.run([ROOT / "deploy/install-packages.sh", *PACKAGES])
        if done.returncode != 0:
            raise kernel.Missing(f"not installed: {' '.join(PACKAGES)}")
        return kernel.find(guest.BUILD)
    except (kernel.Missing, OSError) as error:
        if os.environ.get("CI") == "true":
            counts.say(False, "what a virtual machine needs", str(error))
        else:
            counts.skip("check-vm", str(error).splitlines()[0])
        return None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="files, without test_")
    parser.add_argument("-i", action="store_true", help="a shell instead")
    options = parser.parse_args()
    began = time.monotonic()
    counts = Counts()
    vm_kernel = _prepare(counts)
    if vm_kernel is not None:
        if not options.names and not options.i:
            _run_unit_tests(counts)
        only_units = options.names == ["units"]
        if not only_units:
            _run_inside(counts, vm_kernel, options)
        if only_units or not options.names and not options.i:
            _run_units(counts, vm_kernel)
    print(f"# {time.monotonic() - began:.0f} s")
    return counts.end()


if __name__ == "__main__":
    sys.exit(main())
