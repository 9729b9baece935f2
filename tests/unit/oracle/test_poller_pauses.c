/*
 * poller: the patience of exchanges. Spacing, "too many requests" in each of
 * its forms, bans; and that none of it touches another exchange.
 */
#include "tests/unit/oracle/poller_fixture.h"

/* Asked until it says "enough", then no more; beta goes on. */
static int64_t check_pause(enum mode mode, enum quote_error error)
{
	struct feed_config *feed = add_feed("X-Y", 20);

	add_source(feed, ALPHA, "A");
	add_source(feed, ALPHA, "B");
	add_source(feed, BETA, "A");
	atomic_store(&seen[ALPHA].mode, (int)mode);
	start();
	until_error(ALPHA, "A", error);
	turn_for(100); /* what was under way on other lanes */
	unsigned asked = atomic_load(&seen[ALPHA].asked);
	assert_in_range(asked, 1, POLLER_LANES);
	until_good(BETA, "A", 20);
	turn_for(800); /* longer than a request's own back-off */
	assert_int_equal(atomic_load(&seen[ALPHA].asked), asked);
	assert_int_equal(read_now(feed, 2).state, SOURCE_USED);
	assert_int_equal(view_exchange(BETA).paused_ms, 0);
	return view_exchange(ALPHA).paused_ms;
}

static void test_retry_after_seconds(void **state)
{
	(void)state;
	assert_in_range(check_pause(LIMITED, QUOTE_RATE_LIMITED), 3400000,
	    3600000 * 11 / 10);
}

static void test_retry_after_date(void **state)
{
	(void)state;
	assert_in_range(check_pause(LIMITED_BY_DATE, QUOTE_RATE_LIMITED),
	    3400000, 3600000 * 11 / 10);
}

static void test_a_refusal_in_a_200(void **state)
{
	(void)state;
	assert_in_range(
	    check_pause(LIMITED_IN_A_200, QUOTE_RATE_LIMITED), 1, 5500);
}

/* Longer than a refusal, and once however many lanes hear of it. */
static void test_ban(void **state)
{
	(void)state;
	assert_in_range(check_pause(BANNED, QUOTE_BANNED), 500000, 660000);
}

static void test_ban_that_is_called_blocked(void **state)
{
	(void)state;
	assert_in_range(check_pause(FORBIDDEN, QUOTE_BLOCKED), 500000, 660000);
}

/* It comes back after the pause, asks again, and all is well. */
static void test_after_the_pause(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, LIMITED_IN_A_200);
	start();
	until_error(ALPHA, "A", QUOTE_RATE_LIMITED);
	atomic_store(&seen[ALPHA].mode, MOVING);
	until_good(ALPHA, "A", 1);
	assert_int_equal(view_exchange(ALPHA).paused_ms, 0);
	assert_int_equal(view_exchange(ALPHA).failures, 1);
}

/* The second refusal in a row is a longer pause than the first can be. */
static void test_refusals_escalate(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, LIMITED_IN_A_200);
	start();
	until_error(ALPHA, "A", QUOTE_RATE_LIMITED);
	while (view_source(ALPHA, "A").attempts < 2)
		turn();
	assert_in_range(view_exchange(ALPHA).paused_ms, 5501, 11000);
}

/* After the pause one lane tries it, not all of them. */
static void test_one_comes_back(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, ALPHA, "A");
	add_source(feed, ALPHA, "B");
	add_source(feed, ALPHA, "C");
	add_source(feed, ALPHA, "T");
	atomic_store(&seen[ALPHA].mode, LIMITED_IN_A_200);
	start();
	until_error(ALPHA, "A", QUOTE_RATE_LIMITED);
	turn_for(100);
	unsigned asked = atomic_load(&seen[ALPHA].asked);
	atomic_store(&seen[ALPHA].mode, HANGING);
	until_asked(&seen[ALPHA].asked, asked + 1);
	turn_for(300);
	assert_int_equal(atomic_load(&seen[ALPHA].asked), asked + 1);
}

/* ---- spacing ---- */

/* Six symbols that want to be asked each 10 ms, 50 ms between any two
 * requests: thirty take at least 29 times that. Generous, because the peer
 * may have seen the first one late. */
static void test_spacing(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 10);
	static const char *const symbols[] = {"A", "B", "C", "T", "U", "V"};
	(void)state;
	for (size_t i = 0; i < 6; i++)
		add_source(feed, SLOW, symbols[i]);
	start();
	until_asked(&seen[SLOW].asked, 30);
	int64_t took_ms = atomic_load(&seen[SLOW].last_ms) -
			  atomic_load(&seen[SLOW].first_ms);
	assert_true(took_ms >= 1000);
	for (int i = 0; i < 3; i++)
		assert_in_range(atomic_load(&seen[SLOW].asked_of[i]), 3, 12);
	assert_int_equal(view_exchange(SLOW).budget_per_min, 1200);
	assert_in_range(view_exchange(SLOW).requests_last_minute, 30, 40);
}

/* Nor do failures, divisions and new connections make it faster. */
static void test_spacing_in_trouble(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 10);
	(void)state;
	add_source(feed, SLOW, "A");
	add_source(feed, SLOW, "SICK1");
	add_source(feed, SLOW, "SICK2");
	start();
	until_asked(&seen[SLOW].asked, 20);
	int64_t took_ms = atomic_load(&seen[SLOW].last_ms) -
			  atomic_load(&seen[SLOW].first_ms);
	assert_true(took_ms >= 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_retry_after_seconds),
	    WITH(test_retry_after_date),
	    WITH(test_a_refusal_in_a_200),
	    WITH(test_ban),
	    WITH(test_ban_that_is_called_blocked),
	    WITH(test_after_the_pause),
	    WITH(test_refusals_escalate),
	    WITH(test_one_comes_back),
	    WITH(test_spacing),
	    WITH(test_spacing_in_trouble),
	};
	return cmocka_run_group_tests_name(
	    "poller_pauses", tests, group_begin, group_end);
}
