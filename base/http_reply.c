/*
 * http_reply: answers. Each one is put together as a response of
 * libmicrohttpd's and left in the request; the daemon takes it when it asks
 * for this request next, which is at once unless the request sleeps.
 */
#include "base/http_state.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_ETAG_MAX 128 /* of those that have a gzip form */

static void header(
    struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_die("http", "header %s refused", name);
}

void http_reply_header(
    struct http_request *req, const char *name, const char *value)
{
	header(req->response, name, value);
}

/* Those that every answer has, but one for which there is no room. */
static void common_headers(struct http_request *req,
    struct MHD_Response *response, const char *cache_control)
{
	if (req->close_after || req->server->closing)
		header(response, "Connection", "close");
	if (req->crowded)
		return;
	header(response, "Access-Control-Allow-Origin", "*");
	header(response, "Access-Control-Expose-Headers",
	    "ETag, Retry-After, X-Request-Id");
	header(response, "X-Content-Type-Options", "nosniff");
	header(response, "X-Request-Id", http_request_id(req));
	header(response, "Cache-Control",
	    cache_control ? cache_control : "no-store");
}

/* Returns false if there is nobody to answer any more; the request is freed. */
static bool may_answer(struct http_request *req)
{
	assert(req->state == HTTP_HANDLING);
	if (req->connection)
		return true;
	http_request_drop(req);
	return false;
}

static void answer(struct http_request *req, unsigned status,
    struct MHD_Response *response, enum http_request_state state)
{
	req->status = status;
	req->response = response;
	req->state = state;
	http_request_wake(req);
}

static struct MHD_Response *fixed(const void *body, size_t len)
{
	/* libmicrohttpd takes a pointer to non-const and only copies. */
	union {
		const void *in;
		void *out;
	} bytes = {.in = len ? body : ""};
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    len, bytes.out, MHD_RESPMEM_MUST_COPY);

	if (!response)
		log_die("http", "out of memory");
	return response;
}

static bool is_unchanged(const struct http_request *req, const char *etag)
{
	const char *condition;

	if (!etag || strcmp(req->method, "POST") == 0)
		return false;
	condition = http_header(req, "If-None-Match");
	return condition && http_etag_matches(condition, etag);
}

/* RFC 9110 8.8.3: the two codings of one text have two strong tags. */
static void choose_coding(struct http_request *req, struct http_reply *reply,
    char etag[static HTTP_ETAG_MAX])
{
	if (!reply->has_gzip || !http_wants_gzip(req)) {
		reply->gzip = NULL;
		return;
	}
	assert(reply->gzip);
	reply->body = reply->gzip;
	reply->len = reply->gzip_len;
	if (!reply->etag)
		return;
	snprintf(etag, HTTP_ETAG_MAX, "%.*s-gzip\"",
	    (int)strlen(reply->etag) - 1, reply->etag);
	reply->etag = etag;
}

static void page_headers(struct MHD_Response *response, const char *policy)
{
	header(response, "Content-Security-Policy", policy);
	header(response, "Referrer-Policy", "no-referrer");
}

static void reply_headers(struct http_request *req,
    struct MHD_Response *response, const struct http_reply *reply)
{
	char retry[16];

	common_headers(req, response, reply->cache_control);
	if (reply->etag)
		header(response, "ETag", reply->etag);
	if (reply->has_gzip)
		header(response, "Vary", "Accept-Encoding");
	if (reply->security_policy && !req->crowded)
		page_headers(response, reply->security_policy);
	if (!reply->retry_after_s)
		return;
	snprintf(retry, sizeof(retry), "%u", reply->retry_after_s);
	header(response, "Retry-After", retry);
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	struct http_reply chosen = *reply;
	struct MHD_Response *response;
	unsigned status = reply->status;
	char etag[HTTP_ETAG_MAX];

	if (!may_answer(req))
		return;
	choose_coding(req, &chosen, etag);
	if (status == 200 && is_unchanged(req, chosen.etag)) {
		response = fixed(NULL, 0);
		status = 304;
	} else {
		response = fixed(chosen.body, chosen.len);
		if (chosen.content_type)
			header(response, "Content-Type", chosen.content_type);
		if (chosen.gzip)
			header(response, "Content-Encoding", "gzip");
	}
	reply_headers(req, response, &chosen);
	answer(req, status, response, HTTP_ANSWERED);
}

void http_reply_json(struct http_request *req, const char *json)
{
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/json",
			    .body = json,
			    .len = strlen(json),
			});
}

void http_reply_options(struct http_request *req, const char *allow)
{
	struct MHD_Response *response = fixed(NULL, 0);

	common_headers(req, response, NULL);
	header(response, "Allow", allow);
	header(response, "Access-Control-Allow-Methods", allow);
	header(response, "Access-Control-Allow-Headers",
	    "Content-Type, If-None-Match, Last-Event-ID, X-Request-Id");
	header(response, "Access-Control-Max-Age", "86400");
	answer(req, 204, response, HTTP_ANSWERED);
}

/* ---- streams ---- */

static ssize_t on_stream_read(
    void *cls, uint64_t position, char *buf, size_t cap)
{
	struct http_request *req = cls;
	ssize_t n;

	(void)position;
	if (req->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = req->stream->read(req->stream_data, buf, cap);
	if (n > 0)
		return n;
	if (n < 0 || req->server->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	http_request_suspend(req);
	return 0;
}

void http_stream_start(struct http_request *req, const char *content_type,
    const struct http_stream_ops *ops, void *data)
{
	struct MHD_Response *response;

	if (!req->connection) {
		ops->closed(data);
		http_request_drop(req);
		return;
	}
	assert(req->state == HTTP_HANDLING);
	response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, on_stream_read, req, NULL);
	if (!response)
		log_die("http", "out of memory");
	common_headers(req, response, NULL);
	header(response, "Content-Type", content_type);
	/* nginx would keep events back to fill its buffers. */
	header(response, "X-Accel-Buffering", "no");
	req->stream = ops;
	req->stream_data = data;
	answer(req, 200, response, HTTP_STREAMING);
}

void http_stream_wake(struct http_request *req)
{
	http_request_wake(req);
}
