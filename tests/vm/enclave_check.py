#!/usr/bin/env python3
"""make check-enclave: the very image that `make image` made boots in an
emulated Nitro machine, and a price comes out that a verifier accepts under the
policy that `hallmark pcrs` wrote for it. Prints TAP and, at the end,
"N passed, N failed, N skipped".

  enclave_check.py              everything
  enclave_check.py -k WORD      only the tests with this in their name

The programs are taken from $HALLMARK_BIN (default build/bin), the devices from
$HALLMARK_VM_BIN (build/vm), the image from $HALLMARK_IMAGE
(build/image/hallmark.eif). QEMU 11 is fetched once; where it cannot be had,
what needs it is skipped and counted.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "integration"),
                str(ROOT / "tests" / "simulator")]

import check        # noqa: E402
import guest        # noqa: E402
import kernel       # noqa: E402
import machine      # noqa: E402
import qemu         # noqa: E402
import run as integration   # noqa: E402
import test_image   # noqa: E402
from enclave import Given   # noqa: E402

IMAGE = pathlib.Path(os.environ.get(
    "HALLMARK_IMAGE", ROOT / "build/image/hallmark.eif"))
PACKAGES = ("qemu-system-x86", "openssl")

NOT_PROVEN = """\
What this cannot show, because only Nitro hardware can:
  that AWS's chain leads to such a document (here a test module signs, under
    its own root; recorded documents of AWS are in the integration tests)
  that PCR0-2 are zeros in debug mode, and that the hypervisor measures as AWS
    specifies (here the tests tell the module what hashlib makes of the image)
  kvm-clock and /dev/ptp0 (the configuration says insecure_emulator, and init
    says what it let pass; PCR16 tells such a configuration from any other)
  the layout of Nitro's devices, its limits of memory and processors, nitro-cli
    and the real vsock of a parent (make check-vm has the kernel's own)
"""


def _banner(text):
    print("#" * 72)
    for line in text.splitlines():
        print(f"# {line}")
    print("#" * 72, flush=True)


def _prepare(counts):
    """What the tests need, given to them. False: nothing can be run."""
    if not IMAGE.exists():
        counts.say(False, "the image is there", f"no {IMAGE}: make image")
        return False
    Given.image = machine.Image(IMAGE)
    try:
        done = subprocess.run([ROOT / "deploy/install-packages.sh", *PACKAGES])
        if done.returncode != 0:
            raise kernel.Missing(f"not installed: {' '.join(PACKAGES)}")
        Given.plain_qemu = qemu.of_this_machine()
        Given.qemu = qemu.find(guest.BUILD)
    except (kernel.Missing, OSError) as error:
        Given.why = str(error).splitlines()[0]
        _banner("SKIPPED: what boots the image.\n" + str(error))
    return True


def _suite(options):
    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{options.k}*"]
    return loader.loadTestsFromNames(
        ["test_qemu", "test_machine", "test_image_ends", "test_image"])


def _say_times():
    print("\nFrom power-on to the first verified price, emulated (s):")
    for what, seconds in test_image.times:
        print(f"  {what:44} {seconds:6.1f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", metavar="WORD", help="only tests with this")
    options = parser.parse_args()
    began = time.monotonic()
    counts = check.Counts()
    if _prepare(counts):
        tap = integration.Tap()
        _suite(options).run(tap)
        counts.passed += tap.number - tap.failed - tap.skipped_count
        counts.failed += tap.failed
        counts.skipped += tap.skipped_count
    if test_image.times:
        _say_times()
    print("\n" + NOT_PROVEN)
    if Given.why:
        _banner("SKIPPED, see above: " + Given.why)
    print(f"# {Given.qemu}, {Given.plain_qemu}; "
          f"{time.monotonic() - began:.0f} s")
    return counts.end()


if __name__ == "__main__":
    sys.exit(main())
