/* measure: see measure.h. */
#include "oracle/measure.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct pcr {
	uint8_t value[ATTESTER_PCR_LEN];
	int locked;
};

static int say(char error[ATTESTER_ERROR_MAX], const char *why)
{
	snprintf(error, ATTESTER_ERROR_MAX, "%s", why);
	return -1;
}

/* SHA384(48 zero bytes || data): a PCR after its first extension. */
static int extended_once(const uint8_t data[static ATTESTER_PCR_LEN],
    uint8_t out[static ATTESTER_PCR_LEN])
{
	uint8_t both[2 * ATTESTER_PCR_LEN] = {0};

	memcpy(both + ATTESTER_PCR_LEN, data, ATTESTER_PCR_LEN);
	return EVP_Digest(both, sizeof(both), out, NULL, EVP_sha384(), NULL) ==
		       1
		   ? 0
		   : -1;
}

static int describe(
    struct attester *a, struct pcr *out, char error[ATTESTER_ERROR_MAX])
{
	return a->ops->describe_pcr(
	    a, MEASURE_PCR, out->value, &out->locked, error);
}

static bool is_untouched(const struct pcr *pcr)
{
	static const uint8_t zero[ATTESTER_PCR_LEN];

	return !pcr->locked && memcmp(pcr->value, zero, sizeof(zero)) == 0;
}

/* One that holds the right value and is not locked was left by a start that
 * was cut short. */
static int extend_and_lock(struct attester *a, struct pcr *pcr,
    const uint8_t sha384[static ATTESTER_PCR_LEN],
    const uint8_t wanted[static ATTESTER_PCR_LEN],
    char error[ATTESTER_ERROR_MAX])
{
	if (is_untouched(pcr) && (a->ops->extend_pcr(a, MEASURE_PCR, sha384,
				      ATTESTER_PCR_LEN, error) != 0 ||
				     describe(a, pcr, error) != 0))
		return -1;
	if (memcmp(pcr->value, wanted, ATTESTER_PCR_LEN) != 0)
		return say(error, "PCR16 does not hold this configuration: it "
				  "was extended by something else");
	if (a->ops->lock_pcr(a, MEASURE_PCR, error) != 0 ||
	    describe(a, pcr, error) != 0)
		return -1;
	return 0;
}

int measure_config(struct attester *a,
    const uint8_t sha384[static ATTESTER_PCR_LEN],
    uint8_t pcr[static ATTESTER_PCR_LEN], char error[ATTESTER_ERROR_MAX])
{
	struct pcr now;
	bool before;

	memset(pcr, 0, ATTESTER_PCR_LEN);
	if (extended_once(sha384, pcr) != 0)
		return say(error, "SHA-384 failed");
	if (describe(a, &now, error) != 0)
		return -1;
	before = now.locked;
	if (!before && extend_and_lock(a, &now, sha384, pcr, error) != 0)
		return -1;
	if (!now.locked)
		return say(error, "PCR16 is not locked after it was locked");
	if (memcmp(now.value, pcr, ATTESTER_PCR_LEN) != 0)
		return say(error, "PCR16 does not hold this configuration: it "
				  "is locked with another");
	return before ? 1 : 0;
}
