/*
 * oracle_address: where an oracle is, and requests to it.
 *
 *   http://127.0.0.1:8080   https://oracle.example   unix:///run/oracle.sock
 *   https+attested://oracle.example:8443
 *
 * The last one is TLS that ends in the enclave: its certificate is nobody's but
 * the oracle's own, and the only key that is spoken to is the one that a fresh
 * attestation document named (channel.h). Before there is one, every request
 * fails.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ORACLE_ADDRESS_H
#define HALLMARK_VERIFIER_DAEMON_ORACLE_ADDRESS_H

#include "base/endpoint.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#define ORACLE_TARGET_MAX 2560 /* path and query: 64 feeds of 31 bytes */
#define ORACLE_CONNECT_MS 3000 /* name, TCP and TLS */
#define ORACLE_PIN_MAX    64   /* "sha256//" and 44 of base64, and a NUL */

struct oracle_address {
	char text[ENDPOINT_TEXT_MAX];   /* as configured: its name in logs */
	char base[ENDPOINT_TEXT_MAX];   /* "http://host:port", no last slash */
	char socket[ENDPOINT_PATH_MAX]; /* Unix socket, or "" */
	bool attested;                  /* https+attested:// */
	char pin[ORACLE_PIN_MAX]; /* the attested key; "" until there is one */
};

/* 0, or -1 for anything else: other schemes, user names, paths, queries. */
__attribute__((warn_unused_result)) int oracle_address_parse(
    struct oracle_address *out, const char *text);

/* From now on requests go to nobody but who holds this key. */
void oracle_address_pin(
    struct oracle_address *address, const uint8_t spki_sha256[static 32]);

/* A GET of `target` ("/feeds"): no redirect, no proxy, no other protocol, no
 * compression; of an attested address, to the pinned key only. The caller adds
 * its callbacks and curl_easy_cleanup()s it. */
CURL *oracle_address_get(
    const struct oracle_address *address, const char *target);

#endif
