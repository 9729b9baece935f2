/*
 * http_dispatch: a whole request against the table of routes. What is refused
 * here never reaches a handler.
 */
#include "base/http_state.h"

#include "base/log.h"
#include "base/now.h"
#include "base/rate_limit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "{...}" without its braces, for http_problem. */
static void problem_about(struct http_request *req, const char *code,
    const char *detail, const char *parameter)
{
	json_t *object = json_pack("{s:s}", "parameter", parameter);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (!text)
		log_die("http", "out of memory");
	text[strlen(text) - 1] = '\0';
	http_problem(req, 400, code, detail, text + 1);
	free(text);
	json_decref(object);
}

static bool refuse_target(struct http_request *req)
{
	switch (req->target_error) {
	case HTTP_TARGET_OK:
		return false;
	case HTTP_TARGET_PATH_TOO_DEEP:
		http_problem(req, 404, "NOT_FOUND", "no such path", NULL);
		break;
	case HTTP_TARGET_QUERY_INVALID:
		http_problem(req, 400, "PARAM_INVALID",
		    "the query is not percent-encoded UTF-8", NULL);
		break;
	case HTTP_TARGET_PARAMS_TOO_MANY:
		http_problem(req, 400, "PARAM_TOO_MANY",
		    "the query has too many parameters", NULL);
		break;
	case HTTP_TARGET_PATH_INVALID:
	case HTTP_TARGET_NO_MEMORY:
		http_problem(req, 400, "PATH_INVALID",
		    "the path is not percent-encoded UTF-8 without dot "
		    "segments",
		    NULL);
		break;
	}
	return true;
}

static bool refuse_body(struct http_request *req)
{
	if (req->body_status == 0)
		return false;
	req->close_after = true;
	if (req->body_status == 413)
		http_problem(
		    req, 413, "BODY_TOO_LARGE", "the body is too large", NULL);
	else
		http_problem(req, 400, "BODY_UNEXPECTED",
		    "this method takes no body", NULL);
	return true;
}

static bool refuse_params(
    struct http_request *req, const struct http_route *route)
{
	bool twice;
	const struct http_param *bad = http_target_bad_param(
	    &req->target, route->params, &twice);

	if (!bad)
		return false;
	if (twice)
		problem_about(req, "PARAM_DUPLICATE", "a parameter comes twice",
		    bad->name);
	else
		problem_about(req, "PARAM_UNKNOWN",
		    "this path has no such parameter", bad->name);
	return true;
}

static bool serves(const struct http_route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 &&
		   strcmp(route->method, "GET") == 0);
}

const struct http_route *http_route_find(
    struct http_request *req, char allow[static HTTP_ALLOW_MAX])
{
	const struct http_route *route, *found = NULL;
	bool get = false, post = false;
	const char *part;

	for (route = req->server->routes; route->method; route++) {
		if (!http_target_matches(&req->target, route->path, &part))
			continue;
		get = get || strcmp(route->method, "GET") == 0;
		post = post || strcmp(route->method, "POST") == 0;
		if (found || !serves(route, req->method))
			continue;
		found = route;
		req->part = part;
	}
	snprintf(allow, HTTP_ALLOW_MAX, "%s%s%s", get ? "GET, HEAD, " : "",
	    post ? "POST, " : "", get || post ? "OPTIONS" : "");
	return found;
}

static bool refuse_crowd(struct http_request *req)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    req->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	unsigned retry_s;

	if (req->peer->paid) {
		req->peer->paid = false;
		return false;
	}
	if (rate_limit_take(req->server->limit, info ? info->client_addr : NULL,
		now_monotonic_ms(), &retry_s))
		return false;
	http_problem_429(req, retry_s);
	return true;
}

void http_dispatch(struct http_request *req)
{
	const struct http_route *route;
	char allow[HTTP_ALLOW_MAX];

	if (req->server->closing) {
		req->close_after = true;
		http_problem(req, 503, "SERVER_STOPPING",
		    "the server is being stopped", NULL);
		return;
	}
	if (refuse_crowd(req) || refuse_target(req))
		return;
	route = http_route_find(req, allow);
	if (!allow[0])
		http_problem(req, 404, "NOT_FOUND", "no such path", NULL);
	else if (!route && strcmp(req->method, "OPTIONS") == 0)
		http_reply_options(req, allow);
	else if (!route)
		http_problem_405(req, allow);
	else if (refuse_body(req) || refuse_params(req, route))
		return;
	else if (strlen(req->part) > HTTP_PATH_PARAM_MAX)
		http_problem(req, 414, "URI_TOO_LONG",
		    "the last part of the path is too long", NULL);
	else if (route->method == http_get_stream &&
		 http_stream_is_full(req->server))
		http_problem(req, 503, "STREAMS_FULL",
		    "there are as many streams as this server holds", NULL);
	else
		route->handler(req, req->server->data);
}
