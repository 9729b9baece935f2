/*
 * poll_plan: one exchange's symbols in as few requests as it allows, and when
 * each of them is due. Pure: times (monotonic) and random bits are arguments.
 *
 *   all symbols --plan--> requests of up to named_max symbols, or one for the
 *                         whole market
 *   a request that is refused as a whole --divide--> two halves, due at once
 *   requests that go well, a while after --join--> one, as far as they fit
 *
 * So a symbol that the exchange does not know ends alone, backs off alone
 * (sick), and the others are soon together again. A join that is refused makes
 * the wait for the next one twice as long.
 *
 * Times. A publisher ticks at multiples of its interval. Request i of n is due
 * in each interval at its own place in the first POLL_PLAN_WINDOW_PERCENT of
 * it, so that its answer is there at the tick; the exchanges' places lie
 * between each other. An exchange that cannot be asked so often has a longer
 * interval: n times its spacing, sick ones not counted.
 */
#ifndef HALLMARK_ORACLE_POLL_PLAN_H
#define HALLMARK_ORACLE_POLL_PLAN_H

#include "oracle/poll_source.h"

#define POLL_PLAN_WINDOW_PERCENT  60
#define POLL_PLAN_FIRST_MS        1000 /* each is asked once in the first */
#define POLL_PLAN_JITTER          50   /* at most this part of the interval */
#define POLL_PLAN_DEADLINE_MIN_MS 1000 /* of one request */
#define POLL_PLAN_DEADLINE_MAX_MS 5000
#define POLL_PLAN_JOIN_MIN_MS     5000
#define POLL_PLAN_JOIN_MAX_MS     (3600 * 1000LL)

struct poll_request {
	bool used; /* false: a free place in the array */
	/* Up to named_max of the plan's sources; of a whole market, `count` is
	 * that of the plan and this is unused. */
	struct poll_source *sources[EXCHANGE_NAMED_MAX];
	size_t count;
	bool whole;
	char target[EXCHANGE_TARGET_MAX];
	int64_t interval_ms, offset_ms; /* set by every change of the plan */
	int64_t deadline_ms; /* the shortest max_age_ms of its sources */
	int64_t due_ms;

	bool asking;       /* between begin and end */
	bool good;         /* the newest attempt was */
	bool sick;         /* alone, and the exchange refuses it */
	bool joined;       /* not yet good since it was */
	unsigned failures; /* in a row */
};

struct poll_plan {
	const struct exchange *exchange;
	struct poll_source *sources;   /* borrowed; sorted by symbol */
	struct poll_request *requests; /* borrowed; as many as sources */
	size_t count;                  /* of each */
	unsigned place, places;        /* which of how many exchanges */
	int64_t join_ms;       /* join again then; 0: nothing was divided */
	unsigned joins_failed; /* in a row */
};

/* Each symbol must be one that the exchange uses. sources != NULL, count >= 1,
 * room for as many requests; place < places. Sorts the sources. */
void poll_plan_init(struct poll_plan *plan, const struct exchange *exchange,
    struct poll_source *sources, struct poll_request *requests, size_t count,
    unsigned place, unsigned places, int64_t now_ms);

/* How many requests ask for all symbols. */
size_t poll_plan_requests(const struct poll_plan *plan);

/* Of those that are not asked, the one that is due first; NULL: none. */
struct poll_request *poll_plan_next(const struct poll_plan *plan);

struct poll_source *poll_plan_source(
    const struct poll_plan *plan, const struct poll_request *request, size_t i);

/* NULL if there is none of that symbol. */
struct poll_source *poll_plan_find(
    const struct poll_plan *plan, const char *symbol);

/* All that is not under way is due now, whatever it has failed before. */
void poll_plan_wake(struct poll_plan *plan, int64_t now_ms);

/* An attempt starts: if it goes well, the next is at its next place. */
void poll_plan_begin(
    struct poll_request *request, int64_t now_ms, uint32_t random);

/* Is this a request of several symbols that was refused because of them? Then
 * divide() is its end, else end(). After either the request may ask for other
 * symbols, or be gone. */
bool poll_plan_divides(
    const struct poll_request *request, enum quote_error error);
void poll_plan_divide(struct poll_plan *plan, struct poll_request *request,
    int64_t now_ms, uint32_t random);
void poll_plan_end(struct poll_plan *plan, struct poll_request *request,
    enum quote_error error, int64_t now_ms, uint32_t random);

#endif
