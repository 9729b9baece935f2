/*
 * aggregate, the jump: what of the past measures a price, to the last cent and
 * millisecond, and what the items alone say of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregate_fixture.h"

static int setup_jump(void **state)
{
	setup(state);
	config.min_sources = 1;
	config.max_jump_bps = 1000;
	config.jump_share_percent = 60;
	return 0;
}

/* One round at this time: so many sources at the price, the rest silent. Then
 * it is past. */
static void round_of(
    int64_t published_ms, size_t used, size_t silent, const char *price)
{
	item = (struct item){.feed = "BTC-USD", .published_ms = published_ms};
	for (size_t i = 0; i < used + silent; i++) {
		struct item_source *s = add(price, NULL, NULL);
		s->received_ms = published_ms;
		if (i >= used)
			*s = (struct item_source){.symbol = "T",
			    .exchange = "silent",
			    .state = SOURCE_FAILED,
			    .error = QUOTE_TIMEOUT};
	}
	run();
	aggregate_remember(&past, &config, &item);
}

static void one(const char *price)
{
	round_of(NOW, 1, 0, price);
}

static void the_first_has_no_past(void **state)
{
	(void)state;
	one("0.01");
	assert_ok("0.01", "0.00");
	setup_jump(NULL);
	one("92233720368547758.07");
	assert_ok("92233720368547758.07", "0.00");
}

static void to_the_last_cent(void **state)
{
	static const struct {
		unsigned bps;
		const char *from, *to;
		bool jump;
	} cases[] = {
	    {1000, "100.00", "110.00", false},
	    {1000, "100.00", "110.01", true},
	    {1000, "100.00", "90.00", false},
	    {1000, "100.00", "89.99", true},
	    {1000, "100.00", "100.00", false},
	    /* 10 % of 100.05 is 10.005: ten cents are less than that */
	    {1000, "100.05", "110.05", false},
	    {1000, "100.05", "110.06", true},
	    {1000, "0.01", "0.01", false},
	    {1000, "0.01", "0.02", true},
	    {1, "100.00", "100.01", false},
	    {1, "100.00", "100.02", true},
	    {1, "99.99", "100.00", true},
	    {10000, "100.00", "200.00", false},
	    {10000, "100.00", "200.01", true},
	    {10000, "100.00", "0.01", false},
	    {0, "100.00", "0.01", false}, /* off */
	    {0, "100.00", "92233720368547758.07", false},
	    {10000, "92233720368547758.07", "0.01", false},
	    {9999, "92233720368547758.07", "0.01", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup_jump(NULL);
		config.max_jump_bps = cases[i].bps;
		one(cases[i].from);
		assert_ok(cases[i].from, "0.00");
		one(cases[i].to);
		if (cases[i].jump)
			assert_reason(ITEM_PRICE_JUMP);
		else
			assert_ok(cases[i].to, "0.00");
	}
}

/* At ten minutes it is a measure, a millisecond later it is none. */
static void a_past_grows_old(void **state)
{
	static const struct {
		int64_t later_ms;
		bool jump;
	} cases[] = {
	    {0, true},
	    {1000, true},
	    {600000, true},
	    {600001, false},
	    {-1, true}, /* our clock went back */
	    {INT64_MAX - NOW, false},
	    {-NOW, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup_jump(NULL);
		one("100");
		round_of(NOW + cases[i].later_ms, 1, 0, "111");
		if (cases[i].jump)
			assert_reason(ITEM_PRICE_JUMP);
		else
			assert_ok("111.00", "0.00");
	}
}

/* It is the price that grows old, not what was said since. */
static void unavailable_items_do_not_renew_it(void **state)
{
	(void)state;
	one("100");
	round_of(NOW + 300000, 0, 1, "100");
	assert_unavailable();
	round_of(NOW + 600000, 1, 0, "111");
	assert_reason(ITEM_PRICE_JUMP);
	setup_jump(NULL);
	one("100");
	round_of(NOW + 600000, 1, 0, "50");
	assert_reason(ITEM_PRICE_JUMP);
	round_of(NOW + 600001, 1, 0, "200");
	assert_ok("200.00", "0.00");
}

static void a_second_round_confirms(void **state)
{
	static const struct {
		const char *first, *second;
		bool jump;
	} cases[] = {
	    {"150.00", "150.00", false}, {"150.00", "165.00", false},
	    {"150.00", "165.01", true}, {"150.00", "135.00", false},
	    {"150.00", "134.99", true}, {"50.00", "55.00", false},
	    {"50.00", "55.01", true}, {"150.00", "50.00", true},
	    {"150.00", "104.00", false}, /* back: no jump at all */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup_jump(NULL);
		one("100");
		one(cases[i].first);
		assert_reason(ITEM_PRICE_JUMP);
		one(cases[i].second);
		if (cases[i].jump) {
			assert_reason(ITEM_PRICE_JUMP);
			assert_true(past.has_candidate);
			continue;
		}
		assert_ok(cases[i].second, "0.00");
		assert_false(past.has_candidate);
		assert_decimal(past.price, cases[i].second);
	}
}

/* Each round needs its own candidate: the one of the round before. */
static void the_newest_candidate_counts(void **state)
{
	(void)state;
	one("100");
	one("150");
	one("200");
	assert_reason(ITEM_PRICE_JUMP);
	one("150");
	assert_reason(ITEM_PRICE_JUMP);
	one("150");
	assert_ok("150.00", "0.00");
	one("100"); /* and the way back is the same */
	assert_reason(ITEM_PRICE_JUMP);
	one("100");
	assert_ok("100.00", "0.00");
}

/* Between the two nothing else: a round with too few sources, or with a clock
 * that nobody believes, confirms nothing. */
static void what_clears_a_candidate(void **state)
{
	(void)state;
	one("100");
	one("150");
	round_of(NOW, 0, 1, "150");
	assert_unavailable();
	one("150");
	assert_reason(ITEM_PRICE_JUMP);
	item.reason = ITEM_CLOCK_UNCERTAIN;
	aggregate_remember(&past, &config, &item);
	assert_false(past.has_candidate);
	assert_decimal(past.price, "100.00");
	one("150");
	assert_reason(ITEM_PRICE_JUMP);
	one("150");
	assert_ok("150.00", "0.00");
}

/* Of ten that vote six must be used; checks are not asked. */
static void enough_must_confirm(void **state)
{
	static const struct {
		unsigned percent;
		size_t used, silent;
		bool jump;
	} cases[] = {
	    {60, 6, 4, false},
	    {60, 5, 5, true},
	    {60, 3, 2, false},
	    {60, 2, 2, true},
	    {61, 6, 4, true},
	    {0, 1, 9, false},
	    {100, 9, 1, true},
	    {100, 10, 0, false},
	    {1, 1, 31, false},
	    {3, 1, 31, false},
	    {4, 1, 31, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup_jump(NULL);
		config.jump_share_percent = cases[i].percent;
		one("100");
		/* of those that said it first one is enough */
		round_of(NOW, 1, cases[i].used + cases[i].silent - 1, "150");
		assert_reason(ITEM_PRICE_JUMP);
		round_of(NOW, cases[i].used, cases[i].silent, "150");
		if (cases[i].jump)
			assert_reason(ITEM_PRICE_JUMP);
		else
			assert_ok("150.00", "0.00");
	}
	setup_jump(NULL);
	one("100");
	config.sources[3].is_check = config.sources[4].is_check = true;
	round_of(NOW, 5, 0, "150");
	assert_states("uuucc");
	round_of(NOW, 2, 3, "150"); /* two of three */
	assert_ok("150.00", "0.00");
}

/* Without the minimum it is no jump, and no candidate either. */
static void too_few_come_first(void **state)
{
	(void)state;
	one("100");
	config.min_sources = 2;
	round_of(NOW, 1, 1, "150");
	assert_unavailable();
	assert_false(past.has_candidate);
}

/* The sources of a price_jump stay what they were: used. */
static void the_item_shows_why(void **state)
{
	(void)state;
	one("100");
	round_of(NOW, 3, 1, "150");
	assert_reason(ITEM_PRICE_JUMP);
	assert_states("uuuf");
	assert_decimal(item.sources[0].price, "150.00");
}

/* A candidate is rounded as a price is, and outliers are no part of it. */
static void candidate_of_the_used(void **state)
{
	static const char *const prices[] = {"150", "150.01", "999"};

	(void)state;
	one("100");
	item = (struct item){.published_ms = NOW};
	config.max_deviation_bps = 200;
	add_last(3, prices);
	run();
	assert_states("uuo");
	aggregate_remember(&past, &config, &item);
	assert_decimal(past.candidate, "150.01"); /* 150.005, half up */
	assert_decimal(past.price, "100.00");
}

/* As replay does it: what the decoded items say is the past. */
static void from_the_items_alone(void **state)
{
	static const char *const prices[] = {
	    "100", "150", "149", "148", "70", "260", "70", "71"};
	static struct item read;
	static char text[ITEM_CONTENT_MAX];
	struct aggregate_past again = {0};
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
		round_of(NOW + (int64_t)i * 1000, 3, i % 2, prices[i]);
		item.expires_ms = item.published_ms + config.max_age_ms;
		assert_int_equal(
		    item_encode(&item, text, sizeof(text), &len), 0);
		assert_int_equal(item_decode(&read, text, len), 0);
		aggregate_remember(&again, &config, &read);
		assert_int_equal(again.has_price, past.has_price);
		assert_int_equal(again.published_ms, past.published_ms);
		assert_int_equal(again.has_candidate, past.has_candidate);
		assert_int_equal(decimal_compare(again.price, past.price), 0);
		assert_int_equal(
		    decimal_compare(again.candidate, past.candidate), 0);
	}
}

/* What has no candidate is not asked for one, whatever it holds; and a jump of
 * nobody, which no item that can be read is, leaves none. */
static void no_candidate(void **state)
{
	static const struct item nobody = {
	    .status = ITEM_UNAVAILABLE, .reason = ITEM_PRICE_JUMP};

	(void)state;
	one("100");
	past.candidate = number("150.00");
	one("150");
	assert_reason(ITEM_PRICE_JUMP);
	assert_true(past.has_candidate);
	aggregate_remember(&past, &config, &nobody);
	assert_false(past.has_candidate);
	assert_decimal(past.price, "100.00");
}

/* A past of other decimals is measured by its value; one that does not fit is
 * none. */
static void other_decimals(void **state)
{
	(void)state;
	past = (struct aggregate_past){
	    .has_price = true, .price = {100, 0}, .published_ms = NOW};
	one("110");
	assert_ok("110.00", "0.00");
	past.price = (struct decimal){1000000, -4};
	one("110.01");
	assert_reason(ITEM_PRICE_JUMP);
	past = (struct aggregate_past){
	    .has_price = true, .price = {INT64_MAX, 0}, .published_ms = NOW};
	one("1");
	assert_ok("1.00", "0.00");
}

/* As in to_the_last_cent, of a price that somebody else has made. */
static void rule_7_alone(void **state)
{
	(void)state;
	one("100.00");
	config.source_count = 1;
	assert_true(
	    aggregate_may_publish(&config, &past, NOW, number("110.00"), 1));
	assert_false(
	    aggregate_may_publish(&config, &past, NOW, number("110.01"), 1));
	assert_true(aggregate_may_publish(
	    &config, &past, NOW + AGGREGATE_PAST_MS + 1, number("110.01"), 1));
	one("110.01");
	assert_true(
	    aggregate_may_publish(&config, &past, NOW, number("110.01"), 1));
	assert_false(
	    aggregate_may_publish(&config, &past, NOW, number("110.01"), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_first_has_no_past, setup_jump),
	    cmocka_unit_test_setup(to_the_last_cent, setup_jump),
	    cmocka_unit_test_setup(a_past_grows_old, setup_jump),
	    cmocka_unit_test_setup(
		unavailable_items_do_not_renew_it, setup_jump),
	    cmocka_unit_test_setup(a_second_round_confirms, setup_jump),
	    cmocka_unit_test_setup(the_newest_candidate_counts, setup_jump),
	    cmocka_unit_test_setup(what_clears_a_candidate, setup_jump),
	    cmocka_unit_test_setup(enough_must_confirm, setup_jump),
	    cmocka_unit_test_setup(too_few_come_first, setup_jump),
	    cmocka_unit_test_setup(the_item_shows_why, setup_jump),
	    cmocka_unit_test_setup(candidate_of_the_used, setup_jump),
	    cmocka_unit_test_setup(from_the_items_alone, setup_jump),
	    cmocka_unit_test_setup(no_candidate, setup_jump),
	    cmocka_unit_test_setup(other_decimals, setup_jump),
	    cmocka_unit_test_setup(rule_7_alone, setup_jump),
	};

	return cmocka_run_group_tests_name("aggregate_jump", tests, NULL, NULL);
}
