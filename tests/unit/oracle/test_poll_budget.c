/* poll_budget: spacing, what pauses an exchange and for how long. */
#include "oracle/poll_budget.h"

#include "oracle/poller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW 1000000

static int64_t judge(struct poll_budget *budget, enum quote_error error,
    int status, int64_t retry_after_ms, uint32_t random)
{
	return poll_budget_judge(budget,
	    &(struct poll_outcome){error, status, retry_after_ms, NOW + 1}, NOW,
	    random);
}

static void test_spacing(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 250);
	assert_true(poll_budget_ready_ms(&budget) <= NOW);
	poll_budget_spend(&budget, NOW);
	assert_int_equal(poll_budget_ready_ms(&budget), NOW + 250);
}

static void test_nothing_pauses_a_good_answer(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 250);
	assert_int_equal(judge(&budget, QUOTE_OK, 200, -1, 7), 0);
	assert_int_equal(judge(&budget, QUOTE_OK, 200, 5000, 7), 0);
	assert_true(poll_budget_ready_ms(&budget) <= NOW);
}

static void test_other_failures_do_not_pause(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	for (int error = QUOTE_OK; error < QUOTE_ERROR_COUNT; error++) {
		if (error == QUOTE_RATE_LIMITED || error == QUOTE_BANNED)
			continue;
		assert_int_equal(
		    judge(&budget, (enum quote_error)error, 500, -1, 7), 0);
		assert_true(poll_budget_ready_ms(&budget) <= NOW);
	}
}

static void test_retry_after(void **state)
{
	struct poll_budget budget;
	(void)state;
	for (uint32_t random = 0; random < 5000; random += 7) {
		poll_budget_init(&budget, 0);
		int64_t ms = judge(
		    &budget, QUOTE_MAINTENANCE, 503, 30000, random);
		assert_in_range(ms, 30000, 33000);
		assert_int_equal(poll_budget_ready_ms(&budget), NOW + ms);
	}
}

static void test_retry_after_is_bounded(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	assert_int_equal(
	    judge(&budget, QUOTE_BANNED, 418, INT64_MAX, UINT32_MAX),
	    POLLER_RETRY_AFTER_MAX_MS);
	assert_int_equal(
	    judge(&budget, QUOTE_BANNED, 418, POLLER_RETRY_AFTER_MAX_MS, 99),
	    POLLER_RETRY_AFTER_MAX_MS);
	assert_int_equal(
	    poll_budget_ready_ms(&budget), NOW + POLLER_RETRY_AFTER_MAX_MS);
}

/* Kraken says it in a 200: the error counts, not the status. */
static void test_refusals_double(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 200, -1, 3), 5000, 5500);
	assert_in_range(
	    judge(&budget, QUOTE_HTTP_ERROR, 429, -1, 3), 9000, 11000);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, 0, 3), 18000, 22000);
	judge(&budget, QUOTE_OK, 200, -1, 3);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, -1, 3), 5000, 5500);
	for (int i = 0; i < 100; i++)
		judge(&budget, QUOTE_RATE_LIMITED, 429, -1, 3);
	assert_true(judge(&budget, QUOTE_RATE_LIMITED, 429, -1, UINT32_MAX) <=
		    POLL_BUDGET_PAUSE_MAX_MS);
}

/* Retry-After was kept to, and again it refuses: it is given longer. */
static void test_refusals_in_spite_of_retry_after(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, 1000, 3), 1000, 1100);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, 1000, 3), 1800, 2200);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, 1000, 3), 3600, 4400);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, 60000, 3), 432000, 528000);
	/* An hour is as far as we go beyond what it says. */
	assert_in_range(judge(&budget, QUOTE_RATE_LIMITED, 429, 600000, 3),
	    3240000, 3600000);
	assert_in_range(judge(&budget, QUOTE_RATE_LIMITED, 429, 7200000, 3),
	    7200000, 7920000);
	poll_budget_init(&budget, 0);
	/* What it asks for is known, so our own guess at a ban is not added. */
	assert_in_range(judge(&budget, QUOTE_BANNED, 418, 2000, 3), 2000, 2200);
	assert_in_range(judge(&budget, QUOTE_BANNED, 418, 2000, 3), 3600, 4400);
	judge(&budget, QUOTE_OK, 200, -1, 3);
	assert_in_range(judge(&budget, QUOTE_BANNED, 418, 2000, 3), 2000, 2200);
}

/* Four lanes hear "enough" at once: that is one refusal. */
static void test_what_was_under_way_tells_nothing(void **state)
{
	struct poll_outcome outcome = {QUOTE_BANNED, 418, -1, NOW - 10};
	struct poll_budget budget;
	(void)state;

	poll_budget_init(&budget, 0);
	for (int64_t i = 0; i < 4; i++)
		assert_in_range(
		    poll_budget_judge(&budget, &outcome, NOW + i, 3), 120000,
		    132000);
	assert_int_equal(budget.refusals, 1);
	outcome.error = QUOTE_OK; /* nor is this its end */
	poll_budget_judge(&budget, &outcome, NOW + 5, 3);
	assert_int_equal(budget.refusals, 1);
	outcome.error = QUOTE_BANNED;
	outcome.sent_ms = NOW + 200000;
	assert_in_range(poll_budget_judge(&budget, &outcome, NOW + 200100, 3),
	    216000, 264000);
	outcome.error = QUOTE_OK;
	outcome.sent_ms = NOW + 200100; /* sent before it came */
	poll_budget_judge(&budget, &outcome, NOW + 200200, 3);
	assert_int_equal(budget.refusals, 2);
	outcome.sent_ms++;
	poll_budget_judge(&budget, &outcome, NOW + 200200, 3);
	assert_int_equal(budget.refusals, 0);
}

/* ---- what is counted ---- */

static void test_last_minute(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 10);
	assert_int_equal(poll_budget_last_minute(&budget, 0), 0);
	assert_int_equal(poll_budget_last_minute(&budget, NOW), 0);
	for (int i = 0; i < 5; i++)
		poll_budget_spend(&budget, NOW + i);
	poll_budget_spend(&budget, NOW + 30000);
	poll_budget_spend(&budget, NOW + 59999);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 59999), 7);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 60000), 2);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 89999), 2);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 90000), 1);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 119000), 0);
	poll_budget_spend(&budget, NOW + 120000); /* in the first one's place */
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 120000), 1);
	poll_budget_spend(&budget, NOW + 10000000);
	assert_int_equal(poll_budget_last_minute(&budget, NOW + 10000000), 1);
}

/* Against counting them one by one. */
static void test_last_minute_by_counting(void **state)
{
	struct poll_budget budget;
	int64_t at[400], now_ms = 300;
	uint32_t random = 12345;
	(void)state;

	poll_budget_init(&budget, 10);
	for (size_t i = 0; i < 400; i++) {
		random = random * 1664525u + 1013904223u;
		now_ms += (int64_t)(random >> 16) % (i % 50 == 0 ? 90000 : 700);
		at[i] = now_ms;
		poll_budget_spend(&budget, now_ms);
		unsigned wanted = 0;
		for (size_t k = 0; k <= i; k++)
			wanted += at[k] / 1000 > now_ms / 1000 - 60;
		assert_int_equal(
		    poll_budget_last_minute(&budget, now_ms), wanted);
	}
}

static void test_bans_are_longer(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	assert_in_range(
	    judge(&budget, QUOTE_BANNED, 403, -1, 3), 120000, 132000);
	poll_budget_init(&budget, 0);
	assert_in_range(
	    judge(&budget, QUOTE_HTTP_ERROR, 418, -1, 3), 120000, 132000);
}

/* Its class is "blocked", here and where it is none. */
static void test_a_403_is_a_ban_where_the_exchange_says_so(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 0);
	budget.ban_403_ms = 600000;
	assert_in_range(
	    judge(&budget, QUOTE_BLOCKED, 403, -1, 3), 600000, 660000);
	assert_in_range(
	    judge(&budget, QUOTE_BLOCKED, 403, -1, 3), 1080000, 1320000);
	poll_budget_init(&budget, 0);
	budget.ban_403_ms = 600000;
	assert_in_range(
	    judge(&budget, QUOTE_BANNED, 200, -1, 3), 600000, 660000);
	assert_in_range(
	    judge(&budget, QUOTE_RATE_LIMITED, 429, -1, 3), 9000, 11000);
	assert_in_range(
	    judge(&budget, QUOTE_BLOCKED, 403, 2000, 3), 7200, 8800);
	poll_budget_init(&budget, 0);
	budget.ban_403_ms = 1000; /* never less than any ban */
	assert_in_range(
	    judge(&budget, QUOTE_BLOCKED, 403, -1, 3), 120000, 132000);
	poll_budget_init(&budget, 0);
	assert_int_equal(judge(&budget, QUOTE_BLOCKED, 403, -1, 3), 0);
}

/* An answer that was on its way cannot end a pause early. */
static void test_a_pause_is_never_shortened(void **state)
{
	struct poll_budget budget;
	(void)state;
	poll_budget_init(&budget, 10);
	judge(&budget, QUOTE_BANNED, 418, 600000, 0);
	int64_t until = poll_budget_ready_ms(&budget);
	judge(&budget, QUOTE_RATE_LIMITED, 429, 1000, 0);
	judge(&budget, QUOTE_OK, 200, -1, 0);
	poll_budget_spend(&budget, NOW);
	assert_int_equal(poll_budget_ready_ms(&budget), until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_spacing),
	    cmocka_unit_test(test_nothing_pauses_a_good_answer),
	    cmocka_unit_test(test_other_failures_do_not_pause),
	    cmocka_unit_test(test_retry_after),
	    cmocka_unit_test(test_retry_after_is_bounded),
	    cmocka_unit_test(test_refusals_double),
	    cmocka_unit_test(test_refusals_in_spite_of_retry_after),
	    cmocka_unit_test(test_what_was_under_way_tells_nothing),
	    cmocka_unit_test(test_last_minute),
	    cmocka_unit_test(test_last_minute_by_counting),
	    cmocka_unit_test(test_bans_are_longer),
	    cmocka_unit_test(test_a_403_is_a_ban_where_the_exchange_says_so),
	    cmocka_unit_test(test_a_pause_is_never_shortened),
	};
	return cmocka_run_group_tests_name("poll_budget", tests, NULL, NULL);
}
