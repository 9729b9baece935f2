/*
 * cms: what somebody encrypted to an RSA key of ours, in the Cryptographic
 * Message Syntax (RFC 5652). One content key, wrapped for one recipient with
 * RSAES-OAEP (RFC 3560: SHA-256, MGF1 with SHA-256, no label).
 *
 * The reader is a walk along the one form there is, and no more: OpenSSL's
 * reads all of CMS and takes the content's cipher from the message, and so
 * whoever passes a message on could name a cipher without a tag and ask what
 * becomes of it (RFC 9709, 1). Written by OpenSSL's CMS
 * it is read here, see the tests. Every failure is alike to the outside.
 */
#ifndef HALLMARK_ORACLE_CMS_H
#define HALLMARK_ORACLE_CMS_H

#include "verifier/cursor.h"

#include <openssl/evp.h>

#define CMS_BYTES_MAX 8192 /* of a message */
#define CMS_KEY_LEN   32   /* of a content key: AES-256 */

/* Unwraps the key of some content: 0, or -1 and zeros. */
__attribute__((warn_unused_result)) int cms_unwrap_key(
    uint8_t out[static CMS_KEY_LEN], EVP_PKEY *key, struct slice wrapped);

/*
 * Opens AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084: nonce of 12
 * bytes, tag of 16), in DER, for the one recipient whose subjectKeyIdentifier
 * is `recipient`; no attributes. 0, and the plain bytes in OpenSSL's secure
 * heap: OPENSSL_secure_clear_free(*out, *len); or -1, and NULL.
 */
__attribute__((warn_unused_result)) int cms_open_auth_enveloped(uint8_t **out,
    size_t *len, EVP_PKEY *key, struct slice recipient, struct slice der);

#endif
