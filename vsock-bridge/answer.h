/*
 * answer: what the bridge says to a CONNECT request. Pure.
 *
 * A refusal has a status, the error type of RFC 9209 (Proxy-Status) for
 * programs, and one line of text for people. Nothing of what the client sent
 * is repeated but a host name that was already checked.
 */
#ifndef HALLMARK_BRIDGE_ANSWER_H
#define HALLMARK_BRIDGE_ANSWER_H

#include <stddef.h>

#define ANSWER_BYTES_MAX  1024 /* of a whole answer */
#define ANSWER_DETAIL_MAX 512  /* of its text; the rest is cut */

/* name, status, phrase, Proxy-Status error (RFC 9209 2.3) */
#define ANSWER_TABLE(X)                                                     \
	X(BAD_REQUEST, 400, "Bad Request", "http_request_error")            \
	X(NOT_ALLOWED, 403, "Forbidden", "http_request_denied")             \
	X(BAD_METHOD, 405, "Method Not Allowed", "http_request_error")      \
	X(TOO_SLOW, 408, "Request Timeout", "http_request_error")           \
	X(NO_NAME, 502, "Bad Gateway", "dns_error")                         \
	X(PROHIBITED, 502, "Bad Gateway", "destination_ip_prohibited")      \
	X(NO_CONNECTION, 502, "Bad Gateway", "destination_unavailable")     \
	X(TOO_MANY_OF_PEER, 429, "Too Many Requests",                       \
	    "connection_limit_reached")                                     \
	X(TOO_MANY, 503, "Service Unavailable", "connection_limit_reached") \
	X(NO_MEANS, 503, "Service Unavailable", "proxy_internal_error")     \
	X(NO_TIME, 504, "Gateway Timeout", "connection_timeout")

enum answer_code {
#define X(name, status, phrase, error) ANSWER_##name,
	ANSWER_TABLE(X)
#undef X
};

/* The whole answer to a request that was granted; the stream follows it. */
#define ANSWER_GRANTED "HTTP/1.1 200 Connection established\r\n\r\n"

unsigned answer_status(enum answer_code code);
/* The Proxy-Status error type: also the `reason` of log lines. */
const char *answer_error(enum answer_code code);

/* Writes a refusal, NUL-terminated, and returns its length. `detail` is one
 * line of printable text without its end. */
size_t answer_format(char out[static ANSWER_BYTES_MAX], enum answer_code code,
    const char *detail);

#endif
