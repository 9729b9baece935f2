/*
 * http_request: the life of a request, between libmicrohttpd's callbacks.
 *
 * For each request the daemon calls http_on_target() with the raw target,
 * http_on_access() once with the headers, once for each piece of the body,
 * once more when all is there (and again after each wake, until there is an
 * answer), and http_on_completed() at the end, whatever the end was.
 *
 * A body that nobody wants is read and thrown away up to HTTP_DISCARD_MAX:
 * an answer followed by a close in the middle of it would reach the client as
 * a reset (RFC 9112 9.6). What is framed ambiguously (RFC 9112 6.1, 6.3) is
 * refused at once and closed, so that nobody's body is our next request. So is
 * a body in chunks, which RFC 9112 6.1 lets a server refuse: libmicrohttpd
 * 0.9.75 (Debian 12) never comes back from a chunk's first line that is longer
 * than its pool, and one such client would be the last.
 */
#include "base/http_state.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- freeing ---- */

static void release(struct http_request *req)
{
	if (req->connection || req->state == HTTP_HANDLING || req->watch_open)
		return;
	if (req->response)
		MHD_destroy_response(req->response);
	http_target_fini(&req->target);
	free(req->body);
	free(req);
}

void http_request_drop(struct http_request *req)
{
	assert(!req->connection);
	req->state = HTTP_ABANDONED;
	release(req);
}

/* ---- the watch ---- */

static void on_watch_closed(uv_handle_t *handle)
{
	struct http_request *req = handle->data;
	struct http_server *server = req->watch_server;

	req->watch_open = false;
	release(req);
	http_server_handle_closed(server);
}

/* Hung up or shut down for writing: as most servers do, we take a client that
 * will not send any more for one that does not wait any more. */
static void on_watch(uv_poll_t *watch, int status, int events)
{
	struct http_request *req = watch->data;

	(void)status;
	(void)events;
	uv_poll_stop(watch);
	req->gone = true;
	if (req->state == HTTP_HANDLING && req->abandoned)
		http_request_abandon(req);
	if (req->state != HTTP_HANDLING)
		http_request_wake(req);
}

static void watch_start(struct http_request *req)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (req->watch_open ||
	    uv_poll_init(req->loop, &req->watch, info->connect_fd) < 0)
		return;
	req->watch.data = req;
	req->watch_server = req->server;
	req->watch_open = true;
	req->server->open_handles++;
	uv_poll_start(&req->watch, UV_DISCONNECT, on_watch);
}

/* ---- sleeping ---- */

void http_request_suspend(struct http_request *req)
{
	assert(!req->suspended && !req->server->closing);
	MHD_suspend_connection(req->connection);
	req->suspended = true;
	http_connection_time(req->server, req->peer, false);
	watch_start(req);
}

void http_request_wake(struct http_request *req)
{
	if (!req->suspended)
		return;
	req->suspended = false;
	MHD_resume_connection(req->connection);
	http_server_kick(req->server);
}

/* The handler is told, if it wants to know, and then holds the request no
 * more. Otherwise it holds it until it answers, and only the connection ends
 * (the caller wakes it). */
void http_request_abandon(struct http_request *req)
{
	assert(req->state == HTTP_HANDLING);
	req->gone = true;
	if (!req->abandoned)
		return;
	req->abandoned(req, req->abandoned_data);
	req->state = HTTP_ABANDONED;
}

void http_on_abandoned(struct http_request *req,
    void (*cb)(struct http_request *req, void *data), void *data)
{
	req->abandoned = cb;
	req->abandoned_data = data;
	/* It has left already: the watch is told again, from the loop. */
	if (cb && req->gone && req->connection && req->watch_open)
		uv_poll_start(&req->watch, UV_DISCONNECT, on_watch);
}

/* ---- the beginning ---- */

void *http_on_target(
    void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *server = cls;
	struct http_request *req = calloc(1, sizeof(*req));

	if (!req)
		log_die("http", "out of memory");
	req->server = server;
	req->loop = server->loop;
	req->connection = connection;
	req->peer = http_connection_of(connection);
	/* One that broke off and was not completed. UNTESTED: so far its
	 * connection always ends with it. */
	if (req->peer->request)
		http_request_completed(req->peer->request);
	req->peer->request = req;
	req->part = "";
	req->target_error = http_target_parse(&req->target, uri);
	if (req->target_error == HTTP_TARGET_NO_MEMORY)
		log_die("http", "out of memory");
	/* Parameters that do not fit into its pool make the daemon end the
	 * connection without a word, but only when something else happens. */
	if (req->target_error == HTTP_TARGET_PARAMS_TOO_MANY)
		http_connection_hurry(server, req->peer);
	TAILQ_INSERT_TAIL(&server->requests, req, entry);
	return req;
}

struct framing {
	const char *length, *encoding;
	unsigned lengths, encodings, headers;
};

static enum MHD_Result on_header(
    void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct framing *framing = cls;

	(void)kind;
	framing->headers++;
	if (strcasecmp(key, "Content-Length") == 0) {
		framing->lengths++;
		framing->length = value ? value : "";
	} else if (strcasecmp(key, "Transfer-Encoding") == 0) {
		framing->encodings++;
		framing->encoding = value ? value : "";
	}
	return MHD_YES;
}

/* Two lengths, or a length and an encoding, or an encoding we do not know:
 * another reader of the same bytes may see another end of the body. */
static bool is_ambiguous(const struct framing *framing)
{
	if (framing->encodings == 0)
		return framing->lengths > 1;
	return framing->lengths > 0 || framing->encodings > 1 ||
	       strcasecmp(framing->encoding, "chunked") != 0;
}

/* 0 for none. The daemon refuses what is not a number. */
static unsigned long long declared_length(const struct framing *framing)
{
	return framing->length ? strtoull(framing->length, NULL, 10) : 0;
}

static void refuse_now(struct http_request *req, unsigned status,
    const char *code, const char *detail)
{
	req->close_after = true;
	req->state = HTTP_HANDLING;
	http_problem(req, status, code, detail, NULL);
}

/* libmicrohttpd keeps headers and answer in one pool, and closes without a
 * word when the answer does not fit any more. */
static bool is_crowded(
    const struct http_request *req, const struct framing *framing)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    req->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info->header_size + framing->headers * HTTP_HEADER_COST >
	       HTTP_POOL_BYTES;
}

/* The headers are here. Answers at once only what must not be read on. */
static void begin(struct http_request *req, const char *method)
{
	struct framing framing = {.length = NULL};
	bool expects, is_post = strcmp(method, "POST") == 0;
	unsigned long long length;

	req->begun = true;
	if (strlen(method) < sizeof(req->method))
		memcpy(req->method, method, strlen(method) + 1);
	MHD_get_connection_values(
	    req->connection, MHD_HEADER_KIND, on_header, &framing);
	req->crowded = is_crowded(req, &framing);
	if (req->crowded) {
		refuse_now(
		    req, 431, "HEADERS_TOO_LARGE", "the headers are too large");
		return;
	}
	if (is_ambiguous(&framing)) {
		refuse_now(req, 400, "BODY_FRAMING_INVALID",
		    "the length of the body is ambiguous");
		return;
	}
	if (framing.encodings > 0) {
		refuse_now(req, 411, "LENGTH_REQUIRED",
		    "a body needs a Content-Length");
		return;
	}
	length = declared_length(&framing);
	if (!is_post && length > 0)
		req->body_status = 400;
	else if (length > HTTP_BODY_MAX)
		req->body_status = 413;
	expects = http_header(req, "Expect") != NULL;
	if (req->body_status && (expects || length > HTTP_DISCARD_MAX))
		refuse_now(req, 413, "BODY_TOO_LARGE", "the body is too large");
}

/* ---- the body ---- */

/* Returns false when the client is to be cut off. */
static bool take_body(struct http_request *req, const char *bytes, size_t len)
{
	if (req->body_status == 0 && len > HTTP_BODY_MAX - req->body_len)
		req->body_status = 413;
	if (req->body_status) {
		req->discarded += len;
		return req->discarded <= HTTP_DISCARD_MAX;
	}
	if (req->body_len + len > req->body_cap) {
		size_t cap = req->body_cap ? 2 * req->body_cap : 1024;

		while (cap < req->body_len + len)
			cap *= 2;
		req->body = realloc(req->body, cap);
		if (!req->body)
			log_die("http", "out of memory");
		req->body_cap = cap;
	}
	memcpy(req->body + req->body_len, bytes, len);
	req->body_len += len;
	return true;
}

/* ---- the daemon's callbacks ---- */

/* There is an answer, or there is none yet, or there will be none. */
static enum MHD_Result proceed(struct http_request *req)
{
	switch (req->state) {
	case HTTP_ANSWERED:
		http_connection_time(req->server, req->peer, true);
		break;
	case HTTP_STREAMING:
		http_connection_time(req->server, req->peer, false);
		break;
	case HTTP_HANDLING:
		if (!req->gone) {
			http_request_suspend(req);
			return MHD_YES;
		}
		return MHD_NO;
	case HTTP_RECEIVING:
	case HTTP_ABANDONED:
		return MHD_NO;
	}
	return MHD_queue_response(req->connection, req->status, req->response);
}

enum MHD_Result http_on_access(void *cls, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **context)
{
	struct http_request *req = *context;

	(void)cls;
	(void)connection;
	(void)url;
	(void)version;
	if (!req)
		return MHD_NO;
	if (!req->begun) {
		begin(req, method);
		return req->response ? proceed(req) : MHD_YES;
	}
	if (*upload_len > 0) {
		size_t len = *upload_len;

		*upload_len = 0;
		return take_body(req, upload, len) ? MHD_YES : MHD_NO;
	}
	if (req->state == HTTP_RECEIVING) {
		req->state = HTTP_HANDLING;
		http_dispatch(req);
		/* Stopped meanwhile: nobody sleeps any more. */
		if (req->state == HTTP_HANDLING && req->server->closing)
			http_request_abandon(req);
	}
	return proceed(req);
}

void http_on_completed(void *cls, struct MHD_Connection *connection,
    void **context, enum MHD_RequestTerminationCode why)
{
	struct http_request *req = *context;

	(void)cls;
	(void)connection;
	(void)why;
	*context = NULL;
	if (req)
		http_request_completed(req);
}

void http_request_completed(struct http_request *req)
{
	TAILQ_REMOVE(&req->server->requests, req, entry);
	if (req->state == HTTP_STREAMING)
		req->server->daemon_streams--;
	http_connection_time(req->server, req->peer, true);
	req->peer->request = NULL;
	req->peer = NULL;
	req->connection = NULL;
	req->server = NULL;
	req->suspended = false;
	if (req->state == HTTP_STREAMING)
		req->stream.ops->closed(req->stream.data,
		    req->gone ? HTTP_STREAM_LEFT : HTTP_STREAM_OVER);
	if (req->state != HTTP_HANDLING)
		req->state = HTTP_ABANDONED;
	if (req->watch_open)
		uv_close((uv_handle_t *)&req->watch, on_watch_closed);
	release(req);
}

/* ---- what a handler may ask ---- */

const char *http_method(const struct http_request *req)
{
	return req->method;
}

const char *http_path_param(const struct http_request *req)
{
	return req->part;
}

const char *http_param(const struct http_request *req, const char *name)
{
	return http_param_at(req, name, 0);
}

const char *http_param_at(
    const struct http_request *req, const char *name, size_t index)
{
	for (size_t i = 0; i < req->target.param_count; i++)
		if (strcmp(req->target.params[i].name, name) == 0 &&
		    index-- == 0)
			return req->target.params[i].value;
	return NULL;
}

const char *http_header(const struct http_request *req, const char *name)
{
	if (req->peeked)
		return plain_get_field(&req->peeked->head, name);
	if (!req->connection)
		return NULL;
	return MHD_lookup_connection_value(
	    req->connection, MHD_HEADER_KIND, name);
}

const void *http_body(const struct http_request *req, size_t *len)
{
	*len = req->body_len;
	return req->body ? (const void *)req->body : "";
}

uv_loop_t *http_loop(const struct http_request *req)
{
	return req->loop;
}
