/* fetch_options: each form of the arguments, each mistake and what is said
 * about it, and that nothing is accepted by default. */
#include "verifier/cli/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URL  "http://127.0.0.1:8080"
#define WHAT "api.kraken.com/0/public/Time"
#define P    "--policy", "p.json"

static struct fetch_options options;

#define COMMAND "fetch"
#define OPTIONS_PARSE(argc, argv) \
	fetch_options_parse(&options, argc, argv, error)
#include "tests/unit/cli/options_fixture.h"

static void test_good(void **state)
{
	(void)state;
	GOOD(URL, WHAT, P);
	assert_string_equal(options.address.text, URL);
	assert_string_equal(options.verify.policy, "p.json");
	assert_string_equal(options.asked.hostname, "api.kraken.com");
	assert_int_equal(options.asked.port, 443);
	assert_string_equal(options.asked.path, "/0/public/Time");
	assert_int_equal(options.max_age_s, -1);
	assert_null(options.save);
	assert_false(options.verify.json);
	GOOD("--max-age", "7", "--save=f.json", "--json", "unix:///run/o.sock",
	    "https://a.b:8443/?c=%22d%22", P);
	assert_string_equal(options.address.socket, "/run/o.sock");
	assert_string_equal(options.asked.hostname, "a.b");
	assert_int_equal(options.asked.port, 8443);
	assert_string_equal(options.asked.path, "/?c=%22d%22");
	assert_int_equal(options.max_age_s, 7);
	assert_string_equal(options.save, "f.json");
	assert_true(options.verify.json);
	GOOD("https+attested://o.example:8443", WHAT, "--root", "aws-nitro-g1",
	    "--pcr", "0:" P48);
	assert_true(options.address.attested);
	GOOD(URL, "a:1/b:c", P); /* a colon in the path */
	assert_int_equal(options.asked.port, 1);
	assert_string_equal(options.asked.path, "/b:c");
	GOOD(URL, "a/b:2", P);
	assert_int_equal(options.asked.port, 443);
}

static void test_requests_that_are_none(void **state)
{
	static const char *const bad[] = {"", "/", "a", "a:443", "a:/b",
	    "a:0/b", "a:65536/b", "a:-1/b", "a:+1/b", "a:1x/b", "a:000001/b",
	    "a:99999999999999999999/b", "A/b", "127.0.0.1/b", "user@a/b",
	    "http://a/b", "ftp://a/b", "a/b/../c", "a/%2e%2e", "a/b#c", "a?b",
	    "a:1:2/b", "[::1]/b", "a/b c"};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		BAD("wanted HOST[:PORT]/PATH", URL, bad[i], P);
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + 254, "/b");
	BAD("wanted HOST[:PORT]/PATH", URL, longest, P);
}

static void test_mistakes(void **state)
{
	(void)state;
	BAD("wanted the oracle's URL and what to fetch", P);
	BAD("wanted the oracle's URL and what to fetch", URL, P);
	BAD("wanted the oracle's URL and what to fetch", URL, WHAT, WHAT, P);
	BAD("wanted the address of an oracle", "ftp://a", WHAT, P);
	BAD("wanted the address of an oracle", URL "/fetch", WHAT, P);
	BAD("--max-age 0: wanted", URL, WHAT, P, "--max-age", "0");
	BAD("--max-age -1: wanted", URL, WHAT, P, "--max-age", "-1");
	BAD("--max-age 1s: wanted", URL, WHAT, P, "--max-age", "1s");
	BAD("--max-age 86401: wanted", URL, WHAT, P, "--max-age", "86401");
	BAD("--max-age is given twice", URL, WHAT, P, "--max-age", "1",
	    "--max-age", "2");
	BAD("--save is given twice", URL, WHAT, P, "--save", "a", "--save",
	    "b");
	BAD("no such option", URL, WHAT, P, "--header", "X: y");
	BAD("needs a value", URL, WHAT, P, "--save");
}

static void test_trust(void **state)
{
	(void)state;
	BAD("what would you accept?", URL, WHAT);
	BAD("either --policy", URL, WHAT, P, "--root", "r");
	BAD("--root needs at least one", URL, WHAT, "--root", "r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_requests_that_are_none),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests_name("fetch_options", tests, NULL, NULL);
}
