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
	    &(struct poll_outcome){error, status, retry_after_ms}, NOW, random);
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
	    cmocka_unit_test(test_bans_are_longer),
	    cmocka_unit_test(test_a_pause_is_never_shortened),
	};
	return cmocka_run_group_tests_name("poll_budget", tests, NULL, NULL);
}
