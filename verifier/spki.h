/* spki: a public key by the SHA-256 of its SubjectPublicKeyInfo in DER (RFC
 * 5280, 4.1.2.7), as pins, attested keys and revocations name it (RFC 7469,
 * 2.4 does so too). */
#ifndef HALLMARK_VERIFIER_SPKI_H
#define HALLMARK_VERIFIER_SPKI_H

#include <openssl/x509.h>
#include <stdint.h>

#define SPKI_SHA256_LEN 32

/* 0, or -1 and zeros: no such key, or no memory. */
__attribute__((warn_unused_result)) int spki_of_key(
    const EVP_PKEY *key, uint8_t out[SPKI_SHA256_LEN]);
__attribute__((warn_unused_result)) int spki_of_cert(
    const X509 *cert, uint8_t out[SPKI_SHA256_LEN]);

#endif
