#!/usr/bin/env python3
"""An oracle's enclave, as far as a guest can be one: its clock is the host's,
/dev/nsm is nsm_cuse, and all else is the oracle with vsock. Runs until the
host's connection from port 7000 ends.
"""

import os
import socket
import subprocess
import sys
import time

PARENT, CONTROL = 3, 7000
SEEN_S = 60     # a ceiling, emulated


def main():
    with socket.socket(socket.AF_VSOCK) as control:
        control.connect((PARENT, CONTROL))
        time.clock_settime(time.CLOCK_REALTIME,
                           float(control.makefile().readline()))
        module = subprocess.Popen(["/hallmark/nsm_cuse", "/nsm"])
        end = time.monotonic() + SEEN_S
        while not os.path.exists("/dev/nsm") and time.monotonic() < end:
            time.sleep(0.05)
        oracle = subprocess.Popen(
            ["/hallmark/hallmark-oracle", "/hallmark/oracle.json"])
        control.recv(1)
        oracle.terminate()
        status = oracle.wait()
        module.kill()
        return status


if __name__ == "__main__":
    sys.exit(main())
