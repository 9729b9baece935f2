/* policy check: what it says of a policy that can be used, what it warns of,
 * and what it refuses. */
#include "verifier/cli/command.c"
#include "verifier/cli/policy_check.c"

#include "tests/unit/daemon/mint.h"

#include "feeds/hex.h"
#include "hear.h"

static char policy_path[96], pin[2 * HM_PCR_LEN + 1];

static int setup(void **state)
{
	char error[ATTESTER_ERROR_MAX];
	uint8_t pcr[HM_PCR_LEN];
	int locked;

	make_mint(state);
	snprintf(policy_path, sizeof(policy_path), "%s/policy", mint.folder);
	assert_int_equal(mint.attester->ops->describe_pcr(
			     mint.attester, 0, pcr, &locked, error),
	    0);
	hex_encode(pcr, sizeof(pcr), pin);
	return 0;
}

static int teardown(void **state)
{
	unlink(policy_path);
	return free_mint(state);
}

static int run_and_hear(FILE *stream, const char *path)
{
	return hear(
	    &command_policy_check, stream, (const char *const[]){path, NULL});
}

/* roots: JSON of the members before the releases; index: the pinned PCR. */
static int check(
    FILE *stream, const char *roots, const char *index, const char *more)
{
	FILE *file = fopen(policy_path, "w");

	fprintf(file,
	    "{%s,\"releases\":[{\"name\":\"1\",\"pcrs\":{\"%s\":\"%s\"}}]%s}",
	    roots, index, pin, more);
	fclose(file);
	return run_and_hear(stream, policy_path);
}

#define AWS       "\"roots\":[\"aws-nitro-g1\"]"
#define SIMULATED "\"root_files\":[\"simulated-root.pem\"]"

static void test_usable(void **state)
{
	(void)state;
	assert_int_equal(check(stdout, AWS, "0", ""), COMMAND_OK);
	says("root     aws-nitro-g1, for platform aws-nitro\n", true);
	says("release  1: PCR 0\n", true);
	says("PCR16 is not pinned", true);
	says("NO ENCLAVE", false);
	says("NEITHER", false);
	says("DEBUG", false);
}

/* Each of these accepts more than its author may think. */
static void test_warnings(void **state)
{
	(void)state;
	assert_int_equal(check(stdout, AWS "," SIMULATED, "0", ""), COMMAND_OK);
	says("root     aws-nitro-g1, for platform aws-nitro\n", true);
	says(", for platform simulated\n  note   NO ENCLAVE", true);
	assert_int_equal(check(stdout, AWS, "1", ""), COMMAND_OK);
	says("NEITHER PCR0 NOR PCR2 IS PINNED", true);
	assert_int_equal(check(stdout, AWS, "2", ""), COMMAND_OK);
	says("NEITHER", false);
	assert_int_equal(
	    check(stdout, AWS, "0", ",\"insecure_allow_debug\":true"),
	    COMMAND_OK);
	says("DEBUG ENCLAVES ARE ACCEPTED", true);
	says("co-sign", false);
	says("key_epoch", false);
	assert_int_equal(
	    check(stdout, AWS, "0", ",\"min_key_epoch\":2"), COMMAND_OK);
	says("key      2 or a later one (key_epoch)\n", true);
	assert_int_equal(check(stdout, AWS, "0", ",\"quorum\":2"), COMMAND_OK);
	says("quorum   2 other enclaves", true);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    check(stderr, "\"roots\":[]", "0", ""), COMMAND_POLICY);
	says("REFUSED ", true);
	says("no root is trusted", true);
	assert_int_equal(
	    check(stderr, "\"root_files\":[\"none.pem\"]", "0", ""),
	    COMMAND_POLICY);
	says("none.pem: No such file", true);
	assert_int_equal(check(stderr, AWS, "3", ""), COMMAND_POLICY);
	says("pins none of", true);
	assert_int_equal(run_and_hear(stderr, "/nonexistent"), COMMAND_POLICY);
	says("/nonexistent: No such file", true);
}

/* A policy from somebody else does not write on our terminal. */
static void test_hostile_texts(void **state)
{
	(void)state;
	assert_int_equal(check(stderr, AWS, "0", ",\"\\u001b[2J\\u009bH\":1"),
	    COMMAND_POLICY);
	says("?[2J", true);
	for (const char *c = said; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
	assert_int_equal(run_and_hear(stderr, "/\x1b[2J"), COMMAND_POLICY);
	says("\x1b", false);
}

/* The same whatever the blanks; another with another root. */
static void test_hash(void **state)
{
	(void)state;
	assert_int_equal(check(stdout, AWS, "0", ""), COMMAND_OK);
	says("SHA-256  ", true);
	says(", with its roots\n", true);
	assert_int_equal(check(stdout, SIMULATED, "0", "\n"), COMMAND_OK);
	says(", with its roots\n", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usable),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_hostile_texts),
	    cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name(
	    "policy check", tests, setup, teardown);
}
