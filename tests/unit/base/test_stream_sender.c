/* stream_sender: streams of a real server on sockets of our own: who gets one,
 * with which head, readers that stall, and thousands at once. */
#include "client.h"

#include "base/http_state.h"
#include "base/log.h"
#include "base/proxy_header.h"
#include "base/sse_state.h"

#include <sys/resource.h>

#define EVENTS      40
#define EVENT_BYTES 16384
#define MANY        2000
#define STALLED     (MANY / 10)

static struct sse_hub *hub;
static unsigned asked;

static void serve_stream(struct http_request *req, void *data)
{
	(void)data;
	asked++;
	sse_subscribe(
	    hub, req, http_param(req, "feeds"), http_param(req, "since"));
}

static void serve_now(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "\"now\"");
}

static const char *const params[] = {"feeds", "since", NULL};
static const struct http_route routes[] = {
    {http_get_stream, "/stream", params, serve_stream},
    {"GET", "/now", NULL, serve_now},
    {NULL, NULL, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	asked = 0;
	server_start_tcp(routes, NULL);
	hub = sse_hub_new(&(struct sse_hub_options){
	    .loop = &loop, .epoch = "e", .retry_ms = 2000});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sse_hub_close(hub, "test over");
	server_stop_wait();
	sse_hub_free(hub);
	loop_end();
	return 0;
}

static void publish(const char *data)
{
	sse_publish(hub, "price", "A", data, strlen(data), true);
}

/* ---- who gets one ---- */

static int open_with(const char *request, struct response *r)
{
	int fd = client_connect();

	memset(r, 0, sizeof(*r));
	client_send(fd, request);
	client_read_until(fd, r, r->text && strstr(r->text, "retry: 2000\n\n"));
	return fd;
}

static void check_served(const char *request, unsigned by_us)
{
	struct response r;
	int fd = open_with(request, &r);

	assert_int_equal(response_status(&r), 200);
	assert_int_equal(server->sender.count, by_us);
	publish("\"end\"");
	client_read_until(fd, &r, strstr(r.text, "\"end\""));
	close(fd);
	response_fini(&r);
	pump_until(hub->stats.subscribers == 0 && server->clients.total == 0);
}

static void test_who_is_served(void **state)
{
	(void)state;
	check_served("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", 1);
	check_served("GET /stream?feeds=A HTTP/1.0\r\n\r\n", 1);
	check_served("GET http://x/stream HTTP/1.1\r\nHost: x\r\n\r\n", 1);
	/* Not for our reader, and served all the same. */
	check_served("GET /stream HTTP/1.1\r\nHost: x\r\n"
		     "Content-Length: 0\r\n\r\n",
	    0);
	check_served("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
		     "GET /now HTTP/1.1\r\nHost: x\r\n\r\n",
	    0);
}

static void test_later_request_of_a_connection(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read_until(fd, &r, response_complete(&r));
	client_send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read_until(fd, &r, strstr(r.text, "retry: 2000\n\n"));
	assert_int_equal(server->sender.count, 0);
	publish("\"end\"");
	client_read_until(fd, &r, strstr(r.text, "\"end\""));
	response_fini(&r);
	close(fd);
}

/* A refusal is libmicrohttpd's: the connection goes on. */
static void test_refusal_and_then_another(void **state)
{
	static const char *const bad[] = {"/stream?since=x", "/stream?no=1",
	    "/stream?feeds=A&feeds=A", "/stream?feeds=%zz", "/stream/"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct response r = {.text = NULL};
		int fd = client_connect();
		char request[128];

		snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", bad[i]);
		client_send(fd, request);
		client_read_until(fd, &r, response_complete(&r));
		assert_in_range(response_status(&r), 400, 404);
		assert_non_null(strstr(r.text, "problem+json"));
		client_send(fd, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
		client_read_until(fd, &r, strstr(r.text, "\"now\""));
		response_fini(&r);
		close(fd);
	}
	assert_int_equal(asked, 2); /* since=x, by both */
	assert_int_equal(hub->stats.subscribers, 0);
}

/* The same head by both ways but for how the end is told. */
static void test_heads_agree(void **state)
{
	static const char *const names[] = {"Content-Type", "Cache-Control",
	    "X-Accel-Buffering", "Access-Control-Allow-Origin",
	    "Access-Control-Expose-Headers", "X-Content-Type-Options",
	    "X-Request-Id"};
	struct response ours, theirs;
	int a = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n"
			  "X-Request-Id: me-1\r\n\r\n",
	    &ours);
	int b = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n"
			  "X-Request-Id: me-1\r\nContent-Length: 0\r\n\r\n",
	    &theirs);

	(void)state;
	assert_int_equal(server->sender.count, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char value[512];

		snprintf(value, sizeof(value), "%s",
		    response_header(&ours, names[i]));
		if (!value[0] ||
		    strcmp(value, response_header(&theirs, names[i])) != 0)
			fail_msg("%s: %s", names[i], value);
	}
	assert_int_equal(strlen(response_header(&ours, "Date")),
	    strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
	assert_string_equal(response_header(&ours, "Connection"), "close");
	assert_string_equal(response_header(&ours, "Transfer-Encoding"), "");
	response_fini(&ours);
	response_fini(&theirs);
	close(a);
	close(b);
}

/* What the client says on it is nobody's request, and costs nothing. */
static void test_client_talks(void **state)
{
	struct response r;
	int fd = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &r);

	(void)state;
	client_send(fd, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_ms(20);
	assert_in_range(count_turns(), 1, 20);
	sse_hub_close(hub, "over");
	client_read_until(fd, &r, r.closed);
	assert_null(strstr(r.text, "\"now\""));
	assert_non_null(strstr(r.text, "event: goodbye"));
	assert_false(r.reset);
	response_fini(&r);
	close(fd);
}

static void test_half_close_is_leaving(void **state)
{
	struct response r;
	int fd = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &r);

	(void)state;
	shutdown(fd, SHUT_WR);
	pump_until(hub->stats.subscribers == 0);
	client_read_until(fd, &r, r.closed);
	response_fini(&r);
	close(fd);
}

/* ---- slow ones ---- */

static void block(void)
{
	static char data[1 << 20];

	memset(data, 'x', sizeof(data) - 1);
	for (int i = 0; i < 7 && TAILQ_EMPTY(&server->sender.blocked); i++) {
		publish(data);
		pump_until(hub->outbox.count == 0);
		pump_ms(5);
	}
	assert_false(TAILQ_EMPTY(&server->sender.blocked));
}

/* As long as it takes something now and then. */
static void test_slow_is_not_stalled(void **state)
{
	uv_timer_t *timer = &server->sender.timer;
	struct response r;
	int fd = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &r);
	uint64_t before;
	size_t len;

	(void)state;
	block();
	assert_true(uv_is_active((uv_handle_t *)timer));
	assert_in_range(uv_timer_get_due_in(timer), 1, STREAM_STALL_MS);
	pump_ms(50);
	timer->timer_cb(timer); /* nothing to do yet */
	assert_int_equal(server->sender.count, 1);
	before = uv_timer_get_due_in(timer);
	len = r.len;
	client_read_until(fd, &r, r.len > len + (1 << 20));
	if (!TAILQ_EMPTY(&server->sender.blocked)) {
		timer->timer_cb(timer);
		assert_true(uv_timer_get_due_in(timer) > before);
	}
	assert_int_equal(hub->stats.slow_closed, 0);
	response_fini(&r);
	close(fd);
}

/* The end waits for those that still read, and not for the others. */
static void test_end_of_a_blocked_one(void **state)
{
	struct response r;
	int fd = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &r);

	(void)state;
	block();
	sse_hub_close(hub, "over");
	pump_ms(20);
	assert_int_equal(server->sender.count, 1);
	client_read_until(fd, &r, r.closed);
	assert_non_null(strstr(r.text, "event: goodbye"));
	pump_until(server->sender.count == 0);
	assert_true(TAILQ_EMPTY(&server->sender.blocked));
	response_fini(&r);
	close(fd);
}

/* ---- ceilings ---- */

static void test_streams_full(void **state)
{
	struct response r;

	(void)state;
	server->daemon_streams = HTTP_STREAMS_MAX;
	r = client_get("/stream");
	assert_int_equal(response_status(&r), 503);
	assert_non_null(strstr(r.text, "STREAMS_FULL"));
	response_fini(&r);
	r = client_get("/now");
	assert_int_equal(response_status(&r), 200);
	response_fini(&r);
	server->daemon_streams = 0;
	r = client_get("/stream?since=x");
	assert_int_equal(response_status(&r), 400);
	response_fini(&r);
}

/* By the way of libmicrohttpd they count as well, and are given back. */
static void test_both_kinds_count(void **state)
{
	struct response a, b;
	int fd_a = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &a);
	int fd_b = open_with("GET /stream HTTP/1.1\r\nHost: x\r\n"
			     "Content-Length: 0\r\n\r\n",
	    &b);

	(void)state;
	assert_int_equal(server->sender.count, 1);
	assert_int_equal(server->daemon_streams, 1);
	assert_int_equal(server->clients.total, 2);
	close(fd_a);
	close(fd_b);
	pump_until(server->sender.count + server->daemon_streams == 0);
	response_fini(&a);
	response_fini(&b);
}

/* One of 192.0.2.1, as a PROXY header says. */
static int connect_from_afar(void)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	struct proxy_header header;
	int fd = client_connect();

	memset(&header, 0, sizeof(header));
	header.source.in.sin_family = AF_INET;
	header.source.in.sin_addr.s_addr = htonl(0xc0000201u);
	header.destination = header.source;
	assert_true(client_send_bytes(
	    fd, (char *)bytes, proxy_header_encode(bytes, &header)));
	return fd;
}

/* Streams and other connections of an address have one ceiling together. */
static void test_one_client(void **state)
{
	static int fds[3];
	struct response r = {.text = NULL};
	int more;

	(void)state;
	server->options.proxy_protocol = true;
	server->clients.each_max = 3;
	for (int i = 0; i < 3; i++) {
		fds[i] = connect_from_afar();
		client_send(
		    fds[i], i < 2 ? "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
				  : "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	client_read_until(fds[2], &r, response_complete(&r));
	response_fini(&r);
	pump_until(server->sender.count == 2);
	more = connect_from_afar();
	client_read_until(more, &r, r.closed);
	assert_int_equal(r.len, 0);
	response_fini(&r);
	close(more);
	close(fds[0]);
	pump_until(server->clients.total == 2);
	fds[0] = connect_from_afar();
	client_send(fds[0], "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read_until(fds[0], &r, response_complete(&r));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	response_fini(&r);
}

/* ---- thousands, and some that stall ---- */

struct reader {
	int fd;
	size_t got; /* of `expected` */
	bool begun; /* behind the head */
};

static struct reader readers[MANY];
static char *expected;
static size_t expected_len;

static void expect_all(void)
{
	size_t len;
	FILE *out = open_memstream(&expected, &len);

	fprintf(out, "retry: 2000\n\n");
	for (int n = 1; n <= EVENTS; n++) {
		fprintf(out, "event: price\nid: e-%d\ndata: ", n);
		for (int i = 0; i < EVENT_BYTES; i++)
			fputc('a' + n % 26, out);
		fprintf(out, "\n\n");
	}
	fclose(out);
	expected_len = len;
}

static void open_readers(void)
{
	static const char request[] = "GET /stream HTTP/1.1\r\n"
				      "Host: x\r\n\r\n";

	for (int i = 0; i < MANY; i++) {
		int bytes = 4096;

		readers[i].fd = client_connect();
		if (i < STALLED)
			setsockopt(readers[i].fd, SOL_SOCKET, SO_RCVBUF, &bytes,
			    sizeof(bytes));
		client_send(readers[i].fd, request);
	}
	pump_until(hub->stats.subscribers == MANY);
	assert_int_equal(server->sender.count, MANY);
}

static void read_some(struct reader *reader)
{
	static char bytes[65536 + 1];
	ssize_t n = recv(reader->fd, bytes, sizeof(bytes) - 1, 0);
	const char *from = bytes;

	if (n < 0 && errno == EAGAIN)
		return;
	assert_true(n > 0);
	bytes[n] = '\0';
	if (!reader->begun) {
		from = strstr(bytes, "\r\n\r\n") + 4;
		n -= from - bytes;
		reader->begun = true;
	}
	assert_true(reader->got + (size_t)n <= expected_len);
	if (memcmp(expected + reader->got, from, (size_t)n) != 0)
		fail_msg("another text at %zu", reader->got);
	reader->got += (size_t)n;
}

/* Those that read; false while one of them has not got `len` bytes. */
static bool all_have(size_t len)
{
	bool all = true;

	for (int i = STALLED; i < MANY; i++) {
		if (readers[i].got < len)
			read_some(&readers[i]);
		all = all && readers[i].got >= len;
	}
	return all;
}

static bool allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur >= count;
}

/* The others miss nothing; those that stall are closed, and counted. */
static void test_a_tenth_stalls(void **state)
{
	static char data[EVENT_BYTES + 1];

	(void)state;
	if (!allow_descriptors(2 * MANY + 100))
		skip();
	expect_all();
	open_readers();
	for (int n = 1; n <= EVENTS; n++) {
		memset(data, 'a' + n % 26, EVENT_BYTES);
		publish(data);
		if (n % 8 == 0)
			pump_until(all_have(
			    expected_len * (size_t)n / EVENTS * 9 / 10));
	}
	pump_until(all_have(expected_len));
	assert_int_equal(hub->stats.slow_closed, 0);
	assert_int_equal(hub->stats.subscribers, MANY);
	assert_true(uv_is_active((uv_handle_t *)&server->sender.timer));
	/* Half a minute later. */
	server->sender.stall_ms = 1;
	server->sender.timer.timer_cb(&server->sender.timer);
	pump_until(hub->stats.subscribers == MANY - STALLED);
	assert_int_equal(hub->stats.slow_closed, STALLED);
	assert_int_equal(hub->outbox.count, 0);
	for (int i = 0; i < MANY; i++)
		close(readers[i].fd);
	pump_until(server->clients.total == 0);
	free(expected);
}

static int quiet(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	return 0;
}

#define sender_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    sender_test(test_who_is_served),
	    sender_test(test_later_request_of_a_connection),
	    sender_test(test_refusal_and_then_another),
	    sender_test(test_heads_agree),
	    sender_test(test_client_talks),
	    sender_test(test_half_close_is_leaving),
	    sender_test(test_slow_is_not_stalled),
	    sender_test(test_end_of_a_blocked_one),
	    sender_test(test_streams_full),
	    sender_test(test_both_kinds_count),
	    sender_test(test_one_client),
	    sender_test(test_a_tenth_stalls),
	};

	return cmocka_run_group_tests_name("stream_sender", tests, quiet, NULL);
}
