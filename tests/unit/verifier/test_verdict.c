/* The names and classes of verdicts. */
#include "verifier/hallmark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names_differ(void **state)
{
	(void)state;
	for (int i = 0; i < HM_VERDICT_COUNT; i++) {
		const char *name = hm_verdict_name((enum hm_verdict)i);

		assert_true(strlen(name) > 0);
		assert_int_equal(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    name, hm_verdict_name((enum hm_verdict)j));
	}
}

static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(hm_verdict_class(HM_VALID), 0);
	for (int i = 1; i < HM_VERDICT_COUNT; i++) {
		int number = hm_verdict_class((enum hm_verdict)i);

		assert_in_range(number, 2, 8);
	}
	assert_int_equal(hm_verdict_class(HM_COSE_MALFORMED), 2);
	assert_int_equal(hm_verdict_class(HM_ITEM_SIGNATURE), 3);
	assert_int_equal(hm_verdict_class(HM_CHAIN_BROKEN), 4);
	assert_int_equal(hm_verdict_class(HM_PCR_MISMATCH), 5);
	assert_int_equal(hm_verdict_class(HM_CHAIN_EXPIRED), 6);
	assert_int_equal(hm_verdict_class(HM_DEBUG_ENCLAVE), 7);
	assert_int_equal(hm_verdict_class(HM_SEQUENCE_GAP), 8);
}

/* Zeroed memory must not read as a refusal by accident, nor a number that is
 * none as valid. */
static void test_out_of_range(void **state)
{
	(void)state;
	assert_int_equal(HM_VALID, 0);
	assert_string_equal(
	    hm_verdict_name((enum hm_verdict)HM_VERDICT_COUNT), "unknown");
	assert_string_equal(hm_verdict_name((enum hm_verdict)1000), "unknown");
	assert_int_not_equal(
	    hm_verdict_class((enum hm_verdict)HM_VERDICT_COUNT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_differ),
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_out_of_range),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
