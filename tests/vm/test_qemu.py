"""Where QEMU 11 comes from, with scripts in the place of apt, dpkg and QEMU:
nothing is fetched here."""

import os
import pathlib
import platform
import tempfile
import unittest

import kernel
import qemu

SAYS = "#!/bin/sh\necho QEMU emulator version {}\n"
# Notes its arguments; makes the one package when it is asked to install.
APT = """#!/bin/sh
echo "$@" >>{here}/said
case "$*" in
indextargets*) echo "http://there.example/debian/ {release}" ;;
*update*) exit {update} ;;
*)
	for word; do
		case $word in Dir::Cache=*) touch "${{word#*=}}/archives/q.deb" ;; esac
	done
	;;
esac
"""
DPKG = """#!/bin/sh
mkdir -p "$3/{libraries}" "$3/usr/bin"
cp {here}/fetched "$3/{loader}"
: >"$3/{program}"
"""


class Fetched(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.addCleanup(setattr, qemu, "say", qemu.say)
        qemu.say = self.said.append
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.build = self.dir / "build"
        self.build.mkdir()
        self.set("PATH", f"{self.dir}:{os.environ['PATH']}")
        self.set("HALLMARK_QEMU", str(self.script("own", SAYS.format("7.2"))))
        self.set("HALLMARK_QEMU11", "")
        self.script("fetched", SAYS.format("11.1"))
        self.script("dpkg", DPKG.format(
            here=self.dir, libraries=qemu.LIBRARIES, loader=qemu.LOADER,
            program=qemu.PROGRAM))
        self.apt()

    def set(self, name, value):
        before = os.environ.get(name)
        self.addCleanup(lambda: os.environ.pop(name) if before is None
                        else os.environ.update({name: before}))
        os.environ[name] = value

    def script(self, name, text):
        path = self.dir / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def apt(self, update=0, release=None):
        release = release or platform.freedesktop_os_release().get(
            "VERSION_CODENAME", "")
        self.script("apt-get", APT.format(here=self.dir, release=release,
                                          update=update))

    def missing(self, word):
        with self.assertRaisesRegex(kernel.Missing, word):
            qemu.find(self.build)
        self.assertEqual(list(self.build.iterdir()), [])

    def test_fetched_once(self):
        """QEMU 11 is fetched once, by an apt that keeps to its own files"""
        found = qemu.find(self.build)
        self.assertEqual((found.version, str(found)), ((11, 1), "QEMU 11.1"))
        self.assertEqual(len(self.said), 1, self.said)
        said = (self.dir / "said").read_text()
        calls = [line for line in said.splitlines() if " -o " in line]
        self.assertEqual(len(calls), 2)     # update, install
        for line in calls:
            for name in ("Dir::State", "Dir::State::status", "Dir::Cache",
                         "Dir::Etc::sourcelist", "Dir::Etc::sourceparts"):
                self.assertIn(f"-o {name}={self.build}/", line)
        self.assertIn("--download-only", said)
        self.assertEqual(qemu.find(self.build).argv, found.argv)
        self.assertEqual((self.dir / "said").read_text(), said)
        self.assertEqual([path.name for path in self.build.iterdir()],
                         ["qemu-11.1"])

    def test_own_loader(self):
        """what was fetched runs with its own loader, libraries and parts"""
        found = qemu.find(self.build)
        root = self.build / "qemu-11.1"
        self.assertEqual(found.argv[:4], [
            str(root / qemu.LOADER), "--library-path",
            str(root / qemu.LIBRARIES), str(root / qemu.PROGRAM)])
        self.assertEqual(found.environment, {
            "QEMU_MODULE_DIR": f"{root}/{qemu.LIBRARIES}/qemu"})

    def test_no_lists(self):
        """an archive that does not answer is missing; nothing half stays"""
        self.apt(update=100)
        self.missing("apt-get")

    def test_too_old(self):
        """an archive with an older one has none, and it is not used later"""
        self.script("fetched", SAYS.format("10.0"))
        self.missing("10.0, not 11")

    def test_other_system(self):
        """a system whose apt does not name its own archive has none"""
        self.apt(release="another")
        self.missing("no source of this system")

    def test_own(self):
        """this machine's own is taken if it is new enough"""
        self.set("HALLMARK_QEMU", str(self.script("own", SAYS.format("12.0"))))
        self.assertEqual(qemu.find(self.build).version, (12, 0))
        self.assertFalse((self.dir / "said").exists())

    def test_given(self):
        """$HALLMARK_QEMU11 is taken as it is, and must be one"""
        self.set("HALLMARK_QEMU11",
                 str(self.script("given", SAYS.format("11.9"))))
        self.assertEqual(qemu.find(self.build).version, (11, 9))
        self.set("HALLMARK_QEMU11", "/nonexistent/qemu")
        self.missing("/nonexistent/qemu")
        self.set("HALLMARK_QEMU11", str(self.script("given", "#!/bin/sh\n")))
        self.missing("--version said")


if __name__ == "__main__":
    unittest.main()
