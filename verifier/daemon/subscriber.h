/*
 * subscriber: one oracle's event stream, for ever.
 *
 *          +------------- lost: back-off with jitter -------------+
 *          v                                                      |
 *   WAITING --timer--> OPENING --status 200, first event--> OPEN -+
 *                         |                                       |
 *                         +---- refused, error, silence ----------+
 *
 * Failure: an oracle that is down, refuses, sends garbage, ends the stream or
 * is silent for SUBSCRIBER_SILENCE_MS (its heartbeat comes every 10 s) costs
 * one log line when it goes and one when it is back. Each try comes after
 * a back-off (retry.h), so that an oracle that was started again is found
 * within seconds. The stream is resumed from the last durable event; where that
 * is of another run of the server (resync: other_epoch), from the first of this
 * one, for owners who know doubles.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_SUBSCRIBER_H
#define HALLMARK_VERIFIER_DAEMON_SUBSCRIBER_H

#include "base/sse.h"
#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/oracle_address.h"

#define SUBSCRIBER_SILENCE_MS 25000

struct subscriber;

struct subscriber_options {
	uv_loop_t *loop;
	struct curl_loop *curl;
	const struct oracle_address *address; /* borrowed until freed */
	const char *last_event_id;            /* copied; "" at first */
	/* The path and query to ask for, before each try. */
	void (*target)(char out[ORACLE_TARGET_MAX], void *data);
	/* Each event, the control ones too; borrowed for the call. */
	void (*event)(const struct sse_event *event, void *data);
	/* After it was found, and after it was lost. May be NULL. */
	void (*changed)(bool connected, void *data);
	/* Each try that failed and each loss, before `changed`; borrowed for
	 * the call. May be NULL. */
	void (*failed)(const char *why, void *data);
	/* The key at the other end is not the pinned one: before `failed`. May
	 * be NULL. */
	void (*key_refused)(void *data);
	void *data;
	unsigned silence_ms; /* 0: SUBSCRIBER_SILENCE_MS */
	/* Of another run of the server: all that it has sent, what the owner
	 * has seen already too; else what is new. */
	bool from_first;
};

/* Tries at once, from the loop. */
struct subscriber *subscriber_start(const struct subscriber_options *options);
bool subscriber_connected(const struct subscriber *subscriber);

/* Reads no more until resumed (what was received already still comes), so
 * that the oracle's queue and ring hold what the owner cannot. */
void subscriber_pause(struct subscriber *subscriber);
void subscriber_resume(struct subscriber *subscriber);

/* No callback comes after this. Frees when its handles have closed. */
void subscriber_stop(struct subscriber *subscriber);

#endif
