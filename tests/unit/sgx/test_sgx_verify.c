/* sgx_verify: quotes that are right in each form, and each thing that a forger,
 * an old platform or a lack of collateral makes wrong about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sgx/quote_builder.h"

static struct quote_builder *b;
static struct sgx_result result;

static int set_up(void **state)
{
	(void)state;
	b = qb_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	qb_free(b);
	return 0;
}

static void expect(enum hm_verdict wanted)
{
	enum hm_verdict found = qb_judge(b, &result);

	if (found != wanted)
		fail_msg("%s, not %s", hm_verdict_name(found),
		    hm_verdict_name(wanted));
}

static void make_and_expect(enum hm_verdict wanted)
{
	qb_make(b);
	expect(wanted);
}

static void test_right(void **state)
{
	(void)state;
	for (unsigned version = 3; version <= 5; version++) {
		qb_kind(b, version, false);
		make_and_expect(HM_VALID);
		assert_int_equal(result.status, SGX_UP_TO_DATE);
		assert_true(result.complete);
		assert_int_equal(result.collateral_until_ms,
		    QB_NOW_MS / 1000 * 1000 + QB_DAY_MS);
		assert_string_equal(result.module_name, "");
	}
	for (unsigned version = 4; version <= 5; version++) {
		qb_kind(b, version, true);
		make_and_expect(HM_VALID);
		assert_int_equal(result.status, SGX_UP_TO_DATE);
		assert_string_equal(result.module_name, "TDX_01");
	}
}

static void test_without_root_in_quote(void **state)
{
	struct sgx_root other = {"another", {0}};

	(void)state;
	b->without_root = true;
	make_and_expect(HM_VALID);
	qb_point(b->ca_key, other.point);
	b->policy.roots = &other;
	expect(HM_ROOT_UNTRUSTED);
}

/* The first of two that a policy names is another's. */
static void test_roots(void **state)
{
	struct sgx_root roots[2] = {sgx_intel_root, {0}};

	(void)state;
	qb_make(b);
	b->policy.root_count = 0;
	expect(HM_ROOT_UNTRUSTED);
	roots[1] = b->trusted;
	b->policy.roots = roots;
	b->policy.root_count = 1;
	expect(HM_ROOT_UNTRUSTED);
	b->policy.root_count = 2;
	expect(HM_VALID);
	assert_int_equal(result.root_index, 1);
}

/* Somebody's own CA under a copy of the true root's certificate. */
static void test_forged_ca(void **state)
{
	(void)state;
	b->ca.by = b->pck_key;
	make_and_expect(HM_CHAIN_BROKEN);
}

static void test_forged_pck(void **state)
{
	(void)state;
	b->pck.by = b->signer_key;
	make_and_expect(HM_CHAIN_BROKEN);
	b->pck.by = b->ca_key;
	b->pck.issuer = "Intel SGX PCK Processor CA";
	make_and_expect(HM_CHAIN_BROKEN);
}

static void test_profile(void **state)
{
	static struct slice cut;
	const struct qb_cert ca = b->ca, pck = b->pck;

	(void)state;
	b->pck.subject = "Intel SGX TCB Signing";
	make_and_expect(HM_CERTIFICATE_PROFILE);
	b->pck = pck;
	b->pck.is_ca = true;
	make_and_expect(HM_CERTIFICATE_PROFILE);
	b->pck = pck;
	b->pck.extension = NULL;
	make_and_expect(HM_CERTIFICATE_PROFILE);
	cut = *pck.extension;
	cut.len--;
	b->pck.extension = &cut;
	make_and_expect(HM_CERTIFICATE_PROFILE);
	b->pck = pck;
	b->ca.is_ca = false;
	make_and_expect(HM_CERTIFICATE_PROFILE);
	b->ca = ca;
	b->ca.subject = b->pck.issuer = "Intel SGX PCK Other CA";
	make_and_expect(HM_CERTIFICATE_PROFILE);
	b->ca.subject = b->pck.issuer = "Intel SGX PCK Processor CA";
	make_and_expect(HM_VALID);
	assert_false(result.platform.by_platform_ca);
}

/* A fourth certificate, and text that is none. */
static void test_pem(void **state)
{
	size_t pem, len;

	(void)state;
	qb_make(b);
	expect(HM_VALID);
	pem = result.quote.pem.len;
	b->quote.bytes[b->quote.len - 2] = 'x';
	expect(HM_CERTIFICATE_PROFILE);
	qb_make_quote(b);
	qb_pem(&b->root, &b->quote);
	len = b->quote.len - 436;
	b->quote.bytes[432] = (uint8_t)len;
	b->quote.bytes[433] = (uint8_t)(len >> 8);
	pem = len - (64 + 64 + 384 + 64 + 2 + 32 + 6);
	b->quote.bytes[1048] = (uint8_t)pem;
	b->quote.bytes[1049] = (uint8_t)(pem >> 8);
	expect(HM_CERTIFICATE_PROFILE);
}

static enum hm_verdict at(int64_t ms)
{
	b->policy.insecure_without_collateral = true;
	return sgx_verify(
	    b->quote.bytes, b->quote.len, NULL, &b->policy, ms, &result, NULL);
}

static void test_chain_time(void **state)
{
	(void)state;
	b->ca.until_ms -= QB_DAY_MS;
	b->pck.from_ms += QB_DAY_MS;
	qb_make_quote(b);
	assert_int_equal(at(QB_NOW_MS), HM_VALID);
	assert_int_equal(result.not_before_ms, b->pck.from_ms);
	assert_int_equal(result.not_after_ms, b->ca.until_ms);
	assert_int_equal(at(b->pck.from_ms), HM_VALID);
	assert_int_equal(at(b->pck.from_ms - 1), HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(at(b->ca.until_ms), HM_VALID);
	assert_int_equal(at(b->ca.until_ms + 1), HM_CHAIN_EXPIRED);
	b->ca.until_ms += 2 * (int64_t)QB_DAY_MS;
	b->pck.from_ms -= 2 * (int64_t)QB_DAY_MS;
	qb_make_quote(b);
	assert_int_equal(at(QB_NOW_MS), HM_VALID);
	assert_int_equal(result.not_before_ms, b->ca.from_ms);
	assert_int_equal(result.not_after_ms, b->pck.until_ms);
}

static void test_signatures(void **state)
{
	(void)state;
	b->qe_signer = b->ca_key;
	make_and_expect(HM_QE_SIGNATURE);
	b->qe_signer = NULL;
	b->quote_signer = b->ca_key;
	make_and_expect(HM_DOCUMENT_SIGNATURE);
	b->quote_signer = NULL;
	b->other_key_in_qe = true;
	make_and_expect(HM_KEY_NOT_ATTESTED);
	b->other_key_in_qe = false;
	b->qe_report[320 + 63] = 1;
	make_and_expect(HM_KEY_NOT_ATTESTED);
}

/* A point that is not on the curve, vouched for by the QE. */
static void test_no_point(void **state)
{
	uint8_t bytes[96] = {1, 2, 3}, signature[64];

	(void)state;
	qb_make(b);
	memcpy(bytes + 64, b->auth, 32);
	memcpy(b->quote.bytes + 500, bytes, 64);
	assert_int_equal(EVP_Digest(bytes, 96, b->quote.bytes + 564 + 320, NULL,
			     EVP_sha256(), NULL),
	    1);
	qb_sign(b->pck_key, b->quote.bytes + 564, 384, signature);
	memcpy(b->quote.bytes + 948, signature, 64);
	expect(HM_DOCUMENT_SIGNATURE);
}

static void test_held(void **state)
{
	(void)state;
	b->held = "a key";
	qb_make(b);
	b->policy.held = (const uint8_t *)"a key";
	b->policy.held_len = 5;
	expect(HM_VALID);
	b->policy.held_len = 4;
	expect(HM_HELD_DATA_MISMATCH);
	b->policy.held_len = 0;
	expect(HM_HELD_DATA_MISMATCH);
	b->policy.held_len = 5;
	b->body[320 + 32] = 1;
	make_and_expect(HM_HELD_DATA_MISMATCH);
	b->body[320 + 32] = 0;
	b->body[320 + 63] = 0x80;
	make_and_expect(HM_HELD_DATA_MISMATCH);
}

static void test_debug(void **state)
{
	(void)state;
	b->body[48] |= 2;
	make_and_expect(HM_DEBUG_ENCLAVE);
	b->policy.allow_debug = true;
	expect(HM_VALID);
	assert_true(result.quote.debug);
	/* of the QE, no policy allows it */
	b->qe_report[48] |= 2;
	make_and_expect(HM_DEBUG_ENCLAVE);
	qb_kind(b, 4, true);
	b->policy.allow_debug = false;
	b->body[120] = 1;
	make_and_expect(HM_DEBUG_ENCLAVE);
}

static void test_revoked(void **state)
{
	(void)state;
	b->revoked_by_root = 2;
	make_and_expect(HM_CERTIFICATE_REVOKED);
	b->revoked_by_root = 3; /* the PCK's number, but another issuer's */
	make_and_expect(HM_VALID);
	b->revoked_by_root = 0;
	b->revoked_by_ca = 3;
	make_and_expect(HM_CERTIFICATE_REVOKED);
	b->revoked_by_ca = 2;
	make_and_expect(HM_VALID);
	b->revoked_by_ca = 0;
	b->revoked_by_root = 4; /* the TCB's signer */
	make_and_expect(HM_CERTIFICATE_REVOKED);
}

/* A list of the root's name by the CA, and the other way round. */
static void test_forged_crl(void **state)
{
	EVP_PKEY *root = b->root_key, *ca = b->ca_key;

	(void)state;
	qb_make_quote(b);
	b->root_key = ca;
	qb_make_collateral(b);
	b->root_key = root;
	expect(HM_COLLATERAL_SIGNATURE);
	b->ca_key = root;
	qb_make_collateral(b);
	b->ca_key = ca;
	expect(HM_COLLATERAL_SIGNATURE);
}

static void test_crl_time(void **state)
{
	(void)state;
	b->crl_until_ms = QB_NOW_MS;
	make_and_expect(HM_COLLATERAL_EXPIRED);
	b->crl_until_ms = QB_NOW_MS + 1000;
	make_and_expect(HM_VALID);
	assert_int_equal(result.collateral_until_ms, QB_NOW_MS + 1000);
	b->crl_from_ms = QB_NOW_MS + 1000;
	b->crl_until_ms += 1000;
	make_and_expect(HM_COLLATERAL_NOT_YET_VALID);
}

static void set_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

static void set_dates(json_t *object, const char *from, const char *until)
{
	set_text(object, "issueDate", from);
	set_text(object, "nextUpdate", until);
}

static void test_json_time(void **state)
{
	(void)state;
	set_dates(b->tcb_info, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
	make_and_expect(HM_COLLATERAL_EXPIRED);
	set_dates(b->tcb_info, "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z");
	make_and_expect(HM_COLLATERAL_NOT_YET_VALID);
	qb_kind(b, 3, false);
	set_dates(b->identity, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
	make_and_expect(HM_COLLATERAL_EXPIRED);
}

static void test_signer(void **state)
{
	const struct qb_cert signer = b->signer;

	(void)state;
	b->signer.by = b->ca_key;
	make_and_expect(HM_COLLATERAL_SIGNATURE);
	b->signer = signer;
	b->signer.key = b->ca_key; /* certified, but did not sign */
	make_and_expect(HM_COLLATERAL_SIGNATURE);
	b->signer = signer;
	b->signer.until_ms = QB_NOW_MS;
	make_and_expect(HM_COLLATERAL_EXPIRED);
	b->signer.until_ms = signer.until_ms;
	b->signer.from_ms = QB_NOW_MS + 1000;
	make_and_expect(HM_COLLATERAL_NOT_YET_VALID);
}

/* Two certificates of one key, for one time after the other. */
static void test_signer_by_date(void **state)
{
	struct qb_cert old = b->signer;
	struct qb_bytes pem = {0};

	(void)state;
	qb_make_quote(b);
	old.until_ms = QB_NOW_MS - QB_DAY_MS;
	old.serial = 9;
	qb_pem(&old, &pem);
	for (int first = 0; first < 2; first++) {
		qb_make_collateral(b);
		if (first)
			b->signer = old;
		qb_make_collateral(b);
		qb_add(b->collateral, pem.bytes, pem.len);
		if (!first) {
			expect(HM_VALID);
			continue;
		}
		expect(HM_COLLATERAL_EXPIRED);
		pem.len = 0;
		old.until_ms = QB_NOW_MS + QB_DAY_MS;
		old.serial = 10;
		qb_pem(&old, &pem);
		qb_add(b->collateral, pem.bytes, pem.len);
		expect(HM_VALID);
	}
}

/* One part each time is about something else, so it is missing. */
static void test_missing(void **state)
{
	struct sgx_collateral *empty = sgx_collateral_new();

	(void)state;
	qb_make(b);
	assert_int_equal(sgx_verify(b->quote.bytes, b->quote.len, NULL,
			     &b->policy, QB_NOW_MS, &result, NULL),
	    HM_COLLATERAL_MISSING);
	assert_false(result.complete);
	assert_int_equal(sgx_verify(b->quote.bytes, b->quote.len, empty,
			     &b->policy, QB_NOW_MS, &result, NULL),
	    HM_COLLATERAL_MISSING);
	sgx_collateral_free(empty);
	set_text(b->tcb_info, "fmspc", "00606a000002");
	make_and_expect(HM_COLLATERAL_MISSING);
	set_text(b->tcb_info, "fmspc", "00606A000001");
	make_and_expect(HM_VALID);
	set_text(b->tcb_info, "pceId", "0001");
	make_and_expect(HM_COLLATERAL_MISSING);
	set_text(b->tcb_info, "pceId", "0000");
	set_text(b->identity, "id", "TD_QE");
	make_and_expect(HM_COLLATERAL_MISSING);
	set_text(b->identity, "id", "QE");
	make_and_expect(HM_VALID);
	b->ca.subject = "Intel SGX PCK Processor CA"; /* another's list */
	qb_make_collateral(b);
	expect(HM_COLLATERAL_MISSING);
}

/* TCB info of the same platform for the other kind. */
static void test_other_tee(void **state)
{
	json_t *of_td, *of_sgx;

	(void)state;
	qb_kind(b, 4, true);
	of_td = json_deep_copy(b->tcb_info);
	qb_kind(b, 3, false);
	of_sgx = b->tcb_info;
	b->tcb_info = of_td;
	make_and_expect(HM_COLLATERAL_MISSING);
	json_decref(of_td);
	b->tcb_info = of_sgx;
	make_and_expect(HM_VALID);
}

static void test_insecure(void **state)
{
	(void)state;
	b->policy.insecure_without_collateral = true;
	b->policy.statuses = 0;
	qb_make_quote(b);
	expect(HM_VALID);
	assert_false(result.complete);
	assert_int_equal(result.status, SGX_UNKNOWN);
	assert_true(result.collateral_until_ms == INT64_MAX);
	/* what is there counts */
	qb_make_collateral(b);
	expect(HM_TCB_STATUS);
	set_dates(b->tcb_info, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
	make_and_expect(HM_COLLATERAL_EXPIRED);
}

/* Without its identity an enclave that may provision is not the QE. */
static void test_other_qe(void **state)
{
	(void)state;
	b->policy.insecure_without_collateral = true;
	for (int td = 0; td < 2; td++) {
		qb_kind(b, 4, td == 1);
		b->qe_report[128] ^= 1;
		qb_make_quote(b);
		expect(HM_QE_IDENTITY);
		b->qe_report[128] ^= 1;
		b->qe_report[256] ^= 3;
		qb_make_quote(b);
		expect(HM_QE_IDENTITY);
		b->qe_report[256] ^= 3;
		qb_make_quote(b);
		expect(HM_VALID);
	}
}

static void test_identity(void **state)
{
	/* offsets in the report, outside of what is masked */
	static const size_t fields[] = {16, 19, 48, 55, 128, 159, 256, 257};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		b->qe_report[fields[i]] ^= 0x80;
		make_and_expect(HM_QE_IDENTITY);
		b->qe_report[fields[i]] ^= 0x80;
	}
	b->qe_report[48] ^= 0x04; /* masked */
	b->qe_report[56] = 0xff;
	make_and_expect(HM_VALID);
}

static void test_status(void **state)
{
	json_t *level = json_array_get(
	    json_object_get(b->tcb_info, "tcbLevels"), 0);
	json_t *qe = json_array_get(
	    json_object_get(b->identity, "tcbLevels"), 0);

	(void)state;
	for (int i = 0; i <= SGX_REVOKED; i++) {
		enum sgx_status status = (enum sgx_status)i;

		set_text(level, "tcbStatus", sgx_status_name(status));
		b->policy.statuses = ~(1u << i);
		make_and_expect(HM_TCB_STATUS);
		assert_int_equal(result.status, status);
		b->policy.statuses = 1u << i;
		expect(HM_VALID);
	}
	set_text(level, "tcbStatus", "ConfigurationNeeded");
	set_text(qe, "tcbStatus", "OutOfDate");
	b->policy.statuses = 1u << SGX_OUT_OF_DATE_CONFIGURATION;
	make_and_expect(HM_VALID);
	assert_int_equal(result.tcb.status, SGX_CONFIGURATION);
	assert_int_equal(result.qe.status, SGX_OUT_OF_DATE);
	/* too old for any level */
	b->qe_report[258] = 7;
	make_and_expect(HM_TCB_STATUS);
	assert_int_equal(result.qe.status, SGX_NOT_SUPPORTED);
}

static void test_module(void **state)
{
	(void)state;
	qb_kind(b, 4, true);
	b->body[64 + 47] = 1; /* MRSIGNERSEAM */
	make_and_expect(HM_TDX_MODULE);
	b->body[64 + 47] = 0;
	b->body[112 + 7] = 1; /* SEAMATTRIBUTES */
	make_and_expect(HM_TDX_MODULE);
	b->body[112 + 7] = 0;
	b->body[1] = 2; /* TDX_02 */
	make_and_expect(HM_TDX_MODULE);
	b->body[1] = 1;
	b->body[0] = 3;
	make_and_expect(HM_TCB_STATUS);
	assert_int_equal(result.module.status, SGX_NOT_SUPPORTED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_right),
	    TEST(test_without_root_in_quote),
	    TEST(test_roots),
	    TEST(test_forged_ca),
	    TEST(test_forged_pck),
	    TEST(test_profile),
	    TEST(test_pem),
	    TEST(test_chain_time),
	    TEST(test_signatures),
	    TEST(test_no_point),
	    TEST(test_held),
	    TEST(test_debug),
	    TEST(test_revoked),
	    TEST(test_forged_crl),
	    TEST(test_crl_time),
	    TEST(test_json_time),
	    TEST(test_signer),
	    TEST(test_signer_by_date),
	    TEST(test_missing),
	    TEST(test_other_tee),
	    TEST(test_insecure),
	    TEST(test_other_qe),
	    TEST(test_identity),
	    TEST(test_status),
	    TEST(test_module),
	};

	return cmocka_run_group_tests_name("sgx_verify", tests, NULL, NULL);
}
