/* Quotes in the place of documents: what a policy says of them, and items that
 * stand on one. What is wrong in a quote itself is tests/unit/sgx's. */
#include "tests/sgx/quote_builder.h"
#include "tests/sgx/quote_maker.h"

#include "feeds/hex.h"
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"
#include "verifier/spki.h"

#include "verifier/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS BUILDER_NOW_MS

static struct quote_maker *maker;
static struct quote_maker_body body;
static uint8_t quote[QUOTE_MAKER_MAX];
static size_t quote_len;
static struct hm_policy *policy;
static int release;
static struct hm_document out;
static char failed[32]; /* the check that failed */
static const uint8_t held[] = "what the enclave held";

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	(void)data;
	(void)wanted;
	(void)found;
	if (!passed)
		snprintf(failed, sizeof(failed), "%s", check);
}

static void add_collateral(const char *status, bool tdx)
{
	char *text = quote_maker_collateral(maker, status, tdx);
	char error[HM_TEXT_MAX];

	if (hm_policy_add_collateral(
		policy, (uint8_t *)text, strlen(text), error) != 0)
		fail_msg("%s", error);
	free(text);
}

/* A policy that trusts the maker's root and has one release, empty. */
static void new_policy(void)
{
	const char *pem = quote_maker_root_pem(maker);

	hm_policy_free(policy);
	policy = hm_policy_new();
	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	release = hm_policy_add_release(policy, "r", INT64_MIN, INT64_MAX);
	assert_int_equal(release, 0);
}

static void hold(const void *bytes, size_t len)
{
	memset(body.report_data, 0, sizeof(body.report_data));
	EVP_Digest(bytes, len, body.report_data, NULL, EVP_sha256(), NULL);
	quote_len = quote_maker_quote(maker, &body, quote);
}

static int setup_all(void **state)
{
	(void)state;
	maker = quote_maker_new(NOW_MS);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	quote_maker_free(maker);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&body, 0, sizeof(body));
	memset(body.mrenclave, 0xe1, sizeof(body.mrenclave));
	memset(body.mrsigner, 0x51, sizeof(body.mrsigner));
	memset(body.mrtd, 0xd1, sizeof(body.mrtd));
	for (unsigned i = 0; i < 4; i++)
		memset(body.rtmrs[i], (int)(0xa0 + i), sizeof(body.rtmrs[i]));
	body.product_id = 7;
	body.svn = 3;
	hold(held, sizeof(held));
	new_policy();
	add_collateral("UpToDate", false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hm_policy_free(policy);
	policy = NULL;
	return 0;
}

static enum hm_verdict verify_at(int64_t at_ms, const void *h, size_t len)
{
	const struct hm_report report = {.cb = on_check};
	static const struct hm_document zero;
	enum hm_verdict verdict;

	failed[0] = '\0';
	memset(&out, 0xaa, sizeof(out));
	verdict = hm_quote_verify(
	    policy, NULL, quote, quote_len, at_ms, h, len, &out, &report);
	assert_int_equal(verdict == HM_VALID, failed[0] == '\0');
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	/* Without anybody listening it is the same, twice. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(hm_quote_verify(policy, NULL, quote, quote_len,
				     at_ms, h, len, NULL, NULL),
		    verdict);
	return verdict;
}

static enum hm_verdict verify(void)
{
	return verify_at(NOW_MS, held, sizeof(held));
}

static void refused(enum hm_verdict wanted, const char *check)
{
	enum hm_verdict verdict = verify();

	if (verdict != wanted || strcmp(failed, check) != 0)
		fail_msg("%s by %s, not %s by %s", hm_verdict_name(verdict),
		    failed, hm_verdict_name(wanted), check);
}

static void pin_enclave(void)
{
	assert_int_equal(
	    hm_policy_add_mrenclave(policy, release, body.mrenclave), 0);
}

/* ---- good ---- */

static void test_good(void **state)
{
	char mrenclave[65];

	(void)state;
	pin_enclave();
	for (int kind = QUOTE_MAKER_SGX_3; kind <= QUOTE_MAKER_SGX_4; kind++) {
		body.kind = (enum quote_maker_kind)kind;
		hold(held, sizeof(held));
		assert_int_equal(verify(), HM_VALID);
		assert_string_equal(out.platform, "sgx-dcap");
		assert_string_equal(out.root, "Test SGX Root CA");
		assert_string_equal(out.release, "r");
		assert_int_equal(out.quote.version, 3 + kind);
		assert_string_equal(out.quote.tcb_status, "UpToDate");
	}
	hex_encode(body.mrenclave, 32, mrenclave);
	assert_non_null(strstr(out.module_id, mrenclave));
	assert_int_equal(out.quote.product_id, 7);
	assert_int_equal(out.quote.svn, 3);
	assert_false(out.debug);
	assert_int_equal(out.timestamp_ms, 0);
	assert_true(out.not_after_ms > NOW_MS);
	assert_true(out.quote.collateral_until_ms > NOW_MS);
	assert_memory_equal(out.quote.report_data, body.report_data, 64);
	assert_int_equal(hm_document_verify_live(policy, NULL, quote, quote_len,
			     NOW_MS, NULL, 0, &out, NULL),
	    HM_VALID);
}

static void test_good_domain(void **state)
{
	(void)state;
	new_policy();
	add_collateral("UpToDate", true);
	assert_int_equal(hm_policy_add_mrtd(policy, release, body.mrtd), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
		    hm_policy_add_rtmr(policy, release, i, body.rtmrs[i]), 0);
	for (int kind = QUOTE_MAKER_TDX_4; kind <= QUOTE_MAKER_TDX_5; kind++) {
		body.kind = (enum quote_maker_kind)kind;
		hold(held, sizeof(held));
		assert_int_equal(verify(), HM_VALID);
		assert_string_equal(out.platform, "tdx");
		assert_true(out.quote.is_td);
		assert_memory_equal(out.quote.mrtd, body.mrtd, 48);
		assert_memory_equal(
		    out.quote.rtmrs, body.rtmrs, sizeof(body.rtmrs));
	}
	body.rtmrs[2][47] ^= 1;
	hold(held, sizeof(held));
	refused(HM_MEASUREMENT_MISMATCH, "rtmr2");
	body.mrtd[0] ^= 1;
	hold(held, sizeof(held));
	refused(HM_MEASUREMENT_MISMATCH, "mrtd");
}

/* ---- measurements ---- */

static void test_another_enclave(void **state)
{
	uint8_t other[32];

	(void)state;
	memcpy(other, body.mrenclave, 32);
	other[31] ^= 1;
	assert_int_equal(hm_policy_add_mrenclave(policy, release, other), 0);
	refused(HM_MEASUREMENT_MISMATCH, "mrenclave");
	pin_enclave(); /* an alternative */
	assert_int_equal(verify(), HM_VALID);
}

static void test_signer(void **state)
{
	struct policy_measures *m;

	(void)state;
	assert_int_equal(
	    hm_policy_add_mrsigner(policy, release, body.mrsigner, 7, 3), 0);
	assert_int_equal(verify(), HM_VALID);
	m = &policy->releases[0].measures;
	m->min_svn = 4;
	refused(HM_MEASUREMENT_MISMATCH, "svn");
	m->min_svn = 2;
	assert_int_equal(verify(), HM_VALID);
	m->product_id = 8;
	refused(HM_MEASUREMENT_MISMATCH, "product_id");
	m->product_id = 7;
	m->list[0].value[0] ^= 1;
	refused(HM_MEASUREMENT_MISMATCH, "mrsigner");
}

/* A release of PCRs, or of the other platform, never fits. */
static void test_releases_of_others(void **state)
{
	static const uint8_t pcr[HM_PCR_LEN];

	(void)state;
	assert_int_equal(hm_policy_add_pcr(policy, release, 0, pcr), 0);
	refused(HM_MEASUREMENT_MISMATCH, "release");
	assert_int_equal(
	    hm_policy_add_release(policy, "td", INT64_MIN, INT64_MAX), 1);
	assert_int_equal(hm_policy_add_mrtd(policy, 1, body.mrtd), 0);
	refused(HM_MEASUREMENT_MISMATCH, "release");
	assert_int_equal(
	    hm_policy_add_release(policy, "sgx", INT64_MIN, INT64_MAX), 2);
	assert_int_equal(hm_policy_add_mrenclave(policy, 2, body.mrenclave), 0);
	assert_int_equal(verify(), HM_VALID);
	assert_string_equal(out.release, "sgx");
}

static void test_documents_want_releases_with_pcrs(void **state)
{
	struct builder *b = builder_new();
	struct hm_policy *p;

	(void)state;
	builder_reset(b);
	builder_make(b);
	p = builder_policy(b);
	memset(&p->releases[0].pins[0], 0, sizeof(p->releases[0].pins[0]));
	p->releases[0].pin_mask = 0;
	p->releases[0].pin_count = 0;
	assert_int_equal(hm_policy_add_mrenclave(p, 0, body.mrenclave), 0);
	assert_int_equal(
	    hm_document_verify_live(p, NULL, b->document.at, b->document.len,
		BUILDER_NOW_MS, NULL, 0, NULL, NULL),
	    HM_PCR_MISMATCH);
	hm_policy_free(p);
	builder_free(b);
}

static void test_window(void **state)
{
	(void)state;
	pin_enclave();
	policy->releases[0].not_after_ms = NOW_MS;
	assert_int_equal(verify(), HM_VALID);
	policy->releases[0].not_after_ms = NOW_MS - 1;
	refused(HM_RELEASE_WINDOW, "release");
	assert_int_equal(
	    hm_policy_add_release(policy, "next", NOW_MS, INT64_MAX), 1);
	assert_int_equal(hm_policy_add_mrenclave(policy, 1, body.mrenclave), 0);
	assert_int_equal(verify(), HM_VALID);
	assert_string_equal(out.release, "next");
}

/* ---- held data, debug, collateral, roots ---- */

static void test_held(void **state)
{
	(void)state;
	pin_enclave();
	assert_int_equal(verify_at(NOW_MS, NULL, 0), HM_VALID);
	assert_int_equal(
	    verify_at(NOW_MS, held, sizeof(held) - 1), HM_HELD_DATA_MISMATCH);
	assert_string_equal(failed, "held_data");
	assert_int_equal(verify_at(NOW_MS, "", 0), HM_HELD_DATA_MISMATCH);
	/* SHA-256 of it, and something behind */
	body.report_data[63] = 1;
	quote_len = quote_maker_quote(maker, &body, quote);
	refused(HM_HELD_DATA_MISMATCH, "held_data");
}

static void test_debug(void **state)
{
	(void)state;
	pin_enclave();
	body.debug = true;
	hold(held, sizeof(held));
	refused(HM_DEBUG_ENCLAVE, "debug");
	hm_policy_insecure_allow_debug(policy);
	assert_int_equal(verify(), HM_VALID);
	assert_true(out.debug);
}

static void test_without_collateral(void **state)
{
	(void)state;
	new_policy();
	pin_enclave();
	refused(HM_COLLATERAL_MISSING, "root_crl");
	hm_policy_insecure_without_collateral(policy);
	assert_int_equal(verify(), HM_VALID);
	assert_string_equal(out.quote.tcb_status, "Unknown");
}

static void test_status(void **state)
{
	(void)state;
	new_policy();
	pin_enclave();
	add_collateral("OutOfDate", false);
	refused(HM_TCB_STATUS, "tcb_status");
	assert_int_equal(hm_policy_accept_tcb(policy, "SWHardeningNeeded"), 0);
	refused(HM_TCB_STATUS, "tcb_status");
	assert_int_equal(hm_policy_accept_tcb(policy, "OutOfDate"), 0);
	assert_int_equal(verify(), HM_VALID);
	assert_string_equal(out.quote.tcb_status, "OutOfDate");
	assert_int_equal(hm_policy_accept_tcb(policy, "Revoked"), -1);
	assert_int_equal(hm_policy_accept_tcb(policy, "uptodate"), -1);
}

static void test_times(void **state)
{
	(void)state;
	pin_enclave();
	assert_int_equal(
	    verify_at(NOW_MS + 30 * 86400000LL, held, sizeof(held)),
	    HM_COLLATERAL_EXPIRED);
	assert_int_equal(
	    verify_at(NOW_MS + 4000 * 86400000LL, held, sizeof(held)),
	    HM_CHAIN_EXPIRED);
	assert_int_equal(
	    verify_at(NOW_MS - 40 * 86400000LL, held, sizeof(held)),
	    HM_COLLATERAL_NOT_YET_VALID);
	assert_int_equal(
	    verify_at(NOW_MS - 101 * 86400000LL, held, sizeof(held)),
	    HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(
	    verify_at(-1, held, sizeof(held)), HM_CHAIN_NOT_YET_VALID);
}

static void test_another_root(void **state)
{
	struct quote_maker *other = quote_maker_new(NOW_MS);

	(void)state;
	hm_policy_free(policy);
	policy = hm_policy_new();
	assert_int_equal(hm_policy_add_root_name(policy, "intel-sgx"), 0);
	release = hm_policy_add_release(policy, "r", INT64_MIN, INT64_MAX);
	pin_enclave();
	refused(HM_ROOT_UNTRUSTED, "root");
	quote_len = quote_maker_quote(other, &body, quote);
	refused(HM_ROOT_UNTRUSTED, "root");
	quote_maker_free(other);
}

static void test_policy_revokes(void **state)
{
	const struct quote_builder *made = quote_maker_parts(maker);
	struct policy_revoked revoked = {.serial_len = 1};

	(void)state;
	pin_enclave();
	assert_int_equal(
	    spki_of_key(made->ca_key, revoked.issuer_spki_sha256), 0);
	revoked.serial[0] = (uint8_t)(made->pck.serial ^ 1);
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
	assert_int_equal(verify(), HM_VALID);
	revoked.serial[0] ^= 1;
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
	refused(HM_CERTIFICATE_REVOKED, "policy_revoked");
}

/* ---- what a quote does not say is not taken for said ---- */

static void test_unsaid(void **state)
{
	(void)state;
	pin_enclave();
	policy->max_enclave_age_ms = 0;
	refused(HM_ENCLAVE_TOO_OLD, "enclave_age");
	policy->max_enclave_age_ms = -1;
	policy->booted_after_ms = 0;
	refused(HM_ENCLAVE_TOO_OLD, "booted_after");
	policy->booted_after_ms = INT64_MIN;
	policy->nonce.present = true;
	refused(HM_NONCE_MISMATCH, "policy_nonce");
	policy->nonce.present = false;
	policy->user_data.present = true;
	refused(HM_USER_DATA_MISMATCH, "policy_user_data");
	policy->user_data.present = false;
	policy->min_key_epoch = 1;
	refused(HM_KEY_EPOCH, "policy_key_epoch");
	policy->min_key_epoch = 0;
	assert_int_equal(verify(), HM_VALID);
	assert_int_equal(hm_document_verify_live(policy, NULL, quote, quote_len,
			     NOW_MS, (const uint8_t *)"n", 1, NULL, NULL),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_document_verify_replay(policy, NULL, quote,
			     quote_len, NULL, 0, NULL, NULL),
	    HM_DOCUMENT_TOO_OLD);
}

static void test_malformed(void **state)
{
	(void)state;
	pin_enclave();
	quote_len--;
	refused(HM_QUOTE_MALFORMED, "quote");
	quote[0] = 0x84; /* as a COSE_Sign1 begins */
	refused(HM_QUOTE_MALFORMED, "quote");
	quote[0] = 3;
	quote_len = 2;
	refused(HM_QUOTE_MALFORMED, "quote");
	assert_int_equal(
	    hm_document_read(quote, quote_len, &out), HM_QUOTE_MALFORMED);
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(hm_document_read(quote, quote_len, &out), HM_VALID);
	assert_true(out.quote.present);
	assert_memory_equal(out.quote.mrenclave, body.mrenclave, 32);
	assert_string_equal(out.quote.tcb_status, "");
	assert_string_equal(out.platform, "");
	assert_true(out.not_before_ms < NOW_MS && out.not_before_ms > 0);
	assert_true(out.not_after_ms > NOW_MS && out.not_after_ms < INT64_MAX);
}

/* What it says of its certificates is not believed, only told. */
static void test_read_without_times(void **state)
{
	uint8_t *pem = memmem(quote, quote_len, "MII", 3);

	(void)state;
	assert_non_null(pem);
	pem[0] = 'N';
	assert_int_equal(hm_document_read(quote, quote_len, &out), HM_VALID);
	assert_int_equal(out.not_before_ms, 0);
	assert_int_equal(out.not_after_ms, 0);
}

/* ---- a minute ---- */

/* What was good is so for a minute, unless somebody wants to know why. */
static void test_memo(void **state)
{
	(void)state;
	new_policy();
	pin_enclave();
	add_collateral("UpToDate", false);
	for (int64_t ms = NOW_MS; ms <= NOW_MS + 2 * QUOTE_MEMO_MS;
	     ms += QUOTE_MEMO_MS / 4)
		assert_int_equal(hm_quote_verify(policy, NULL, quote, quote_len,
				     ms, held, sizeof(held), &out, NULL),
		    HM_VALID);
	assert_string_equal(out.quote.tcb_status, "UpToDate");
	assert_string_equal(out.root, "Test SGX Root CA");
	/* The roots go: what is known is known, for so long. */
	policy->quotes.root_count = 0;
	assert_int_equal(
	    hm_quote_verify(policy, NULL, quote, quote_len,
		NOW_MS + 3 * QUOTE_MEMO_MS + 1, held, sizeof(held), NULL, NULL),
	    HM_POLICY_EMPTY);
}

static void test_memo_entries(void **state)
{
	const uint8_t a[32] = {1}, b[32] = {2};
	static struct quote_memo memo;
	const struct quote_found found = {.root_index = 1,
	    .not_after_ms = 100000,
	    .collateral_until_ms = INT64_MAX};

	(void)state;
	memset(&memo, 0, sizeof(memo));
	assert_null(quote_memo_find(&memo, a, NULL, 5));
	quote_memo_keep(&memo, a, b, 50000, &found);
	assert_null(quote_memo_find(&memo, a, b, 49999));
	assert_non_null(quote_memo_find(&memo, a, b, 50000));
	assert_non_null(quote_memo_find(&memo, a, b, 100000));
	assert_null(quote_memo_find(&memo, a, b, 100001));
	assert_null(quote_memo_find(&memo, a, NULL, 50000));
	assert_null(quote_memo_find(&memo, a, a, 50000));
	assert_null(quote_memo_find(&memo, b, b, 50000));
	quote_memo_keep(&memo, b, NULL, 0, &found);
	assert_null(quote_memo_find(&memo, b, b, 0));
	assert_non_null(quote_memo_find(&memo, b, NULL, QUOTE_MEMO_MS));
	assert_null(quote_memo_find(&memo, b, NULL, QUOTE_MEMO_MS + 1));
	for (unsigned i = 0; i < QUOTE_MEMO_MAX; i++)
		quote_memo_keep(&memo, b, NULL, 0, &found);
	assert_null(quote_memo_find(&memo, a, b, 50000));
}

/* ---- items ---- */

static struct builder *b;
static struct item_builder item;

/* An item of an oracle in the enclave: the quote is for its key. */
static int setup_item(void **state)
{
	const struct hm_bytes *key;

	setup(state);
	pin_enclave();
	b = builder_new();
	item_make(&item, b);
	assert_int_equal(
	    hm_document_read(b->document.at, b->document.len, &out), HM_VALID);
	key = &out.public_key;
	hold(key->bytes, key->len);
	item.envelope.document = quote;
	item.envelope.document_len = quote_len;
	EVP_Digest(quote, quote_len, item.envelope.attestation_sha256, NULL,
	    EVP_sha256(), NULL);
	snprintf(
	    item.envelope.platform, sizeof(item.envelope.platform), "sgx-dcap");
	return 0;
}

static int teardown_item(void **state)
{
	item_drop(&item);
	builder_free(b);
	return teardown(state);
}

static enum hm_verdict live(struct hm_cache *cache)
{
	return hm_item_verify_live(policy, cache, &item.envelope, NULL, 0,
	    ITEM_PUBLISHED_MS + 1000, NULL, NULL);
}

static void test_item(void **state)
{
	const struct hm_report report = {.cb = on_check};
	struct hm_item read;

	(void)state;
	assert_int_equal(live(NULL), HM_VALID);
	assert_int_equal(hm_item_verify_live(policy, NULL, &item.envelope, NULL,
			     0, ITEM_PUBLISHED_MS + 1000, &read, &report),
	    HM_VALID);
	assert_string_equal(read.document.platform, "sgx-dcap");
	assert_string_equal(read.document.quote.tcb_status, "UpToDate");
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &item.envelope, NULL, 0, NULL, NULL),
	    HM_VALID);
}

static void test_item_by_reference(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	assert_int_equal(live(cache), HM_VALID);
	item.envelope.document = NULL;
	assert_int_equal(live(cache), HM_VALID);
	assert_int_equal(live(NULL), HM_ATTESTATION_MISSING);
	/* Another policy judges for itself. */
	new_policy();
	assert_int_equal(hm_policy_add_mrtd(policy, release, body.mrtd), 0);
	assert_int_equal(live(cache), HM_COLLATERAL_MISSING);
	hm_cache_free(cache);
}

static void test_item_of_another_key(void **state)
{
	(void)state;
	hold(held, sizeof(held));
	item.envelope.document_len = quote_len;
	EVP_Digest(quote, quote_len, item.envelope.attestation_sha256, NULL,
	    EVP_sha256(), NULL);
	assert_int_equal(live(NULL), HM_KEY_NOT_ATTESTED);
}

static void test_item_whose_key_is_none(void **state)
{
	char *pem = item.envelope.public_key;
	char more[2048];

	(void)state;
	item.envelope.public_key = (char *)"";
	assert_int_equal(live(NULL), HM_KEY_NOT_ATTESTED);
	snprintf(more, sizeof(more), "%s%s", pem, pem);
	item.envelope.public_key = more;
	assert_int_equal(live(NULL), HM_KEY_NOT_ATTESTED);
	snprintf(more, sizeof(more), "%s\n", pem);
	assert_int_equal(live(NULL), HM_KEY_NOT_ATTESTED);
	item.envelope.public_key = pem;
	assert_int_equal(live(NULL), HM_VALID);
}

static void test_item_altered(void **state)
{
	(void)state;
	item.envelope.signature[5] ^= 1;
	assert_int_equal(live(NULL), HM_ITEM_SIGNATURE);
	item.envelope.signature[5] ^= 1;
	snprintf(item.envelope.platform, sizeof(item.envelope.platform), "tdx");
	assert_int_equal(live(NULL), HM_PLATFORM_MISMATCH);
}

static void test_item_after_chain(void **state)
{
	(void)state;
	hm_policy_insecure_without_collateral(policy);
	policy->max_age_ms = INT64_MAX / 4;
	item.item.published_ms = NOW_MS + 5000 * 86400000LL;
	item.item.expires_ms = item.item.published_ms + 1000;
	item_content(&item);
	item_sign(&item);
	item.envelope.content_len = item.content_len;
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &item.envelope, NULL, 0, NULL, NULL),
	    HM_CHAIN_EXPIRED);
}

#define QUOTE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define ITEM_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup_item, teardown_item)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    QUOTE_TEST(test_good),
	    QUOTE_TEST(test_good_domain),
	    QUOTE_TEST(test_another_enclave),
	    QUOTE_TEST(test_signer),
	    QUOTE_TEST(test_releases_of_others),
	    QUOTE_TEST(test_documents_want_releases_with_pcrs),
	    QUOTE_TEST(test_window),
	    QUOTE_TEST(test_held),
	    QUOTE_TEST(test_debug),
	    QUOTE_TEST(test_without_collateral),
	    QUOTE_TEST(test_status),
	    QUOTE_TEST(test_times),
	    QUOTE_TEST(test_another_root),
	    QUOTE_TEST(test_policy_revokes),
	    QUOTE_TEST(test_unsaid),
	    QUOTE_TEST(test_malformed),
	    QUOTE_TEST(test_read),
	    QUOTE_TEST(test_read_without_times),
	    QUOTE_TEST(test_memo),
	    QUOTE_TEST(test_memo_entries),
	    ITEM_TEST(test_item),
	    ITEM_TEST(test_item_by_reference),
	    ITEM_TEST(test_item_of_another_key),
	    ITEM_TEST(test_item_whose_key_is_none),
	    ITEM_TEST(test_item_altered),
	    ITEM_TEST(test_item_after_chain),
	};

	return cmocka_run_group_tests_name(
	    "verify_quote", tests, setup_all, teardown_all);
}
