/* replay_price: what was aggregated is recomputed the same, and whatever is
 * then changed in it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/feeds/aggregate_fixture.h"
#include "verifier/archive/replay_price.h"

#include <stdlib.h>

static struct replay_price_room *room;
static struct replay_price price;
static char content[ITEM_CONTENT_MAX];
static size_t len;

static int setup_room(void **state)
{
	(void)state;
	room = malloc(sizeof(*room));
	return room ? 0 : -1;
}

static int teardown_room(void **state)
{
	(void)state;
	free(room);
	return 0;
}

/* A kraken market and one that is converted; the names are real, so that an
 * item of them can be written. */
static void make_item(const char *const *prices, size_t count)
{
	setup(NULL);
	config.max_jump_bps = 1000;
	item.expires_ms = NOW + config.max_age_ms;
	for (size_t i = 0; i < count; i++) {
		struct item_source *s = add(prices[i], NULL, NULL);

		s->exchange[0] = (char)('a' + i);
		snprintf(config.sources[i].symbol, EXCHANGE_SYMBOL_MAX, "S");
	}
}

static struct exchange exchanges[FEED_SOURCES_MAX];

/* The rules, and the content of what they give. */
static void publish(void)
{
	for (size_t i = 0; i < item.source_count; i++) {
		struct item_source *s = &item.sources[i];

		if (s->state != SOURCE_FROZEN && s->error != QUOTE_TIMEOUT) {
			s->state = SOURCE_USED; /* as it was polled */
			s->error = QUOTE_OK;
		}
		exchanges[i] = an_exchange;
		exchanges[i].name = item.sources[i].exchange;
		config.sources[i].exchange = &exchanges[i];
	}
	run();
	assert_int_equal(item_encode(&item, content, sizeof(content), &len), 0);
}

static void make(bool with_config)
{
	static struct item said;

	assert_int_equal(item_encode(&item, content, sizeof(content), &len), 0);
	assert_int_equal(item_decode(&said, content, len), 0);
	replay_price_make(
	    &price, with_config ? &config : NULL, &said, content, len, room);
	assert_int_equal(price.same, price.other[0] == '\0');
}

static void assert_same(void)
{
	make(true);
	assert_string_equal(price.other, "");
	make(false);
	assert_string_equal(price.other, "");
}

static const char *const three[] = {"84000.00", "84010.00", "84020.01"};

static void the_same(void **state)
{
	(void)state;
	make_item(three, 3);
	publish();
	assert_int_equal(item.status, ITEM_OK);
	make(true);
	assert_true(price.same);
	assert_true(price.asks_past);
	assert_true(price.after.has_price);
	assert_int_equal(price.used, 3);
	make(false);
	assert_true(price.same);
	assert_false(price.asks_past);
}

/* Every state that a source may have. */
static void all_states(void **state)
{
	static const char *const prices[] = {"84000.00", "84001.00", "84002.00",
	    "84003.00", "84004.00", "99000.00", "84005.00", "84006.00"};

	(void)state;
	make_item(prices, 8);
	config.max_deviation_bps = 200;
	item.sources[1].received_ms = NOW - 6000; /* stale */
	item.sources[2].state = SOURCE_FROZEN;
	item.sources[3] = (struct item_source){.exchange = "d02",
	    .symbol = "S",
	    .state = SOURCE_FAILED,
	    .error = QUOTE_TIMEOUT};
	config.sources[4].is_check = true;
	item.sources[6].quote.has_last = false; /* no price */
	item.sources[6].quote.last = (struct decimal){0};
	item.sources[6].quote.has_exchange_ms = true;
	item.sources[6].quote.exchange_ms = NOW;
	snprintf(item.sources[7].via, FEED_NAME_MAX, "USDT-USD");
	snprintf(config.sources[7].quote_feed, FEED_NAME_MAX, "USDT-USD");
	config.min_sources = 1;
	publish();
	assert_int_equal(item.sources[1].state, SOURCE_STALE);
	assert_int_equal(item.sources[4].state, SOURCE_CHECK);
	assert_int_equal(item.sources[5].state, SOURCE_OUTLIER);
	assert_int_equal(item.sources[6].error, QUOTE_NO_PRICE);
	assert_int_equal(item.sources[7].error, QUOTE_NO_RATE);
	assert_same();
	item.sources[7].has_rate = true;
	item.sources[7].rate = number("0.9998");
	publish();
	assert_int_equal(item.sources[7].state, SOURCE_USED);
	assert_same();
}

static void unavailable(void **state)
{
	(void)state;
	make_item(three, 1); /* two are wanted */
	publish();
	assert_int_equal(item.reason, ITEM_INSUFFICIENT_SOURCES);
	assert_same();
	make_item(three, 3);
	publish();
	item.status = ITEM_UNAVAILABLE;
	item.reason = ITEM_CLOCK_UNCERTAIN;
	item.price = item.confidence = (struct decimal){0};
	assert_same();
	assert_false(price.asks_past);
	item.reason = ITEM_PRICE_JUMP;
	assert_same();
	make(true);
	assert_true(price.asks_past);
	assert_true(price.after.has_candidate);
	assert_false(price.after.has_price);
	assert_int_equal(price.price.mantissa, 8401000);
}

/* What is wrong is said, with the numbers. */
static void assert_other(bool with_config, const char *part)
{
	make(with_config);
	assert_false(price.same);
	if (!strstr(price.other, part))
		fail_msg("\"%s\" is not in \"%s\"", part, price.other);
}

static void another_price(void **state)
{
	(void)state;
	make_item(three, 3);
	publish();
	item.price.mantissa++;
	assert_other(true, "says 84010.01, recomputed 84010.00");
	assert_other(false, "says 84010.01, recomputed 84010.00");
	item.price.mantissa--;
	item.confidence.mantissa--;
	assert_other(false, "says confidence");
	item.confidence.mantissa++;
	item.sources[1].price.mantissa++;
	assert_other(false, "b02 S: says 84010.01 (used), recomputed 84010.00");
	item.sources[1].price.mantissa--;
	item.min_sources = 1;
	assert_other(true, "says min_sources 1, recomputed 2");
	make(false); /* the item's word */
	assert_true(price.same);
}

/* States are the item's word without the configuration, and not with it. */
static void another_state(void **state)
{
	(void)state;
	make_item(three, 3);
	publish();
	item.sources[2].state = SOURCE_STALE;
	assert_other(true, "(stale), recomputed 84020.01 (used)");
	assert_other(false, "says 84010.00, recomputed 84005.00");
	item.sources[2].state = SOURCE_USED;
	item.status = ITEM_UNAVAILABLE;
	item.reason = ITEM_INSUFFICIENT_SOURCES;
	item.price = item.confidence = (struct decimal){0};
	item.min_sources = 4;
	assert_other(true, "says unavailable insufficient_sources, recomputed "
			   "ok");
}

static void another_feed(void **state)
{
	(void)state;
	make_item(three, 3);
	publish();
	config.source_count = 2;
	assert_other(true, "has 3 sources, the configuration 2");
	config.source_count = 3;
	snprintf(config.sources[1].symbol, EXCHANGE_SYMBOL_MAX, "T");
	assert_other(true, "source 2 is not the configuration's");
	snprintf(config.sources[1].symbol, EXCHANGE_SYMBOL_MAX, "S");
	item.expires_ms++;
	assert_other(true, "expires after 5001 ms, not 5000");
	make(false);
	assert_true(price.same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same),
	    cmocka_unit_test(all_states),
	    cmocka_unit_test(unavailable),
	    cmocka_unit_test(another_price),
	    cmocka_unit_test(another_state),
	    cmocka_unit_test(another_feed),
	};

	return cmocka_run_group_tests_name(
	    "replay_price", tests, setup_room, teardown_room);
}
