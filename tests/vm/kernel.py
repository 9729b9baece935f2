"""The guest's kernel: Debian's 6.12 for virtual machines, unpacked into
build/vm and not installed. It has AF_VSOCK's loopback and CUSE as modules.

Debian 12 has it as linux-image-6.12-cloud-amd64 in bookworm-security, Debian
13 as its linux-image-cloud-amd64. Both names depend on the package itself,
whose name holds the version. $HALLMARK_VM_KERNEL names a directory where such
a package is unpacked already.
"""

import os
import pathlib
import re
import subprocess

NAMES = ("linux-image-6.12-cloud-amd64", "linux-image-cloud-amd64")
OLDEST = (6, 12)
_VERSION = re.compile(r"linux-image-((\d+)\.(\d+)\.\S+)")


class Missing(Exception):
    """Something is not there and could not be fetched; the text is for
    people."""


def run(*argv, **more):
    """What it prints; Missing if it fails, or exceeds its `timeout`."""
    try:
        done = subprocess.run([*map(str, argv)], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL,
                              **more)
    except subprocess.TimeoutExpired as late:
        raise Missing(f"{argv[0]} did not end in {late.timeout:.0f} s"
                      ) from None
    if done.returncode != 0:
        raise Missing(f"{argv[0]} {argv[1]} failed: "
                      + (done.stderr.strip() or done.stdout.strip()))
    return done.stdout


def _package():
    """The package that apt knows now, or None."""
    for name in NAMES:
        done = subprocess.run(["apt-cache", "depends", name], text=True,
                              capture_output=True)
        for found in _VERSION.finditer(done.stdout):
            if (int(found[2]), int(found[3])) >= OLDEST:
                return found[0]
    return None


def _unpack(package, into):
    """Downloads it beside and renames, so that half a kernel is never used."""
    beside = into.with_name(f"{into.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    print(f"Fetching into {into.parent}: {package}", flush=True)
    if os.geteuid() == 0:
        run("apt-get", "update", "-q")
    run("apt-get", "download", package, cwd=beside)
    for file in beside.glob("*.deb"):
        run("dpkg", "-x", file, beside)
        file.unlink()
    beside.rename(into)


class Kernel:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        images = sorted(self.directory.glob("boot/vmlinuz-*"))
        if not images:
            raise Missing(f"no boot/vmlinuz-* in {directory}")
        self.image = images[-1]
        version = self.image.name.removeprefix("vmlinuz-")
        self._modules = {}  # name, with _ for - -> file
        for lib in ("lib", "usr/lib"):
            root = self.directory / lib / "modules" / version
            for file in root.rglob("*.ko*"):
                self._modules[self._name(file.name.split(".ko")[0])] = file
        self._builtin = {
            self._name(pathlib.Path(line).name.removesuffix(".ko"))
            for file in self.directory.glob(
                f"**/modules/{version}/modules.builtin")
            for line in file.read_text().split()}

    @staticmethod
    def _name(text):
        return text.replace("-", "_")

    def _read(self, name):
        file = self._modules.get(name)
        if file is None:
            raise Missing(f"no module {name} in {self.directory}")
        tools = {".xz": ("xz", "-dc"), ".zst": ("zstd", "-dcq"),
                 ".gz": ("gzip", "-dc")}
        if file.suffix not in tools:
            return file.read_bytes()
        return subprocess.run([*tools[file.suffix], file], check=True,
                              capture_output=True).stdout

    def modules(self, *names):
        """(name, bytes) of these and of what they need, in loading order.
        The package has no modules.dep (installing it makes that), but each
        module says what it needs (.modinfo)."""
        found = {}

        def visit(name):
            name = self._name(name)
            if name in found or name in self._builtin:
                return
            data = self._read(name)
            needs = re.search(rb"\0depends=([^\0]*)\0", data)
            for need in (needs[1].decode().split(",") if needs else []):
                if need:
                    visit(need)
            found[name] = data

        for name in names:
            visit(name)
        return list(found.items())


def find(build):
    """The newest that apt knows, fetched if it is not in `build` yet; without
    apt's help the newest that is there already."""
    given = os.environ.get("HALLMARK_VM_KERNEL")
    if given:
        return Kernel(given)
    package = _package()
    if package is None and os.geteuid() == 0:
        run("apt-get", "update", "-q")
        package = _package()
    if package is None:
        there = sorted(build.glob("linux-image-*/boot/vmlinuz-*"))
        if not there:
            raise Missing(f"apt knows no {' or '.join(NAMES)} of at least "
                          "6.12: is bookworm-security among its sources?")
        return Kernel(there[-1].parents[1])
    if not (build / package).exists():
        _unpack(package, build / package)
    return Kernel(build / package)
