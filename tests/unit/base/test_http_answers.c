/* What each answer says of itself: its coding, its name, and when to come
 * again for those who ask too often. */
#include "base/http_state.h"
#include "base/proxy_header.h"
#include "client.h"

static void serve_text(struct http_request *req, void *data)
{
	(void)data;
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "text/plain",
			    .body = "plain text",
			    .len = 10,
			    .etag = "\"abc\"",
			    .has_gzip = true,
			    .gzip = "\x1f\x8bgz",
			    .gzip_len = 4});
}

static void serve_plain(struct http_request *req, void *data)
{
	(void)data;
	http_reply(req, &(struct http_reply){.status = 200, .etag = "\"abc\""});
}

#define LARGE_LEN (8u << 20) /* more than sockets hold */

static char *large;
static int large_out; /* answers that have it */

static void on_large_done(void *data)
{
	assert_ptr_equal(data, &large_out);
	large_out--;
}

static void serve_large(struct http_request *req, void *data)
{
	(void)data;
	large_out++;
	http_reply(req, &(struct http_reply){.status = 200,
			    .body = large,
			    .len = LARGE_LEN,
			    .etag = "\"large\"",
			    .body_done = on_large_done,
			    .body_data = &large_out});
}

static void serve_empty(struct http_request *req, void *data)
{
	(void)data;
	large_out++;
	http_reply(req, &(struct http_reply){.status = 200,
			    .body_done = on_large_done,
			    .body_data = &large_out});
}

static struct http_request *held;

static void serve_later(struct http_request *req, void *data)
{
	(void)data;
	held = req;
}

static const struct http_route routes[] = {
    {"GET", "/large", NULL, serve_large},
    {"GET", "/empty", NULL, serve_empty},
    {"GET", "/later", NULL, serve_later},
    {"GET", "/text", NULL, serve_text},
    {"GET", "/plain", NULL, serve_plain},
    {NULL, NULL, NULL, NULL},
};

static int set_up(void **state)
{
	(void)state;
	server_start_tcp(routes, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	server_end();
	return 0;
}

static struct response ask_with(
    const char *method, const char *target, const char *headers)
{
	char request[8192];

	snprintf(request, sizeof(request),
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
	    target, headers);
	return client_ask(request);
}

/* ---- bodies that stay with their owner ---- */

static int set_up_large(void **state)
{
	large = malloc(LARGE_LEN);
	memset(large, 'x', LARGE_LEN);
	return set_up(state);
}

static int tear_down_large(void **state)
{
	tear_down(state);
	assert_int_equal(large_out, 0);
	free(large);
	return 0;
}

static void a_body_is_let_go_once(void **state)
{
	struct response r;

	(void)state;
	r = ask_with("GET", "/large", "");
	assert_int_equal(strlen(response_body(&r)), LARGE_LEN);
	response_fini(&r);
	pump_until(large_out == 0);
	r = ask_with("HEAD", "/large", "");
	assert_int_equal(response_status(&r), 200);
	response_fini(&r);
	pump_until(large_out == 0);
	r = ask_with("GET", "/large", "If-None-Match: \"large\"\r\n");
	assert_int_equal(response_status(&r), 304);
	assert_int_equal(large_out, 0);
	response_fini(&r);
	r = ask_with("GET", "/empty", "");
	assert_int_equal(response_status(&r), 200);
	assert_int_equal(large_out, 0);
	response_fini(&r);
}

/* Who does not read holds it until he goes. */
static void a_body_waits_for_its_reader(void **state)
{
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(large_out == 1);
	pump_ms(50);
	assert_int_equal(large_out, 1);
	close(fd);
	pump_until(large_out == 0);
	/* One more is held when the server stops. */
	fd = client_connect();
	client_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(large_out == 1);
	server_stop_wait();
	close(fd);
	server_listen(&server_ep, routes, NULL);
}

static void a_body_for_nobody_is_let_go(void **state)
{
	int fd = client_connect();

	(void)state;
	held = NULL;
	client_send(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(held);
	close(fd);
	pump_ms(50);
	serve_large(held, NULL);
	pump_until(large_out == 0);
	/* Nor is there a server any more. */
	held = NULL;
	fd = client_connect();
	client_send(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(held);
	server_stop_wait();
	serve_large(held, NULL);
	assert_int_equal(large_out, 0);
	close(fd);
	server_listen(&server_ep, routes, NULL);
}

/* ---- codings ---- */

static void accept_encoding_is_read_as_the_rfc_has_it(void **state)
{
	static const char *const gzip[] = {"gzip", "GZip", "x-gzip", "*",
	    "gzip;q=1", "gzip;q=1.000", "gzip ; q=0.001", "gzip;Q=0.5",
	    "deflate, gzip", "deflate,gzip;q=0.5, *;q=0", "br, *",
	    "identity;q=0.5, gzip;q=0.5", "identity;q=0, gzip;q=0.001", "gzip,",
	    ", ,gzip", "\tgzip\t"};
	static const char *const plain[] = {"", "identity", "deflate", "br",
	    "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *",
	    "identity, gzip;q=0.9", "gzipp", "gzi", "gzip;q=2", "gzip;q=1.001",
	    "gzip;q=-1", "gzip;q=0.1234", "gzip;q=", "gzip;", "gzip;x=1",
	    "gzip q=1", "gzip;q=.5", "\"gzip\""};

	(void)state;
	assert_false(http_accepts_gzip(NULL));
	for (size_t i = 0; i < sizeof(gzip) / sizeof(gzip[0]); i++)
		if (!http_accepts_gzip(gzip[i]))
			fail_msg("not accepted: %s", gzip[i]);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (http_accepts_gzip(plain[i]))
			fail_msg("accepted: %s", plain[i]);
}

static void each_coding_has_its_own_tag(void **state)
{
	struct response r = ask_with("GET", "/text", "");

	(void)state;
	assert_string_equal(response_body(&r), "plain text");
	assert_string_equal(response_header(&r, "ETag"), "\"abc\"");
	assert_string_equal(response_header(&r, "Vary"), "Accept-Encoding");
	assert_string_equal(response_header(&r, "Content-Encoding"), "");
	response_fini(&r);
	r = ask_with("GET", "/text", "Accept-Encoding: gzip, br\r\n");
	assert_string_equal(response_body(&r), "\x1f\x8bgz");
	assert_string_equal(response_header(&r, "ETag"), "\"abc-gzip\"");
	assert_string_equal(response_header(&r, "Vary"), "Accept-Encoding");
	assert_string_equal(response_header(&r, "Content-Encoding"), "gzip");
	assert_string_equal(response_header(&r, "Content-Length"), "4");
	response_fini(&r);
	r = ask_with("HEAD", "/text", "Accept-Encoding: gzip\r\n");
	assert_string_equal(response_header(&r, "Content-Length"), "4");
	assert_string_equal(response_body(&r), "");
	response_fini(&r);
	r = ask_with("GET", "/plain", "Accept-Encoding: gzip\r\n");
	assert_string_equal(response_header(&r, "ETag"), "\"abc\"");
	assert_string_equal(response_header(&r, "Vary"), "");
	response_fini(&r);
}

static int status_of(const char *headers)
{
	struct response r = ask_with("GET", "/text", headers);
	int status = response_status(&r);

	if (status == 304) {
		assert_string_equal(response_body(&r), "");
		assert_string_equal(
		    response_header(&r, "Content-Encoding"), "");
		assert_string_equal(
		    response_header(&r, "Vary"), "Accept-Encoding");
	}
	response_fini(&r);
	return status;
}

/* A 304 speaks of the coding that would have been sent. */
static void a_tag_is_good_for_its_coding(void **state)
{
	(void)state;
	assert_int_equal(status_of("If-None-Match: \"abc\"\r\n"), 304);
	assert_int_equal(status_of("If-None-Match: \"abc-gzip\"\r\n"), 200);
	assert_int_equal(status_of("Accept-Encoding: gzip\r\n"
				   "If-None-Match: \"abc-gzip\"\r\n"),
	    304);
	assert_int_equal(status_of("Accept-Encoding: gzip\r\n"
				   "If-None-Match: \"abc\"\r\n"),
	    200);
	assert_int_equal(status_of("Accept-Encoding: gzip;q=0\r\n"
				   "If-None-Match: \"abc\"\r\n"),
	    304);
}

/* ---- names ---- */

static void is_named(const char *given, bool kept)
{
	char header[1024];
	struct response r;

	snprintf(header, sizeof(header), "X-Request-Id: %s\r\n", given);
	r = ask_with("GET", "/nothing", header);
	if (kept)
		assert_string_equal(response_header(&r, "X-Request-Id"), given);
	else
		assert_string_not_equal(
		    response_header(&r, "X-Request-Id"), given);
	assert_true(strlen(response_header(&r, "X-Request-Id")) > 0);
	snprintf(header, sizeof(header), "\"request_id\":\"%s\"",
	    response_header(&r, "X-Request-Id"));
	assert_non_null(strstr(response_body(&r), header));
	response_fini(&r);
}

static void a_sane_name_is_kept(void **state)
{
	char longest[HTTP_REQUEST_ID_MAX + 1];

	(void)state;
	is_named("01JD9-abc_DEF.7:x", true);
	memset(longest, 'a', sizeof(longest));
	longest[HTTP_REQUEST_ID_MAX - 1] = '\0';
	is_named(longest, true);
	longest[HTTP_REQUEST_ID_MAX - 1] = 'a';
	longest[HTTP_REQUEST_ID_MAX] = '\0';
	is_named(longest, false);
	is_named("", false);
	is_named("two words", false);
	is_named("\"", false);
	is_named("<b>", false);
	is_named("a;b", false);
	is_named("\xc3\xa4", false);
}

static void names_differ(void **state)
{
	struct response one = ask_with("GET", "/plain", "");
	struct response two = ask_with("GET", "/plain", "");
	char name[512];

	(void)state;
	snprintf(
	    name, sizeof(name), "%s", response_header(&one, "X-Request-Id"));
	assert_string_not_equal(response_header(&two, "X-Request-Id"), name);
	response_fini(&one);
	response_fini(&two);
}

/* ---- too often ---- */

static int set_up_limited(void **state)
{
	const struct http_server_options options = {
	    .proxy_protocol = true, .requests_per_s = 1, .requests_burst = 3};

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(endpoint_parse(&server_ep, "tcp://127.0.0.1:0"), 0);
	assert_int_equal(http_server_start_with(&server, &loop, &server_ep,
			     routes, NULL, &options),
	    0);
	server_ep.port = http_server_port(server);
	server_done = false;
	return 0;
}

/* From 192.0.2.LAST. */
static struct response ask_from(int last, const char *target)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	struct response response = {.text = NULL};
	struct proxy_header header;
	char request[512];
	int fd = client_connect();

	memset(&header, 0, sizeof(header));
	header.source.in.sin_family = AF_INET;
	header.source.in.sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)last);
	header.destination = header.source;
	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
	client_send_bytes(
	    fd, (char *)bytes, proxy_header_encode(bytes, &header));
	client_send(fd, request);
	client_read_until(
	    fd, &response, response.closed || response_complete(&response));
	close(fd);
	return response;
}

static void who_asks_too_often_is_told_when(void **state)
{
	struct response r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		r = ask_from(7, "/nothing");
		assert_int_equal(response_status(&r), 404);
		response_fini(&r);
	}
	/* a slow machine may have earned another one by now */
	for (int i = 0; i < 20; i++) {
		r = ask_from(7, "/plain");
		if (response_status(&r) == 429)
			break;
		response_fini(&r);
	}
	assert_int_equal(response_status(&r), 429);
	assert_in_range(
	    strtol(response_header(&r, "Retry-After"), NULL, 10), 1, 2);
	assert_non_null(strstr(response_body(&r), "\"RATE_LIMITED\""));
	assert_string_equal(
	    response_header(&r, "Access-Control-Allow-Origin"), "*");
	response_fini(&r);
	r = ask_from(8, "/plain");
	assert_int_equal(response_status(&r), 200);
	response_fini(&r);
}

#define LARGE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up_large, tear_down_large)
#define ANSWER_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accept_encoding_is_read_as_the_rfc_has_it),
	    LARGE_TEST(a_body_is_let_go_once),
	    LARGE_TEST(a_body_waits_for_its_reader),
	    LARGE_TEST(a_body_for_nobody_is_let_go),
	    ANSWER_TEST(each_coding_has_its_own_tag),
	    ANSWER_TEST(a_tag_is_good_for_its_coding),
	    ANSWER_TEST(a_sane_name_is_kept),
	    ANSWER_TEST(names_differ),
	    cmocka_unit_test_setup_teardown(
		who_asks_too_often_is_told_when, set_up_limited, tear_down),
	};

	return cmocka_run_group_tests_name("http_answers", tests, NULL, NULL);
}
