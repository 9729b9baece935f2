/*
 * cert: one certificate of a Nitro chain, held against the profile that all
 * of AWS's have: X.509 v3 in DER, a P-384 key by name, ecdsa-with-SHA384,
 * critical basicConstraints, keyUsage. X509_verify_cert() alone would let
 * version 1 "CAs", other curves and missing key usages through.
 *
 * Extended key usages, name constraints and policies are not part of the
 * profile: a certificate with one of them is refused, and so is one with any
 * critical extension but the two above.
 */
#ifndef HALLMARK_VERIFIER_CERT_H
#define HALLMARK_VERIFIER_CERT_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#include <openssl/x509.h>

#define CERT_SERIAL_MAX 20 /* RFC 5280, 4.1.2.2 */

struct cert {
	X509 *x509; /* owned; NULL: none */
	int64_t not_before_ms, not_after_ms;
	uint8_t serial[CERT_SERIAL_MAX]; /* positive, no leading zero */
	size_t serial_len;
	uint8_t spki_sha256[HM_SHA256_LEN];
};

/* HM_VALID, HM_CERTIFICATE_PROFILE or HM_NO_MEMORY, then nothing is owned. */
HM_MUST_CHECK enum hm_verdict cert_parse(struct cert *out, struct slice der);
/* The same of Intel's: a P-256 key by name, ecdsa-with-SHA256. */
HM_MUST_CHECK enum hm_verdict cert_parse_p256(
    struct cert *out, struct slice der);
void cert_fini(struct cert *cert);
/* Another owner of the same certificate, which nobody changes. */
static inline void cert_share(struct cert *out, const struct cert *cert)
{
	*out = *cert;
	X509_up_ref(out->x509);
}

/* A CA with so many CAs between it and the leaf. */
bool cert_is_ca(const struct cert *cert, unsigned cas_below);
/* CA:FALSE, may sign documents, may not sign certificates. */
bool cert_is_leaf(const struct cert *cert);
bool cert_is_self_signed(const struct cert *cert);

/* The only common name of the subject, or an empty text. */
void cert_common_name(const struct cert *cert, char out[HM_TEXT_MAX]);

#endif
