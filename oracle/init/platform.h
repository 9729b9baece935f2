/*
 * platform: are the kernel's clock and random numbers the hypervisor's? The
 * parent starts the enclave and gives it what it sees; the clock of kvm-clock
 * and the numbers of the NSM come from the hypervisor, past the parent.
 */
#ifndef HALLMARK_ORACLE_INIT_PLATFORM_H
#define HALLMARK_ORACLE_INIT_PLATFORM_H

#include <stddef.h>

#define PLATFORM_HWRNG       "nsm-hwrng"
#define PLATFORM_CLOCKSOURCE "kvm-clock"
#define PLATFORM_TEXT_MAX    64 /* of what a file in /sys holds */

/* One that the kernel knows and has not chosen is asked for by writing its name
 * there. 0, or -1 and what the file says instead. */
__attribute__((warn_unused_result)) int platform_want(
    const char *path, const char *wanted, char *error, size_t size);

#endif
