/*
 * http_stream: an answer without an end, for sse. Not for handlers.
 *
 * The server asks for bytes when the client can take some. When there are
 * none it puts the connection to sleep; http_stream_wake() has it ask again.
 */
#ifndef HALLMARK_BASE_HTTP_STREAM_H
#define HALLMARK_BASE_HTTP_STREAM_H

#include "base/http_server.h"

#include <sys/types.h>

#define HTTP_STREAM_END (-1)

struct http_stream_ops {
	/* Copies at most cap bytes to buf. Returns their number, 0 for none at
	 * present, or HTTP_STREAM_END to end the answer. While the server
	 * stops, 0 ends it too. */
	ssize_t (*read)(void *data, char *buf, size_t cap);
	/* The last call, whatever ended the answer; the request is gone. */
	void (*closed)(void *data);
};

/* Answers with status 200 and this content type, Cache-Control: no-store.
 * From now on the request is the server's: it is only good for wake, until
 * `closed` was called. Answers a HEAD with the headers alone and calls
 * `closed` too. `closed` is never called before start has returned, unless the
 * client had left already. */
void http_stream_start(struct http_request *req, const char *content_type,
    const struct http_stream_ops *ops, void *data);

void http_stream_wake(struct http_request *req);

#endif
