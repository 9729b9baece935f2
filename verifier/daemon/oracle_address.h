/*
 * oracle_address: where an oracle is, and requests to it.
 *
 *   http://127.0.0.1:8080   https://oracle.example   unix:///run/oracle.sock
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ORACLE_ADDRESS_H
#define HALLMARK_VERIFIER_DAEMON_ORACLE_ADDRESS_H

#include "base/endpoint.h"

#include <curl/curl.h>

#define ORACLE_TARGET_MAX 2560 /* path and query: 64 feeds of 31 bytes */
#define ORACLE_CONNECT_MS 3000 /* name, TCP and TLS */

struct oracle_address {
	char text[ENDPOINT_TEXT_MAX];   /* as configured: its name in logs */
	char base[ENDPOINT_TEXT_MAX];   /* "http://host:port", no last slash */
	char socket[ENDPOINT_PATH_MAX]; /* Unix socket, or "" */
};

/* 0, or -1 for anything else: other schemes, user names, paths, queries. */
__attribute__((warn_unused_result)) int oracle_address_parse(
    struct oracle_address *out, const char *text);

/* A GET of `target` ("/feeds"): no redirect, no proxy, no other protocol, no
 * compression. The caller adds its callbacks and curl_easy_cleanup()s it. */
CURL *oracle_address_get(
    const struct oracle_address *address, const char *target);

#endif
