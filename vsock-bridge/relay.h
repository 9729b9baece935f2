/*
 * relay: moves bytes between two connected streams, both ways, until both
 * have ended or one has failed.
 *
 * What one stream ends (EOF), the other hears as an end (shutdown), after all
 * that came before; the other direction goes on. What one stream cannot take
 * yet is kept, at most RELAY_BUFFER_BYTES, and the other is not read until it
 * is gone. A failure on either side resets both, so that a broken stream never
 * looks like one that ended. While nothing waits, a relay holds no buffer.
 */
#ifndef HALLMARK_BRIDGE_RELAY_H
#define HALLMARK_BRIDGE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define RELAY_BUFFER_BYTES 65536 /* read at once; kept for one direction */

struct relay;

/* result: 0 when both directions have ended, UV_ETIMEDOUT when nothing moved
 * for too long, UV_ECANCELED after relay_stop, or the error of a stream. */
typedef void (*relay_done_cb)(struct relay *relay, int result);

/* One direction.
 *
 *            read                    EOF
 *   +-> FLOWING --> (all written) --> ENDING --> ENDED
 *   |      |                          waits for shutdown, or idle
 *   |      v part was not written
 *   +-- BLOCKED  waits for the write, or idle
 */
enum relay_state {
	RELAY_FLOWING,
	RELAY_BLOCKED,
	RELAY_ENDING,
	RELAY_ENDED
};

struct relay_half {
	uint64_t bytes; /* read from `from` so far, for the caller */

	/* private from here on */
	enum relay_state state;
	struct relay *relay;
	uv_stream_t *from, *to;
	uint8_t *kept;     /* while BLOCKED: what `write` writes */
	size_t queue_seen; /* bytes still unwritten at the last check */
	union {            /* never both: ENDING follows FLOWING only */
		uv_write_t write;
		uv_shutdown_t shutdown;
	};
};

struct relay {
	void *data; /* the caller's */
	struct relay_half to_b, to_a;

	/* private from here on */
	uv_timer_t timer;
	uint64_t idle_timeout_ms, last_moved_ms;
	relay_done_cb on_done;
	int result;
	unsigned open_handles; /* a, b, timer: closed before on_done */
	bool closing;
};

struct relay_options {
	uv_stream_t *a, *b; /* taken: closed when on_done fires; the caller's
			       memory, whose .data the relay uses */
	const void *first_to_b; /* copied; sent before what is read from a */
	size_t first_to_b_len;  /* at most RELAY_BUFFER_BYTES */
	const void *first_to_a;
	size_t first_to_a_len;
	uint64_t idle_timeout_ms;
	relay_done_cb on_done;
};

/* on_done fires exactly once, never before relay_start has returned; the
 * struct is the caller's memory until then, and on_done may free it. */
void relay_start(struct relay *relay, const struct relay_options *options);

/* Idempotent. Resets both streams; on_done follows. */
void relay_stop(struct relay *relay);

#endif
