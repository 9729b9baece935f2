/* tls_relay: a server behind TLS serves all its kinds of answers; hostile
 * clients, slow ones, ends of either side, and a stop at each state. */
#include "client.h"

#include "base/http_state.h"
#include "base/log.h"
#include "base/tls_relay_state.h"
#include "oracle/attested_tls.h"

#include <openssl/err.h>
#include <signal.h>

#define BIG (600 * 1024)

static struct attested_tls *identity;
static struct http_wrapper wrapper;
static struct http_request *held;
static uint64_t version;

static void serve_big(struct http_request *req, void *data)
{
	static char body[BIG];

	(void)data;
	memset(body, 'x', sizeof(body));
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "text/plain",
			    .body = body,
			    .len = sizeof(body)});
}

static void serve_kept(struct http_request *req, void *data)
{
	(void)data;
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = "\"kept\"",
			    .len = 6,
			    .version = &version,
			    .until_ms = INT64_MAX});
}

static void serve_length(struct http_request *req, void *data)
{
	char text[32];
	size_t len;

	(void)data;
	(void)http_body(req, &len);
	snprintf(text, sizeof(text), "%zu", len);
	http_reply_json(req, text);
}

static void on_left(struct http_request *req, void *data)
{
	(void)req;
	(void)data;
	held = NULL;
}

static void serve_later(struct http_request *req, void *data)
{
	(void)data;
	held = req;
	http_on_abandoned(req, on_left, NULL);
}

static const struct http_route routes[] = {
    {"GET", "/big", NULL, serve_big},
    {http_get_kept, "/kept", NULL, serve_kept},
    {"POST", "/length", NULL, serve_length},
    {"GET", "/later", NULL, serve_later},
    {NULL, NULL, NULL, NULL},
};

static void begin(bool proxy_protocol)
{
	struct http_server_options options = {
	    .wrapper = &wrapper, .proxy_protocol = proxy_protocol};

	/* of addresses that are not this machine's: of headers */
	options.requests_per_s = 1;
	options.requests_burst = 3;

	version = 0;
	server_done = false;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(endpoint_parse(&server_ep, "tcp://127.0.0.1:0"), 0);
	assert_int_equal(http_server_start_with(&server, &loop, &server_ep,
			     routes, NULL, &options),
	    0);
	server_ep.port = http_server_port(server);
}

static int setup(void **state)
{
	(void)state;
	begin(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_end();
	return 0;
}

static struct tls_relays *relays(void)
{
	return server->wrapped;
}

static struct tls_relay *first_relay(void)
{
	return LIST_FIRST(&relays()->all);
}

/* ---- clients ---- */

struct client {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
	struct response got;
};

static void client_new(struct client *c)
{
	*c = (struct client){.fd = client_connect()};
	c->context = SSL_CTX_new(TLS_client_method());
	c->ssl = SSL_new(c->context);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_connect_state(c->ssl);
	c->got.text = calloc(1, CLIENT_BUF);
}

static void client_end(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	response_fini(&c->got);
	close(c->fd);
	ERR_clear_error();
}

/* 1: done; 0: not yet; -1: never. */
static int done(struct client *c, int ret)
{
	int error = ret == 1 ? 0 : SSL_get_error(c->ssl, ret);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	/* The connection's own: the first turn of the loop accepts it. */
	return ret == 1 ? 1 : -1;
}

static int shake(struct client *c)
{
	int result = 0;

	pump_until((ERR_clear_error(),
		       result = done(c, SSL_do_handshake(c->ssl))) != 0);
	return result;
}

static void connect_client(struct client *c)
{
	client_new(c);
	assert_int_equal(shake(c), 1);
}

static void say(struct client *c, const char *bytes, size_t len)
{
	size_t written;
	int result;

	pump_until((result = done(
			c, SSL_write_ex(c->ssl, bytes, len, &written))) != 0);
	assert_int_equal(result, 1);
}

static void say_text(struct client *c, const char *text)
{
	say(c, text, strlen(text));
}

/* Reads what there is. */
static void hear(struct client *c)
{
	size_t n;
	int ret;

	if (c->got.closed)
		return;
	ERR_clear_error();
	ret = SSL_read_ex(
	    c->ssl, c->got.text + c->got.len, CLIENT_BUF - 1 - c->got.len, &n);
	if (ret == 1) {
		c->got.len += n;
		c->got.text[c->got.len] = '\0';
	} else if (done(c, ret) < 0) {
		c->got.closed = true;
		c->got.reset = SSL_get_error(c->ssl, ret) !=
			       SSL_ERROR_ZERO_RETURN;
	}
}

#define hear_until(c, condition) pump_until((hear(c), (condition)))

static void ask(struct client *c, const char *request)
{
	c->got.len = 0;
	c->got.text[0] = '\0';
	say_text(c, request);
	hear_until(c, response_complete(&c->got));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- what it is for ---- */

static void test_all_answers(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	assert_string_equal(SSL_get_version(c.ssl), "TLSv1.3");
	ask(&c, GET("/kept"));
	assert_string_equal(response_body(&c.got), "\"kept\"");
	for (int i = 0; i < 20; i++) /* read without a look before */
		ask(&c, GET("/kept"));
	ask(&c, GET("/none"));
	assert_int_equal(response_status(&c.got), 404);
	ask(&c, GET("/big"));
	assert_int_equal(strlen(response_body(&c.got)), BIG);
	ask(&c, GET("/kept"));
	assert_string_equal(response_body(&c.got), "\"kept\"");
	client_end(&c);
	pump_until(relays()->count == 0);
	pump_until(server->clients.total == 0);
}

/* The largest body goes up, in more than one record. */
static void test_post(void **state)
{
	static char body[HTTP_BODY_MAX];
	char head[128];
	struct client c;

	(void)state;
	memset(body, 'y', sizeof(body));
	connect_client(&c);
	snprintf(head, sizeof(head),
	    "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
	    HTTP_BODY_MAX);
	say_text(&c, head);
	for (size_t at = 0; at < sizeof(body); at += 8192)
		say(&c, body + at, 8192);
	hear_until(&c, response_complete(&c.got));
	assert_string_equal(response_body(&c.got), "65536");
	client_end(&c);
}

/* A byte a record, and both at once. */
static void test_small_records(void **state)
{
	static const char text[] = GET("/kept") GET("/none");
	struct client c;

	(void)state;
	connect_client(&c);
	for (size_t i = 0; text[i] != '\0'; i++)
		say(&c, text + i, 1);
	hear_until(&c, strstr(c.got.text, "\"kept\"") != NULL &&
			   strstr(c.got.text, "NOT_FOUND") != NULL);
	client_end(&c);
}

static void test_many_clients(void **state)
{
	struct client c[40];

	(void)state;
	for (size_t i = 0; i < 40; i++)
		connect_client(&c[i]);
	assert_int_equal(relays()->count, 40);
	pump_until(relays()->handshakes == 0);
	assert_int_equal(server->clients.total, 40);
	for (size_t i = 0; i < 40; i++)
		say_text(&c[i], GET("/big"));
	for (size_t i = 0; i < 40; i++)
		hear_until(&c[i], response_complete(&c[i].got));
	for (size_t i = 0; i < 40; i++)
		client_end(&c[i]);
	pump_until(relays()->count == 0);
}

/* 192.0.2.7 */
static void client_from_afar(struct client *c)
{
	client_new(c);
	client_send_bytes(c->fd,
	    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"
	    "\xc0\x00\x02\x07\xc0\x00\x02\x08\x04\xd2\x01\xbb",
	    28);
}

/* Each handshake is one of the three that it has at once. */
static void test_limit_of_handshakes(void **state)
{
	struct client c;
	int shaken = 0;

	(void)state;
	server_end();
	begin(true);
	for (int i = 0; i < 30; i++) {
		client_from_afar(&c);
		shaken += shake(&c) == 1;
		client_end(&c);
	}
	assert_in_range(shaken, 3, 25); /* and one a second */
	pump_until(server->clients.total == 0);
}

static void test_after_a_proxy_header(void **state)
{
	struct client c;

	(void)state;
	server_end();
	begin(true);
	client_from_afar(&c);
	assert_int_equal(shake(&c), 1);
	assert_int_equal(
	    first_relay()->arrival.from.in.sin_addr.s_addr, htonl(0xc0000207));
	ask(&c, GET("/kept"));
	client_end(&c);
}

/* ---- clients that are refused ---- */

static void refused(const char *bytes, size_t len)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	client_send_bytes(fd, bytes, len);
	client_read_until(fd, &r, r.closed);
	assert_null(strstr(r.text, "HTTP/1.1"));
	response_fini(&r);
	close(fd);
	pump_until(relays()->count == 0);
	pump_until(server->clients.total == 0);
	assert_int_equal(relays()->handshakes, 0);
}

static void test_no_tls(void **state)
{
	static char zeros[70000];

	(void)state;
	refused(GET("/kept"), sizeof(GET("/kept")) - 1);
	refused(zeros, sizeof(zeros));
	/* a record of a length that there is not; an alert at once */
	refused("\x16\x03\x01\xff\xff", 5);
	refused("\x15\x03\x03\x00\x02\x02\x28", 7);
}

static void test_old_tls(void **state)
{
	struct client c;

	(void)state;
	client_new(&c);
	SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
	assert_int_equal(shake(&c), -1);
	client_end(&c);
	pump_until(relays()->count == 0);
}

static void test_protocols(void **state)
{
	static const struct {
		const char *names;
		unsigned len;
		int result;
	} cases[] = {{"\x08http/1.1", 9, 1}, {"\x02h2\x08http/1.1", 12, 1},
	    {"\x02h2", 3, -1}};
	const unsigned char *chosen;
	unsigned len;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct client c;

		client_new(&c);
		SSL_set_alpn_protos(
		    c.ssl, (const unsigned char *)cases[i].names, cases[i].len);
		assert_int_equal(shake(&c), cases[i].result);
		SSL_get0_alpn_selected(c.ssl, &chosen, &len);
		if (cases[i].result == 1) {
			assert_int_equal(len, 8);
			assert_memory_equal(chosen, "http/1.1", 8);
		}
		client_end(&c);
	}
}

/* A new connection shows the certificate again. */
static void test_no_resumption(void **state)
{
	SSL_SESSION *session;
	struct client c;

	(void)state;
	connect_client(&c);
	ask(&c, GET("/kept"));
	session = SSL_get1_session(c.ssl);
	assert_false(SSL_SESSION_is_resumable(session));
	SSL_SESSION_free(session);
	client_end(&c);
}

static void test_ceilings(void **state)
{
	unsigned *const counts[] = {&relays()->handshakes, &relays()->count};
	const unsigned most[] = {TLS_RELAY_HANDSHAKES_MAX, TLS_RELAYS_MAX};
	struct client c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		*counts[i] += most[i];
		client_new(&c);
		assert_int_equal(shake(&c), -1);
		client_end(&c);
		(*counts[i])--; /* room for one */
		connect_client(&c);
		client_end(&c);
		pump_until(server->clients.total == 0);
		pump_until(LIST_EMPTY(&relays()->all));
		*counts[i] -= most[i] - 1;
	}
	pump_until(relays()->count == 0);
}

/* Whoever does not shake hands, or in half, is closed in time. */
static void test_late_handshake(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send_bytes(fd, "\x16\x03\x01\x02", 4);
	pump_until(relays()->count == 1);
	assert_true(uv_timer_get_due_in(&first_relay()->timer) > 5000);
	first_relay()->timer.timer_cb(&first_relay()->timer);
	client_read_until(fd, &r, r.closed);
	response_fini(&r);
	close(fd);
	pump_until(server->clients.total == 0);
}

static void test_leaves_in_handshake(void **state)
{
	int fd = client_connect();

	(void)state;
	client_send_bytes(fd, "\x16\x03\x01\x02", 4);
	pump_until(relays()->count == 1);
	close(fd);
	pump_until(relays()->count == 0);
	pump_until(server->clients.total == 0);
}

/* ---- ends ---- */

/* close_notify, and the answer comes all the same. */
static void test_half_close(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	say_text(&c, GET("/big"));
	SSL_shutdown(c.ssl);
	hear_until(&c, c.got.closed);
	assert_false(c.got.reset); /* by close_notify, too */
	assert_true(response_complete(&c.got));
	client_end(&c);
	pump_until(relays()->count == 0);
}

/* Without close_notify it is cut off: nobody waits for the answer. */
static void test_cut_off(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	say_text(&c, GET("/later"));
	pump_until(held != NULL);
	shutdown(c.fd, SHUT_WR);
	pump_until(held == NULL);
	client_end(&c);
	pump_until(relays()->count == 0);
}

static void test_leaves_while_asked(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	say_text(&c, GET("/later"));
	pump_until(held != NULL);
	client_end(&c);
	pump_until(held == NULL);
	pump_until(relays()->count == 0);
}

static void test_server_closes(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	ask(&c, "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	hear_until(&c, c.got.closed);
	assert_false(c.got.reset);
	/* it lingers for us, not for ever */
	assert_int_equal(relays()->count, 1);
	assert_true(
	    uv_timer_get_due_in(&first_relay()->timer) <= TLS_RELAY_LINGER_MS);
	client_end(&c);
	pump_until(relays()->count == 0);
}

/* Something that is no record, in the middle of a connection. */
static void test_changed_bytes(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	ask(&c, GET("/kept"));
	client_send_bytes(c.fd,
	    "\x17\x03\x03\x00\x20"
	    "this is not what the key would make",
	    37);
	hear_until(&c, c.got.closed);
	assert_true(c.got.reset);
	client_end(&c);
	pump_until(relays()->count == 0);
	pump_until(server->clients.total == 0);
}

/* ---- slow sides ---- */

/* As much as all sockets hold, and more. */
static void ask_for_too_much(struct client *c)
{
	int small = 65536;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 20; i++)
		say_text(c, GET("/big"));
	pump_until(first_relay()->down.len > 0);
	pump_ms(20);
	pump_until(first_relay()->down.len > 0);
}

/* A client that asks and does not read: it costs one record beside what the
 * sockets hold, and its time is bounded. */
static void test_slow_client(void **state)
{
	struct client c;
	int turns_idle;

	(void)state;
	connect_client(&c);
	ask_for_too_much(&c);
	assert_true(first_relay()->down.len <= TLS_RELAY_BYTES);
	assert_true(uv_is_active((uv_handle_t *)&first_relay()->timer));
	turns_idle = count_turns();
	assert_in_range(turns_idle, 0, 100); /* it waits, it does not spin */
	/* and if it reads after all, it has everything */
	for (int i = 0; i < 20; i++) {
		hear_until(&c, response_complete(&c.got));
		c.got.len -= (size_t)(response_body(&c.got) - c.got.text) + BIG;
		memmove(c.got.text, response_body(&c.got) + BIG, c.got.len + 1);
	}
	assert_int_equal(first_relay()->down.len, 0);
	client_end(&c);
}

static void test_stalled_client(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	ask_for_too_much(&c);
	first_relay()->timer.timer_cb(&first_relay()->timer);
	pump_until(relays()->count == 0);
	pump_until(server->clients.total == 0);
	client_end(&c);
}

/* A server that does not read: the client is not read either. */
static void test_slow_server(void **state)
{
	static char text[16000];
	struct client c;
	size_t written;
	int blocked = 0;

	(void)state;
	memset(text, 'z', sizeof(text));
	connect_client(&c);
	say_text(&c, GET("/later"));
	pump_until(held != NULL);
	for (int i = 0; i < 100000 && blocked < 200; i++) {
		int ret = SSL_write_ex(c.ssl, text, sizeof(text), &written);

		blocked = ret == 1 ? 0 : blocked + 1;
		pump_once();
		usleep(ret == 1 ? 0 : 1000);
	}
	assert_int_equal(blocked, 200);
	assert_true(first_relay()->up.len > 0);
	assert_in_range(count_turns(), 0, 100);
	client_end(&c);
	/* it is not noticed before the server reads, or the time is over */
	first_relay()->timer.timer_cb(&first_relay()->timer);
	pump_until(held == NULL);
	pump_until(relays()->count == 0);
}

/* ---- stop ---- */

static void test_stop_in_handshake(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send_bytes(fd, "\x16\x03\x01\x02", 4);
	pump_until(relays()->count == 1);
	server_end();
	client_read_some(fd, &r);
	assert_true(r.closed);
	response_fini(&r);
	close(fd);
	begin(false);
}

static void test_stop_while_idle(void **state)
{
	struct client c;

	(void)state;
	connect_client(&c);
	ask(&c, GET("/kept"));
	http_server_stop(server, on_server_done, &server_done);
	hear_until(&c, c.got.closed);
	assert_false(c.got.reset); /* close_notify */
	client_end(&c);
	pump_until(server_done);
	loop_end();
	begin(false);
}

/* What was being sent is sent, as far as the client takes it. */
static void test_stop_while_sending(void **state)
{
	struct client c, lazy;

	(void)state;
	connect_client(&c);
	connect_client(&lazy);
	say_text(&c, GET("/big"));
	for (int i = 0; i < 20; i++)
		say_text(&lazy, GET("/big"));
	pump_ms(50);
	http_server_stop(server, on_server_done, &server_done);
	hear_until(&c, c.got.closed);
	assert_true(response_complete(&c.got));
	client_end(&c);
	pump_until(server_done);
	client_end(&lazy);
	loop_end();
	begin(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_all_answers),
	    TEST(test_post),
	    TEST(test_small_records),
	    TEST(test_many_clients),
	    TEST(test_after_a_proxy_header),
	    TEST(test_limit_of_handshakes),
	    TEST(test_no_tls),
	    TEST(test_old_tls),
	    TEST(test_protocols),
	    TEST(test_no_resumption),
	    TEST(test_ceilings),
	    TEST(test_late_handshake),
	    TEST(test_leaves_in_handshake),
	    TEST(test_half_close),
	    TEST(test_cut_off),
	    TEST(test_leaves_while_asked),
	    TEST(test_server_closes),
	    TEST(test_changed_bytes),
	    TEST(test_slow_client),
	    TEST(test_stalled_client),
	    TEST(test_slow_server),
	    TEST(test_stop_in_handshake),
	    TEST(test_stop_while_idle),
	    TEST(test_stop_while_sending),
	};
	SSL_CTX *context;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR);
	identity = attested_tls_new();
	context = attested_tls_http(identity);
	wrapper = tls_relay_wrapper(context);
	failed = cmocka_run_group_tests_name("tls_relay", tests, NULL, NULL);
	SSL_CTX_free(context);
	attested_tls_free(identity);
	uv_library_shutdown();
	return failed;
}
