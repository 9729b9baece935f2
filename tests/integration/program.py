"""One program that we run: start, stop, kill -9, its log. A child never
outlives us: the kernel ends it when the thread that started it is gone, so
start programs from the main thread only.
"""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """Something did not become as it should; the text is for people."""


def wait_until(what, ready, seconds, check=lambda: None):
    """The first true value of ready(), or Failed after this many seconds.
    check() may raise earlier."""
    end = time.monotonic() + seconds
    while True:
        value = ready()
        if value:
            return value
        check()
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def _die_with_parent(parent):
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


class Program:
    def __init__(self, name, argv, log_path):
        self.name, self.argv, self.log_path = name, argv, log_path
        self.process = None
        self.pass_fds = ()  # descriptors that it inherits, as they are

    def start(self):
        assert not self.running()
        if not os.path.exists(self.argv[0]):
            raise Failed(f"{self.argv[0]} is not built yet: run make")
        parent = os.getpid()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                # Its own group: Ctrl-C is ours to pass on, in order.
                start_new_session=True, pass_fds=self.pass_fds,
                preexec_fn=lambda: _die_with_parent(parent))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def must_run(self):
        if not self.running():
            code = None if self.process is None else self.process.returncode
            raise Failed(f"{self.name} ended with status {code}:\n"
                         + self.log_tail(10))

    def kill(self):
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=10):
        """SIGTERM; the exit status. None if it had to be killed."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines):
        return "\n".join("  | " + line
                         for line in self.log().splitlines()[-lines:])
