/*
 * Bit-flip totality: a quote with any one bit changed is refused, but for its
 * own copy of the root's certificate, which is not what is trusted; and so is
 * collateral.
 *
 * make check: one quote of each version, every 29th bit (29 is prime to 8: each
 * position of a byte has its turn). HALLMARK_LONG=1: every bit of every
 * recorded quote, about a minute each with AddressSanitizer. Quotes of debug
 * enclaves, of outdated platforms and those that were recorded without their
 * collateral are judged under a policy that takes all that: the signatures must
 * be what refuses.
 */
#include "tests/unit/sgx/quote_vectors.h"

#include "tests/unit/verifier/verdict_counts.h"

#define SAMPLE_STRIDE 29
#define PART_STRIDE   101 /* each time the files are read anew */

static const struct sgx_policy lenient = {
    .roots = &sgx_intel_root,
    .root_count = 1,
    .statuses = ~0u,
    .insecure_without_collateral = true,
    .allow_debug = true,
};

static bool is_long(void)
{
	const char *all = getenv("HALLMARK_LONG");

	return all != NULL && strcmp(all, "1") == 0;
}

static void flip_bit(uint8_t *bytes, size_t bit)
{
	bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static enum hm_verdict judge(
    const struct quote_vector *v, const struct sgx_collateral *collateral)
{
	static struct sgx_result result;

	return sgx_verify(
	    v->quote, v->len, collateral, &lenient, v->at_ms, &result, NULL);
}

/* Where the third certificate of the PEM text is. */
static void find_root(const struct quote_vector *v, size_t *from, size_t *until)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const uint8_t *at = v->quote, *end = v->quote + v->len;
	struct sgx_quote quote;

	for (int i = 0; i < 3; i++) {
		at = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1);
		assert_non_null(at);
		at++;
	}
	*from = (size_t)(at - 1 - v->quote);
	assert_int_equal(
	    sgx_quote_parse(&quote, v->quote, v->len, NULL), HM_VALID);
	*until = (size_t)(quote.pem.at - v->quote) + quote.pem.len;
}

static void flip_quote(const char *name, bool with_collateral)
{
	size_t counts[HM_VERDICT_COUNT] = {0}, tried = 0, from, until;
	const struct sgx_collateral *collateral;
	struct quote_vector v;

	quote_vector_open(&v, name);
	/* One was recorded with an identity that had expired. */
	collateral = with_collateral ? v.collateral : NULL;
	find_root(&v, &from, &until);
	assert_int_equal(judge(&v, collateral), HM_VALID);
	for (size_t bit = 0; bit < 8 * v.len;
	     bit += is_long() ? 1 : SAMPLE_STRIDE) {
		bool in_root = bit / 8 >= from && bit / 8 < until;
		enum hm_verdict verdict;

		flip_bit(v.quote, bit);
		verdict = judge(&v, collateral);
		flip_bit(v.quote, bit);
		if (verdict == HM_VALID && !in_root)
			fail_msg("%s: bit %zu of byte %zu changed and valid",
			    name, bit % 8, bit / 8);
		if (in_root)
			continue;
		counts[verdict]++;
		tried++;
	}
	assert_int_equal(judge(&v, collateral), HM_VALID);
	printf("# %s: %zu single-bit changes tried, all refused:", name, tried);
	print_counts(counts);
	quote_vector_close(&v);
}

static void test_each_version(void **state)
{
	(void)state;
	if (!quote_vectors_present())
		skip();
	flip_quote("seed_mithril_oe_report", true);
	flip_quote("phala_tdx_v4", true);
	flip_quote("google_tdx_v5", false);
}

static void test_all(void **state)
{
	static const char *const rest[] = {"automata_sgx_v3_azure_like",
	    "automata_sgx_v3_debug", "azure_sgx_v3_debug",
	    "azure_sgx_v3_release", "azure_sgx_v3_securityversion",
	    "google_tdx_v4_gce_cos113", "oe_sgx_v3_evidence",
	    "oe_sgx_v3_qve_test", "oe_tdx_v4", "oe_tdx_v5",
	    "phala_tdx_v5_outdated"};

	(void)state;
	if (!is_long() || !quote_vectors_present())
		skip();
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		flip_quote(rest[i], true);
	flip_quote("automata_tdx_v4_gcp", false);
}

/* A collateral file of the vector's as its JSON, to take parts from. */
static json_t *read_bundle(const char *name)
{
	size_t len;
	uint8_t *text = quote_vectors_read(name, ".collateral.json", &len);
	json_t *json = json_loadb((char *)text, len, 0, NULL);

	free(text);
	assert_non_null(json);
	return json;
}

/* All but this member and those that belong to it. */
static struct sgx_collateral *without(json_t *bundle, const char *member)
{
	struct sgx_collateral *out = sgx_collateral_new();
	json_t *rest = json_copy(bundle);
	char error[HM_TEXT_MAX], key[64], *text;

	json_object_del(rest, member);
	snprintf(key, sizeof(key), "%s_signature", member);
	json_object_del(rest, key);
	text = json_dumps(rest, 0);
	if (sgx_collateral_add(out, (uint8_t *)text, strlen(text), error) != 0)
		fail_msg("%s", error);
	free(text);
	json_decref(rest);
	return out;
}

/* {"tcbInfo":...,"signature":...}, or the list in hex. */
static size_t make_file(
    json_t *bundle, const char *member, const char *answer, uint8_t *out)
{
	const char *text = json_string_value(json_object_get(bundle, member));
	char key[64];

	if (answer == NULL)
		return (size_t)sprintf((char *)out, "%s", text);
	snprintf(key, sizeof(key), "%s_signature", member);
	return (size_t)sprintf((char *)out, "{\"%s\":%s,\"signature\":\"%s\"}",
	    answer, text, json_string_value(json_object_get(bundle, key)));
}

/* Whether both files say the same: hexadecimal digits have two cases. */
static bool same_but_case(
    const uint8_t *a, const uint8_t *b, size_t len, size_t hex_from)
{
	return memcmp(a, b, hex_from) == 0 &&
	       strncasecmp((const char *)a + hex_from,
		   (const char *)b + hex_from, len - hex_from) == 0;
}

/* Strictly, with this file as the one part that was left out. */
static enum hm_verdict judge_part(const struct quote_vector *v, json_t *bundle,
    const char *member, const uint8_t *file, size_t len)
{
	struct sgx_policy strict = lenient;
	struct sgx_collateral *c = without(bundle, member);
	enum hm_verdict verdict = HM_COLLATERAL_MISSING;
	static struct sgx_result result;
	char error[HM_TEXT_MAX];

	strict.insecure_without_collateral = false;
	if (sgx_collateral_add(c, file, len, error) == 0)
		verdict = sgx_verify(
		    v->quote, v->len, c, &strict, v->at_ms, &result, NULL);
	sgx_collateral_free(c);
	return verdict;
}

static void flip_part(const char *name, const char *member, const char *answer)
{
	static uint8_t file[65536], original[65536];
	size_t counts[HM_VERDICT_COUNT] = {0}, tried = 0, hex_from = 0, len;
	json_t *bundle = read_bundle(name);
	struct quote_vector v;

	quote_vector_open(&v, name);
	len = make_file(bundle, member, answer, file);
	if (answer != NULL)
		hex_from = len - 2 - 128;
	memcpy(original, file, len);
	assert_int_equal(judge_part(&v, bundle, member, file, len), HM_VALID);
	for (size_t bit = 0; bit < 8 * len;
	     bit += is_long() ? 1 : PART_STRIDE) {
		enum hm_verdict verdict;

		flip_bit(file, bit);
		if (!same_but_case(file, original, len, hex_from)) {
			verdict = judge_part(&v, bundle, member, file, len);
			if (verdict == HM_VALID)
				fail_msg("%s: bit %zu of %s changed and valid",
				    name, bit, member);
			counts[verdict]++;
			tried++;
		}
		flip_bit(file, bit);
	}
	printf("# %s of %s: %zu single-bit changes tried, all refused:", member,
	    name, tried);
	print_counts(counts);
	json_decref(bundle);
	quote_vector_close(&v);
}

static void test_collateral(void **state)
{
	(void)state;
	if (!quote_vectors_present())
		skip();
	flip_part("phala_tdx_v4", "tcb_info", "tcbInfo");
	flip_part("phala_tdx_v4", "qe_identity", "enclaveIdentity");
	flip_part("phala_tdx_v4", "root_ca_crl", NULL);
	flip_part("phala_tdx_v4", "pck_crl", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_version),
	    cmocka_unit_test(test_collateral),
	    cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests_name("quote_flips", tests, NULL, NULL);
}
