/* Chains that were verified before: what they spare, and all that is still
 * asked of them each time. */
#include "tests/unit/verifier/policy_fixture.h"

#include "verifier/cache.h"

#define HOUR_MS 3600000

static struct hm_cache *cache;
static struct blob first; /* the document that is asked about first */
static struct blob saved[BUILDER_LEVELS]; /* its certificates */

static enum hm_verdict ask_at(
    struct hm_cache *of, const struct blob *document, int64_t now_ms)
{
	return hm_document_verify_live(policy, of, document->at, document->len,
	    now_ms, NULL, 0, NULL, NULL);
}

static enum hm_verdict ask(void)
{
	return ask_at(cache, &b->document, BUILDER_NOW_MS);
}

/* Each test begins with a chain that is known. */
static int begin_known(void **state)
{
	begin(state);
	cache = hm_cache_new(4);
	first = b->document;
	memcpy(saved, b->der, sizeof(saved));
	assert_int_equal(ask(), HM_VALID);
	return 0;
}

static int end_known(void **state)
{
	hm_cache_free(cache);
	return end(state);
}

/* Another document of which so many certificates are those of the last one. */
static void make_keeping(unsigned levels)
{
	static uint32_t nonce;

	nonce++;
	b->kept = levels;
	blob_set(&b->nonce, &nonce, sizeof(nonce));
	builder_make(b);
}

static struct hm_cache_stats stats(void)
{
	struct hm_cache_stats out;

	hm_cache_stats(cache, &out);
	return out;
}

/* What a question costs: so many signatures. */
static void expect_cost(
    enum hm_verdict wanted, uint64_t signatures, uint64_t known)
{
	struct hm_cache_stats before = stats(), after;

	assert_int_equal(ask(), wanted);
	after = stats();
	assert_int_equal(after.signatures - before.signatures, signatures);
	assert_int_equal(
	    after.certificate_hits - before.certificate_hits, known);
}

/* ---- what is spared ---- */

static void test_costs(void **state)
{
	(void)state;
	assert_int_equal(stats().signatures, 5);
	assert_int_equal(stats().certificate_misses, 5);
	assert_int_equal(stats().certificates, 5);
	expect_cost(HM_VALID, 0, 0); /* the document itself is there */
	make_keeping(5);
	expect_cost(HM_VALID, 1, 5); /* its own signature */
	make_keeping(4);
	expect_cost(HM_VALID, 2, 4); /* a sibling's leaf */
	make_keeping(3);
	expect_cost(HM_VALID, 3, 3); /* another instance's */
	make_keeping(2);
	expect_cost(HM_VALID, 4, 2);
	make_keeping(1);
	expect_cost(HM_VALID, 5, 1);
	assert_int_equal(stats().certificates, 5 + 1 + 2 + 3 + 4);
	make_keeping(5);
	expect_cost(HM_VALID, 1, 5);
}

static void test_thousand_questions(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ask(), HM_VALID);
	assert_int_equal(stats().misses, 1);
	assert_int_equal(stats().hits, 1000);
	assert_int_equal(stats().signatures, 5);
	make_keeping(5);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ask(), HM_VALID);
	assert_int_equal(stats().misses, 2);
	assert_int_equal(stats().signatures, 6);
}

static void test_no_cache(void **state)
{
	(void)state;
	make_keeping(5);
	assert_int_equal(ask_at(NULL, &b->document, BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(stats().signatures, 5);
}

/* ---- who is not known ---- */

/* The leaf and the instance's certificate as they are known, the zonal one as
 * it was made anew. */
static void lower_ones_as_saved(struct builder *x)
{
	x->bundle[3] = saved[3];
	x->der[BUILDER_LEAF] = saved[BUILDER_LEAF];
}

static void test_under_another_ancestor(void **state)
{
	(void)state;
	/* The same zonal key, certified again: right, but not known. */
	b->edit_bundle = lower_ones_as_saved;
	make_keeping(2);
	assert_memory_not_equal(b->der[2].at, saved[2].at, saved[2].len);
	expect_cost(HM_VALID, 4, 2);
}

static void test_under_a_wrong_ancestor(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-384");

	(void)state;
	/* A zonal authority of the same name, but of another key: it never
	 * issued the certificates that we know. */
	b->edit_bundle = lower_ones_as_saved;
	b->key_of[2] = other;
	make_keeping(2);
	expect_cost(HM_CHAIN_BROKEN, 0, 2);
	assert_int_equal(stats().certificates, 5);
	EVP_PKEY_free(other);
}

static void swap_known(struct builder *x)
{
	struct blob one = x->bundle[1];

	x->bundle[1] = x->bundle[2];
	x->bundle[2] = one;
}

static void drop_zonal(struct builder *x)
{
	x->bundle[2] = x->bundle[3];
	x->bundle_count = 3;
}

static void zonal_twice(struct builder *x)
{
	x->bundle[4] = x->bundle[3];
	x->bundle[3] = x->bundle[2];
	x->bundle_count = 5;
}

static void no_pathlen(struct builder *x, unsigned level, X509 *x509)
{
	(void)x;
	if (level == 0 || level == BUILDER_LEAF)
		return;
	builder_drop_extension(x509, NID_basic_constraints);
	builder_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
}

/* Every certificate is known, but not in this order; and no pathLen is there
 * to tell. */
static void test_order(void **state)
{
	void (*const edits[])(struct builder *) = {
	    swap_known, drop_zonal, zonal_twice};

	(void)state;
	b->edit_cert = no_pathlen;
	make_keeping(1);
	assert_int_equal(ask(), HM_VALID);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		b->edit_bundle = edits[i];
		make_keeping(5);
		assert_int_equal(ask(), HM_CHAIN_BROKEN);
		assert_int_equal(ask_at(NULL, &b->document, BUILDER_NOW_MS),
		    HM_CHAIN_BROKEN);
	}
}

static void test_other_root(void **state)
{
	struct hm_cache_stats before = stats();

	(void)state;
	policy->roots[0].sha256[0] ^= 1;
	make_keeping(5);
	assert_int_equal(ask(), HM_ROOT_UNTRUSTED);
	/* not even looked for */
	assert_int_equal(stats().certificate_hits, before.certificate_hits);
	assert_int_equal(stats().certificate_misses, before.certificate_misses);
}

/* The root's key certified anew: trusted too, but none was verified under it.
 */
static void test_root_again(void **state)
{
	struct hm_policy *own;

	(void)state;
	make_keeping(0);
	own = builder_policy(b);
	policy->roots[policy->root_count++] = own->roots[0];
	hm_policy_free(own);
	expect_cost(HM_VALID, 5, 0);
}

/* ---- what is judged anew ---- */

static void leaf_as_ca(struct builder *x)
{
	x->bundle[4] = x->der[BUILDER_LEAF];
	x->bundle_count = 5;
}

static void instance_as_leaf(struct builder *x)
{
	x->der[BUILDER_LEAF] = x->bundle[3];
	x->bundle_count = 3;
}

static void test_profile(void **state)
{
	(void)state;
	/* every certificate known, but each in a place that is not its own */
	b->edit_bundle = leaf_as_ca;
	make_keeping(5);
	expect_cost(HM_CERTIFICATE_PROFILE, 0, 5);
	b->edit_bundle = instance_as_leaf;
	make_keeping(5);
	expect_cost(HM_CERTIFICATE_PROFILE, 0, 4);
	/* another enclave's document with our leaf */
	end_known(state);
	begin_known(state);
	b->module_id[3] ^= 1;
	make_keeping(5);
	expect_cost(HM_CERTIFICATE_PROFILE, 0, 5);
}

static void test_document_signature(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-384");

	(void)state;
	make_keeping(5);
	b->document.at[b->document.len - 1] ^= 1;
	expect_cost(HM_DOCUMENT_SIGNATURE, 0, 5);
	b->key_of[BUILDER_LEAF] = other;
	make_keeping(5);
	expect_cost(HM_DOCUMENT_SIGNATURE, 0, 5);
	EVP_PKEY_free(other);
}

static void test_flips(void **state)
{
	(void)state;
	make_keeping(5);
	for (size_t i = 0; i < b->document.len; i += 31) {
		b->document.at[i] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(ask(), HM_VALID);
		b->document.at[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(stats().documents, 1);
	assert_int_equal(ask(), HM_VALID);
}

/* A certificate above the known leaf expires before it. */
static void test_expired_grandparent(void **state)
{
	(void)state;
	hm_policy_set_ages(policy, 100000, -1);
	for (unsigned level = 1; level < BUILDER_LEAF; level++) {
		int64_t last = BUILDER_NOW_MS + 1800 * 1000;

		reset_times(b);
		b->not_after_s[level] = 1800;
		make_keeping(1);
		assert_int_equal(ask(), HM_VALID);
		make_keeping(5);
		assert_int_equal(
		    ask_at(cache, &b->document, last + 1), HM_CHAIN_EXPIRED);
		assert_int_equal(ask_at(cache, &b->document, last), HM_VALID);
		/* and now that it is in the cache itself */
		assert_int_equal(
		    ask_at(cache, &b->document, last + 1), HM_CHAIN_EXPIRED);
	}
}

static void test_moved_clock(void **state)
{
	static const int64_t moves_ms[] = {-5 * HOUR_MS, -HOUR_MS, -60000, 0,
	    1000, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 0, 30 * HOUR_MS, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(moves_ms) / sizeof(moves_ms[0]); i++) {
		int64_t now_ms = BUILDER_NOW_MS + moves_ms[i];

		make_keeping(5);
		/* one that is there, and a new one of a chain that is */
		assert_int_equal(ask_at(cache, &first, now_ms),
		    ask_at(NULL, &first, now_ms));
		assert_int_equal(ask_at(cache, &b->document, now_ms),
		    ask_at(NULL, &b->document, now_ms));
	}
	assert_int_equal(ask_at(cache, &first, BUILDER_NOW_MS), HM_VALID);
}

static void test_revoked_when_known(void **state)
{
	(void)state;
	for (unsigned level = 1; level < BUILDER_LEVELS; level++) {
		policy->revoked_count = 0;
		make_keeping(5);
		assert_int_equal(ask(), HM_VALID);
		revoke(level);
		assert_int_equal(ask(), HM_CERTIFICATE_REVOKED);
		make_keeping(5);
		assert_int_equal(ask(), HM_CERTIFICATE_REVOKED);
	}
}

/* ---- who enters, who goes ---- */

/* What was refused brings nobody a certificate and takes nobody's place. */
static void test_refused_bring_nothing(void **state)
{
	(void)state;
	b->pcrs[1][0] ^= 1;
	make_keeping(3);
	expect_cost(HM_PCR_MISMATCH, 3, 3);
	make_keeping(5);
	expect_cost(HM_PCR_MISMATCH, 3, 3);
	assert_int_equal(stats().certificates, 5);
	assert_int_equal(stats().documents, 1);
	assert_int_equal(ask_at(cache, &first, BUILDER_NOW_MS), HM_VALID);
	assert_int_equal(stats().signatures, 5 + 3 + 3);
}

/* But the same one again costs nothing, until another is refused. */
static void test_last_refused_is_kept(void **state)
{
	static struct blob other;

	(void)state;
	b->pcrs[1][0] ^= 1;
	make_keeping(3);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ask(), HM_PCR_MISMATCH);
	assert_int_equal(stats().signatures, 5 + 3);
	/* Each question is judged by itself: a policy that was mended takes
	 * it, and no other root. */
	policy->releases[0].pins[1].value[0] ^= 1;
	expect_cost(HM_VALID, 0, 0);
	assert_int_equal(ask_at(cache, &b->document, BUILDER_NOW_MS + HOUR_MS),
	    HM_DOCUMENT_TOO_OLD);
	policy->roots[0].sha256[0] ^= 1;
	expect_cost(HM_ROOT_UNTRUSTED, 0, 0);
	policy->roots[0].sha256[0] ^= 1;
	policy->releases[0].pins[1].value[0] ^= 1;
	other = b->document;
	make_keeping(5);
	expect_cost(HM_PCR_MISMATCH, 3, 3);
	b->document = other;
	expect_cost(HM_PCR_MISMATCH, 3, 3);
	expect_cost(HM_PCR_MISMATCH, 0, 0);
	b->document.at[b->document.len - 1] ^= 1;
	expect_cost(HM_DOCUMENT_SIGNATURE, 2, 3);
}

static void test_least_used_goes_first(void **state)
{
	static struct blob second;

	(void)state;
	hm_cache_free(cache);
	cache = hm_cache_new(1); /* ten certificates */
	b->document = first;
	expect_cost(HM_VALID, 5, 0);
	for (int i = 0; i < 20; i++) {
		make_keeping(4);
		expect_cost(HM_VALID, 2, 4); /* those above never go */
		if (i == 0)
			second = b->document;
		assert_int_equal(stats().certificates, i < 5 ? 6 + i : 10);
	}
	b->document = second; /* whose leaf went */
	expect_cost(HM_VALID, 2, 4);
}

/* A leaf whose ancestors went is still known under them. */
static void test_ancestor_gone(void **state)
{
	struct cert_cache *certs = cache_certs(cache);

	(void)state;
	for (size_t i = 0; i < certs->paths.count; i++)
		if (X509_get_pathlen(certs->certs[i].x509) == 1)
			certs->paths.keys[i].sha256[0] ^= 1; /* zonal */
	make_keeping(5);
	expect_cost(HM_VALID, 1, 4);
	make_keeping(5);
	expect_cost(HM_VALID, 1, 5);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin_known, end_known)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_costs),
	    EACH(test_thousand_questions),
	    EACH(test_no_cache),
	    EACH(test_under_another_ancestor),
	    EACH(test_under_a_wrong_ancestor),
	    EACH(test_order),
	    EACH(test_other_root),
	    EACH(test_root_again),
	    EACH(test_profile),
	    EACH(test_document_signature),
	    EACH(test_flips),
	    EACH(test_expired_grandparent),
	    EACH(test_moved_clock),
	    EACH(test_revoked_when_known),
	    EACH(test_refused_bring_nothing),
	    EACH(test_last_refused_is_kept),
	    EACH(test_least_used_goes_first),
	    EACH(test_ancestor_gone),
	};

	return cmocka_run_group_tests_name(
	    "cert_cache", tests, setup, teardown);
}
