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

import run      # noqa: E402 (tests/integration/run.py)
import support  # noqa: E402
from program import Program, wait_until  # noqa: E402

# Of tests/integration: they ask HALLMARK_GUEST themselves whether to use vsock.
ALSO = ("bridge_matrix",)
INTEGRATION = HERE.parents[1] / "integration"


def _names():
    if sys.argv[1:]:
        return sys.argv[1:]
    ours = sorted(path.stem.removeprefix("test_")
                  for path in HERE.glob("test_*.py"))
    return ours + [name for name in ALSO
                   if (INTEGRATION / f"test_{name}.py").exists()]


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
    wait_until(f"/dev/{name}", is_there, 20, module.must_run)
    return module


def main():
    modules = [_start_module(name) for name in ("nsm", "nsm2")]
    tap = run.Tap()
    suite = unittest.defaultTestLoader.loadTestsFromNames(
        [f"test_{name}" for name in _names()])
    suite.run(tap)
    if tap.failed:
        run._comment(support.logs_of_shared_stack())
        run._comment("\n".join(each.log_tail(9) for each in modules))
    for module in modules:
        module.stop()
    print(f"# the guest needed {open('/proc/uptime').read().split()[0]} s",
          flush=True)
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
