/*
 * eif_signature: the signature section, as nitro-cli writes it and in no other
 * form. CBOR (RFC 8949), the specification's "EifSectionSignature":
 *
 *   [ { "signing_certificate": [ PEM, a number for each byte ],
 *       "signature": [ a COSE_Sign1, likewise ] } ]
 *
 * with the COSE_Sign1 of cose.h over
 *
 *   { "register_index": 0, "register_value": [ PCR0, likewise ] }
 *
 * More entries are possible, of which loaders look at the first: refused. So is
 * more than one certificate in the PEM text, and text around it, since who
 * reads only the first would measure another PCR8 than who reads the last.
 *
 * A good signature says that the certificate's key signed this PCR0. Who that
 * is, nobody has said: the certificate may be anybody's, so pin PCR8.
 */
#ifndef HALLMARK_VERIFIER_EIF_EIF_SIGNATURE_H
#define HALLMARK_VERIFIER_EIF_EIF_SIGNATURE_H

#include "verifier/cursor.h"
#include "verifier/eif/eif_format.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define EIF_PEM_MAX  16384 /* as much as fits, two bytes a character */
#define EIF_COSE_MAX 1024  /* it is about 240 bytes */

/* The certificate of a PEM text; *out is the caller's. EIF_NONE,
 * EIF_CERTIFICATE or EIF_NO_MEMORY, then it is NULL. */
HM_MUST_CHECK enum eif_fault eif_signature_certificate(
    X509 **out, uint8_t pcr8[HM_PCR_LEN], struct slice pem);

/* Judges the section against the PCR0 that was measured. EIF_NONE: *out is the
 * caller's. PCR8 is set also for EIF_SIGNED_OTHER and EIF_SIGNATURE_WRONG. */
HM_MUST_CHECK enum eif_fault eif_signature_verify(X509 **out,
    uint8_t pcr8[HM_PCR_LEN], struct slice section,
    const uint8_t pcr0[HM_PCR_LEN]);

/* The section's bytes, which the caller frees. `key` is the certificate's
 * private key. ECDSA takes a random number: the bytes are others each time.
 * 0 or -1: no memory, or OpenSSL cannot sign with this key. */
HM_MUST_CHECK int eif_signature_make(uint8_t **out, size_t *out_len,
    struct slice pem, EVP_PKEY *key, const uint8_t pcr0[HM_PCR_LEN]);

#endif
