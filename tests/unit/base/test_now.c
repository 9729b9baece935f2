/* now: both clocks go, and only one of them may stand still for us. */
#include "base/now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

static void test_unix_is_after_2024(void **state)
{
	(void)state;
	assert_true(now_unix_ms() > INT64_C(1704067200000));
	assert_true(now_unix_ms() / 1000 - (int64_t)time(NULL) < 60);
	assert_true((int64_t)time(NULL) - now_unix_ms() / 1000 < 60);
}

static void test_monotonic_never_goes_back(void **state)
{
	int64_t before = now_monotonic_ms();
	struct timespec nap = {.tv_nsec = 3000000};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = now_monotonic_ms();

		assert_true(now >= before);
		before = now;
	}
	nanosleep(&nap, NULL);
	assert_true(now_monotonic_ms() >= before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unix_is_after_2024),
	    cmocka_unit_test(test_monotonic_never_goes_back),
	};
	return cmocka_run_group_tests_name("now", tests, NULL, NULL);
}
