#!/usr/bin/env python3
"""pack.py LIST > ARCHIVE: a ramdisk of what LIST names, in the kernel's format
(newc, Linux's Documentation/driver-api/early-userspace/buffer-format.rst).

Only the names, modes and contents in LIST are in it, nothing of the files that
the contents come from: no owner, time, number, number of links. Byte for byte
what the kernel's own `usr/gen_init_cpio -t 0 LIST` writes, which is not at hand
where the kernel comes ready made, and which GNU cpio 2.13 cannot write (a
directory's number of links is the file system's).
"""

import os
import pathlib
import stat
import sys

FIRST_INODE = 721     # gen_init_cpio's
DEVICE = (3, 1)
BLOCK = 512           # the archive is filled up to
KINDS = {"dir": stat.S_IFDIR, "file": stat.S_IFREG, "slink": stat.S_IFLNK}
WORDS = {"dir": 5, "file": 6, "slink": 6}


def record(inode, mode, links, name, data, device):
    """One entry, of root and 1970."""
    name = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, links, 0, len(data), *device, 0, 0,
              len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def _entry(inode, words):
    """One line of the list; its words are as many as its kind has."""
    kind, name, *source, mode, owner, group = words
    if (owner, group) != ("0", "0") or not name.startswith("/"):
        raise ValueError("wanted a name from / on, of 0 0")
    data = b""
    if kind == "file":
        data = pathlib.Path(os.path.expandvars(source[0])).read_bytes()
    if kind == "slink":
        data = source[0].encode() + b"\0"
    return record(inode, KINDS[kind] | int(mode, 8), 2 if kind == "dir" else 1,
                   name.removeprefix("/"), data, DEVICE)


def pack(text):
    archive = bytearray()
    inode = FIRST_INODE
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if WORDS.get(words[0]) != len(words):
            raise ValueError(f"not a line of a list: {line}")
        archive += _entry(inode, words)
        inode += 1
    archive += record(0, 0, 1, "TRAILER!!!", b"", (0, 0))
    return archive + bytes(-len(archive) % BLOCK)


if __name__ == "__main__":
    sys.stdout.buffer.write(pack(pathlib.Path(sys.argv[1]).read_text()))
