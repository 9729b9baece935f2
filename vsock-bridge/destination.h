/*
 * destination: one connection to what a client asked for.
 *
 * With a pinned endpoint: that, and no name is looked up. Without: the name is
 * looked up off the loop, for this connection alone, addresses that are not
 * public (address.h) are left out, and the others are tried one after the
 * other, each with its share of the time that is left.
 *
 *   start --> LOOKUP --> CONNECT --+--> CLOSING --> callback
 *     |         |          ^   |   |      ^
 *     |         |          +---+   |      |
 *     |         |     next address |      |
 *     |         +-- no answer, none allowed, deadline, cancel
 *     +--> CONNECT (pinned)
 *
 * getaddrinfo(3) cannot be interrupted: on a deadline or a cancel its request
 * is left to itself, and frees itself when it comes back.
 */
#ifndef HALLMARK_BRIDGE_DESTINATION_H
#define HALLMARK_BRIDGE_DESTINATION_H

#include "base/endpoint.h"
#include "vsock-bridge/authority.h"

#include <stdbool.h>

#define DESTINATION_ADDRESSES_MAX 16 /* of one name that are tried */

struct destination;
struct destination_lookup;

typedef void (*destination_cb)(struct destination *op, int fd);

/* Why there is no connection; set when the callback has no descriptor. */
enum destination_failure {
	DESTINATION_OK,
	DESTINATION_NO_NAME,    /* the lookup failed */
	DESTINATION_PROHIBITED, /* no address of the name is public */
	DESTINATION_REFUSED,    /* no address could be connected to */
	DESTINATION_NO_TIME,
	DESTINATION_CANCELED
};

/* What a test replaces: the network outside. */
struct destination_ops {
	/* As uv_getaddrinfo; `cb` frees the answer with uv_freeaddrinfo. */
	int (*lookup)(uv_loop_t *loop, uv_getaddrinfo_t *req,
	    uv_getaddrinfo_cb cb, const char *node, const char *service,
	    const struct addrinfo *hints);
	bool (*allowed)(const struct sockaddr *address);
};

struct destination_options {
	const struct authority *target;    /* copied */
	const struct endpoint *connect_to; /* copied; NULL: look target up */
	uint64_t timeout_ms;               /* for all of it */
	const struct destination_ops *ops; /* NULL: the real ones */
};

struct destination {
	void *data; /* the caller's */
	enum destination_failure failure;

	/* private from here on */
	uv_loop_t *loop;
	destination_cb cb;
	const struct destination_ops *ops;
	struct authority target;
	struct endpoint addresses[DESTINATION_ADDRESSES_MAX];
	size_t count, next;
	uint64_t deadline_ms;              /* of the loop's clock */
	struct destination_lookup *lookup; /* while it runs */
	struct endpoint_connect connect;
	uv_timer_t timer; /* bounds LOOKUP; endpoint_connect has its own */
	bool connecting, canceled, finished;
	int result;
};

/* If it returns 0, `cb` fires exactly once, never before start has returned,
 * with a descriptor that the callee owns, or a negative uv error; the struct
 * is the caller's memory until then and `cb` may free it. If it returns a
 * negative uv error, `cb` never fires. */
__attribute__((warn_unused_result)) int destination_start(
    struct destination *op, uv_loop_t *loop,
    const struct destination_options *options, destination_cb cb);

/* Idempotent; `cb` fires with UV_ECANCELED unless all is over already and it
 * is about to fire. */
void destination_cancel(struct destination *op);

#endif
