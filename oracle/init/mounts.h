/* mounts: the file systems that the kernel makes, as tight as they go, and at
 * the end a root directory that cannot be written any more. */
#ifndef HALLMARK_ORACLE_INIT_MOUNTS_H
#define HALLMARK_ORACLE_INIT_MOUNTS_H

#include <stddef.h>
#include <sys/types.h>

struct mounts_ops { /* mkdir(2) and mount(2) */
	int (*mkdir)(const char *path, mode_t mode);
	int (*mount)(const char *source, const char *target, const char *type,
	    unsigned long flags, const void *options);
};

extern const struct mounts_ops mounts_kernel;

/* /proc, /sys, /dev, /tmp, /run. 0, or -1 and why. */
__attribute__((warn_unused_result)) int mounts_make(
    const struct mounts_ops *ops, char *error, size_t size);

/* The root directory becomes read-only. 0, or -1 and why. */
__attribute__((warn_unused_result)) int mounts_seal(
    const struct mounts_ops *ops, char *error, size_t size);

#endif
