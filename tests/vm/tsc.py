"""How fast this machine's time stamp counter counts. An emulated processor has
the same one, but nothing that tells its speed: a guest measures it against an
emulated timer, which fails on a busy machine, and then counts timer interrupts
for a clock, of which a busy machine loses many. Nitro and KVM tell it.
"""

import ctypes
import mmap
import platform
import time

# rdtsc; shl rdx, 32; or rax, rdx; ret
_CODE = bytes.fromhex("0f3148c1e2204809d0c3")
MEASURE_S = 0.5


def _counter():
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ
                     | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_CODE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)
    read.page = page    # lives as long as what runs in it
    return read


def _moment(read):
    """(ns, ticks), of the try that was interrupted least."""
    tries = []
    for _ in range(100):
        before, ticks, after = (time.monotonic_ns(), read(),
                                time.monotonic_ns())
        tries.append((after - before, (before + after) // 2, ticks))
    return min(tries)[1:]


def khz():
    """None: there is none, or it may not be asked."""
    if platform.machine() != "x86_64":
        return None
    try:
        read = _counter()
    except OSError:     # memory that is written must not be run here
        return None
    began_ns, began = _moment(read)
    time.sleep(MEASURE_S)
    ended_ns, ended = _moment(read)
    return round((ended - began) * 10 ** 6 / (ended_ns - began_ns))
