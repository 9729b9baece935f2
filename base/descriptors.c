/* descriptors: see descriptors.h. */
#include "base/descriptors.h"

#include "base/log.h"

#include <limits.h>
#include <sys/resource.h>

void descriptors_want(uint64_t wanted)
{
	rlim_t want = (rlim_t)wanted + DESCRIPTORS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want)
		log_warn("descriptors", "few", LOG_D("limit", limit.rlim_cur),
		    LOG_D("wanted", want));
}

int descriptors_reserve(void)
{
	struct rlimit limit;
	rlim_t spare;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	spare = limit.rlim_cur / 4;
	if (spare > DESCRIPTORS_SPARE)
		spare = DESCRIPTORS_SPARE;
	return (int)(limit.rlim_cur - spare);
}
