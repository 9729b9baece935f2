/* backoff: doubling waits and jitter, see the header. */
#include "oracle/backoff.h"

#include <assert.h>

static int64_t between(int64_t low, int64_t high, uint32_t random)
{
	return low + (int64_t)random % (high - low + 1);
}

int64_t backoff_jitter(int64_t interval_ms, uint32_t random)
{
	assert(interval_ms >= 0);
	int64_t tenth = interval_ms / 10;
	return between(interval_ms - tenth, interval_ms + tenth, random);
}

int64_t backoff_delay(
    int64_t min_ms, int64_t max_ms, unsigned failures, uint32_t random)
{
	assert(min_ms > 0 && min_ms <= max_ms && failures >= 1);

	int64_t base = min_ms;
	while (--failures > 0 && base < max_ms)
		base = base > max_ms / 2 ? max_ms : base * 2;

	int64_t low = base - base / 10, high = base + base / 10;
	if (low < min_ms)
		low = min_ms;
	if (high > max_ms)
		high = max_ms;
	return between(low, high, random);
}
