/*
 * api: the oracle's routes. What it answers comes from memory; no request from
 * outside ever causes a request to an exchange.
 */
#ifndef HALLMARK_ORACLE_API_H
#define HALLMARK_ORACLE_API_H

#include "base/board_routes.h"
#include "oracle/attestation.h"
#include "oracle/config.h"
#include "oracle/fetch.h"
#include "oracle/peers_status.h"
#include "oracle/poller.h"
#include "oracle/publisher.h"
#include "oracle/tree_log.h"

struct key_rotation;
struct secrets;
struct secrets_api;

struct api {                      /* all borrowed while the server runs */
	struct board_front front; /* first: board_routes.h */
	const struct config *config;
	/* set before the server starts */
	struct attestation *attestation;
	const struct poller *poller;
	const struct publisher *publisher;
	const struct tree_log *log;
	struct fetch *fetch;       /* NULL: it is off */
	const struct peers *peers; /* NULL: none, as the next */
	const struct peers_status *peers_status;
	const char *platform;
	const char *public_key_pem;
	uint64_t key_epoch;                  /* 0: the key is of this start */
	const struct key_rotation *rotation; /* NULL: it does not retire */
	const char *tls_spki_sha256;         /* hex; NULL: no TLS of its own */
	const char *seal_public_key_pem;     /* NULL: takes no secrets */
	struct secrets_api *secrets;         /* NULL: takes none */
	const struct secrets *secret_store;  /* of it, for the counters */
	char boot_id[33];
};

/* For service_new(); the server's `data` is the struct api. */
extern const struct service_route *const api_tables[];

#endif
