/*
 * destination: one connection to what a client asked for.
 *
 * With a pinned endpoint: that, whatever the name. Without: the name is looked
 * up off the loop, for this connection alone, addresses that the rule does not
 * allow (address.h) are left out, and the others are tried as RFC 8305 says
 * (race.h).
 *
 *   start --> LOOKUP --> CONNECT --> CLOSING --> callback
 *     |         |          ^            ^
 *     |         +----------|------------+  no answer, none allowed,
 *     +--------------------+               deadline, cancel
 *           pinned
 *
 * getaddrinfo(3) cannot be interrupted: on a deadline or a cancel its request
 * is left to itself, and frees itself when it comes back.
 */
#ifndef HALLMARK_BRIDGE_DESTINATION_H
#define HALLMARK_BRIDGE_DESTINATION_H

#include "base/endpoint.h"
#include "vsock-bridge/address.h"
#include "vsock-bridge/authority.h"
#include "vsock-bridge/race.h"

#include <stdbool.h>

struct destination;
struct destination_lookup;

typedef void (*destination_cb)(struct destination *op, int fd);

/* Why there is no connection; set when the callback has no descriptor. */
enum destination_failure {
	DESTINATION_OK,
	DESTINATION_NO_NAME,    /* the lookup failed */
	DESTINATION_PROHIBITED, /* no address of the name is allowed */
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
	enum address_class (*classify)(const struct sockaddr *address);
};

struct destination_options {
	const struct authority *target;    /* copied */
	const struct endpoint *connect_to; /* copied; NULL: look target up */
	bool allow_private;                /* of what the name leads to */
	uint64_t timeout_ms;               /* for all of it */
	const struct destination_ops *ops; /* NULL: the real ones */
};

struct destination {
	void *data; /* the caller's */
	enum destination_failure failure;
	/* How long each took, when the callback fires; -1: there was none.
	 * A pinned host name is part of the connection. */
	int64_t lookup_ms, connect_ms;

	/* private from here on */
	uv_loop_t *loop;
	destination_cb cb;
	const struct destination_ops *ops;
	struct authority target;
	bool allow_private;
	uint64_t deadline_ms, began_ms;    /* of the loop's clock */
	struct destination_lookup *lookup; /* while it runs */
	union {                            /* never both */
		struct endpoint_connect pinned;
		struct race race;
	};
	uv_timer_t timer; /* bounds LOOKUP; the others have their own */
	bool racing, connecting, canceled, finished;
	int result;
};

/* If it returns 0, `cb` fires exactly once, never before start has returned,
 * with a descriptor that the callee owns, or a negative uv error; the struct
 * is the caller's memory until then and `cb` may free it. If it returns a
 * negative uv error, `cb` never fires. */
__attribute__((warn_unused_result)) int destination_start(
    struct destination *op, uv_loop_t *loop,
    const struct destination_options *options, destination_cb cb);

/* Idempotent, until `cb` has fired: it does with UV_ECANCELED. */
void destination_cancel(struct destination *op);

#endif
