/*
 * aggregate_properties: what must hold for any input of aggregate.
 */
#include "feeds/aggregate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1763715600000

static struct feed_config config;
static struct aggregate_past past;
static struct item item;

/* Whatever it is called; only the meaning of its time matters here. */
static const struct exchange an_exchange = {.time = EXCHANGE_TIME_QUOTE};

static void run(void)
{
	config.source_count = item.source_count;
	for (size_t i = 0; i < item.source_count; i++)
		if (config.sources[i].exchange == NULL)
			config.sources[i].exchange = &an_exchange;
	aggregate(&config, &past, &item);
}

/* A feed with two decimals, at least two sources, no source yet. */
static int setup(void **state)
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

static uint64_t seed = 42;

static int64_t draw(int64_t min, int64_t max)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return min + (int64_t)((seed >> 33) % (uint64_t)(max - min + 1));
}

/* A fresh answer with nothing but a last price. */
static void add_cents(int64_t cents)
{
	struct item_source *s = &item.sources[item.source_count++];

	*s = (struct item_source){.symbol = "S",
	    .has_answer = true,
	    .received_ms = NOW,
	    .quote = {.has_last = true, .last = {cents, -2}}};
	snprintf(s->exchange, sizeof(s->exchange), "e%02zu", item.source_count);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct item_source swap;
		struct decimal price, confidence;
		enum item_status status;
		setup(NULL);
		config.max_deviation_bps = (unsigned)draw(1, 1000);
		for (int64_t n = draw(1, 12); n > 0; n--)
			add_cents(draw(990000, 1010000));
		run();
		status = item.status;
		price = item.price;
		confidence = item.confidence;
		for (size_t i = item.source_count - 1; i > 0; i--) {
			size_t j = (size_t)draw(0, (int64_t)i);
			swap = item.sources[i];
			item.sources[i] = item.sources[j];
			item.sources[j] = swap;
		}
		for (size_t i = 0; i < item.source_count; i++)
			item.sources[i].state = SOURCE_USED;
		run();
		assert_int_equal(item.status, status);
		assert_int_equal(item.price.mantissa, price.mantissa);
		assert_int_equal(item.confidence.mantissa, confidence.mantissa);
	}
}

/* Three honest sources, and one that may say anything. */
static void one_liar_of_four(void **state)
{
	static const int64_t lies[] = {1, 2, 999999, 1000000, 1000050, 1000100,
	    1005000, 1005001, 1020000, 2000000, INT64_MAX};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		int64_t low = INT64_MAX, high = 0, lie;
		setup(NULL);
		config.min_sources = 3;
		config.max_deviation_bps = 200;
		for (int i = 0; i < 3; i++) {
			int64_t honest = draw(1000000, 1000100);
			low = honest < low ? honest : low;
			high = honest > high ? honest : high;
			add_cents(honest);
		}
		lie = round % 2 ? lies[draw(0, 10)] : draw(900000, 1100000);
		add_cents(lie);
		run();
		assert_int_equal(item.status, ITEM_OK);
		assert_true(item.price.mantissa >= low);
		assert_true(item.price.mantissa <= high);
	}
}

/* Ten times the prices are ten times the price, but for its rounding. */
static void scales(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		int64_t price;
		enum source_state states[FEED_SOURCES_MAX];
		setup(NULL);
		for (int64_t n = draw(2, 9); n > 0; n--)
			add_cents(draw(980000, 1020000));
		run();
		if (item.status != ITEM_OK)
			continue;
		price = item.price.mantissa;
		for (size_t i = 0; i < item.source_count; i++) {
			states[i] = item.sources[i].state;
			item.sources[i].state = SOURCE_USED;
			item.sources[i].quote.last.mantissa *= 10;
		}
		run();
		for (size_t i = 0; i < item.source_count; i++)
			assert_int_equal(item.sources[i].state, states[i]);
		assert_true(item.price.mantissa <= price * 10);
		assert_true(item.price.mantissa >= price * 10 - 5);
	}
}

/* The price lies among the sources that were used, the quartiles about it, and
 * the item can be signed. */
static void holds_together(void **state)
{
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		int64_t low = INT64_MAX, high = 0;
		setup(NULL);
		config.min_sources = (unsigned)draw(1, 4);
		config.max_deviation_bps = (unsigned)draw(1, 500);
		item.min_sources = config.min_sources;
		item.expires_ms = NOW + 5000;
		for (int64_t n = draw(0, 32); n > 0; n--) {
			struct item_source *s;
			add_cents(draw(0, 9) ? draw(990000, 1010000)
					     : draw(1, 9000000));
			s = &item.sources[item.source_count - 1];
			s->received_ms = NOW - draw(0, 5600);
			if (draw(0, 9) == 0)
				s->state = SOURCE_FROZEN;
			if (draw(0, 9) == 0)
				memcpy(s->via, "USDT-USD", 9);
			if (draw(0, 9) == 0) {
				s->state = SOURCE_FAILED;
				s->error = QUOTE_TIMEOUT;
			}
		}
		run();
		assert_int_equal(
		    item_encode(&item, text, sizeof(text), &len), 0);
		if (item.status != ITEM_OK)
			continue;
		for (size_t i = 0; i < item.source_count; i++) {
			int64_t price = item.sources[i].price.mantissa;
			if (item.sources[i].state != SOURCE_USED)
				continue;
			low = price < low ? price : low;
			high = price > high ? price : high;
		}
		assert_true(item.price.mantissa >= low);
		assert_true(item.price.mantissa <= high);
		assert_true(item.confidence.mantissa <= high - low);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(order_does_not_matter, setup),
	    cmocka_unit_test_setup(one_liar_of_four, setup),
	    cmocka_unit_test_setup(scales, setup),
	    cmocka_unit_test_setup(holds_together, setup),
	};

	return cmocka_run_group_tests_name(
	    "aggregate_properties", tests, NULL, NULL);
}
