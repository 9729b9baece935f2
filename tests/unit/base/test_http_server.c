/* http_server: routing, answers and headers, over TCP and a Unix socket. */
#include "client.h"

#include <jansson.h>

static const char *const price_params[] = {"attestation", "feeds", NULL};

static void serve_hello(struct http_request *req, void *data)
{
	assert_ptr_equal(data, &loop);
	assert_ptr_equal(http_loop(req), &loop);
	http_reply_json(req, "{\"hello\":true}");
}

/* Gives back what the handler is told. */
static void serve_price(struct http_request *req, void *data)
{
	const char *attestation = http_param(req, "attestation");
	char text[1024];

	(void)data;
	assert_null(http_param(req, "nobody"));
	snprintf(text, sizeof(text), "%s|%s|%s|%s", http_method(req),
	    http_path_param(req), attestation ? attestation : "(none)",
	    http_header(req, "x-test") ? http_header(req, "X-TEST") : "(none)");
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "text/plain",
			    .body = text,
			    .len = strlen(text),
			    .cache_control = "public, max-age=1",
			    .etag = "\"abc\"",
			});
}

static void serve_echo(struct http_request *req, void *data)
{
	size_t len;
	const void *body = http_body(req, &len);

	(void)data;
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/octet-stream",
			    .body = body,
			    .len = len,
			});
}

static void serve_problem(struct http_request *req, void *data)
{
	const char *detail = http_param(req, "detail");

	(void)data;
	http_problem(req, 503, "PRICE_STALE", detail ? detail : "it is old",
	    "\"feed\":\"BTC-USD\"");
}

/* The first, the second, and how many there are. */
static void serve_list(struct http_request *req, void *data)
{
	const char *first = http_param(req, "ids[]");
	const char *second = http_param_at(req, "ids[]", 1);
	char text[64];
	size_t n = 0;

	(void)data;
	while (http_param_at(req, "ids[]", n))
		n++;
	snprintf(text, sizeof(text), "%.9s %.9s %zu", first ? first : "-",
	    second ? second : "-", n);
	http_reply_json(req, text);
}

static const char *const list_params[] = {"ids[]", NULL};
static const char *const problem_params[] = {"detail", NULL};

static void serve_retry(struct http_request *req, void *data)
{
	(void)data;
	http_reply(req, &(struct http_reply){.status = 429,
			    .retry_after_s = 17,
			    .link = "</b?c=1>; rel=\"next\""});
}

static const struct http_route routes[] = {
    {"GET", "/", NULL, serve_hello},
    {"GET", "/hello", NULL, serve_hello},
    {"GET", "/price/{feed}", price_params, serve_price},
    {"GET", "/a/{x}/b", NULL, serve_price},
    {"POST", "/echo", NULL, serve_echo},
    {"GET", "/both", NULL, serve_hello},
    {"POST", "/both", NULL, serve_echo},
    {"GET", "/problem", problem_params, serve_problem},
    {"GET", "/retry", NULL, serve_retry},
    {"GET", "/list", list_params, serve_list},
    {NULL, NULL, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	server_start_tcp(routes, &loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_end();
	return 0;
}

/* Status and body of GET target; the body is cut at the first difference. */
static void check_get(const char *target, int status, const char *body)
{
	struct response r = client_get(target);

	if (response_status(&r) != status)
		fail_msg("%s: %d, not %d", target, response_status(&r), status);
	if (body)
		assert_string_equal(response_body(&r), body);
	response_fini(&r);
}

/* Asks and checks that the answer is this problem. Returns the document. */
static json_t *check_problem(const char *request, int status, const char *code)
{
	struct response r = client_ask(request);
	json_t *object;

	if (response_status(&r) != status)
		fail_msg("%.60s: %.400s", request, r.text ? r.text : "");
	assert_string_equal(
	    response_header(&r, "Content-Type"), "application/problem+json");
	assert_string_equal(
	    response_header(&r, "Access-Control-Allow-Origin"), "*");
	assert_string_equal(response_header(&r, "Cache-Control"), "no-store");
	object = json_loads(response_body(&r), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_string_equal(
	    json_string_value(json_object_get(object, "code")), code);
	assert_int_equal(
	    json_integer_value(json_object_get(object, "status")), status);
	assert_true(json_is_string(json_object_get(object, "title")));
	assert_true(json_is_string(json_object_get(object, "detail")));
	assert_string_equal(
	    json_string_value(json_object_get(object, "type")), "about:blank");
	response_fini(&r);
	return object;
}

static void check_get_problem(
    const char *target, int status, const char *code, const char *parameter)
{
	char request[8192];
	json_t *object;
	const char *named;

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
	    target);
	object = check_problem(request, status, code);
	named = json_string_value(json_object_get(object, "parameter"));
	if (parameter)
		assert_string_equal(named, parameter);
	else
		assert_null(named);
	json_decref(object);
}

/* ---- routing ---- */

static void test_routes(void **state)
{
	(void)state;
	check_get("/", 200, "{\"hello\":true}");
	check_get("/hello", 200, "{\"hello\":true}");
	check_get("/hello?", 200, "{\"hello\":true}");
	check_get("/price/BTC-USD", 200, "GET|BTC-USD|(none)|(none)");
	check_get("/price/BTC-USD?attestation=full&feeds=A", 200,
	    "GET|BTC-USD|full|(none)");
	check_get("/price/BTC-USD?attestation", 200, "GET|BTC-USD||(none)");
	check_get("/price/x?&&attestation=a=b&", 200, "GET|x|a=b|(none)");
	check_get("/a/1/b", 200, "GET|1|(none)|(none)");
	check_get("http://host:80/a/1/b", 200, "GET|1|(none)|(none)");
}

static void test_percent_decoding(void **state)
{
	(void)state;
	check_get("/%68ello", 200, "{\"hello\":true}");
	check_get("/price/BTC%2dUSD", 200, "GET|BTC-USD|(none)|(none)");
	check_get("/price/%e2%82%bf", 200, "GET|\xe2\x82\xbf|(none)|(none)");
	check_get("/price/a+b?attestation=a+b%2Bc%20d%26e", 200,
	    "GET|a+b|a b+c d&e|(none)");
}

static void test_request_headers(void **state)
{
	struct response r = client_ask("GET /price/A HTTP/1.1\r\nHost: x\r\n"
				       "x-TEST: some thing\r\n\r\n");

	(void)state;
	assert_string_equal(response_body(&r), "GET|A|(none)|some thing");
	response_fini(&r);
}

static void test_not_found(void **state)
{
	static const char *const targets[] = {"/nothing", "/hell", "/helloo",
	    "/hello/", "//hello", "/price", "/price/", "/price/a/b", "/a/1",
	    "/a/1/c", "/a//b", "/HELLO", "/1/2/3/4/5/6/7/8/9/10/11",
	    "/price%00", "/{x}"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!strchr(targets[i], '%'))
			check_get_problem(targets[i], 404, "NOT_FOUND", NULL);
}

static void test_hostile_paths(void **state)
{
	static const char *const targets[] = {"/price/%00", "/price/BTC%00x",
	    "/price/%zz", "/price/%", "/price/%2", "/price/%2x", "/price/%%20",
	    "/price/%2e", "/price/%2e%2E", "/price/..", "/price/.", "/../hello",
	    "/price/a%2fb", "/price/a%5cb", "/price/%0a", "/price/%7f",
	    "/price/%ff", "/price/%c0%ae", "/price/%ed%a0%80",
	    "/price/\xc3\xa4", "hello", "http://host"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		check_get_problem(targets[i], 400, "PATH_INVALID", NULL);
}

static void test_hostile_queries(void **state)
{
	(void)state;
	check_get_problem("/hello?x=1", 400, "PARAM_UNKNOWN", "x");
	check_get_problem("/hello?=1", 400, "PARAM_UNKNOWN", "");
	check_get_problem("/hello?%22%2C%22a%22%3A%22=1", 400, "PARAM_UNKNOWN",
	    "\",\"a\":\"");
	check_get_problem("/price/A?feeds=1&ATTESTATION=1", 400,
	    "PARAM_UNKNOWN", "ATTESTATION");
	check_get_problem(
	    "/price/A?feeds=1&feeds=1", 400, "PARAM_DUPLICATE", "feeds");
	check_get_problem(
	    "/price/A?feeds=1&%66eeds=2", 400, "PARAM_DUPLICATE", "feeds");
	check_get_problem("/price/A?feeds=%00", 400, "PARAM_INVALID", NULL);
	check_get_problem("/price/A?feeds=%zz", 400, "PARAM_INVALID", NULL);
	check_get_problem("/price/A?feeds=%ff", 400, "PARAM_INVALID", NULL);
	check_get_problem("/price/A?fe%0aeds=1", 400, "PARAM_INVALID", NULL);
	check_get_problem("/list?ids[]=1&ids=2", 400, "PARAM_UNKNOWN", "ids");
}

/* As many as may come, and one more. */
static void test_many_parameters(void **state)
{
	char target[16 * HTTP_PARAMS_MAX] = "/list?";

	(void)state;
	for (size_t i = 0; i < HTTP_PARAMS_MAX; i++)
		strcat(target, "ids[]=1&");
	check_get(target, 200, "1 1 64");
	strcat(target, "ids%5B%5D=2");
	check_get_problem(target, 400, "PARAM_TOO_MANY", NULL);
	check_get("/list?ids%5B%5D=1&ids[]=2", 200, "1 2 2");
	check_get("/list", 200, "- - 0");
}

/* More than fit into libmicrohttpd's pool: it may not say why, but it ends the
 * connection, and does so now. */
static void test_countless_parameters(void **state)
{
	char request[HTTP_POOL_BYTES] = "GET /list?";
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	for (int i = 0; i < 1500; i++)
		strcat(request, "a&");
	strcat(request, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	client_send(fd, request);
	client_read_until(fd, &r, r.closed);
	response_fini(&r);
	close(fd);
}

static void test_long_path_part(void **state)
{
	char target[HTTP_PATH_PARAM_MAX + 32] = "/price/";
	size_t start = strlen(target);

	(void)state;
	memset(target + start, 'x', HTTP_PATH_PARAM_MAX);
	target[start + HTTP_PATH_PARAM_MAX] = '\0';
	check_get(target, 200, NULL);
	target[start + HTTP_PATH_PARAM_MAX] = 'x';
	target[start + HTTP_PATH_PARAM_MAX + 1] = '\0';
	check_get_problem(target, 414, "URI_TOO_LONG", NULL);
}

/* ---- methods ---- */

static void test_wrong_methods(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "TRACE",
	    "get", "AVERYLONGMETHODNAME", "PATCH"};
	char request[256];

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct response r;

		snprintf(request, sizeof(request),
		    "%s /hello HTTP/1.1\r\nHost: x\r\n"
		    "Content-Length: 2\r\n\r\nab",
		    methods[i]);
		json_decref(check_problem(request, 405, "METHOD_NOT_ALLOWED"));
		r = client_ask(request);
		assert_string_equal(
		    response_header(&r, "Allow"), "GET, HEAD, OPTIONS");
		response_fini(&r);
	}
}

static void test_head_is_get_without_body(void **state)
{
	struct response r = client_ask(
	    "HEAD /price/A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	(void)state;
	assert_int_equal(response_status(&r), 200);
	assert_string_equal(response_body(&r), "");
	assert_string_equal(response_header(&r, "Content-Length"), "20");
	assert_string_equal(response_header(&r, "ETag"), "\"abc\"");
	response_fini(&r);
	r = client_ask(
	    "HEAD /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_int_equal(response_status(&r), 404);
	assert_string_equal(response_body(&r), "");
	response_fini(&r);
}

static void test_options(void **state)
{
	struct response r = client_ask("OPTIONS /both HTTP/1.1\r\nHost: x\r\n"
				       "Connection: close\r\n\r\n");

	(void)state;
	assert_int_equal(response_status(&r), 204);
	assert_string_equal(
	    response_header(&r, "Allow"), "GET, HEAD, POST, OPTIONS");
	assert_string_equal(response_header(&r, "Access-Control-Allow-Methods"),
	    "GET, HEAD, POST, OPTIONS");
	assert_non_null(
	    strstr(response_header(&r, "Access-Control-Allow-Headers"),
		"Last-Event-ID"));
	assert_string_equal(
	    response_header(&r, "Access-Control-Allow-Origin"), "*");
	assert_string_equal(response_body(&r), "");
	response_fini(&r);
	json_decref(check_problem(
	    "OPTIONS /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND"));
}

/* ---- answers ---- */

static void test_headers_of_every_answer(void **state)
{
	static const char *const targets[] = {"/hello", "/nothing", "/problem",
	    "/retry", "/price/%zz", "/hello?x=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct response r = client_get(targets[i]);

		assert_string_equal(
		    response_header(&r, "Access-Control-Allow-Origin"), "*");
		assert_string_equal(
		    response_header(&r, "Access-Control-Expose-Headers"),
		    "ETag, Link, Retry-After, X-Request-Id");
		assert_true(response_header(&r, "X-Request-Id")[0]);
		assert_string_equal(
		    response_header(&r, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(
		    response_header(&r, "Cache-Control"), "no-store");
		response_fini(&r);
	}
}

static void test_problem_members(void **state)
{
	json_t *object = check_problem(
	    "GET /problem HTTP/1.1\r\nHost: x\r\n\r\n", 503, "PRICE_STALE");
	struct response r;

	(void)state;
	assert_string_equal(
	    json_string_value(json_object_get(object, "feed")), "BTC-USD");
	assert_string_equal(
	    json_string_value(json_object_get(object, "detail")), "it is old");
	assert_string_equal(json_string_value(json_object_get(object, "title")),
	    "Service Unavailable");
	json_decref(object);
	object = check_problem("GET /problem?detail=%22%5c%3C HTTP/1.1\r\n"
			       "Host: x\r\n\r\n",
	    503, "PRICE_STALE");
	assert_string_equal(
	    json_string_value(json_object_get(object, "detail")), "\"\\<");
	json_decref(object);
	r = client_get("/problem");
	assert_string_equal(response_header(&r, "Retry-After"), "1");
	response_fini(&r);
	r = client_get("/retry");
	assert_int_equal(response_status(&r), 429);
	assert_string_equal(response_header(&r, "Retry-After"), "17");
	assert_string_equal(
	    response_header(&r, "Link"), "</b?c=1>; rel=\"next\"");
	assert_string_equal(response_body(&r), "");
	response_fini(&r);
}

static int status_with_condition(const char *condition)
{
	char request[512];
	struct response r;
	int status;

	snprintf(request, sizeof(request),
	    "GET /price/A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "If-None-Match: %s\r\n\r\n",
	    condition);
	r = client_ask(request);
	status = response_status(&r);
	assert_string_equal(response_header(&r, "ETag"), "\"abc\"");
	assert_string_equal(
	    response_header(&r, "Cache-Control"), "public, max-age=1");
	if (status == 304)
		assert_string_equal(response_body(&r), "");
	response_fini(&r);
	return status;
}

static void test_if_none_match(void **state)
{
	(void)state;
	assert_int_equal(status_with_condition("\"abc\""), 304);
	assert_int_equal(status_with_condition("*"), 304);
	assert_int_equal(status_with_condition("W/\"abc\""), 304);
	assert_int_equal(status_with_condition("\"x\", \"abc\""), 304);
	assert_int_equal(status_with_condition("\"x\",W/\"y\",\"abc\""), 304);
	assert_int_equal(status_with_condition("\"ab\""), 200);
	assert_int_equal(status_with_condition("\"abcd\""), 200);
	assert_int_equal(status_with_condition("abc"), 200);
	assert_int_equal(status_with_condition("\"abc"), 200);
	assert_int_equal(status_with_condition("*x"), 200);
	assert_int_equal(status_with_condition("\"a,\"abc\""), 200);
}

/* ---- bodies ---- */

static void test_post(void **state)
{
	struct response r = client_ask("POST /echo HTTP/1.1\r\nHost: x\r\n"
				       "Content-Length: 5\r\n\r\nhello");

	(void)state;
	assert_string_equal(response_body(&r), "hello");
	response_fini(&r);
	r = client_ask("POST /echo HTTP/1.1\r\nHost: x\r\n"
		       "Content-Length: 0\r\n\r\n");
	assert_int_equal(response_status(&r), 200);
	assert_string_equal(response_body(&r), "");
	response_fini(&r);
}

/* A body of `len` bytes, and what the server says to it. */
static struct response post_bytes(size_t len, const char *more)
{
	struct response r = {.text = NULL};
	char *request = malloc(len + 512);
	int head, fd = client_connect();

	head = snprintf(request, 512,
	    "POST /echo HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
	    more, len);
	memset(request + head, 'x', len);
	client_send_bytes(fd, request, (size_t)head + len);
	client_read_until(fd, &r, r.closed || response_complete(&r));
	if (response_status(&r) != 200)
		client_read_until(fd, &r, r.closed);
	free(request);
	close(fd);
	return r;
}

static void test_post_ceiling(void **state)
{
	struct response r = post_bytes(HTTP_BODY_MAX, "");

	(void)state;
	assert_int_equal(response_status(&r), 200);
	assert_int_equal(strlen(response_body(&r)), HTTP_BODY_MAX);
	response_fini(&r);
	r = post_bytes(HTTP_BODY_MAX + 1, "");
	assert_int_equal(response_status(&r), 413);
	assert_non_null(strstr(response_body(&r), "BODY_TOO_LARGE"));
	assert_string_equal(response_header(&r, "Connection"), "close");
	response_fini(&r);
}

/* Nothing was sent but the headers: the answer comes before the body. */
static void test_post_refused_by_its_headers(void **state)
{
	json_t *object = check_problem("POST /echo HTTP/1.1\r\nHost: x\r\n"
				       "Content-Length: 2000000\r\n\r\n",
	    413, "BODY_TOO_LARGE");

	(void)state;
	json_decref(object);
	object = check_problem("POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Expect: 100-continue\r\n"
			       "Content-Length: 70000\r\n\r\n",
	    413, "BODY_TOO_LARGE");
	json_decref(object);
}

static void test_chunks_are_refused(void **state)
{
	(void)state;
	json_decref(check_problem("POST /both HTTP/1.1\r\nHost: x\r\n"
				  "Transfer-Encoding: chunked\r\n\r\n"
				  "3\r\nabc\r\n0\r\n\r\n",
	    411, "LENGTH_REQUIRED"));
	json_decref(check_problem("GET /hello HTTP/1.1\r\nHost: x\r\n"
				  "Transfer-Encoding: chunked\r\n\r\n",
	    411, "LENGTH_REQUIRED"));
}

/* libmicrohttpd 0.9.75 does not come back from it, if it is let. */
static void test_endless_chunk_line(void **state)
{
	static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n1;";
	char request[sizeof(head) + 4 * HTTP_POOL_BYTES];
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	memset(request, 'x', sizeof(request));
	memcpy(request, head, sizeof(head) - 1);
	alarm(30); /* it would hang, not fail */
	client_send_bytes(fd, request, sizeof(request));
	client_read_until(fd, &r, r.closed);
	/* A reset may have overtaken the answer. */
	assert_true(r.len == 0 || response_status(&r) == 411);
	check_get("/hello", 200, NULL);
	alarm(0);
	response_fini(&r);
	close(fd);
}

static void test_get_with_a_body(void **state)
{
	json_decref(check_problem("GET /hello HTTP/1.1\r\nHost: x\r\n"
				  "Content-Length: 5\r\n\r\nhello",
	    400, "BODY_UNEXPECTED"));
	(void)state;
}

/* RFC 9112 11.2, request smuggling: the second request must not be seen. */
static void test_ambiguous_framing(void **state)
{
	static const char *const heads[] = {
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
	    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
	    "Content-Length: 5\r\nContent-Length: 6\r\n",
	    "Content-Length: 5\r\nContent-Length: 5\r\n",
	    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	    "Transfer-Encoding: gzip, chunked\r\n",
	    "Transfer-Encoding: identity\r\n",
	    "Transfer-Encoding: xchunked\r\n",
	    "Content-Length: -1\r\n",
	    "Content-Length: 5x\r\n",
	    "Content-Length: 99999999999999999999999\r\n",
	};
	char request[512];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct response r = {.text = NULL};
		int fd = client_connect();

		snprintf(request, sizeof(request),
		    "POST /echo HTTP/1.1\r\nHost: x\r\n%s\r\n"
		    "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
		    heads[i]);
		client_send(fd, request);
		client_read_until(fd, &r, r.closed);
		if (strstr(r.text, "hello"))
			fail_msg("%s: %s", heads[i], r.text);
		response_fini(&r);
		close(fd);
	}
}

/* ---- Unix socket ---- */

static void test_unix_socket(void **state)
{
	(void)state;
	server_start_unix(routes, &loop);
	assert_int_equal(http_server_port(server), 0);
	check_get("/hello", 200, "{\"hello\":true}");
	check_get("/price/A", 200, "GET|A|(none)|(none)");
	server_end();
}

static void test_start_reports_errors(void **state)
{
	struct endpoint ep;
	struct http_server *other = (struct http_server *)&ep;

	(void)state;
	ep = server_ep;
	assert_int_equal(
	    http_server_start(&other, &loop, &ep, routes, NULL), UV_EADDRINUSE);
	assert_null(other);
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    server_test(test_routes),
	    server_test(test_percent_decoding),
	    server_test(test_request_headers),
	    server_test(test_not_found),
	    server_test(test_hostile_paths),
	    server_test(test_hostile_queries),
	    server_test(test_many_parameters),
	    server_test(test_countless_parameters),
	    server_test(test_long_path_part),
	    server_test(test_wrong_methods),
	    server_test(test_head_is_get_without_body),
	    server_test(test_options),
	    server_test(test_headers_of_every_answer),
	    server_test(test_problem_members),
	    server_test(test_if_none_match),
	    server_test(test_post),
	    server_test(test_post_ceiling),
	    server_test(test_post_refused_by_its_headers),
	    server_test(test_chunks_are_refused),
	    server_test(test_endless_chunk_line),
	    server_test(test_get_with_a_body),
	    server_test(test_ambiguous_framing),
	    cmocka_unit_test(test_unix_socket),
	    server_test(test_start_reports_errors),
	};
	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
