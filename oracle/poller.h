/*
 * poller: keeps the newest answer of each configured source.
 *
 * The symbols of one exchange are asked for in as few requests as it allows
 * (poll_plan); each request is due once in an interval, at its own place in
 * the first part of it, so that the requests of one tick start spread out and
 * the answers are there before the tick. Up to POLLER_LANES of one exchange
 * are under way at once, spaced by its budget: a symbol that it hangs on costs
 * a lane, not the others their turn. A request whose symbols it refuses as a
 * whole is divided in two, until the sick symbol stands alone.
 *
 * After a failure a request backs off (doubling, with jitter, at most
 * POLLER_BACKOFF_MAX_MS); Retry-After and bans hold for the whole exchange.
 * Requests from outside never reach it.
 */
#ifndef HALLMARK_ORACLE_POLLER_H
#define HALLMARK_ORACLE_POLLER_H

#include "feeds/item.h"
#include "oracle/config.h"
#include "oracle/raw_answers.h"
#include "oracle/secrets.h"

#include <openssl/ssl.h>
#include <uv.h>

#define POLLER_LANES          4 /* connections to one exchange */
#define POLLER_BACKOFF_MIN_MS 500
#define POLLER_BACKOFF_MAX_MS 60000
/* As long as the longest ban that an exchange announces: three days. */
#define POLLER_RETRY_AFTER_MAX_MS (3 * 24 * 3600 * 1000LL)

struct poller;

struct poller *poller_start(
    uv_loop_t *loop, const struct config *config, SSL_CTX *tls);
/* Where the keys are that some exchanges want (borrowed; watched from now on).
 * Who lacks one is not asked, its sources are NO_KEY, until one is stored. */
void poller_use_secrets(struct poller *poller, struct secrets *secrets);
/* Cancels all requests; the handles close on the loop. */
void poller_stop(struct poller *poller);
/* After the loop has ended. */
void poller_free(struct poller *poller);

/* The answers of the last keep_raw_s; NULL if none are kept. */
const struct raw_answers *poller_raw(const struct poller *poller);

/*
 * Fills sources[0 .. feed->source_count) for one tick at now_ms: exchange,
 * symbol, via, the newest quote with its times and hashes, state FROZEN, or
 * FAILED with the error of the newest attempt, or USED. Rates are the
 * caller's. A failed attempt does not hide an answer that is younger than
 * max_age_ms.
 */
void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources);

/*
 * The exchanges' clocks against ours, by the Date of their answers: the median
 * of clock_check.h. false: none is known. For the publisher, at each tick.
 */
bool poller_clock_offset(
    const struct poller *poller, int64_t now_monotonic_ms, int64_t *offset_ms);

/* ---- what operators see: GET /sources, /metrics, --probe ---- */

struct poller_exchange_view {
	const struct exchange *exchange;
	bool up;                     /* at least one of its sources is */
	unsigned requests_planned;   /* how many requests ask for all symbols */
	uint64_t requests, failures; /* since the start */
	unsigned requests_last_minute;
	unsigned budget_per_min; /* ours: 60000 / spacing_ms */
	int64_t paused_ms;       /* it is left alone for so long still; 0 */
	bool has_clock_offset;
	int64_t clock_offset_ms; /* its Date minus our clock, newest */
};

/* What the last minute has left of the budget. */
static inline unsigned poller_budget_left(
    const struct poller_exchange_view *view)
{
	return view->requests_last_minute < view->budget_per_min
		   ? view->budget_per_min - view->requests_last_minute
		   : 0;
}

/* A request that is refused for all its symbols and then divided is no attempt
 * of any of them, but its error, status and latency are shown for those that
 * are not up. */
struct poller_source_view {
	const char *symbol;
	bool up;                 /* the newest attempt was good */
	enum quote_error newest; /* of the newest attempt */
	int status;              /* HTTP, of the newest attempt; 0: none */
	int64_t latency_ms;      /* of the newest attempt; -1: none yet */
	bool has_answer;
	int64_t received_ms; /* Unix ms, of the newest good answer */
	unsigned failures;   /* in a row */
	uint64_t attempts, errors[QUOTE_ERROR_COUNT]; /* since the start */
};

/* Each exchange in use, then its sources, in the order of exchange_table and
 * of the symbols. The views are valid for the call. Either may be NULL. */
typedef void (*poller_exchange_cb)(
    const struct poller_exchange_view *view, void *data);
typedef void (*poller_source_cb)(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data);
void poller_visit(const struct poller *poller, int64_t now_monotonic_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data);

#endif
