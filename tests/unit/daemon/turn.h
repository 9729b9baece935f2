/* turn: a loop that runs until something holds, or the test has failed. */
#ifndef HALLMARK_TESTS_DAEMON_TURN_H
#define HALLMARK_TESTS_DAEMON_TURN_H

#include "base/now.h"

#include <uv.h>

#define TURN_MAX_MS 20000 /* a ceiling, not a measure */

static inline void turn_tick(uv_timer_t *timer)
{
	(void)timer; /* wakes the loop, so that the condition is looked at */
}

/* Runs `loop` until `condition` (an expression) is true. */
#define TURN_UNTIL(loop, condition)                                        \
	do {                                                               \
		int64_t turn_limit_ms = now_monotonic_ms() + TURN_MAX_MS;  \
		uv_timer_t turn_timer;                                     \
                                                                           \
		uv_timer_init(loop, &turn_timer);                          \
		uv_timer_start(&turn_timer, turn_tick, 5, 5);              \
		while (!(condition) && now_monotonic_ms() < turn_limit_ms) \
			uv_run(loop, UV_RUN_ONCE);                         \
		uv_close((uv_handle_t *)&turn_timer, NULL);                \
		uv_run(loop, UV_RUN_NOWAIT);                               \
		if (!(condition))                                          \
			fail_msg("never happened: %s", #condition);        \
	} while (0)

/* Lets the loop run for about so long. */
#define TURN_FOR(loop, ms)                                           \
	do {                                                         \
		int64_t turn_end_ms = now_monotonic_ms() + (ms);     \
                                                                     \
		TURN_UNTIL(loop, now_monotonic_ms() >= turn_end_ms); \
	} while (0)

#endif
