/* Attestation documents with one thing wrong in CBOR, COSE or meaning (those
 * in a certificate are test_chain.c), and the forms that must be accepted. */
#include "tests/unit/verifier/one_thing_wrong.h"
#include "tests/unit/verifier/shared_builder.h"

#include "verifier/document.h"

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

/* ---- COSE ---- */

/* Makes a spoil function whose hook sets one part of the COSE_Sign1. */
#define COSE_PART(name, part, bytes)                          \
	static void set_##name(struct builder *x)             \
	{                                                     \
		blob_set(&x->part, bytes, sizeof(bytes) - 1); \
	}                                                     \
	static void name(struct builder *x)                   \
	{                                                     \
		x->edit_cose = set_##name;                    \
	}

COSE_PART(tag17, head, "\xd1\x84")
COSE_PART(tag18_twice, head, "\xd2\xd2\x84")
COSE_PART(tag18_long, head, "\xd8\x12\x84")
COSE_PART(array_of_5, head, "\x85")
COSE_PART(array_of_3, head, "\x83")
COSE_PART(array_indefinite, head, "\x9f")
COSE_PART(array_head_long, head, "\x98\x04")
COSE_PART(array_of_2_64, head, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff")
COSE_PART(array_reserved_28, head, "\x9c")
COSE_PART(array_reserved_30, head, "\x9e")
COSE_PART(map_instead, head, "\xa2")
COSE_PART(alg_es256, protected, "\x43\xa1\x01\x26")
COSE_PART(alg_es512, protected, "\x44\xa1\x01\x38\x23")
COSE_PART(alg_and_crit, protected, "\x47\xa2\x01\x38\x22\x02\x81\x01")
COSE_PART(protected_empty, protected, "\x40")
COSE_PART(protected_not_wrapped, protected, "\xa1\x01\x38\x22")
COSE_PART(protected_text, protected, "\x64\xa1\x01\x38\x22")
COSE_PART(protected_head_long, protected, "\x58\x04\xa1\x01\x38\x22")
COSE_PART(protected_indefinite, protected, "\x5f\x44\xa1\x01\x38\x22\xff")
COSE_PART(unprotected_alg, unprotected, "\xa1\x01\x38\x22")
COSE_PART(unprotected_indefinite, unprotected, "\xbf\xff")
COSE_PART(unprotected_swallows, unprotected, "\xa1")
COSE_PART(unprotected_bytes, unprotected, "\x40")
COSE_PART(unprotected_null, unprotected, "\xf6")
COSE_PART(payload_null, payload, "\xf6")
COSE_PART(payload_empty, payload, "\x40")
COSE_PART(payload_2_63, payload, "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff")
COSE_PART(payload_2_64, payload, "\x5b\xff\xff\xff\xff\xff\xff\xff\xff")
COSE_PART(payload_one_byte, payload, "\x41\xa0")
COSE_PART(one_byte_behind, tail, "\x00")
COSE_PART(break_behind, tail, "\xff")
COSE_PART(second_document_behind, tail, "\x84\x40\xa0\x40\x40")

static void put_payload_too_long(struct builder *x)
{
	static struct blob long_one;

	long_one.len = 16385;
	x->payload.len = 0;
	blob_bytes(&x->payload, long_one.at, long_one.len);
}

static void payload_too_long(struct builder *x)
{
	x->edit_cose = put_payload_too_long;
}

static void put_long_head(struct builder *x)
{
	static struct blob rest;

	blob_set(&rest, x->payload.at + 3, x->payload.len - 3);
	x->payload.len = 0;
	blob_put(&x->payload, "\x5a\x00\x00", 3);
	blob_put(&x->payload, (uint8_t[]){(uint8_t)(rest.len >> 8)}, 1);
	blob_put(&x->payload, (uint8_t[]){(uint8_t)rest.len}, 1);
	blob_put(&x->payload, rest.at, rest.len);
}

static void payload_head_long(struct builder *x)
{
	x->edit_cose = put_long_head;
}

static void put_indefinite_payload(struct builder *x)
{
	static struct blob chunk;

	chunk = x->payload;
	blob_set(&x->payload, "\x5f", 1);
	blob_put(&x->payload, chunk.at, chunk.len);
	blob_put(&x->payload, "\xff", 1);
}

static void payload_indefinite(struct builder *x)
{
	x->edit_cose = put_indefinite_payload;
}

static void test_cose(void **state)
{
	static const struct wrong cases[] = {
	    {"tag 17", tag17, HM_COSE_MALFORMED},
	    {"tag 18 twice", tag18_twice, HM_COSE_MALFORMED},
	    {"tag 18 in two bytes", tag18_long, HM_COSE_MALFORMED},
	    {"array of 5", array_of_5, HM_COSE_MALFORMED},
	    {"array of 3", array_of_3, HM_COSE_MALFORMED},
	    {"array without a length", array_indefinite, HM_COSE_MALFORMED},
	    {"array head not shortest", array_head_long, HM_COSE_MALFORMED},
	    {"array of 2^64 - 1", array_of_2_64, HM_COSE_MALFORMED},
	    {"reserved information 28", array_reserved_28, HM_COSE_MALFORMED},
	    {"reserved information 30", array_reserved_30, HM_COSE_MALFORMED},
	    {"map instead of array", map_instead, HM_COSE_MALFORMED},
	    {"algorithm ES256", alg_es256, HM_COSE_MALFORMED},
	    {"algorithm ES512", alg_es512, HM_COSE_MALFORMED},
	    {"crit in the header", alg_and_crit, HM_COSE_MALFORMED},
	    {"protected header empty", protected_empty, HM_COSE_MALFORMED},
	    {"protected header not wrapped", protected_not_wrapped,
		HM_COSE_MALFORMED},
	    {"protected header a text", protected_text, HM_COSE_MALFORMED},
	    {"protected head not shortest", protected_head_long,
		HM_COSE_MALFORMED},
	    {"protected header in chunks", protected_indefinite,
		HM_COSE_MALFORMED},
	    {"algorithm unprotected", unprotected_alg, HM_COSE_MALFORMED},
	    {"unprotected map indefinite", unprotected_indefinite,
		HM_COSE_MALFORMED},
	    {"unprotected map of what follows", unprotected_swallows,
		HM_COSE_MALFORMED},
	    {"unprotected bytes", unprotected_bytes, HM_COSE_MALFORMED},
	    {"unprotected null", unprotected_null, HM_COSE_MALFORMED},
	    {"payload null (detached)", payload_null, HM_COSE_MALFORMED},
	    {"payload empty", payload_empty, HM_COSE_MALFORMED},
	    {"payload of 2^63 - 1", payload_2_63, HM_COSE_MALFORMED},
	    {"payload of 2^64 - 1", payload_2_64, HM_COSE_MALFORMED},
	    {"payload of 16385", payload_too_long, HM_COSE_MALFORMED},
	    {"payload head not shortest", payload_head_long, HM_COSE_MALFORMED},
	    {"payload in chunks", payload_indefinite, HM_COSE_MALFORMED},
	    {"payload of one byte", payload_one_byte, HM_DOCUMENT_MALFORMED},
	    {"one byte behind", one_byte_behind, HM_COSE_MALFORMED},
	    {"a break behind", break_behind, HM_COSE_MALFORMED},
	    {"another document behind", second_document_behind,
		HM_COSE_MALFORMED},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* ---- the signature ---- */

static void set_signature(struct builder *x, const char *r, const char *s)
{
	const char *hex[2] = {r, s};
	uint8_t raw[96] = {0};

	for (int i = 0; i < 2; i++) {
		BIGNUM *value = NULL;

		assert_true(BN_hex2bn(&value, hex[i]) > 0);
		assert_int_equal(BN_bn2binpad(value, raw + 48 * i, 48), 48);
		BN_free(value);
	}
	x->signature.len = 0;
	blob_bytes(&x->signature, raw, 96);
}

#define N_MINUS(last)                                      \
	"ffffffffffffffffffffffffffffffffffffffffffffffff" \
	"c7634d81f4372ddf581a0db248b0a77aecec196accc529" last
#define N        N_MINUS("73")
#define N_PLUS_1 N_MINUS("74")
#define N_LESS_1 N_MINUS("72")
#define ALL_ONES                                           \
	"ffffffffffffffffffffffffffffffffffffffffffffffff" \
	"ffffffffffffffffffffffffffffffffffffffffffffffff"

#define SIGNATURE(name, r, s)                     \
	static void set_##name(struct builder *x) \
	{                                         \
		set_signature(x, r, s);           \
	}                                         \
	static void name(struct builder *x)       \
	{                                         \
		x->edit_cose = set_##name;        \
	}

SIGNATURE(r0_s0, "0", "0")
SIGNATURE(r0_s1, "0", "1")
SIGNATURE(r1_s0, "1", "0")
SIGNATURE(r1_s1, "1", "1")
SIGNATURE(rn_sn, N, N)
SIGNATURE(rn_s1, N, "1")
SIGNATURE(r1_sn, "1", N)
SIGNATURE(rn1_sn1, N_PLUS_1, N_PLUS_1)
SIGNATURE(r_last_s_last, N_LESS_1, N_LESS_1)
SIGNATURE(all_ones, ALL_ONES, ALL_ONES)

COSE_PART(signature_empty, signature, "\x40")
COSE_PART(signature_null, signature, "\xf6")

static void cut_signature(struct builder *x)
{
	x->signature.at[1] = 95;
	x->signature.len--;
}

static void signature_of_95(struct builder *x)
{
	x->edit_cose = cut_signature;
}

static void stretch_signature(struct builder *x)
{
	x->signature.at[1] = 97;
	blob_put(&x->signature, "", 1);
}

static void signature_of_97(struct builder *x)
{
	x->edit_cose = stretch_signature;
}

static void put_der_signature(struct builder *x)
{
	const uint8_t *raw = x->signature.at + 2;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int len;

	ECDSA_SIG_set0(
	    sig, BN_bin2bn(raw, 48, NULL), BN_bin2bn(raw + 48, 48, NULL));
	len = i2d_ECDSA_SIG(sig, &der);
	x->signature.len = 0;
	blob_bytes(&x->signature, der, (size_t)len);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
}

static void signature_in_der(struct builder *x)
{
	x->edit_cose = put_der_signature;
}

static void swap_r_s(struct builder *x)
{
	uint8_t r[48];

	memcpy(r, x->signature.at + 2, 48);
	memcpy(x->signature.at + 2, x->signature.at + 50, 48);
	memcpy(x->signature.at + 50, r, 48);
}

static void s_before_r(struct builder *x)
{
	x->edit_cose = swap_r_s;
}

/* Another context string: what was signed for COSE_Sign must not pass. */
static void sign_other_context(struct builder *x)
{
	static struct blob bytes;
	uint8_t raw[96];

	bytes.len = 0;
	blob_put(&bytes, "\x84\x69Signature\x44\xa1\x01\x38\x22\x40", 17);
	blob_put(&bytes, x->payload.at, x->payload.len);
	builder_sign(x->keys[BUILDER_LEAF], &bytes, raw);
	x->signature.len = 0;
	blob_bytes(&x->signature, raw, 96);
}

static void other_context(struct builder *x)
{
	x->edit_cose = sign_other_context;
}

static void sign_by_instance(struct builder *x)
{
	static struct blob bytes;
	uint8_t raw[96];

	bytes.len = 0;
	blob_put(&bytes, "\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40", 18);
	blob_put(&bytes, x->payload.at, x->payload.len);
	builder_sign(x->keys[BUILDER_LEAF - 1], &bytes, raw);
	x->signature.len = 0;
	blob_bytes(&x->signature, raw, 96);
}

static void signed_by_another(struct builder *x)
{
	x->edit_cose = sign_by_instance;
}

static void test_signature(void **state)
{
	static const struct wrong cases[] = {
	    {"r = 0, s = 0", r0_s0, HM_DOCUMENT_SIGNATURE},
	    {"r = 0, s = 1", r0_s1, HM_DOCUMENT_SIGNATURE},
	    {"r = 1, s = 0", r1_s0, HM_DOCUMENT_SIGNATURE},
	    {"r = 1, s = 1", r1_s1, HM_DOCUMENT_SIGNATURE},
	    {"r = n, s = n", rn_sn, HM_DOCUMENT_SIGNATURE},
	    {"r = n, s = 1", rn_s1, HM_DOCUMENT_SIGNATURE},
	    {"r = 1, s = n", r1_sn, HM_DOCUMENT_SIGNATURE},
	    {"r = n + 1, s = n + 1", rn1_sn1, HM_DOCUMENT_SIGNATURE},
	    {"r = n - 1, s = n - 1", r_last_s_last, HM_DOCUMENT_SIGNATURE},
	    {"r = s = 2^384 - 1", all_ones, HM_DOCUMENT_SIGNATURE},
	    {"s before r", s_before_r, HM_DOCUMENT_SIGNATURE},
	    {"signature empty", signature_empty, HM_COSE_MALFORMED},
	    {"signature null", signature_null, HM_COSE_MALFORMED},
	    {"signature of 95 bytes", signature_of_95, HM_COSE_MALFORMED},
	    {"signature of 97 bytes", signature_of_97, HM_COSE_MALFORMED},
	    {"signature in DER", signature_in_der, HM_COSE_MALFORMED},
	    {"another context string", other_context, HM_DOCUMENT_SIGNATURE},
	    {"signed by the instance's key", signed_by_another,
		HM_DOCUMENT_SIGNATURE},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* ---- the payload's CBOR ---- */

static void set_value(
    struct builder *x, const char *key, const void *bytes, size_t len)
{
	blob_set(&builder_field(x, key)->value, bytes, len);
}

/* A spoil function whose hook sets one field's CBOR. */
#define FIELD(name, key, bytes)                              \
	static void set_##name(struct builder *x)            \
	{                                                    \
		set_value(x, key, bytes, sizeof(bytes) - 1); \
	}                                                    \
	static void name(struct builder *x)                  \
	{                                                    \
		x->edit_fields = set_##name;                 \
	}
#define DROP(name, key)                            \
	static void drop_##name(struct builder *x) \
	{                                          \
		builder_drop_field(x, key);        \
	}                                          \
	static void name(struct builder *x)        \
	{                                          \
		x->edit_fields = drop_##name;      \
	}
#define REPEAT(name, key)                            \
	static void repeat_##name(struct builder *x) \
	{                                            \
		builder_add_field(x, key)->value =   \
		    builder_field(x, key)->value;    \
	}                                            \
	static void name(struct builder *x)          \
	{                                            \
		x->edit_fields = repeat_##name;      \
	}
#define EXTRA(name, key, bytes)                                    \
	static void add_##name(struct builder *x)                  \
	{                                                          \
		blob_set(&builder_add_field(x, key)->value, bytes, \
		    sizeof(bytes) - 1);                            \
	}                                                          \
	static void name(struct builder *x)                        \
	{                                                          \
		x->edit_fields = add_##name;                       \
	}

EXTRA(unknown_key, "pcr_count", "\x10")
EXTRA(unknown_long_key, "a_key_that_is_longer_than_any_that_we_know", "\x00")
EXTRA(nitrotpm_too, "nitrotpm_pcrs", "\xa0")
REPEAT(pcrs_twice, "pcrs")
REPEAT(nonce_twice, "nonce")
REPEAT(module_twice, "module_id")
REPEAT(certificate_twice, "certificate")
DROP(no_module_id, "module_id")
DROP(no_digest, "digest")
DROP(no_timestamp, "timestamp")
DROP(no_pcrs, "pcrs")
DROP(no_certificate, "certificate")
DROP(no_cabundle, "cabundle")
FIELD(module_null, "module_id", "\xf6")
FIELD(module_bytes, "module_id", "\x43i-0")
FIELD(module_empty, "module_id", "\x60")
FIELD(module_in_chunks, "module_id", "\x7f\x63i-0\xff")
FIELD(module_not_utf8, "module_id", "\x63i-\xff")
FIELD(module_with_nul, "module_id", "\x64i-0\x00")
FIELD(digest_256, "digest", "\x66SHA256")
FIELD(digest_512, "digest", "\x66SHA512")
FIELD(digest_lower, "digest", "\x66sha384")
FIELD(digest_longer, "digest", "\x67SHA3840")
FIELD(digest_null, "digest", "\xf6")
FIELD(time_zero, "timestamp", "\x00")
FIELD(time_negative, "timestamp", "\x20")
FIELD(time_2_63, "timestamp", "\x1b\x80\x00\x00\x00\x00\x00\x00\x00")
FIELD(time_2_64, "timestamp", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(time_not_shortest, "timestamp", "\x1b\x00\x00\x00\x00\x00\x00\x00\x01")
FIELD(time_float, "timestamp", "\xfb\x42\x79\x9e\x12\x34\x56\x78\x00")
FIELD(time_text, "timestamp",
    "\x64"
    "2026")
FIELD(time_tagged, "timestamp", "\xc1\x1a\x65\x00\x00\x00")
FIELD(time_reserved_28, "timestamp", "\x1c")
FIELD(time_reserved_31, "timestamp", "\x1f")
FIELD(pcrs_empty, "pcrs", "\xa0")
FIELD(pcrs_null, "pcrs", "\xf6")
FIELD(pcrs_array, "pcrs", "\x80")
FIELD(pcrs_2_64, "pcrs", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(bundle_empty, "cabundle", "\x80")
FIELD(bundle_null, "cabundle", "\xf6")
FIELD(bundle_indefinite, "cabundle", "\x9f\x41\x30\xff")
FIELD(bundle_2_64, "cabundle", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(bundle_1000, "cabundle", "\x99\x03\xe8")
FIELD(bundle_of_empty, "cabundle", "\x81\x40")
FIELD(certificate_null, "certificate", "\xf6")
FIELD(certificate_empty, "certificate", "\x40")
FIELD(nonce_true, "nonce", "\xf5")
FIELD(nonce_undefined, "nonce", "\xf7")
FIELD(nonce_simple, "nonce", "\xf8\x20")
FIELD(nonce_simple_20, "nonce", "\xe0")
FIELD(nonce_text, "nonce", "\x61x")
FIELD(nonce_half_float, "nonce", "\xf9\x00\x00")
FIELD(nonce_break, "nonce", "\xff")
FIELD(nonce_in_chunks, "nonce", "\x5f\x41\x00\xff")
FIELD(nonce_array, "nonce", "\x81\x00")
FIELD(null_in_two_bytes, "nonce", "\xf8\x16")

static void nonce_of_1025(struct builder *x)
{
	x->nonce.len = 1025;
}

/* An array in an array in an array: nobody must follow. */
static void put_deep(struct builder *x)
{
	struct blob *v = &builder_field(x, "nonce")->value;

	memset(v->at, 0x81, 10000);
	v->len = 10000;
}

static void depth_10000(struct builder *x)
{
	x->edit_fields = put_deep;
}

static void put_text_key(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\x65nonce", 6, "\x45nonce", 6);
}

static void key_of_bytes(struct builder *x)
{
	x->edit_payload = put_text_key;
}

static void put_long_key_head(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\x65nonce", 6, "\x78\x05nonce", 7);
}

static void key_head_long(struct builder *x)
{
	x->edit_payload = put_long_key_head;
}

static void drop_last_byte(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->len--;
}

static void no_break(struct builder *x)
{
	x->edit_payload = drop_last_byte;
}

static void put_second_break(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_put(payload, "\xff", 1);
}

static void two_breaks(struct builder *x)
{
	x->edit_payload = put_second_break;
}

static void definite_and_behind(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = put_second_break;
}

static void count_less(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[0]--;
}

static void count_too_small(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = count_less;
}

static void count_more(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[0]++;
}

static void count_too_large(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = count_more;
}

static void key_without_value(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[payload->len - 1] = 0x65;
	blob_put(payload, "nonce\xff", 6);
}

static void odd_number(struct builder *x)
{
	x->edit_fields = drop_optionals;
	x->edit_payload = key_without_value;
}

static void tag_payload(struct builder *x, struct blob *payload)
{
	static struct blob rest;

	(void)x;
	rest = *payload;
	blob_set(payload, "\xd8\x18", 2);
	blob_put(payload, rest.at, rest.len);
}

static void payload_tagged(struct builder *x)
{
	x->edit_payload = tag_payload;
}

static void test_payload(void **state)
{
	static const struct wrong cases[] = {
	    {"unknown key", unknown_key, HM_DOCUMENT_MALFORMED},
	    {"unknown long key", unknown_long_key, HM_DOCUMENT_MALFORMED},
	    {"pcrs twice", pcrs_twice, HM_DOCUMENT_MALFORMED},
	    {"nonce twice", nonce_twice, HM_DOCUMENT_MALFORMED},
	    {"module_id twice", module_twice, HM_DOCUMENT_MALFORMED},
	    {"certificate twice", certificate_twice, HM_DOCUMENT_MALFORMED},
	    {"no module_id", no_module_id, HM_DOCUMENT_MALFORMED},
	    {"no digest", no_digest, HM_DOCUMENT_MALFORMED},
	    {"no timestamp", no_timestamp, HM_DOCUMENT_MALFORMED},
	    {"no pcrs", no_pcrs, HM_DOCUMENT_MALFORMED},
	    {"no certificate", no_certificate, HM_DOCUMENT_MALFORMED},
	    {"no cabundle", no_cabundle, HM_DOCUMENT_MALFORMED},
	    {"module_id null", module_null, HM_DOCUMENT_MALFORMED},
	    {"module_id bytes", module_bytes, HM_DOCUMENT_MALFORMED},
	    {"module_id empty", module_empty, HM_DOCUMENT_MALFORMED},
	    {"module_id in chunks", module_in_chunks, HM_DOCUMENT_MALFORMED},
	    {"module_id not UTF-8", module_not_utf8, HM_DOCUMENT_MALFORMED},
	    {"module_id with a NUL", module_with_nul, HM_DOCUMENT_MALFORMED},
	    {"digest SHA256", digest_256, HM_DOCUMENT_MALFORMED},
	    {"digest SHA512", digest_512, HM_DOCUMENT_MALFORMED},
	    {"digest sha384", digest_lower, HM_DOCUMENT_MALFORMED},
	    {"digest longer", digest_longer, HM_DOCUMENT_MALFORMED},
	    {"digest null", digest_null, HM_DOCUMENT_MALFORMED},
	    {"timestamp 0", time_zero, HM_DOCUMENT_MALFORMED},
	    {"timestamp -1", time_negative, HM_DOCUMENT_MALFORMED},
	    {"timestamp 2^63", time_2_63, HM_DOCUMENT_MALFORMED},
	    {"timestamp 2^64 - 1", time_2_64, HM_DOCUMENT_MALFORMED},
	    {"timestamp not shortest", time_not_shortest,
		HM_DOCUMENT_MALFORMED},
	    {"timestamp a float", time_float, HM_DOCUMENT_MALFORMED},
	    {"timestamp a text", time_text, HM_DOCUMENT_MALFORMED},
	    {"timestamp tagged", time_tagged, HM_DOCUMENT_MALFORMED},
	    {"timestamp reserved 28", time_reserved_28, HM_DOCUMENT_MALFORMED},
	    {"timestamp reserved 31", time_reserved_31, HM_DOCUMENT_MALFORMED},
	    {"pcrs empty", pcrs_empty, HM_DOCUMENT_MALFORMED},
	    {"pcrs null", pcrs_null, HM_DOCUMENT_MALFORMED},
	    {"pcrs an array", pcrs_array, HM_DOCUMENT_MALFORMED},
	    {"pcrs of 2^64 - 1", pcrs_2_64, HM_DOCUMENT_MALFORMED},
	    {"cabundle empty", bundle_empty, HM_DOCUMENT_MALFORMED},
	    {"cabundle null", bundle_null, HM_DOCUMENT_MALFORMED},
	    {"cabundle indefinite", bundle_indefinite, HM_DOCUMENT_MALFORMED},
	    {"cabundle of 2^64 - 1", bundle_2_64, HM_DOCUMENT_MALFORMED},
	    {"cabundle of 1000", bundle_1000, HM_DOCUMENT_MALFORMED},
	    {"cabundle of an empty one", bundle_of_empty,
		HM_DOCUMENT_MALFORMED},
	    {"certificate null", certificate_null, HM_DOCUMENT_MALFORMED},
	    {"certificate empty", certificate_empty, HM_DOCUMENT_MALFORMED},
	    {"nonce true", nonce_true, HM_DOCUMENT_MALFORMED},
	    {"nonce undefined", nonce_undefined, HM_DOCUMENT_MALFORMED},
	    {"nonce simple value 32", nonce_simple, HM_DOCUMENT_MALFORMED},
	    {"nonce simple value 0", nonce_simple_20, HM_DOCUMENT_MALFORMED},
	    {"nonce a text", nonce_text, HM_DOCUMENT_MALFORMED},
	    {"nonce a half float", nonce_half_float, HM_DOCUMENT_MALFORMED},
	    {"nonce a break", nonce_break, HM_DOCUMENT_MALFORMED},
	    {"nonce in chunks", nonce_in_chunks, HM_DOCUMENT_MALFORMED},
	    {"nonce an array", nonce_array, HM_DOCUMENT_MALFORMED},
	    {"null in two bytes", null_in_two_bytes, HM_DOCUMENT_MALFORMED},
	    {"nonce of 1025 bytes", nonce_of_1025, HM_DOCUMENT_MALFORMED},
	    {"arrays 10,000 deep", depth_10000, HM_DOCUMENT_MALFORMED},
	    {"a key of bytes", key_of_bytes, HM_DOCUMENT_MALFORMED},
	    {"a key's head not shortest", key_head_long, HM_DOCUMENT_MALFORMED},
	    {"indefinite map without break", no_break, HM_DOCUMENT_MALFORMED},
	    {"two breaks", two_breaks, HM_DOCUMENT_MALFORMED},
	    {"definite map and a byte", definite_and_behind,
		HM_DOCUMENT_MALFORMED},
	    {"map count too small", count_too_small, HM_DOCUMENT_MALFORMED},
	    {"map count too large", count_too_large, HM_DOCUMENT_MALFORMED},
	    {"a key without a value", odd_number, HM_DOCUMENT_MALFORMED},
	    {"payload tagged", payload_tagged, HM_DOCUMENT_MALFORMED},
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
	    cmocka_unit_test(test_cose),
	    cmocka_unit_test(test_signature),
	    cmocka_unit_test(test_payload),
	    cmocka_unit_test(test_meaning),
	    cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("document", tests, setup, teardown);
}
