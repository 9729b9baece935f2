"""What is in the image's ramdisks, and whether it may be: an own reader of the
kernel's archive format (newc, Linux's Documentation/driver-api/early-userspace/
buffer-format.rst), and the rules.
"""

import dataclasses
import re
import stat

FIELDS = ("ino", "mode", "uid", "gid", "nlink", "mtime", "size", "devmajor",
          "devminor", "rdevmajor", "rdevminor", "namesize", "check")
HEAD = 6 + 8 * len(FIELDS)

# The first ramdisk: the first process, and where it mounts things.
BOOT = {"dev", "init", "proc", "run", "sys", "tmp"}
# The second: the oracle, what it links (and what libmicrohttpd does), the
# loader, certificates, a configuration.
LIBRARIES = {"libc", "libcbor", "libcrypto", "libhttp_parser", "libjansson",
             "libmicrohttpd", "libssl", "libuv",
             "libffi", "libgmp", "libgnutls", "libhogweed", "libidn2",
             "libnettle", "libp11-kit", "libtasn1", "libunistring",
             "libz", "libzstd"}
APP = {"bin", "bin/hallmark-oracle", "etc", "etc/hallmark",
       "etc/hallmark/ca.pem", "etc/hallmark/oracle.json", "etc/ssl",
       "etc/ssl/certs", "etc/ssl/certs/ca-certificates.crt",
       "lib", "lib64", "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu"}
LIBRARY = re.compile(r"lib/x86_64-linux-gnu/(lib[\w+-]+?)\.so(\.\d+)*")
# Whatever directory somebody found for them.
UNWANTED = re.compile(
    r"(.*/)?(ba|da|z|k|c)?sh|.*busybox.*|(.*/)?(apt|dpkg|rpm|yum|apk|pip).*"
    r"|(.*/)?(gcc|cc|cpp|clang|tcc|as|ld|make|perl|python)[\d.-]*")


@dataclasses.dataclass
class Entry:
    name: str
    data: bytes
    head: dict

    def is_elf(self):
        return self.data[:4] == b"\x7fELF"


def read(archive):
    """The entries, in order; ValueError for what is no archive."""
    entries, at = [], 0
    while True:
        if archive[at:at + 6] != b"070701":
            raise ValueError(f"no header at {at}")
        head = {field: int(archive[at + 6 + 8 * n:at + 14 + 8 * n], 16)
                for n, field in enumerate(FIELDS)}
        start = at + HEAD + head["namesize"]
        name = archive[at + HEAD:start - 1].decode()
        start += -start % 4
        end = start + head["size"]
        if end > len(archive):
            raise ValueError(f"{name} is cut off")
        at = end + -end % 4
        if name == "TRAILER!!!":
            break
        entries.append(Entry(name, archive[start:end], head))
    if archive[at:].strip(b"\0"):
        raise ValueError("bytes behind the end")
    return entries


def _problems_of(entry):
    mode = entry.head["mode"]
    if stat.S_IFMT(mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        yield f"of the kind {stat.S_IFMT(mode):o}"
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        yield f"set-id: {mode:o}"
    if stat.S_ISREG(mode) and mode & 0o7777 not in (0o644, 0o755):
        yield f"mode {mode:o}"
    if stat.S_ISDIR(mode) and mode & 0o7777 != 0o755:
        yield f"mode {mode:o}"
    for field in ("uid", "gid", "mtime"):
        if entry.head[field]:
            yield f"{field} {entry.head[field]}"
    if UNWANTED.fullmatch(entry.name):
        yield "has no business here"
    if entry.data[:2] == b"#!":
        yield "is a script"
    # The kernel would run it, or the loader load it.
    if entry.is_elf() and mode & 0o111 == 0:
        yield "is a program that is not executable"


def _is_allowed(name, names):
    if name in names:
        return True
    library = LIBRARY.fullmatch(name)
    return names is APP and library and library.group(1) in LIBRARIES


def problems(archive, names):
    """What is wrong with an archive that may hold these names (BOOT, APP)."""
    found = []
    entries = read(archive)
    for entry in entries:
        found += [f"{entry.name}: {why}" for why in _problems_of(entry)]
        if not _is_allowed(entry.name, names):
            found.append(f"{entry.name}: is not on the list")
    order = [entry.name for entry in entries]
    if order != sorted(order):
        found.append("is not in order")
    if len(set(order)) != len(order):
        found.append("has a name twice")
    return found
