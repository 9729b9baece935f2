/* steady_clock: jumps of the wall clock either way, drift, and the hold. */
#include "oracle/steady_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct steady_clock started(void)
{
	struct steady_clock clock;

	steady_clock_init(&clock, 1000, 10000);
	assert_true(steady_clock_even(&clock, 1700000000000, 5000));
	return clock;
}

static void the_first_reading_is_believed(void **state)
{
	(void)state;
	started();
}

static void even_running_and_drift_are_fine(void **state)
{
	struct steady_clock clock = started();

	(void)state;
	for (int64_t i = 1; i < 100; i++) /* 5 ms of drift a second */
		assert_true(steady_clock_even(
		    &clock, 1700000000000 + i * 1005, 5000 + i * 1000));
}

static void a_jump_at_the_limit_is_drift(void **state)
{
	struct steady_clock clock = started();

	(void)state;
	assert_true(steady_clock_even(&clock, 1700000002000, 6000));
	assert_false(steady_clock_even(&clock, 1700000004001, 7000));
}

static void a_jump_back_is_seen(void **state)
{
	struct steady_clock clock = started();

	(void)state;
	assert_false(steady_clock_even(&clock, 1699999999999 - 1000, 5000));
}

static void it_is_believed_again_after_the_hold(void **state)
{
	struct steady_clock clock = started();
	int64_t wall_ms = 1700000000000 + 3600000;

	(void)state;
	assert_false(steady_clock_even(&clock, wall_ms, 5000));
	assert_false(steady_clock_even(&clock, wall_ms + 9999, 14999));
	assert_true(steady_clock_even(&clock, wall_ms + 10000, 15000));
}

static void a_second_jump_starts_the_hold_anew(void **state)
{
	struct steady_clock clock = started();

	(void)state;
	assert_false(steady_clock_even(&clock, 1700003600000, 6000));
	assert_false(steady_clock_even(&clock, 1700000000000, 15000));
	assert_false(steady_clock_even(&clock, 1700000009000, 24000));
	assert_true(steady_clock_even(&clock, 1700000010000, 25000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_reading_is_believed),
	    cmocka_unit_test(even_running_and_drift_are_fine),
	    cmocka_unit_test(a_jump_at_the_limit_is_drift),
	    cmocka_unit_test(a_jump_back_is_seen),
	    cmocka_unit_test(it_is_believed_again_after_the_hold),
	    cmocka_unit_test(a_second_jump_starts_the_hold_anew),
	};

	return cmocka_run_group_tests_name("steady_clock", tests, NULL, NULL);
}
