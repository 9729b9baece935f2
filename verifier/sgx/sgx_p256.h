/* sgx_p256: ECDSA on P-256 with SHA-256 (FIPS 186-4), in the raw form that
 * quotes and collateral have it: keys x || y, signatures r || s, big-endian. */
#ifndef HALLMARK_VERIFIER_SGX_P256_H
#define HALLMARK_VERIFIER_SGX_P256_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>

#define SGX_SIGNATURE_LEN 64
#define SGX_POINT_LEN     65 /* 04 || x || y */

/* The caller frees it. NULL: not a point of the curve, or no memory. */
EVP_PKEY *sgx_p256_key(const uint8_t point[SGX_POINT_LEN]);

/* HM_VALID, `otherwise`, or HM_NO_MEMORY. The key is P-256. */
HM_MUST_CHECK enum hm_verdict sgx_p256_verify(EVP_PKEY *key,
    struct slice signed_part, const uint8_t signature[SGX_SIGNATURE_LEN],
    enum hm_verdict otherwise);

/* Whether this key has that point. */
bool sgx_p256_is(EVP_PKEY *key, const uint8_t point[SGX_POINT_LEN]);

#endif
