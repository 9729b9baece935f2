/* kept_sender: a real server whose answers are kept: that they are those that
 * libmicrohttpd would give, whom they are given, and what else a connection
 * may ask for. */
#include "kept_fixture.h"

#include "base/proxy_header.h"

/* ---- one answer for many ---- */

static void test_asked_once(void **state)
{
	struct response r = {.text = NULL}, other;
	int fd = client_connect();

	(void)state;
	for (int i = 0; i < 20; i++) {
		ask_on(fd, KEPT, &r);
		assert_int_equal(response_status(&r), 200);
		assert_string_equal(response_body(&r), "aaaaa");
	}
	other = client_ask(KEPT);
	assert_string_equal(response_body(&other), "aaaaa");
	assert_int_equal(asked, 1);
	response_fini(&other);
	response_fini(&r);
	close(fd);
}

static void test_newer_text(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	for (int i = 1; i < 4; i++) {
		version++;
		ask_on(fd, KEPT, &r);
		assert_int_equal(response_body(&r)[0], 'a' + i);
		ask_on(fd, KEPT, &r);
		assert_int_equal(asked, i);
	}
	assert_int_equal(askers(), 1);
	response_fini(&r);
	close(fd);
}

static void test_good_until(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	until_ms = 1; /* long ago: good for the one who asked */
	ask_on(fd, KEPT, &r);
	ask_on(fd, KEPT, &r);
	assert_int_equal(response_status(&r), 200);
	assert_int_equal(asked, 2);
	response_fini(&r);
	close(fd);
}

/* ---- the same as libmicrohttpd's ---- */

struct line {
	char text[256];
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The lines of a head, sorted, without those that differ each time. */
static size_t sorted_head(const struct response *r, struct line out[32])
{
	const char *at = r->text, *end = strstr(at, "\r\n\r\n");
	size_t count = 0;

	for (; at && at < end; at = strstr(at, "\r\n") + 2) {
		int len = (int)strcspn(at, "\r");

		if (strncmp(at, "Date: ", 6) == 0 ||
		    strncmp(at, "X-Request-Id: ", 14) == 0)
			continue;
		/* Which RFC 9110 8.6 does not want. */
		if (response_status(r) == 304 &&
		    strncmp(at, "Content-Length: ", 16) == 0)
			continue;
		snprintf(out[count++].text, sizeof(out->text), "%.*s", len, at);
		assert_true(count < 32);
	}
	qsort(out, count, sizeof(*out), compare);
	return count;
}

static void check_same(const char *lines)
{
	static struct line ours[32], theirs[32];
	struct response kept = {.text = NULL}, usual = {.text = NULL};
	char request[512];
	int fd = client_connect(), other = client_connect();
	size_t count;

	snprintf(request, sizeof(request), WITH("%s"), lines);
	ask_on(fd, request, &kept);
	assert_int_equal(askers(), 1);
	snprintf(
	    request, sizeof(request), WITH("X-Request-Id: mine\r\n%s"), lines);
	ask_on(other, request, &usual);
	assert_int_equal(askers(), 1);
	assert_string_equal(response_header(&usual, "X-Request-Id"), "mine");
	count = sorted_head(&kept, ours);
	if (count != sorted_head(&usual, theirs))
		fail_msg("another head than\n%s", usual.text);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(ours[i].text, theirs[i].text);
	assert_string_equal(response_body(&kept), response_body(&usual));
	assert_int_equal(strlen(response_header(&kept, "Date")),
	    strlen(response_header(&usual, "Date")));
	assert_true(strlen(response_header(&kept, "X-Request-Id")) > 16);
	response_fini(&kept);
	response_fini(&usual);
	close(fd);
	close(other);
	pump_until(server->clients.total == 0);
}

static void test_same_answers(void **state)
{
	(void)state;
	check_same("");
	check_same("Connection: keep-alive\r\n");
	check_same("Accept-Encoding: gzip\r\n");
	check_same("If-None-Match: \"e\"\r\n");
	check_same("If-None-Match: \"e-gzip\"\r\nAccept-Encoding: gzip\r\n");
	check_same("If-None-Match: \"f\"\r\n");
	check_same("Origin: http://elsewhere\r\n");
}

/* ---- what is not for us ---- */

static void test_then_another(void **state)
{
	(void)state;
	check_others();
}

static void test_half_a_request(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_on(fd, KEPT, &r);
	client_send(fd, "GET /kept/A HTTP/1.1\r\nHo");
	pump_until(askers() == 0);
	ask_on(fd, "st: x\r\n\r\n", &r);
	assert_string_equal(response_body(&r), "aaaaa");
	response_fini(&r);
	close(fd);
}

static void test_close_asked(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, WITH("Connection: close\r\n"));
	client_read_until(fd, &r, r.closed);
	assert_int_equal(response_status(&r), 200);
	assert_false(r.reset);
	response_fini(&r);
	close(fd);
}

/* A refusal is not kept, and the next answer may be a price again. */
static void test_refusal(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_on(fd, KEPT, &r);
	refuses = true;
	version++;
	ask_on(fd, KEPT, &r);
	assert_int_equal(response_status(&r), 503);
	assert_non_null(strstr(r.text, "PRICE_STALE"));
	refuses = false;
	ask_on(fd, KEPT, &r);
	assert_int_equal(response_status(&r), 200);
	response_fini(&r);
	close(fd);
}

/* ---- many at once ---- */

static size_t count_answers(const struct response *r)
{
	size_t count = 0;

	for (const char *at = r->text; at && (at = strstr(at, "HTTP/1.1 200"));
	     at++)
		count++;
	return count;
}

static void test_pipeline(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, KEPT KEPT KEPT GET("/now") KEPT);
	client_read_until(fd, &r, count_answers(&r) == 5);
	pump_until(strstr(r.text, "\"now\"") != NULL);
	assert_int_equal(asked, 2);
	response_fini(&r);
	close(fd);
}

static void read_slowly(size_t answers)
{
	struct response r = {.text = NULL};
	int fd = client_connect(), small = 65536;
	size_t head;

	body_len = BIG;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (size_t i = 0; i < answers; i++)
		client_send(fd, KEPT);
	pump_ms(50);
	version++; /* what is on its way stays as it was */
	client_read_until(fd, &r, response_complete(&r));
	head = (size_t)(response_body(&r) - r.text);
	client_read_until(fd, &r, r.len == answers * (head + BIG));
	assert_int_equal(r.text[head], r.text[head + BIG - 1]);
	assert_int_equal(r.text[r.len - 1], 'b');
	assert_int_equal(askers(), 1);
	response_fini(&r);
	close(fd);
}

static void test_slow_reader(void **state)
{
	(void)state;
	read_slowly(40);
}

static void test_leaves_in_the_middle(void **state)
{
	int fd = client_connect();

	(void)state;
	body_len = BIG;
	for (int i = 0; i < 100; i++)
		client_send(fd, KEPT);
	pump_ms(20);
	assert_int_equal(askers(), 1);
	close(fd);
	pump_until(askers() == 0);
}

/* ---- silence ---- */

static void test_silence(void **state)
{
	struct response idle = {.text = NULL}, busy = {.text = NULL};
	int fd, other;

	(void)state;
	server->kept_sender.timeout_ms = 300;
	fd = client_connect();
	ask_on(fd, KEPT, &idle);
	other = client_connect();
	while (!idle.closed) {
		ask_on(other, KEPT, &busy);
		client_read_some(fd, &idle);
		assert_false(busy.closed);
	}
	assert_false(idle.reset);
	client_read_until(other, &busy, busy.closed);
	pump_until(askers() == 0); /* libuv 1.45: in the next turn */
	response_fini(&idle);
	response_fini(&busy);
	close(fd);
	close(other);
}

/* ---- the end ---- */

static void test_stop_while_asking(void **state)
{
	struct response r = {.text = NULL};
	int fd;

	(void)state;
	setup(NULL);
	fd = client_connect();
	ask_on(fd, KEPT, &r);
	server_end();
	client_read_some(fd, &r);
	assert_true(r.closed);
	response_fini(&r);
	close(fd);
}

static void test_stop_while_sending(void **state)
{
	struct response r = {.text = NULL};
	int fd;

	(void)state;
	setup(NULL);
	body_len = BIG;
	fd = client_connect();
	for (int i = 0; i < 100; i++)
		client_send(fd, KEPT);
	pump_ms(20);
	assert_int_equal(askers(), 1);
	server_end(); /* cuts it off */
	response_fini(&r);
	close(fd);
}

/* ---- who asks too often ---- */

static void start_limited(unsigned burst)
{
	struct endpoint ep;

	reset();
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	server_done = false;
	assert_int_equal(
	    http_server_start_with(&server, &loop, &ep, routes, NULL,
		&(struct http_server_options){.proxy_protocol = true,
		    .requests_per_s = 1,
		    .requests_burst = burst}),
	    0);
	server_ep = ep;
	server_ep.port = http_server_port(server);
}

/* How many of eight clients at 192.0.2.LAST are not refused for it. */
static int count_served(int last, const char *request)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	struct proxy_header header;
	int served = 0;

	memset(&header, 0, sizeof(header));
	header.source.in.sin_family = AF_INET;
	header.source.in.sin_port = htons(4711);
	header.source.in.sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)last);
	header.destination = header.source;
	for (int i = 0; i < 8; i++) {
		size_t len = proxy_header_encode(bytes, &header);
		struct response r = {.text = NULL};
		int fd = client_connect();

		assert_true(client_send_bytes(fd, (char *)bytes, len));
		ask_on(fd, request, &r);
		served += response_status(&r) != 429;
		assert_true(response_status(&r) > 0);
		response_fini(&r);
		close(fd);
	}
	return served;
}

/* One for each request, whoever answers it in the end. */
static void test_limit(void **state)
{
	(void)state;
	start_limited(4);
	assert_in_range(count_served(1, KEPT), 4, 5);
	refuses = true;
	version++;
	assert_in_range(count_served(2, KEPT), 4, 5);
	assert_in_range(count_served(3, GET("/now")), 4, 5);
	pump_until(server->clients.total == 0);
	server_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_asked_once),
	    EACH(test_newer_text),
	    EACH(test_good_until),
	    EACH(test_same_answers),
	    EACH(test_then_another),
	    EACH(test_half_a_request),
	    EACH(test_close_asked),
	    EACH(test_refusal),
	    EACH(test_pipeline),
	    EACH(test_slow_reader),
	    EACH(test_leaves_in_the_middle),
	    EACH(test_silence),
	    cmocka_unit_test_setup_teardown(
		test_asked_once, setup_unix, teardown),
	    cmocka_unit_test_setup_teardown(
		test_then_another, setup_unix, teardown),
	    cmocka_unit_test(test_stop_while_asking),
	    cmocka_unit_test(test_stop_while_sending),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("kept_sender", tests, NULL, NULL);
}
