/* poll_plan: chunks, places, halves, see the header. */
#include "oracle/poll_plan.h"

#include "oracle/backoff.h"
#include "oracle/poller.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct poll_source *poll_plan_source(
    const struct poll_plan *plan, const struct poll_request *request, size_t i)
{
	assert(i < request->count);
	return request->whole ? &plan->sources[i] : request->sources[i];
}

/* ---- what a request asks for, and when ---- */

/* false: the exchange cannot be asked for these together. */
static bool format_target(
    const struct poll_plan *plan, struct poll_request *request)
{
	const char *symbols[EXCHANGE_NAMED_MAX];
	size_t count = request->whole ? 0 : request->count;

	for (size_t i = 0; i < count; i++)
		symbols[i] = request->sources[i]->symbol;
	return plan->exchange->format_target(
		   request->target, count > 0 ? symbols : NULL, count) == 0;
}

static void set_times(
    const struct poll_plan *plan, struct poll_request *request)
{
	int64_t interval_ms = INT64_MAX, deadline_ms = INT64_MAX;

	for (size_t i = 0; i < request->count; i++) {
		const struct poll_source *source = poll_plan_source(
		    plan, request, i);
		if (source->interval_ms < interval_ms)
			interval_ms = source->interval_ms;
		if (source->max_age_ms < deadline_ms)
			deadline_ms = source->max_age_ms;
	}
	if (deadline_ms < POLL_PLAN_DEADLINE_MIN_MS)
		deadline_ms = POLL_PLAN_DEADLINE_MIN_MS;
	if (deadline_ms > POLL_PLAN_DEADLINE_MAX_MS)
		deadline_ms = POLL_PLAN_DEADLINE_MAX_MS;
	request->interval_ms = interval_ms;
	request->deadline_ms = deadline_ms;
}

static int64_t window_of(int64_t interval_ms, int64_t needed_ms)
{
	int64_t window_ms = interval_ms * POLL_PLAN_WINDOW_PERCENT / 100;

	return needed_ms > window_ms ? needed_ms : window_ms;
}

/* Gives each request its interval and its place in it. */
static void schedule(struct poll_plan *plan)
{
	int64_t healthy = 0, i = 0;

	for (size_t r = 0; r < plan->count; r++)
		healthy += plan->requests[r].used && !plan->requests[r].sick;
	if (healthy == 0)
		healthy = 1;
	int64_t needed_ms = healthy * (int64_t)plan->exchange->spacing_ms;
	for (size_t r = 0; r < plan->count; r++) {
		struct poll_request *request = &plan->requests[r];
		if (!request->used)
			continue;
		set_times(plan, request);
		if (request->interval_ms < needed_ms)
			request->interval_ms = needed_ms;
		request->offset_ms =
		    window_of(request->interval_ms, needed_ms) *
		    (i * plan->places + plan->place) / (healthy * plan->places);
		if (!request->sick && i < healthy - 1)
			i++;
	}
}

/* The first of its places that is at least half an interval away: whoever
 * comes late is not asked twice in a row. */
static int64_t next_place(const struct poll_request *request, int64_t now_ms)
{
	int64_t interval_ms = request->interval_ms;
	int64_t least_ms = now_ms + interval_ms / 2 + 1 - request->offset_ms;
	int64_t k = least_ms > 0 ? (least_ms + interval_ms - 1) / interval_ms
				 : 0;

	return k * interval_ms + request->offset_ms;
}

void poll_plan_begin(
    struct poll_request *request, int64_t now_ms, uint32_t random)
{
	assert(request->used && !request->asking);
	request->asking = true;
	request->due_ms = next_place(request, now_ms) +
			  (int64_t)random %
			      (request->interval_ms / POLL_PLAN_JITTER + 1);
}

void poll_plan_wake(struct poll_plan *plan, int64_t now_ms)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct poll_request *request = &plan->requests[i];
		if (!request->used || request->asking)
			continue;
		request->due_ms = now_ms;
		request->failures = 0;
	}
}

/* ---- joining ---- */

static bool join(const struct poll_plan *plan, struct poll_request *a,
    struct poll_request *b)
{
	struct poll_request both = *a;

	if (a->count + b->count > plan->exchange->named_max)
		return false;
	memcpy(both.sources + a->count, b->sources,
	    b->count * sizeof(b->sources[0]));
	both.count += b->count;
	if (!format_target(plan, &both))
		return false;
	if (b->due_ms < both.due_ms)
		both.due_ms = b->due_ms;
	both.joined = true;
	*a = both;
	*b = (struct poll_request){0};
	return true;
}

static bool can_join(const struct poll_request *request)
{
	return request->used && request->good && !request->asking &&
	       !request->whole;
}

static void join_all(struct poll_plan *plan)
{
	for (size_t a = 0; a < plan->count; a++) {
		if (!can_join(&plan->requests[a]))
			continue;
		for (size_t b = a + 1; b < plan->count; b++) {
			if (can_join(&plan->requests[b]))
				(void)join(plan, &plan->requests[a],
				    &plan->requests[b]);
		}
	}
}

/* ---- the first plan ---- */

static int by_symbol(const void *a, const void *b)
{
	const struct poll_source *first = a, *second = b;
	return strcmp(first->symbol, second->symbol);
}

/* Those of one interval together; of one interval, by symbol. */
static int by_interval(const void *a, const void *b)
{
	const struct poll_request *first = a, *second = b;
	const struct poll_source *x = first->sources[0];
	const struct poll_source *y = second->sources[0];

	if (x->interval_ms != y->interval_ms)
		return x->interval_ms < y->interval_ms ? -1 : 1;
	return strcmp(x->symbol, y->symbol);
}

static void plan_named(struct poll_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		plan->requests[i] = (struct poll_request){
		    .used = true,
		    .good = true, /* until join_all() has seen it */
		    .sources = {&plan->sources[i]},
		    .count = 1,
		};
	qsort(plan->requests, plan->count, sizeof(plan->requests[0]),
	    by_interval);
	for (size_t i = 0; i < plan->count; i++) {
		bool asked_for = format_target(plan, &plan->requests[i]);
		assert(asked_for); /* the caller has seen each symbol */
	}
	join_all(plan);
}

static void plan_whole(struct poll_plan *plan)
{
	plan->requests[0] = (struct poll_request){
	    .used = true, .whole = true, .count = plan->count};
	bool asked_for = format_target(plan, &plan->requests[0]);
	assert(asked_for); /* whole_from promises it */
}

/* As spread as later on, but nobody waits for a minute to be asked once. */
static void set_first_due(struct poll_request *request, int64_t now_ms)
{
	request->good = request->joined = false;
	if (request->used)
		request->due_ms =
		    now_ms + request->offset_ms * POLL_PLAN_FIRST_MS /
				 (request->interval_ms + POLL_PLAN_FIRST_MS);
}

void poll_plan_init(struct poll_plan *plan, const struct exchange *exchange,
    struct poll_source *sources, struct poll_request *requests, size_t count,
    unsigned place, unsigned places, int64_t now_ms)
{
	unsigned whole_from = exchange->whole_from;

	assert(count >= 1 && place < places && exchange->named_max >= 1 &&
	       exchange->named_max <= EXCHANGE_NAMED_MAX);
	*plan = (struct poll_plan){.exchange = exchange,
	    .sources = sources,
	    .requests = requests,
	    .count = count,
	    .place = place,
	    .places = places};
	memset(requests, 0, count * sizeof(requests[0]));
	qsort(sources, count, sizeof(sources[0]), by_symbol);
	if (whole_from > 0 && count >= whole_from)
		plan_whole(plan);
	else
		plan_named(plan);
	schedule(plan);
	for (size_t i = 0; i < count; i++)
		set_first_due(&requests[i], now_ms);
}

/* ---- the end of an attempt ---- */

static bool is_refused(enum quote_error error)
{
	return error == QUOTE_UNKNOWN_SYMBOL || error == QUOTE_BAD_REQUEST;
}

bool poll_plan_divides(
    const struct poll_request *request, enum quote_error error)
{
	return is_refused(error) && !request->whole && request->count > 1;
}

static struct poll_request *free_place(const struct poll_plan *plan)
{
	size_t i = 0;

	/* There is one: a used place has a symbol at least, this one has two.
	 */
	while (i < plan->count && plan->requests[i].used)
		i++;
	assert(i < plan->count);
	return &plan->requests[i];
}

/* `request`, but for `count` of its symbols from `first` on. */
static struct poll_request part_of(const struct poll_plan *plan,
    const struct poll_request *request, size_t first, size_t count,
    int64_t now_ms)
{
	struct poll_request part = {
	    .used = true, .count = count, .due_ms = now_ms};

	memcpy(part.sources, request->sources + first,
	    count * sizeof(part.sources[0]));
	bool asked_for = format_target(plan, &part);
	assert(asked_for); /* fewer of what was asked for before */
	return part;
}

void poll_plan_divide(struct poll_plan *plan, struct poll_request *request,
    int64_t now_ms, uint32_t random)
{
	struct poll_request whole = *request;
	size_t half = (whole.count + 1) / 2;

	assert(request->asking && !whole.whole && whole.count > 1);
	*request = part_of(plan, &whole, 0, half, now_ms);
	*free_place(plan) = part_of(
	    plan, &whole, half, whole.count - half, now_ms);
	if (whole.joined)
		plan->joins_failed++;
	plan->join_ms = now_ms + backoff_delay(POLL_PLAN_JOIN_MIN_MS,
				     POLL_PLAN_JOIN_MAX_MS,
				     1 + plan->joins_failed, random);
	schedule(plan);
}

static void end_well(
    struct poll_plan *plan, struct poll_request *request, int64_t now_ms)
{
	bool was_sick = request->sick;

	if (request->joined)
		plan->joins_failed = 0;
	request->good = true;
	request->joined = request->sick = false;
	request->failures = 0;
	if (plan->join_ms > 0 && now_ms >= plan->join_ms) {
		join_all(plan);
		schedule(plan);
	} else if (was_sick) {
		schedule(plan);
	}
}

void poll_plan_end(struct poll_plan *plan, struct poll_request *request,
    enum quote_error error, int64_t now_ms, uint32_t random)
{
	bool was_sick = request->sick;

	assert(request->asking);
	request->asking = false;
	if (error == QUOTE_OK) {
		end_well(plan, request, now_ms);
		return;
	}
	request->good = false;
	request->failures++;
	request->due_ms = now_ms + backoff_delay(POLLER_BACKOFF_MIN_MS,
				       POLLER_BACKOFF_MAX_MS, request->failures,
				       random);
	/* Once it is, only a good answer makes it well. */
	request->sick = was_sick || (!request->whole && request->count == 1 &&
					is_refused(error));
	if (request->sick != was_sick)
		schedule(plan);
}

/* ---- looking ---- */

size_t poll_plan_requests(const struct poll_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->count; i++)
		n += plan->requests[i].used;
	return n;
}

struct poll_request *poll_plan_next(const struct poll_plan *plan)
{
	struct poll_request *first = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		struct poll_request *request = &plan->requests[i];
		if (request->used && !request->asking &&
		    (first == NULL || request->due_ms < first->due_ms))
			first = request;
	}
	return first;
}

static int is_symbol(const void *key, const void *member)
{
	const struct poll_source *source = member;
	return strcmp(key, source->symbol);
}

struct poll_source *poll_plan_find(
    const struct poll_plan *plan, const char *symbol)
{
	return bsearch(symbol, plan->sources, plan->count,
	    sizeof(plan->sources[0]), is_symbol);
}
