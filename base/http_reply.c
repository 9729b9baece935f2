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
    {"Access-Control-Expose-Headers", "ETag, Link, Retry-After, X-Request-Id"},
    {"X-Content-Type-Options", "nosniff"},
    {NULL, NULL},
};

/* ---- the headers of an answer ---- */

#define FIELDS_MAX 16

/* All but those of framing and the date, which whoever sends it adds. */
struct fields {
	struct http_field list[FIELDS_MAX];
	size_t count;
	char retry[16];
};

static void add(struct fields *fields, const char *name, const char *value)
{
	assert(fields->count < FIELDS_MAX);
	fields->list[fields->count++] = (struct http_field){name, value};
}

static void add_common(
    struct fields *fields, struct http_request *req, const char *cache_control)
{
	if (req->close_after || req->server->closing)
		add(fields, "Connection", "close");
	if (req->crowded)
		return;
	for (const struct http_field *f = http_common_fields; f->name; f++)
		add(fields, f->name, f->value);
	add(fields, "X-Request-Id",
	    req->peeked ? KEPT_ID_BLANK : http_request_id(req));
	add(fields, "Cache-Control",
	    cache_control ? cache_control : "no-store");
}

static void add_all(struct fields *fields, struct http_request *req,
    unsigned status, const struct http_reply *reply)
{
	if (status != 304 && reply->content_type)
		add(fields, "Content-Type", reply->content_type);
	if (status != 304 && reply->gzip)
		add(fields, "Content-Encoding", "gzip");
	add_common(fields, req, reply->cache_control);
	if (reply->etag)
		add(fields, "ETag", reply->etag);
	if (reply->has_gzip)
		add(fields, "Vary", "Accept-Encoding");
	if (reply->link)
		add(fields, "Link", reply->link);
	if (reply->security_policy && !req->crowded) {
		add(fields, "Content-Security-Policy", reply->security_policy);
		add(fields, "Referrer-Policy", "no-referrer");
	}
	if (!reply->retry_after_s)
		return;
	snprintf(
	    fields->retry, sizeof(fields->retry), "%u", reply->retry_after_s);
	add(fields, "Retry-After", fields->retry);
}

/* ---- as a response of libmicrohttpd's ---- */

static void header(
    struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_die("http", "header %s refused", name);
}

static void put_fields(
    struct MHD_Response *response, const struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		header(response, fields->list[i].name, fields->list[i].value);
}

void http_reply_header(
    struct http_request *req, const char *name, const char *value)
{
	header(req->response, name, value);
}

void http_reply_common(struct http_request *req, struct MHD_Response *response,
    const char *cache_control)
{
	struct fields fields = {.count = 0};

	add_common(&fields, req, cache_control);
	put_fields(response, &fields);
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

/* Its bytes stay with their owner until libmicrohttpd lets go of it. */
static struct MHD_Response *borrowed(const struct http_reply *reply)
{
	union {
		const void *in;
		void *out;
	} bytes = {.in = reply->body};
	struct MHD_Response *response =
	    MHD_create_response_from_buffer_with_free_callback_cls(
		reply->len, bytes.out, reply->body_done, reply->body_data);

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

/* A request that libmicrohttpd does not have yet: see http_first.c. Only what
 * can be kept is of use to it. */
static void reply_first(
    struct http_request *req, unsigned status, const struct http_reply *reply)
{
	struct fields fields = {.count = 0};

	if (!reply->version || !req->peeked->keeps)
		return;
	add_all(&fields, req, status, reply);
	http_first_keep(req, status, fields.list, fields.count, reply);
}

/* The body is not needed any more, or was never. */
static void let_go(struct http_reply *reply)
{
	if (reply->body_done)
		reply->body_done(reply->body_data);
	reply->body_done = NULL;
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	struct http_reply chosen = *reply;
	struct fields fields = {.count = 0};
	struct MHD_Response *response;
	unsigned status = reply->status;
	char etag[HTTP_ETAG_MAX];

	assert(!reply->body_done || !reply->has_gzip);
	if (!req->peeked && !may_answer(req)) {
		let_go(&chosen);
		return;
	}
	choose_coding(req, &chosen, etag);
	if (status == 200 && is_unchanged(req, chosen.etag)) {
		status = 304;
		chosen.len = 0;
	}
	if (req->peeked) {
		reply_first(req, status, &chosen);
		let_go(&chosen);
		return;
	}
	add_all(&fields, req, status, &chosen);
	if (chosen.body_done && chosen.len > 0) {
		response = borrowed(&chosen);
	} else {
		response = fixed(chosen.body, chosen.len);
		let_go(&chosen);
	}
	put_fields(response, &fields);
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
