/* backoff: bounds for every random value that matters, doubling, no overflow.
 */
#include "oracle/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint32_t bits[] = {0, 1, 2, 99, 200, 201, 0x7fffffff, UINT32_MAX};
#define BITS (sizeof(bits) / sizeof(bits[0]))

static void test_jitter_is_a_tenth(void **state)
{
	(void)state;
	for (size_t i = 0; i < BITS; i++)
		assert_in_range(backoff_jitter(1000, bits[i]), 900, 1100);
	assert_int_equal(backoff_jitter(1000, 0), 900);
	assert_int_equal(backoff_jitter(1000, 200), 1100);
	assert_int_equal(backoff_jitter(1000, 201), 900);
}

static void test_jitter_of_little(void **state)
{
	(void)state;
	assert_int_equal(backoff_jitter(0, 12345), 0);
	assert_int_equal(backoff_jitter(9, 12345), 9);
}

static void test_doubles(void **state)
{
	(void)state;
	for (size_t i = 0; i < BITS; i++) {
		assert_in_range(
		    backoff_delay(500, 60000, 1, bits[i]), 500, 550);
		assert_in_range(
		    backoff_delay(500, 60000, 2, bits[i]), 900, 1100);
		assert_in_range(
		    backoff_delay(500, 60000, 3, bits[i]), 1800, 2200);
		assert_in_range(
		    backoff_delay(500, 60000, 7, bits[i]), 28800, 35200);
	}
}

static void test_never_over_the_maximum(void **state)
{
	(void)state;
	for (size_t i = 0; i < BITS; i++) {
		assert_in_range(
		    backoff_delay(500, 60000, 8, bits[i]), 54000, 60000);
		assert_in_range(backoff_delay(500, 60000, UINT32_MAX, bits[i]),
		    54000, 60000);
	}
}

static void test_one_value(void **state)
{
	(void)state;
	assert_int_equal(backoff_delay(1, 1, 5, UINT32_MAX), 1);
	assert_int_equal(backoff_delay(500, 500, 5, 77), 500);
}

static void test_no_overflow(void **state)
{
	const int64_t max = INT64_MAX / 4;
	(void)state;
	int64_t ms = backoff_delay(3, max, 1000, UINT32_MAX);
	assert_true(ms <= max && ms >= max - max / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jitter_is_a_tenth),
	    cmocka_unit_test(test_jitter_of_little),
	    cmocka_unit_test(test_doubles),
	    cmocka_unit_test(test_never_over_the_maximum),
	    cmocka_unit_test(test_one_value),
	    cmocka_unit_test(test_no_overflow),
	};
	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
