/* attestation_document: what the attester gave, judged, and in the forms that
 * are served. The struct is in attestation.h. */
#ifndef HALLMARK_ORACLE_ATTESTATION_DOCUMENT_H
#define HALLMARK_ORACLE_ATTESTATION_DOCUMENT_H

#include "oracle/attestation.h"

/*
 * Takes `bytes` (copied) if they are what was asked for: good at now_ms by the
 * policy (the cache may be NULL), and holding the request's public_key,
 * user_data and, if there is one, nonce. 0, or -1 and why; then *out is empty.
 */
__attribute__((warn_unused_result)) int attestation_document_take(
    struct attestation_document *out, const struct hm_policy *policy,
    struct hm_cache *cache, const struct attester_request *request,
    const uint8_t *bytes, size_t len, int64_t now_ms,
    char error[ATTESTER_ERROR_MAX]);
void attestation_document_fini(struct attestation_document *doc);

#endif
