/* What a policy file says of SGX and TDX, and what it must not. */
#include "tests/sgx/quote_maker.c"
#include "tests/sgx/quote_pki.c"

#include "verifier/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEX64      "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX96      HEX64 "22222222222222222222222222222222"
#define FILE_OF(x) "{\"roots\":[\"intel-sgx\"],\"releases\":[" x "]}"
#define RELEASE(x) FILE_OF("{\"name\":\"a\"," x "}")
#define WITH(x)                                                     \
	"{\"roots\":[\"intel-sgx\"],\"releases\":[{\"name\":\"a\"," \
	"\"mrenclave\":\"" HEX64 "\"}]," x "}"

static struct hm_policy *policy;
static char error[HM_TEXT_MAX];

static int parse(const char *text)
{
	hm_policy_free(policy);
	return hm_policy_parse(&policy, text, strlen(text), error);
}

static int teardown(void **state)
{
	(void)state;
	hm_policy_free(policy);
	policy = NULL;
	return 0;
}

static void taken(const char *text)
{
	if (parse(text) != 0 || hm_policy_check(policy, error) != 0)
		fail_msg("%s: %s", text, error);
}

static const struct policy_measures *measures(void)
{
	return &policy->releases[0].measures;
}

static void test_releases(void **state)
{
	(void)state;
	taken(RELEASE("\"mrenclave\":\"" HEX64 "\""));
	assert_int_equal(measures()->kinds, 1u << POLICY_MRENCLAVE);
	assert_int_equal(measures()->list[0].value[31], 0x11);
	taken(RELEASE("\"mrenclave\":[\"" HEX64 "\",\"" HEX64 "\"]"));
	assert_int_equal(measures()->count, 2);
	taken(RELEASE(
	    "\"mrsigner\":\"" HEX64 "\",\"product_id\":1,\"min_svn\":65535"));
	assert_int_equal(measures()->product_id, 1);
	assert_int_equal(measures()->min_svn, 65535);
	taken(RELEASE("\"mrtd\":\"" HEX96 "\""));
	taken(RELEASE("\"mrtd\":[\"" HEX96 "\"],\"rtmrs\":{\"0\":\"" HEX96
		      "\",\"3\":[\"" HEX96 "\",\"" HEX96 "\"]}"));
	assert_int_equal(measures()->count, 4);
	assert_int_equal(measures()->kinds,
	    1u << POLICY_MRTD | 1u << POLICY_RTMR0 | 1u << (POLICY_RTMR0 + 3));
	assert_int_equal(measures()->list[0].value[47], 0x22);
}

static void test_members(void **state)
{
	const struct policy_quotes *q;

	(void)state;
	taken(WITH("\"max_age_s\":1"));
	q = &policy->quotes;
	assert_int_equal(q->root_count, 1);
	assert_string_equal(q->roots[0].name, "intel-sgx");
	assert_int_equal(policy_quote_statuses(q), 1u << SGX_UP_TO_DATE);
	assert_false(q->insecure_without_collateral);
	assert_null(hm_policy_collateral_file(policy, 0));
	taken(WITH("\"collateral_files\":[\"a.json\",\"b.crl\"],"
		   "\"tcb_statuses\":[\"UpToDate\",\"SWHardeningNeeded\"],"
		   "\"insecure_without_collateral\":true"));
	q = &policy->quotes;
	assert_string_equal(hm_policy_collateral_file(policy, 1), "b.crl");
	assert_null(hm_policy_collateral_file(policy, 2));
	assert_int_equal(policy_quote_statuses(q),
	    1u << SGX_UP_TO_DATE | 1u << SGX_SW_HARDENING);
	assert_true(q->insecure_without_collateral);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
	    RELEASE("\"mrenclave\":null"),
	    RELEASE("\"mrenclave\":[]"),
	    RELEASE("\"mrenclave\":{}"),
	    RELEASE("\"mrenclave\":\"\""),
	    RELEASE("\"mrenclave\":\"" HEX96 "\""),
	    RELEASE("\"mrenclave\":[\"" HEX64 "\",1]"),
	    RELEASE("\"mrsigner\":\"" HEX64 "\""),
	    RELEASE("\"mrsigner\":\"" HEX64 "\",\"product_id\":1"),
	    RELEASE("\"mrsigner\":\"" HEX64 "\",\"min_svn\":1"),
	    RELEASE(
		"\"mrsigner\":[\"" HEX64 "\"],\"product_id\":1,\"min_svn\":1"),
	    RELEASE(
		"\"mrsigner\":\"" HEX64 "\",\"product_id\":-1,\"min_svn\":1"),
	    RELEASE("\"mrsigner\":\"" HEX64
		    "\",\"product_id\":1,\"min_svn\":65536"),
	    RELEASE("\"mrsigner\":\"" HEX64
		    "\",\"product_id\":1,\"min_svn\":\"1\""),
	    RELEASE("\"mrenclave\":\"" HEX64 "\",\"min_svn\":1"),
	    RELEASE(
		"\"mrenclave\":\"" HEX64 "\",\"product_id\":1,\"min_svn\":1"),
	    RELEASE("\"mrenclave\":\"" HEX64 "\",\"mrsigner\":\"" HEX64
		    "\",\"product_id\":1,\"min_svn\":1"),
	    RELEASE("\"mrenclave\":\"" HEX64 "\",\"mrtd\":\"" HEX96 "\""),
	    RELEASE("\"mrtd\":\"" HEX64 "\""),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":[]"),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":{\"4\":\"" HEX96 "\"}"),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":{\"00\":\"" HEX96 "\"}"),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":{\"\":\"" HEX96 "\"}"),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":{\"0\":\"" HEX64 "\"}"),
	    RELEASE("\"mrtd\":\"" HEX96 "\",\"rtmrs\":{\"0\":[]}"),
	    RELEASE("\"MRENCLAVE\":\"" HEX64 "\""),
	    WITH("\"collateral_files\":\"a\""),
	    WITH("\"collateral_files\":[1]"),
	    WITH("\"collateral_files\":[\"\"]"),
	    WITH("\"tcb_statuses\":\"UpToDate\""),
	    WITH("\"tcb_statuses\":[]"),
	    WITH("\"tcb_statuses\":[1]"),
	    WITH("\"tcb_statuses\":[\"Good\"]"),
	    WITH("\"tcb_statuses\":[\"Revoked\"]"),
	    WITH("\"tcb_statuses\":[\"Unknown\"]"),
	    WITH("\"insecure_without_collateral\":1"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_null(policy);
		assert_true(error[0] != '\0');
	}
}

static void unusable(const char *text, const char *why)
{
	assert_int_equal(parse(text), 0);
	assert_int_equal(hm_policy_check(policy, error), -1);
	if (strstr(error, why) == NULL)
		fail_msg("%s: %s", text, error);
}

static void test_unusable(void **state)
{
	(void)state;
	unusable(RELEASE("\"mrenclave\":\"" HEX64 "\",\"pcrs\":{\"0\":\"" HEX96
			 "\"}"),
	    "two platforms");
	unusable(RELEASE("\"rtmrs\":{\"0\":\"" HEX96 "\"}"), "without MRTD");
	unusable("{\"releases\":[{\"name\":\"a\",\"mrenclave\":\"" HEX64
		 "\"}]}",
	    "no root");
}

static void test_error_says_where(void **state)
{
	(void)state;
	assert_int_equal(parse(RELEASE("\"mrenclave\":\"11\"")), -1);
	assert_non_null(strstr(error, "releases[0].mrenclave"));
	assert_int_equal(parse(WITH("\"tcb_statuses\":[\"x\"]")), -1);
	assert_non_null(strstr(error, "tcb_statuses"));
}

static void test_ceilings(void **state)
{
	static const uint8_t value[HM_PCR_LEN];
	char name[16], path[POLICY_PATH_MAX + 2];

	(void)state;
	taken(RELEASE("\"mrenclave\":\"" HEX64 "\""));
	for (int i = 1; i < POLICY_MEASURES_MAX; i++)
		assert_int_equal(hm_policy_add_mrenclave(policy, 0, value), 0);
	assert_int_equal(hm_policy_add_mrenclave(policy, 0, value), -1);
	assert_int_equal(hm_policy_add_mrenclave(policy, 1, value), -1);
	assert_int_equal(hm_policy_add_mrenclave(policy, -1, value), -1);
	assert_int_equal(hm_policy_add_rtmr(policy, 0, 4, value), -1);
	for (int i = 0; i < POLICY_COLLATERAL_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(policy_add_collateral_file(policy, name), 0);
	}
	assert_int_equal(policy_add_collateral_file(policy, "more"), -1);
	taken(RELEASE("\"mrtd\":\"" HEX96 "\""));
	assert_int_equal(hm_policy_add_rtmr(policy, 0, 3, value), 0);
	assert_int_equal(hm_policy_add_rtmr(policy, 0, 4, value), -1);
	memset(path, 'a', sizeof(path));
	path[POLICY_PATH_MAX] = '\0';
	assert_int_equal(policy_add_collateral_file(policy, path), 0);
	path[POLICY_PATH_MAX] = 'a';
	path[POLICY_PATH_MAX + 1] = '\0';
	assert_int_equal(policy_add_collateral_file(policy, path), -1);
}

/* What the quote has not is not equal to anything. */
static void test_absent(void **state)
{
	struct hm_quote quote = {.present = true, .is_td = true};
	struct policy_measures none = {.kinds = 0};

	(void)state;
	assert_non_null(policy_measure_of(&quote, POLICY_MRTD).at);
	assert_null(policy_measure_of(&quote, POLICY_MRENCLAVE).at);
	quote.is_td = false;
	assert_null(policy_measure_of(&quote, POLICY_RTMR0).at);
	assert_non_null(policy_measure_of(&quote, POLICY_MRSIGNER).at);
	quote.present = false;
	assert_null(policy_measure_of(&quote, POLICY_MRSIGNER).at);
	assert_false(policy_measures_ok(&none, &quote));
}

/* ---- roots ---- */

static void test_roots(void **state)
{
	struct quote_maker *maker = quote_maker_new(1795251600000);
	const char *pem = quote_maker_root_pem(maker);
	char *leaf = quote_pki_pem(maker->pki.pck.x509, NULL, NULL);
	char *ca = quote_pki_pem(maker->pki.ca.x509, NULL, NULL);

	(void)state;
	hm_policy_free(policy);
	policy = hm_policy_new();
	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	assert_int_equal(policy->quotes.root_count, 1);
	assert_int_equal(policy->root_count, 0);
	assert_string_equal(policy->quotes.roots[0].name, "Test SGX Root CA");
	assert_int_equal(
	    hm_policy_add_root_pem(policy, leaf, strlen(leaf)), -1);
	assert_int_equal(hm_policy_add_root_pem(policy, ca, strlen(ca)), -1);
	assert_int_equal(hm_policy_add_root_name(policy, "intel-sgx"), 0);
	assert_int_equal(hm_policy_add_root_name(policy, "intel-sgx"), 0);
	assert_int_equal(policy->quotes.root_count, 2);
	assert_int_equal(hm_policy_add_root_name(policy, "intel"), -1);
	free(leaf);
	free(ca);
	quote_maker_free(maker);
}

/* Nobody else's root is called as Intel's. */
static void test_root_of_that_name(void **state)
{
	static const char *const names[] = {
	    "intel-sgx", "Intel SGX Root CA", "aws-nitro-g1"};
	struct quote_pki pki = {.now_s = 1795251600};

	(void)state;
	hm_policy_free(policy);
	policy = hm_policy_new();
	for (size_t i = 0; i < 3; i++) {
		char *pem;

		issue(&pki.root, &pki, NULL, names[i], 1, false);
		pem = quote_pki_pem(pki.root.x509, NULL, NULL);
		assert_int_equal(
		    hm_policy_add_root_pem(policy, pem, strlen(pem)), -1);
		free(pem);
		quote_pki_fini(&pki);
		memset(&pki.root, 0, sizeof(pki.root));
	}
	assert_int_equal(policy->quotes.root_count, 0);
}

static int add(X509 *cert)
{
	char *pem = quote_pki_pem(cert, NULL, NULL);
	int status = hm_policy_add_root_pem(policy, pem, strlen(pem));

	free(pem);
	return status;
}

/* A CA of another's, one that is none, one without a name, one too many. */
static void test_roots_that_are_none(void **state)
{
	struct quote_pki pki = {.now_s = 1795251600};
	X509_NAME *unnamed = X509_NAME_new();

	(void)state;
	hm_policy_free(policy);
	policy = hm_policy_new();
	issue(&pki.root, &pki, NULL, "A", 1, false);
	issue(&pki.ca, &pki, &pki.root, "B", 1, false);
	issue(&pki.pck, &pki, NULL, "C", -1, false);
	issue(&pki.signer, &pki, NULL, "D", 1, false);
	assert_int_equal(X509_NAME_add_entry_by_txt(unnamed, "O", MBSTRING_ASC,
			     (const uint8_t *)"D", -1, -1, 0),
	    1);
	X509_set_subject_name(pki.signer.x509, unnamed);
	X509_set_issuer_name(pki.signer.x509, unnamed);
	assert_true(
	    X509_sign(pki.signer.x509, pki.signer.key, EVP_sha256()) > 0);
	X509_NAME_free(unnamed);
	assert_int_equal(add(pki.ca.x509), -1);
	assert_int_equal(add(pki.pck.x509), -1);
	assert_int_equal(add(pki.signer.x509), -1);
	assert_int_equal(add(pki.root.x509), 0);
	quote_pki_fini(&pki);
	for (int i = 1; i <= POLICY_QUOTE_ROOTS_MAX; i++) {
		memset(&pki.root, 0, sizeof(pki.root));
		issue(&pki.root, &pki, NULL, "E", 1, false);
		assert_int_equal(
		    add(pki.root.x509), i < POLICY_QUOTE_ROOTS_MAX ? 0 : -1);
		X509_free(pki.root.x509);
		EVP_PKEY_free(pki.root.key);
	}
}

static void test_collateral_refused(void **state)
{
	(void)state;
	taken(RELEASE("\"mrenclave\":\"" HEX64 "\""));
	assert_int_equal(
	    hm_policy_add_collateral(policy, (const uint8_t *)"x", 1, error),
	    -1);
	assert_true(error[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_releases, teardown),
	    cmocka_unit_test_teardown(test_members, teardown),
	    cmocka_unit_test_teardown(test_refused, teardown),
	    cmocka_unit_test_teardown(test_unusable, teardown),
	    cmocka_unit_test_teardown(test_error_says_where, teardown),
	    cmocka_unit_test_teardown(test_ceilings, teardown),
	    cmocka_unit_test_teardown(test_absent, teardown),
	    cmocka_unit_test_teardown(test_roots, teardown),
	    cmocka_unit_test_teardown(test_roots_that_are_none, teardown),
	    cmocka_unit_test_teardown(test_root_of_that_name, teardown),
	    cmocka_unit_test_teardown(test_collateral_refused, teardown),
	};

	return cmocka_run_group_tests_name("policy_quote", tests, NULL, NULL);
}
