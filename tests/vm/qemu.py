"""The QEMU that an enclave's image is booted with. From version 11 on a user
may give a guest a virtio device of any kind whose other side is a program of
his own (vhost-user-test-device): that is how the kernel's own driver finds a
Nitro Security Module here. Debian 13 has it among its backports.

It is fetched by this machine's apt, with lists and a state of its own, then
unpacked into build/vm and run by its own loader with its own libraries, on
Debian 12 as on 13: nothing is installed, and /etc/apt stays as it is.
$HALLMARK_QEMU11 names another program that has the device.
"""

import functools
import os
import pathlib
import platform
import re
import shutil
import subprocess

import guest
import kernel

PACKAGE, SUITE, BACKPORTS = "qemu-system-x86", "trixie", "trixie-backports"
OLDEST = 11
KEYRINGS = [pathlib.Path(f"/usr/share/keyrings/debian-archive-keyring.{end}")
            for end in ("pgp", "gpg")]
FETCH_S = 300       # lists of 10 MB and packages of 38 MB; a ceiling
PROGRAM = "usr/bin/qemu-system-x86_64"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = f"{LIBRARIES}/ld-linux-x86-64.so.2"
DATA = ("usr/share/qemu", "usr/share/seabios")
say = functools.partial(print, flush=True)
_VERSION = re.compile(r"version (\d+)\.(\d+)")


class Qemu:
    """How one is called, and what it says it is."""

    def __init__(self, argv, environment=()):
        self.argv = [*map(str, argv)]
        self.environment = dict(environment)
        try:
            said = subprocess.run([*self.argv, "--version"], text=True,
                                  capture_output=True, timeout=60,
                                  env={**os.environ, **self.environment})
        except (OSError, subprocess.TimeoutExpired) as error:
            raise kernel.Missing(f"{self.argv[0]}: {error}") from None
        found = _VERSION.search(said.stdout)
        if found is None:
            raise kernel.Missing(f"{' '.join(self.argv)} --version said: "
                                 f"{said.stdout}{said.stderr}")
        self.version = (int(found[1]), int(found[2]))

    def __str__(self):
        return "QEMU %d.%d" % self.version


def of_this_machine():
    return Qemu([guest.qemu()])


def unpacked(root):
    """One that lies in a directory with all that it needs."""
    argv = [root / LOADER, "--library-path", root / LIBRARIES, root / PROGRAM]
    for directory in DATA:
        argv += ["-L", root / directory]
    # Else it looks for its parts where the other QEMU has its own.
    return Qemu(argv, {"QEMU_MODULE_DIR": str(root / LIBRARIES / "qemu")})


def _archive():
    """Where this machine's own Debian comes from; a mirror has all suites."""
    try:
        release = platform.freedesktop_os_release().get("VERSION_CODENAME")
    except OSError:
        release = None
    try:
        lines = kernel.run("apt-get", "indextargets", "--format",
                           "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    except OSError as error:
        raise kernel.Missing(f"apt-get: {error}") from None
    for line in lines.splitlines():
        uri, _, name = line.rpartition(" ")
        if release is not None and name == release:
            return uri
    raise kernel.Missing(f"apt has no source of this system ({release})")


class _Apt:
    """The machine's apt with lists, state and sources of our own."""

    def __init__(self, directory):
        self._dir = directory
        keyring = next((path for path in KEYRINGS if path.exists()), None)
        if keyring is None:
            raise kernel.Missing("debian-archive-keyring is not installed")
        for name in ("state/lists/partial", "cache/archives/partial", "none"):
            (directory / name).mkdir(parents=True)
        (directory / "status").touch()  # as if nothing were installed
        uri = _archive()
        (directory / "sources.list").write_text("".join(
            f"deb [signed-by={keyring}] {uri} {suite} main\n"
            for suite in (SUITE, BACKPORTS)))

    def run(self, *args):
        settings = {
            "Dir::State": "state", "Dir::State::status": "status",
            "Dir::Cache": "cache", "Dir::Etc::sourcelist": "sources.list",
            "Dir::Etc::sourceparts": "none", "Dir::Etc::preferences": "none",
            "Dir::Etc::preferencesparts": "none"}
        argv = ["apt-get", "-q", "-o", "Acquire::Languages=none",
                "-o", "APT::Update::Error-Mode=any",
                "-o", "Acquire::Retries=2"]
        for name, value in settings.items():
            argv += ["-o", f"{name}={self._dir / value}"]
        return kernel.run(*argv, *args, timeout=FETCH_S)

    def packages(self):
        return sorted(self._dir.glob("cache/archives/*.deb"))


def _fetch(build):
    """The directory it is in now. Made beside and renamed, so that half a
    QEMU is never used."""
    beside = build / f"qemu.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    say(f"Fetching into {build}: {PACKAGE} of {BACKPORTS}")
    try:
        apt = _Apt(beside / "apt")
        apt.run("update")
        apt.run("install", "--download-only", "--no-install-recommends",
                "--yes", "--target-release", BACKPORTS, PACKAGE)
        for package in apt.packages():
            kernel.run("dpkg", "-x", package, beside / "root")
        found = unpacked(beside / "root")
        if found.version < (OLDEST,):
            raise kernel.Missing(f"{BACKPORTS} has {found}, not {OLDEST} or "
                                 "newer")
        into = build / ("qemu-%d.%d" % found.version)
        (beside / "root").rename(into)
        return into
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def find(build):
    """One with the device; kernel.Missing if there is none to be had."""
    given = os.environ.get("HALLMARK_QEMU11")
    if given:
        return Qemu([given])
    try:
        own = of_this_machine()
        if own.version >= (OLDEST,):
            return own
    except kernel.Missing:
        pass
    there = sorted(build.glob(f"qemu-*/{PROGRAM}"))
    if there:
        return unpacked(there[-1].parents[2])
    if platform.machine() != "x86_64":
        raise kernel.Missing("QEMU 11 is fetched for x86_64 only")
    return unpacked(_fetch(build))
