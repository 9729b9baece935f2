/*
 * item_check: the names of an item's states, and what an item must satisfy to
 * be written or read at all. The writer and the reader of item.c both ask
 * here, so neither takes what the other would not.
 */
#include "feeds/item_check.h"

#include <assert.h>
#include <string.h>

#define DECIMALS_MAX 12
#define NAME_CHARS                   \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"abcdefghijklmnopqrstuvwxyz0123456789._:/-"

const char *const item_status_names[] = {"ok", "unavailable", NULL};
const char *const item_reason_names[] = {
    "", "insufficient_sources", "clock_uncertain", NULL};
const char *const item_state_names[] = {
    "used", "stale", "frozen", "outlier", "failed", NULL};

const char *item_status_name(enum item_status status)
{
	assert(status <= ITEM_UNAVAILABLE);
	return item_status_names[status];
}

const char *item_reason_name(enum item_reason reason)
{
	assert(reason <= ITEM_CLOCK_UNCERTAIN);
	return item_reason_names[reason];
}

const char *source_state_name(enum source_state state)
{
	assert(state <= SOURCE_FAILED);
	return item_state_names[state];
}

static bool is_name(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	return len > 0 && len < size && strspn(name, NAME_CHARS) == len;
}

static bool is_integer(int64_t value)
{
	return value >= 0 && value <= ITEM_INTEGER_MAX;
}

/* A number above zero that decimal_format writes and decimal_parse reads. */
static bool is_positive(bool has, struct decimal d)
{
	return !has || (d.mantissa > 0 && d.exponent <= DECIMAL_EXPONENT_MAX &&
			   d.exponent >= -DECIMAL_EXPONENT_MAX);
}

static bool check_quote(const struct quote *q)
{
	return is_positive(q->has_last, q->last) &&
	       is_positive(q->has_bid, q->bid) &&
	       is_positive(q->has_ask, q->ask) &&
	       (!q->has_exchange_ms || is_integer(q->exchange_ms));
}

/* All prices of an item have the feed's number of decimals. */
static bool check_decimals(struct decimal d, int *decimals)
{
	if (*decimals < 0)
		*decimals = -d.exponent;
	return d.exponent == -*decimals && *decimals <= DECIMALS_MAX &&
	       d.exponent <= 0;
}

static bool check_source(const struct item_source *s, int *decimals)
{
	const struct quote *q = &s->quote;
	bool failed = s->state == SOURCE_FAILED;
	bool quoted = q->has_last || q->has_bid || q->has_ask ||
		      q->has_exchange_ms;

	if (!is_name(s->exchange, sizeof(s->exchange)) ||
	    !is_name(s->symbol, sizeof(s->symbol)) ||
	    (s->via[0] != '\0' && !is_name(s->via, sizeof(s->via))))
		return false;
	if (!check_quote(q) || !is_positive(s->has_price, s->price) ||
	    !is_positive(s->has_rate, s->rate) ||
	    (s->has_answer && !is_integer(s->received_ms)))
		return false;
	if (s->has_price && !check_decimals(s->price, decimals))
		return false;
	if ((unsigned)s->state > SOURCE_FAILED ||
	    (unsigned)s->error >= QUOTE_ERROR_COUNT)
		return false;
	/* A source either failed, by some error, or has a price, from an
	 * answer; a converted one also the rate. */
	if (failed != (s->error != QUOTE_OK) || failed == s->has_price ||
	    ((!failed || quoted) && !s->has_answer))
		return false;
	return s->via[0] != '\0' ? failed || s->has_rate : !s->has_rate;
}

static bool check_order(
    const struct item_source *a, const struct item_source *b)
{
	int order = strcmp(a->exchange, b->exchange);

	return order < 0 || (order == 0 && strcmp(a->symbol, b->symbol) < 0);
}

static bool check_result(const struct item *item, unsigned used, int *decimals)
{
	const struct decimal *confidence = &item->confidence;

	if (item->status == ITEM_UNAVAILABLE)
		return item->reason == ITEM_CLOCK_UNCERTAIN ||
		       (item->reason == ITEM_INSUFFICIENT_SOURCES &&
			   used < item->min_sources);
	return item->status == ITEM_OK && item->reason == ITEM_NO_REASON &&
	       used >= item->min_sources && is_positive(true, item->price) &&
	       confidence->mantissa >= 0 &&
	       check_decimals(item->price, decimals) &&
	       check_decimals(*confidence, decimals);
}

bool item_check(const struct item *item)
{
	int decimals = -1;
	unsigned used = 0;

	if (!is_name(item->feed, sizeof(item->feed)) ||
	    item->sequence > (uint64_t)ITEM_INTEGER_MAX ||
	    !is_integer(item->published_ms) || !is_integer(item->expires_ms) ||
	    item->expires_ms < item->published_ms || item->min_sources < 1 ||
	    item->min_sources > FEED_SOURCES_MAX ||
	    item->source_count > FEED_SOURCES_MAX)
		return false;
	for (size_t i = 0; i < item->source_count; i++) {
		const struct item_source *s = &item->sources[i];
		if (!check_source(s, &decimals) ||
		    (i > 0 && !check_order(s - 1, s)))
			return false;
		used += s->state == SOURCE_USED;
	}
	return check_result(item, used, &decimals);
}
