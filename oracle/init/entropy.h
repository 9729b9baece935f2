/*
 * entropy: seeds the kernel's pool of random numbers from the NSM before any
 * key is made. An enclave has no disk, no keyboard and no interrupts worth the
 * name, and its parent can see and repeat all that it hears.
 *
 * What is credited is what the kernel's own driver of the NSM says its bytes
 * are worth, 1000 of 1024 (drivers/misc/nsm.c: hwrng.quality), in bits:
 * RNDADDENTROPY counts bits, and taking its count for bytes is a mistake that
 * others have made.
 */
#ifndef HALLMARK_ORACLE_INIT_ENTROPY_H
#define HALLMARK_ORACLE_INIT_ENTROPY_H

#include "oracle/attester_nsm.h"

#define ENTROPY_BYTES    512 /* at least; the pool holds 32 */
#define ENTROPY_ASKS_MAX 64  /* a module that gives a few bytes at a time */
#define ENTROPY_QUALITY  1000

/* As ioctl(2). */
typedef int (*entropy_ioctl_cb)(int fd, unsigned long request, void *arg);

/* `device`: /dev/random. The bits credited, or -1 and why: nothing less than
 * ENTROPY_BYTES will do, and a module that says the same twice is none. */
__attribute__((warn_unused_result)) int entropy_seed(struct attester *nsm,
    const char *device, entropy_ioctl_cb ioctl_cb,
    char error[ATTESTER_ERROR_MAX]);

#endif
