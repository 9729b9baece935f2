/*
 * publisher_clock: whether the wall clock can be believed now: it runs evenly
 * against the monotonic one, and agrees with the exchanges'.
 */
#ifndef HALLMARK_ORACLE_PUBLISHER_CLOCK_H
#define HALLMARK_ORACLE_PUBLISHER_CLOCK_H

#include "oracle/poller.h"
#include "oracle/steady_clock.h"

#define PUBLISHER_CLOCK_STEP_MS 1000  /* a jump above this is not drift */
#define PUBLISHER_CLOCK_HOLD_MS 10000 /* even running before it is believed */

struct publisher_clock {
	struct steady_clock steady;
	bool told; /* that they disagree */
};

void publisher_clock_init(struct publisher_clock *clock);
/* At each tick; now_ms: of the wall clock. Logs when it changes. */
bool publisher_clock_certain(
    struct publisher_clock *clock, const struct poller *poller, int64_t now_ms);

#endif
