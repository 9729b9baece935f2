/*
 * item_key: the attested RSA key that signs items. Only what the oracle makes
 * is accepted: SubjectPublicKeyInfo in DER, rsaEncryption, 2048 to 4096 bits,
 * an odd exponent of at least 65537 that fits 32 bits (FIPS 186-4, B.3.1, and
 * NIST SP 800-56B for the size).
 */
#ifndef HALLMARK_VERIFIER_ITEM_KEY_H
#define HALLMARK_VERIFIER_ITEM_KEY_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>

#define ITEM_KEY_PEM_MAX 1024 /* RSA-4096: 800 bytes */

struct item_key {
	EVP_PKEY *pkey; /* owned; NULL: none */
	EVP_PKEY_CTX *verify;
	EVP_MD_CTX *sha256;
	char pem[ITEM_KEY_PEM_MAX]; /* as OpenSSL writes it */
};

/* 0 or -1, and then *out is zeroed. */
HM_MUST_CHECK int item_key_open(struct item_key *out, struct slice spki);
void item_key_close(struct item_key *key);

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2); the signature is as long
 * as the modulus (OpenSSL sees to it). Gives the hash of `bytes`, which it had
 * to make, or zeros. */
bool item_key_verifies(const struct item_key *key, struct slice bytes,
    struct slice signature, uint8_t sha256[HM_SHA256_LEN]);

#endif
