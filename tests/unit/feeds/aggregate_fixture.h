/*
 * aggregate_fixture: a feed, its past and an item to fill, for the tests of
 * aggregate. Include it after cmocka.
 */
#ifndef HALLMARK_TESTS_AGGREGATE_FIXTURE_H
#define HALLMARK_TESTS_AGGREGATE_FIXTURE_H

#include "feeds/aggregate.h"

#include <stdio.h>
#include <string.h>

#define NOW 1763715600000

static struct feed_config config;
static struct aggregate_past past;
static struct item item;

/* Whatever it is called; only the meaning of its time matters here. */
static const struct exchange an_exchange = {.time = EXCHANGE_TIME_QUOTE};

/* The rules over what was added. */
static inline void run(void)
{
	config.source_count = item.source_count;
	for (size_t i = 0; i < item.source_count; i++)
		if (config.sources[i].exchange == NULL)
			config.sources[i].exchange = &an_exchange;
	aggregate(&config, &past, &item);
}

/* A feed with two decimals, at least two sources, no source yet. */
static inline int setup(void **state)
{
	(void)state;
	config = (struct feed_config){.feed = "BTC-USD",
	    .decimals = 2,
	    .interval_ms = 1000,
	    .max_age_ms = 5000,
	    .exchange_max_age_ms = 60000,
	    .min_sources = 2,
	    .max_deviation_bps = 10000,
	    .outlier_mads = 5,
	    .outlier_floor_bps = 50};
	past = (struct aggregate_past){0};
	item = (struct item){.feed = "BTC-USD", .published_ms = NOW};
	return 0;
}

static inline struct decimal number(const char *text)
{
	struct decimal d;

	assert_int_equal(decimal_parse(&d, text, strlen(text)), DECIMAL_OK);
	return d;
}

/* A fresh answer; NULL for a number that is missing. */
static inline struct item_source *add(
    const char *last, const char *bid, const char *ask)
{
	struct item_source *s = &item.sources[item.source_count++];

	*s = (struct item_source){.has_answer = true, .received_ms = NOW};
	snprintf(s->exchange, sizeof(s->exchange), "e%02zu", item.source_count);
	snprintf(s->symbol, sizeof(s->symbol), "S");
	s->quote.has_last = last != NULL;
	s->quote.has_bid = bid != NULL;
	s->quote.has_ask = ask != NULL;
	if (last != NULL)
		s->quote.last = number(last);
	if (bid != NULL)
		s->quote.bid = number(bid);
	if (ask != NULL)
		s->quote.ask = number(ask);
	return s;
}

static inline void add_last(int count, const char *const *prices)
{
	for (int i = 0; i < count; i++)
		add(prices[i], NULL, NULL);
}

static inline void assert_decimal(struct decimal d, const char *wanted)
{
	char text[DECIMAL_STRMAX];

	decimal_format(d, text);
	assert_string_equal(text, wanted);
}

static inline void assert_ok(const char *price, const char *confidence)
{
	assert_int_equal(item.status, ITEM_OK);
	assert_int_equal(item.reason, ITEM_NO_REASON);
	assert_decimal(item.price, price);
	assert_decimal(item.confidence, confidence);
}

static inline void assert_reason(enum item_reason reason)
{
	assert_int_equal(item.status, ITEM_UNAVAILABLE);
	assert_int_equal(item.reason, reason);
	assert_int_equal(item.price.mantissa, 0);
	assert_int_equal(item.confidence.mantissa, 0);
}

static inline void assert_unavailable(void)
{
	assert_reason(ITEM_INSUFFICIENT_SOURCES);
}

static inline void assert_failed(
    const struct item_source *s, enum quote_error error)
{
	assert_int_equal(s->state, SOURCE_FAILED);
	assert_int_equal(s->error, error);
	assert_false(s->has_price);
	assert_int_equal(s->price.mantissa, 0);
}

/* "u" used, "s" stale, "z" frozen, "o" outlier, "f" failed, "c" check, in
 * order. */
static inline void assert_states(const char *wanted)
{
	char states[FEED_SOURCES_MAX + 1] = "";

	for (size_t i = 0; i < item.source_count; i++)
		states[i] = "uszofc"[item.sources[i].state];
	assert_string_equal(states, wanted);
}

#endif
