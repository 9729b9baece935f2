/* publisher_clock: see publisher_clock.h. */
#include "oracle/publisher_clock.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/clock_check.h"

void publisher_clock_init(struct publisher_clock *clock)
{
	clock->told = false;
	steady_clock_init(
	    &clock->steady, PUBLISHER_CLOCK_STEP_MS, PUBLISHER_CLOCK_HOLD_MS);
}

/* Whether the exchanges' clocks agree with ours. Where none is heard, answers
 * are not either, and max_age_ms ends the prices. */
static bool witnesses_agree(struct publisher_clock *clock,
    const struct poller *poller, int64_t monotonic_ms)
{
	int64_t offset_ms = 0;
	bool agree = !poller_clock_offset(poller, monotonic_ms, &offset_ms) ||
		     (offset_ms <= CLOCK_CHECK_LIMIT_MS &&
			 offset_ms >= -CLOCK_CHECK_LIMIT_MS);

	if (!agree && !clock->told)
		log_error("publisher", "clock_uncertain",
		    LOG_D("exchanges_ahead_ms", offset_ms));
	if (agree && clock->told)
		log_info("publisher", "clock_agrees",
		    LOG_D("exchanges_ahead_ms", offset_ms));
	clock->told = !agree;
	return agree;
}

bool publisher_clock_certain(
    struct publisher_clock *clock, const struct poller *poller, int64_t now_ms)
{
	int64_t monotonic_ms = now_monotonic_ms();
	bool even = steady_clock_even(&clock->steady, now_ms, monotonic_ms);

	return witnesses_agree(clock, poller, monotonic_ms) && even;
}
