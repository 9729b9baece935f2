/*
 * item_check: the names of an item's states, and what an item must satisfy to
 * be written or read at all. The writer and the reader of item.c both ask
 * here, so neither takes what the other would not.
 */
#include "feeds/item_check.h"

#include "feeds/check.h"

#include <assert.h>
#include <string.h>

#define DECIMALS_MAX 12

const char *const item_status_names[] = {"ok", "unavailable", NULL};
const char *const item_reason_names[] = {
    "", "insufficient_sources", "clock_uncertain", "price_jump", NULL};
const char *const item_state_names[] = {
    "used", "stale", "frozen", "outlier", "failed", "check", NULL};

const char *item_status_name(enum item_status status)
{
	assert(status <= ITEM_UNAVAILABLE);
	return item_status_names[status];
}

const char *item_reason_name(enum item_reason reason)
{
	assert(reason <= ITEM_PRICE_JUMP);
	return item_reason_names[reason];
}

const char *source_state_name(enum source_state state)
{
	assert(state <= SOURCE_CHECK);
	return item_state_names[state];
}

static bool is_name_char(char c)
{
	/* unnamed: a fact */
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= ':') || (c >= '-' && c <= '/') || c == '_';
}

bool item_check_name(const char *name, size_t size)
{
	size_t len = 0;

	while (len < size && is_name_char(name[len]))
		len++;
	return REQUIRE(name_empty, len > 0) && REQUIRE(name_end, len < size) &&
	       REQUIRE(name_chars_known, name[len] == '\0');
}

static bool is_integer(int64_t value)
{
	return REQUIRE(integer_negative, value >= 0) &&
	       REQUIRE(integer_max, value <= ITEM_INTEGER_MAX);
}

/* A number above zero that decimal_format writes and decimal_parse reads. */
static bool is_positive(bool has, struct decimal d)
{
	if (!has)
		return true;
	return REQUIRE(decimal_positive, d.mantissa > 0) &&
	       REQUIRE(decimal_large, d.exponent <= DECIMAL_EXPONENT_MAX) &&
	       REQUIRE(decimal_small, d.exponent >= -DECIMAL_EXPONENT_MAX);
}

static bool check_quote(const struct quote *q)
{
	return REQUIRE(quote_last, is_positive(q->has_last, q->last)) &&
	       REQUIRE(quote_bid, is_positive(q->has_bid, q->bid)) &&
	       REQUIRE(quote_ask, is_positive(q->has_ask, q->ask)) &&
	       REQUIRE(quote_time,
		   !q->has_exchange_ms || is_integer(q->exchange_ms));
}

/* All prices of an item have the feed's number of decimals. */
static bool check_decimals(struct decimal d, int *decimals)
{
	if (*decimals < 0)
		*decimals = -d.exponent;
	return REQUIRE(decimals_same, d.exponent == -*decimals) &&
	       REQUIRE(decimals_max, *decimals <= DECIMALS_MAX) &&
	       REQUIRE(decimals_min, d.exponent <= 0);
}

static bool check_source(const struct item_source *s, int *decimals)
{
	const struct quote *q = &s->quote;
	bool failed = s->state == SOURCE_FAILED;
	bool quoted = q->has_last || q->has_bid || q->has_ask ||
		      q->has_exchange_ms;

	if (REFUSE(source_exchange,
		!item_check_name(s->exchange, sizeof(s->exchange))) ||
	    REFUSE(source_symbol,
		!item_check_name(s->symbol, sizeof(s->symbol))) ||
	    REFUSE(source_via,
		s->via[0] != '\0' && !item_check_name(s->via, sizeof(s->via))))
		return false;
	if (!check_quote(q) ||
	    REFUSE(source_price, !is_positive(s->has_price, s->price)) ||
	    REFUSE(source_rate, !is_positive(s->has_rate, s->rate)) ||
	    REFUSE(
		source_received, s->has_answer && !is_integer(s->received_ms)))
		return false;
	if (REFUSE(source_decimals,
		s->has_price && !check_decimals(s->price, decimals)))
		return false;
	if (REFUSE(source_state, (unsigned)s->state > SOURCE_CHECK) ||
	    REFUSE(source_error, (unsigned)s->error >= QUOTE_ERROR_COUNT))
		return false;
	/* A source either failed, by some error, or has a price, from an
	 * answer; a converted one also the rate. */
	if (REFUSE(source_why, failed != (s->error != QUOTE_OK)) ||
	    REFUSE(source_or_price, failed == s->has_price) ||
	    REFUSE(source_answer, (!failed || quoted) && !s->has_answer))
		return false;
	return s->via[0] != '\0'
		   ? REQUIRE(source_has_rate, failed || s->has_rate)
		   : REQUIRE(source_no_rate, !s->has_rate);
}

static bool check_order(
    const struct item_source *a, const struct item_source *b)
{
	int order = strcmp(a->exchange, b->exchange);

	return order < 0 || (order == 0 && strcmp(a->symbol, b->symbol) < 0);
}

/* Why there is no price: what the sources show, or what they cannot, the
 * clock. A jump is one of a price that could have been. */
static bool check_reason(const struct item *item, unsigned used)
{
	switch (item->reason) {
	case ITEM_INSUFFICIENT_SOURCES:
		return REQUIRE(reason_sources, used < item->min_sources);
	case ITEM_PRICE_JUMP:
		return REQUIRE(reason_jump, used >= item->min_sources);
	case ITEM_CLOCK_UNCERTAIN:
		return true;
	default:
		return REQUIRE(reason_known, false);
	}
}

static bool check_result(const struct item *item, unsigned used, int *decimals)
{
	const struct decimal *confidence = &item->confidence;

	if (item->status == ITEM_UNAVAILABLE)
		return check_reason(item, used);
	return REQUIRE(result_status, item->status == ITEM_OK) &&
	       REQUIRE(result_no_reason, item->reason == ITEM_NO_REASON) &&
	       REQUIRE(result_sources, used >= item->min_sources) &&
	       REQUIRE(result_price, is_positive(true, item->price)) &&
	       REQUIRE(result_confidence, confidence->mantissa >= 0) &&
	       REQUIRE(result_price_decimals,
		   check_decimals(item->price, decimals)) &&
	       REQUIRE(result_confidence_decimals,
		   check_decimals(*confidence, decimals));
}

bool item_check(const struct item *item)
{
	int decimals = -1;
	unsigned used = 0;

	if (REFUSE(
		item_feed, !item_check_name(item->feed, sizeof(item->feed))) ||
	    REFUSE(
		item_sequence, item->sequence > (uint64_t)ITEM_INTEGER_MAX) ||
	    REFUSE(item_published, !is_integer(item->published_ms)) ||
	    REFUSE(item_expires, !is_integer(item->expires_ms)) ||
	    REFUSE(item_times, item->expires_ms < item->published_ms) ||
	    REFUSE(item_min_sources_0, item->min_sources < 1) ||
	    REFUSE(item_min_sources, item->min_sources > FEED_SOURCES_MAX) ||
	    REFUSE(item_sources, item->source_count > FEED_SOURCES_MAX))
		return false;
	for (size_t i = 0; i < item->source_count; i++) {
		const struct item_source *s = &item->sources[i];

		if (!check_source(s, &decimals) ||
		    REFUSE(item_order, i > 0 && !check_order(s - 1, s)))
			return false;
		used += s->state == SOURCE_USED;
	}
	return check_result(item, used, &decimals);
}
