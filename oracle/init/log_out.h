/*
 * log_out: sends the lines of a ring to the parent, for as long as init runs:
 * connects, sends what there is, and when the connection breaks begins anew.
 *
 *   WAITING --retry_ms--> CONNECTING --> CONNECTED
 *      ^                       |             |
 *      +--- cannot connect ----+             |
 *      +--- broken, or the parent ended it --+
 *
 * WAITING waits for its timer, CONNECTING for endpoint_connect's deadline,
 * CONNECTED for lines, for room to send them in, or for the parent's end. What
 * the parent says is read, so that its end is seen, and not heard.
 */
#ifndef HALLMARK_ORACLE_INIT_LOG_OUT_H
#define HALLMARK_ORACLE_INIT_LOG_OUT_H

#include "base/endpoint.h"
#include "oracle/init/log_ring.h"

#include <stdbool.h>

#define LOG_OUT_CONNECT_MS 5000

struct log_out {
	/* set by the owner before the start */
	uv_loop_t *loop;
	struct endpoint to;
	struct log_ring *ring; /* borrowed */
	uint64_t retry_ms;

	/* private from here on */
	uv_timer_t retry;
	struct endpoint_connect connect; /* while CONNECTING */
	uv_poll_t poll;                  /* of fd */
	int fd;                          /* CONNECTED: >= 0 */
	bool connecting, closing;        /* closing: the poll, then fd */
	bool told;                       /* that it cannot connect */
	bool stopping, over; /* over: all was sent and the parent has it */
	bool shut;           /* no more will be sent on fd */
};

void log_out_start(struct log_out *out);
/* There is something new in the ring. */
void log_out_kick(struct log_out *out);
/* Sends what is left, for at most so long, and closes; turns the loop. */
void log_out_stop(struct log_out *out, uint64_t timeout_ms);

#endif
