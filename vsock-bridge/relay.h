/*
 * relay: moves bytes between two connected sockets, both ways, until both
 * have ended or one has failed.
 *
 * What one side ends (EOF), the other hears as an end (shutdown), after all
 * that came before; the other direction goes on. What one side cannot take yet
 * is kept, and the other is not read until it is gone (relay_half.h). While
 * nothing waits, a relay holds neither a buffer nor a pipe.
 *
 * A failure on either side resets both, so that a broken stream never looks
 * like one that ended. That is true of TCP. A Unix socket and a vsock have no
 * reset that we could send: their peer reads an end, and what crosses them must
 * say by itself where it is whole (as TLS and HTTP do). Urgent data loses its
 * urgency, and the urgent byte, as with any reader that does not ask for it.
 *
 * All relays of a loop share a hub: one epoll(7) of its own, edge-triggered and
 * watched by the loop as one descriptor. uv_poll_t is level-triggered and costs
 * system calls each time it is told what to wait for; here a socket is
 * registered once, and close(2) takes it out again. So nobody may hold a
 * duplicate of a relay's descriptors.
 */
#ifndef HALLMARK_BRIDGE_RELAY_H
#define HALLMARK_BRIDGE_RELAY_H

#include "vsock-bridge/relay_half.h"
#include "vsock-bridge/relay_patience.h"

#include <errno.h>
#include <uv.h>

#define RELAY_EVENTS_MAX   128 /* handled before the loop gets a turn */
#define RELAY_SWEEP_MS_MIN 50  /* between two looks for those that are due */

/* The result of a relay that was open for longer than its total time-out: no
 * uv error means that. */
#define RELAY_OVERTIME (-ETIME)

struct relay;

/* result: 0 when both directions have ended, UV_ETIMEDOUT when nothing moved
 * for too long, RELAY_OVERTIME, UV_ECANCELED after relay_stop, or the error of
 * a socket. */
typedef void (*relay_done_cb)(struct relay *relay, int result);

/* For a log line. */
const char *relay_strerror(int result);

struct relay_hub;
typedef void (*relay_hub_closed_cb)(struct relay_hub *hub);

struct relay_hub { /* private but for data */
	void *data;
	int epoll_fd;
	uv_poll_t poll;   /* of epoll_fd */
	uv_timer_t timer; /* the next deadline, or at once when some are done */
	uv_timer_t ticks; /* while some are patient */
	uint64_t timer_ms; /* when it is due; UINT64_MAX: it is not set */
	struct relay *all, *done;
	unsigned open_handles; /* while it closes */
	bool in_turn;          /* on_done is called at the end of it */
	relay_hub_closed_cb on_closed;
	struct relay_tools tools;
	struct relay_patience patience;
};

/* Returns 0, or a negative uv error and then nothing is left to close. The
 * struct is the caller's, and large. */
__attribute__((warn_unused_result)) int relay_hub_init(
    struct relay_hub *hub, uv_loop_t *loop);

/* When its last relay is done. The struct is the caller's again in on_closed
 * (may be NULL). */
void relay_hub_close(struct relay_hub *hub, relay_hub_closed_cb on_closed);

struct relay {
	void *data; /* the caller's */
	struct relay_half to_b, to_a;

	/* private from here on */
	struct relay_hub *hub;
	relay_done_cb on_done;
	struct relay *previous, *next;  /* of hub->all, or hub->done (next) */
	uint64_t last_moved_ms, end_ms; /* end_ms: UINT64_MAX without limit */
	uint64_t idle_timeout_ms;
	int result;
	bool closing;
};

struct relay_options {
	struct relay_hub *hub;
	int a, b; /* connected, non-blocking, taken; no duplicate of them */
	const void *first_to_b; /* copied; sent before what is read from a */
	size_t first_to_b_len;  /* at most RELAY_BUFFER_BYTES */
	const void *first_to_a;
	size_t first_to_a_len;
	uint64_t idle_timeout_ms;
	uint64_t total_timeout_ms; /* 0: none */
	relay_done_cb on_done;
};

/* on_done fires exactly once, never before relay_start has returned; the
 * struct is the caller's memory until then, and on_done may free it. The
 * descriptors have been closed by then. */
void relay_start(struct relay *relay, const struct relay_options *options);

/* Idempotent. Resets both sides; on_done follows. */
void relay_stop(struct relay *relay);

#endif
