/*
 * refusal: tells a client why it gets nothing (answer.h, gate.h), and lets go
 * of it.
 *
 * After the answer the client's bytes are read and thrown away until it has
 * ended too, or for REFUSAL_LINGER_MS: closing with bytes unread would reset
 * the connection, and the answer might be lost with it.
 */
#ifndef HALLMARK_BRIDGE_REFUSAL_H
#define HALLMARK_BRIDGE_REFUSAL_H

#include "vsock-bridge/answer.h"

#include <stdbool.h>
#include <uv.h>

#define REFUSAL_LINGER_MS 1000 /* for a client to take its answer */

struct refusal;
typedef void (*refusal_done_cb)(struct refusal *refusal);

struct refusal {
	void *data; /* the caller's */

	/* private from here on */
	int fd;
	refusal_done_cb on_done;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles; /* poll, timer: closed before on_done */
	bool polled, answered, client_ended, closing;
	size_t len, sent; /* of the answer */
	char answer[ANSWER_BYTES_MAX];
};

/* Takes `fd`, a connected non-blocking socket that nobody else watches, and
 * copies `answer` (at most ANSWER_BYTES_MAX; 0: just an end). on_done fires
 * exactly once, never before start has returned; the descriptor has been
 * closed by then. The struct is the caller's memory until then; on_done may
 * free it. */
void refusal_start(struct refusal *refusal, uv_loop_t *loop, int fd,
    const void *answer, size_t len, refusal_done_cb on_done);

/* Idempotent; on_done follows. */
void refusal_stop(struct refusal *refusal);

#endif
