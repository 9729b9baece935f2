#!/usr/bin/env python3
"""Runs the integration tests and prints TAP (one line a test). Exits 1 if one
failed. The programs are taken from $HALLMARK_BIN, default build/bin.

  run.py                     all of them
  run.py faults restart      the files test_faults.py and test_restart.py
  run.py prices -k openssl   of that file, the tests with this in their name
  run.py --jobs 2            two files at a time; those that measure, alone
"""

import argparse
import os
import pathlib
import subprocess
import sys
import threading
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent
# What others do at the same time would be taken for our own slowness.
ALONE = {"all_exchanges", "bridge_soak", "fault_run"}
# With several at a time, those that take half a minute or more are the first,
# so that no other waits at the end for one of them.
LONGEST = ("kms", "hostile", "faults", "watch", "archive_states", "peers",
           "nats", "fork", "streams", "mirrors", "fetch", "simulator", "kill",
           "restart")
DONE = "# the file is done"
PORTS = (20000, 32000)      # shared by the processes
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


def _suite(names, word):
    loader = unittest.TestLoader()
    if word:
        loader.testNamePatterns = [f"*{word}*"]
    return loader.loadTestsFromNames([f"test_{name}" for name in names])


def _run(tap, names, word):
    failed = tap.failed
    _suite(names, word).run(tap)
    if tap.failed > failed:
        import support
        _comment(support.logs_of_shared_stack())


# ---- several at a time ----

def _work(word):
    """A process of several: a file's name comes, its TAP goes, and so on."""
    tap = Tap()
    for line in sys.stdin:
        _run(tap, [line.strip()], word)
        _say(DONE)


class Worker:
    def __init__(self, number, jobs, word):
        share = (PORTS[1] - PORTS[0]) // jobs
        first = PORTS[0] + number * share
        self.argv = [sys.executable, __file__, "--worker"]
        self.argv += ["-k", word] if word else []
        self.env = {**os.environ,
                    "HALLMARK_PORTS": f"{first}-{first + share - 1}"}
        self.process = None

    def run(self, name):
        """The file's lines; the last says so if the process has died."""
        if self.process is None:
            self.process = subprocess.Popen(
                self.argv, env=self.env, text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(name, file=self.process.stdin, flush=True)
        lines = []
        for line in self.process.stdout:
            if line.rstrip() == DONE:
                return lines
            lines.append(line.rstrip())
        self.end()
        return lines + [f"not ok 0 - {name}: the test process ended"]

    def end(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


class Tally:
    """One TAP of what several say, each file's lines together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = self.failed = self.skipped_count = 0

    def add(self, lines):
        with self.lock:
            for line in lines:
                if line.startswith(("ok ", "not ok ")):
                    self.number += 1
                    head, rest = line.split(" - ", 1)
                    word = "not ok" if head.startswith("not") else "ok"
                    self.failed += word != "ok"
                    self.skipped_count += word == "ok" and " # SKIP" in rest
                    line = f"{word} {self.number} - {rest}"
                _say(line)


def _run_many(names, jobs, word):
    tally = Tally()
    workers = [Worker(number, jobs, word) for number in range(jobs)]
    left = [name for name in LONGEST if name in names]
    left += [name for name in names if name not in ALONE | set(LONGEST)]

    def drive(worker):
        while True:
            with tally.lock:
                if not left:
                    return
                name = left.pop(0)
            tally.add(worker.run(name))
    threads = [threading.Thread(target=drive, args=(worker,))
               for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers[1:]:
        worker.end()
    for name in names:
        if name in ALONE:
            tally.add(workers[0].run(name))
    workers[0].end()
    return tally


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="files, without test_")
    parser.add_argument("-k", metavar="WORD", help="only tests with this")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--worker", action="store_true",
                        help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.names or sorted(
        path.stem.removeprefix("test_") for path in HERE.glob("test_*.py"))
    if options.worker:
        _work(options.k)
        return 0
    if options.jobs > 1:
        tap = _run_many(names, options.jobs, options.k)
    else:
        tap = Tap()
        _run(tap, names, options.k)
    _say(f"1..{tap.number}")
    _say(f"# {tap.number - tap.failed - tap.skipped_count} passed, "
         f"{tap.failed} failed, {tap.skipped_count} skipped")
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
