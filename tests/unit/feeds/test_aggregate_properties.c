/*
 * aggregate_properties: what must hold for any input, over random rounds. The
 * seed is fixed: a failure comes again.
 *
 * Some properties hold for a median and not quite for a median of what an
 * outlier filter leaves; each test says what it does hold for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregate_fixture.h"

#define ROUNDS 100000 /* of each property */

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

	*s = (struct item_source){.exchange = "e00",
	    .symbol = "S",
	    .has_answer = true,
	    .received_ms = NOW,
	    .quote = {.has_last = true, .last = {cents, -2}}};
	s->exchange[1] = (char)('0' + item.source_count / 10);
	s->exchange[2] = (char)('0' + item.source_count % 10);
}

/* The rules anew, over the same sources with what they say now. */
static void run_again(void)
{
	for (size_t i = 0; i < item.source_count; i++)
		if (item.sources[i].state != SOURCE_FROZEN)
			item.sources[i].state = SOURCE_USED;
	run();
}

/* No filter: what is left is the median. */
static void no_outliers(void)
{
	config.outlier_floor_bps = 1000000; /* more than any file may say */
	config.max_deviation_bps = 1000000000;
}

static void any_rule(void)
{
	config.min_sources = (unsigned)draw(1, 4);
	config.max_deviation_bps = (unsigned)draw(1, 1000);
	config.outlier_mads = (unsigned)draw(1, 10);
	config.outlier_floor_bps = (unsigned)draw(0, 200);
}

static void shuffle(void)
{
	for (size_t i = item.source_count; i > 1; i--) {
		size_t j = (size_t)draw(0, (int64_t)i - 1);
		struct item_source swap = item.sources[i - 1];
		item.sources[i - 1] = item.sources[j];
		item.sources[j] = swap;
	}
}

static void order_does_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct item before;
		setup(NULL);
		any_rule();
		for (int64_t n = draw(1, 14); n > 0; n--)
			add_cents(draw(990000, 1010000));
		run();
		before.status = item.status;
		before.price = item.price;
		before.confidence = item.confidence;
		shuffle();
		run_again();
		assert_int_equal(item.status, before.status);
		assert_int_equal(item.price.mantissa, before.price.mantissa);
		assert_int_equal(
		    item.confidence.mantissa, before.confidence.mantissa);
	}
}

/* Anything that may come: the price lies among the sources that were used, the
 * quartiles about it, and the item can be signed. */
static void add_anything(void)
{
	struct item_source *s;

	add_cents(draw(0, 9) ? draw(990000, 1010000) : draw(1, 9000000));
	s = &item.sources[item.source_count - 1];
	s->received_ms = NOW - draw(0, 5600);
	if (draw(0, 2) == 0) {
		s->quote.has_bid = s->quote.has_ask = true;
		s->quote.bid = (struct decimal){draw(980000, 1010000), -2};
		s->quote.ask = (struct decimal){draw(990000, 1020000), -2};
	}
	if (draw(0, 9) == 0) {
		s->quote.has_exchange_ms = true;
		s->quote.exchange_ms = NOW - draw(-6000, 66000);
	}
	config.sources[item.source_count - 1].is_check = draw(0, 9) == 0;
	if (draw(0, 9) == 0)
		s->state = SOURCE_FROZEN;
	if (draw(0, 9) == 0) {
		memcpy(s->via, "USDT-USD", 9);
		s->has_rate = draw(0, 3) != 0;
		if (s->has_rate)
			s->rate = (struct decimal){draw(89900, 110100), -5};
	}
	if (draw(0, 9) == 0) {
		s->state = SOURCE_FAILED;
		s->error = QUOTE_TIMEOUT;
	}
}

static void any_past(void)
{
	config.max_jump_bps = (unsigned)draw(0, 500);
	config.jump_share_percent = (unsigned)draw(0, 100);
	past.has_price = draw(0, 1);
	past.price = (struct decimal){draw(900000, 1100000), -2};
	past.published_ms = NOW - draw(0, 700000);
	past.has_candidate = past.has_price && draw(0, 1);
	past.candidate = (struct decimal){draw(900000, 1100000), -2};
}

static void assert_within_used(void)
{
	int64_t low = INT64_MAX, high = 0;
	unsigned used = 0;

	for (size_t i = 0; i < item.source_count; i++) {
		int64_t price = item.sources[i].price.mantissa;
		if (item.sources[i].state != SOURCE_USED)
			continue;
		used++;
		low = price < low ? price : low;
		high = price > high ? price : high;
	}
	assert_true(used >= item.min_sources);
	assert_true(item.price.mantissa >= low);
	assert_true(item.price.mantissa <= high);
	assert_true(item.confidence.mantissa <= high - low);
}

static void within_the_used(void **state)
{
	static char text[ITEM_CONTENT_MAX];
	size_t len, counts[4] = {0};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		setup(NULL);
		any_rule();
		any_past();
		config.min_share_percent = (unsigned)draw(0, 100);
		for (int64_t n = draw(0, 20); n > 0; n--)
			add_anything();
		run();
		if (item.status == ITEM_OK)
			assert_within_used();
		counts[item.reason]++;
		if (round % 16)
			continue;
		item.expires_ms = NOW + 5000;
		assert_int_equal(
		    item_encode(&item, text, sizeof(text), &len), 0);
	}
	/* each outcome was met often enough to mean something */
	assert_true(counts[ITEM_NO_REASON] > ROUNDS / 20);
	assert_true(counts[ITEM_INSUFFICIENT_SOURCES] > ROUNDS / 20);
	assert_true(counts[ITEM_PRICE_JUMP] > ROUNDS / 20);
}

/* ---- liars ---- */

#define TRUTH 1000000

/* k of n say anything, 2k < n; the rest is within d of the truth. */
static void add_liars(int64_t n, int64_t k, int64_t d)
{
	static const int64_t near[] = {0, 1, -1};

	for (int64_t i = 0; i < n; i++) {
		int64_t lie = TRUTH + draw(-3, 3) * d + near[draw(0, 2)];
		if (i >= k)
			add_cents(draw(TRUTH - d, TRUTH + d));
		else if (draw(0, 1))
			add_cents(lie > 0 ? lie : 1);
		else
			add_cents(draw(0, 3) ? draw(1, 2 * TRUTH) : INT64_MAX);
	}
	shuffle();
}

static void assert_within(int64_t d)
{
	assert_int_equal(item.status, ITEM_OK);
	assert_true(item.price.mantissa >= TRUTH - d);
	assert_true(item.price.mantissa <= TRUTH + d);
}

/*
 * The median alone: always within d.
 */
static void liars_and_the_median(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t n = draw(1, 14), k = draw(0, (n - 1) / 2);
		int64_t d = draw(0, 30000);
		setup(NULL);
		no_outliers();
		config.min_sources = 1;
		add_liars(n, k, d);
		run();
		assert_within(d);
	}
}

/*
 * With the filter the liars could gain if it dropped honest ones: two liars
 * beside the upper one of three, and the lower two are "outliers" of a MAD near
 * zero. So the property holds where no honest source can be dropped: the median
 * m is within d of the truth, each honest source within 2d of m, and the floor
 * keeps what is that near. That is why the floor is there, and why it should
 * not be less than twice what honest exchanges differ by: with the default of
 * 50 bps (and 200 of max_deviation_bps) honest sources may be 24 bps off.
 */
static void liars_and_the_floor(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t n = draw(1, 14), k = draw(0, (n - 1) / 2);
		int64_t d = draw(0, 2400);
		setup(NULL);
		config.min_sources = (unsigned)(n - k);
		config.min_share_percent = 50;
		config.max_deviation_bps = 200;
		config.outlier_mads = (unsigned)draw(1, 10);
		add_liars(n, k, d);
		run();
		assert_within(d);
	}
}

/*
 * Where honest sources differ by more, liars can have some of them dropped and
 * so move the price beyond d: by no more than max_deviation_bps of m, for all
 * that are used are that near to m, and m is within d.
 */
static void liars_and_wide_markets(void **state)
{
	int beyond = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t n = draw(1, 14), k = draw(0, (n - 1) / 2);
		int64_t d = draw(2500, 30000), off;
		setup(NULL);
		config.min_sources = 1;
		config.max_deviation_bps = 200;
		add_liars(n, k, d);
		run();
		if (item.status != ITEM_OK)
			continue;
		off = item.price.mantissa - TRUTH;
		off = off < 0 ? -off : off;
		beyond += off > d;
		assert_true(off <= d + (TRUTH + d) / 50 + 1);
	}
	print_message("beyond d: %d of %d\n", beyond, ROUNDS);
	assert_true(beyond < ROUNDS / 20);
}

/* ---- one more ---- */

/*
 * The median alone: a source that equals the price never changes it. Beside an
 * odd number the middle one gets a twin; beside an even number it is the new
 * middle, rounding and all.
 */
static void one_that_agrees(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t price;
		setup(NULL);
		no_outliers();
		config.min_sources = 1;
		for (int64_t n = draw(1, 14); n > 0; n--)
			add_cents(draw(TRUTH - 20, TRUTH + 20));
		run();
		assert_int_equal(item.status, ITEM_OK);
		price = item.price.mantissa;
		for (int more = 0; more < 3; more++) {
			add_cents(price);
			run_again();
			assert_int_equal(item.status, ITEM_OK);
			assert_int_equal(item.price.mantissa, price);
		}
	}
}

/*
 * With the filter it can change what is dropped (the MAD becomes smaller, the
 * middle of the others moves to the price), and so the price. It holds where
 * nothing is dropped before or after, and the new price always lies among
 * those used, like any.
 */
static void one_that_agrees_and_the_filter(void **state)
{
	int kept = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		size_t dropped = 0;
		int64_t price;
		setup(NULL);
		config.min_sources = 1;
		config.max_deviation_bps = 200;
		for (int64_t n = draw(1, 14); n > 0; n--)
			add_cents(draw(0, 9) ? draw(TRUTH - 6000, TRUTH + 6000)
					     : draw(1, 2 * TRUTH));
		run();
		if (item.status != ITEM_OK)
			continue;
		price = item.price.mantissa;
		for (size_t i = 0; i < item.source_count; i++)
			dropped += item.sources[i].state == SOURCE_OUTLIER;
		add_cents(price);
		run_again();
		assert_int_equal(item.status, ITEM_OK);
		assert_within_used();
		for (size_t i = 0; i < item.source_count; i++)
			dropped += item.sources[i].state == SOURCE_OUTLIER;
		if (dropped > 0)
			continue;
		kept++;
		assert_int_equal(item.price.mantissa, price);
	}
	assert_true(kept > ROUNDS / 10);
}

/* ---- monotone ---- */

/* One source says more: the median is not less. */
static void monotone(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t price;
		size_t i;
		setup(NULL);
		no_outliers();
		config.min_sources = 1;
		for (int64_t n = draw(1, 14); n > 0; n--)
			add_cents(draw(TRUTH - 50, TRUTH + 50));
		run();
		price = item.price.mantissa;
		i = (size_t)draw(0, (int64_t)item.source_count - 1);
		item.sources[i].quote.last.mantissa += draw(1, 60);
		run_again();
		assert_int_equal(item.status, ITEM_OK);
		assert_true(item.price.mantissa >= price);
	}
}

/*
 * A source that goes so far up that it becomes an outlier no longer pulls: the
 * price may fall, that is what the filter is for. And by its MAD it may let
 * others in or out. It holds from one round to the next with the same sources
 * used in both; and the price never falls below the least of those used.
 */
static void monotone_and_the_filter(void **state)
{
	int same = 0, fell = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t used = 0, used_now = 0;
		int64_t price;
		setup(NULL);
		config.min_sources = 1;
		config.max_deviation_bps = 200;
		for (int64_t n = draw(1, 14); n > 0; n--)
			add_cents(draw(TRUTH - 6000, TRUTH + 6000));
		run();
		price = item.price.mantissa;
		for (size_t i = 0; i < item.source_count; i++)
			used |= (uint32_t)(item.sources[i].state == SOURCE_USED)
				<< i;
		item.sources[draw(0, (int64_t)item.source_count - 1)]
		    .quote.last.mantissa += draw(1, 20000);
		run_again();
		for (size_t i = 0; i < item.source_count; i++)
			used_now |=
			    (uint32_t)(item.sources[i].state == SOURCE_USED)
			    << i;
		if (item.status != ITEM_OK)
			continue;
		assert_within_used();
		fell += item.price.mantissa < price;
		if (used_now != used)
			continue;
		same++;
		assert_true(item.price.mantissa >= price);
	}
	print_message("fell: %d of %d, same sources: %d\n", fell, ROUNDS, same);
	assert_true(same > ROUNDS / 4);
}

/* Ten times the prices are ten times the price, but for its rounding. */
static void scales(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
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
			item.sources[i].quote.last.mantissa *= 10;
		}
		run_again();
		for (size_t i = 0; i < item.source_count; i++)
			assert_int_equal(item.sources[i].state, states[i]);
		assert_true(item.price.mantissa <= price * 10);
		assert_true(item.price.mantissa >= price * 10 - 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(order_does_not_matter),
	    cmocka_unit_test(within_the_used),
	    cmocka_unit_test(liars_and_the_median),
	    cmocka_unit_test(liars_and_the_floor),
	    cmocka_unit_test(liars_and_wide_markets),
	    cmocka_unit_test(one_that_agrees),
	    cmocka_unit_test(one_that_agrees_and_the_filter),
	    cmocka_unit_test(monotone),
	    cmocka_unit_test(monotone_and_the_filter),
	    cmocka_unit_test(scales),
	};

	return cmocka_run_group_tests_name(
	    "aggregate_properties", tests, NULL, NULL);
}
