"""The units of deploy/ under a real systemd, in a guest of their own: do the
programs live with all that is taken from them, does an enclave that has ended
start again. In nitro-cli's and QEMU's place stand scripts that leave one
process behind, as theirs do; the driver that shares processors out is real.
"""

import pathlib

import guest

HERE = pathlib.Path(__file__).resolve().parent
DEPLOY = HERE.parents[1] / "deploy"
SYSTEMD = pathlib.Path("/usr/lib/systemd")
PROGRAMS = ("hallmark-verifierd", "vsock-bridge")
TOOLS = ("/usr/bin/systemctl", "/usr/bin/curl", "/usr/bin/bash")
TARGETS = ("basic", "sysinit", "shutdown", "multi-user", "sockets", "timers",
           "paths", "slices", "network-online", "network", "local-fs",
           "umount", "exit", "final")
FILES = {"bridge.json": "bridge.json", "allowlist.txt": "allowlist.txt",
         "live.json": "oracle.json", "verifierd.json": "verifierd.json",
         "policy.example.json": "policy.json", "enclave.json": "enclave.json"}
GUEST_S = 300

# It is not the machine's first process but that of a container: /init is
# first, and reports what became of it.
START = """#!/bin/sh
mkdir -p /sys/fs/cgroup /run/nitro_enclaves /run/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rprivate /
mknod /dev/nitro_enclaves c 10 203 # CUSE's: one that a service has not
export container=test
exec /usr/lib/systemd/systemd --system --log-target=console
"""

CONFIG = """[Manager]
DefaultStandardOutput=kmsg
"""

TESTS = """[Unit]
DefaultDependencies=no
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/bin/bash /units.sh
ExecStopPost=/usr/bin/systemctl exit 0
StandardOutput=tty
TTYPath=/dev/ttyS1
"""

NITRO_CLI = """#!/bin/sh
case $1 in
run-enclave)
	exec 3<>/dev/nitro_enclaves || exit 1
	! (exec 4<>/dev/ttyS3) 2>/dev/null || exit 2
	grep -q eif_path "$3" || exit 3
	setsid sh -c 'exec >/dev/null 2>&1
		echo $$ >/run/nitro_enclaves/pid; exec sleep 100000' &
	;;
terminate-enclave)
	echo "$*" >/run/nitro_enclaves/terminated
	kill "$(cat /run/nitro_enclaves/pid)"
	;;
esac
"""

QEMU = """#!/bin/sh
exec 3<>/dev/nitro_enclaves || exit 1
exec sleep 100000
"""


def _add_systemd(archive):
    for path in (SYSTEMD / "systemd", SYSTEMD / "systemd-executor"):
        if path.exists():
            archive.add_file(path)
    # It knows where they are, ldd does not.
    for path in pathlib.Path("/usr/lib").glob("*/systemd/libsystemd-*.so"):
        archive.add_bytes(path, path.read_bytes(), 0o755)
    names = [f"{name}.target" for name in TARGETS] + ["systemd-exit.service"]
    for path in (SYSTEMD / "system" / name for name in names):
        archive.add_file(path)
    archive.add_text("/etc/systemd/system.conf", CONFIG)
    archive.add_text("/etc/machine-id", "0123456789abcdef" * 2 + "\n")
    archive.add_text("/etc/os-release", "ID=test\n")
    archive.add_text("/usr/lib/systemd/system/default.target",
                     "[Unit]\nRequires=tests.service\n")
    archive.add_text("/usr/lib/systemd/system/tests.service", TESTS)


def _archive(vm_kernel, programs):
    archive = guest.base_archive(
        vm_kernel, ("vsock_loopback", "cuse", "nitro_enclaves"))
    _add_systemd(archive)
    for tool in TOOLS:
        archive.add_file(tool)
    for name in PROGRAMS:
        archive.add_file(programs / name, f"/usr/local/bin/{name}")
    for unit in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.socket")]:
        archive.add_file(unit, f"/usr/local/lib/systemd/system/{unit.name}")
    for name, to in FILES.items():
        archive.add_file(DEPLOY / name, f"/etc/hallmark/{to}")
    archive.add_text("/etc/hallmark/enclave.env", "HUGEPAGES=4\nCPUS=1\n")
    archive.add_text("/usr/bin/nitro-cli", NITRO_CLI, 0o755)
    archive.add_text("/usr/bin/qemu-system-x86_64", QEMU, 0o755)
    archive.add_text("/sbin/modprobe", "#!/bin/sh\n", 0o755)
    archive.add_file(HERE / "units.sh", "/units.sh")
    archive.add_text("/start", START, 0o755)
    for directory in ("var/lib", "var/log", "var/tmp"):
        archive.add_directory(directory)
    return archive


def run(vm_kernel, programs):
    """guest.Result; its output is TAP, and ends with how many failed."""
    return guest.Guest(
        vm_kernel, _archive(vm_kernel, programs),
        ["unshare", "-p", "-f", "-m", "--mount-proc", "/start"],
        GUEST_S).run()
