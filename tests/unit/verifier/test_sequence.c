/* The order of items: the next, a gap, a replay, a fork, another boot. */
#include "verifier/hallmark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* hash: of this item; previous: that it names; 0 is all zero. */
static struct hm_item item(
    int boot, uint64_t sequence, int64_t ms, int hash, int previous)
{
	struct hm_item out;

	memset(&out, 0, sizeof(out));
	memset(out.boot_id, boot, sizeof(out.boot_id));
	out.sequence = sequence;
	out.published_ms = ms;
	memset(out.content_sha256, hash, HM_SHA256_LEN);
	memset(out.previous_sha256, previous, HM_SHA256_LEN);
	return out;
}

static enum hm_verdict next(struct hm_sequence *state, int boot,
    uint64_t sequence, int64_t ms, int hash, int previous)
{
	struct hm_item one = item(boot, sequence, ms, hash, previous);

	return hm_sequence_next(state, &one);
}

static void test_in_order(void **state)
{
	struct hm_sequence s = {0};

	(void)state;
	assert_int_equal(next(&s, 1, 0, 1000, 10, 0), HM_VALID);
	assert_int_equal(next(&s, 1, 1, 2000, 11, 10), HM_VALID);
	assert_int_equal(next(&s, 1, 2, 2000, 12, 11), HM_VALID);
	assert_int_equal(s.sequence, 2);
	assert_int_equal(s.published_ms, 2000);
}

static void test_first_in_the_middle(void **state)
{
	struct hm_sequence s = {0};

	(void)state;
	assert_int_equal(next(&s, 1, 500, 1000, 10, 9), HM_VALID);
	assert_int_equal(next(&s, 1, 501, 1001, 11, 10), HM_VALID);
}

static void test_replay(void **state)
{
	struct hm_sequence s = {0}, before;

	(void)state;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_VALID);
	before = s;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_SEQUENCE_REPLAY);
	assert_int_equal(next(&s, 1, 4, 900, 9, 8), HM_SEQUENCE_REPLAY);
	assert_int_equal(next(&s, 1, 0, 2000, 9, 0), HM_SEQUENCE_REPLAY);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void test_fork(void **state)
{
	struct hm_sequence s = {0}, before;

	(void)state;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_VALID);
	before = s;
	assert_int_equal(next(&s, 1, 5, 1000, 99, 9), HM_SEQUENCE_FORK);
	assert_int_equal(next(&s, 1, 6, 2000, 11, 99), HM_SEQUENCE_FORK);
	assert_int_equal(next(&s, 1, 6, 2000, 11, 0), HM_SEQUENCE_FORK);
	assert_memory_equal(&s, &before, sizeof(s));
	/* the first item of a boot cannot name a predecessor */
	assert_int_equal(next(&s, 2, 0, 2000, 20, 10), HM_SEQUENCE_FORK);
	memset(&s, 0, sizeof(s));
	assert_int_equal(next(&s, 2, 0, 2000, 20, 10), HM_SEQUENCE_FORK);
	assert_false(s.started);
}

static void test_gap(void **state)
{
	struct hm_sequence s = {0};

	(void)state;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_VALID);
	assert_int_equal(next(&s, 1, 7, 2000, 12, 11), HM_SEQUENCE_GAP);
	assert_int_equal(next(&s, 1, 8, 3000, 13, 12), HM_VALID);
	assert_int_equal(
	    next(&s, 1, UINT64_MAX, 3000, 14, 13), HM_SEQUENCE_GAP);
	assert_int_equal(next(&s, 1, 0, 4000, 15, 14), HM_SEQUENCE_REPLAY);
}

static void test_time_regression(void **state)
{
	struct hm_sequence s = {0}, before;

	(void)state;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_VALID);
	before = s;
	assert_int_equal(next(&s, 1, 6, 999, 11, 10), HM_TIME_REGRESSION);
	assert_int_equal(next(&s, 1, 9, 999, 11, 10), HM_TIME_REGRESSION);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void test_other_boot(void **state)
{
	struct hm_sequence s = {0};

	(void)state;
	assert_int_equal(next(&s, 1, 5, 1000, 10, 9), HM_VALID);
	assert_int_equal(next(&s, 2, 0, 2000, 20, 0), HM_VALID);
	assert_int_equal(next(&s, 2, 1, 3000, 21, 20), HM_VALID);
	/* the old boot's items are not news */
	assert_int_equal(next(&s, 1, 6, 1100, 11, 10), HM_TIME_REGRESSION);
	assert_int_equal(next(&s, 2, 2, 4000, 22, 21), HM_VALID);
	/* another boot, seen first in its middle */
	assert_int_equal(next(&s, 3, 40, 4000, 30, 29), HM_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_order),
	    cmocka_unit_test(test_first_in_the_middle),
	    cmocka_unit_test(test_replay),
	    cmocka_unit_test(test_fork),
	    cmocka_unit_test(test_gap),
	    cmocka_unit_test(test_time_regression),
	    cmocka_unit_test(test_other_boot),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
