/* http_request: the bytes of our GET, and of our POST. Pure. */
#ifndef HALLMARK_ORACLE_HTTP_REQUEST_H
#define HALLMARK_ORACLE_HTTP_REQUEST_H

#include "feeds/exchanges/exchange.h"

#include <stddef.h>
#include <stdint.h>

#define HTTP_REQUEST_KEY_MAX 640 /* a header with a key: its line, a NUL */
/* The longest target, the longest host name, a key and the rest, and a NUL. */
#define HTTP_REQUEST_MAX (EXCHANGE_TARGET_MAX + HTTP_REQUEST_KEY_MAX + 512)

#define HTTP_REQUEST_HOST_MAX 264 /* a DNS name, a port, a NUL */
#define HTTP_REQUEST_BODY_MAX                          \
	49152 /* with its head under what a connection \
		 may have waiting to be sent */

/*
 * Writes the request, NUL-terminated, and returns its length. The target comes
 * from our adapters and the host from their table, so it asserts that they
 * hold nothing but visible ASCII and that all fits.
 */
size_t http_request_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target);

/* The same with one header more, whose value the caller has seen to be visible
 * ASCII (asserted); name and value are less than HTTP_REQUEST_KEY_MAX together.
 */
size_t http_request_get_keyed(char out[static HTTP_REQUEST_MAX],
    const char *host, uint16_t port, const char *target, const char *name,
    const char *value);

/* The value of Host: the port is left out where it is 443 (RFC 9110, 7.2). */
void http_request_host(
    char out[static HTTP_REQUEST_HOST_MAX], const char *host, uint16_t port);

struct http_request_post { /* all borrowed */
	const char *target;
	const char *headers; /* whole lines, each with its CRLF, but Host,
				User-Agent, Content-Length and Connection */
	const void *body;
	size_t len; /* at most HTTP_REQUEST_BODY_MAX */
};

/* A new buffer, the caller's to wipe and free, and its length. What is in
 * `headers` is the caller's to have checked. Dies without memory. */
char *http_request_post(const char *host, uint16_t port,
    const struct http_request_post *post, size_t *len);

#endif
