/* Bare documents: the rules of time, PCRs, windows, revocation, nonce, debug,
 * the order in which they are judged, and the cache. */
#include "tests/unit/verifier/policy_fixture.h"

static enum hm_verdict live(int64_t now_ms)
{
	static struct hm_document out, zero;
	enum hm_verdict verdict;

	memset(&out, 0xaa, sizeof(out));
	verdict = hm_document_verify_live(policy, NULL, b->document.at,
	    b->document.len, now_ms, NULL, 0, &out, NULL);
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return verdict;
}

static enum hm_verdict replay(void)
{
	return hm_document_verify_replay(
	    policy, NULL, b->document.at, b->document.len, NULL, 0, NULL, NULL);
}

static enum hm_verdict with_nonce(const void *nonce, size_t len)
{
	return hm_document_verify_live(policy, NULL, b->document.at,
	    b->document.len, BUILDER_NOW_MS, nonce, len, NULL, NULL);
}

/* ---- time ---- */

static void test_age(void **state)
{
	(void)state;
	assert_int_equal(live(BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS + 300000), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS + 300001), HM_DOCUMENT_TOO_OLD);
	assert_int_equal(live(BUILDER_NOW_MS - 5000), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS - 5001), HM_DOCUMENT_IN_FUTURE);
	hm_policy_set_ages(policy, 0, 0);
	assert_int_equal(live(BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS + 1), HM_DOCUMENT_TOO_OLD);
	assert_int_equal(live(BUILDER_NOW_MS - 1), HM_DOCUMENT_IN_FUTURE);
	/* which replay does not ask */
	assert_int_equal(replay(), HM_VALID);
}

static void test_chain_now(void **state)
{
	int64_t last = BUILDER_NOW_MS + b->not_after_s[BUILDER_LEAF] * 1000;
	int64_t first = BUILDER_NOW_MS + b->not_before_s[BUILDER_LEAF] * 1000;

	(void)state;
	hm_policy_set_ages(policy, 1000000, -1);
	assert_int_equal(live(last), HM_VALID);
	assert_int_equal(live(last + 1), HM_CHAIN_EXPIRED);
	/* the leeway of max_future_s is for notBefore only; the document is
	 * in the future then, but the chain is not */
	assert_int_equal(live(first - 5000), HM_DOCUMENT_IN_FUTURE);
	assert_int_equal(live(first - 5001), HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(live(INT64_MAX), HM_CHAIN_EXPIRED);
	assert_int_equal(live(INT64_MIN), HM_CHAIN_NOT_YET_VALID);
}

/* A leaf is a tenth of a second old when its first document is signed, and the
 * verifier's clock is four seconds slow. */
static void test_fresh_leaf_slow_clock(void **state)
{
	(void)state;
	b->not_before_s[BUILDER_LEAF] = 0;
	b->timestamp_ms = BUILDER_NOW_MS + 100;
	again();
	assert_int_equal(live(BUILDER_NOW_MS - 4000), HM_VALID);
}

static void test_enclave_age(void **state)
{
	(void)state;
	policy->max_enclave_age_ms = 3600 * 1000;
	assert_int_equal(live(BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS + 1), HM_ENCLAVE_TOO_OLD);
	assert_int_equal(replay(), HM_VALID);
	policy->max_enclave_age_ms--;
	assert_int_equal(replay(), HM_ENCLAVE_TOO_OLD);
	policy->max_enclave_age_ms = 0;
	assert_int_equal(replay(), HM_ENCLAVE_TOO_OLD);
}

/* A start after the signed timestamp is no start. */
static void test_enclave_start_in_future(void **state)
{
	(void)state;
	snprintf(b->module_id, sizeof(b->module_id), "i-0-enc%012llx0000",
	    (unsigned long long)BUILDER_NOW_MS + 5001);
	snprintf(b->leaf_name, sizeof(b->leaf_name), "%s.x", b->module_id);
	again();
	assert_int_equal(replay(), HM_VALID);
	policy->max_enclave_age_ms = 1000;
	assert_int_equal(replay(), HM_ENCLAVE_TOO_OLD);
}

/* ---- PCRs and releases ---- */

static void test_each_pinned_pcr_counts(void **state)
{
	uint8_t pcr[HM_PCR_LEN];

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		builder_reset(b);
		again();
		assert_int_equal(
		    hm_policy_add_release(policy, "all", INT64_MIN, INT64_MAX),
		    1);
		policy->release_count = 1; /* the first is in the way */
		free(policy->releases[0].pins);
		policy->releases[0] = policy->releases[1];
		for (unsigned j = 0; j < 16; j++) {
			memcpy(pcr, b->pcrs[j], sizeof(pcr));
			pcr[47] ^= i == j;
			assert_int_equal(
			    hm_policy_add_pcr(policy, 0, j, pcr), 0);
		}
		assert_int_equal(replay(), HM_PCR_MISMATCH);
	}
}

/* CVE-2025-64186: a PCR that the document lacks does not match, not even a
 * pin of zeros. */
static void test_absent_pcr(void **state)
{
	uint8_t zero[HM_PCR_LEN] = {0};

	(void)state;
	assert_int_equal(hm_policy_add_pcr(policy, 0, 16, zero), 0);
	assert_int_equal(replay(), HM_PCR_MISMATCH);
}

static void test_alternatives(void **state)
{
	uint8_t other[HM_PCR_LEN] = {9};

	(void)state;
	assert_int_equal(hm_policy_add_pcr(policy, 0, 0, other), 0);
	assert_int_equal(replay(), HM_VALID);
	policy->releases[0].pins[0].value[0] ^= 1;
	assert_int_equal(replay(), HM_PCR_MISMATCH);
}

static void test_several_releases(void **state)
{
	uint8_t other[HM_PCR_LEN] = {9};
	struct hm_document out;

	(void)state;
	/* "test" no longer fits; "older" fits but is over; "newer" fits */
	policy->releases[0].pins[1].value[0] ^= 1;
	assert_int_equal(hm_policy_add_release(
			     policy, "older", INT64_MIN, BUILDER_NOW_MS - 1),
	    1);
	assert_int_equal(hm_policy_add_pcr(policy, 1, 0, b->pcrs[0]), 0);
	assert_int_equal(replay(), HM_RELEASE_WINDOW);
	assert_int_equal(
	    hm_policy_add_release(policy, "newer", BUILDER_NOW_MS, INT64_MAX),
	    2);
	assert_int_equal(hm_policy_add_pcr(policy, 2, 0, b->pcrs[0]), 0);
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, &out, NULL),
	    HM_VALID);
	assert_string_equal(out.release, "newer");
	/* pins of different releases do not add up */
	assert_int_equal(hm_policy_add_pcr(policy, 2, 1, other), 0);
	assert_int_equal(replay(), HM_RELEASE_WINDOW);
	policy->release_count = 1;
	assert_int_equal(replay(), HM_PCR_MISMATCH);
	policy->release_count = 3;
}

static void test_window(void **state)
{
	struct policy_release *r = &policy->releases[0];

	(void)state;
	r->not_before_ms = r->not_after_ms = BUILDER_NOW_MS;
	assert_int_equal(replay(), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(live(BUILDER_NOW_MS + 1), HM_RELEASE_WINDOW);
	assert_int_equal(live(BUILDER_NOW_MS - 1), HM_RELEASE_WINDOW);
	r->not_before_ms = r->not_after_ms = BUILDER_NOW_MS + 1;
	assert_int_equal(replay(), HM_RELEASE_WINDOW);
}

/* ---- revocation ---- */

static void test_revoked(void **state)
{
	(void)state;
	for (unsigned level = 1; level < BUILDER_LEVELS; level++) {
		policy->revoked_count = 0;
		revoke(level);
		assert_int_equal(replay(), HM_CERTIFICATE_REVOKED);
		policy->revoked[0].serial[1] ^= 1;
		assert_int_equal(replay(), HM_VALID);
		policy->revoked[0].serial[1] ^= 1;
		policy->revoked[0].issuer_spki_sha256[0] ^= 1;
		assert_int_equal(replay(), HM_VALID);
	}
}

/* ---- nonce ---- */

static void test_nonce(void **state)
{
	(void)state;
	blob_set(&b->nonce, "0123456789abcdef", 16);
	again();
	assert_int_equal(with_nonce(NULL, 0), HM_VALID);
	assert_int_equal(with_nonce("0123456789abcdef", 16), HM_VALID);
	assert_int_equal(with_nonce("0123456789abcdeg", 16), HM_NONCE_MISMATCH);
	assert_int_equal(with_nonce("0123456789abcdef", 15), HM_NONCE_MISMATCH);
	assert_int_equal(
	    with_nonce("0123456789abcdef\0", 17), HM_NONCE_MISMATCH);
	assert_int_equal(with_nonce("", 0), HM_NONCE_MISMATCH);
	/* one that got lost on the way is not one that nobody wants */
	assert_int_equal(with_nonce(NULL, 16), HM_NONCE_MISMATCH);
}

static void put_empty_nonce(struct builder *x)
{
	blob_set(&builder_field(x, "nonce")->value, "\x40", 1);
}

static void test_no_nonce(void **state)
{
	(void)state;
	assert_int_equal(with_nonce("x", 1), HM_NONCE_MISMATCH);
	assert_int_equal(with_nonce("", 0), HM_NONCE_MISMATCH);
	b->edit_fields = put_empty_nonce;
	again();
	assert_int_equal(with_nonce("", 0), HM_NONCE_MISMATCH);
	/* the nonce in another field */
	builder_reset(b);
	blob_set(&b->user_data, "0123456789abcdef", 16);
	again();
	assert_int_equal(with_nonce("0123456789abcdef", 16), HM_NONCE_MISMATCH);
}

/* ---- policy, debug, order ---- */

static void test_policy_empty(void **state)
{
	struct hm_policy *empty = hm_policy_new();

	(void)state;
	assert_int_equal(hm_document_verify_replay(empty, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
	assert_int_equal(hm_document_verify_live(NULL, NULL, b->document.at,
			     b->document.len, 0, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
	policy->releases[0].pin_mask &= ~7u;
	assert_int_equal(replay(), HM_POLICY_EMPTY);
	hm_policy_free(empty);
}

static void test_debug(void **state)
{
	(void)state;
	memset(b->pcrs[1], 0, 48);
	again();
	assert_int_equal(replay(), HM_DEBUG_ENCLAVE);
	hm_policy_insecure_allow_debug(policy);
	assert_int_equal(replay(), HM_VALID);
	/* still what the policy pins */
	policy->releases[0].pins[1].value[0] ^= 1;
	assert_int_equal(replay(), HM_PCR_MISMATCH);
}

/* Everything is wrong at once; what is mended first is said first. */
static void test_order(void **state)
{
	(void)state;
	memset(b->pcrs[0], 0, 48);
	again();
	policy->releases[0].pins[1].value[0] ^= 1;
	policy->roots[0].sha256[0] ^= 1;
	revoke(4);
	assert_int_equal(live(INT64_MAX), HM_ROOT_UNTRUSTED);
	policy->roots[0].sha256[0] ^= 1;
	b->document.at[b->document.len - 1] ^= 1;
	assert_int_equal(live(INT64_MAX), HM_DOCUMENT_SIGNATURE);
	b->document.at[b->document.len - 1] ^= 1;
	assert_int_equal(live(INT64_MAX), HM_CERTIFICATE_REVOKED);
	policy->revoked_count = 0;
	assert_int_equal(live(INT64_MAX), HM_CHAIN_EXPIRED);
	assert_int_equal(live(BUILDER_NOW_MS + 300001), HM_DOCUMENT_TOO_OLD);
	assert_int_equal(with_nonce("x", 1), HM_DEBUG_ENCLAVE);
	hm_policy_insecure_allow_debug(policy);
	assert_int_equal(with_nonce("x", 1), HM_PCR_MISMATCH);
	policy->releases[0].pins[1].value[0] ^= 1;
	assert_int_equal(with_nonce("x", 1), HM_NONCE_MISMATCH);
	assert_int_equal(with_nonce(NULL, 0), HM_VALID);
}

/* ---- the cache ---- */

static enum hm_verdict cached(struct hm_cache *cache, int64_t now_ms)
{
	return hm_document_verify_live(policy, cache, b->document.at,
	    b->document.len, now_ms, NULL, 0, NULL, NULL);
}

static void expect_stats(
    const struct hm_cache *cache, uint64_t hits, uint64_t misses, size_t count)
{
	struct hm_cache_stats stats;

	hm_cache_stats(cache, &stats);
	assert_int_equal(stats.hits, hits);
	assert_int_equal(stats.misses, misses);
	assert_int_equal(stats.documents, count);
}

static void test_cache_judges_anew(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	expect_stats(cache, 0, 1, 1);
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	expect_stats(cache, 1, 1, 1);
	/* an hour either way, and back */
	assert_int_equal(
	    cached(cache, BUILDER_NOW_MS + 3600000), HM_DOCUMENT_TOO_OLD);
	assert_int_equal(
	    cached(cache, BUILDER_NOW_MS - 3600000), HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(
	    cached(cache, BUILDER_NOW_MS + 10800000), HM_CHAIN_EXPIRED);
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	revoke(2);
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_CERTIFICATE_REVOKED);
	policy->revoked_count = 0;
	policy->releases[0].pins[0].value[0] ^= 1;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_PCR_MISMATCH);
	policy->releases[0].pins[0].value[0] ^= 1;
	assert_int_equal(hm_document_verify_live(policy, cache, b->document.at,
			     b->document.len, BUILDER_NOW_MS,
			     (const uint8_t *)"x", 1, NULL, NULL),
	    HM_NONCE_MISMATCH);
	expect_stats(cache, 8, 1, 1);
	hm_cache_free(cache);
}

static void test_cache_asks_for_the_root(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	policy->roots[0].sha256[0] ^= 1;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_ROOT_UNTRUSTED);
	expect_stats(cache, 0, 2, 1);
	hm_cache_free(cache);
}

static void test_cache_keeps_no_refused(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	policy->releases[0].pins[0].value[0] ^= 1;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_PCR_MISMATCH);
	b->document.at[b->document.len - 1] ^= 1;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_DOCUMENT_SIGNATURE);
	expect_stats(cache, 0, 2, 0);
	hm_cache_free(cache);
}

static void test_cache_is_by_bytes(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	for (size_t i = 0; i < b->document.len; i += 97) {
		b->document.at[i] ^= 0x10;
		assert_int_not_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
		b->document.at[i] ^= 0x10;
	}
	hm_cache_free(cache);
}

static void test_cache_drops_the_least_used(void **state)
{
	struct hm_cache *cache = hm_cache_new(2);
	static struct blob docs[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct hm_policy *own;

		builder_make(b);
		docs[i] = b->document;
		/* the root is signed anew each time: trust all three */
		own = builder_policy(b);
		policy->roots[i] = own->roots[0];
		policy->root_count = (size_t)i + 1;
		hm_policy_free(own);
	}
	static const int asked[] = {0, 1, 0, 2, 0, 1};
	static const int hits[] = {0, 0, 1, 1, 2, 2};
	for (size_t i = 0; i < 6; i++) {
		b->document = docs[asked[i]];
		assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
		expect_stats(cache, (uint64_t)hits[i],
		    i + 1 - (uint64_t)hits[i], i == 0 ? 1 : 2);
	}
	hm_cache_free(cache);
}

static void test_cache_sizes(void **state)
{
	struct hm_cache *cache = hm_cache_new(0);

	(void)state;
	assert_int_equal(cached(cache, BUILDER_NOW_MS), HM_VALID);
	expect_stats(cache, 0, 1, 1);
	hm_cache_free(cache);
	cache = hm_cache_new(SIZE_MAX);
	assert_non_null(cache);
	hm_cache_free(cache);
	hm_cache_free(NULL);
}

static void test_hostile_lengths(void **state)
{
	static uint8_t big[HM_DOCUMENT_MAX + 1];

	(void)state;
	assert_int_equal(hm_document_verify_replay(
			     policy, NULL, NULL, 100, NULL, 0, NULL, NULL),
	    HM_COSE_MALFORMED);
	assert_int_equal(hm_document_verify_replay(policy, NULL, big,
			     sizeof(big), NULL, 0, NULL, NULL),
	    HM_COSE_MALFORMED);
	memset(big, 0x84, sizeof(big));
	assert_int_equal(hm_document_verify_replay(policy, NULL, big,
			     HM_DOCUMENT_MAX, NULL, 0, NULL, NULL),
	    HM_COSE_MALFORMED);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_age),
	    EACH(test_chain_now),
	    EACH(test_fresh_leaf_slow_clock),
	    EACH(test_enclave_age),
	    EACH(test_enclave_start_in_future),
	    EACH(test_each_pinned_pcr_counts),
	    EACH(test_absent_pcr),
	    EACH(test_alternatives),
	    EACH(test_several_releases),
	    EACH(test_window),
	    EACH(test_revoked),
	    EACH(test_nonce),
	    EACH(test_no_nonce),
	    EACH(test_policy_empty),
	    EACH(test_debug),
	    EACH(test_order),
	    EACH(test_cache_judges_anew),
	    EACH(test_cache_asks_for_the_root),
	    EACH(test_cache_keeps_no_refused),
	    EACH(test_cache_is_by_bytes),
	    EACH(test_cache_drops_the_least_used),
	    EACH(test_cache_sizes),
	    EACH(test_hostile_lengths),
	};

	return cmocka_run_group_tests_name(
	    "verify_document", tests, setup, teardown);
}
