/* What a policy file says of SGX and TDX, and what it must not. */
#include "tests/sgx/quote_builder.h"
#include "tests/sgx/quote_maker.h"

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
static struct quote_builder *made; /* of the tests of roots */
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

static int add(const struct qb_cert *cert)
{
	struct qb_bytes pem = {0};

	qb_pem(cert, &pem);
	return hm_policy_add_root_pem(policy, (const char *)pem.bytes, pem.len);
}

static int setup_roots(void **state)
{
	(void)state;
	policy = hm_policy_new();
	made = qb_new();
	made->root.subject = made->root.issuer = "Test SGX Root CA";
	return 0;
}

static int teardown_roots(void **state)
{
	qb_free(made);
	return teardown(state);
}

static void test_roots(void **state)
{
	(void)state;
	assert_int_equal(add(&made->root), 0);
	assert_int_equal(add(&made->root), 0);
	assert_int_equal(policy->quotes.root_count, 1);
	assert_int_equal(policy->root_count, 0);
	assert_string_equal(policy->quotes.roots[0].name, "Test SGX Root CA");
	assert_int_equal(add(&made->pck), -1);
	assert_int_equal(add(&made->ca), -1);
	assert_int_equal(hm_policy_add_root_name(policy, "intel-sgx"), 0);
	assert_int_equal(hm_policy_add_root_name(policy, "intel-sgx"), 0);
	assert_int_equal(policy->quotes.root_count, 2);
	assert_int_equal(hm_policy_add_root_name(policy, "intel"), -1);
}

/* Nobody else's root is called as Intel's. */
static void test_root_of_that_name(void **state)
{
	static const char *const names[] = {
	    "intel-sgx", "Intel SGX Root CA", "aws-nitro-g1"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		made->root.subject = made->root.issuer = names[i];
		assert_int_equal(add(&made->root), -1);
	}
	assert_int_equal(policy->quotes.root_count, 0);
}

/* A CA of another's, one that is none, one without a name, one too many. */
static void test_roots_that_are_none(void **state)
{
	struct qb_cert leaf = made->root, unnamed = made->root;
	EVP_PKEY *key = made->root_key;

	(void)state;
	leaf.is_ca = false;
	unnamed.subject = unnamed.issuer = "O=D";
	assert_int_equal(add(&made->ca), -1);
	assert_int_equal(add(&leaf), -1);
	assert_int_equal(add(&unnamed), -1);
	assert_int_equal(add(&made->root), 0);
	for (int i = 1; i <= POLICY_QUOTE_ROOTS_MAX; i++) {
		made->root.key = made->root.by = qb_key();
		assert_int_equal(
		    add(&made->root), i < POLICY_QUOTE_ROOTS_MAX ? 0 : -1);
		EVP_PKEY_free(made->root.key);
	}
	made->root.key = made->root.by = key;
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
	    cmocka_unit_test_setup_teardown(
		test_roots, setup_roots, teardown_roots),
	    cmocka_unit_test_setup_teardown(
		test_roots_that_are_none, setup_roots, teardown_roots),
	    cmocka_unit_test_setup_teardown(
		test_root_of_that_name, setup_roots, teardown_roots),
	    cmocka_unit_test_teardown(test_collateral_refused, teardown),
	};

	return cmocka_run_group_tests_name("policy_quote", tests, NULL, NULL);
}
