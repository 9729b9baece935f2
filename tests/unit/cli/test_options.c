#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verifier/cli/options.h"

#include <string.h>

static const struct option known[] = {
    {"json", no_argument, NULL, 'j'},
    {"policy", required_argument, NULL, 'p'},
    {NULL, 0, NULL, 0},
};

static int count(char **argv)
{
	int n = 0;

	while (argv[n])
		n++;
	return n;
}

/* The first that is bad says this. */
static void assert_bad(char **argv, const char *wanted)
{
	char error[160] = "";
	int option;

	options_begin();
	while ((option = options_next(
		    count(argv), argv, known, error, sizeof(error))) >= 0)
		assert_string_equal(error, "");
	assert_int_equal(option, OPTIONS_BAD);
	assert_string_equal(error, wanted);
}

static void test_in_order(void **state)
{
	char *argv[] = {"x", "--policy", "p.json", "FILE", "--json", NULL};
	char error[8] = "";

	(void)state;
	for (int again = 0; again < 2; again++) { /* begins anew */
		char *args[6];

		memcpy(args, argv, sizeof(args)); /* getopt puts FILE last */
		options_begin();
		assert_int_equal(
		    options_next(5, args, known, error, sizeof(error)), 'p');
		assert_string_equal(optarg, "p.json");
		assert_int_equal(
		    options_next(5, args, known, error, sizeof(error)), 'j');
		assert_int_equal(
		    options_next(5, args, known, error, sizeof(error)),
		    OPTIONS_END);
		assert_int_equal(optind, 4);
		assert_string_equal(args[optind], "FILE");
		assert_string_equal(error, "");
	}
}

static void test_bad(void **state)
{
	char *unknown[] = {"x", "--json", "--nope", NULL};
	char *no_value[] = {"x", "--policy", NULL};
	char *with_value[] = {"x", "--json=1", NULL};

	(void)state;
	assert_bad(unknown, "--nope: no such option");
	assert_bad(no_value, "--policy needs a value");
	assert_bad(with_value, "--json=1: no such option");
}

static void test_bounded(void **state)
{
	char text[4096] = "--", error[40];
	char *argv[] = {"x", text, NULL};

	(void)state;
	memset(text + 2, 'a', sizeof(text) - 3);
	options_begin();
	assert_int_equal(
	    options_next(2, argv, known, error, sizeof(error)), OPTIONS_BAD);
	assert_int_equal(strlen(error), sizeof(error) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_order),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
