/* verify_options: each form of the arguments, each mistake, and that nothing
 * is accepted by default. (The command line is a program, not a library: its
 * file is compiled into its test.) */
#include "verifier/cli/verify_options.c"

#include <setjmp.h>
#include <unistd.h>

#include <cmocka.h>

static struct verify_options options;

#define COMMAND "verify"
#define OPTIONS_PARSE(argc, argv) \
	verify_options_parse(&options, argc, argv, error)
#include "tests/unit/cli/options_fixture.h"

static void test_policy(void **state)
{
	(void)state;
	GOOD("item.json", "--policy", "p.json");
	assert_string_equal(options.file, "item.json");
	assert_string_equal(options.policy, "p.json");
	assert_int_equal(options.at, VERIFY_NOW);
	assert_false(options.json || options.explain || options.has_nonce);
	GOOD("--policy=p.json", "--json", "--explain", "-");
	assert_string_equal(options.file, "-");
	assert_true(options.json && options.explain);
	GOOD("--policy", "p.json", "--", "--odd-name");
	assert_string_equal(options.file, "--odd-name");
}

static void test_root_and_pcrs(void **state)
{
	(void)state;
	GOOD("f", "--root", "aws-nitro-g1", "--pcr", "0:" P48, "--pcr",
	    "0:" P48, "--pcr", "16:" P48);
	assert_int_equal(options.root_count, 1);
	assert_int_equal(options.pcr_count, 3);
	assert_int_equal(options.pcrs[2].index, 16);
	assert_int_equal(options.pcrs[2].value[47], 0xff);
}

/* Nothing says what to accept: no default does. */
static void test_nothing_to_accept(void **state)
{
	(void)state;
	BAD("what would you accept", "f");
	BAD("--root", "f", "--pcr", "0:" P48);
	BAD("at least one", "f", "--root", "aws-nitro-g1");
	BAD("at least one", "f", "--root", "aws-nitro-g1", "--pcr", "16:" P48);
	BAD("either", "f", "--policy", "p", "--root", "aws-nitro-g1");
	BAD("either", "f", "--policy", "p", "--pcr", "0:" P48);
}

static void test_mistakes(void **state)
{
	(void)state;
	BAD("which FILE", "--policy", "p");
	BAD("more than one", "a", "b", "--policy", "p");
	BAD("--polic7", "f", "--polic7", "p");
	BAD("--policy", "f", "--policy");
	BAD("twice", "f", "--policy", "p", "--policy", "q");
	BAD("--pcr", "f", "--pcr", "0");
	BAD("--pcr", "f", "--pcr", "");
	BAD("--pcr", "f", "--pcr", ":" P48);
	BAD("--pcr", "f", "--pcr", "x:" P48);
	BAD("--pcr", "f", "--pcr", "-1:" P48);
	BAD("--pcr", "f", "--pcr", "00:" P48);
	BAD("PCRs 0 to", "f", "--pcr", "32:" P48);
	BAD("hex digits", "f", "--pcr", "0:" P48 "00");
	BAD("hex digits", "f", "--pcr", "0:0011");
	BAD("hex digits", "f", "--pcr", "0:");
}

static void test_at(void **state)
{
	(void)state;
	GOOD("f", "--policy", "p", "--at", "now");
	GOOD("f", "--policy", "p", "--at", "document");
	assert_int_equal(options.at, VERIFY_DOCUMENT);
	GOOD("f", "--policy", "p", "--at", "published");
	assert_int_equal(options.at, VERIFY_PUBLISHED);
	GOOD("f", "--policy", "p", "--at", "2026-11-01T00:00:00Z");
	assert_int_equal(options.at, VERIFY_MOMENT);
	assert_int_equal(options.at_ms, 1793491200000);
	BAD("--at", "f", "--policy", "p", "--at", "yesterday");
	BAD("--at", "f", "--policy", "p", "--at", "2026-11-01");
	BAD("--at", "f", "--policy", "p", "--at", "2026-02-30T00:00:00Z");
	BAD("twice", "f", "--policy", "p", "--at", "now", "--at", "now");
}

static void test_nonce(void **state)
{
	char longest[2 * HM_NONCE_MAX + 3];

	(void)state;
	GOOD("f", "--policy", "p", "--nonce", "00ff");
	assert_true(options.has_nonce);
	assert_int_equal(options.nonce_len, 2);
	assert_int_equal(options.nonce[1], 0xff);
	BAD("--nonce", "f", "--policy", "p", "--nonce", "");
	BAD("--nonce", "f", "--policy", "p", "--nonce", "0");
	BAD("--nonce", "f", "--policy", "p", "--nonce", "0g");
	BAD("twice", "f", "--policy", "p", "--nonce", "00", "--nonce", "00");
	memset(longest, '0', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	BAD("--nonce", "f", "--policy", "p", "--nonce", longest);
	longest[2 * HM_NONCE_MAX] = '\0';
	GOOD("f", "--policy", "p", "--nonce", longest);
}

static void test_ceilings(void **state)
{
	const char *args[2 * VERIFY_PCRS_MAX + 8] = {"f", "--root", "r"};
	size_t n = 3;

	(void)state;
	for (int i = 0; i < VERIFY_PCRS_MAX; i++) {
		/* each option stands in an argument of its own */
		args[n++] = "--pcr=0:" P48;
	}
	args[n] = NULL;
	assert_int_equal(parse(args), 0);
	args[n++] = "--pcr=0:" P48;
	args[n] = NULL;
	assert_int_equal(parse(args), -1);
	n = 1;
	for (int i = 0; i <= VERIFY_ROOTS_MAX; i++)
		args[n++] = "--root=r";
	args[n] = NULL;
	assert_int_equal(parse(args), -1);
}

static void test_policy_made(void **state)
{
	struct hm_policy *policy = NULL;

	(void)state;
	GOOD("f", "--root", "aws-nitro-g1", "--pcr", "0:" P48);
	assert_int_equal(verify_options_policy(&policy, &options, error), 0);
	hm_policy_free(policy);
	GOOD("f", "--root", "/nonexistent.pem", "--pcr", "0:" P48);
	assert_int_equal(verify_options_policy(&policy, &options, error), -1);
	assert_null(policy);
	assert_non_null(strstr(error, "/nonexistent.pem"));
	GOOD("f", "--policy", "/nonexistent.json");
	assert_int_equal(verify_options_policy(&policy, &options, error), -1);
	assert_null(policy);
}

#define M32 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void test_measures(void **state)
{
	struct hm_policy *policy = NULL;

	(void)state;
	GOOD("q", "--root", "intel-sgx", "--mrenclave", M32, "--mrenclave", M32,
	    "--collateral", "a.json");
	assert_int_equal(options.measures.mrenclave_count, 2);
	assert_int_equal(options.measures.mrenclaves[1][31], 0xff);
	assert_string_equal(options.measures.collateral[0], "a.json");
	assert_int_equal(verify_options_policy(&policy, &options, error), -1);
	assert_non_null(strstr(error, "a.json: "));
	GOOD("q", "--root", "intel-sgx", "--mrenclave", M32);
	assert_int_equal(verify_options_policy(&policy, &options, error), 0);
	hm_policy_free(policy);
	GOOD("q", "--root", "intel-sgx", "--mrtd", P48);
	assert_int_equal(options.measures.mrtds[0][47], 0xff);
	assert_int_equal(verify_options_policy(&policy, &options, error), 0);
	hm_policy_free(policy);
}

static void test_measures_mistaken(void **state)
{
	const char *args[2 * VERIFY_MEASURES_MAX + 8] = {
	    "q", "--root", "intel-sgx"};
	size_t n = 3;

	(void)state;
	BAD("64 hex digits", "q", "--root", "r", "--mrenclave", P48);
	BAD("64 hex digits", "q", "--root", "r", "--mrenclave", "");
	BAD("96 hex digits", "q", "--root", "r", "--mrtd", M32);
	BAD("--root", "q", "--mrenclave", M32);
	BAD("at least one", "q", "--root", "r", "--collateral", "f");
	BAD("one platform", "q", "--root", "r", "--mrenclave", M32, "--mrtd",
	    P48);
	BAD("one platform", "q", "--root", "r", "--mrenclave", M32, "--pcr",
	    "0:" P48);
	BAD("one platform", "q", "--root", "r", "--collateral", "f", "--pcr",
	    "0:" P48);
	BAD("either", "q", "--policy", "p", "--mrenclave", M32);
	BAD("either", "q", "--policy", "p", "--collateral", "f");
	for (int i = 0; i < VERIFY_MEASURES_MAX; i++)
		args[n++] = "--mrenclave=" M32;
	assert_int_equal(parse(args), 0);
	args[n] = "--mrenclave=" M32;
	assert_int_equal(parse(args), -1);
	args[n] = "--collateral=f";
	assert_int_equal(parse(args), 0);
	for (int i = 0; i <= VERIFY_MEASURES_MAX; i++)
		args[3 + i] = "--mrtd=" P48;
	assert_int_equal(parse(args), -1);
	for (int i = 0; i <= VERIFY_COLLATERAL_MAX; i++)
		args[3 + i] = "--collateral=f";
	assert_int_equal(parse(args), -1);
}

/* A bundle brings a policy; it is said elsewhere what that proves. */
static void test_bundle(void **state)
{
	char path[] = "/tmp/verify-options-XXXXXX";
	const char *pin = "00112233445566778899aabbccddeeff"
			  "00112233445566778899AABBCCDDEEFF";
	int fd = mkstemp(path);

	(void)state;
	assert_true(
	    write(fd, " {\n\"format\" : \"hallmark-bundle/1\"", 34) > 0);
	close(fd);
	GOOD(path);
	assert_true(options.is_bundle);
	assert_false(options.has_pin);
	GOOD(path, "--policy-sha256", pin);
	assert_true(options.has_pin);
	assert_int_equal(options.pin[31], 0xff);
	GOOD(path, "--policy", "p.json", "--at", "published", "--json");
	GOOD(path, "--root", "aws-nitro-g1", "--pcr", "0:" P48);
	BAD("--policy-sha256", path, "--policy-sha256", pin, "--policy", "p");
	BAD("--policy-sha256", path, "--policy-sha256", pin, "--root", "r");
	BAD("given twice", path, "--policy-sha256", pin, "--policy-sha256",
	    pin);
	BAD("64 hex digits", path, "--policy-sha256", "00");
	BAD("--pcr needs a --root", path, "--pcr", "0:" P48);
	BAD("--nonce", path, "--nonce", "00");
	BAD("--explain", path, "--explain");
	BAD("--at", path, "--at", "now");
	BAD("--at", path, "--at", "document");
	BAD("is for a bundle", "f", "--policy", "p", "--policy-sha256", pin);
	unlink(path);
	BAD("what would you accept", path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_policy),
	    cmocka_unit_test(test_root_and_pcrs),
	    cmocka_unit_test(test_nothing_to_accept),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_at),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_ceilings),
	    cmocka_unit_test(test_policy_made),
	    cmocka_unit_test(test_measures),
	    cmocka_unit_test(test_measures_mistaken),
	    cmocka_unit_test(test_bundle),
	};

	return cmocka_run_group_tests_name("verify_options", tests, NULL, NULL);
}
