/*
 * http_server: HTTP/1.1 by libmicrohttpd on the libuv loop, no thread.
 *
 * A program gives a table of routes. The server matches method and path,
 * refuses unknown parameters, answers HEAD, OPTIONS, 404 and 405 itself, adds
 * the CORS, no-sniff and X-Request-Id headers, and hands the rest to the
 * route's handler. A
 * handler answers now with http_reply() or http_problem(), or later: it keeps
 * the request pointer and answers when it can (long polls, signatures). Errors
 * are RFC 9457 problem documents with a stable `code`.
 *
 * Failure: a client that is slow, silent or gone costs one connection until
 * its time-out; above HTTP_CONNECTIONS_MAX new ones are refused.
 */
#ifndef HALLMARK_BASE_HTTP_SERVER_H
#define HALLMARK_BASE_HTTP_SERVER_H

#include "base/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HTTP_CONNECTIONS_MAX 16384 /* descriptors one server may hold */
/* Of them streams: those who ask for a price shall not find them all taken. */
#define HTTP_STREAMS_MAX    12288
#define HTTP_IDLE_TIMEOUT_S 60    /* for a whole request, or silence */
#define HTTP_POOL_BYTES     4096  /* header block of one request */
#define HTTP_BODY_MAX       65536 /* bytes of a request's body (POST) */
#define HTTP_PATH_PARAM_MAX 128   /* bytes of the {part} of a path */
#define HTTP_PARAMS_MAX     64    /* query parameters of one request */
/* Of one client's address, where a PROXY header tells it; and of one address
 * without such headers, which may stand for all clients of a proxy. */
#define HTTP_CONNECTIONS_PER_CLIENT_MAX  256
#define HTTP_CONNECTIONS_PER_ADDRESS_MAX 4096

struct http_server;
struct http_request;

typedef void (*http_handler_cb)(struct http_request *req, void *data);

/* "GET", for the method of a route whose answer is a stream (sse.h): known by
 * its address. Its handler starts the stream or refuses before it returns, and
 * may be called twice for a request that it refuses. */
extern const char http_get_stream[];

/* "GET", for the method of a route whose answers can be kept (version in struct
 * http_reply) and are sent again without asking the handler: known by its
 * address. Its handler is called for such an answer first (http_wants_kept()):
 * whatever else it answers then is thrown away and asked for again; it must
 * not keep such a request, and may return without an answer. */
extern const char http_get_kept[];

struct http_route {
	const char *method; /* "GET" (HEAD comes with it) or "POST" */
	const char *path;   /* "/price" or "/price/{feed}" */
	/* Allowed query names, NULL-ended; or NULL. One that ends in "[]" may
	 * come more than once. */
	const char *const *params;
	http_handler_cb handler;
};

/*
 * Listens on `ep` and serves `routes` (borrowed until stopped; ends with a
 * NULL method). `data` is handed to each handler. Returns 0 or a negative uv
 * error and then *out is NULL.
 */
__attribute__((warn_unused_result)) int http_server_start(
    struct http_server **out, uv_loop_t *loop, const struct endpoint *ep,
    const struct http_route *routes, void *data);

struct http_wrapper;

struct http_server_options {
	/* Each connection begins with a PROXY header (proxy_header.h) and is
	 * closed without one. */
	bool proxy_protocol;
	/* Of one address (rate_limit.h); more are answered 429 RATE_LIMITED.
	 * 0: no limit. */
	unsigned requests_per_s, requests_burst;
	/* What each connection goes through first, behind its PROXY header:
	 * tls_relay.h. Each connection is then one of the requests of the
	 * limit above, and closed where there is none left. Borrowed until
	 * stopped; NULL: nothing. */
	const struct http_wrapper *wrapper;
};

/* The same with options (borrowed for the call). */
__attribute__((warn_unused_result)) int http_server_start_with(
    struct http_server **out, uv_loop_t *loop, const struct endpoint *ep,
    const struct http_route *routes, void *data,
    const struct http_server_options *options);

/* The tcp port in use, for "tcp://127.0.0.1:0"; 0 for other kinds. */
unsigned http_server_port(const struct http_server *server);

/*
 * Stops listening, ends every stream after what is queued for it (call
 * sse_hub_close() before), closes all connections and frees the server, then
 * calls `done` (may be NULL) from the loop.
 */
void http_server_stop(
    struct http_server *server, void (*done)(void *data), void *data);

/* ---- what a handler may ask; strings are valid until the answer ---- */

const char *http_method(const struct http_request *req);
/* The {part} of the route's path, percent-decoded; "" if it has none. */
const char *http_path_param(const struct http_request *req);
/* A query parameter's value, percent-decoded, or NULL. */
const char *http_param(const struct http_request *req, const char *name);
/* The value of its index'th occurrence, from 0, or NULL. */
const char *http_param_at(
    const struct http_request *req, const char *name, size_t index);
/* A request header, any case, or NULL. */
const char *http_header(const struct http_request *req, const char *name);
/* Would the client rather have a gzip form, if there is one? */
bool http_wants_gzip(const struct http_request *req);
/* The body of a POST. */
const void *http_body(const struct http_request *req, size_t *len);
/* Is the handler of an http_get_kept route called for an answer to keep? */
bool http_wants_kept(const struct http_request *req);
uv_loop_t *http_loop(const struct http_request *req);

/* ---- answers: exactly one for each request; it frees the request ---- */

struct http_reply {
	unsigned status;
	const char *content_type; /* copied */
	const void *body;         /* copied, unless body_done is given */
	size_t len;
	const char *cache_control; /* NULL: "no-store" */
	const char *etag;          /* quoted, or NULL; a matching
				      If-None-Match gets 304 */
	unsigned retry_after_s;    /* 0: none */
	const char *link;          /* RFC 8288, or NULL */
	/* The body has a gzip form, which is sent to those who want it, with
	 * "-gzip" at the end of the etag. `gzip` is that form, copied; it may
	 * be NULL where http_wants_gzip() says no. */
	bool has_gzip;
	const void *gzip;
	size_t gzip_len;
	/* Content-Security-Policy of a page, or NULL; with it comes
	 * Referrer-Policy: no-referrer. */
	const char *security_policy;
	/* NULL, or the body stays where it is until this is called, once: it
	 * has gone, or nobody is there to have it. May be called before
	 * http_reply() has returned. For large ones: so their owner knows how
	 * much waits for slow clients. */
	void (*body_done)(void *data);
	void *body_data;
	/* For a route of http_get_kept: the same request has this very answer
	 * while *version does not move (it outlives the server) and until this
	 * moment (Unix ms). NULL: it is not kept. */
	const uint64_t *version;
	int64_t until_ms;
};

void http_reply(struct http_request *req, const struct http_reply *reply);

/* A JSON text with status 200 and Cache-Control: no-store. */
void http_reply_json(struct http_request *req, const char *json);

/*
 * application/problem+json: {"type","title","status","code","detail", ...}.
 * `code` is upper case with underscores ("FEED_UNKNOWN"); `extra` is NULL or
 * the text of further members without braces ("\"feed\":\"BTC-USD\""), which
 * the caller has escaped.
 */
void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra);

/* The same, a 429 or 503, with this Retry-After (seconds; 0: the usual). */
void http_problem_later(struct http_request *req, unsigned status,
    const char *code, const char *detail, const char *extra,
    unsigned retry_after_s);

/*
 * Called once, from the loop, if the client leaves or the server stops before
 * a kept request was answered; the request is freed after it returns. NULL to
 * clear. Without it a kept request must be answered all the same, even after
 * the server is gone: that frees it.
 */
void http_on_abandoned(struct http_request *req,
    void (*cb)(struct http_request *req, void *data), void *data);

#endif
