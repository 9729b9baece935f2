/*
 * connect_request: the head of an HTTP CONNECT request (RFC 9110 9.3.6, RFC
 * 9112 3.2.3). Pure: bytes in, a destination or a refusal out.
 *
 *   CONNECT api.example:443 HTTP/1.1 CRLF      or HTTP/1.0
 *   Host: api.example:443 CRLF
 *   CRLF
 *   first bytes of the stream ...
 *
 * Only the request line decides where to; the fields are checked for their
 * form and otherwise ignored. A head is refused at the first byte that cannot
 * be part of one, so a client that speaks TLS or SSH straight away hears so
 * at once instead of waiting for a time-out.
 */
#ifndef HALLMARK_BRIDGE_CONNECT_REQUEST_H
#define HALLMARK_BRIDGE_CONNECT_REQUEST_H

#include "vsock-bridge/authority.h"

#define CONNECT_REQUEST_BYTES_MAX  4096 /* of a head, its empty line with it */
#define CONNECT_REQUEST_FIELDS_MAX 64   /* lines after the request line */

struct connect_request {
	struct authority target;
	size_t head_len;    /* of a complete head; the stream begins there */
	bool bad_method;    /* when refused: a method other than CONNECT */
	const char *reason; /* when refused: a literal, for people */
};

enum connect_request_state {
	CONNECT_REQUEST_MORE,    /* a good beginning: read on, ask again */
	CONNECT_REQUEST_READY,   /* target and head_len are set */
	CONNECT_REQUEST_REFUSED, /* reason is set */
};

/* Judges all that has come so far. Never MORE for CONNECT_REQUEST_BYTES_MAX
 * bytes or above; once REFUSED, more bytes change nothing. */
__attribute__((warn_unused_result)) enum connect_request_state
connect_request_parse(
    struct connect_request *out, const uint8_t *bytes, size_t len);

#endif
