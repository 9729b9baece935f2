/*
 * http_response: bytes in, one HTTP/1.1 response to a GET out. No socket, no
 * clock. The grammar is http-parser's; what we accept of it is decided here.
 *
 * Accepted: HTTP/1.0 and 1.1, up to HTTP_RESPONSE_INTERIM_MAX interim (1xx)
 * answers before the final one, a body framed by Content-Length, by chunks, or
 * by the end of the connection. Refused: everything whose length could be read
 * in two ways, codings that we did not ask for, a switch of protocols, bytes
 * after the end, and anything over a ceiling. A refused answer has no body.
 */
#ifndef HALLMARK_ORACLE_HTTP_RESPONSE_H
#define HALLMARK_ORACLE_HTTP_RESPONSE_H

#include "feeds/quote.h"

#include <http_parser.h>

#define HTTP_RESPONSE_INTERIM_MAX 4  /* 1xx answers before the real one */
#define HTTP_RESPONSE_NAME_MAX    24 /* longest header name we look for */
#define HTTP_RESPONSE_VALUE_MAX   64 /* longest value of those that is good */
/* A week: longer than any ban we know of; keeps sums far from overflow. */
#define HTTP_RESPONSE_RETRY_AFTER_MAX_S (7 * 24 * 3600)

enum http_response_state {
	HTTP_RESPONSE_READING,
	HTTP_RESPONSE_DONE,
	HTTP_RESPONSE_FAILED
};

struct http_response {
	enum http_response_state state;

	/* when FAILED: QUOTE_BAD_HTTP or QUOTE_TOO_LARGE, and why (static) */
	enum quote_error error;
	const char *why;

	/* when DONE */
	int status;             /* 200..599 */
	int64_t retry_after_ms; /* the longest one named; -1: none */
	int64_t date_ms;        /* Unix ms; -1: none, malformed or several */
	bool keep_alive;        /* the connection may carry another request */
	char *body;             /* owned; until the next start or fini */
	size_t len;

	uint64_t received; /* bytes taken since start, in any state */

	/* private */
	http_parser parser;
	int64_t now_ms;
	size_t body_max, capacity;
	unsigned interim;
	bool headers_done, in_value, has_length, has_coding, has_date;
	char name[HTTP_RESPONSE_NAME_MAX], value[HTTP_RESPONSE_VALUE_MAX];
	size_t name_len, value_len; /* as sent, may be over the arrays */
};

/* No body over body_max bytes is kept. fini frees. */
void http_response_init(struct http_response *r, size_t body_max);
void http_response_fini(struct http_response *r);

/* Forgets the last response and waits for the next. now_ms (Unix) is what a
 * date in Retry-After is counted from. */
void http_response_start(struct http_response *r, int64_t now_ms);

/* Takes bytes and returns the new state. Bytes after the end of the response
 * turn DONE into FAILED. */
enum http_response_state http_response_feed(
    struct http_response *r, const char *bytes, size_t len);

/* The peer has ended the stream, in a way that cannot have been forged. */
enum http_response_state http_response_end(struct http_response *r);

/* An IMF-fixdate (RFC 9110, 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT", of 1970
 * or later, in Unix ms; -1 if the text is none. */
int64_t http_response_date(const char *text, size_t len);

/* Retry-After (RFC 9110, 10.2.3): ms from now_ms, at most
 * HTTP_RESPONSE_RETRY_AFTER_MAX_S, 0 for a date that has passed, -1 if the
 * text is neither a number of seconds nor an IMF-fixdate. */
int64_t http_response_retry_after(const char *text, size_t len, int64_t now_ms);

#endif
