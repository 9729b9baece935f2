/*
 * proxy_connect: the two messages of HTTP CONNECT (RFC 9110, 9.3.6) as a
 * client writes and reads them. Pure.
 *
 * A proxy says 200 and then nothing until we have spoken: in TLS the client
 * speaks first, so a byte after the proxy's head is a fault of the proxy.
 */
#ifndef HALLMARK_ORACLE_PROXY_CONNECT_H
#define HALLMARK_ORACLE_PROXY_CONNECT_H

#include <http_parser.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_CONNECT_REQUEST_MAX 600  /* two host names, two ports, a NUL */
#define PROXY_CONNECT_HEAD_MAX    4096 /* bytes of the proxy's answer */
#define PROXY_CONNECT_REASON_MAX  80   /* of its reason, for the log */
#define PROXY_CONNECT_WHY_MAX     160

struct proxy_connect {
	char why[PROXY_CONNECT_WHY_MAX]; /* when it failed */

	/* private */
	http_parser parser;
	size_t received;
	char reason[PROXY_CONNECT_REASON_MAX + 1];
	size_t reason_len;
	int done; /* 0, then 1 or -1 for ever */
};

void proxy_connect_init(struct proxy_connect *pc);

/* The request, NUL-terminated; returns its length. host is a DNS name that
 * the caller has checked (no control character, at most 253 bytes). */
size_t proxy_connect_request(char out[static PROXY_CONNECT_REQUEST_MAX],
    const char *host, uint16_t port);

/* Takes bytes of the answer: 0 go on, 1 the tunnel is open, -1 refused or
 * malformed and `why` says what. Bytes after 1 make it -1. */
__attribute__((warn_unused_result)) int proxy_connect_feed(
    struct proxy_connect *pc, const char *bytes, size_t len);

#endif
