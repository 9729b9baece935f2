/* Bit-flip totality: a document or an item with any one bit changed is
 * refused. Two real documents (definite and indefinite map) and one item; and
 * one document of the builder's, where the recorded ones are not at hand or
 * HALLMARK_LONG=1. Every bit of an item always, of documents with
 * HALLMARK_LONG=1, else every seventh (7 is prime to 8: each position of a
 * byte has its turn): five P-384 verifications a flip, sanitized, take time. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"
#include "tests/unit/verifier/vectors.h"

#include "verifier/envelope.h"

#define SAMPLE_STRIDE 7
#define SPARSE_STRIDE 61 /* of the many others */

static bool is_long(void)
{
	const char *all = getenv("HALLMARK_LONG");

	return all != NULL && strcmp(all, "1") == 0;
}

static size_t usual_stride(void)
{
	return is_long() ? 1 : SAMPLE_STRIDE;
}

/* How many flips were refused; fails at the first that was not. Prints how
 * often each verdict was given. */
static void flip_all(const struct hm_policy *policy, const char *name,
    uint8_t *bytes, size_t len, size_t stride)
{
	size_t counts[HM_VERDICT_COUNT] = {0}, refused = 0;

	assert_int_equal(hm_document_verify_replay(
			     policy, NULL, bytes, len, NULL, 0, NULL, NULL),
	    HM_VALID);
	for (size_t bit = 0; bit < 8 * len; bit += stride) {
		uint8_t mask = (uint8_t)(1u << (bit % 8));
		enum hm_verdict verdict;

		bytes[bit / 8] ^= mask;
		verdict = hm_document_verify_replay(
		    policy, NULL, bytes, len, NULL, 0, NULL, NULL);
		bytes[bit / 8] ^= mask;
		if (verdict == HM_VALID)
			fail_msg("%s: bit %zu changed and valid", name, bit);
		counts[verdict]++;
		refused++;
	}
	printf("# %s: %zu of %zu single-bit changes tried, all refused:", name,
	    refused, 8 * len);
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		if (counts[v] > 0)
			printf(" %s %zu", hm_verdict_name((enum hm_verdict)v),
			    counts[v]);
	printf("\n");
}

/* Trusts AWS and accepts the document's own PCRs. */
static struct hm_policy *policy_for(const uint8_t *bytes, size_t len)
{
	struct hm_policy *policy = hm_policy_new();
	struct hm_document document;

	assert_int_equal(hm_document_read(bytes, len, &document), HM_VALID);
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	assert_int_equal(
	    hm_policy_add_release(policy, "own", INT64_MIN, INT64_MAX), 0);
	for (unsigned i = 0; i <= 2; i++)
		assert_int_equal(
		    hm_policy_add_pcr(policy, 0, i, document.pcrs[i]), 0);
	return policy;
}

static void flip_vector(const char *name, size_t stride)
{
	struct hm_policy *policy;
	uint8_t *bytes;
	size_t len;

	bytes = vectors_read(name, &len);
	policy = policy_for(bytes, len);
	flip_all(policy, name, bytes, len, stride);
	hm_policy_free(policy);
	free(bytes);
}

static void test_definite(void **state)
{
	(void)state;
	flip_vector(
	    "yawn_nitro-attest__attestation__19b71700.bin", usual_stride());
}

static void test_indefinite(void **state)
{
	(void)state;
	flip_vector("tkhq_rust-sdk__valid_provisioning_details__277e236b.bin",
	    usual_stride());
}

/* Every valid document there is, some 600 bits of each. */
static void test_the_others(void **state)
{
	char line[2048];
	FILE *table;

	(void)state;
	if (!is_long())
		skip();
	table = vectors_need("EXPECTED.tsv");
	while (fgets(line, sizeof(line), table) != NULL) {
		char *name = strtok(line, "\t"), *wanted = strtok(NULL, "\t");

		if (name != NULL && wanted != NULL &&
		    strcmp(wanted, "valid") == 0)
			flip_vector(name, SPARSE_STRIDE);
	}
	fclose(table);
}

static void test_made_here(void **state)
{
	FILE *recorded = vectors_open("EXPECTED.tsv");
	struct hm_policy *policy;
	struct builder *b;

	(void)state;
	if (recorded != NULL) {
		fclose(recorded);
		if (!is_long())
			skip();
	}
	b = builder_new();
	builder_make(b);
	policy = builder_policy(b);
	flip_all(policy, "made here", b->document.at, b->document.len,
	    usual_stride());
	hm_policy_free(policy);
	builder_free(b);
}

static enum hm_verdict judge_text(const struct hm_policy *policy,
    struct hm_cache *cache, const char *text, size_t len)
{
	struct hm_envelope envelope;
	enum hm_verdict verdict = hm_envelope_parse(&envelope, text, len);

	if (verdict == HM_VALID)
		verdict = hm_item_verify_replay(
		    policy, cache, &envelope, NULL, 0, NULL, NULL);
	hm_envelope_fini(&envelope);
	return verdict;
}

/* Every bit of the envelope's text, always: the document is in the cache. */
static void test_item(void **state)
{
	static struct item_builder i;
	struct builder *b = builder_new();
	struct hm_cache *cache = hm_cache_new(4);
	size_t counts[HM_VERDICT_COUNT] = {0}, len, refused = 0;
	char *text;

	(void)state;
	item_make(&i, b);
	text = envelope_format(&i.envelope, true);
	len = strlen(text);
	assert_int_equal(judge_text(i.policy, cache, text, len), HM_VALID);
	for (size_t bit = 0; bit < 8 * len; bit++, refused++) {
		enum hm_verdict verdict;

		text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
		verdict = judge_text(i.policy, cache, text, len);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << (bit % 8)));
		if (verdict == HM_VALID)
			fail_msg("item: bit %zu changed and valid", bit);
		counts[verdict]++;
	}
	printf("# item: all %zu single-bit changes refused:", refused);
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		if (counts[v] > 0)
			printf(" %s %zu", hm_verdict_name((enum hm_verdict)v),
			    counts[v]);
	printf("\n");
	free(text);
	item_drop(&i);
	hm_cache_free(cache);
	builder_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_definite),
	    cmocka_unit_test(test_indefinite),
	    cmocka_unit_test(test_the_others),
	    cmocka_unit_test(test_made_here),
	    cmocka_unit_test(test_item),
	};

	return cmocka_run_group_tests_name("bit_flips", tests, NULL, NULL);
}
