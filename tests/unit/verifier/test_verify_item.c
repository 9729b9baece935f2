/* Items: good ones in both forms, and each rule broken alone. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "verifier/moment.h"
#include "verifier/verify_item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIVE_MS (ITEM_PUBLISHED_MS + 1000)

static struct builder *b;
static struct item_builder i;

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(b);
	return 0;
}

static enum hm_verdict live(struct hm_cache *cache, int64_t now_ms)
{
	static struct hm_item out, zero;
	enum hm_verdict verdict;

	memset(&out, 0xaa, sizeof(out));
	verdict = hm_item_verify_live(
	    i.policy, cache, &i.envelope, NULL, 0, now_ms, &out, NULL);
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return verdict;
}

static enum hm_verdict replay(void)
{
	return hm_item_verify_replay(
	    i.policy, NULL, &i.envelope, NULL, 0, NULL, NULL);
}

/* ---- good ---- */

static void test_good(void **state)
{
	struct hm_item out;
	uint8_t sha256[32];

	(void)state;
	item_make(&i, b);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope, NULL,
			     0, LIVE_MS, &out, NULL),
	    HM_VALID);
	assert_string_equal(out.feed, "BTC-USD");
	assert_int_equal(out.sequence, 7);
	assert_true(out.ok);
	assert_string_equal(out.price, "84036.00");
	assert_string_equal(out.confidence, "0.12");
	assert_string_equal(out.reason, "");
	assert_int_equal(out.published_ms, ITEM_PUBLISHED_MS);
	assert_int_equal(out.expires_ms, ITEM_EXPIRES_MS);
	assert_int_equal(out.sources_used, 2);
	assert_int_equal(out.sources_total, 2);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(out.content_sha256, sha256, 32);
	assert_memory_equal(out.previous_sha256, i.item.previous_sha256, 32);
	assert_memory_equal(out.config_sha256, i.item.config_sha256, 32);
	assert_memory_equal(out.boot_id, i.item.boot_id, 16);
	assert_string_equal(out.document.platform, "simulated");
	assert_string_equal(out.document.root, BUILDER_ROOT_NAME);
	assert_string_equal(out.document.release, "test");
	assert_memory_equal(
	    out.document.sha256, i.envelope.attestation_sha256, 32);
	assert_int_equal(replay(), HM_VALID);
	item_drop(&i);
}

/* What is said goes on with what was read, or with nothing. */
static void test_content_with_it(void **state)
{
	static struct item content, zero;
	struct hm_item out;
	int64_t late_ms = ITEM_EXPIRES_MS + 1;

	(void)state;
	item_make(&i, b);
	assert_int_equal(verify_item_and_content(i.policy, NULL, &i.envelope,
			     NULL, 0, NULL, &out, &content),
	    HM_VALID);
	assert_string_equal(out.price, "84036.00");
	assert_string_equal(content.feed, "BTC-USD");
	assert_int_equal(content.source_count, 2);
	assert_int_equal(verify_item_and_content(i.policy, NULL, &i.envelope,
			     NULL, 0, &late_ms, &out, &content),
	    HM_ITEM_EXPIRED);
	assert_memory_equal(&content, &zero, sizeof(zero));
	i.signature[0] ^= 1;
	memset(&content, 0xaa, sizeof(content));
	assert_int_equal(verify_item_and_content(i.policy, NULL, &i.envelope,
			     NULL, 0, NULL, &out, &content),
	    HM_ITEM_SIGNATURE);
	assert_memory_equal(&content, &zero, sizeof(zero));
	item_drop(&i);
}

static void test_unavailable(void **state)
{
	struct hm_item out;

	(void)state;
	item_reset(&i, b);
	i.item.status = ITEM_UNAVAILABLE;
	i.item.reason = ITEM_INSUFFICIENT_SOURCES;
	i.item.min_sources = 3;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope, NULL,
			     0, LIVE_MS, &out, NULL),
	    HM_VALID);
	assert_false(out.ok);
	assert_string_equal(out.price, "");
	assert_string_equal(out.reason, "insufficient_sources");
	item_drop(&i);
}

/* ---- the reference form ---- */

static void test_reference(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);
	uint8_t *document;
	size_t len;

	(void)state;
	item_make(&i, b);
	document = i.envelope.document;
	len = i.envelope.document_len;
	i.envelope.document = NULL;
	i.envelope.document_len = 0;
	assert_int_equal(live(NULL, LIVE_MS), HM_ATTESTATION_MISSING);
	assert_int_equal(live(cache, LIVE_MS), HM_ATTESTATION_MISSING);
	assert_int_equal(hm_item_verify_live(i.policy, cache, &i.envelope,
			     document, len, LIVE_MS, NULL, NULL),
	    HM_VALID);
	/* now the cache has it */
	assert_int_equal(live(cache, LIVE_MS), HM_VALID);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope,
			     document, len - 1, LIVE_MS, NULL, NULL),
	    HM_ATTESTATION_MISMATCH);
	/* but it cannot serve a policy without that root */
	i.policy->roots[0].sha256[0] ^= 1;
	assert_int_equal(live(cache, LIVE_MS), HM_ATTESTATION_MISSING);
	item_drop(&i);
	hm_cache_free(cache);
}

static void test_hash_of_another(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	item_make(&i, b);
	i.envelope.attestation_sha256[31] ^= 1;
	assert_int_equal(live(NULL, LIVE_MS), HM_ATTESTATION_MISMATCH);
	assert_int_equal(live(cache, LIVE_MS), HM_ATTESTATION_MISMATCH);
	item_drop(&i);
	hm_cache_free(cache);
}

/* A document in the cache must not vouch for another that is sent along. */
static void test_cached_hash_and_other_bytes(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	item_make(&i, b);
	assert_int_equal(live(cache, LIVE_MS), HM_VALID);
	i.envelope.document[40] ^= 1;
	assert_int_equal(live(cache, LIVE_MS), HM_ATTESTATION_MISMATCH);
	item_drop(&i);
	hm_cache_free(cache);
}

/* ---- signature and key ---- */

static void test_signature(void **state)
{
	(void)state;
	item_make(&i, b);
	i.signature[255] ^= 1;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	i.signature[255] ^= 1;
	i.envelope.signature_len = 255;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	i.envelope.signature_len = 257;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	i.envelope.signature_len = 0;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	item_drop(&i);
}

/* Another content that is well-formed, with the signature of the first. */
static void test_content_of_another(void **state)
{
	(void)state;
	item_make(&i, b);
	i.item.price.mantissa++;
	item_content(&i);
	i.envelope.content_len = i.content_len;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	i.content[0] = '[';
	assert_int_equal(live(NULL, LIVE_MS), HM_CONTENT_MALFORMED);
	i.envelope.content_len = 0;
	assert_int_equal(live(NULL, LIVE_MS), HM_CONTENT_MALFORMED);
	item_drop(&i);
}

static void test_pss_signature(void **state)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(i.signature);
	EVP_PKEY_CTX *how;

	(void)state;
	item_make(&i, b);
	EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, b->rsa);
	EVP_PKEY_CTX_ctrl_str(how, "rsa_padding_mode", "pss");
	assert_int_equal(EVP_DigestSign(ctx, i.signature, &len,
			     (const unsigned char *)i.content, i.content_len),
	    1);
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	EVP_MD_CTX_free(ctx);
	item_drop(&i);
}

/* An attested document, and a key of the attacker's beside it. */
static void test_key_of_another(void **state)
{
	struct builder *other = builder_new();
	EVP_PKEY *ours = b->rsa;
	char longer[1024];

	(void)state;
	item_make(&i, b);
	i.envelope.public_key = other->rsa_pem;
	b->rsa = other->rsa;
	item_sign(&i);
	b->rsa = ours;
	assert_int_equal(live(NULL, LIVE_MS), HM_KEY_NOT_ATTESTED);
	/* the attested key's text, and the attacker's signature */
	i.envelope.public_key = b->rsa_pem;
	assert_int_equal(live(NULL, LIVE_MS), HM_ITEM_SIGNATURE);
	item_sign(&i);
	assert_int_equal(live(NULL, LIVE_MS), HM_VALID);
	/* the same key, written otherwise */
	snprintf(longer, sizeof(longer), "%s\n", b->rsa_pem);
	i.envelope.public_key = longer;
	assert_int_equal(live(NULL, LIVE_MS), HM_KEY_NOT_ATTESTED);
	longer[strlen(b->rsa_pem) - 1] = '\0';
	assert_int_equal(live(NULL, LIVE_MS), HM_KEY_NOT_ATTESTED);
	item_drop(&i);
	builder_free(other);
}

static enum hm_verdict with_public_key(const void *bytes, size_t len)
{
	enum hm_verdict verdict;

	item_reset(&i, b);
	blob_set(&b->public_key, bytes, len);
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	verdict = live(NULL, LIVE_MS);
	item_drop(&i);
	return verdict;
}

static void test_keys_in_the_document(void **state)
{
	static struct blob der;

	(void)state;
	builder_reset(b);
	der = b->public_key;
	assert_int_equal(with_public_key(der.at, der.len), HM_VALID);
	assert_int_equal(with_public_key("", 0), HM_KEY_NOT_ATTESTED);
	assert_int_equal(with_public_key("key", 3), HM_KEY_NOT_ATTESTED);
	blob_put(&der, "", 1);
	assert_int_equal(with_public_key(der.at, der.len), HM_KEY_NOT_ATTESTED);
	assert_int_equal(with_public_key(b->rsa_pem, strlen(b->rsa_pem)),
	    HM_KEY_NOT_ATTESTED);
}

/* No key attested, and none claimed. */
static void test_no_key_at_all(void **state)
{
	char none[] = "";

	(void)state;
	item_reset(&i, b);
	b->public_key.len = 0;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	i.envelope.public_key = none;
	i.envelope.signature_len = 0;
	assert_int_equal(live(NULL, LIVE_MS), HM_KEY_NOT_ATTESTED);
	item_drop(&i);
}

static void test_platform(void **state)
{
	(void)state;
	item_make(&i, b);
	snprintf(i.envelope.platform, sizeof(i.envelope.platform), "aws-nitro");
	assert_int_equal(live(NULL, LIVE_MS), HM_PLATFORM_MISMATCH);
	item_drop(&i);
}

/* ---- user_data ---- */

static enum hm_verdict with_user_data(const struct blob *user_data)
{
	enum hm_verdict verdict;

	item_reset(&i, b);
	b->user_data = *user_data;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	verdict = live(NULL, LIVE_MS);
	item_drop(&i);
	return verdict;
}

static void test_user_data(void **state)
{
	static struct blob good, blob;

	(void)state;
	item_reset(&i, b);
	good = b->user_data;
	assert_int_equal(with_user_data(&good), HM_VALID);
	blob.len = 0;
	assert_int_equal(with_user_data(&blob), HM_USER_DATA_MISMATCH);
	blob = good;
	blob_replace(&blob, "\xb0", 1, "\xb1", 1);
	assert_int_equal(with_user_data(&blob), HM_USER_DATA_MISMATCH);
	blob = good;
	blob_replace(&blob, "\xc0", 1, "\xc1", 1);
	assert_int_equal(with_user_data(&blob), HM_USER_DATA_MISMATCH);
	blob = good;
	blob_put(&blob, "", 1);
	assert_int_equal(with_user_data(&blob), HM_USER_DATA_MISMATCH);
	/* what is bound may also stand in the nonce: that does not count */
	item_reset(&i, b);
	b->nonce = b->user_data;
	b->user_data.len = 0;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(live(NULL, LIVE_MS), HM_USER_DATA_MISMATCH);
	item_drop(&i);
}

/* What was not attested must not equal zeros. */
static void test_user_data_of_zeros(void **state)
{
	(void)state;
	item_reset(&i, b);
	memset(i.item.boot_id, 0, sizeof(i.item.boot_id));
	memset(i.item.config_sha256, 0, sizeof(i.item.config_sha256));
	b->user_data.len = 0;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(live(NULL, LIVE_MS), HM_USER_DATA_MISMATCH);
	item_drop(&i);
}

/* ---- times ---- */

static void published_at(int64_t published_ms)
{
	item_reset(&i, b);
	i.item.published_ms = published_ms;
	i.item.expires_ms = published_ms + 5000;
	for (int s = 0; s < 2; s++)
		i.item.sources[s].received_ms = published_ms;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
}

static void test_expires(void **state)
{
	(void)state;
	item_make(&i, b);
	assert_int_equal(live(NULL, ITEM_EXPIRES_MS), HM_VALID);
	assert_int_equal(live(NULL, ITEM_EXPIRES_MS + 1), HM_ITEM_EXPIRED);
	/* replay does not mind */
	assert_int_equal(replay(), HM_VALID);
	item_drop(&i);
}

static void test_too_old(void **state)
{
	(void)state;
	item_reset(&i, b);
	i.item.expires_ms = ITEM_PUBLISHED_MS + 1000000;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(live(NULL, ITEM_PUBLISHED_MS + 300000), HM_VALID);
	assert_int_equal(
	    live(NULL, ITEM_PUBLISHED_MS + 300001), HM_ITEM_TOO_OLD);
	hm_policy_set_ages(i.policy, 10, -1);
	assert_int_equal(
	    live(NULL, ITEM_PUBLISHED_MS + 10001), HM_ITEM_TOO_OLD);
	item_drop(&i);
}

static void test_in_future(void **state)
{
	(void)state;
	item_make(&i, b);
	assert_int_equal(live(NULL, ITEM_PUBLISHED_MS - 5000), HM_VALID);
	assert_int_equal(
	    live(NULL, ITEM_PUBLISHED_MS - 5001), HM_ITEM_IN_FUTURE);
	hm_policy_set_ages(i.policy, -1, 0);
	assert_int_equal(live(NULL, ITEM_PUBLISHED_MS - 1), HM_ITEM_IN_FUTURE);
	assert_int_equal(live(NULL, BUILDER_NOW_MS - 1), HM_DOCUMENT_IN_FUTURE);
	item_drop(&i);
}

static void test_before_document(void **state)
{
	(void)state;
	published_at(BUILDER_NOW_MS - 5000);
	assert_int_equal(replay(), HM_VALID);
	item_drop(&i);
	published_at(BUILDER_NOW_MS - 5001);
	assert_int_equal(replay(), HM_ITEM_BEFORE_DOCUMENT);
	assert_int_equal(live(NULL, BUILDER_NOW_MS), HM_ITEM_BEFORE_DOCUMENT);
	item_drop(&i);
}

static void test_after_chain(void **state)
{
	int64_t end;

	(void)state;
	builder_reset(b);
	end = BUILDER_NOW_MS + b->not_after_s[BUILDER_LEAF] * 1000;
	published_at(end);
	assert_int_equal(replay(), HM_VALID);
	assert_int_equal(live(NULL, end), HM_VALID);
	assert_int_equal(live(NULL, end + 1), HM_CHAIN_EXPIRED);
	item_drop(&i);
	published_at(end + 1);
	assert_int_equal(replay(), HM_ITEM_AFTER_CHAIN);
	assert_int_equal(live(NULL, end), HM_ITEM_AFTER_CHAIN);
	item_drop(&i);
}

/* A document that is old, but not its chain: an item may stand on it. */
static void test_document_has_no_age_of_its_own(void **state)
{
	(void)state;
	published_at(BUILDER_NOW_MS + 3600 * 1000);
	assert_int_equal(
	    live(NULL, BUILDER_NOW_MS + 3600 * 1000 + 1), HM_VALID);
	item_drop(&i);
}

static void test_clocks_out_of_range(void **state)
{
	(void)state;
	item_make(&i, b);
	assert_int_equal(live(NULL, INT64_MAX), HM_CHAIN_EXPIRED);
	assert_int_equal(live(NULL, INT64_MIN), HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(live(NULL, 0), HM_CHAIN_NOT_YET_VALID);
	item_drop(&i);
	/* the largest number that the format has */
	item_reset(&i, b);
	i.item.published_ms = i.item.expires_ms = 9007199254740991;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
	item_drop(&i);
}

/* A release's window: now for live, published_ms for replay. */
static void test_release_window(void **state)
{
	(void)state;
	item_make(&i, b);
	i.policy->releases[0].not_after_ms = ITEM_PUBLISHED_MS;
	assert_int_equal(replay(), HM_VALID);
	assert_int_equal(live(NULL, ITEM_PUBLISHED_MS), HM_VALID);
	assert_int_equal(live(NULL, LIVE_MS), HM_RELEASE_WINDOW);
	i.policy->releases[0].not_after_ms = ITEM_PUBLISHED_MS - 1;
	assert_int_equal(replay(), HM_RELEASE_WINDOW);
	item_drop(&i);
}

/* ---- the rest ---- */

static void test_document_refused(void **state)
{
	(void)state;
	item_make(&i, b);
	i.policy->releases[0].pins[1].value[0] ^= 1;
	assert_int_equal(live(NULL, LIVE_MS), HM_PCR_MISMATCH);
	item_drop(&i);
	item_reset(&i, b);
	memset(b->pcrs[2], 0, 48);
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	assert_int_equal(live(NULL, LIVE_MS), HM_DEBUG_ENCLAVE);
	hm_policy_insecure_allow_debug(i.policy);
	assert_int_equal(live(NULL, LIVE_MS), HM_VALID);
	item_drop(&i);
}

static void test_empty_policy(void **state)
{
	struct hm_policy *empty = hm_policy_new();

	(void)state;
	item_make(&i, b);
	assert_int_equal(hm_item_verify_replay(
			     empty, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
	assert_int_equal(
	    hm_item_verify_replay(NULL, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
	hm_policy_free(empty);
	item_drop(&i);
}

static void test_broken_envelope(void **state)
{
	struct hm_envelope zero = {0}, whole;

	(void)state;
	item_make(&i, b);
	whole = i.envelope;
	i.envelope.content = NULL;
	assert_int_equal(replay(), HM_ENVELOPE_MALFORMED);
	i.envelope = whole;
	i.envelope.signature = NULL;
	assert_int_equal(replay(), HM_ENVELOPE_MALFORMED);
	i.envelope = whole;
	i.envelope.public_key = NULL;
	assert_int_equal(replay(), HM_ENVELOPE_MALFORMED);
	i.envelope = whole;
	i.envelope.document_len = HM_DOCUMENT_MAX + 1;
	assert_int_equal(replay(), HM_ENVELOPE_MALFORMED);
	i.envelope = whole;
	assert_int_equal(replay(), HM_VALID);
	assert_int_equal(
	    hm_item_verify_replay(i.policy, NULL, NULL, NULL, 0, NULL, NULL),
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    hm_item_verify_replay(i.policy, NULL, &zero, NULL, 0, NULL, NULL),
	    HM_ENVELOPE_MALFORMED);
	memset(i.envelope.platform, 'x', sizeof(i.envelope.platform));
	assert_int_equal(replay(), HM_ENVELOPE_MALFORMED);
	item_drop(&i);
}

/* ---- what is reported ---- */

static char told[2048];

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	(void)data;
	(void)wanted;
	(void)found;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s ",
	    passed ? "" : "!", check);
}

static const char *const all_checks =
    "envelope content attestation_hash cose document root certificate_profile "
    "chain document_signature revoked chain_time chain_time document_time "
    "debug pcr0 pcr1 pcr2 release platform public_key item_signature "
    "user_data published expires ";

static void test_report(void **state)
{
	const struct hm_report report = {on_check, NULL};
	struct hm_cache *cache = hm_cache_new(1);

	(void)state;
	item_make(&i, b);
	for (int round = 0; round < 2; round++) {
		/* the second is from the cache, and tells the same */
		told[0] = '\0';
		assert_int_equal(
		    hm_item_verify_live(i.policy, cache, &i.envelope, NULL, 0,
			LIVE_MS, NULL, &report),
		    HM_VALID);
		assert_string_equal(told, all_checks);
	}
	i.signature[0] ^= 1;
	told[0] = '\0';
	assert_int_equal(hm_item_verify_live(i.policy, cache, &i.envelope, NULL,
			     0, LIVE_MS, NULL, &report),
	    HM_ITEM_SIGNATURE);
	assert_non_null(strstr(told, "public_key !item_signature "));
	assert_null(strstr(told, "user_data"));
	item_drop(&i);
	hm_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_content_with_it),
	    cmocka_unit_test(test_unavailable),
	    cmocka_unit_test(test_reference),
	    cmocka_unit_test(test_hash_of_another),
	    cmocka_unit_test(test_cached_hash_and_other_bytes),
	    cmocka_unit_test(test_signature),
	    cmocka_unit_test(test_content_of_another),
	    cmocka_unit_test(test_pss_signature),
	    cmocka_unit_test(test_key_of_another),
	    cmocka_unit_test(test_keys_in_the_document),
	    cmocka_unit_test(test_no_key_at_all),
	    cmocka_unit_test(test_platform),
	    cmocka_unit_test(test_user_data),
	    cmocka_unit_test(test_user_data_of_zeros),
	    cmocka_unit_test(test_expires),
	    cmocka_unit_test(test_too_old),
	    cmocka_unit_test(test_in_future),
	    cmocka_unit_test(test_before_document),
	    cmocka_unit_test(test_after_chain),
	    cmocka_unit_test(test_document_has_no_age_of_its_own),
	    cmocka_unit_test(test_clocks_out_of_range),
	    cmocka_unit_test(test_release_window),
	    cmocka_unit_test(test_document_refused),
	    cmocka_unit_test(test_empty_policy),
	    cmocka_unit_test(test_broken_envelope),
	    cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests_name(
	    "verify_item", tests, setup, teardown);
}
