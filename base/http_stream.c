/* http_stream: see http_stream.h. */
#include "base/http_state.h"

#include "base/log.h"
#include "base/now.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* nginx would keep events back to fill its buffers. */
static const struct http_field stream_fields[] = {
    {"Content-Type", "text/event-stream"},
    {"X-Accel-Buffering", "no"},
    {NULL, NULL},
};

/* ---- on a socket of ours ---- */

static char *format_head(struct http_request *req)
{
	const struct http_field *field;
	char date[KEPT_DATE_LEN + 1], *head = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&head, &len);

	if (!out)
		log_die("http", "out of memory");
	kept_answers_date(date, now_unix_ms() / 1000);
	fprintf(out,
	    "HTTP/1.1 200 OK\r\nDate: %s\r\nConnection: close\r\n"
	    "X-Request-Id: %s\r\nCache-Control: no-store\r\n",
	    date, http_request_id(req));
	for (field = http_common_fields; field->name; field++)
		fprintf(out, "%s: %s\r\n", field->name, field->value);
	for (field = stream_fields; field->name; field++)
		fprintf(out, "%s: %s\r\n", field->name, field->value);
	fprintf(out, "\r\n");
	if (fclose(out) != 0)
		log_die("http", "out of memory");
	return head;
}

struct http_stream *http_stream_start_first(
    struct http_request *req, const struct http_stream_ops *ops, void *data)
{
	struct http_peeked *peeked = req->peeked;
	char rest[PLAIN_GET_BYTES_MAX];
	ssize_t n;

	assert(!peeked->taken);
	peeked->taken = true;
	/* They were all there when they were looked at. */
	n = recv(peeked->arrival->fd, rest, peeked->len, MSG_DONTWAIT);
	(void)n; /* what failed fails again when it is sent to */
	return stream_sender_add(&req->server->sender, peeked->arrival->fd,
	    peeked->arrival->client, format_head(req), ops, data);
}

/* ---- on a connection of libmicrohttpd's ---- */

static ssize_t copy_out(struct http_request *req, char *buf, size_t cap)
{
	struct http_stream *stream = &req->stream;
	struct iovec iov[STREAM_VECTORS_MAX];
	int count = stream->ops->gather(stream->data, iov, STREAM_VECTORS_MAX);
	size_t total = 0;

	for (int i = 0; i < count && total < cap; i++) {
		size_t n = iov[i].iov_len;

		if (n > cap - total)
			n = cap - total;
		memcpy(buf + total, iov[i].iov_base, n);
		total += n;
	}
	if (total > 0)
		stream->ops->taken(stream->data, total);
	return count < 0 ? HTTP_STREAM_END : (ssize_t)total;
}

static ssize_t on_read(void *cls, uint64_t position, char *buf, size_t cap)
{
	struct http_request *req = cls;
	ssize_t n;

	(void)position;
	if (req->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = copy_out(req, buf, cap);
	if (n > 0)
		return n;
	if (n < 0 || req->server->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	http_request_suspend(req);
	return 0;
}

/* ---- public ---- */

bool http_stream_is_full(const struct http_server *server)
{
	return server->sender.count + server->daemon_streams >=
	       HTTP_STREAMS_MAX;
}

struct http_stream *http_stream_start(
    struct http_request *req, const struct http_stream_ops *ops, void *data)
{
	const struct http_field *field;
	struct MHD_Response *response;

	if (req->peeked)
		return http_stream_start_first(req, ops, data);
	assert(req->state == HTTP_HANDLING);
	if (!req->connection) {
		http_request_drop(req);
		return NULL;
	}
	response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, on_read, req, NULL);
	if (!response)
		log_die("http", "out of memory");
	http_reply_common(req, response, NULL);
	req->stream.ops = ops;
	req->stream.data = data;
	req->stream.req = req;
	req->server->daemon_streams++;
	http_reply_answer(req, 200, response, HTTP_STREAMING);
	for (field = stream_fields; field->name; field++)
		http_reply_header(req, field->name, field->value);
	return &req->stream;
}

void http_stream_wake(struct http_stream *stream)
{
	if (stream->req)
		http_request_wake(stream->req);
	else
		stream_sender_wake(stream);
}
