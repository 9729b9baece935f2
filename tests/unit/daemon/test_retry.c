/* retry: waits that double up to the ceiling, each between half and all of its
 * back-off, and never shorter than the least. */
#include "verifier/daemon/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TRIES 200

static void test_doubles(void **state)
{
	static const uint64_t after[] = {400, 800, 1600, 3000, 3000};
	uint64_t backoff_ms = RETRY_MIN_MS;

	(void)state;
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		uint64_t before_ms = backoff_ms;
		uint64_t wait_ms = retry_wait_ms(&backoff_ms);

		assert_int_equal(backoff_ms, after[i]);
		assert_in_range(wait_ms, before_ms / 2, before_ms);
		assert_in_range(wait_ms, RETRY_MIN_MS, RETRY_MAX_MS);
	}
}

/* Many who lost the same server do not come back together. */
static void test_scatters(void **state)
{
	uint64_t least = RETRY_MAX_MS, most = 0;

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		uint64_t backoff_ms = RETRY_MAX_MS;
		uint64_t wait_ms = retry_wait_ms(&backoff_ms);

		least = wait_ms < least ? wait_ms : least;
		most = wait_ms > most ? wait_ms : most;
	}
	assert_in_range(least, RETRY_MAX_MS / 2, RETRY_MAX_MS / 2 + 500);
	assert_in_range(most, RETRY_MAX_MS - 500, RETRY_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_doubles),
	    cmocka_unit_test(test_scatters),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
