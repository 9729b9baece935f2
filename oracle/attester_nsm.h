/* attester_nsm: what only an NSM has (random bytes), and the door for tests:
 * the same attester with another ioctl. */
#ifndef HALLMARK_ORACLE_ATTESTER_NSM_H
#define HALLMARK_ORACLE_ATTESTER_NSM_H

#include "oracle/attester.h"

/* As the kernel has it (include/uapi/linux/nsm.h, Linux 6.8 and newer, which
 * is newer than the headers we build against). */
struct attester_nsm_iovec {
	uint64_t addr, len;
};

struct attester_nsm_raw {
	struct attester_nsm_iovec request, response;
};

/* As ioctl(fd, NSM_IOCTL_RAW, raw): 0 with raw->response.len set to what was
 * written, or -1 and errno. */
typedef int (*attester_nsm_ioctl_cb)(int fd, struct attester_nsm_raw *raw);

struct attester *attester_nsm_open_with(const char *device,
    attester_nsm_ioctl_cb ioctl_cb, char error[ATTESTER_ERROR_MAX]);

/* As ioctl(2) on the device. */
int attester_nsm_ioctl(int fd, struct attester_nsm_raw *raw);

#define ATTESTER_NSM_RANDOM_MAX 256 /* bytes of one answer */

/* Random bytes of an attester of this kind: as many as it gives at once, 1 to
 * ATTESTER_NSM_RANDOM_MAX; they are secret, wipe them. 0, or -1 and why. */
__attribute__((warn_unused_result)) int attester_nsm_random(struct attester *a,
    uint8_t out[static ATTESTER_NSM_RANDOM_MAX], size_t *len,
    char error[ATTESTER_ERROR_MAX]);

#endif
