/* cose: see cose.h. */
#include "verifier/cose.h"

#include "feeds/check.h"
#include "verifier/ecdsa.h"

#include <openssl/evp.h>
#include <string.h>

#define COSE_SIGN1_TAG 18 /* RFC 9052, table 1 */
#define SCALAR_LEN     48

/* {1: -35}: alg is ES384 (RFC 9053, table 1) */
static const uint8_t protected_header[] = {0xa1, 0x01, 0x38, 0x22};

static int read_parts(struct cursor *cursor, struct cose *out)
{
	struct slice protected;
	struct cursor_map unprotected;
	const size_t header_len = sizeof(protected_header);
	uint64_t count;
	int status;

	if (cursor_array(cursor, &count) != 0 || REFUSE(cose_count, count != 4))
		return -1;
	status = cursor_bytes(cursor, &protected, header_len, header_len);
	if (REFUSE(cose_protected_len, status != 0) ||
	    REFUSE(cose_protected,
		memcmp(protected.at, protected_header, header_len) != 0))
		return -1;
	if (cursor_map(cursor, &unprotected, false) != 0 ||
	    REFUSE(cose_unprotected_empty, unprotected.left != 0))
		return -1;
	status = cursor_bytes(cursor, &out->payload, 1, COSE_PAYLOAD_MAX);
	if (REFUSE(cose_payload, status != 0))
		return -1;
	status = cursor_bytes(
	    cursor, &out->signature, COSE_SIGNATURE_LEN, COSE_SIGNATURE_LEN);
	if (REFUSE(cose_signature_len, status != 0))
		return -1;
	return REQUIRE(cose_end, cursor_end(cursor) == 0) ? 0 : -1;
}

enum hm_verdict cose_parse(struct cose *out, const uint8_t *bytes, size_t len)
{
	struct cursor cursor;

	memset(out, 0, sizeof(*out));
	cursor_init(&cursor, (struct slice){bytes, len});
	(void)cursor_take_tag(&cursor, COSE_SIGN1_TAG);
	if (read_parts(&cursor, out) != 0) {
		memset(out, 0, sizeof(*out));
		return HM_COSE_MALFORMED;
	}
	return HM_VALID;
}

/*
 * RFC 9052, 4.4: Sig_structure = ["Signature1", protected, external_aad = h'',
 * payload].
 */
size_t cose_signed_prefix(uint8_t out[COSE_PREFIX_MAX], size_t payload_len)
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
	uint8_t prefix[COSE_PREFIX_MAX], *der = NULL;
	size_t prefix_len = cose_signed_prefix(prefix, cose->payload.len);
	int der_len;

	ctx = EVP_MD_CTX_new();
	der_len = ecdsa_der(cose->signature.at, SCALAR_LEN, &der);
	if (ctx == NULL || der_len < 0) {
		verdict = HM_NO_MEMORY;
		goto out;
	}
	if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, prefix, prefix_len) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, cose->payload.at, cose->payload.len) ==
		1 &&
	    REQUIRE(cose_signature,
		EVP_DigestVerifyFinal(ctx, der, (size_t)der_len) == 1))
		verdict = HM_VALID;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return verdict;
}
