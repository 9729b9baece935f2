/* attest: what is said, and the exit code, against an oracle that is one and
 * those that pretend; and its arguments. */
#include "verifier/cli/attest.h"

#include "hear.h"

#include "tests/unit/daemon/tls_oracle.h"

static struct tls_oracle oracle;
static char root[128], pcr[2 * HM_PCR_LEN + 8];

static int make_all(void **state)
{
	char error[ATTESTER_ERROR_MAX], hex[2 * HM_PCR_LEN + 1];
	uint8_t value[HM_PCR_LEN];
	int locked;

	make_mint(state);
	snprintf(root, sizeof(root), "%s/simulated-root.pem", mint.folder);
	assert_int_equal(mint.attester->ops->describe_pcr(
			     mint.attester, 0, value, &locked, error),
	    0);
	hex_encode(value, HM_PCR_LEN, hex);
	snprintf(pcr, sizeof(pcr), "0:%s", hex);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	tls_oracle_start(&oracle, &mint, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tls_oracle_stop(&oracle);
	return 0;
}

static int attest(const char *url, enum tls_oracle_mode mode, const char *more)
{
	oracle.mode = mode;
	return hear(&command_attest, stdout,
	    (const char *const[]){url, "--root", root, "--pcr", pcr,
		more ? more : "--explain", NULL});
}

static void test_attested(void **state)
{
	char hex[2 * HM_SHA256_LEN + 1];

	(void)state;
	hex_encode(oracle.spki_sha256, HM_SHA256_LEN, hex);
	assert_int_equal(attest(oracle.text, TLS_RIGHT, NULL), 0);
	says("ok    tls_key", true);
	says(hex, true);
	says("pin              sha256//", true);
	says("this connection ends in that enclave", true);
	says("SIMULATED", true);
	assert_int_equal(attest(oracle.text, TLS_BATCHED, "--json"), 0);
	says("\"bound\": true", true);
	says("\"pin\": \"sha256//", true);
	says("\"boot_id\": \"01010101010101010101010101010101\"", true);
	says("\"seal_public_key\": null", true);
	says("\"key_epoch\": null", true);
	says("\"check\": \"nonce\"", true);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(attest(oracle.text, TLS_RELAY, NULL), 3);
	says("REFUSED key_not_attested (exit 3)", true);
	says("FAIL  tls_key", true);
	says("pin ", false);
	assert_int_equal(attest(oracle.text, TLS_RELAY, "--json"), 3);
	says("\"verdict\": \"key_not_attested\"", true);
	says("\"pin\"", false);
	pcr[2] ^= 1;
	assert_int_equal(attest(oracle.text, TLS_RIGHT, NULL), 5);
	says("REFUSED pcr_mismatch", true);
	pcr[2] ^= 1;
}

static void test_no_answer(void **state)
{
	(void)state;
	assert_int_equal(attest(oracle.text, TLS_BUSY, NULL), COMMAND_USAGE);
	says("ATTESTED", false);
	assert_int_equal(
	    attest(oracle.text, TLS_BUSY, "--json"), COMMAND_USAGE);
	assert_int_equal(
	    attest("https+attested://127.0.0.1:1", TLS_RIGHT, NULL),
	    COMMAND_USAGE);
	/* its certificate is nobody's for who asks by name */
	assert_int_equal(
	    attest("https://127.0.0.1:1", TLS_RIGHT, NULL), COMMAND_USAGE);
}

/* Where the TLS is somebody's, or none: the document is good, no more. */
static void test_not_bound(void **state)
{
	char url[64];
	SSL_CTX *kept = oracle.peer.context;

	(void)state;
	oracle.peer.context = NULL;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", oracle.peer.port);
	assert_int_equal(attest(url, TLS_RIGHT, NULL), 0);
	says("nothing says that this connection ends in that enclave", true);
	says("pin ", false);
	assert_int_equal(attest(url, TLS_RIGHT, "--json"), 0);
	says("\"bound\": false", true);
	says("\"pin\": null", true);
	oracle.peer.context = kept;
}

static void test_arguments(void **state)
{
	const char *const wrong[][8] = {
	    {NULL},
	    {"https+attested://a", NULL},
	    {"--root", root, "--pcr", pcr, NULL},
	    {"a", "--root", root, "--pcr", pcr, NULL},
	    {"https+attested://a/b", "--root", root, "--pcr", pcr, NULL},
	    {"http://a", "http://b", "--root", root, "--pcr", pcr, NULL},
	    {"http://a", "--root", root, "--pcr", pcr, "--nonce", "0", NULL},
	    {"http://a", "--root", root, "--pcr", pcr, "--at=now", NULL},
	    {"http://a", "--policy", "/nonexistent", NULL},
	};
	char longest[2 * CHANNEL_NONCE_MAX + 16] = "--nonce=";
	size_t len = strlen(longest);

	(void)state;
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
		assert_int_equal(
		    hear(&command_attest, stderr, wrong[n]), COMMAND_USAGE);
	memset(longest + len, '0', 2 * CHANNEL_NONCE_MAX + 2);
	assert_int_equal(hear(&command_attest, stderr,
			     (const char *const[]){oracle.text, "--root", root,
				 "--pcr", pcr, longest, NULL}),
	    COMMAND_USAGE);
	says("at most 512 bytes", true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_attested),
	    TEST(test_refused),
	    TEST(test_no_answer),
	    TEST(test_not_bound),
	    TEST(test_arguments),
	};

	return cmocka_run_group_tests_name(
	    "attest", tests, make_all, free_mint);
}
