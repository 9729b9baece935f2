/*
 * ecdsa_case: one signature of a document at a time, in numbers: r, s, the hash
 * z, the points R and Q (the key), over P-384 (SEC 1, 4.1). Included after
 * document_builder.c.
 */
#ifndef HALLMARK_TESTS_VERIFIER_ECDSA_CASE_H
#define HALLMARK_TESTS_VERIFIER_ECDSA_CASE_H

#include "tests/unit/verifier/document_builder.h"

#include "verifier/cose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SCALAR_BITS 384

/* The case under way. */
static struct {
	EC_GROUP *group;
	BN_CTX *ctx;
	BIGNUM *n, *p; /* the orders of the group and of the field */
	BIGNUM *r, *s, *z;
	BIGNUM *a, *b, *c; /* for between */
	EC_POINT *point, *q;
	EVP_PKEY *key;
	uint8_t payload[32];
} e;

static inline int ecdsa_setup(void **state)
{
	(void)state;
	e.group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	e.ctx = BN_CTX_new();
	e.point = EC_POINT_new(e.group);
	e.q = EC_POINT_new(e.group);
	e.n = BN_dup(EC_GROUP_get0_order(e.group));
	e.p = BN_dup(EC_GROUP_get0_field(e.group));
	e.r = BN_new();
	e.s = BN_new();
	e.z = BN_new();
	e.a = BN_new();
	e.b = BN_new();
	e.c = BN_new();
	return e.ctx != NULL && e.q != NULL && e.c != NULL ? 0 : -1;
}

static inline int ecdsa_teardown(void **state)
{
	BIGNUM *numbers[] = {e.n, e.p, e.r, e.s, e.z, e.a, e.b, e.c};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		BN_free(numbers[i]);
	EC_POINT_free(e.point);
	EC_POINT_free(e.q);
	EC_GROUP_free(e.group);
	BN_CTX_free(e.ctx);
	EVP_PKEY_free(e.key);
	return 0;
}

/* ---- arithmetic ---- */

#define OK(call) assert_int_equal(call, 1)

/* z: the hash of what is signed (RFC 9052, 4.4), as long as n has bits. */
static inline void set_payload(uint32_t number)
{
	static struct blob bytes;
	uint8_t hash[48];

	memset(e.payload, 0, sizeof(e.payload));
	memcpy(e.payload, &number, sizeof(number));
	blob_set(&bytes, "\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40", 18);
	blob_bytes(&bytes, e.payload, sizeof(e.payload));
	OK(EVP_Digest(bytes.at, bytes.len, hash, NULL, EVP_sha384(), NULL));
	assert_non_null(BN_bin2bn(hash, sizeof(hash), e.z));
}

/* Some number that nobody chose. */
static inline void set_any(BIGNUM *out, const char *seed)
{
	uint8_t hash[48];

	OK(EVP_Digest(seed, strlen(seed), hash, NULL, EVP_sha384(), NULL));
	assert_non_null(BN_bin2bn(hash, sizeof(hash), out));
	OK(BN_nnmod(out, out, e.n, e.ctx));
}

/* out = x / y modulo n */
static inline void divide(BIGNUM *out, const BIGNUM *x, const BIGNUM *y)
{
	BIGNUM *inverse = BN_mod_inverse(NULL, y, e.n, e.ctx);

	assert_non_null(inverse);
	OK(BN_mod_mul(out, x, inverse, e.n, e.ctx));
	BN_free(inverse);
}

static inline void negate(BIGNUM *out, const BIGNUM *x)
{
	OK(BN_mod_sub(out, e.n, x, e.n, e.ctx));
}

/* e.point becomes the point with this x, or the next one in steps of `step`
 * that has a point. */
static inline void set_point_by_x(const BIGNUM *x, int step)
{
	BIGNUM *at = BN_dup(x);

	while (EC_POINT_set_compressed_coordinates(
		   e.group, e.point, at, 0, e.ctx) != 1)
		OK(step > 0 ? BN_add_word(at, 1) : BN_sub_word(at, 1));
	ERR_clear_error();
	BN_free(at);
}

static inline void set_any_point(void)
{
	set_any(e.a, "k");
	OK(EC_POINT_mul(e.group, e.point, e.a, NULL, NULL, e.ctx));
}

static inline void read_r(void)
{
	OK(EC_POINT_get_affine_coordinates(e.group, e.point, e.r, NULL, e.ctx));
	OK(BN_nnmod(e.r, e.r, e.n, e.ctx));
}

/* From the point e.q, which is on the curve. */
static inline void set_key(void)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t bytes[97];
	OSSL_PARAM *params;

	assert_int_equal(
	    EC_POINT_point2oct(e.group, e.q, POINT_CONVERSION_UNCOMPRESSED,
		bytes, sizeof(bytes), e.ctx),
	    sizeof(bytes));
	OK(OSSL_PARAM_BLD_push_utf8_string(
	    bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0));
	OK(OSSL_PARAM_BLD_push_octet_string(
	    bld, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof(bytes)));
	params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_free(e.key);
	e.key = NULL;
	OK(EVP_PKEY_fromdata_init(ctx));
	OK(EVP_PKEY_fromdata(ctx, &e.key, EVP_PKEY_PUBLIC_KEY, params));
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
}

/* The key for which (x of e.point, e.s) is a signature of the payload. */
static inline void recover_key(void)
{
	read_r();
	divide(e.a, e.z, e.r);
	negate(e.a, e.a);
	divide(e.b, e.s, e.r);
	OK(EC_POINT_mul(e.group, e.q, e.a, e.point, e.b, e.ctx));
	set_key();
}

/* Signs with the secret e.b and the k that made e.point, e.a. */
static inline void sign(void)
{
	read_r();
	OK(EC_POINT_mul(e.group, e.q, e.b, NULL, NULL, e.ctx));
	OK(BN_mod_mul(e.s, e.r, e.b, e.n, e.ctx));
	OK(BN_mod_add(e.s, e.s, e.z, e.n, e.ctx));
	divide(e.s, e.s, e.a);
	set_key();
}

/* Numbers of more than 384 bits cannot be written. */
static inline enum hm_verdict verify(const BIGNUM *r, const BIGNUM *s)
{
	uint8_t raw[96];
	const struct cose cose = {.payload = {e.payload, sizeof(e.payload)},
	    .signature = {raw, sizeof(raw)}};
	enum hm_verdict verdict;

	assert_int_equal(BN_bn2binpad(r, raw, 48), 48);
	assert_int_equal(BN_bn2binpad(s, raw + 48, 48), 48);
	ERR_set_mark();
	verdict = cose_verify(&cose, e.key);
	ERR_pop_to_mark();
	return verdict;
}

static inline void tell(bool ok, enum hm_verdict verdict, const char *name)
{
	fflush(stdout);
	printf("# %-4s %-22s %s\n", ok ? "ok" : "BAD", hm_verdict_name(verdict),
	    name);
}

#endif
