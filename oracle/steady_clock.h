/*
 * steady_clock: does the wall clock run evenly with the monotonic one? The
 * enclave's wall clock can be moved by whoever runs the machine; a price with
 * a wrong time is worse than none. Pure: the caller reads both clocks.
 */
#ifndef HALLMARK_ORACLE_STEADY_CLOCK_H
#define HALLMARK_ORACLE_STEADY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct steady_clock {
	int64_t step_ms, hold_ms;
	bool started, uneven;
	int64_t wall_ms, monotonic_ms; /* the last reading */
	int64_t even_since_ms;         /* monotonic, after a jump */
};

/* step_ms: a larger difference between two readings is a jump; hold_ms: how
 * long the clocks must agree after one before they are believed again. */
void steady_clock_init(
    struct steady_clock *clock, int64_t step_ms, int64_t hold_ms);

/* Takes a reading; false from a jump until hold_ms later. */
bool steady_clock_even(
    struct steady_clock *clock, int64_t wall_ms, int64_t monotonic_ms);

#endif
