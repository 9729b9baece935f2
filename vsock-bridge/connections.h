/*
 * connections: all that the bridge serves at once, counted against one limit,
 * and one for each peer, so that they can be ended together.
 *
 * A connection that is only being told why it is refused (answer.h) has its
 * own, small allowance: so a full bridge still answers 503, and clients that
 * are refused do not take the places of those that are served.
 */
#ifndef HALLMARK_BRIDGE_CONNECTIONS_H
#define HALLMARK_BRIDGE_CONNECTIONS_H

#include "vsock-bridge/peers.h"

#include <stdbool.h>

#define CONNECTIONS_REFUSALS_MAX 64 /* answers under way at once */

struct connection {
	/* Ends it as soon as possible; set by the owner before entering. */
	void (*abort)(struct connection *connection);
	/* Also set before; zero is not counted by peer. */
	struct peer_key peer;
	/* Says after it was refused a place whether its peer had too many. */
	bool peer_is_full;

	/* private from here on */
	struct connection *previous, *next;
	bool refusal;
	struct peers_entry *of_peer; /* while it is served */
};

struct connections {
	unsigned max;                           /* set by the owner */
	struct peers peers;                     /* its max and seed, too */
	void (*on_empty)(struct connections *); /* after the last; or NULL */
	void *data;                             /* the owner's */

	/* private from here on */
	struct connection *first;
	unsigned served, refusals;
};

enum connections_place {
	CONNECTIONS_SERVED,  /* entered */
	CONNECTIONS_REFUSAL, /* entered, but only to be told so */
	CONNECTIONS_NONE     /* not entered: close it */
};

__attribute__((warn_unused_result)) enum connections_place connections_enter(
    struct connections *all, struct connection *connection);

/* Whose it is, if peers are counted: before it enters. */
void connections_identify(
    const struct connections *all, struct connection *connection, int fd);

/* For those who have no way to be told: false, and not entered, when full. */
__attribute__((warn_unused_result)) bool connections_enter_served(
    struct connections *all, struct connection *connection);

/* Gives up a place to be served in for one to be refused in, if there is one;
 * keeps its place otherwise. */
void connections_refuse(struct connections *all, struct connection *connection);

/* Calls on_empty after the last. */
void connections_leave(struct connections *all, struct connection *connection);

bool connections_empty(const struct connections *all);
void connections_abort_all(struct connections *all);

#endif
