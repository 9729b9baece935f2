/* mounts: see mounts.h. */
#include "oracle/init/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* What is written there is memory: a few files at most. */
static const struct mounted {
	const char *type, *target;
	unsigned long flags;
	const char *options;
} all[] = {
    {"proc", "/proc", SAFE, "hidepid=2"},
    {"sysfs", "/sys", SAFE, NULL},
    {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"tmpfs", "/tmp", SAFE, "mode=1777,size=16m"},
    {"tmpfs", "/run", SAFE, "mode=0755,size=16m"},
};

const struct mounts_ops mounts_kernel = {.mkdir = mkdir, .mount = mount};

static int say(char *error, size_t size, const char *what, const char *target)
{
	snprintf(error, size, "%s %s: %s", what, target, strerror(errno));
	return -1;
}

static int make(const struct mounts_ops *ops, const struct mounted *one,
    char *error, size_t size)
{
	if (ops->mkdir(one->target, 0755) != 0 && errno != EEXIST)
		return say(error, size, "mkdir", one->target);
	if (ops->mount(one->type, one->target, one->type, one->flags,
		one->options) == 0)
		return 0;
	/* A kernel that mounts /dev by itself. */
	if (errno == EBUSY)
		return 0;
	return say(error, size, "mount", one->target);
}

int mounts_make(const struct mounts_ops *ops, char *error, size_t size)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (make(ops, &all[i], error, size) != 0)
			return -1;
	return 0;
}

int mounts_seal(const struct mounts_ops *ops, char *error, size_t size)
{
	if (ops->mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0)
		return 0;
	return say(error, size, "remount", "/");
}
