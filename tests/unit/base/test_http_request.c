/* http_request: kept requests, clients that leave, hostile clients, and the
 * stop of a server in each state that a request can be in. */
#include "client.h"

#include "base/http_state.h"

#include <fcntl.h>
#include <sys/resource.h>

#define KEPT_MAX 300

static struct http_request *kept[KEPT_MAX];
static size_t kept_count;
static int abandoned_count;
static bool want_abandoned;

static void on_abandoned(struct http_request *req, void *data)
{
	assert_ptr_equal(data, kept);
	assert_string_equal(http_method(req), "GET");
	for (size_t i = 0; i < kept_count; i++)
		if (kept[i] == req)
			kept[i] = NULL;
	abandoned_count++;
}

static void serve_keep(struct http_request *req, void *data)
{
	(void)data;
	assert_true(kept_count < KEPT_MAX);
	kept[kept_count++] = req;
	if (want_abandoned)
		http_on_abandoned(req, on_abandoned, kept);
}

static void serve_now(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "\"now\"");
}

static void serve_big(struct http_request *req, void *data)
{
	size_t len = 12u << 20;
	char *body = calloc(1, len);

	(void)data;
	memset(body, 'x', len);
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "text/plain",
			    .body = body,
			    .len = len,
			});
	free(body);
}

static void serve_stop(struct http_request *req, void *data)
{
	(void)data;
	http_server_stop(server, on_server_done, &server_done);
	http_reply_json(req, "\"bye\"");
}

static void serve_stop_and_keep(struct http_request *req, void *data)
{
	http_server_stop(server, on_server_done, &server_done);
	serve_keep(req, data);
}

static void serve_body(struct http_request *req, void *data)
{
	size_t len;

	(void)data;
	http_body(req, &len);
	http_reply_json(req, len == 10 ? "\"ten\"" : "\"other\"");
}

static const struct http_route routes[] = {
    {"GET", "/keep", NULL, serve_keep},
    {"GET", "/now", NULL, serve_now},
    {"GET", "/big", NULL, serve_big},
    {"GET", "/stop", NULL, serve_stop},
    {"GET", "/stop-and-keep", NULL, serve_stop_and_keep},
    {"POST", "/body", NULL, serve_body},
    {NULL, NULL, NULL, NULL},
};

#define KEEP "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"
#define NOW  "GET /now HTTP/1.1\r\nHost: x\r\n\r\n"

static int setup(void **state)
{
	(void)state;
	kept_count = 0;
	abandoned_count = 0;
	want_abandoned = true;
	server_start_tcp(routes, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_end();
	return 0;
}

/* For tests that stop the server themselves. */
static int teardown_loop(void **state)
{
	(void)state;
	loop_end();
	return 0;
}

static int keep_one(void)
{
	size_t before = kept_count;
	int fd = client_connect();

	client_send(fd, KEEP);
	pump_until(kept_count == before + 1);
	return fd;
}

static bool is_idle(const char *text)
{
	return strstr(text, "HTTP/1.1 ") == NULL;
}

/* How many answers have begun to arrive. */
static int count_answers(const struct response *r)
{
	const char *p = r->text;
	int n = 0;

	while (p && (p = strstr(p, "HTTP/1.1 "))) {
		n++;
		p++;
	}
	return n;
}

/* ---- kept requests ---- */

static void test_answer_later(void **state)
{
	struct response r = {.text = NULL};
	int fd = keep_one();

	(void)state;
	pump_ms(20);
	client_read_some(fd, &r);
	assert_true(is_idle(r.text));
	http_reply_json(kept[0], "\"late\"");
	client_read_until(fd, &r, response_complete(&r));
	assert_string_equal(response_body(&r), "\"late\"");

	/* the connection goes on */
	client_send(fd, NOW);
	client_read_until(fd, &r, strstr(r.text, "\"now\""));
	assert_int_equal(abandoned_count, 0);
	response_fini(&r);
	close(fd);
}

static void test_many_kept_on_one_connection(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		client_send(fd, KEEP);
		pump_until(kept_count == i + 1);
		pump_ms(1);
		http_reply_json(kept[i], "\"late\"");
		client_read_until(fd, &r, count_answers(&r) == (int)i + 1);
	}
	response_fini(&r);
	close(fd);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct response r = {.text = NULL};
	const char *now, *late;
	int fd = client_connect();

	(void)state;
	client_send(fd, KEEP NOW KEEP NOW);
	pump_until(kept_count == 1);
	pump_ms(20);
	assert_int_equal(kept_count, 1);
	client_read_some(fd, &r);
	assert_true(is_idle(r.text));
	http_reply_json(kept[0], "\"late\"");
	pump_until(kept_count == 2);
	http_reply_json(kept[1], "\"late\"");
	client_read_until(
	    fd, &r, count_answers(&r) == 4 && strstr(r.text, "\"now\""));
	late = strstr(r.text, "\"late\"");
	now = strstr(r.text, "\"now\"");
	assert_true(late && now && late < now);
	assert_non_null(strstr(now, "\"late\""));
	response_fini(&r);
	close(fd);
}

static void test_client_leaves_a_kept_request(void **state)
{
	int fd = keep_one();

	(void)state;
	close(fd);
	pump_until(abandoned_count == 1);
	pump_ms(20);
	assert_int_equal(abandoned_count, 1);
	assert_null(kept[0]);
	assert_true(TAILQ_EMPTY(&server->requests));
}

static void test_client_resets_a_kept_request(void **state)
{
	struct linger linger = {.l_onoff = 1};
	int fd = keep_one();

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	pump_until(abandoned_count == 1);
}

/* The handler does not want to know and answers into the void. */
static void test_client_leaves_and_nobody_minds(void **state)
{
	int fd;

	(void)state;
	want_abandoned = false;
	fd = keep_one();
	close(fd);
	pump_until(kept[0]->gone);
	http_reply_json(kept[0], "\"late\"");
	pump_until(TAILQ_EMPTY(&server->requests));

	fd = keep_one();
	http_on_abandoned(kept[1], on_abandoned, kept);
	http_on_abandoned(kept[1], NULL, NULL);
	close(fd);
	pump_until(kept[1]->gone);
	http_problem(kept[1], 503, "X", NULL, NULL);
	pump_until(TAILQ_EMPTY(&server->requests));
	assert_int_equal(abandoned_count, 0);
}

/* The handler only asks when the client has left already. */
static void test_late_question_is_answered(void **state)
{
	int fd;

	(void)state;
	want_abandoned = false;
	fd = keep_one();
	close(fd);
	pump_until(kept[0]->gone);
	http_on_abandoned(kept[0], on_abandoned, kept);
	assert_int_equal(abandoned_count, 0);
	pump_until(abandoned_count == 1);
	pump_until(TAILQ_EMPTY(&server->requests));
}

static void test_answer_and_leave_at_once(void **state)
{
	int fd = keep_one();

	(void)state;
	http_reply_json(kept[0], "\"late\"");
	close(fd);
	pump_until(TAILQ_EMPTY(&server->requests));
	assert_int_equal(abandoned_count, 0);
}

/* ---- hostile clients ---- */

static void check_alive(void)
{
	struct response r = client_get("/now");

	assert_string_equal(response_body(&r), "\"now\"");
	response_fini(&r);
}

/* libmicrohttpd does not see a FIN that came together with the last bytes
 * (its epoll is edge-triggered, it reads once): the deadline ends these. */
static void expire_all(void)
{
	struct http_connection *conn;

	TAILQ_FOREACH(conn, &server->timed, entry)
	conn->deadline_ms = now_monotonic_ms();
	http_server_kick(server);
}

static void test_half_requests(void **state)
{
	static const char whole[] = NOW;

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		int fd = client_connect();

		client_send_bytes(fd, whole, n);
		close(fd);
	}
	check_alive();
	expire_all();
	pump_until(TAILQ_EMPTY(&server->requests));
	pump_until(TAILQ_EMPTY(&server->timed));
}

static void test_rubbish(void **state)
{
	static const char *const lines[] = {"\r\n\r\n\r\n", "GET\r\n\r\n",
	    "GET /now\r\n\r\n", "GET /now HTTP/9.9\r\n\r\n",
	    "GET /now HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x05\x01\xff\xff",
	    "GET /now HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	    "GET /now HTTP/1.1\r\nHost x\r\n\r\n",
	    "GET /now HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
	    " GET /now HTTP/1.1\r\nHost: x\r\n\r\n",
	    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = client_connect();

		client_send_bytes(fd, lines[i], strlen(lines[i]));
		pump_ms(2);
		close(fd);
	}
	check_alive();
}

static int status_with_header(size_t len)
{
	char request[8192];
	struct response r;
	int status, n;

	n = snprintf(
	    request, sizeof(request), "GET /now HTTP/1.1\r\nHost: x\r\nX: ");
	memset(request + n, 'x', len);
	snprintf(request + (size_t)n + len, 5, "\r\n\r\n");
	r = client_ask(request);
	status = response_status(&r);
	response_fini(&r);
	return status;
}

/* What is promised is served, what is more is refused, and only where
 * libmicrohttpd's pool is full to the brim without a word. */
static void test_headers_of_all_sizes(void **state)
{
	int silent = 0;

	(void)state;
	for (size_t len = 100; len < 6000; len += 50) {
		int status = status_with_header(len);

		if (len < HTTP_POOL_BYTES - 200)
			assert_int_equal(status, 200);
		else if (len > HTTP_POOL_BYTES)
			assert_true(status == 431 || status == 0);
		silent += status == 0;
	}
	assert_in_range(silent, 0, 6);
	check_alive();
}

static void test_many_headers(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /now HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 2000; i++)
		if (!client_send_bytes(fd, "A: b\r\n", 6))
			break;
	client_read_until(fd, &r, r.closed);
	assert_true(response_status(&r) == 431 || r.reset);
	response_fini(&r);
	close(fd);
	check_alive();
}

static void test_slow_body(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(
	    fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		check_alive();
		client_send(fd, "x");
	}
	client_read_until(fd, &r, response_complete(&r));
	assert_string_equal(response_body(&r), "\"ten\"");
	response_fini(&r);
	close(fd);
}

static void test_200_connections_at_once(void **state)
{
	int fds[200];
	struct response r[200];

	(void)state;
	memset(r, 0, sizeof(r));
	for (int i = 0; i < 200; i++) {
		fds[i] = client_connect();
		client_send(fds[i], KEEP);
	}
	pump_until(kept_count == 200);
	for (int i = 0; i < 200; i += 2)
		close(fds[i]);
	pump_until(abandoned_count == 100);
	for (int i = 0; i < 200; i++)
		if (kept[i])
			http_reply_json(kept[i], "\"late\"");
	for (int i = 1; i < 200; i += 2) {
		client_read_until(fds[i], &r[i], response_complete(&r[i]));
		assert_string_equal(response_body(&r[i]), "\"late\"");
		response_fini(&r[i]);
		close(fds[i]);
	}
}

/* The client's turn is over: its connection is shut, whatever it drips. */
static void test_deadline_of_a_turn(void **state)
{
	struct response r = {.text = NULL};
	struct http_connection *conn;
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /now HT");
	pump_until((conn = TAILQ_FIRST(&server->timed)) != NULL);
	assert_in_range(conn->deadline_ms - now_monotonic_ms(), 1,
	    HTTP_IDLE_TIMEOUT_S * 1000);
	conn->deadline_ms = now_monotonic_ms();
	http_server_kick(server);
	client_read_until(fd, &r, r.closed);
	assert_int_equal(r.len, 0);
	response_fini(&r);
	close(fd);
}

/* A kept request is the handler's turn: no deadline runs. */
static void test_no_deadline_while_kept(void **state)
{
	struct response r = {.text = NULL};
	int fd = keep_one();

	(void)state;
	pump_until(TAILQ_EMPTY(&server->timed));
	http_reply_json(kept[0], "\"late\"");
	client_read_until(fd, &r, response_complete(&r));
	pump_until(!TAILQ_EMPTY(&server->timed));
	response_fini(&r);
	close(fd);
}

/* ---- out of descriptors ---- */

static void test_out_of_descriptors(void **state)
{
	struct rlimit saved, low;
	struct response r = {.text = NULL};
	int fd, first = dup(0), last = first;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &saved);
	fd = client_connect();
	low = saved;
	low.rlim_cur = (rlim_t)fd + 1;
	close(first);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while ((last = dup(0)) >= 0)
		assert_int_equal(fcntl(last, F_SETFD, FD_CLOEXEC), 0);
	client_send(fd, NOW);
	assert_in_range(count_turns(), 1, 60);
	client_read_some(fd, &r);
	assert_true(is_idle(r.text));

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	client_read_until(fd, &r, response_complete(&r));
	assert_string_equal(response_body(&r), "\"now\"");
	response_fini(&r);
	close(fd);
	close(first);
}

static void test_idle_server_sleeps(void **state)
{
	int fd;

	(void)state;
	check_alive();
	fd = keep_one();
	pump_ms(10);
	assert_in_range(count_turns(), 1, 30);
	close(fd);
}

/* Bytes and ends that nobody may read yet do not keep the loop awake. */
static void test_kept_requests_let_the_server_sleep(void **state)
{
	int more, half;

	(void)state;
	want_abandoned = false;
	more = keep_one();
	client_send(more, NOW NOW "GET /no");
	half = keep_one();
	shutdown(half, SHUT_WR);
	pump_until(kept[1]->gone);
	assert_in_range(count_turns(), 1, 30);
	http_reply_json(kept[0], "1");
	http_reply_json(kept[1], "2");
	pump_ms(20);
	assert_in_range(count_turns(), 1, 30);
	close(more);
	close(half);
}

/* A big answer that nobody takes. */
static void test_blocked_answer_lets_the_server_sleep(void **state)
{
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(!TAILQ_EMPTY(&server->requests));
	pump_ms(50);
	assert_in_range(count_turns(), 1, 60);
	close(fd);
}

/* ---- stopping ---- */

static void test_stop_with_kept_requests(void **state)
{
	struct response r = {.text = NULL};
	int a = keep_one(), b;

	(void)state;
	want_abandoned = false;
	b = keep_one();
	server_stop_wait();
	assert_int_equal(abandoned_count, 1);
	assert_null(kept[0]);
	client_read_until(a, &r, r.closed);
	assert_int_equal(response_status(&r), 0);
	/* The other handler answers when all is gone. */
	assert_null(http_header(kept[1], "Host"));
	assert_ptr_equal(http_loop(kept[1]), &loop);
	http_reply_json(kept[1], "\"late\"");
	response_fini(&r);
	close(a);
	close(b);
}

static void test_stop_with_clients_in_every_state(void **state)
{
	int fresh = client_connect(), half = client_connect(),
	    idle = client_connect(), body = client_connect(), waiting;
	struct response r = {.text = NULL};

	(void)state;
	client_send(half, "GET /now HTTP/1.1\r\nHo");
	client_send(body, "POST /body HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 10\r\n\r\nxx");
	client_send(idle, NOW);
	client_read_until(idle, &r, response_complete(&r));
	waiting = keep_one();
	server_stop_wait();
	assert_int_equal(abandoned_count, 1);
	client_read_until(idle, &r, r.closed);
	response_fini(&r);
	close(fresh);
	close(half);
	close(idle);
	close(body);
	close(waiting);
}

static void test_stop_lets_an_answer_go_out(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read_until(fd, &r, r.len > 0);
	http_server_stop(server, on_server_done, &server_done);
	client_read_until(fd, &r, r.closed);
	assert_true(response_complete(&r));
	pump_until(server_done);
	response_fini(&r);
	close(fd);
}

/* Nobody reads: the stop ends by itself all the same. */
static void test_stop_does_not_wait_for_ever(void **state)
{
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(!TAILQ_EMPTY(&server->requests));
	server_stop_wait();
	close(fd);
}

static void test_stop_from_a_handler(void **state)
{
	struct response r = client_get("/stop");

	(void)state;
	assert_string_equal(response_body(&r), "\"bye\"");
	assert_string_equal(response_header(&r, "Connection"), "close");
	pump_until(server_done);
	response_fini(&r);
}

static void test_stop_from_a_handler_that_keeps(void **state)
{
	struct response r = client_get("/stop-and-keep");

	(void)state;
	assert_true(r.closed);
	assert_int_equal(response_status(&r), 0);
	assert_int_equal(abandoned_count, 1);
	pump_until(server_done);
	response_fini(&r);
}

/* Requests that arrive on open connections while it stops. */
static void test_requests_during_the_stop(void **state)
{
	struct response big = {.text = NULL}, late = {.text = NULL};
	int slow = client_connect(), open = client_connect();

	(void)state;
	client_send(open, NOW);
	client_read_until(open, &late, response_complete(&late));
	client_send(slow, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	pump_until(!TAILQ_EMPTY(&server->requests));
	http_server_stop(server, on_server_done, &server_done);
	client_send(open, KEEP);
	client_read_until(open, &late, late.closed);
	assert_non_null(strstr(late.text, "SERVER_STOPPING"));
	assert_int_equal(kept_count, 0);
	client_read_until(slow, &big, big.closed);
	pump_until(server_done);
	response_fini(&late);
	response_fini(&big);
	close(slow);
	close(open);
}

static void test_stop_at_once(void **state)
{
	int fd = client_connect();

	(void)state;
	server_stop_wait();
	close(fd);
}

static void test_stop_without_callback(void **state)
{
	(void)state;
	http_server_stop(server, NULL, NULL);
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define stop_test(f)   cmocka_unit_test_setup_teardown(f, setup, teardown_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    server_test(test_answer_later),
	    server_test(test_many_kept_on_one_connection),
	    server_test(test_pipelined_requests_are_answered_in_order),
	    server_test(test_client_leaves_a_kept_request),
	    server_test(test_client_resets_a_kept_request),
	    server_test(test_client_leaves_and_nobody_minds),
	    server_test(test_late_question_is_answered),
	    server_test(test_answer_and_leave_at_once),
	    server_test(test_half_requests),
	    server_test(test_rubbish),
	    server_test(test_headers_of_all_sizes),
	    server_test(test_many_headers),
	    server_test(test_slow_body),
	    server_test(test_200_connections_at_once),
	    server_test(test_deadline_of_a_turn),
	    server_test(test_no_deadline_while_kept),
	    server_test(test_out_of_descriptors),
	    server_test(test_idle_server_sleeps),
	    server_test(test_kept_requests_let_the_server_sleep),
	    server_test(test_blocked_answer_lets_the_server_sleep),
	    stop_test(test_stop_with_kept_requests),
	    stop_test(test_stop_with_clients_in_every_state),
	    stop_test(test_stop_lets_an_answer_go_out),
	    stop_test(test_stop_does_not_wait_for_ever),
	    stop_test(test_stop_from_a_handler),
	    stop_test(test_stop_from_a_handler_that_keeps),
	    stop_test(test_requests_during_the_stop),
	    stop_test(test_stop_at_once),
	    stop_test(test_stop_without_callback),
	};
	return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
