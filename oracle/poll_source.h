/*
 * poll_source: what is known of one symbol at one exchange. Pure: times are
 * arguments. "Steady" times are of the monotonic clock, the others Unix ms.
 */
#ifndef HALLMARK_ORACLE_POLL_SOURCE_H
#define HALLMARK_ORACLE_POLL_SOURCE_H

#include "feeds/item.h"

/* How an attempt ended. */
struct poll_attempt {
	enum quote_error error;
	int status; /* HTTP; 0: there was no answer */
	int64_t latency_ms;
};

struct poll_source {
	const struct exchange *exchange;
	char symbol[EXCHANGE_SYMBOL_MAX];
	/* The shortest of the feeds that use it. */
	int64_t interval_ms, max_age_ms;

	struct poll_attempt newest; /* NOT_POLLED and -1 ms at first */
	enum quote_error judged;    /* of the newest that was about this one */
	unsigned failures;          /* in a row */
	uint64_t attempts, errors[QUOTE_ERROR_COUNT];

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

void poll_source_init(struct poll_source *source,
    const struct exchange *exchange, const char *symbol);

/* A feed asks for it at this interval, for answers up to this old. */
void poll_source_use(
    struct poll_source *source, int64_t interval_ms, int64_t max_age_ms);

/* An attempt has ended; answer: NULL unless its error is OK. Returns the error
 * of the attempt before, so that the caller can tell what is new. */
enum quote_error poll_source_note(struct poll_source *source,
    const struct poll_attempt *attempt, const struct poll_answer *answer);

/* A request for several was refused because of one of them, which is not known
 * yet. All there is to show of a source without a good attempt, until there is
 * one about it; it counts for nothing. */
void poll_source_note_refused(
    struct poll_source *source, const struct poll_attempt *attempt);

/* The feed's view of it at now_ms: everything of *out but via, rate and
 * price. See poller_read(). */
void poll_source_read(const struct poll_source *source,
    const struct feed_config *feed, int64_t now_ms, struct item_source *out);

#endif
