/* now: see now.h. */
#include "base/now.h"

#include <assert.h>
#include <time.h>

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;
	int ret = clock_gettime(clock, &ts);

	assert(ret == 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t now_unix_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t now_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}
