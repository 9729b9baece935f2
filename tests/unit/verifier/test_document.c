/* Attestation documents: the forms that must be accepted, and those that are
 * well made and mean something else than an enclave's. (The forms that must
 * not: test_cose.c, test_payload.c, test_cert_*.c.) */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

#include "verifier/document.h"

static struct builder *b;

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

/* ---- forms that are right ---- */

static void as_is(struct builder *x)
{
	(void)x;
}

static void definite(struct builder *x)
{
	x->indefinite = false;
}

static void reverse(struct builder *x)
{
	static struct builder_field kept;

	for (size_t i = 0; i < x->field_count / 2; i++) {
		size_t other = x->field_count - 1 - i;

		kept = x->fields[i];
		x->fields[i] = x->fields[other];
		x->fields[other] = kept;
	}
}

static void reversed_keys(struct builder *x)
{
	x->edit_fields = reverse;
}

static void drop_optionals(struct builder *x)
{
	builder_drop_field(x, "public_key");
	builder_drop_field(x, "user_data");
	builder_drop_field(x, "nonce");
}

static void optionals_absent(struct builder *x)
{
	x->edit_fields = drop_optionals;
}

static void empty_optionals(struct builder *x)
{
	static const char *const keys[] = {"public_key", "user_data", "nonce"};

	for (size_t i = 0; i < 3; i++)
		blob_set(&builder_field(x, keys[i])->value, "\x40", 1);
}

static void optionals_empty(struct builder *x)
{
	x->edit_fields = empty_optionals;
}

static void optionals_of_1024(struct builder *x)
{
	memset(x->nonce.at, 7, 1024);
	x->nonce.len = 1024;
	x->user_data = x->nonce;
	x->public_key = x->nonce;
}

static void put_tag18(struct builder *x)
{
	blob_set(&x->head, "\xd2\x84", 2);
}

static void tag18(struct builder *x)
{
	x->edit_cose = put_tag18;
}

static void add_pcr16(struct builder *x)
{
	struct blob *v = &builder_field(x, "pcrs")->value;

	v->at[0] = 0xb1; /* map(17) */
	blob_head(v, 0, 16);
	blob_bytes(v, x->pcrs[4], 48);
}

static void pcr16_there(struct builder *x)
{
	x->edit_fields = add_pcr16;
}

/* (r, n - s) of the same signature: verifies, by the nature of ECDSA, so the
 * bytes of a document identify nothing. */
static void negate_s(struct builder *x)
{
	uint8_t *s = x->signature.at + 2 + 48;
	BIGNUM *n = NULL, *value = BN_bin2bn(s, 48, NULL);

	assert_true(
	    BN_hex2bn(&n,
		"ffffffffffffffffffffffffffffffffffffffffffffffff"
		"c7634d81f4372ddf581a0db248b0a77aecec196accc52973") > 0);
	assert_int_equal(BN_sub(value, n, value), 1);
	assert_int_equal(BN_bn2binpad(value, s, 48), 48);
	BN_free(n);
	BN_free(value);
}

static void negated_s(struct builder *x)
{
	x->edit_cose = negate_s;
}

static void test_forms_that_are_right(void **state)
{
	static const struct wrong cases[] = {
	    {"as AWS writes it: indefinite map", as_is, HM_VALID},
	    {"definite map", definite, HM_VALID},
	    {"keys in another order", reversed_keys, HM_VALID},
	    {"optional keys absent", optionals_absent, HM_VALID},
	    {"optional keys empty", optionals_empty, HM_VALID},
	    {"optional keys of 1024 bytes", optionals_of_1024, HM_VALID},
	    {"tag 18", tag18, HM_VALID},
	    {"PCR16 there", pcr16_there, HM_VALID},
	    {"signature (r, n - s)", negated_s, HM_VALID},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* ---- meaning ---- */

static void zero_pcr(struct builder *x, unsigned index)
{
	memset(x->pcrs[index], 0, 48);
}

static void pcr0_zero(struct builder *x)
{
	zero_pcr(x, 0);
}

static void pcr1_zero(struct builder *x)
{
	zero_pcr(x, 1);
}

static void pcr2_zero(struct builder *x)
{
	zero_pcr(x, 2);
}

static void pcrs_zero_but_4(struct builder *x)
{
	zero_pcr(x, 0);
	zero_pcr(x, 1);
	zero_pcr(x, 2);
}

/* Rewrites PCR `index` of the map with this CBOR key and length. */
static void write_pcrs(
    struct builder *x, unsigned odd, uint64_t odd_key, size_t odd_len)
{
	static const uint8_t bytes[64] = {9};
	struct blob *v = &builder_field(x, "pcrs")->value;

	v->len = 0;
	blob_head(v, 5, 16);
	for (unsigned i = 0; i < 16; i++) {
		blob_head(v, 0, i == odd ? odd_key : i);
		if (i == odd)
			blob_bytes(v, bytes, odd_len);
		else
			blob_bytes(v, x->pcrs[i], 48);
	}
}

#define PCR_MAP(name, odd, key, len)                \
	static void write_##name(struct builder *x) \
	{                                           \
		write_pcrs(x, odd, key, len);       \
	}                                           \
	static void name(struct builder *x)         \
	{                                           \
		x->edit_fields = write_##name;      \
	}

PCR_MAP(pcr_of_47, 0, 0, 47)
PCR_MAP(pcr_of_49, 0, 0, 49)
PCR_MAP(pcr_of_32, 5, 5, 32)
PCR_MAP(pcr_of_64, 5, 5, 64)
PCR_MAP(pcr_of_0, 5, 5, 0)
PCR_MAP(pcr_twice, 5, 4, 48)
PCR_MAP(pcr0_is_16, 0, 16, 48)
PCR_MAP(pcr15_is_16, 15, 16, 48)
PCR_MAP(pcr15_is_32, 15, 32, 48)
PCR_MAP(pcr15_is_2_40, 15, 1ull << 40, 48)

/* All sixteen, and one of them once more. */
static void add_pcr4(struct builder *x)
{
	struct blob *v = &builder_field(x, "pcrs")->value;

	v->at[0] = 0xb1; /* map(17) */
	blob_head(v, 0, 4);
	blob_bytes(v, x->pcrs[0], 48);
}

static void pcr4_once_more(struct builder *x)
{
	x->edit_fields = add_pcr4;
}

static void id(struct builder *x, const char *module_id)
{
	snprintf(x->module_id, sizeof(x->module_id), "%s", module_id);
	snprintf(
	    x->leaf_name, sizeof(x->leaf_name), "%s.test-1.aws", module_id);
}

static void id_of_tpm(struct builder *x)
{
	id(x, "i-0082f89b039c97a0f-tpm0000000000000000");
}

static void id_without_mark(struct builder *x)
{
	id(x, "i-0082f89b039c97a0f");
}

static void id_of_15_digits(struct builder *x)
{
	id(x, "i-0082f89b039c97a0f-enc019b54988b2d89b");
}

static void id_of_17_digits(struct builder *x)
{
	id(x, "i-0082f89b039c97a0f-enc019b54988b2d89ba0");
}

static void id_not_hex(struct builder *x)
{
	id(x, "i-0082f89b039c97a0f-enc019b54988b2d89bg");
}

static void id_nothing_before(struct builder *x)
{
	id(x, "-enc019b54988b2d89ba");
}

static void id_upper_case(struct builder *x)
{
	id(x, "i-0082F89b039c97a0f-enc019b54988b2d89ba");
}

static void id_with_dot(struct builder *x)
{
	id(x, "i-0.x-enc019b54988b2d89ba");
}

static void rename_pcrs(struct builder *x)
{
	snprintf(builder_field(x, "pcrs")->key, 64, "nitrotpm_pcrs");
}

static void add_nitrotpm(struct builder *x)
{
	blob_set(&builder_add_field(x, "nitrotpm_pcrs")->value, "\xa0", 1);
}

static void nitrotpm_too(struct builder *x)
{
	x->edit_fields = add_nitrotpm;
}

static void nitrotpm(struct builder *x)
{
	x->edit_fields = rename_pcrs;
}

static void before_leaf(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS - 60001;
}

static void after_leaf(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS + x->not_after_s[4] * 1000 + 1;
}

static void test_meaning(void **state)
{
	static const struct wrong cases[] = {
	    {"PCR0 zero", pcr0_zero, HM_DEBUG_ENCLAVE},
	    {"PCR1 zero", pcr1_zero, HM_DEBUG_ENCLAVE},
	    {"PCR2 zero", pcr2_zero, HM_DEBUG_ENCLAVE},
	    {"PCR0-2 zero, PCR4 not", pcrs_zero_but_4, HM_DEBUG_ENCLAVE},
	    {"PCR0 of 47 bytes", pcr_of_47, HM_DOCUMENT_MALFORMED},
	    {"PCR0 of 49 bytes", pcr_of_49, HM_DOCUMENT_MALFORMED},
	    {"PCR5 of 32 bytes", pcr_of_32, HM_DOCUMENT_MALFORMED},
	    {"PCR5 of 64 bytes", pcr_of_64, HM_DOCUMENT_MALFORMED},
	    {"PCR5 of 0 bytes", pcr_of_0, HM_DOCUMENT_MALFORMED},
	    {"PCR4 twice", pcr_twice, HM_DOCUMENT_MALFORMED},
	    {"PCR4 once more, another value", pcr4_once_more,
		HM_DOCUMENT_MALFORMED},
	    {"PCR0 absent", pcr0_is_16, HM_DOCUMENT_MALFORMED},
	    {"PCR15 absent", pcr15_is_16, HM_DOCUMENT_MALFORMED},
	    {"PCR32", pcr15_is_32, HM_DOCUMENT_MALFORMED},
	    {"PCR 2^40", pcr15_is_2_40, HM_DOCUMENT_MALFORMED},
	    {"module_id of a NitroTPM", id_of_tpm, HM_NOT_AN_ENCLAVE},
	    {"module_id without -enc", id_without_mark, HM_NOT_AN_ENCLAVE},
	    {"-enc of 15 digits", id_of_15_digits, HM_NOT_AN_ENCLAVE},
	    {"-enc of 17 digits", id_of_17_digits, HM_NOT_AN_ENCLAVE},
	    {"-enc not hexadecimal", id_not_hex, HM_NOT_AN_ENCLAVE},
	    {"nothing before -enc", id_nothing_before, HM_NOT_AN_ENCLAVE},
	    {"upper case in module_id", id_upper_case, HM_DOCUMENT_MALFORMED},
	    {"a dot in module_id", id_with_dot, HM_DOCUMENT_MALFORMED},
	    {"nitrotpm_pcrs for pcrs", nitrotpm, HM_NOT_AN_ENCLAVE},
	    {"nitrotpm_pcrs beside pcrs", nitrotpm_too, HM_NOT_AN_ENCLAVE},
	    {"signed before the leaf was", before_leaf, HM_CHAIN_NOT_YET_VALID},
	    {"signed after the leaf's end", after_leaf, HM_CHAIN_EXPIRED},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_read(void **state)
{
	struct hm_document document;

	(void)state;
	builder_reset(b);
	blob_set(&b->nonce, "abc", 3);
	pcr1_zero(b);
	builder_make(b);
	assert_int_equal(
	    hm_document_read(b->document.at, b->document.len, &document),
	    HM_VALID);
	assert_true(document.debug);
	assert_string_equal(document.module_id, b->module_id);
	assert_string_equal(document.platform, "");
	assert_int_equal(document.pcr_mask, 0xffff);
	assert_memory_equal(document.nonce.bytes, "abc", 3);
	assert_false(document.user_data.present);
	assert_int_equal(document.not_after_ms,
	    BUILDER_NOW_MS + b->not_after_s[BUILDER_LEAF] * 1000);
	assert_int_equal(document.not_before_ms,
	    BUILDER_NOW_MS + b->not_before_s[BUILDER_LEAF] * 1000);
	assert_int_equal(
	    document_enclave_start_ms(&document), BUILDER_START_MS);
	assert_int_equal(
	    hm_document_read(b->document.at, b->document.len - 1, &document),
	    HM_COSE_MALFORMED);
	assert_int_equal(document.timestamp_ms, 0);
	assert_int_equal(
	    hm_document_read(NULL, 0, &document), HM_COSE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms_that_are_right),
	    cmocka_unit_test(test_meaning),
	    cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("document", tests, setup, teardown);
}
