/* collateral check: what it says of good parts, of those that are not, and of
 * what is lacking. */
#include "verifier/cli/collateral_check.c"
#include "verifier/cli/command.c"

#include "tests/sgx/quote_builder.h"

#include "hear.h"

static struct quote_builder *b;
static char folder[] = "/tmp/hallmark-collateral-XXXXXX";
static char signer[96], tcb[96], crl[96], policy[96], root[96];

static void write_file(
    char path[96], const char *name, const void *bytes, size_t len)
{
	snprintf(path, 96, "%s/%s", folder, name);
	assert_int_equal(file_write(path, bytes, len, 0600), 0);
}

/* Around QB_NOW_MS, which is in September 2026. */
static int setup(void **state)
{
	static const char text[] =
	    "{\"root_files\":[\"root\"],\"releases\":[{\"name\":\"r\","
	    "\"mrenclave\":\"0000000000000000000000000000000000000000000000000"
	    "000000000000000\"}],\"insecure_without_collateral\":true}";
	struct qb_bytes part = {0};
	char *json;

	(void)state;
	assert_non_null(mkdtemp(folder));
	b = qb_new();
	/* Nobody else's may be called like Intel's. */
	b->root.subject = b->root.issuer = "A root of ours";
	qb_pem(&b->signer, &part);
	write_file(signer, "signer", part.bytes, part.len);
	part.len = 0;
	qb_pem(&b->root, &part);
	write_file(root, "root", part.bytes, part.len);
	qb_crl(b, false, &part);
	write_file(crl, "crl", part.bytes, part.len);
	json = qb_tcb_file(b);
	write_file(tcb, "tcb", json, strlen(json));
	free(json);
	write_file(policy, "policy", text, strlen(text));
	return 0;
}

static int teardown(void **state)
{
	const char *const files[] = {signer, tcb, crl, policy, root};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		unlink(files[i]);
	qb_free(b);
	return rmdir(folder);
}

#define SAY(...)                                \
	hear(&command_collateral_check, stdout, \
	    (const char *const[]){__VA_ARGS__, NULL})
#define NOW "--at", "2026-09-21T14:13:20Z"

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(
	    SAY(tcb, signer, crl, "--policy", policy, NOW), COMMAND_OK);
	says("valid    SGX TCB info of platform 00606a000001, from 2026-09-20 "
	     "until 2026-09-22T14:13:20.000Z\n",
	    true);
	says("valid    Intel SGX TCB Signing", true);
	says("unproven revocation list of Intel SGX PCK Platform CA", true);
	says("REFUSED", false);
	says("note   no identity of a quoting enclave", true);
	says("note   not both revocation lists", true);
	says("note   no TCB info", false);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(SAY(tcb, signer, "--policy", policy, "--at",
			     "2026-10-01T00:00:00Z"),
	    6);
	says("REFUSED  SGX TCB info of platform 00606a000001", true);
	says(": collateral_expired", true);
	assert_int_equal(SAY(tcb, signer, "--policy", policy, "--at",
			     "2026-09-01T00:00:00Z"),
	    6);
	says(": collateral_not_yet_valid", true);
}

/* Under Intel's root nobody vouches for it. */
static void test_root(void **state)
{
	(void)state;
	assert_int_equal(SAY(tcb, signer, NOW), 4);
	says(": collateral_signature", true);
}

static void test_signer_missing(void **state)
{
	(void)state;
	assert_int_equal(SAY(tcb, "--policy", policy, NOW), 5);
	says(": collateral_missing", true);
	says("note   no certificate of the signer", true);
}

/* The rest is told all the same. */
static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(
	    SAY("/no/such/file", policy, signer, "--policy", policy, NOW),
	    COMMAND_USAGE);
	says("REFUSED  /no/such/file: No such file", true);
	says("valid    Intel SGX TCB Signing", true);
	assert_int_equal(
	    SAY(policy, "--policy", policy, NOW), COMMAND_MALFORMED);
	says("REFUSED", true);
}

static void test_usage(void **state)
{
	(void)state;
#define WRONG(why, ...)                                            \
	do {                                                       \
		assert_int_equal(                                  \
		    hear(&command_collateral_check, stderr,        \
			(const char *const[]){__VA_ARGS__, NULL}), \
		    COMMAND_USAGE);                                \
		says(why, true);                                   \
	} while (0)
	WRONG("which FILE?", "--at", "2026-09-01T00:00:00Z");
	WRONG("--at yesterday", tcb, "--at", "yesterday");
	WRONG("no such option", tcb, "--no");
	WRONG("tcb", signer, "--policy", tcb);
	WRONG("tcb", signer, "--policy", policy, "--policy", tcb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_root),
	    cmocka_unit_test(test_signer_missing),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name(
	    "collateral_check", tests, setup, teardown);
}
