/*
 * cose: COSE_Sign1 (RFC 9052, 4.2) as AWS writes it and in no other form: an
 * array of four (tag 18 before it or not), the protected header exactly
 * {1: -35} (ES384, RFC 9053 2.1), an empty unprotected header, a payload of
 * 1..16384 bytes, a signature r || s of 96 bytes, and nothing behind.
 *
 * What the signature does not cover (the tag, the outer heads, s or n - s) can
 * be changed by anybody: never take the bytes or their hash for an identity.
 */
#ifndef HALLMARK_VERIFIER_COSE_H
#define HALLMARK_VERIFIER_COSE_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>

#define COSE_PAYLOAD_MAX   16384 /* S1, 3.1 */
#define COSE_SIGNATURE_LEN 96    /* two integers modulo the order of P-384 */
#define COSE_PREFIX_MAX    32

struct cose { /* slices of the document's bytes */
	struct slice payload, signature;
};

/* RFC 9052, 4.4: what is signed, all but the payload's bytes, which are the
 * rest of it. Returns how many. */
size_t cose_signed_prefix(uint8_t out[COSE_PREFIX_MAX], size_t payload_len);

/* HM_VALID or HM_COSE_MALFORMED. */
HM_MUST_CHECK enum hm_verdict cose_parse(
    struct cose *out, const uint8_t *bytes, size_t len);

/* `key` is a P-384 public key. HM_VALID, HM_DOCUMENT_SIGNATURE or
 * HM_NO_MEMORY. */
HM_MUST_CHECK enum hm_verdict cose_verify(
    const struct cose *cose, EVP_PKEY *key);

#endif
