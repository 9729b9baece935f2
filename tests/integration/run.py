#!/usr/bin/env python3
"""Runs the integration tests and prints TAP (one line a test). Exits 1 if one
failed. The programs are taken from $HALLMARK_BIN, default build/bin.

  run.py                     all of them
  run.py faults restart      the files test_faults.py and test_restart.py
  run.py prices -k openssl   of that file, the tests with this in their name
"""

import argparse
import pathlib
import sys
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def _say(line):
    print(line, flush=True)


def _comment(text):
    for line in text.rstrip().splitlines():
        _say(f"# {line}")


class Tap(unittest.TestResult):
    """unittest's results as TAP 12 lines."""

    def __init__(self):
        super().__init__()
        self.number = self.failed = self.skipped_count = 0

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self._bad = False

    @staticmethod
    def _name(test):
        where = type(test).__module__.removeprefix("test_")
        what = test.shortDescription() or str(test)
        return f"{where}: {what}"

    def _line(self, word, name, more=""):
        self.number += 1
        _say(f"{word} {self.number} - {name}{more}")

    def _failure(self, test, err):
        self.failed += 1
        self._bad = True
        self._line("not ok", self._name(test))
        kind, error, trace = err
        ours = [frame for frame in traceback.extract_tb(trace)
                if frame.filename.startswith(str(HERE))]
        _comment("".join(traceback.format_list(ours)
                         + traceback.format_exception_only(kind, error)))

    def addSuccess(self, test):
        super().addSuccess(test)
        took = time.monotonic() - self._began
        self._line("ok", self._name(test), f" ({took:.1f} s)")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skipped_count += 1
        self._line("ok", self._name(test), f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failure(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failure(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failure(subtest, err)


def _suite(options):
    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{options.k}*"]
    names = options.names or sorted(
        path.stem.removeprefix("test_") for path in HERE.glob("test_*.py"))
    return loader.loadTestsFromNames([f"test_{name}" for name in names])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="files, without test_")
    parser.add_argument("-k", metavar="WORD", help="only tests with this")
    tap = Tap()
    suite = _suite(parser.parse_args())
    _say(f"1..{suite.countTestCases()}")
    suite.run(tap)
    if tap.failed:
        import support
        _comment(support.logs_of_shared_stack())
    _say(f"# {tap.number - tap.failed - tap.skipped_count} passed, "
         f"{tap.failed} failed, {tap.skipped_count} skipped")
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
