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

const struct http_field http_common_fields[] = {
    {"Access-Control-Allow-Origin", "*"},
    {"Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id"},
    {"X-Content-Type-Options", "nosniff"},
    {NULL, NULL},
};

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

void http_reply_common(struct http_request *req, struct MHD_Response *response,
    const char *cache_control)
{
	if (req->close_after || req->server->closing)
		header(response, "Connection", "close");
	if (req->crowded)
		return;
	for (const struct http_field *f = http_common_fields; f->name; f++)
		header(response, f->name, f->value);
	header(response, "X-Request-Id", http_request_id(req));
	header(response, "Cache-Control",
	    cache_control ? cache_control : "no-store");
}

/* Returns false if there is nobody to answer any more; the request is freed.
 * Or if it was only asked whether it begins a stream: see http_stream.c. */
static bool may_answer(struct http_request *req)
{
	assert(req->state == HTTP_HANDLING);
	if (req->peeked)
		return false;
	if (req->connection)
		return true;
	http_request_drop(req);
	return false;
}

void http_reply_answer(struct http_request *req, unsigned status,
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

	http_reply_common(req, response, reply->cache_control);
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
	http_reply_answer(req, status, response, HTTP_ANSWERED);
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

	http_reply_common(req, response, NULL);
	header(response, "Allow", allow);
	header(response, "Access-Control-Allow-Methods", allow);
	header(response, "Access-Control-Allow-Headers",
	    "Content-Type, If-None-Match, Last-Event-ID, X-Request-Id");
	header(response, "Access-Control-Max-Age", "86400");
	http_reply_answer(req, 204, response, HTTP_ANSWERED);
}
