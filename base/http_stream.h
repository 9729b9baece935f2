/*
 * http_stream: an answer without an end (text/event-stream), for sse. Not for
 * handlers.
 *
 * Two carry it, and both ask the same of its owner: bytes that wait, and how
 * many of them have gone. A request that was the first of its connection, or
 * came after nothing but answers that are kept (kept_sender.h), is taken out of
 * libmicrohttpd's hands before it got there (http_door.h) and has a socket of
 * ours (stream_sender.h): what is sent is sent from where it lies. A later
 * request of a connection, one that came in pieces, or one that plain_get.h
 * does not take, has libmicrohttpd's content reader, at a quarter more of CPU
 * time and 5 KB more a stream.
 */
#ifndef HALLMARK_BASE_HTTP_STREAM_H
#define HALLMARK_BASE_HTTP_STREAM_H

#include "base/http_server.h"

#include <sys/uio.h>

#define HTTP_STREAM_END (-1)

enum http_stream_ended {
	HTTP_STREAM_OVER,    /* its end was reached, or the server stops */
	HTTP_STREAM_LEFT,    /* the client has gone */
	HTTP_STREAM_STALLED, /* the client took nothing for too long */
};

struct http_stream_ops {
	/* Points at most `max` vectors at bytes that wait, from the front;
	 * they stay where they are until the next call of any of these.
	 * Returns how many vectors, 0 when nothing waits at present, or
	 * HTTP_STREAM_END to end the answer. While the server stops, 0 ends
	 * it too. */
	int (*gather)(void *data, struct iovec *out, int max);
	/* The first `len` bytes of what was gathered have gone. */
	void (*taken)(void *data, size_t len);
	/* The last call, from the loop, whatever ended the answer; the stream
	 * is gone. */
	void (*closed)(void *data, enum http_stream_ended how);
};

struct http_stream;

/* Answers with status 200, text/event-stream and Cache-Control: no-store. The
 * request is gone with that; the stream is good until `closed`. Nothing is
 * called before this has returned. NULL if the client had left already; then
 * nothing is ever called. */
struct http_stream *http_stream_start(
    struct http_request *req, const struct http_stream_ops *ops, void *data);

/* There are bytes, or there is an end. May call gather and taken. */
void http_stream_wake(struct http_stream *stream);

#endif
