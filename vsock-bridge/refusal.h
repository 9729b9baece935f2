/*
 * refusal: tells a client why it gets nothing (answer.h), and lets go of it.
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
	uv_stream_t *client;
	refusal_done_cb on_done;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	unsigned open_handles; /* client, timer: closed before on_done */
	bool answered, client_ended, closing;
	char answer[ANSWER_BYTES_MAX];
};

/* Takes `client`, which is not being read: it is closed when on_done fires,
 * exactly once and never before start has returned. The memory of both is the
 * caller's until then; on_done may free it. */
void refusal_start(struct refusal *refusal, uv_stream_t *client,
    enum answer_code code, const char *detail, refusal_done_cb on_done);

/* Idempotent; on_done follows. */
void refusal_stop(struct refusal *refusal);

#endif
