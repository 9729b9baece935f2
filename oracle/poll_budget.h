/*
 * poll_budget: how soon one exchange may be asked again, whatever the symbol:
 * the spacing between requests, and the pauses that it asks for. Pure.
 */
#ifndef HALLMARK_ORACLE_POLL_BUDGET_H
#define HALLMARK_ORACLE_POLL_BUDGET_H

#include "feeds/quote.h"

/* After "too many requests" (429, or the exchange's own way to say it)
 * without Retry-After, doubled each time up to the maximum. Bans are said to
 * last 2 minutes to 3 days (Binance API documentation, "IP Limits"); where a
 * 403 is one, whatever its class is called, the exchange says how long. */
#define POLL_BUDGET_LIMITED_MS   5000
#define POLL_BUDGET_BANNED_MS    120000
#define POLL_BUDGET_PAUSE_MAX_MS (3600 * 1000LL)

#define POLL_BUDGET_COUNTED_S 60 /* requests are counted for so long */

struct poll_budget {
	unsigned spacing_ms;
	unsigned ban_403_ms; /* the exchange's; set after init, or 0 */
	int64_t next_ms, paused_until_ms; /* monotonic */
	unsigned refusals;                /* since the last good answer */
	int64_t refused_ms;               /* when the newest of them came */
	/* requests of second s of the clock in [s % POLL_BUDGET_COUNTED_S];
	 * valid up to newest_s */
	unsigned counts[POLL_BUDGET_COUNTED_S];
	int64_t newest_s;
};

struct poll_outcome {
	enum quote_error error;
	int status;             /* 0: there was no answer */
	int64_t retry_after_ms; /* -1: none */
	int64_t sent_ms;        /* monotonic, of the request */
};

void poll_budget_init(struct poll_budget *budget, unsigned spacing_ms);

/* The earliest time for the next request. */
int64_t poll_budget_ready_ms(const struct poll_budget *budget);

/* A request goes out now. */
void poll_budget_spend(struct poll_budget *budget, int64_t now_ms);

/* Those of the last minute, to the second. */
unsigned poll_budget_last_minute(
    const struct poll_budget *budget, int64_t now_ms);

/* How it ended. What was sent before the newest refusal came tells nothing
 * new: it is neither a further refusal nor the end of them. Retry-After is kept
 * to, twice as long with each refusal in a row (RFC 9110 section 10.2.3 names
 * the least); beyond it never more than POLL_BUDGET_PAUSE_MAX_MS. Returns the
 * pause that this begins, in ms; 0: none. */
int64_t poll_budget_judge(struct poll_budget *budget,
    const struct poll_outcome *outcome, int64_t now_ms, uint32_t random);

#endif
