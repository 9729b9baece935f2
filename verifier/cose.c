/* cose: see cose.h. */
#include "verifier/cose.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <string.h>

#define COSE_SIGN1_TAG 18 /* RFC 9052, table 1 */
#define SCALAR_LEN     48

/* {1: -35}: alg is ES384 (RFC 9053, table 1) */
static const uint8_t protected_header[] = {0xa1, 0x01, 0x38, 0x22};

/* The order n of P-384 (SEC 2, 2.5.1). */
static const uint8_t order[SCALAR_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37,
    0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec,
    0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

static int read_parts(struct cursor *cursor, struct cose *out)
{
	struct slice protected;
	struct cursor_map unprotected;
	uint64_t count;

	if (cursor_array(cursor, &count) != 0 || count != 4)
		return -1;
	if (cursor_bytes(cursor, &protected, sizeof(protected_header),
		sizeof(protected_header)) != 0 ||
	    memcmp(protected.at, protected_header, protected.len) != 0)
		return -1;
	if (cursor_map(cursor, &unprotected, false) != 0 ||
	    unprotected.left != 0)
		return -1;
	if (cursor_bytes(cursor, &out->payload, 1, COSE_PAYLOAD_MAX) != 0 ||
	    cursor_bytes(cursor, &out->signature, COSE_SIGNATURE_LEN,
		COSE_SIGNATURE_LEN) != 0)
		return -1;
	return cursor_end(cursor);
}

enum hm_verdict cose_parse(struct cose *out, const uint8_t *bytes, size_t len)
{
	struct cursor cursor;

	memset(out, 0, sizeof(*out));
	if (bytes == NULL || len == 0 || len > HM_DOCUMENT_MAX)
		return HM_COSE_MALFORMED;
	cursor_init(&cursor, (struct slice){bytes, len});
	(void)cursor_take_tag(&cursor, COSE_SIGN1_TAG);
	if (read_parts(&cursor, out) != 0) {
		memset(out, 0, sizeof(*out));
		return HM_COSE_MALFORMED;
	}
	return HM_VALID;
}

/* SEC 1, 4.1.4: "If r and s are not both integers in the interval [1, n-1],
 * output 'invalid'." */
static bool scalar_in_range(const uint8_t scalar[SCALAR_LEN])
{
	static const uint8_t zero[SCALAR_LEN];

	return memcmp(scalar, zero, SCALAR_LEN) != 0 &&
	       memcmp(scalar, order, SCALAR_LEN) < 0;
}

/* r || s as the DER that OpenSSL wants; the length, or -1. */
static int signature_der(const uint8_t *raw, uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, SCALAR_LEN, NULL);
	BIGNUM *s = BN_bin2bn(raw + SCALAR_LEN, SCALAR_LEN, NULL);
	int len = -1;

	*der = NULL;
	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;
	r = s = NULL;
	len = i2d_ECDSA_SIG(sig, der);
out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}

/*
 * RFC 9052, 4.4: Sig_structure = ["Signature1", protected, external_aad = h'',
 * payload]. Writes all but the payload's bytes; returns how many.
 */
static size_t write_prefix(uint8_t out[32], size_t payload_len)
{
	static const uint8_t fixed[] = {0x84, 0x6a, 'S', 'i', 'g', 'n', 'a',
	    't', 'u', 'r', 'e', '1', 0x44, 0xa1, 0x01, 0x38, 0x22, 0x40};
	size_t n = sizeof(fixed);

	memcpy(out, fixed, n);
	if (payload_len < 24) {
		out[n++] = (uint8_t)(0x40 + payload_len);
	} else if (payload_len < 256) {
		out[n++] = 0x58;
		out[n++] = (uint8_t)payload_len;
	} else {
		out[n++] = 0x59;
		out[n++] = (uint8_t)(payload_len >> 8);
		out[n++] = (uint8_t)payload_len;
	}
	return n;
}

enum hm_verdict cose_verify(const struct cose *cose, EVP_PKEY *key)
{
	enum hm_verdict verdict = HM_DOCUMENT_SIGNATURE;
	EVP_MD_CTX *ctx = NULL;
	uint8_t prefix[32], *der = NULL;
	size_t prefix_len = write_prefix(prefix, cose->payload.len);
	int der_len;

	if (!scalar_in_range(cose->signature.at) ||
	    !scalar_in_range(cose->signature.at + SCALAR_LEN))
		return HM_DOCUMENT_SIGNATURE;
	ctx = EVP_MD_CTX_new();
	der_len = signature_der(cose->signature.at, &der);
	if (ctx == NULL || der_len < 0) {
		verdict = HM_NO_MEMORY;
		goto out;
	}
	if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, prefix, prefix_len) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, cose->payload.at, cose->payload.len) ==
		1 &&
	    EVP_DigestVerifyFinal(ctx, der, (size_t)der_len) == 1)
		verdict = HM_VALID;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return verdict;
}
