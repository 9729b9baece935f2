/*
 * channel_keeper: keeps one https+attested:// address pinned to the key that
 * its oracle has now.
 *
 *          +---- refused, no answer: back-off with jitter ----+
 *          v                                                  |
 *   WAITING --timer--> ASKING --document, key, policy--> PINNED
 *                        ^                                 |
 *                        +------- doubted: another key ----+
 *
 * Doubt is the owner's: a request of his failed because the key at the other
 * end was not the pinned one. The old pin stays until another key is attested;
 * somebody who only passes by with a key of his own stops the traffic and gets
 * none of it. One log line when it goes wrong, and one when it is right.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_CHANNEL_KEEPER_H
#define HALLMARK_VERIFIER_DAEMON_CHANNEL_KEEPER_H

#include "verifier/daemon/channel.h"
#include "verifier/daemon/curl_loop.h"

struct channel_keeper;

struct channel_keeper_options { /* all borrowed until stopped */
	uv_loop_t *loop;
	struct curl_loop *curl;
	struct oracle_address *address; /* gets the pin */
	const struct hm_policy *policy;
	/* Pinned, the first time and each time anew; facts are borrowed for
	 * the call. */
	void (*attested)(const struct channel_facts *facts, void *data);
	/* Each try that failed. May be NULL. */
	void (*failed)(const struct channel_failure *why, void *data);
	void *data;
};

/* Asks at once, from the loop. */
struct channel_keeper *channel_keeper_start(
    const struct channel_keeper_options *options);
/* Asks again, unless it does. */
void channel_keeper_doubt(struct channel_keeper *keeper);
/* Why it is not attested, or not again yet; NULL: it is. Borrowed until the
 * loop turns. */
const char *channel_keeper_why(const struct channel_keeper *keeper);
/* No callback comes after this; frees when its handle has closed. Not from
 * one of curl's callbacks, nor from one of its own. NULL is fine. */
void channel_keeper_stop(struct channel_keeper *keeper);

#endif
