/* Attestation documents with one thing wrong in the COSE_Sign1 around the
 * payload: its form, or what was signed by whom. (What numbers a signature may
 * hold: test_ecdsa_edges.c.) */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cose),
	    cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests_name("cose", tests, setup, teardown);
}
