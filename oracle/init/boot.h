/*
 * boot: what init does from its first instruction until the oracle has ended,
 * one step after the other; boot.c reads like the list.
 *
 * `struct machine` is all that a step touches outside of this process: main.c
 * has the enclave's, a test another.
 */
#ifndef HALLMARK_ORACLE_INIT_BOOT_H
#define HALLMARK_ORACLE_INIT_BOOT_H

#include "oracle/attester_nsm.h"
#include "oracle/init/mounts.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct machine {
	const struct mounts_ops *mounts;
	int (*ioctl)(int fd, unsigned long request, void *arg); /* ioctl(2) */
	attester_nsm_ioctl_cb nsm_ioctl;
	const char *command_line; /* the kernel's: "/proc/cmdline" */
	const char *console;      /* "/dev/console" */
	const char *nsm;          /* "/dev/nsm" */
	const char *random;       /* "/dev/random" */
	const char *hwrng;        /* names, in /sys */
	const char *clocksource;
	const char *config; /* in the image, or where it is put */
	const char *oracle; /* the program */
	uid_t oracle_user;
	rlim_t oracle_descriptors_max; /* 0: as many as we */
	uint64_t last_lines_ms;        /* for the parent to have the log */
	/* NULL; in a test the parent is this path, '_' and the port, a Unix
	 * socket each, as hybrid monitors name them (base/endpoint.h). */
	const char *parent;
};

#define BOOT_FAILED 125 /* the oracle was not started */

/* Returns when there is nothing left to do but to power off: the oracle's exit
 * status, or BOOT_FAILED; the log has said which and why. */
int boot_run(const struct machine *machine);

#endif
