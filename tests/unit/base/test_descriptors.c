/* descriptors: the limit goes up, never down, and never over the hard one. */
#include "base/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static void set_limit(rlim_t soft)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = soft;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static struct rlimit get_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit;
}

static void it_goes_up(void **state)
{
	(void)state;
	set_limit(100);
	descriptors_want(120);
	assert_int_equal(get_limit().rlim_cur, 120 + DESCRIPTORS_SPARE);
}

static void it_never_goes_down(void **state)
{
	(void)state;
	set_limit(400);
	descriptors_want(10);
	assert_int_equal(get_limit().rlim_cur, 400);
}

static void the_hard_limit_holds(void **state)
{
	struct rlimit before = get_limit();

	(void)state;
	set_limit(100);
	descriptors_want((uint64_t)before.rlim_max + 1);
	assert_int_equal(get_limit().rlim_cur, before.rlim_max);
	assert_int_equal(get_limit().rlim_max, before.rlim_max);
}

static void a_reserve_is_left(void **state)
{
	(void)state;
	set_limit(64);
	assert_int_equal(descriptors_reserve(), 48);
	set_limit(4 * DESCRIPTORS_SPARE);
	assert_int_equal(descriptors_reserve(), 3 * DESCRIPTORS_SPARE);
	set_limit(4 * DESCRIPTORS_SPARE + 8);
	assert_int_equal(descriptors_reserve(), 3 * DESCRIPTORS_SPARE + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_goes_up),
	    cmocka_unit_test(it_never_goes_down),
	    cmocka_unit_test(the_hard_limit_holds),
	    cmocka_unit_test(a_reserve_is_left),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
