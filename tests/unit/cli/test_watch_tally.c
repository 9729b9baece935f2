/* watch_tally: what counts as what, and each exit code. */
#include "verifier/cli/watch_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct record
    valid = {.verdict = HM_VALID},
    gap = {.verdict = HM_SEQUENCE_GAP, .missing = 3},
    late = {.verdict = HM_ITEM_EXPIRED, .late = true},
    late_gap = {.verdict = HM_SEQUENCE_GAP, .late = true, .missing = 2},
    replay = {.verdict = HM_SEQUENCE_REPLAY, .late = true},
    expired = {.verdict = HM_ITEM_EXPIRED, .refused = true},
    forged = {.verdict = HM_ITEM_SIGNATURE, .refused = true},
    forked = {.verdict = HM_SEQUENCE_FORK, .refused = true};

static void test_outcomes(void **state)
{
	(void)state;
	assert_int_equal(watch_outcome(&valid), WATCH_VERIFIED);
	assert_int_equal(watch_outcome(&gap), WATCH_VERIFIED);
	assert_int_equal(watch_outcome(&late), WATCH_LATE);
	assert_int_equal(watch_outcome(&late_gap), WATCH_LATE);
	assert_int_equal(watch_outcome(&replay), WATCH_REFUSED);
	assert_int_equal(watch_outcome(&expired), WATCH_REFUSED);
	assert_int_equal(watch_outcome(&forged), WATCH_REFUSED);
	assert_int_equal(watch_outcome(&forked), WATCH_REFUSED);
}

/* The exit code after these records (up to NULL), all with one price. */
static int after(const char *until, const struct record *const *records)
{
	struct hm_item item = {.feed = "BTC-USD", .ok = true, .price = "10.00"};
	struct watch_tally tally = {0};
	struct condition condition = {0};
	bool met = false;

	if (until)
		assert_int_equal(condition_parse(&condition, until), 0);
	for (; *records; records++)
		met |= watch_tally_add(&tally, &condition, *records, &item);
	assert_int_equal(met, tally.met);
	return watch_tally_exit(&tally, &condition);
}

#define AFTER(until, ...) \
	after(until, (const struct record *const[]){__VA_ARGS__, NULL})

static void test_without_condition(void **state)
{
	(void)state;
	assert_int_equal(AFTER(NULL, &valid), 0);
	assert_int_equal(AFTER(NULL, &valid, &late), 0);
	assert_int_equal(AFTER(NULL, NULL), WATCH_TIMED_OUT);
	assert_int_equal(AFTER(NULL, &late), WATCH_TIMED_OUT);
	assert_int_equal(AFTER(NULL, &valid, &gap), 8);
	assert_int_equal(AFTER(NULL, &valid, &late_gap), 8);
	assert_int_equal(AFTER(NULL, &valid, &replay), 8);
	assert_int_equal(AFTER(NULL, &valid, &forged), 3);
	assert_int_equal(AFTER(NULL, &expired, &valid), 6);
	assert_int_equal(AFTER(NULL, &gap, &expired, &forged), 6); /* first */
	assert_int_equal(AFTER(NULL, &forged, &expired), 3);
	assert_int_equal(AFTER(NULL, &forked), 8);
}

static void test_with_condition(void **state)
{
	(void)state;
	assert_int_equal(AFTER("verified", &valid), 0);
	assert_int_equal(AFTER("verified", &gap), 0);
	assert_int_equal(AFTER("verified", &forged, &valid), 0);
	assert_int_equal(AFTER("verified", &forged), 3);
	assert_int_equal(AFTER("verified", &replay), 8);
	assert_int_equal(AFTER("verified", &late), WATCH_TIMED_OUT);
	assert_int_equal(AFTER("verified", NULL), WATCH_TIMED_OUT);
	assert_int_equal(AFTER("refused", &forged), 0);
	assert_int_equal(AFTER("refused", &replay), 0);
	assert_int_equal(AFTER("refused", &valid, &late), WATCH_TIMED_OUT);
	assert_int_equal(AFTER("refused", &valid, &gap), WATCH_TIMED_OUT);
	assert_int_equal(AFTER("BTC-USD>9.99", &valid), 0);
	assert_int_equal(AFTER("BTC-USD>10", &valid), WATCH_TIMED_OUT);
	/* A price that nobody vouches for, or not any more, meets nothing. */
	assert_int_equal(AFTER("BTC-USD>9.99", &forged), 3);
	assert_int_equal(AFTER("BTC-USD>9.99", &expired), 6);
	assert_int_equal(AFTER("BTC-USD>9.99", &replay), 8);
	assert_int_equal(AFTER("BTC-USD>9.99", &late), WATCH_TIMED_OUT);
}

/* 9 is no class of a verdict. */
static void test_own_code(void **state)
{
	(void)state;
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		assert_int_not_equal(
		    hm_verdict_class((enum hm_verdict)v), WATCH_TIMED_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_outcomes),
	    cmocka_unit_test(test_without_condition),
	    cmocka_unit_test(test_with_condition),
	    cmocka_unit_test(test_own_code),
	};

	return cmocka_run_group_tests_name("watch_tally", tests, NULL, NULL);
}
