/*
 * listener: accepts connections at one endpoint, for as long as the program
 * runs, whatever happens.
 *
 * When descriptors or memory run out, accepting pauses for LISTENER_PAUSE_MS
 * instead of spinning on the same error; clients wait in the backlog. It pauses
 * already while the reserve is in use (base/descriptors.h): what was accepted
 * has to connect to somewhere. One log line says that it began and one that it
 * is over.
 */
#ifndef HALLMARK_BRIDGE_LISTENER_H
#define HALLMARK_BRIDGE_LISTENER_H

#include "base/endpoint.h"

#include <stdbool.h>

#define LISTENER_BACKLOG   511
#define LISTENER_PAUSE_MS  100
#define LISTENER_BURST_MAX 64 /* accepted before other events get a turn */

struct listener;

/* A connected, non-blocking, close-on-exec descriptor that the callee owns
 * (TCP_NODELAY set for tcp). */
typedef void (*listener_accept_cb)(struct listener *listener, int fd);
typedef void (*listener_stopped_cb)(struct listener *listener);

struct listener {
	void *data;       /* the caller's */
	uint64_t *pauses; /* counts them; set once started, or NULL */

	/* private from here on */
	struct endpoint endpoint; /* with the port that it really has */
	listener_accept_cb on_accept;
	listener_stopped_cb on_stopped;
	int fd;
	uv_poll_t poll;
	uv_timer_t pause;      /* runs while accepting is paused */
	unsigned open_handles; /* poll, pause: closed before on_stopped */
	bool exhausted;        /* the last accept failed for want of means */
	bool stopping;
};

/* Returns 0, or a negative uv error and then nothing is left to stop.
 * `inherited` is a descriptor that listens there, non-blocking, taken; or 0. */
__attribute__((warn_unused_result)) int listener_start(
    struct listener *listener, uv_loop_t *loop, const struct endpoint *endpoint,
    int inherited, listener_accept_cb on_accept);

/* The endpoint in use, as text. */
void listener_describe(
    const struct listener *listener, char out[static ENDPOINT_TEXT_MAX]);

/* Idempotent: the first call's `on_stopped` (may be NULL) fires once, after
 * which the struct is the caller's again. Nothing is accepted any more. */
void listener_stop(struct listener *listener, listener_stopped_cb on_stopped);

#endif
