/* quote: the names of the errors are the format of items and of --parse. */
#include "feeds/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void names_are_distinct_and_found(void **state)
{
	(void)state;
	for (int i = 0; i < QUOTE_ERROR_COUNT; i++) {
		const char *name = quote_error_name((enum quote_error)i);
		assert_non_null(name);
		assert_int_equal(quote_error_find(name, strlen(name)), i);
	}
}

static void names_are_these(void **state)
{
	(void)state;
	assert_string_equal(quote_error_name(QUOTE_OK), "ok");
	assert_string_equal(
	    quote_error_name(QUOTE_UNKNOWN_SYMBOL), "unknown_symbol");
	assert_string_equal(quote_error_name(QUOTE_NOT_POLLED), "not_polled");
}

static void other_names_are_not_found(void **state)
{
	static const char *const names[] = {
	    "", "OK", "o", "okk", "unknown", "unknown_symbol "};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(
		    quote_error_find(names[i], strlen(names[i])), -1);
	assert_int_equal(quote_error_find("ok\0", 3), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_distinct_and_found),
	    cmocka_unit_test(names_are_these),
	    cmocka_unit_test(other_names_are_not_found),
	};

	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
