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

static void same_prices(void **state)
{
	const struct quote one = {.has_last = true,
	    .has_bid = true,
	    .last = {10, -1},
	    .bid = {9, -1},
	    .exchange_ms = 7};
	struct quote other = one;

	(void)state;
	other.last = (struct decimal){1, 0}; /* 1.0 is 1 */
	other.has_exchange_ms = true;        /* no price */
	other.ask = (struct decimal){5, 0};  /* is not there */
	assert_true(quote_same_prices(&one, &other));
	other.bid.mantissa = 8;
	assert_false(quote_same_prices(&one, &other));
	other = one;
	other.has_bid = false;
	assert_false(quote_same_prices(&one, &other));
	other = one;
	other.has_ask = true;
	assert_false(quote_same_prices(&one, &other));
	other = one;
	other.last.mantissa = 11;
	assert_false(quote_same_prices(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_distinct_and_found),
	    cmocka_unit_test(names_are_these),
	    cmocka_unit_test(other_names_are_not_found),
	    cmocka_unit_test(same_prices),
	};

	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
