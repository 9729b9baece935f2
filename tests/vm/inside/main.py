#!/usr/bin/env python3
"""Runs in the guest: /dev/nsm first, then the tests beside this file and those
of tests/integration that run over vsock too. Prints TAP.

Names as arguments, without test_: only those files.
"""

import os
import pathlib
import stat
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "integration"),
                str(HERE.parents[1] / "simulator")]

# Of tests/integration, between vsock and TCP.
BRIDGE = ("bridge_matrix", "bridge_outbound")
# Of those, with HALLMARK_LONG=1 only: slow, and not about the kind of socket.
LONG_ONLY = {"test_descriptors", "test_terminate_late", "test_slow_writer",
             "test_several", "test_silence", "test_black_hole_by_name",
             "test_counted", "test_sister_of_star", "test_no_name",
             "test_alert", "test_openssl", "test_suffix_itself"}
LONG = os.environ.get("HALLMARK_LONG") == "1"
# All is emulated: smaller, but when there is time.
os.environ.update(HALLMARK_BRIDGE_KINDS="vsock",
                  HALLMARK_BRIDGE_MIB="1024" if LONG else "4",
                  HALLMARK_BRIDGE_IDLE="5000" if LONG else "200",
                  HALLMARK_BRIDGE_CONNECT_MS="3000")

import run      # noqa: E402 (tests/integration/run.py)
import support  # noqa: E402
from program import Program, wait_until  # noqa: E402

support.SEEN_S = 90     # a ceiling: emulated, on a machine that may be busy


def _start_module(name):
    """/dev/NAME: a module of its own, with PCRs of its own."""
    module = Program(name, ["/hallmark/bin/nsm_cuse", "/nsm", name],
                     f"/tmp/{name}.log")
    module.start()

    def is_there():
        try:
            return stat.S_ISCHR(os.stat(f"/dev/{name}").st_mode)
        except FileNotFoundError:
            return False
    wait_until(f"/dev/{name}", is_there, support.SEEN_S, module.must_run)
    return module


def _leave_out(suite, names):
    """The suite without the tests of these names."""
    kept = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.addTest(_leave_out(test, names))
        elif test.id().rpartition(".")[2] not in names:
            kept.addTest(test)
    return kept


def _all_names():
    ours = sorted(path.stem.removeprefix("test_")
                  for path in HERE.glob("test_*.py"))
    return [*ours, *BRIDGE]


def main():
    modules = [_start_module(name) for name in ("nsm", "nsm2")]
    suite = unittest.defaultTestLoader.loadTestsFromNames(
        [f"test_{name}" for name in sys.argv[1:] or _all_names()])
    if not LONG:
        suite = _leave_out(suite, LONG_ONLY)
    tap = run.Tap()
    suite.run(tap)
    if tap.failed:
        run._comment(support.logs_of_shared_stack())
        run._comment("\n".join(each.log_tail(9) for each in modules))
    for module in modules:
        module.stop()
    uptime = pathlib.Path("/proc/uptime").read_text().split()[0]
    print(f"# the guest needed {uptime} s", flush=True)
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
