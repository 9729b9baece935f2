/* steady_clock: see steady_clock.h. */
#include "oracle/steady_clock.h"

void steady_clock_init(
    struct steady_clock *clock, int64_t step_ms, int64_t hold_ms)
{
	*clock = (struct steady_clock){.step_ms = step_ms, .hold_ms = hold_ms};
}

bool steady_clock_even(
    struct steady_clock *clock, int64_t wall_ms, int64_t monotonic_ms)
{
	int64_t jump_ms = (wall_ms - clock->wall_ms) -
			  (monotonic_ms - clock->monotonic_ms);

	if (clock->started &&
	    (jump_ms > clock->step_ms || jump_ms < -clock->step_ms)) {
		clock->uneven = true;
		clock->even_since_ms = monotonic_ms;
	}
	if (clock->uneven &&
	    monotonic_ms - clock->even_since_ms >= clock->hold_ms)
		clock->uneven = false;
	clock->started = true;
	clock->wall_ms = wall_ms;
	clock->monotonic_ms = monotonic_ms;
	return !clock->uneven;
}
