/*
 * https_connection, seen through https_client: the dial, the proxy, the TLS
 * handshake, each way in which they fail, and a close while each of them is
 * being waited for. fixture_end() checks that nothing is left on the loop.
 */
#include <netinet/in.h>

#include "tests/unit/oracle/https_fixture.h"

static void answer_all(struct peer_session *s)
{
	while (peer_request(s))
		peer_json(s, "{}");
}

static void silent(struct peer_session *s)
{
	peer_wait(s);
}

/* What the test put into peer.data, over no TLS at all. */
static void say_data(struct peer_session *s)
{
	if (s->peer->data != NULL)
		peer_say(s, s->peer->data);
	peer_wait(s);
}

static void hang_up(struct peer_session *s)
{
	(void)s;
}

static void hang_up_after_hello(struct peer_session *s)
{
	char byte;
	(void)!read(s->fd, &byte, 1);
}

/* One get; expects this error and this in `why`. */
static void check_failure(
    struct fixture *f, enum quote_error error, const char *why)
{
	fixture_open(f);
	fixture_get(f);
	if (f->error != error || strstr(f->why, why) == NULL)
		fail_msg("%s: %s", quote_error_name(f->error), f->why);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->len, 0);
	assert_int_equal(atomic_load(&f->peer.requests), 0);
	fixture_end(f);
}

/* A peer without TLS. */
static void begin_raw(struct fixture *f, peer_story story, const char *says)
{
	fixture_begin(f, story);
	SSL_CTX_free(f->peer.context);
	f->peer.context = NULL;
	f->peer.data = (void *)says;
}

/* ---- the dial ---- */

/* A port on which nobody listens: one that was just given up. */
static uint16_t dead_port(void)
{
	struct endpoint ep;
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	int fd = endpoint_listen(&ep, 1);
	uint16_t port = (uint16_t)endpoint_bound_port(fd);
	close(fd);
	return port;
}

static void test_refused(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	f.options.port = dead_port();
	check_failure(&f, QUOTE_CONNECT_FAILED, "dial: connection refused");
}

/* A listener whose queue is full: the kernel leaves the next one waiting
 * (listen(2)). Returns the descriptor; more of them in `fill`. */
static int full_listener(uint16_t *port, int fill[static 4])
{
	struct endpoint ep;
	struct sockaddr_in to = {.sin_family = AF_INET};
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	int fd = endpoint_listen(&ep, 0);
	assert_true(fd >= 0);
	*port = (uint16_t)endpoint_bound_port(fd);
	to.sin_port = htons(*port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fill[i], (struct sockaddr *)&to, sizeof(to));
	}
	return fd;
}

/* A dial that hangs: it ends at its deadline, or at once by a close. */
static void check_hanging_dial(uint64_t timeout_ms)
{
	int fill[4];
	uint16_t port;
	int fd = full_listener(&port, fill);
	struct fixture f;

	fixture_begin(&f, answer_all);
	f.options.port = port;
	f.options.connect_timeout_ms = timeout_ms;
	fixture_open(&f);
	if (timeout_ms < 1000) {
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_TIMEOUT);
	} else {
		https_client_get(f.client, "/x", fixture_on_answer, &f);
		fixture_run_for(&f, 50);
	}
	fixture_end(&f);
	close(fd);
	for (int i = 0; i < 4; i++)
		close(fill[i]);
}

static void test_dial_deadline(void **state)
{
	(void)state;
	check_hanging_dial(100);
}

static void test_close_hanging_dial(void **state)
{
	(void)state;
	check_hanging_dial(3600000);
}

static void test_no_proxy_there(void **state)
{
	struct endpoint proxy;
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	assert_int_equal(
	    endpoint_parse(&proxy, "unix:///tmp/nobody-listens.sock"), 0);
	f.options.proxy = &proxy;
	check_failure(&f, QUOTE_CONNECT_FAILED, "dial: ");
}

/* ---- the proxy ---- */

static void begin_proxy(struct fixture *f, const char *answer)
{
	fixture_begin(f, answer_all);
	f->peer.proxy = answer;
	f->options.port = 443;
}

static void test_proxy(void **state)
{
	struct fixture f;
	(void)state;
	begin_proxy(&f, "HTTP/1.1 200 Connection established\r\n\r\n");
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	fixture_end(&f);
	assert_string_equal(f.peer.connect_head,
	    "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n");
	assert_non_null(
	    strstr(f.peer.sessions[0].head, "\r\nHost: localhost\r\n"));
}

static void test_proxy_on_a_unix_socket(void **state)
{
	char path[] = "/tmp/proxy-XXXXXX", uri[64];
	struct endpoint proxy;
	struct fixture f;
	(void)state;

	assert_non_null(mkdtemp(path));
	snprintf(uri, sizeof(uri), "unix://%s/s", path);
	begin_proxy(&f, "HTTP/1.1 200 OK\r\n\r\n");
	peer_start_at(&f.peer, uri);
	assert_int_equal(endpoint_parse(&proxy, uri), 0);
	f.options.proxy = &proxy;
	f.client = https_client_new(&f.options);
	memset(&proxy, 0xff, sizeof(proxy)); /* it was copied */
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	fixture_end(&f);
	unlink(uri + strlen("unix://"));
	rmdir(path);
}

static void test_proxy_refuses(void **state)
{
	static const struct {
		const char *answer, *why;
	} cases[] = {
	    {"HTTP/1.1 403 not allowed here\r\n\r\n",
		"proxy: 403 not allowed here"},
	    {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops",
		"proxy: 502 Bad Gateway"},
	    {"220 smtp.example.test ESMTP\r\n", "proxy: "},
	    {"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03", "spoke before we did"},
	};
	struct fixture f;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_proxy(&f, cases[i].answer);
		check_failure(&f, QUOTE_CONNECT_FAILED, cases[i].why);
	}
}

static void test_proxy_hangs_up(void **state)
{
	struct endpoint proxy;
	struct fixture f;
	char uri[64];
	(void)state;
	begin_raw(&f, hang_up_after_hello, NULL);
	peer_start(&f.peer);
	snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%u", f.peer.port);
	assert_int_equal(endpoint_parse(&proxy, uri), 0);
	f.options.proxy = &proxy;
	f.options.port = 443;
	f.client = https_client_new(&f.options);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_CONNECT_FAILED);
	assert_non_null(strstr(f.why, "proxy: "));
	fixture_end(&f);
}

static void test_proxy_is_silent(void **state)
{
	struct fixture f;
	(void)state;
	begin_proxy(&f, "");
	f.options.connect_timeout_ms = 500;
	check_failure(&f, QUOTE_TIMEOUT, "waited for the proxy");
}

/* ---- TLS ---- */

static void check_leaf(const struct pki_wish *wish, const char *why)
{
	struct pki_cert leaf = pki_issue(&fixture_pki.ca, wish);
	struct fixture f;

	fixture_begin(&f, answer_all);
	SSL_CTX_free(f.peer.context);
	f.peer.context = pki_server(&leaf, 0);
	check_failure(&f, QUOTE_TLS_FAILED, why);
	pki_cert_fini(&leaf);
}

static void test_wrong_certificates(void **state)
{
	struct pki_wish wish = {.cn = "localhost",
	    .san = "DNS:localhost",
	    .not_before_s = -2 * PKI_DAY,
	    .not_after_s = -PKI_DAY};
	(void)state;
	check_leaf(&wish, "certificate has expired");
	wish.not_after_s = PKI_DAY;
	wish.self_signed = true;
	check_leaf(&wish, "self-signed certificate");
	wish.self_signed = false;
	wish.san = "DNS:elsewhere.test";
	check_leaf(&wish, "hostname mismatch");
}

static void test_old_tls(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	SSL_CTX_set_max_proto_version(f.peer.context, TLS1_1_VERSION);
	check_failure(&f, QUOTE_TLS_FAILED, "protocol");
}

static void test_tls_1_2(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	SSL_CTX_set_max_proto_version(f.peer.context, TLS1_2_VERSION);
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	fixture_end(&f);
}

static void test_no_tls(void **state)
{
	struct fixture f;
	(void)state;
	begin_raw(&f, say_data, "HTTP/1.1 400 Bad Request\r\n\r\n");
	check_failure(&f, QUOTE_TLS_FAILED, "tls: ");
}

static void test_hangs_up_in_the_handshake(void **state)
{
	static const peer_story stories[] = {hang_up, hang_up_after_hello};
	struct fixture f;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_raw(&f, stories[i], NULL);
		check_failure(&f, QUOTE_TLS_FAILED, "closed in the handshake");
	}
}

static void test_handshake_deadline(void **state)
{
	struct fixture f;
	(void)state;
	begin_raw(&f, silent, NULL);
	f.options.connect_timeout_ms = 500;
	check_failure(&f, QUOTE_TIMEOUT, "waited for the TLS handshake");
}

static void test_bundle_errors(void **state)
{
	char error[HTTPS_ERROR_MAX] = "";
	(void)state;
	assert_null(https_tls_context("/nonexistent.pem", error));
	assert_true(strlen(error) > 0);
}

/* ---- close at each waiting state ---- */

static void start_get(struct fixture *f)
{
	fixture_open(f);
	https_client_get(f->client, "/x", fixture_on_answer, f);
}

static void test_close_idle(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	fixture_open(&f);
	fixture_end(&f);
}

static void test_close_starting(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	start_get(&f);
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
}

static void test_close_dialling(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	start_get(&f);
	uv_run(&f.loop, UV_RUN_NOWAIT); /* the dial has begun */
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
}

/* After every number of turns of the loop, whatever it waits for then. */
static void test_close_after_n_turns(void **state)
{
	struct fixture f;
	(void)state;
	for (int turns = 1; turns < 12; turns++) {
		begin_proxy(&f, "HTTP/1.1 200 OK\r\n\r\n");
		f.peer.story = silent;
		start_get(&f);
		for (int i = 0; i < turns; i++) {
			uv_run(&f.loop, UV_RUN_NOWAIT);
			usleep(2000);
		}
		fixture_end(&f);
		assert_int_equal(f.fired, 0);
	}
}

static void test_close_proxying(void **state)
{
	struct fixture f;
	(void)state;
	begin_proxy(&f, "");
	start_get(&f);
	while (atomic_load(&f.peer.connections) == 0)
		fixture_run_for(&f, 5);
	fixture_run_for(&f, 20);
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
}

static void test_close_securing(void **state)
{
	struct fixture f;
	(void)state;
	begin_raw(&f, silent, NULL);
	start_get(&f);
	while (atomic_load(&f.peer.connections) == 0)
		fixture_run_for(&f, 5);
	fixture_run_for(&f, 20);
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
}

/* The dial has succeeded and its callback is on the way when we close: the
 * descriptor is nobody's but ours. */
static void on_check(uv_check_t *check)
{
	struct fixture *f = check->data;
	https_client_close(f->client);
	f->client = NULL;
	uv_close((uv_handle_t *)check, NULL);
}

static void test_close_just_dialled(void **state)
{
	char path[] = "/tmp/proxy-XXXXXX", uri[64];
	struct endpoint proxy;
	struct fixture f;
	uv_check_t check;
	(void)state;

	assert_non_null(mkdtemp(path));
	snprintf(uri, sizeof(uri), "unix://%s/s", path);
	begin_proxy(&f, "");
	peer_start_at(&f.peer, uri);
	assert_int_equal(endpoint_parse(&proxy, uri), 0);
	f.options.proxy = &proxy;
	f.client = https_client_new(&f.options);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	uv_check_init(&f.loop, &check);
	check.data = &f;
	uv_check_start(&check, on_check);
	while (f.client != NULL)
		uv_run(&f.loop, UV_RUN_ONCE);
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
	unlink(uri + strlen("unix://"));
	rmdir(path);
}

static void request_then_silence(struct peer_session *s)
{
	if (peer_request(s))
		peer_wait(s);
}

static void test_close_requesting(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, request_then_silence);
	start_get(&f);
	while (atomic_load(&f.peer.requests) == 0)
		fixture_run_for(&f, 5);
	fixture_end(&f);
	assert_int_equal(f.fired, 0);
}

static void test_close_kept(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	fixture_open(&f);
	fixture_get(&f);
	fixture_end(&f);
	assert_int_equal(f.fired, 1);
}

static void test_close_starting_on_a_kept_one(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	fixture_open(&f);
	fixture_get(&f);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	fixture_end(&f);
	assert_int_equal(f.fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_dial_deadline),
	    cmocka_unit_test(test_close_hanging_dial),
	    cmocka_unit_test(test_close_just_dialled),
	    cmocka_unit_test(test_no_proxy_there),
	    cmocka_unit_test(test_proxy),
	    cmocka_unit_test(test_proxy_on_a_unix_socket),
	    cmocka_unit_test(test_proxy_refuses),
	    cmocka_unit_test(test_proxy_hangs_up),
	    cmocka_unit_test(test_proxy_is_silent),
	    cmocka_unit_test(test_wrong_certificates),
	    cmocka_unit_test(test_old_tls),
	    cmocka_unit_test(test_tls_1_2),
	    cmocka_unit_test(test_no_tls),
	    cmocka_unit_test(test_hangs_up_in_the_handshake),
	    cmocka_unit_test(test_handshake_deadline),
	    cmocka_unit_test(test_bundle_errors),
	    cmocka_unit_test(test_close_idle),
	    cmocka_unit_test(test_close_starting),
	    cmocka_unit_test(test_close_dialling),
	    cmocka_unit_test(test_close_after_n_turns),
	    cmocka_unit_test(test_close_proxying),
	    cmocka_unit_test(test_close_securing),
	    cmocka_unit_test(test_close_requesting),
	    cmocka_unit_test(test_close_kept),
	    cmocka_unit_test(test_close_starting_on_a_kept_one),
	};
	return cmocka_run_group_tests_name(
	    "https_connection", tests, fixture_group_begin, fixture_group_end);
}
