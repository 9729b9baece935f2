/*
 * seal_cms: encrypts to an attested key: CMS AuthEnvelopedData (RFC 5083), by
 * OpenSSL. RSAES-OAEP with SHA-256 wraps a fresh key, AES-256-GCM encrypts
 * under it; the recipient is named by the SHA-256 of its SPKI. The enclave's
 * oracle/cms.c reads exactly this.
 */
#ifndef HALLMARK_VERIFIER_CLI_SEAL_CMS_H
#define HALLMARK_VERIFIER_CLI_SEAL_CMS_H

#include <stddef.h>
#include <stdint.h>

/* The recipient's key: SHA-256 of the SPKI in this PEM text. 0, or -1: it is
 * not one RSA public key of at least 2048 bits. */
__attribute__((warn_unused_result)) int seal_cms_recipient(
    uint8_t sha256[32], const char *public_key_pem);

/* DER, free() it; NULL: the key is no such one, or no memory. */
__attribute__((warn_unused_result)) uint8_t *seal_cms(size_t *len,
    const char *public_key_pem, const void *plain, size_t plain_len);

#endif
