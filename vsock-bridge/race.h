/*
 * race: one TCP connection to whichever of a server's addresses answers first
 * ("Happy Eyeballs", RFC 8305).
 *
 *   attempt 1  ----------------------------x  fails
 *   attempt 2       |----- - - -              250 ms later
 *   attempt 3            |-----+              250 ms later, or at a failure
 *                              connected: the others are given up
 *
 * An address that is a black hole so costs a quarter of a second instead of
 * the whole connect timeout, and one that refuses costs nothing. An attempt
 * that was begun goes on while others are tried.
 *
 * It ends with the first connection, with the last failure when there is
 * nothing left to try or to wait for, at the deadline, or by race_cancel.
 */
#ifndef HALLMARK_BRIDGE_RACE_H
#define HALLMARK_BRIDGE_RACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define RACE_ADDRESSES_MAX 16  /* of one name that are tried */
#define RACE_DELAY_MS      250 /* RFC 8305 8: Connection Attempt Delay */

union race_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* RFC 8305 4: keeps the order in each family and lets the families take turns,
 * beginning with that of the first address. */
void race_order(union race_address *addresses, size_t count);

struct race;

/* A connected, non-blocking, close-on-exec descriptor with TCP_NODELAY that
 * the callee owns, or a negative uv error. */
typedef void (*race_cb)(struct race *race, int fd);

struct race_attempt {
	struct race *race;
	uv_poll_t poll;
	int fd; /* -1: not under way */
};

struct race {
	void *data; /* the caller's */

	/* private from here on */
	uv_loop_t *loop;
	race_cb cb;
	union race_address addresses[RACE_ADDRESSES_MAX];
	struct race_attempt attempts[RACE_ADDRESSES_MAX];
	size_t count, next, under_way;
	uv_timer_t delay, deadline;
	unsigned open_handles; /* polls and timers: closed before cb */
	int result;            /* so far; in the end, for cb */
	bool finished;
};

/* Tries these, in this order (copied; 1 to RACE_ADDRESSES_MAX), for at most
 * `timeout_ms`. `cb` fires exactly once, never before start has returned; the
 * struct is the caller's memory until then, and `cb` may free it. */
void race_start(struct race *race, uv_loop_t *loop,
    const union race_address *addresses, size_t count, uint64_t timeout_ms,
    race_cb cb);

/* Idempotent, until `cb` has fired: it does with UV_ECANCELED. */
void race_cancel(struct race *race);

#endif
