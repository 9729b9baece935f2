/*
 * poll_source: what is known of one symbol at one exchange, and when to ask
 * again. Pure: times and random bits are arguments. "Steady" times are of the
 * monotonic clock, the others Unix ms.
 */
#ifndef HALLMARK_ORACLE_POLL_SOURCE_H
#define HALLMARK_ORACLE_POLL_SOURCE_H

#include "feeds/item.h"

#include <sys/queue.h>

struct poll_source {
	TAILQ_ENTRY(poll_source) link; /* the poller's */
	const struct exchange *exchange;
	char symbol[EXCHANGE_SYMBOL_MAX];
	char target[EXCHANGE_TARGET_MAX];
	int64_t interval_ms; /* the shortest of the feeds that use it */

	int64_t due_steady_ms;   /* ask then; 0 at first: at once */
	unsigned failures;       /* in a row */
	enum quote_error newest; /* of the last attempt; NOT_POLLED at first */

	/* the newest answer that was good, if any */
	bool has_answer;
	struct quote quote;
	int64_t received_ms, received_steady_ms;
	int64_t moved_steady_ms; /* when it last differed from the one before */
	int64_t
	    exchange_ms_max; /* the exchange's clock, when it was furthest */
	uint8_t body_sha256[32], tls_spki_sha256[32];
};

/* A good answer, as it came in. */
struct poll_answer {
	struct quote quote;
	int64_t received_ms, received_steady_ms;
	uint8_t body_sha256[32], tls_spki_sha256[32];
};

/* 0, or -1 if the exchange does not use such a symbol. */
__attribute__((warn_unused_result)) int poll_source_init(
    struct poll_source *source, const struct exchange *exchange,
    const char *symbol, int64_t interval_ms);

/* An attempt starts: if it goes well, the next is an interval later. */
void poll_source_begin(
    struct poll_source *source, int64_t steady_ms, uint32_t random);

/* How it ended. Each returns the error of the attempt before, so that the
 * caller can tell what is new. */
enum quote_error poll_source_succeed(
    struct poll_source *source, const struct poll_answer *answer);
enum quote_error poll_source_fail(struct poll_source *source,
    enum quote_error error, int64_t steady_ms, uint32_t random);

/* The feed's view of it at now_ms: everything of *out but via, rate and
 * price. See poller_read(). */
void poll_source_read(const struct poll_source *source,
    const struct feed_config *feed, int64_t now_ms, struct item_source *out);

#endif
