/*
 * seal_key: the key that secrets are encrypted to, and nothing else: RSA-3072,
 * made at the start, in OpenSSL's secure heap, gone with the process. What
 * signs items never decrypts, and what decrypts never signs.
 */
#ifndef HALLMARK_ORACLE_SEAL_KEY_H
#define HALLMARK_ORACLE_SEAL_KEY_H

#include "verifier/secret_message.h"

#include <stdint.h>

struct seal_key;

/* A few hundred ms. The process has a secure heap (signer_new() makes it).
 * Dies if it cannot be had. */
struct seal_key *seal_key_new(void);
void seal_key_free(struct seal_key *key); /* NULL is fine */

/* Of its SubjectPublicKeyInfo in DER; and that in PEM. Borrowed. */
const uint8_t *seal_key_spki_sha256(const struct seal_key *key);
const char *seal_key_public_pem(const struct seal_key *key);

/* Opens a message (cms.h). On any thread, one at a time. 0, or -1 and *out
 * wiped: it is not for this key, was changed, or is no secret_message. */
__attribute__((warn_unused_result)) int seal_key_open(struct seal_key *key,
    struct secret_message *out, const uint8_t *der, size_t len);

#endif
