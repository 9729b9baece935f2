/* Clocks, signed timestamps and a policy's times at the ends of what they can
 * be: no sum overflows (the sanitizer watches), and nothing is valid. */
#include "tests/unit/verifier/policy_fixture.h"

#include "verifier/moment.h"

static void count_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	(void)check;
	(void)passed;
	(void)wanted;
	(void)found;
	++*(unsigned *)data;
}

static void expect_no_overflow(int64_t now_ms)
{
	unsigned checks = 0;
	const struct hm_report report = {count_check, &checks};

	assert_int_not_equal(
	    hm_document_verify_live(policy, NULL, b->document.at,
		b->document.len, now_ms, NULL, 0, NULL, &report),
	    HM_VALID);
	assert_true(checks > 0);
}

static void test_ends_of_time(void **state)
{
	static const int64_t clocks_ms[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1,
	    MOMENT_MAX_MS, MOMENT_MAX_MS + 1, INT64_MAX - 1, INT64_MAX};
	static const int64_t signed_ms[] = {1, BUILDER_NOW_MS, MOMENT_MAX_MS};
	static const int64_t ends_ms[] = {INT64_MIN + 1, 0, INT64_MAX};

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		b->timestamp_ms = signed_ms[s];
		for (unsigned level = 0; level < BUILDER_LEVELS; level++) {
			b->not_before_s[level] = -BUILDER_NOW_MS / 1000;
			b->not_after_s[level] =
			    (MOMENT_MAX_MS - BUILDER_NOW_MS) / 1000;
		}
		again();
		hm_policy_set_ages(policy, s == 1 ? 0 : POLICY_AGE_MAX_S,
		    s == 1 ? 0 : POLICY_AGE_MAX_S);
		policy->max_enclave_age_ms = POLICY_AGE_MAX_S * 1000;
		policy->booted_after_ms = ends_ms[s];
		policy->releases[0].not_before_ms = INT64_MAX - 1;
		policy->releases[0].not_after_ms = INT64_MAX;
		for (size_t i = 0; i < sizeof(clocks_ms) / sizeof(*clocks_ms);
		     i++)
			expect_no_overflow(clocks_ms[i]);
		assert_int_not_equal(
		    hm_document_verify_replay(policy, NULL, b->document.at,
			b->document.len, NULL, 0, NULL, NULL),
		    HM_VALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_ends_of_time, begin, end),
	};

	return cmocka_run_group_tests_name(
	    "ends of time", tests, setup, teardown);
}
