/* clock_check: offsets, the median and its edges. */
#include "oracle/clock_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW 5000000 /* monotonic */

static struct clock_witness witness(int64_t offset_ms)
{
	return (struct clock_witness){true, offset_ms, NOW};
}

static void check(
    const struct clock_witness *witnesses, size_t count, int64_t wanted)
{
	int64_t offset_ms = 77;

	assert_true(clock_check_median(witnesses, count, NOW, &offset_ms));
	assert_int_equal(offset_ms, wanted);
}

static void check_none(const struct clock_witness *witnesses, size_t count)
{
	int64_t offset_ms = 77;

	assert_false(clock_check_median(witnesses, count, NOW, &offset_ms));
	assert_int_equal(offset_ms, 0);
}

static void test_note(void **state)
{
	struct clock_witness w = {0};
	(void)state;

	clock_witness_note(&w, 1000000, 999900, 1000100, 42);
	assert_true(w.has_offset);
	assert_int_equal(w.offset_ms, 500);
	assert_int_equal(w.seen_ms, 42);
	clock_witness_note(&w, 1000000, 1000400, 1000600, 43);
	assert_int_equal(w.offset_ms, 0);
	clock_witness_note(&w, 1000000, 1002500, 1002500, 44);
	assert_int_equal(w.offset_ms, -2000);
	clock_witness_note(&w, 0, 1790000000000, 1790000000001, 44);
	assert_int_equal(w.offset_ms, 500 - 1790000000000);
	/* our clock went back while we waited */
	clock_witness_note(&w, 1000000, 1001000, 1000000, 45);
	assert_int_equal(w.offset_ms, 0);
}

static void test_none(void **state)
{
	struct clock_witness none[3] = {{0}};
	(void)state;
	check_none(NULL, 0);
	check_none(none, 3);
}

static void test_odd(void **state)
{
	struct clock_witness w[] = {
	    witness(90000), witness(-3), witness(2000), witness(1), witness(7)};
	(void)state;
	check(w, 1, 90000);
	check(w, 3, 2000);
	check(w, 5, 7);
}

static void test_even(void **state)
{
	struct clock_witness w[] = {
	    witness(2001), witness(2000), witness(-90000), witness(99999)};
	(void)state;
	check(w, 2, 2000); /* the half is cut off */
	check(w, 4, 2000);
	w[0].offset_ms = -2001;
	w[1].offset_ms = -2000;
	check(w, 2, -2001);
	w[0].offset_ms = 1999;
	w[1].offset_ms = 2001;
	check(w, 4, 2000);
}

static void test_order_does_not_matter(void **state)
{
	struct clock_witness w[7];
	(void)state;
	for (size_t turn = 0; turn < 7; turn++) {
		for (size_t i = 0; i < 7; i++)
			w[(i * 3 + turn) % 7] = witness((int64_t)i * 100);
		check(w, 7, 300);
	}
}

/* The limit is the publisher's to judge: beyond, not at it. */
static void test_edge_of_the_limit(void **state)
{
	struct clock_witness w = {0};
	int64_t offset_ms;
	(void)state;
	clock_witness_note(&w, 1000000, 998500, 998500, NOW);
	assert_true(clock_check_median(&w, 1, NOW, &offset_ms));
	assert_int_equal(offset_ms, CLOCK_CHECK_LIMIT_MS);
	assert_false(offset_ms > CLOCK_CHECK_LIMIT_MS);
	clock_witness_note(&w, 1000000, 998499, 998499, NOW);
	assert_true(clock_check_median(&w, 1, NOW, &offset_ms));
	assert_true(offset_ms > CLOCK_CHECK_LIMIT_MS);
}

static void test_age(void **state)
{
	struct clock_witness w[2] = {witness(5), witness(9)};
	(void)state;
	w[0].seen_ms = NOW - CLOCK_CHECK_AGE_MS;
	check(w, 2, 7);
	w[0].seen_ms--;
	check(w, 2, 9);
	w[1].seen_ms = w[0].seen_ms;
	check_none(w, 2);
}

static void test_as_many_as_there_may_be(void **state)
{
	struct clock_witness w[CLOCK_CHECK_OFFSETS_MAX];
	(void)state;
	for (size_t i = 0; i < CLOCK_CHECK_OFFSETS_MAX; i++)
		w[i] = witness(-(int64_t)i);
	check(w, CLOCK_CHECK_OFFSETS_MAX, -32);
}

/* A third of them lying, all the same way: the median is among the rest. */
static void test_liars(void **state)
{
	struct clock_witness w[9];
	(void)state;
	for (size_t i = 0; i < 9; i++)
		w[i] = witness(i % 3 == 0 ? 3600000 : (int64_t)i * 10);
	check(w, 9, 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_note),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_odd),
	    cmocka_unit_test(test_even),
	    cmocka_unit_test(test_order_does_not_matter),
	    cmocka_unit_test(test_edge_of_the_limit),
	    cmocka_unit_test(test_age),
	    cmocka_unit_test(test_as_many_as_there_may_be),
	    cmocka_unit_test(test_liars),
	};
	return cmocka_run_group_tests_name("clock_check", tests, NULL, NULL);
}
