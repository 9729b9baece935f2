/* watch_options: each form of the arguments, each mistake and what is said
 * about it, and that nothing is accepted by default. */
#include "verifier/cli/watch_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URL "http://127.0.0.1:8090"

static struct watch_options options;

#define COMMAND "watch"
#define OPTIONS_PARSE(argc, argv) \
	watch_options_parse(&options, argc, argv, error)
#include "tests/unit/cli/options_fixture.h"

static void test_good(void **state)
{
	(void)state;
	GOOD(URL, "--policy", "p.json");
	assert_string_equal(options.address.text, URL);
	assert_string_equal(options.trust.policy, "p.json");
	assert_int_equal(options.until.kind, CONDITION_NONE);
	assert_int_equal(options.for_s, 0);
	assert_int_equal(options.feeds.count, 0);
	assert_false(options.json);
	GOOD("--json", "--policy=p", "--feed", "BTC-USD", "--feed=ETH-USD",
	    "--until", "BTC-USD>1.5", "--for", "60", "unix:///run/o.sock");
	assert_true(options.json);
	assert_int_equal(options.feeds.count, 2);
	assert_string_equal(options.feeds.names[1], "ETH-USD");
	assert_string_equal(options.address.socket, "/run/o.sock");
	assert_int_equal(options.until.kind, CONDITION_ABOVE);
	assert_string_equal(options.until_text, "BTC-USD>1.5");
	assert_int_equal(options.for_s, 60);
	GOOD(URL, "--root", "aws-nitro-g1", "--pcr", "0:" P48);
	assert_int_equal(options.trust.root_count, 1);
	assert_int_equal(options.trust.pcr_count, 1);
}

static void test_trust(void **state)
{
	(void)state;
	BAD("what would you accept?", URL);
	BAD("what would you accept?", URL, "--until", "verified");
	BAD("either --policy", URL, "--policy", "p", "--root", "r");
	BAD("--pcr needs a --root", URL, "--pcr", "0:" P48);
	BAD("--root needs at least one", URL, "--root", "r", "--pcr",
	    "16:" P48);
	BAD("--policy is given twice", URL, "--policy", "p", "--policy", "q");
	BAD("wanted N:HEX", URL, "--root", "r", "--pcr", "x");
}

static void test_url(void **state)
{
	(void)state;
	BAD("which URL?", "--policy", "p");
	BAD("more than one URL", URL, URL, "--policy", "p");
	BAD("wanted the address", "127.0.0.1:8090", "--policy", "p");
	BAD("wanted the address", "ftp://h", "--policy", "p");
	BAD("without a path", URL "/stream", "--policy", "p");
	BAD("wanted the address", "http://me@h", "--policy", "p");
	BAD("wanted the address", "", "--policy", "p");
}

static void test_feeds(void **state)
{
	const char *args[2 * (SSE_TOPICS_MAX + 1) + 4];
	char names[SSE_TOPICS_MAX + 1][8];
	size_t n = 0;

	(void)state;
	BAD("--feed btc", URL, "--policy", "p", "--feed", "btc");
	BAD("repeat --feed", URL, "--policy", "p", "--feed", "A-B,C-D");
	BAD("A-B is given twice", URL, "--policy", "p", "--feed", "A-B",
	    "--feed", "A-B");
	BAD("would never come", URL, "--policy", "p", "--feed", "A-B",
	    "--until", "C-D>1");
	GOOD(URL, "--policy", "p", "--feed", "A-B", "--until", "A-B>1");
	for (size_t i = 0; i <= SSE_TOPICS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "A%zu-B", i);
		args[n++] = "--feed";
		args[n++] = names[i];
	}
	args[n++] = URL;
	args[n++] = "--policy=p";
	args[n] = NULL;
	assert_int_equal(parse(args), -1);
	assert_non_null(strstr(error, "more than 64"));
	assert_int_equal(parse(args + 2), 0);
}

static void test_until_and_for(void **state)
{
	(void)state;
	BAD("in quotes", URL, "--policy", "p", "--until", "BTC-USD");
	BAD("--until is given twice", URL, "--policy", "p", "--until",
	    "verified", "--until", "refused");
	BAD("--for is given twice", URL, "--policy", "p", "--for", "1", "--for",
	    "1");
	BAD("--for 0", URL, "--policy", "p", "--for", "0");
	BAD("--for -1", URL, "--policy", "p", "--for", "-1");
	BAD("--for 1s", URL, "--policy", "p", "--for", "1s");
	BAD("--for 1.5", URL, "--policy", "p", "--for", "1.5");
	BAD("--for :", URL, "--policy", "p", "--for", "");
	BAD("--for 31622401", URL, "--policy", "p", "--for", "31622401");
	BAD("--for 99999999999", URL, "--policy", "p", "--for", "99999999999");
	BAD("--for needs a value", URL, "--policy", "p", "--for");
}

/* What verify has and a stream has no use for is refused, not overlooked. */
static void test_unknown(void **state)
{
	(void)state;
	BAD("no such option", URL, "--policy", "p", "--nonce", "00");
	BAD("no such option", URL, "--policy", "p", "--at", "document");
	BAD("no such option", URL, "--policy", "p", "--explain");
	BAD("no such option", URL, "--policy", "p", "-x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_trust),
	    cmocka_unit_test(test_url),
	    cmocka_unit_test(test_feeds),
	    cmocka_unit_test(test_until_and_for),
	    cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests_name("watch_options", tests, NULL, NULL);
}
