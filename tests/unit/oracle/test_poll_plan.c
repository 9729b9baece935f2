/*
 * poll_plan: chunks, places in the interval, halves, and back together. A
 * world of symbols that are good or sick answers each request of the plan.
 */
#include "oracle/poll_plan.h"

#include "oracle/poller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 200
#define NOW  10000000

/* "/t?s=A,B"; "/all" for the whole market. '!' is in no symbol, and what is
 * longer than a target cannot be asked for. */
static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	size_t len = 0;

	if (count == 0) {
		assert_null(symbols);
		memcpy(out, "/all", 5);
		return 0;
	}
	len = (size_t)snprintf(out, EXCHANGE_TARGET_MAX, "/t?s=");
	for (size_t i = 0; i < count; i++) {
		if (strlen(symbols[i]) > 20 && count > 3)
			return -1;
		len += (size_t)snprintf(out + len, EXCHANGE_TARGET_MAX - len,
		    "%s%s", i > 0 ? "," : "", symbols[i]);
	}
	return len < EXCHANGE_TARGET_MAX ? 0 : -1;
}

static struct exchange exchange; /* set by each test */
static struct poll_source sources[MOST];
static struct poll_request requests[MOST];
static struct poll_plan plan;

static int set_up(void **state)
{
	(void)state;
	exchange = (struct exchange){
	    .name = "alpha",
	    .host = "alpha.test",
	    .spacing_ms = 10,
	    .named_max = 20,
	    .format_target = format_target,
	};
	return 0;
}

/* `count` symbols S000, S001 ..., handed over in disorder. */
static void make_sources(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char symbol[EXCHANGE_SYMBOL_MAX];
		snprintf(symbol, sizeof(symbol), "S%03zu", (i * 7 + 3) % count);
		poll_source_init(&sources[i], &exchange, symbol);
		poll_source_use(&sources[i], 1000, 4000);
	}
}

static void make(size_t count) /* prime to 7 */
{
	make_sources(count);
	poll_plan_init(&plan, &exchange, sources, requests, count, 0, 1, NOW);
}

/* ---- what holds of any plan ---- */

static void check_plan(void)
{
	unsigned seen[MOST] = {0};

	for (size_t r = 0; r < plan.count; r++) {
		const struct poll_request *request = &requests[r];
		if (!request->used)
			continue;
		assert_in_range(request->count, 1,
		    request->whole ? plan.count : exchange.named_max);
		for (size_t i = 0; i < request->count; i++)
			seen[poll_plan_source(&plan, request, i) - sources]++;
		assert_in_range(
		    request->offset_ms, 0, request->interval_ms - 1);
		assert_true(request->interval_ms >= 1000);
	}
	for (size_t i = 0; i < plan.count; i++)
		assert_int_equal(seen[i], 1);
}

static size_t count_sick(void)
{
	size_t n = 0;

	for (size_t r = 0; r < plan.count; r++)
		n += requests[r].used && requests[r].sick;
	return n;
}

/* ---- a world in which some symbols are sick ---- */

static bool sick[MOST];
static unsigned good_answers[MOST], refusals[MOST];

static enum quote_error answer_of(const struct poll_request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		if (sick[request->sources[i] - sources])
			return QUOTE_UNKNOWN_SYMBOL;
	}
	return QUOTE_OK;
}

/* Asks what is due until `until`, one after another, each for 3 ms. */
static unsigned run(int64_t *now, int64_t until)
{
	unsigned asked = 0;

	for (;;) {
		struct poll_request *request = poll_plan_next(&plan);
		if (request->due_ms > *now)
			*now = request->due_ms;
		if (*now >= until)
			return asked;
		asked++;
		poll_plan_begin(request, *now, (uint32_t)*now);
		*now += exchange.spacing_ms;
		enum quote_error error = answer_of(request);
		for (size_t i = 0; i < request->count; i++) {
			size_t s = (size_t)(request->sources[i] - sources);
			good_answers[s] += error == QUOTE_OK;
			refusals[s] += error != QUOTE_OK;
		}
		if (poll_plan_divides(request, error))
			poll_plan_divide(&plan, request, *now, 1);
		else
			poll_plan_end(&plan, request, error, *now, 1);
		check_plan();
	}
}

static void make_world(size_t count)
{
	memset(sick, 0, sizeof(sick));
	memset(good_answers, 0, sizeof(good_answers));
	memset(refusals, 0, sizeof(refusals));
	make(count);
}

/* ---- chunks ---- */

static void test_one(void **state)
{
	(void)state;
	make(1);
	assert_int_equal(poll_plan_requests(&plan), 1);
	assert_string_equal(requests[0].target, "/t?s=S000");
	assert_false(requests[0].whole);
	check_plan();
}

static void test_chunks(void **state)
{
	static const struct {
		unsigned named_max;
		size_t symbols, requests;
	} cases[] = {{1, 3, 3}, {2, 3, 2}, {20, 19, 1}, {20, 20, 1},
	    {20, 22, 2}, {20, 200, 10}, {7, 50, 8}, {1, 200, 200}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exchange.named_max = cases[i].named_max;
		make(cases[i].symbols);
		assert_int_equal(poll_plan_requests(&plan), cases[i].requests);
		check_plan();
	}
}

static void test_targets_name_the_symbols(void **state)
{
	(void)state;
	exchange.named_max = 2;
	make(3);
	assert_string_equal(requests[0].target, "/t?s=S000,S001");
	assert_string_equal(requests[2].target, "/t?s=S002");
	assert_ptr_equal(poll_plan_find(&plan, "S001"), &sources[1]);
	assert_ptr_equal(poll_plan_source(&plan, &requests[2], 0), &sources[2]);
	assert_null(poll_plan_find(&plan, "S003"));
	assert_null(poll_plan_find(&plan, ""));
}

static void test_whole(void **state)
{
	(void)state;
	exchange.whole_from = 4;
	make(3);
	assert_false(requests[0].whole);
	make(4);
	assert_int_equal(poll_plan_requests(&plan), 1);
	assert_true(requests[0].whole);
	assert_string_equal(requests[0].target, "/all");
	make(200);
	assert_int_equal(poll_plan_requests(&plan), 1);
	assert_ptr_equal(
	    poll_plan_source(&plan, &requests[0], 199), &sources[199]);
	check_plan();
	assert_false(poll_plan_divides(&requests[0], QUOTE_UNKNOWN_SYMBOL));
}

/* Symbols that fit in the count, but not into one target. */
static void test_too_long_for_one_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		char symbol[EXCHANGE_SYMBOL_MAX];
		snprintf(symbol, sizeof(symbol), "AVERYLONGSYMBOL-%08zu", i);
		poll_source_init(&sources[i], &exchange, symbol);
		poll_source_use(&sources[i], 1000, 4000);
	}
	poll_plan_init(&plan, &exchange, sources, requests, 8, 0, 1, NOW);
	assert_int_equal(poll_plan_requests(&plan), 3);
	check_plan();
}

/* The fast ones in a request of their own, if that does. */
static void test_intervals_go_together(void **state)
{
	(void)state;
	exchange.named_max = 2;
	make_sources(4);
	for (size_t i = 0; i < 4; i++) {
		bool fast = strcmp(sources[i].symbol, "S000") == 0 ||
			    strcmp(sources[i].symbol, "S003") == 0;
		sources[i].interval_ms = fast ? 1000 : 60000;
	}
	poll_plan_init(&plan, &exchange, sources, requests, 4, 0, 1, NOW);
	assert_int_equal(poll_plan_requests(&plan), 2);
	assert_string_equal(requests[0].target, "/t?s=S000,S003");
	assert_int_equal(requests[0].interval_ms, 1000);
	assert_string_equal(requests[2].target, "/t?s=S001,S002");
	assert_int_equal(requests[2].interval_ms, 60000);
}

static void test_deadline(void **state)
{
	static const int64_t ages[][2] = {{4000, 4000}, {500, 1000},
	    {1000, 1000}, {5000, 5000}, {60000, 5000}};
	(void)state;
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		make_sources(3);
		for (size_t s = 0; s < 3; s++)
			sources[s].max_age_ms = s == 1 ? ages[i][0] : 70000;
		poll_plan_init(
		    &plan, &exchange, sources, requests, 3, 0, 1, NOW);
		assert_int_equal(requests[0].deadline_ms, ages[i][1]);
	}
}

/* ---- places ---- */

/* Each due time is a multiple of the interval, and the place, and jitter. */
static void test_due_at_its_place(void **state)
{
	(void)state;
	exchange.named_max = 1;
	make(5);
	for (size_t r = 0; r < 5; r++) {
		struct poll_request *request = &requests[r];
		int64_t place_ms = (int64_t)r * 600 / 5, now = NOW + 1;
		assert_int_equal(request->interval_ms, 1000);
		assert_int_equal(request->offset_ms, place_ms);
		assert_in_range(request->due_ms, NOW, NOW + 1000);
		for (int i = 0; i < 20; i++) {
			poll_plan_begin(request, now, (uint32_t)i * 7919);
			int64_t in = (request->due_ms - place_ms) % 1000;
			assert_in_range(in, 0, 1000 / POLL_PLAN_JITTER);
			if (i > 0)
				assert_in_range(
				    request->due_ms - now, 970, 1020);
			else
				assert_in_range(
				    request->due_ms - now, 501, 1520);
			now = request->due_ms;
			poll_plan_end(&plan, request, QUOTE_OK, now, 0);
		}
	}
}

/* A late one is not asked twice in a row, and not caught up. */
static void test_late(void **state)
{
	struct poll_request *request = &requests[0];
	(void)state;
	make(1);
	for (int64_t late = 0; late < 5000; late += 13) {
		poll_plan_begin(request, NOW + late, 0);
		assert_in_range(
		    request->due_ms, NOW + late + 501, NOW + late + 1501);
		assert_int_equal(request->due_ms % 1000, 0);
		poll_plan_end(&plan, request, QUOTE_OK, NOW + late + 3, 0);
	}
}

/* A machine that has just started: the first interval is not over. */
static void test_early(void **state)
{
	(void)state;
	exchange.named_max = 1;
	make_sources(2);
	sources[0].interval_ms = sources[1].interval_ms = 60000;
	poll_plan_init(&plan, &exchange, sources, requests, 2, 0, 1, 3);
	assert_in_range(requests[1].due_ms, 3, 1003);
	poll_plan_begin(&requests[1], 10, 0);
	assert_int_equal(requests[1].offset_ms, 18000);
	assert_int_equal(requests[1].due_ms, 78000);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The requests of all exchanges share the first part of the interval. */
static void test_spread_over_all_exchanges(void **state)
{
	int64_t offsets[14 * 4];
	size_t n = 0;
	(void)state;
	exchange.named_max = 1;
	for (unsigned place = 0; place < 14; place++) {
		make_sources(4);
		poll_plan_init(
		    &plan, &exchange, sources, requests, 4, place, 14, NOW);
		for (size_t r = 0; r < 4; r++)
			offsets[n++] = requests[r].offset_ms;
	}
	qsort(offsets, n, sizeof(offsets[0]), by_number);
	assert_int_equal(offsets[0], 0);
	assert_true(offsets[n - 1] < 600);
	for (size_t i = 1; i < n; i++)
		assert_in_range(offsets[i] - offsets[i - 1], 10, 11);
}

/* An exchange with little patience: as often as it allows, no more. */
static void test_slow_budget(void **state)
{
	int64_t now = NOW;
	(void)state;
	exchange.named_max = 1;
	exchange.spacing_ms = 700;
	make_world(5);
	for (size_t r = 0; r < 5; r++) {
		assert_int_equal(requests[r].interval_ms, 3500);
		assert_int_equal(requests[r].offset_ms, (int64_t)r * 700);
	}
	assert_in_range(run(&now, NOW + 70000), 80, 101);
	for (size_t i = 0; i < 5; i++)
		assert_in_range(good_answers[i], 16, 21);
}

/* Enough patience, but not in 60 % of the interval: the whole of it. */
static void test_wider_window(void **state)
{
	(void)state;
	exchange.named_max = 1;
	exchange.spacing_ms = 160;
	make(5);
	assert_int_equal(requests[4].interval_ms, 1000);
	assert_int_equal(requests[4].offset_ms, 640);
}

static void test_next(void **state)
{
	(void)state;
	exchange.named_max = 1;
	make(3);
	requests[0].due_ms = NOW + 3;
	requests[1].due_ms = NOW + 1;
	requests[2].due_ms = NOW + 2;
	assert_ptr_equal(poll_plan_next(&plan), &requests[1]);
	poll_plan_begin(&requests[1], NOW, 0);
	assert_ptr_equal(poll_plan_next(&plan), &requests[2]);
	poll_plan_begin(&requests[2], NOW, 0);
	poll_plan_begin(&requests[0], NOW, 0);
	assert_null(poll_plan_next(&plan));
}

/* ---- failures ---- */

static void test_back_off(void **state)
{
	struct poll_request *request = &requests[0];
	static const int64_t least[] = {500, 900, 1800, 3600};
	static const int64_t most[] = {550, 1100, 2200, 4400};
	(void)state;
	make(4);
	for (int i = 0; i < 4; i++) {
		poll_plan_begin(request, NOW, 7);
		poll_plan_end(&plan, request, QUOTE_TIMEOUT, NOW + 10, 7);
		assert_in_range(request->due_ms - NOW - 10, least[i], most[i]);
		assert_int_equal(request->failures, i + 1);
	}
	for (int i = 0; i < 50; i++) {
		poll_plan_begin(request, NOW, 7);
		poll_plan_end(&plan, request, QUOTE_BAD_BODY, NOW, UINT32_MAX);
	}
	assert_true(request->due_ms <= NOW + POLLER_BACKOFF_MAX_MS);
	poll_plan_begin(request, NOW, 0);
	int64_t due_ms = request->due_ms;
	poll_plan_end(&plan, request, QUOTE_OK, NOW, 7);
	assert_int_equal(request->failures, 0);
	assert_int_equal(request->due_ms, due_ms);
	assert_int_equal(poll_plan_requests(&plan), 1);
}

static void test_what_divides(void **state)
{
	(void)state;
	make(2);
	for (int e = 0; e < QUOTE_ERROR_COUNT; e++)
		assert_int_equal(
		    poll_plan_divides(&requests[0], (enum quote_error)e),
		    e == QUOTE_UNKNOWN_SYMBOL || e == QUOTE_BAD_REQUEST);
	make(1);
	for (int e = 0; e < QUOTE_ERROR_COUNT; e++)
		assert_false(
		    poll_plan_divides(&requests[0], (enum quote_error)e));
}

static void test_divide(void **state)
{
	(void)state;
	make(5);
	poll_plan_begin(&requests[0], NOW, 0);
	poll_plan_divide(&plan, &requests[0], NOW + 20, 0);
	assert_string_equal(requests[0].target, "/t?s=S000,S001,S002");
	assert_string_equal(requests[1].target, "/t?s=S003,S004");
	for (size_t r = 0; r < 2; r++) {
		assert_int_equal(requests[r].due_ms, NOW + 20);
		assert_int_equal(requests[r].failures, 0);
		assert_false(requests[r].asking);
		assert_int_equal(requests[r].deadline_ms, 4000);
	}
	assert_int_equal(requests[1].offset_ms, 300);
	check_plan();
}

/* ---- a sick symbol stands alone soon, and the others together ---- */

static void check_world(size_t count, size_t sick_count, size_t healthy)
{
	int64_t now = NOW;

	run(&now, NOW + 60000);
	assert_int_equal(count_sick(), sick_count);
	assert_int_equal(poll_plan_requests(&plan), sick_count + healthy);
	for (size_t i = 0; i < count; i++) {
		if (sick[i])
			assert_int_equal(good_answers[i], 0);
		else
			assert_in_range(good_answers[i], 50, 70);
		assert_true(refusals[i] < 40);
	}
	/* and so they stay */
	assert_true(run(&now, NOW + 120000) <= (healthy + 1) * 61 + sick_count);
	assert_int_equal(poll_plan_requests(&plan), sick_count + healthy);
}

static void test_one_sick(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++) {
		make_world(20);
		sick[i] = true;
		check_world(20, 1, 1);
	}
}

static void test_some_sick(void **state)
{
	(void)state;
	make_world(100);
	sick[3] = sick[4] = sick[19] = sick[20] = sick[77] = true;
	check_world(100, 5, 5);
}

static void test_all_sick(void **state)
{
	(void)state;
	make_world(20);
	memset(sick, 1, sizeof(sick));
	check_world(20, 20, 0);
}

/* It was listed at last. */
static void test_sick_and_well_again(void **state)
{
	int64_t now = NOW;
	(void)state;
	make_world(20);
	sick[7] = true;
	run(&now, NOW + 20000);
	assert_int_equal(count_sick(), 1);
	sick[7] = false;
	run(&now, NOW + 200000);
	assert_int_equal(count_sick(), 0);
	assert_int_equal(poll_plan_requests(&plan), 1);
	assert_int_equal(requests[0].count, 20);
}

/* A sick one takes no share of a small budget from the others. */
static void test_sick_one_and_slow_budget(void **state)
{
	int64_t now = NOW;
	(void)state;
	exchange.spacing_ms = 2000;
	make_world(20);
	sick[5] = true;
	run(&now, NOW + 60000);
	assert_int_equal(poll_plan_requests(&plan), 2);
	for (size_t r = 0; r < 20; r++) {
		if (requests[r].used)
			assert_int_equal(requests[r].interval_ms, 2000);
	}
}

/* Known to be sick, and then the network fails: still nobody to join. */
static void test_sick_stays_sick(void **state)
{
	(void)state;
	make(1);
	poll_plan_begin(&requests[0], NOW, 0);
	poll_plan_end(&plan, &requests[0], QUOTE_UNKNOWN_SYMBOL, NOW, 0);
	assert_true(requests[0].sick);
	poll_plan_begin(&requests[0], NOW, 0);
	poll_plan_end(&plan, &requests[0], QUOTE_TIMEOUT, NOW, 0);
	assert_true(requests[0].sick);
	poll_plan_begin(&requests[0], NOW, 0);
	poll_plan_end(&plan, &requests[0], QUOTE_OK, NOW, 0);
	assert_false(requests[0].sick);
}

/* Until some are joined. */
static void answer_all(int64_t now)
{
	struct poll_request *request;

	while ((request = poll_plan_next(&plan)) != NULL &&
	       request->due_ms <= now && !request->joined) {
		poll_plan_begin(request, now, 0);
		poll_plan_end(&plan, request, QUOTE_OK, now, 0);
	}
}

/* An exchange that refuses every batch and takes each symbol: tried less and
 * less often. */
static void test_joins_that_fail(void **state)
{
	int64_t now = NOW, wait_ms = 0;
	(void)state;
	make(2);
	for (int i = 0; i < 12; i++) {
		struct poll_request *request = poll_plan_next(&plan);
		assert_int_equal(request->count, 2);
		now = request->due_ms;
		poll_plan_begin(request, now, 0);
		poll_plan_divide(&plan, request, now, 0);
		assert_true(plan.join_ms - now > wait_ms ||
			    wait_ms > POLL_PLAN_JOIN_MAX_MS / 2);
		wait_ms = plan.join_ms - now;
		answer_all(now);
		assert_int_equal(poll_plan_requests(&plan), 2);
		now = plan.join_ms - 1;
		answer_all(now);
		assert_int_equal(poll_plan_requests(&plan), 2);
		now = plan.join_ms + 2000;
		answer_all(now);
		assert_int_equal(poll_plan_requests(&plan), 1);
	}
	assert_in_range(
	    wait_ms, POLL_PLAN_JOIN_MAX_MS / 2, POLL_PLAN_JOIN_MAX_MS);
}

/* One under way is left alone. */
static void test_no_join_while_asking(void **state)
{
	(void)state;
	make(2);
	poll_plan_begin(&requests[0], NOW, 0);
	poll_plan_divide(&plan, &requests[0], NOW, 0);
	answer_all(NOW);
	int64_t now = plan.join_ms + 2000;
	poll_plan_begin(&requests[0], now, 0);
	poll_plan_begin(&requests[1], now, 0);
	poll_plan_end(&plan, &requests[1], QUOTE_OK, now, 0);
	assert_int_equal(poll_plan_requests(&plan), 2);
	requests[1].due_ms = now + 5; /* together when the first is due */
	poll_plan_end(&plan, &requests[0], QUOTE_OK, now, 0);
	assert_int_equal(poll_plan_requests(&plan), 1);
	assert_int_equal(requests[0].due_ms, now + 5);
	assert_int_equal(requests[0].count, 2);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup(test, set_up)
	const struct CMUnitTest tests[] = {
	    TEST(test_one),
	    TEST(test_chunks),
	    TEST(test_targets_name_the_symbols),
	    TEST(test_whole),
	    TEST(test_too_long_for_one_target),
	    TEST(test_intervals_go_together),
	    TEST(test_deadline),
	    TEST(test_due_at_its_place),
	    TEST(test_late),
	    TEST(test_early),
	    TEST(test_spread_over_all_exchanges),
	    TEST(test_slow_budget),
	    TEST(test_wider_window),
	    TEST(test_next),
	    TEST(test_back_off),
	    TEST(test_what_divides),
	    TEST(test_divide),
	    TEST(test_one_sick),
	    TEST(test_some_sick),
	    TEST(test_all_sick),
	    TEST(test_sick_and_well_again),
	    TEST(test_sick_one_and_slow_budget),
	    TEST(test_sick_stays_sick),
	    TEST(test_joins_that_fail),
	    TEST(test_no_join_while_asking),
	};
	return cmocka_run_group_tests_name("poll_plan", tests, NULL, NULL);
}
