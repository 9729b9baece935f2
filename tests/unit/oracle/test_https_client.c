/*
 * https_client: requests and answers over a good connection, kept connections,
 * the second try, deadlines. What can go wrong before TLS is up stands in
 * test_https_connection.c.
 */
#include "tests/unit/oracle/https_fixture.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhe"

/* ---- stories ---- */

static void answer_all(struct peer_session *s)
{
	while (peer_request(s))
		peer_json(s, "{\"price\":\"84036.00\"}");
}

/* What the test put into peer.data, once, then a clean end. */
static void say_data(struct peer_session *s)
{
	if (peer_request(s)) {
		peer_say(s, s->peer->data);
		peer_close_notify(s);
	}
}

/* The same without a word of goodbye. */
static void say_data_and_drop(struct peer_session *s)
{
	if (peer_request(s))
		peer_say(s, s->peer->data);
}

static void say_data_and_stay(struct peer_session *s)
{
	while (peer_request(s))
		peer_say(s, s->peer->data);
}

static void say_byte_by_byte(struct peer_session *s)
{
	const char *text = s->peer->data;

	if (!peer_request(s))
		return;
	for (; *text != '\0'; text++)
		peer_send(s, text, 1);
	peer_wait(s);
}

/* ---- answers ---- */

static void test_get(void **state)
{
	struct fixture f;
	unsigned char *der = NULL;
	uint8_t spki[32];
	char expected[200];
	(void)state;

	fixture_begin(&f, answer_all);
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(f.status, 200);
	assert_string_equal(f.body, "{\"price\":\"84036.00\"}");
	assert_int_equal(f.retry_after_ms, -1);
	int len = i2d_PUBKEY(fixture_leaf.key, &der);
	EVP_Digest(der, (size_t)len, spki, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_memory_equal(f.spki, spki, sizeof(spki));
	fixture_end(&f);
	snprintf(expected, sizeof(expected),
	    "GET /ticker?symbol=X HTTP/1.1\r\nHost: localhost:%u\r\n"
	    "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
	    "Accept: application/json\r\nConnection: keep-alive\r\n\r\n",
	    f.peer.port);
	assert_string_equal(f.peer.sessions[0].head, expected);
}

struct answer_case {
	const char *text;
	peer_story story;
	enum quote_error error;
	int status;
	const char *body_or_why;
};

static void check_answer(const struct answer_case *c)
{
	struct fixture f;

	fixture_begin(&f, c->story);
	f.peer.data = (void *)c->text;
	fixture_open(&f);
	fixture_get(&f);
	if (f.error != c->error)
		fail_msg("%s: %s", c->text, f.why);
	assert_int_equal(f.status, c->status);
	if (c->error == QUOTE_OK)
		assert_string_equal(f.body, c->body_or_why);
	else if (strstr(f.why, c->body_or_why) == NULL)
		fail_msg("%s: %s", c->text, f.why);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	fixture_end(&f);
}

static void test_good_answers(void **state)
{
#define CHUNKED                                                 \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" \
	"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
	static const struct answer_case cases[] = {
	    {OK_2, say_byte_by_byte, QUOTE_OK, 200, "he"},
	    {OK_2, say_data_and_drop, QUOTE_OK, 200, "he"},
	    {CHUNKED, say_data_and_stay, QUOTE_OK, 200, "hello"},
	    {CHUNKED, say_byte_by_byte, QUOTE_OK, 200, "hello"},
	    {"HTTP/1.1 200 OK\r\n\r\nto the end", say_data, QUOTE_OK, 200,
		"to the end"},
	    {"HTTP/1.1 100 Continue\r\n\r\n" OK_2, say_data_and_stay, QUOTE_OK,
		200, "he"},
	    {"HTTP/1.1 451 No\r\nContent-Length: 2\r\n\r\nno", say_data,
		QUOTE_OK, 451, "no"},
	    {"HTTP/1.1 302 F\r\nLocation: https://localhost/\r\n"
	     "Content-Length: 0\r\n\r\n",
		say_data, QUOTE_OK, 302, ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_answer(&cases[i]);
}

static void test_bad_answers(void **state)
{
	static const struct answer_case cases[] = {
	    {"HTTP/1.1 200 OK\r\n\r\nto the end", say_data_and_drop,
		QUOTE_BAD_HTTP, 0, "cut off"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell", say_data,
		QUOTE_BAD_HTTP, 0, "middle"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell",
		say_data_and_drop, QUOTE_BAD_HTTP, 0, "cut off"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
		say_data_and_stay, QUOTE_TOO_LARGE, 0, "body over"},
	    {"", say_data, QUOTE_BAD_HTTP, 0, "before an answer"},
	    {"", say_data_and_drop, QUOTE_BAD_HTTP, 0, "before an answer"},
	    {"<html>\r\n\r\n", say_data_and_stay, QUOTE_BAD_HTTP, 0, ""},
	    {OK_2 "extra", say_data_and_stay, QUOTE_BAD_HTTP, 0, "after"},
	    {OK_2 OK_2, say_data_and_stay, QUOTE_BAD_HTTP, 0, "after"},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	     "Content-Length: 2\r\n\r\nhe",
		say_data_and_stay, QUOTE_BAD_HTTP, 0, "Content-Encoding"},
	    {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n"
	     "Connection: upgrade\r\n\r\n",
		say_data_and_stay, QUOTE_BAD_HTTP, 0, "switch"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_answer(&cases[i]);
}

static void say_large(struct peer_session *s)
{
	char piece[4096];

	memset(piece, 'x', sizeof(piece));
	if (!peer_request(s))
		return;
	peer_say(s, s->peer->data);
	for (int i = 0; i < 1000; i++)
		peer_send(s, piece, sizeof(piece));
}

static void test_endless_answers(void **state)
{
	static const char *const heads[] = {
	    "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "};
	(void)state;
	for (size_t i = 0; i < 2; i++)
		check_answer(&(struct answer_case){
		    heads[i], say_large, QUOTE_TOO_LARGE, 0, "ceiling"});
}

static void test_retry_after(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, say_data_and_stay);
	f.peer.data = "HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\n"
		      "Content-Length: 0\r\n\r\n";
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(f.status, 429);
	assert_int_equal(f.retry_after_ms, 30000);
	fixture_end(&f);
}

/* ---- kept connections ---- */

static void test_kept(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	fixture_open(&f);
	for (int i = 0; i < 5; i++) {
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_OK);
	}
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	assert_int_equal(atomic_load(&f.peer.requests), 5);
	fixture_end(&f);
}

static void test_not_kept(void **state)
{
	static const char *const answers[] = {
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n"
	    "\r\nhe",
	    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhe",
	};
	struct fixture f;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_begin(&f, say_data_and_stay);
		f.peer.data = (void *)answers[i];
		fixture_open(&f);
		fixture_get(&f);
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_OK);
		assert_int_equal(atomic_load(&f.peer.connections), 2);
		fixture_end(&f);
	}
}

static void test_idle_close(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	f.options.idle_ms = 20;
	fixture_open(&f);
	fixture_get(&f);
	fixture_run_for(&f, 200);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	fixture_end(&f);
}

/* Answers once and closes; `data` is what is said after the answer. */
static void answer_and_close(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	peer_json(s, "{}");
	if (s->peer->data != NULL) {
		/* Not together with the answer. */
		while (atomic_load(&s->peer->heard) <
		       atomic_load(&s->peer->requests))
			usleep(1000);
		peer_say(s, s->peer->data);
		peer_wait(s);
	}
}

static void test_closed_while_idle(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_and_close);
	fixture_open(&f);
	for (unsigned i = 1; i <= 3; i++) {
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_OK);
		fixture_run_for(&f, 100);
		assert_int_equal(atomic_load(&f.peer.connections), i);
	}
	fixture_end(&f);
}

/* The end of the kept connection is read between the get and its start: no
 * request goes out on the dead one. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct fixture *f = prepare->data;
	https_client_get(f->client, "/x", fixture_on_answer, f);
	uv_close((uv_handle_t *)prepare, NULL);
}

static void test_closed_while_starting(void **state)
{
	struct fixture f;
	uv_prepare_t prepare;
	(void)state;
	fixture_begin(&f, answer_and_close);
	fixture_open(&f);
	fixture_get(&f);
	while (atomic_load(&f.peer.over) == 0)
		usleep(1000);
	uv_prepare_init(&f.loop, &prepare);
	prepare.data = &f;
	uv_prepare_start(&prepare, on_prepare);
	fixture_run_until(&f, 2);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	assert_int_equal(atomic_load(&f.peer.requests), 2);
	fixture_end(&f);
}

static void test_unexpected_bytes_while_idle(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_and_close);
	f.peer.data = OK_2; /* an answer to nothing */
	fixture_open(&f);
	fixture_get(&f);
	atomic_fetch_add(&f.peer.heard, 1);
	assert_string_equal(f.body, "{}");
	while (atomic_load(&f.peer.over) == 0) /* until we hung up on it */
		fixture_run_for(&f, 10);
	fixture_get(&f);
	atomic_fetch_add(&f.peer.heard, 1);
	assert_int_equal(f.error, QUOTE_OK);
	assert_string_equal(f.body, "{}");
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	fixture_end(&f);
}

/* ---- the second try ---- */

/* The first connection hangs up on its second request, without a word;
 * `data`: all connections do. */
static void hang_up_on_second(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	if (s->peer->data != NULL && s->number > 1)
		return;
	peer_json(s, "{}");
	if (s->number == 1)
		peer_request(s);
	else
		peer_wait(s);
}

static void test_second_try(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, hang_up_on_second);
	fixture_open(&f);
	fixture_get(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(f.fired, 2);
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	assert_int_equal(atomic_load(&f.peer.requests), 3);
	fixture_end(&f);
}

static void test_no_third_try(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, hang_up_on_second);
	f.peer.data = "all";
	fixture_open(&f);
	fixture_get(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_BAD_HTTP);
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	fixture_end(&f);
}

/* Half an answer was there: it may have been ours, no second try. */
static void half_on_second(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	peer_json(s, "{}");
	if (peer_request(s))
		peer_say(s, "HTTP/1.1 2");
}

static void test_no_second_try_after_a_byte(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, half_on_second);
	fixture_open(&f);
	fixture_get(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_BAD_HTTP);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	fixture_end(&f);
}

/* After a failure the client is as good as new. */
static void fail_then_answer(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	if (s->number == 1)
		peer_say(s, "garbage\r\n\r\n");
	else
		peer_json(s, "{}");
	peer_wait(s);
}

static void test_recovers(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, fail_then_answer);
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_BAD_HTTP);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	assert_string_equal(f.body, "{}");
	fixture_end(&f);
}

/* ---- deadlines ---- */

static void silent(struct peer_session *s)
{
	peer_wait(s);
}

static void drip(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	peer_say(s, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 200; i++) {
		peer_say(s, "x");
		usleep(10000);
	}
}

static void test_request_deadline(void **state)
{
	static const peer_story stories[] = {silent, drip};
	struct fixture f;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_begin(&f, stories[i]);
		f.options.request_timeout_ms = 100;
		fixture_open(&f);
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_TIMEOUT);
		assert_string_equal(f.why, "timeout: waited for the answer");
		assert_int_equal(atomic_load(&f.peer.connections), 1);
		fixture_end(&f);
	}
}

/* ---- from inside the callback ---- */

static void test_close_in_callback(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	f.close_in_callback = true;
	fixture_open(&f);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	fixture_run_until(&f, 1);
	assert_int_equal(f.error, QUOTE_OK);
	fixture_end(&f);
}

static void test_close_in_failed_callback(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, say_data);
	f.peer.data = "garbage\r\n\r\n";
	f.close_in_callback = true;
	fixture_open(&f);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	fixture_run_until(&f, 1);
	assert_int_equal(f.error, QUOTE_BAD_HTTP);
	fixture_end(&f);
}

static void test_get_in_callback(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f, answer_all);
	f.get_in_callback = true;
	fixture_open(&f);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	fixture_run_until(&f, 2);
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	fixture_end(&f);
}

/* ---- POST ---- */

#define POST_BODY_MAX 40000

struct posted {
	char body[POST_BODY_MAX + 1];
	size_t len;
};

/* Reads the request and its body, and says so much of it as its data wants. */
static void take_post(struct peer_session *s)
{
	struct posted *posted = s->peer->data;
	const char *length;

	while (peer_request(s)) {
		length = strstr(s->head, "Content-Length: ");
		posted->len = length ? strtoul(length + 16, NULL, 10) : 0;
		if (posted->len > POST_BODY_MAX)
			return;
		for (size_t got = 0; got < posted->len; got++)
			if (SSL_read(s->ssl, posted->body + got, 1) != 1)
				return;
		peer_say(s, OK_2);
	}
}

static void post(struct fixture *f, const void *body, size_t len)
{
	https_client_post(f->client,
	    &(struct http_request_post){.target = "/",
		.headers = "X-Amz-Target: T.Go\r\n",
		.body = body,
		.len = len},
	    fixture_on_answer, f);
	assert_int_equal(f->fired, 0);
	fixture_run_until(f, 1);
}

/* One that is longer than a record, and has zeros in it. */
static void test_post(void **state)
{
	static struct posted posted;
	static char body[POST_BODY_MAX];
	struct fixture f;
	char expected[300];
	(void)state;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)i;
	fixture_begin(&f, take_post);
	f.peer.data = &posted;
	fixture_open(&f);
	post(&f, body, sizeof(body));
	assert_int_equal(f.error, QUOTE_OK);
	assert_string_equal(f.body, "he");
	fixture_end(&f);
	assert_int_equal(posted.len, sizeof(body));
	assert_memory_equal(posted.body, body, sizeof(body));
	snprintf(expected, sizeof(expected),
	    "POST / HTTP/1.1\r\nHost: localhost:%u\r\n"
	    "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
	    "X-Amz-Target: T.Go\r\nContent-Length: %zu\r\n"
	    "Connection: keep-alive\r\n\r\n",
	    f.peer.port, sizeof(body));
	assert_string_equal(f.peer.sessions[0].head, expected);
}

static void test_post_then_get(void **state)
{
	static struct posted posted;
	struct fixture f;
	(void)state;

	fixture_begin(&f, take_post);
	f.peer.data = &posted;
	fixture_open(&f);
	post(&f, "", 0);
	fixture_get(&f); /* over the connection that the POST has made */
	assert_int_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	fixture_end(&f);
}

/* It hears the request on a used connection and hangs up: a GET would go out
 * again. A POST has a new connection, and the failure is the answer. */
static void answer_first_then_hang_up(struct peer_session *s)
{
	if (peer_request(s) && s->number == 1)
		peer_say(s, OK_2);
	else
		return;
	peer_wait(s);
}

static void test_post_is_not_repeated(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_first_then_hang_up);
	fixture_open(&f);
	fixture_get(&f);
	f.fired = 0;
	post(&f, "x", 1);
	assert_int_not_equal(f.error, QUOTE_OK);
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	assert_int_equal(atomic_load(&f.peer.requests), 2);
	fixture_end(&f);
}

static void test_post_closed_under_way(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, peer_wait);
	fixture_open(&f);
	https_client_post(f.client,
	    &(struct http_request_post){
		.target = "/", .headers = "", .body = "x", .len = 1},
	    fixture_on_answer, &f);
	fixture_run_for(&f, 50);
	fixture_end(&f); /* closes; the bytes are freed */
	assert_int_equal(f.fired, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_good_answers),
	    cmocka_unit_test(test_bad_answers),
	    cmocka_unit_test(test_endless_answers),
	    cmocka_unit_test(test_retry_after),
	    cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_not_kept),
	    cmocka_unit_test(test_idle_close),
	    cmocka_unit_test(test_closed_while_idle),
	    cmocka_unit_test(test_closed_while_starting),
	    cmocka_unit_test(test_unexpected_bytes_while_idle),
	    cmocka_unit_test(test_second_try),
	    cmocka_unit_test(test_no_third_try),
	    cmocka_unit_test(test_no_second_try_after_a_byte),
	    cmocka_unit_test(test_recovers),
	    cmocka_unit_test(test_request_deadline),
	    cmocka_unit_test(test_close_in_callback),
	    cmocka_unit_test(test_close_in_failed_callback),
	    cmocka_unit_test(test_get_in_callback),
	    cmocka_unit_test(test_post),
	    cmocka_unit_test(test_post_then_get),
	    cmocka_unit_test(test_post_is_not_repeated),
	    cmocka_unit_test(test_post_closed_under_way),
	};
	return cmocka_run_group_tests_name(
	    "https_client", tests, fixture_group_begin, fixture_group_end);
}
