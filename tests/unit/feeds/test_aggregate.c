/*
 * aggregate: worked examples, and each rule at its edge and one step beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregate_fixture.h"

/* ---- by hand ---- */

static void four_exchanges(void **state)
{
	struct item_source *binance;

	(void)state;
	config.min_sources = 3;
	config.max_deviation_bps = 200;
	binance = add("84089.08", "84089.07", "84089.08"); /* in USDT */
	memcpy(binance->via, "USDT-USD", 9);
	binance->has_rate = true;
	binance->rate = number("0.999370");
	add("84036.01", "84036.10", "84036.12"); /* last below the book */
	add("84036.00000", "84036.00000", "84036.10000");
	add("84040", "84031", "84035");
	run();
	/* 84089.08 x 0.99937 = 84036.1038796 */
	assert_decimal(item.sources[0].price, "84036.10");
	assert_decimal(item.sources[1].price, "84036.10");
	assert_decimal(item.sources[2].price, "84036.00");
	assert_decimal(item.sources[3].price, "84035.00");
	assert_states("uuuu");
	/* sorted 35.00 36.00 36.10 36.10: (36.00 + 36.10) / 2 = 36.05;
	 * p25 = v[1] = 36.00, p75 = v[2] = 36.10 */
	assert_ok("84036.05", "0.05");
}

static void odd_count(void **state)
{
	static const char *const prices[] = {"103", "100", "101", "102", "104"};

	(void)state;
	add_last(5, prices);
	run();
	/* p25 = v[1] = 101, p75 = v[3] = 103 */
	assert_ok("102.00", "1.00");
}

static void even_count_rounds_half_up(void **state)
{
	static const char *const prices[] = {"100.00", "100.01"};

	(void)state;
	add_last(2, prices);
	run();
	/* 100.005 is 100.01; n = 2: p25 = v[0], p75 = v[1] */
	assert_ok("100.01", "0.01");
}

static void one_source(void **state)
{
	(void)state;
	config.min_sources = 1;
	add("5", NULL, NULL);
	run();
	assert_ok("5.00", "0.00");
}

static void confidence_is_the_larger_side(void **state)
{
	static const char *const up[] = {
	    "100", "100", "100", "100.30", "100.40"};
	static const char *const down[] = {
	    "99.60", "99.70", "100", "100", "100"};

	(void)state;
	add_last(5, up);
	run();
	assert_ok("100.00", "0.30");
	setup(NULL);
	add_last(5, down);
	run();
	assert_ok("100.00", "0.30");
}

/* ---- 1: the source price ---- */

static void source_price(void **state)
{
	static const struct {
		const char *last, *bid, *ask, *price; /* NULL: no_price */
	} cases[] = {
	    {"2", "1", "3", "2.00"},
	    {"1", "2", "3", "2.00"},
	    {"3", "1", "2", "2.00"},
	    {"2", "3", "1", "2.00"},
	    {"1", "3", "2", "2.00"},
	    {"3", "2", "1", "2.00"},
	    {"2", "2", "3", "2.00"},
	    {"2", "3", "3", "3.00"},
	    {"2.5000", "2.5", "2.50", "2.50"},
	    /* the middle, of unlike decimals, rounded once */
	    {NULL, "100", "100.5", "100.25"},
	    {NULL, "100", "100.01", "100.01"}, /* 100.005 */
	    {NULL, "100", "100.009", "100.00"},
	    {NULL, "100.01", "100.01", "100.01"},
	    /* ask / bid is 1.02, and a hair more */
	    {NULL, "100", "102", "101.00"},
	    {NULL, "100", "102.000001", NULL},
	    {NULL, "99.999999", "102", NULL},
	    {NULL, "0.00447", "0.034", NULL},
	    {"7.005", NULL, NULL, "7.01"},
	    {"7.00499999", NULL, NULL, "7.00"},
	    /* one side of a book: neither with it nor without */
	    {"7", "7", NULL, NULL},
	    {"7", NULL, "7", NULL},
	    {NULL, "7", NULL, NULL},
	    {NULL, NULL, "7", NULL},
	    {NULL, NULL, NULL, NULL},
	    /* rounds to nothing; does not fit */
	    {"0.005", NULL, NULL, "0.01"},
	    {"0.00499", NULL, NULL, NULL},
	    {"92233720368547758.07", NULL, NULL, "92233720368547758.07"},
	    {"92233720368547759", NULL, NULL, NULL},
	    {NULL, "922337203685477580", "922337203685477580", NULL},
	    {NULL, "1e-36", "1e-36", NULL},
	    {NULL, "1e30", "1e-30", NULL},
	};

	(void)state;
	config.min_sources = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct item_source *s;
		item.source_count = 0;
		s = add(cases[i].last, cases[i].bid, cases[i].ask);
		run();
		if (cases[i].price == NULL) {
			assert_failed(s, QUOTE_NO_PRICE);
			assert_unavailable();
			continue;
		}
		assert_states("u");
		assert_decimal(s->price, cases[i].price);
		assert_ok(cases[i].price, "0.00");
	}
}

/* The conversion is rounded with the middle, not after it. */
static void one_rounding(void **state)
{
	struct item_source *s = add(NULL, "100", "100.01");

	(void)state;
	config.min_sources = 1;
	memcpy(s->via, "USDT-USD", 9);
	s->has_rate = true;
	s->rate = number("0.9999");
	run();
	/* 100.005 x 0.9999 = 99.9949995; from 100.01 it would be 100.00 */
	assert_decimal(s->price, "99.99");
}

static void rates(void **state)
{
	static const struct {
		const char *rate, *price; /* NULL: none; no_rate */
	} cases[] = {
	    {"1", "100.00"},
	    {"0.99937", "99.94"},
	    {"0.90", "90.00"},
	    {"0.8999999", NULL},
	    {"1.1000", "110.00"},
	    {"1.10000001", NULL},
	    {NULL, NULL},
	};

	(void)state;
	config.min_sources = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct item_source *s;
		item.source_count = 0;
		s = add("100", NULL, NULL);
		memcpy(s->via, "USDT-USD", 9);
		s->has_rate = cases[i].rate != NULL;
		if (s->has_rate)
			s->rate = number(cases[i].rate);
		run();
		if (cases[i].price == NULL)
			assert_failed(s, QUOTE_NO_RATE);
		else
			assert_decimal(s->price, cases[i].price);
	}
}

static void what_the_poller_said_stays(void **state)
{
	struct item_source *failed, *frozen, *silent;

	(void)state;
	failed = add("100", NULL, NULL);
	failed->state = SOURCE_FAILED;
	failed->error = QUOTE_TIMEOUT;
	frozen = add("100", NULL, NULL);
	frozen->state = SOURCE_FROZEN;
	frozen->received_ms = NOW - 100000;
	silent = add("100", NULL, NULL);
	silent->has_answer = false;
	add("100", NULL, NULL);
	add("100", NULL, NULL);
	run();
	assert_states("fzfuu");
	assert_failed(failed, QUOTE_TIMEOUT);
	assert_failed(silent, QUOTE_NOT_POLLED);
	assert_decimal(frozen->price, "100.00"); /* shown, not used */
	assert_ok("100.00", "0.00");
}

/* An item keeps a number's value and not its exponent: read back, the same
 * sources must give the same price. */
static void middle_of_any_form(void **state)
{
	static const struct decimal forms[] = {
	    {2, 18}, {20, 17}, {2000000000000000000, 0}};

	(void)state;
	config.decimals = 0;
	config.min_sources = 1;
	for (size_t i = 0; i < 9; i++) {
		struct item_source *s;
		item.source_count = 0;
		s = add(NULL, "1", "1");
		s->quote.bid = forms[i / 3];
		s->quote.ask = forms[i % 3];
		run();
		assert_ok("2000000000000000000", "0");
	}
}

/* ---- 2: staleness ---- */

static void staleness(void **state)
{
	static const struct {
		int64_t received, exchange; /* before NOW; 0: no time */
		const char *state;
	} cases[] = {
	    {0, 0, "u"},
	    {5000, 0, "u"},
	    {5001, 0, "s"},
	    {-1, 0, "u"}, /* our clock went back */
	    {0, 60000, "u"},
	    {0, 60001, "s"},
	    {5000, 60000, "u"},
	    {0, -5000, "u"},
	    {0, -5001, "s"},
	    {1000, -4000, "u"},
	    {1000, -4001, "s"},
	    {5001, 1, "s"}, /* theirs never prolongs */
	    {INT64_MAX - 1, 0, "s"},
	    {0, NOW, "s"},
	    {0, NOW - INT64_MAX, "s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct item_source *s;
		item.source_count = 0;
		s = add("100", NULL, NULL);
		s->received_ms = NOW - cases[i].received;
		s->quote.has_exchange_ms = cases[i].exchange != 0;
		s->quote.exchange_ms = NOW - cases[i].exchange;
		run();
		assert_states(cases[i].state);
		assert_true(s->has_price);
	}
}

/* The feed's own limit, to one millisecond; ours stays what it is. */
static void exchange_max_age(void **state)
{
	static const int64_t limits[] = {1000, 60000, 86400000};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int beyond = 0; beyond < 2; beyond++) {
			struct item_source *s;
			setup(NULL);
			config.exchange_max_age_ms = limits[i];
			s = add("100", NULL, NULL);
			s->quote.has_exchange_ms = true;
			s->quote.exchange_ms = NOW - limits[i] - beyond;
			run();
			assert_states(beyond ? "s" : "u");
		}
	}
}

/* Old and ahead, by each meaning that an exchange's time has. */
static void what_the_time_is_of(void **state)
{
	static const struct {
		enum exchange_time time;
		const char *state;
	} cases[] = {
	    {EXCHANGE_TIME_NONE, "u"},
	    {EXCHANGE_TIME_REPLY, "s"},
	    {EXCHANGE_TIME_QUOTE, "s"},
	    {EXCHANGE_TIME_CHANGE, "s"},
	    {EXCHANGE_TIME_TRADE, "s"},
	    {EXCHANGE_TIME_BUCKET, "u"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct exchange exchange = {.time = cases[i].time};
		for (int ahead = 0; ahead < 2; ahead++) {
			struct item_source *s;
			setup(NULL);
			config.sources[0].exchange = &exchange;
			s = add("100", NULL, NULL);
			s->quote.has_exchange_ms = true;
			s->quote.exchange_ms = ahead ? NOW + 5001 : NOW - 60001;
			run();
			assert_states(cases[i].state);
			/* our own time holds for all */
			s->state = SOURCE_USED;
			s->quote.has_exchange_ms = false;
			s->received_ms = NOW - 5001;
			run();
			assert_states("s");
		}
	}
}

/* ---- 3: checks ---- */

/* Shown with their price, and no vote, whatever they say. */
static void checks_do_not_vote(void **state)
{
	static const char *const prices[] = {"1", "100", "100.20", "9999"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct item_source *check;
		setup(NULL);
		add("100", NULL, NULL);
		config.sources[1].is_check = true;
		check = add(prices[i], NULL, NULL);
		add("100.10", NULL, NULL);
		run();
		assert_states("ucu");
		assert_true(check->has_price);
		assert_int_equal(
		    decimal_compare(check->price, number(prices[i])), 0);
		assert_ok("100.05", "0.05");
	}
}

/* Nor do they fill up the minimum, or count for the share. */
static void checks_do_not_count(void **state)
{
	(void)state;
	add("100", NULL, NULL);
	for (size_t i = 1; i < 6; i++) {
		config.sources[i].is_check = true;
		add("100", NULL, NULL);
	}
	run();
	assert_states("uccccc");
	assert_int_equal(item.min_sources, 2);
	assert_unavailable();
	setup(NULL);
	config.min_sources = 1;
	config.min_share_percent = 100;
	add("100", NULL, NULL);
	config.sources[1].is_check = true;
	add("100", NULL, NULL);
	run();
	assert_int_equal(item.min_sources, 1);
	assert_ok("100.00", "0.00");
}

/* What is wrong with a check comes before what it is. */
static void checks_that_are_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++)
		config.sources[i].is_check = true;
	add("100", NULL, NULL)->state = SOURCE_FROZEN;
	add("100", NULL, NULL)->received_ms = NOW - FEED_CHECK_AGE_MS - 1;
	add("100", NULL, NULL)->has_answer = false;
	add(NULL, NULL, NULL);
	memcpy(add("100", NULL, NULL)->via, "USDT-USD", 9);
	run();
	assert_states("zsfff");
	assert_failed(&item.sources[2], QUOTE_NOT_POLLED);
	assert_failed(&item.sources[3], QUOTE_NO_PRICE);
	assert_failed(&item.sources[4], QUOTE_NO_RATE);
	assert_unavailable();
}

/* By its own spacing a check is older than a feed allows those that vote. */
static void checks_may_be_older(void **state)
{
	static const struct {
		int64_t max_age_ms, received, exchange;
		char is;
	} cases[] = {
	    {5000, 300000, 300000, 'c'},
	    {5000, 300001, 300000, 's'},
	    {5000, 300000, 300001, 's'},
	    {400000, 400000, 0, 'c'}, /* nor less than those that vote */
	    {400000, 400001, 0, 's'},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char states[] = {cases[i].is, '\0'};
		struct item_source *s;
		setup(NULL);
		config.max_age_ms = cases[i].max_age_ms;
		config.sources[0].is_check = true;
		s = add("100", NULL, NULL);
		s->received_ms = NOW - cases[i].received;
		s->quote.has_exchange_ms = cases[i].exchange != 0;
		s->quote.exchange_ms = NOW - cases[i].exchange;
		run();
		assert_states(states);
	}
}

/* ---- 4: outliers ---- */

static void floor_of_the_mad(void **state)
{
	/* MAD is 0: half a percent of 100 is what an honest source may be off
	 */
	static const char *const edge[] = {"100", "100", "100.50"};
	static const char *const beyond[] = {"100", "100", "100.51"};
	static const char *const below[] = {"100", "100", "99.49"};

	(void)state;
	add_last(3, edge);
	run();
	assert_states("uuu");
	setup(NULL);
	add_last(3, beyond);
	run();
	assert_states("uuo");
	assert_ok("100.00", "0.00");
	setup(NULL);
	add_last(3, below);
	run();
	assert_states("uuo");
}

static void the_mad(void **state)
{
	/* m = 1000000, d = 20000 10000 0 10000 x: MAD = 10000, and five times
	 * 1.4826 of it is 74130 */
	static const char *const edge[] = {
	    "980000", "990000", "1000000", "1010000", "1074130"};
	static const char *const beyond[] = {
	    "980000", "990000", "1000000", "1010000", "1074130.01"};

	(void)state;
	add_last(5, edge);
	run();
	assert_states("uuuuu");
	setup(NULL);
	add_last(5, beyond);
	run();
	assert_states("uuuuo");
	assert_ok("995000.00", "5000.00");
}

/* An even count: m and the MAD both end in a half, and stay exact. */
static void the_mad_of_halves(void **state)
{
	/* in units of 0.01: 99899 100000 100001 100102: m = 100000.5,
	 * d = 101.5 0.5 0.5 101.5, MAD = 51, 5 x 1.4826 x 51 = 378.063;
	 * the floor is 500.0025 */
	static const char *const inside[] = {
	    "998.99", "1000.00", "1000.01", "1001.02"};
	/* one at 100501 is 500.5 off, beyond both: with d = 0.5 0.5 1.5
	 * 500.5 the MAD is 1 */
	static const char *const beyond[] = {
	    "999.99", "1000.00", "1000.01", "1005.01"};
	/* at 100500 it is 499.5 off */
	static const char *const edge[] = {
	    "999.99", "1000.00", "1000.01", "1005.00"};

	(void)state;
	add_last(4, inside);
	run();
	assert_states("uuuu");
	setup(NULL);
	add_last(4, beyond);
	run();
	assert_states("uuuo");
	setup(NULL);
	add_last(4, edge);
	run();
	assert_states("uuuu");
}

/* m = 1000000, the MAD is 10000: each number of mads to the last cent, with no
 * floor in the way. */
static void outlier_mads(void **state)
{
	static const struct {
		unsigned mads;
		const char *edge, *beyond;
	} cases[] = {
	    {1, "1014826.00", "1014826.01"},
	    {2, "1029652.00", "1029652.01"},
	    {5, "1074130.00", "1074130.01"},
	    {7, "1103782.00", "1103782.01"},
	    {100, "2482600.00", "2482600.01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int beyond = 0; beyond < 2; beyond++) {
			setup(NULL);
			config.outlier_mads = cases[i].mads;
			config.outlier_floor_bps = 0;
			config.max_deviation_bps = 1000000; /* no file's */
			add("990000", NULL, NULL);
			add("990000", NULL, NULL);
			add("1000000", NULL, NULL);
			add("1010000", NULL, NULL);
			add(beyond ? cases[i].beyond : cases[i].edge, NULL,
			    NULL);
			run();
			assert_states(beyond ? "uuuuo" : "uuuuu");
		}
	}
}

/* The MAD is 0: the floor alone decides, to the last cent on both sides. */
static void outlier_floor(void **state)
{
	static const struct {
		unsigned bps;
		int64_t cents; /* of 1000000.00 */
	} cases[] = {
	    {0, 0}, {1, 10000}, {50, 500000}, {333, 3330000}, {9999, 99990000}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int side = -1; side <= 1; side += 2) {
			struct item_source *s;
			setup(NULL);
			config.outlier_floor_bps = cases[i].bps;
			for (int n = 0; n < 3; n++)
				add("1000000", NULL, NULL);
			s = add("1", NULL, NULL);
			s->quote.last = (struct decimal){
			    100000000 + side * cases[i].cents, -2};
			run();
			assert_states("uuuu");
			s->quote.last.mantissa += side;
			run();
			assert_states("uuuo");
		}
	}
}

static void max_deviation(void **state)
{
	/* the MAD alone would let 2 % pass here */
	static const char *const edge[] = {"98", "99", "100", "101", "102"};
	static const char *const beyond[] = {
	    "98", "99", "100", "101", "102.01"};

	(void)state;
	config.max_deviation_bps = 200;
	add_last(5, edge);
	run();
	assert_states("uuuuu");
	setup(NULL);
	config.max_deviation_bps = 200;
	add_last(5, beyond);
	run();
	assert_states("uuuuo");
	/* and below the floor it rules alone */
	setup(NULL);
	config.max_deviation_bps = 10;
	item.source_count = 0;
	add("100", NULL, NULL);
	add("100", NULL, NULL);
	add("100.10", NULL, NULL);
	add("100.11", NULL, NULL);
	add("99.90", NULL, NULL);
	run();
	assert_states("uuuou");
}

/* Two that disagree: neither is right, both go. */
static void two_that_disagree(void **state)
{
	static const char *const prices[] = {"100", "110"};

	(void)state;
	config.max_deviation_bps = 200;
	add_last(2, prices);
	run();
	assert_states("oo");
	assert_unavailable();
}

static void stale_and_frozen_do_not_vote(void **state)
{
	(void)state;
	add("100", NULL, NULL);
	add("100.10", NULL, NULL);
	for (int i = 0; i < 5; i++)
		add("500", NULL, NULL)->state = SOURCE_FROZEN;
	for (int i = 0; i < 5; i++)
		add("500", NULL, NULL)->received_ms = NOW - 5001;
	run();
	assert_states("uuzzzzzsssss");
	assert_ok("100.05", "0.05");
}

/* ---- 5: how many ---- */

static void minimum(void **state)
{
	static const char *const prices[] = {"100", "100", "100"};

	(void)state;
	for (unsigned min = 1; min <= 5; min++) {
		setup(NULL);
		config.min_sources = min;
		add_last(3, prices);
		run();
		if (min <= 3)
			assert_ok("100.00", "0.00");
		else
			assert_unavailable();
	}
	setup(NULL);
	run();
	assert_unavailable();
}

/* Of n that vote, percent rounded up must be used, and min_sources. */
static void minimum_share(void **state)
{
	static const struct {
		unsigned min_sources, percent;
		size_t voters;
		unsigned wanted;
	} cases[] = {
	    {1, 0, 14, 1},
	    {1, 50, 1, 1},
	    {1, 50, 2, 1},
	    {1, 50, 3, 2},
	    {1, 50, 14, 7},
	    {1, 50, 15, 8},
	    {3, 50, 4, 3},
	    {3, 50, 7, 4},
	    {1, 1, 32, 1},
	    {1, 33, 3, 1},
	    {1, 34, 3, 2},
	    {1, 66, 3, 2},
	    {1, 67, 3, 3},
	    {1, 100, 32, 32},
	    {1, 99, 32, 32},
	    {1, 96, 25, 24},
	    {1, 97, 25, 25},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned less = 0; less < 2; less++) {
			setup(NULL);
			config.min_sources = cases[i].min_sources;
			config.min_share_percent = cases[i].percent;
			for (size_t n = 0; n < cases[i].voters; n++)
				if (n + less >= cases[i].wanted)
					add("1", NULL, NULL)->state =
					    SOURCE_FROZEN;
				else
					add("100", NULL, NULL);
			run();
			assert_int_equal(item.min_sources, cases[i].wanted);
			if (less)
				assert_unavailable();
			else
				assert_ok("100.00", "0.00");
		}
	}
}

/* What a tick left behind does not show in the next. */
static void leaves_nothing_behind(void **state)
{
	(void)state;
	add("100", NULL, NULL);
	add("100", NULL, NULL);
	add("100", NULL, NULL)->state = SOURCE_FAILED;
	for (int i = 0; i < 2; i++) {
		run();
		assert_ok("100.00", "0.00");
		assert_decimal(item.sources[0].price, "100.00");
		assert_false(item.sources[2].has_price);
		assert_int_equal(item.sources[2].price.mantissa, 0);
		item.status = ITEM_UNAVAILABLE;
		item.reason = ITEM_CLOCK_UNCERTAIN;
		item.price = item.confidence = (struct decimal){5, 5};
		item.sources[0].price = (struct decimal){9, 9};
		item.sources[2].price = (struct decimal){9, 9};
		item.sources[2].has_price = true;
	}
}

static void every_size_of_decimals(void **state)
{
	(void)state;
	for (int decimals = 0; decimals <= 12; decimals++) {
		setup(NULL);
		config.decimals = decimals;
		add("1234.5", NULL, NULL);
		add("1234.5", NULL, NULL);
		run();
		assert_int_equal(item.price.exponent, -decimals);
		assert_int_equal(item.confidence.exponent, -decimals);
		assert_int_equal(item.sources[0].price.exponent, -decimals);
		assert_int_equal(decimal_compare(item.price,
				     number(decimals > 0 ? "1234.5" : "1235")),
		    0);
	}
}

/* The largest prices: sums and products do not overflow. */
static void largest(void **state)
{
	static const char *const prices[] = {"9223372036854775807",
	    "9223372036854775807", "9223372036854775806", "1"};

	(void)state;
	config.decimals = 0;
	add_last(4, prices);
	run();
	assert_states("uuuo");
	assert_ok("9223372036854775807", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(four_exchanges, setup),
	    cmocka_unit_test_setup(odd_count, setup),
	    cmocka_unit_test_setup(even_count_rounds_half_up, setup),
	    cmocka_unit_test_setup(one_source, setup),
	    cmocka_unit_test_setup(confidence_is_the_larger_side, setup),
	    cmocka_unit_test_setup(source_price, setup),
	    cmocka_unit_test_setup(one_rounding, setup),
	    cmocka_unit_test_setup(middle_of_any_form, setup),
	    cmocka_unit_test_setup(rates, setup),
	    cmocka_unit_test_setup(what_the_poller_said_stays, setup),
	    cmocka_unit_test_setup(staleness, setup),
	    cmocka_unit_test_setup(exchange_max_age, setup),
	    cmocka_unit_test_setup(what_the_time_is_of, setup),
	    cmocka_unit_test_setup(checks_do_not_vote, setup),
	    cmocka_unit_test_setup(checks_do_not_count, setup),
	    cmocka_unit_test_setup(checks_that_are_none, setup),
	    cmocka_unit_test_setup(checks_may_be_older, setup),
	    cmocka_unit_test_setup(floor_of_the_mad, setup),
	    cmocka_unit_test_setup(the_mad, setup),
	    cmocka_unit_test_setup(the_mad_of_halves, setup),
	    cmocka_unit_test_setup(outlier_mads, setup),
	    cmocka_unit_test_setup(outlier_floor, setup),
	    cmocka_unit_test_setup(max_deviation, setup),
	    cmocka_unit_test_setup(two_that_disagree, setup),
	    cmocka_unit_test_setup(stale_and_frozen_do_not_vote, setup),
	    cmocka_unit_test_setup(minimum, setup),
	    cmocka_unit_test_setup(minimum_share, setup),
	    cmocka_unit_test_setup(leaves_nothing_behind, setup),
	    cmocka_unit_test_setup(every_size_of_decimals, setup),
	    cmocka_unit_test_setup(largest, setup),
	};

	return cmocka_run_group_tests_name("aggregate", tests, NULL, NULL);
}
