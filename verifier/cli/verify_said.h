/* verify_said: what came around a document in the answer of GET /attestation is
 * not signed: it is held against it, since the next program will read it
 * there. */
#ifndef HALLMARK_VERIFIER_CLI_VERIFY_SAID_H
#define HALLMARK_VERIFIER_CLI_VERIFY_SAID_H

#include "verifier/cli/input.h"

/* The document is good. Reports attestation_hash, platform, public_key, and
 * where there are such, tls_key, key_epoch, seal_key and the nonce of a batch:
 * nonce NULL is not asked about. */
HM_MUST_CHECK enum hm_verdict verify_said(const struct hm_document *document,
    const struct input_said *said, const uint8_t *nonce, size_t nonce_len,
    const struct hm_report *report);

#endif
