/*
 * plain_get: are these bytes one plain GET, whole, with nothing behind it?
 * Pure: bytes in, a request or nothing out.
 *
 * Such a request may get a stream of ours (stream_sender.h) or an answer that
 * is kept (kept_sender.h). Whatever else it is, well formed or not, is
 * libmicrohttpd's, which answers or refuses it: so this reader has no errors,
 * knows as little as it can, and where two readers could read a request in two
 * ways it takes none of them.
 *
 *   GET SP target SP HTTP/1.0 or 1.1 CRLF
 *   (token ":" OWS value OWS CRLF)*  CRLF          RFC 9112 2.1, 3, 5
 *
 * Not ours: another method or version, bare CR or LF, folded lines, control
 * characters, a body or the announcement of one, Expect, Upgrade, no Host in
 * HTTP/1.1, two Host or two Last-Event-ID fields, more than the ceilings.
 */
#ifndef HALLMARK_BASE_PLAIN_GET_H
#define HALLMARK_BASE_PLAIN_GET_H

#include <stdbool.h>
#include <stddef.h>

#define PLAIN_GET_BYTES_MAX  4096 /* of a head: HTTP_POOL_BYTES */
#define PLAIN_GET_FIELDS_MAX 32   /* a browser sends about 15 */

struct plain_get {
	const char *target; /* inside text, as all the others */
	struct {
		const char *name, *value;
	} fields[PLAIN_GET_FIELDS_MAX];
	size_t field_count;
	bool stays; /* the client sends its next on the same connection */
	char text[PLAIN_GET_BYTES_MAX + 1];
};

/* Fills `out` and returns true; or returns false, and out->target is NULL. */
__attribute__((warn_unused_result)) bool plain_get_parse(
    struct plain_get *out, const void *bytes, size_t len);

/* The first field of this name (any case), or NULL. */
const char *plain_get_field(const struct plain_get *request, const char *name);

#endif
