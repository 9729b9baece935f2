/* retry: see retry.h. */
#include "verifier/daemon/retry.h"

#include <openssl/rand.h>

uint64_t retry_wait_ms(uint64_t *backoff_ms)
{
	uint64_t ms = *backoff_ms;
	uint16_t random = 0;

	if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
		random = 0;
	*backoff_ms = 2 * ms < RETRY_MAX_MS ? 2 * ms : RETRY_MAX_MS;
	ms = ms / 2 + ms * random / 65536 / 2;
	return ms > RETRY_MIN_MS ? ms : RETRY_MIN_MS;
}
