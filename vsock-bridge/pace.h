/*
 * pace: how much of what an enclave makes us write is written. Pure: the time
 * is an argument.
 */
#ifndef HALLMARK_BRIDGE_PACE_H
#define HALLMARK_BRIDGE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A bucket that fills by `per_s` a second up to `burst`; what is taken may go
 * below zero once, and then nothing is to be taken until it is full enough
 * again. Begins full.
 */
struct pace {
	int64_t per_s, burst; /* set by the owner */

	/* private from here on */
	int64_t left;
	uint64_t filled_ms; /* 0: never */
};

void pace_take(struct pace *pace, uint64_t now_ms, int64_t amount);
/* How long to wait until something may be taken again; 0: not at all. */
uint64_t pace_wait_ms(struct pace *pace, uint64_t now_ms);

#define PACE_LINE_MS 1000

/* A log line of which there may be one in PACE_LINE_MS; all zero at first. */
struct pace_line {
	uint64_t said_ms, unsaid;
};

/* Whether it may be said now, and how many were not since the last. */
bool pace_line_may(struct pace_line *line, uint64_t now_ms, uint64_t *unsaid);

#endif
