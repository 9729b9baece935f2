/* remedy: every verdict has a sentence that means something, and its own. */
#include "verifier/cli/remedy.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_sentence(enum hm_verdict verdict, const char *text)
{
	size_t len = strlen(text);

	if (len < 10 || text[len - 1] != '.' || strchr(text, '\n'))
		fail_msg("%s: \"%s\"", hm_verdict_name(verdict), text);
}

static void test_each(void **state)
{
	(void)state;
	for (int v = 0; v < HM_VERDICT_COUNT; v++) {
		const struct remedy *r = remedy_of((enum hm_verdict)v);

		check_sentence((enum hm_verdict)v, r->meaning);
		check_sentence((enum hm_verdict)v, r->remedy);
		for (int w = 0; w < v; w++)
			assert_string_not_equal(
			    r->meaning, remedy_of((enum hm_verdict)w)->meaning);
	}
}

/* The classes are the exit codes that the help promises. */
static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(hm_verdict_class(HM_VALID), 0);
	assert_int_equal(hm_verdict_class(HM_COSE_MALFORMED), 2);
	assert_int_equal(hm_verdict_class(HM_ITEM_SIGNATURE), 3);
	assert_int_equal(hm_verdict_class(HM_ROOT_UNTRUSTED), 4);
	assert_int_equal(hm_verdict_class(HM_PCR_MISMATCH), 5);
	assert_int_equal(hm_verdict_class(HM_CHAIN_EXPIRED), 6);
	assert_int_equal(hm_verdict_class(HM_DEBUG_ENCLAVE), 7);
	assert_int_equal(hm_verdict_class(HM_SEQUENCE_FORK), 8);
	for (int v = 1; v < HM_VERDICT_COUNT; v++) {
		int code = hm_verdict_class((enum hm_verdict)v);

		assert_true(code >= 2 && code <= 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each),
	    cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests_name("remedy", tests, NULL, NULL);
}
