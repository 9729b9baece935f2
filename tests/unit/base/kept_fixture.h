/*
 * kept_fixture: a real server whose answers are kept, for the tests of who
 * sends them and of who goes on.
 */
#ifndef HALLMARK_TESTS_KEPT_FIXTURE_H
#define HALLMARK_TESTS_KEPT_FIXTURE_H

#include "client.h"

#include "base/http_state.h"

#define BIG (60 * 1024)

static uint64_t version;
static int64_t until_ms;
static unsigned asked; /* the handler, for good or not */
static bool refuses;
static size_t body_len;

static inline void serve_kept(struct http_request *req, void *data)
{
	static char body[BIG + 1];

	(void)data;
	asked++;
	if (refuses) {
		http_problem(req, 503, "PRICE_STALE", "too old", NULL);
		return;
	}
	if (http_param(req, "wait") && http_wants_kept(req))
		return;
	memset(body, 'a' + (int)(version % 26), body_len);
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = body,
			    .len = body_len,
			    .cache_control = "public, max-age=1",
			    .etag = "\"e\"",
			    .has_gzip = true,
			    .gzip = "zipped",
			    .gzip_len = 6,
			    .version = &version,
			    .until_ms = until_ms});
}

static inline void serve_now(struct http_request *req, void *data)
{
	size_t len;

	(void)data;
	(void)http_body(req, &len);
	http_reply_json(req, len ? "\"posted\"" : "\"now\"");
}

static const char *const params[] = {"wait", NULL};
static const struct http_route routes[] = {
    {http_get_kept, "/kept/{name}", params, serve_kept},
    {"GET", "/now", NULL, serve_now},
    {"POST", "/now", NULL, serve_now},
    {NULL, NULL, NULL, NULL},
};

static inline void reset(void)
{
	asked = 0;
	version = 0;
	refuses = false;
	body_len = 5;
	until_ms = INT64_MAX;
}

static inline int setup(void **state)
{
	(void)state;
	reset();
	server_start_tcp(routes, NULL);
	return 0;
}

static inline int setup_unix(void **state)
{
	(void)state;
	reset();
	server_start_unix(routes, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	pump_until(server->clients.total == 0);
	server_end();
	return 0;
}

#define GET(path)   "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define KEPT        GET("/kept/A")
#define WITH(lines) "GET /kept/A HTTP/1.1\r\nHost: x\r\n" lines "\r\n"

/* Asks on a connection that is open, and forgets the answer before. */
static inline void ask_on(int fd, const char *request, struct response *r)
{
	if (r->text)
		r->text[0] = '\0';
	r->len = 0;
	client_send(fd, request);
	client_read_until(fd, r, r->closed || response_complete(r));
}

/* So often that its requests are read without a look before. */
static inline void ask_steadily(int fd, struct response *r)
{
	for (int i = 0; i < 2 * KEPT_SENDER_STEADY; i++)
		ask_on(fd, KEPT, r);
	assert_string_equal(response_body(r), "aaaaa");
}

static inline unsigned askers(void)
{
	return server->kept_sender.count;
}

static bool steady; /* how the client asked before */

static inline void check_then(const char *request, int status, const char *body)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	if (steady)
		ask_steadily(fd, &r);
	else
		ask_on(fd, KEPT, &r);
	assert_int_equal(askers(), 1);
	ask_on(fd, request, &r);
	assert_int_equal(server->relays.count, steady);
	assert_int_equal(response_status(&r), status);
	if (body)
		assert_non_null(strstr(response_body(&r), body));
	/* The connection is libmicrohttpd's from then on, and goes on. */
	pump_until(askers() == 0);
	if (status == 0 || (status == 400 && !body)) {
		client_read_until(fd, &r, r.closed);
		assert_false(r.reset);
	} else {
		ask_on(fd, KEPT, &r);
		assert_string_equal(response_body(&r), "aaaaa");
		assert_int_equal(askers(), 0);
	}
	response_fini(&r);
	close(fd);
	pump_until(server->clients.total == 0 && server->relays.count == 0);
}

/* All that a connection may ask for next. */
static inline void check_others(void)
{
	check_then(GET("/now"), 200, "\"now\"");
	check_then(GET("/nowhere"), 404, NULL);
	check_then(GET("/kept/A?no=1"), 400, "");
	check_then(GET("/kept/A?wait=1"), 200, "aaaaa");
	check_then("POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
		   "abc",
	    200, "\"posted\"");
	check_then("OPTIONS /now HTTP/1.1\r\nHost: x\r\n\r\n", 204, NULL);
	check_then(WITH("X-Request-Id: mine\r\n"), 200, "aaaaa");
	check_then("GET /kept/A HTTP/1.1\r\n\r\n", 400, NULL);
	check_then("rubbish\r\n\r\n", 0, NULL);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
