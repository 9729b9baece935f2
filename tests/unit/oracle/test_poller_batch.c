/*
 * poller: several symbols in one request, sick ones among them, one that it
 * hangs on, and 200 of them.
 */
#include "tests/unit/oracle/poller_fixture.h"

static void test_one_request_for_all(void **state)
{
	struct feed_config *one = add_feed("ONE-Y", 20);
	struct feed_config *two = add_feed("TWO-Y", 20);
	(void)state;
	add_source(one, BATCH, "A");
	add_source(one, BATCH, "B");
	add_source(two, BATCH, "C");
	add_source(two, BATCH, "A");
	start();
	until_good(BATCH, "A", 5);
	assert_int_equal(view_exchange(BATCH).requests_planned, 1);
	assert_int_equal(
	    view_source(BATCH, "B").attempts, view_source(BATCH, "A").attempts);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	struct item_source a = read_at(one, 0, 0), c = read_at(two, 0, 0);
	assert_int_equal(a.received_ms, c.received_ms);
	assert_memory_equal(a.body_sha256, c.body_sha256, 32);
	assert_int_equal(a.quote.last.mantissa, c.quote.last.mantissa);
}

/* The sick one ends alone; nobody else was ever told to be unknown. */
static void test_a_sick_symbol_is_divided_off(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	static const char *const symbols[] = {
	    "A", "B", "C", "D", "SICK", "T", "U", "V", "W"};
	(void)state;
	for (size_t i = 0; i < 9; i++)
		add_source(feed, BATCH, symbols[i]);
	start();
	for (size_t i = 0; i < 9; i++) {
		if (i != 4)
			until_good(BATCH, symbols[i], 3);
	}
	until_error(BATCH, "SICK", QUOTE_UNKNOWN_SYMBOL);
	for (size_t i = 0; i < 9; i++) {
		struct poller_source_view s = view_source(BATCH, symbols[i]);
		if (i != 4) {
			assert_int_equal(s.errors[QUOTE_UNKNOWN_SYMBOL], 0);
			assert_true(s.up);
		} else {
			assert_false(s.up);
		}
	}
	assert_int_equal(read_now(feed, 4).error, QUOTE_UNKNOWN_SYMBOL);
	assert_in_range(view_exchange(BATCH).requests_planned, 2, 9);
}

/* Until it is known who is sick, all show how the request ended; and that is
 * neither counted nor, where one was well before, believed. */
static void test_a_refused_batch_is_shown(void **state)
{
	static const char *const symbols[] = {"A", "B", "SICK"};
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	for (size_t i = 0; i < 3; i++)
		add_source(feed, BATCH, symbols[i]);
	start();
	while (view_source(BATCH, "A").newest == QUOTE_NOT_POLLED)
		turn();
	for (size_t i = 0; i < 3; i++) {
		struct poller_source_view s = view_source(BATCH, symbols[i]);
		assert_int_equal(s.newest, QUOTE_UNKNOWN_SYMBOL);
		assert_int_equal(s.status, 200);
		assert_true(s.latency_ms >= 0);
		assert_false(s.up);
		assert_int_equal(s.attempts, 0);
	}
	assert_int_equal(read_now(feed, 0).error, QUOTE_UNKNOWN_SYMBOL);
	until_good(BATCH, "A", 3);
}

/* A while after, the others are in one request again. */
static void test_the_others_are_joined_again(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 100);
	(void)state;
	add_source(feed, BATCH, "A");
	add_source(feed, BATCH, "B");
	add_source(feed, BATCH, "C");
	add_source(feed, BATCH, "SICK");
	start();
	until_error(BATCH, "SICK", QUOTE_UNKNOWN_SYMBOL);
	while (view_exchange(BATCH).requests_planned != 2)
		turn();
	until_good(BATCH, "C", view_source(BATCH, "C").attempts + 3);
	assert_int_equal(view_source(BATCH, "A").failures, 0);
}

/* An answer without it: its own fault, and nothing is divided for it. */
static void test_partial_success(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, BATCH, "A");
	add_source(feed, BATCH, "GONE");
	start();
	until_good(BATCH, "A", 10);
	struct poller_source_view gone = view_source(BATCH, "GONE");
	assert_int_equal(gone.newest, QUOTE_UNKNOWN_SYMBOL);
	assert_int_equal(gone.attempts, view_source(BATCH, "A").attempts);
	assert_int_equal(gone.failures, gone.attempts);
	assert_int_equal(gone.latency_ms, view_source(BATCH, "A").latency_ms);
	assert_int_equal(gone.status, 200);
	assert_int_equal(view_exchange(BATCH).requests_planned, 1);
	assert_int_equal(view_exchange(BATCH).failures, 0);
	assert_int_equal(read_now(feed, 0).state, SOURCE_USED);
	assert_int_equal(read_now(feed, 1).error, QUOTE_UNKNOWN_SYMBOL);
}

/* Two of an exchange alone in their request, both unknown, by absence. */
static void test_all_gone(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, BATCH, "GONE1");
	add_source(feed, BATCH, "GONE2");
	start();
	until_error(BATCH, "GONE1", QUOTE_UNKNOWN_SYMBOL);
	until_error(BATCH, "GONE2", QUOTE_UNKNOWN_SYMBOL);
	assert_int_equal(view_exchange(BATCH).requests_planned, 2);
}

/* Other failures of a batch are the failure of each, and divide nothing. */
static void test_a_batch_that_fails(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, BATCH, "A");
	add_source(feed, BATCH, "B");
	atomic_store(&seen[BATCH].mode, BROKEN);
	start();
	until_error(BATCH, "A", QUOTE_SERVER_ERROR);
	assert_int_equal(view_source(BATCH, "B").newest, QUOTE_SERVER_ERROR);
	assert_int_equal(view_source(BATCH, "B").status, 500);
	until_asked(&seen[BATCH].asked, 3);
	assert_int_equal(view_exchange(BATCH).requests_planned, 1);
	atomic_store(&seen[BATCH].mode, MOVING);
	until_error(BATCH, "B", QUOTE_OK);
}

/* It costs a lane, not the others their turn: they are answered while the one
 * that it hangs on is still waiting. Deadline: five seconds. */
static void test_a_hang_delays_nobody(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, ALPHA, "A");
	add_source(feed, ALPHA, "B");
	add_source(feed, ALPHA, "HANG");
	add_source(feed, BETA, "A");
	start();
	while (atomic_load(&seen[ALPHA].asked) -
		   atomic_load(&seen[ALPHA].asked_of[0]) -
		   atomic_load(&seen[ALPHA].asked_of[1]) ==
	       0)
		turn(); /* it hangs */
	until_good(ALPHA, "A", 3);
	until_good(ALPHA, "B", 3);
	until_good(BETA, "A", 3);
	assert_int_equal(view_source(ALPHA, "HANG").newest, QUOTE_NOT_POLLED);
}

/* ---- 200 symbols ---- */

static void check_200(enum market m, unsigned requests)
{
	add_200(m, 200);
	start();
	for (int i = 0; i < 200; i++) {
		char symbol[16];
		snprintf(symbol, sizeof(symbol), "T%03d", i);
		until_good(m, symbol, 2);
	}
	assert_int_equal(view_exchange(m).requests_planned, requests);
	assert_int_equal(view_exchange(m).failures, 0);
	assert_in_range(atomic_load(&f.peer.connections), 1, POLLER_LANES);
	for (size_t i = 0; i < f.config.feeds.count; i++)
		assert_int_equal(
		    read_now(&f.config.feeds.feeds[i], 3).state, SOURCE_USED);
}

static void test_200_named(void **state)
{
	(void)state;
	check_200(BATCH, 10);
}

static void test_200_whole_market(void **state)
{
	(void)state;
	check_200(WHOLE, 1);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
}

static void test_200_one_by_one(void **state)
{
	(void)state;
	check_200(ALPHA, 200);
}

/* In the whole market one is not there: it fails, nothing else does. */
static void test_whole_market_without_one(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, WHOLE, "A");
	add_source(feed, WHOLE, "NONE");
	add_source(feed, WHOLE, "T000");
	start();
	until_good(WHOLE, "T000", 5);
	assert_int_equal(read_now(feed, 0).state, SOURCE_USED);
	assert_int_equal(read_now(feed, 1).error, QUOTE_UNKNOWN_SYMBOL);
	assert_int_equal(view_exchange(WHOLE).requests_planned, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_one_request_for_all),
	    WITH(test_a_sick_symbol_is_divided_off),
	    WITH(test_a_refused_batch_is_shown),
	    WITH(test_the_others_are_joined_again),
	    WITH(test_partial_success),
	    WITH(test_all_gone),
	    WITH(test_a_batch_that_fails),
	    WITH(test_a_hang_delays_nobody),
	    WITH(test_200_named),
	    WITH(test_200_whole_market),
	    WITH(test_200_one_by_one),
	    WITH(test_whole_market_without_one),
	};
	return cmocka_run_group_tests_name(
	    "poller_batch", tests, group_begin, group_end);
}
