/* log_verify_options: what `hallmark log verify` may be asked. */
#include "verifier/cli/log_verify_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct log_verify_options options;

#define COMMAND "log verify"
#define OPTIONS_PARSE(argc, argv) \
	log_verify_options_parse(&options, argc, argv, error)
#include "options_fixture.h"

#define TRUST "--policy", "p.json"

static void test_files(void **state)
{
	(void)state;
	GOOD("proof.json", TRUST);
	assert_string_equal(options.file, "proof.json");
	assert_false(options.has_url || options.misbehaviour || options.json);
	GOOD(TRUST, "proof.json", "--item", "i", "--head", "h", "--json");
	assert_string_equal(options.item, "i");
	assert_string_equal(options.head, "h");
	assert_true(options.json);
	GOOD("-", "--root", "aws-nitro-g1", "--pcr", "0:" P48);
	assert_string_equal(options.file, "-");
	BAD("which FILE?", TRUST);
	BAD("more than one FILE", "a", "b", TRUST);
	BAD("--item is given twice", "a", "--item", "b", "--item", "c", TRUST);
	BAD("--head is given twice", "a", "--head", "b", "--head", "c", TRUST);
}

static void test_url(void **state)
{
	(void)state;
	GOOD("--url", "http://127.0.0.1:8090", TRUST);
	assert_true(options.has_url);
	assert_string_equal(options.url.base, "http://127.0.0.1:8090");
	GOOD("--url", "unix:///run/v.sock", "--item", "i", TRUST);
	BAD("--url ftp://x", "--url", "ftp://x", TRUST);
	BAD("--url http://x/path", "--url", "http://x/path", TRUST);
	BAD("given twice", "--url", "http://x", "--url", "http://y", TRUST);
	BAD("either a FILE or --url", "a", "--url", "http://x", TRUST);
}

static void test_misbehaviour(void **state)
{
	(void)state;
	GOOD("--misbehaviour", "m.json", TRUST);
	assert_true(options.misbehaviour);
	assert_string_equal(options.file, "m.json");
	BAD("stands alone", "--misbehaviour", "m", "--item", "i", TRUST);
	BAD("stands alone", "--misbehaviour", "m", "--head", "h", TRUST);
	BAD("more than one FILE", "--misbehaviour", "m", "a", TRUST);
	BAD("given twice", "--misbehaviour", "m", "--misbehaviour", "n", TRUST);
	BAD("either a FILE or --url", "--misbehaviour", "m", "--url",
	    "http://x", TRUST);
}

static void test_trust(void **state)
{
	(void)state;
	BAD("what would you accept?", "proof.json");
	BAD("either --policy", "p", TRUST, "--root", "aws-nitro-g1");
	BAD("--at", "proof.json", TRUST, "--at", "now");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_url),
	    cmocka_unit_test(test_misbehaviour),
	    cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests_name(
	    "log_verify_options", tests, NULL, NULL);
}
