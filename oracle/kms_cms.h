/*
 * kms_cms: opens what KMS answers to a caller that has shown an attestation
 * document: CiphertextForRecipient (AWS KMS API Reference, RecipientInfo). It
 * is CMS EnvelopedData (RFC 5652, 6) in BER: one recipient by key id, the
 * content's key under RSAES-OAEP with SHA-256, the content under AES-256-CBC.
 *
 * There is no MAC in it: that nobody changed it is TLS's to see to, and the
 * seal's that is opened with what was in it.
 */
#ifndef HALLMARK_ORACLE_KMS_CMS_H
#define HALLMARK_ORACLE_KMS_CMS_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define KMS_CMS_MAX 4096 /* bytes; a data key needs some 500 */

/* Exactly `want` bytes of content into out. 0, or -1, out zeroed and why (a
 * literal). `recipient` is the private key, borrowed. */
__attribute__((warn_unused_result)) int kms_cms_open(const uint8_t *ber,
    size_t len, EVP_PKEY *recipient, uint8_t *out, size_t want,
    const char **why);

#endif
