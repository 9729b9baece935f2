/*
 * api: the oracle's routes. What it answers comes from memory; no request from
 * outside ever causes a request to an exchange.
 */
#ifndef HALLMARK_ORACLE_API_H
#define HALLMARK_ORACLE_API_H

#include "base/board_routes.h"
#include "oracle/attestation.h"
#include "oracle/config.h"
#include "oracle/poller.h"
#include "oracle/publisher.h"
#include "oracle/tree_log.h"

#define API_NONCE_MAX 512 /* bytes; AWS attestation_process.md, 3.2.2 */

struct api {                      /* all borrowed while the server runs */
	struct board_front front; /* first: board_routes.h */
	const struct config *config;
	/* set before the server starts */
	struct attestation *attestation;
	const struct poller *poller;
	const struct publisher *publisher;
	const struct tree_log *log;
	const char *platform;
	const char *public_key_pem;
	char boot_id[33];
};

/* For service_new(); the server's `data` is the struct api. */
extern const struct service_route *const api_tables[];

/* {"attestation_sha256", "platform", "public_key", "timestamp_ms",
 * "not_after_ms", "attestation_doc_b64"} as one line; the caller frees it. */
char *api_attestation_json(
    const struct api *api, const struct attestation_document *document);

#endif
