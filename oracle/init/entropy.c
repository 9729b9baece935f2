/* entropy: see entropy.h. */
#include "oracle/init/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROOM (ENTROPY_BYTES + ATTESTER_NSM_RANDOM_MAX)

/* struct rand_pool_info, whose last member has no size. */
struct seed {
	int bits, len;
	uint8_t bytes[ROOM];
};

_Static_assert(
    offsetof(struct seed, bytes) == offsetof(struct rand_pool_info, buf),
    "as the kernel has it");

static int say(
    char error[ATTESTER_ERROR_MAX], const char *what, const char *why)
{
	snprintf(error, ATTESTER_ERROR_MAX, "%s: %s", what, why);
	return -1;
}

/* Two answers of 8 bytes or more that begin alike are no accident: one in
 * 2^64. */
static int repeats(
    const uint8_t *before, size_t before_len, const uint8_t *now, size_t len)
{
	size_t both = before_len < len ? before_len : len;

	return both >= 8 && memcmp(before, now, both) == 0;
}

static int collect(
    struct attester *nsm, struct seed *seed, char error[ATTESTER_ERROR_MAX])
{
	size_t total = 0, before = 0, len;

	for (unsigned i = 0; i < ENTROPY_ASKS_MAX && total < ENTROPY_BYTES;
	     i++) {
		uint8_t *at = seed->bytes + total;

		if (attester_nsm_random(nsm, at, &len, error) != 0)
			return -1;
		if (repeats(at - before, before, at, len))
			return say(error, "NSM GetRandom", "repeats itself");
		total += len;
		before = len;
	}
	if (total < ENTROPY_BYTES)
		return say(error, "NSM GetRandom", "too few bytes at a time");
	seed->len = (int)total;
	seed->bits = (int)(total * 8 * ENTROPY_QUALITY / 1024);
	return 0;
}

static int credit(struct seed *seed, const char *device,
    entropy_ioctl_cb ioctl_cb, char error[ATTESTER_ERROR_MAX])
{
	int fd = open(device, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return say(error, device, strerror(errno));
	if (ioctl_cb(fd, RNDADDENTROPY, seed) != 0)
		ret = say(error, "RNDADDENTROPY", strerror(errno));
	close(fd);
	return ret;
}

int entropy_seed(struct attester *nsm, const char *device,
    entropy_ioctl_cb ioctl_cb, char error[ATTESTER_ERROR_MAX])
{
	struct seed seed;
	int ret = -1;

	if (collect(nsm, &seed, error) == 0 &&
	    credit(&seed, device, ioctl_cb, error) == 0)
		ret = seed.bits;
	OPENSSL_cleanse(&seed, sizeof(seed));
	return ret;
}
