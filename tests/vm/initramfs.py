"""What a guest boots with: an archive of files in the kernel's own format,
made without root and without a file on the way.

newc, as Linux's Documentation/driver-api/early-userspace/buffer-format.rst
has it. Times are kept: Python looks at them to see whether its compiled
modules are still right, and compiling them again is slow under emulation.
"""

import os
import pathlib
import re
import stat
import subprocess
import sys

# Parts of Python's library that no test of ours imports, most of its bytes.
NOT_OF_PYTHON = {"test", "tests", "idlelib", "tkinter", "turtledemo",
                 "ensurepip", "lib2to3", "pydoc_data", "distutils",
                 "site-packages", "dist-packages"}
_IS_PYTHON_CONFIG = re.compile(r"config-\d")
_PYTHON_SAYS = "import sysconfig; print(sysconfig.get_path('stdlib'))"


def _is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries(paths):
    """What ldd finds for these programs and libraries, the loader too."""
    if not paths:
        return set()
    done = subprocess.run(["ldd", *paths], text=True, capture_output=True)
    if "not found" in done.stdout:
        raise OSError(f"ldd: {done.stdout}")
    return set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", done.stdout, re.M))


def _python():
    """The interpreter of the distribution, else the one that runs us; and
    its library."""
    program = pathlib.Path("/usr/bin/python3")
    if not program.exists():
        program = pathlib.Path(sys.executable)
    said = subprocess.run([program, "-c", _PYTHON_SAYS], text=True, check=True,
                          capture_output=True).stdout
    return program.resolve(), pathlib.Path(said.strip())


class Archive:
    def __init__(self):
        self._entries = {}  # name without the first / -> (mode, time, data)
        self._elf = []

    # ---- putting in ----

    def _put(self, name, mode, time, data):
        name = os.path.normpath(str(name)).lstrip("/")
        for parent in pathlib.PurePath(name).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent),
                                         (stat.S_IFDIR | 0o755, 0, b""))
        self._entries[name] = (mode, int(time), data)

    def add_directory(self, name, mode=0o755):
        self._put(name, stat.S_IFDIR | mode, 0, b"")

    def add_link(self, name, target):
        self._put(name, stat.S_IFLNK | 0o777, 0, str(target).encode())

    def add_text(self, name, text, mode=0o644):
        self._put(name, stat.S_IFREG | mode, 0, text.encode())

    def add_bytes(self, name, data, mode=0o644):
        self._put(name, stat.S_IFREG | mode, 0, data)

    def add_file(self, source, name=None):
        """A copy (of what a link points to); a program's libraries come
        along when the archive is written."""
        source = pathlib.Path(source)
        about = source.stat()
        if _is_elf(source):
            self._elf.append(source)
        self._put(name or source.absolute(),
                  stat.S_IFREG | stat.S_IMODE(about.st_mode), about.st_mtime,
                  source.read_bytes())

    def add_tree(self, source, name, skip=lambda path: False):
        for directory, names, files in os.walk(source):
            names[:] = [each for each in names
                        if not skip(pathlib.Path(directory, each))]
            inside = pathlib.Path(name, os.path.relpath(directory, source))
            for file in files:
                path = pathlib.Path(directory, file)
                if path.is_file() and not skip(path):
                    self.add_file(path, inside / file)

    def add_busybox(self, program):
        """The static one, and all the commands it can be called as."""
        self.add_file(program, "/bin/busybox")
        applets = subprocess.run([program, "--list"], text=True, check=True,
                                 capture_output=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                self.add_link(f"/bin/{applet}", "busybox")

    def add_python(self):
        """Python where it is here, so that it finds its library; /bin/python3
        leads there."""
        program, library = _python()
        # glibc loads this by name when a thread ends (pthread_exit).
        for libgcc in pathlib.Path("/").glob("lib/*/libgcc_s.so.1"):
            self.add_file(libgcc)
        self.add_file(program)
        self.add_link("/bin/python3", program)
        self.add_tree(library, library, lambda path: (
            path.name in NOT_OF_PYTHON or path.suffix in (".a", ".opt-1.pyc")
            or _IS_PYTHON_CONFIG.match(path.name) is not None))

    # ---- writing ----

    @staticmethod
    def _record(number, name, mode, time, data):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, time, len(data), 0, 0, 0, 0,
                  len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields)
        head += encoded
        return (head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    def write(self, path):
        """The number of bytes written."""
        for library in sorted(_libraries(self._elf)):
            if library.lstrip("/") not in self._entries:
                self.add_file(library)
        with open(path, "wb") as out:
            for number, (name, entry) in enumerate(
                    sorted(self._entries.items()), 1):
                out.write(self._record(number, name, *entry))
            out.write(self._record(0, "TRAILER!!!", 0, 0, b""))
            return out.tell()
