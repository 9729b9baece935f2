/*
 * attestation_api: GET /attestation, the current document or one that answers
 * a nonce, and the text that tells a document.
 */
#ifndef HALLMARK_ORACLE_ATTESTATION_API_H
#define HALLMARK_ORACLE_ATTESTATION_API_H

#include "oracle/api.h"

#include <stdio.h>

/* One of api_tables; the data is the struct api. */
extern const struct service_route attestation_api_routes[];

/* The {"attestation_sha256", "platform", "public_key", "timestamp_ms",
 * "not_after_ms", "attestation_doc_b64"} of a document as one line, with what
 * else struct api has to tell; the caller frees it. */
char *api_attestation_json(
    const struct api *api, const struct attestation_document *document);

/* The bytes of a nonce in hex, at most ATTESTER_NONCE_MAX, or 0: it has
 * answered 400. */
size_t attestation_api_read_nonce(struct http_request *req, const char *hex,
    uint8_t out[static ATTESTER_NONCE_MAX]);

#endif
