/* pace: the bucket's arithmetic, at times of our choosing. */
#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/pace.h"

static void test_burst_then_rate(void **state)
{
	struct pace pace = {.per_s = 1000, .burst = 5000};

	(void)state;
	assert_int_equal(pace_wait_ms(&pace, 1), 0);
	pace_take(&pace, 1, 4999);
	assert_int_equal(pace_wait_ms(&pace, 1), 0);
	pace_take(&pace, 1, 1);
	assert_int_equal(pace_wait_ms(&pace, 1), 1);
	pace_take(&pace, 1, 2000); /* once below zero */
	assert_int_equal(pace_wait_ms(&pace, 1), 2001);
	assert_int_equal(pace_wait_ms(&pace, 1001), 1001);
	assert_int_equal(pace_wait_ms(&pace, 2002), 0);
}

static void test_never_more_than_the_burst(void **state)
{
	struct pace pace = {.per_s = 1000, .burst = 5000};

	(void)state;
	pace_take(&pace, 1, 5000);
	pace_take(&pace, UINT64_C(1) << 62, 5000);
	assert_int_equal(pace_wait_ms(&pace, UINT64_C(1) << 62), 1);
}

/* Asked so often that each time is less than a whole one. */
static void test_small_steps_add_up(void **state)
{
	struct pace pace = {.per_s = 10, .burst = 10};

	(void)state;
	pace_take(&pace, 1, 20);
	for (uint64_t ms = 2; ms <= 1001; ms++)
		(void)pace_wait_ms(&pace, ms);
	assert_int_equal(pace.left, 0);
}

static void test_line(void **state)
{
	struct pace_line line = {0};
	uint64_t unsaid = 9;

	(void)state;
	assert_true(pace_line_may(&line, 500, &unsaid));
	assert_int_equal(unsaid, 0);
	assert_false(pace_line_may(&line, 501, &unsaid));
	assert_false(pace_line_may(&line, 500 + PACE_LINE_MS - 1, &unsaid));
	assert_true(pace_line_may(&line, 500 + PACE_LINE_MS, &unsaid));
	assert_int_equal(unsaid, 2);
	assert_true(pace_line_may(&line, 9000, &unsaid));
	assert_int_equal(unsaid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_burst_then_rate),
	    cmocka_unit_test(test_never_more_than_the_burst),
	    cmocka_unit_test(test_small_steps_add_up),
	    cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
