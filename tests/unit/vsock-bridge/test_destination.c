#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/destination.h"

#include <netdb.h>
#include <sys/un.h>

/* ---- a network of our own ---- */

/* What the next lookup does. */
static const char *answers[4]; /* numeric addresses, in order */
static int lookup_error;       /* start fails with it */
static bool lookup_hangs;      /* the test completes it by release_lookup */
static bool allow_private, ipv6_is_public;

static uv_getaddrinfo_t *held_request;
static uv_getaddrinfo_cb held_cb;

/* One list, made by the C library so that it can free it. */
static struct addrinfo *make_answer(void)
{
	struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *first = NULL, **end = &first;

	for (size_t i = 0; i < 4 && answers[i] != NULL; i++) {
		assert_int_equal(getaddrinfo(answers[i], NULL, &hints, end), 0);
		end = &(*end)->ai_next;
	}
	return first;
}

static uv_idle_t answerer;

static void on_answerer_closed(uv_handle_t *handle)
{
	(void)handle;
	held_cb(held_request, 0, make_answer());
}

static int fake_lookup(uv_loop_t *loop, uv_getaddrinfo_t *req,
    uv_getaddrinfo_cb cb, const char *node, const char *service,
    const struct addrinfo *hints)
{
	(void)service;
	(void)hints;
	assert_string_equal(node, "host.example");
	if (lookup_error != 0)
		return lookup_error;
	req->type = UV_UNKNOWN_REQ; /* uv_cancel: not to be canceled */
	held_request = req;
	held_cb = cb;
	if (!lookup_hangs) {
		uv_idle_init(loop, &answerer);
		uv_close((uv_handle_t *)&answerer, on_answerer_closed);
	}
	return 0;
}

/* Loopback stands for the world: 127.0.0.9 is private in it, and 127.0.0.8 no
 * server's. */
static enum address_class fake_classify(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;

	if (address->sa_family == AF_INET6 && ipv6_is_public)
		return ADDRESS_PUBLIC;
	if (address->sa_family != AF_INET ||
	    in->sin_addr.s_addr == htonl(0x7f000008))
		return ADDRESS_NEVER;
	return in->sin_addr.s_addr == htonl(0x7f000009) ? ADDRESS_PRIVATE
							: ADDRESS_PUBLIC;
}

static const struct destination_ops fake_ops = {fake_lookup, fake_classify};

/* ---- the fixture ---- */

struct fixture {
	uv_loop_t loop;
	struct destination op;
	bool done;
	int fd;
	unsigned descriptors; /* before */
};

static void on_done(struct destination *op, int fd)
{
	struct fixture *f = op->data;

	assert_false(f->done);
	f->done = true;
	f->fd = fd;
}

static void init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->descriptors = harness_descriptors();
	memset(answers, 0, sizeof(answers));
	lookup_error = 0;
	lookup_hangs = allow_private = ipv6_is_public = false;
	held_request = NULL;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->op.data = f;
}

static int start(struct fixture *f, const char *host, uint16_t port,
    const struct endpoint *connect_to, uint64_t timeout_ms)
{
	struct authority target = {.port = port};
	struct destination_options options = {
	    .target = &target,
	    .connect_to = connect_to,
	    .allow_private = allow_private,
	    .timeout_ms = timeout_ms,
	    .ops = strcmp(host, "localhost") == 0 ? NULL : &fake_ops,
	};
	int err;

	snprintf(target.host, sizeof(target.host), "%s", host);
	err = destination_start(&f->op, &f->loop, &options, on_done);
	assert_false(f->done);
	return err;
}

static void finish(struct fixture *f, int fd, enum destination_failure failure)
{
	harness_run_until(&f->loop, &f->done);
	assert_int_equal(f->op.failure, failure);
	if (failure != DESTINATION_OK)
		assert_int_equal(f->fd, fd);
	else
		assert_true(f->fd >= 0);
	if (f->fd >= 0)
		close(f->fd);
	harness_close_loop(&f->loop);
	assert_int_equal(harness_descriptors(), f->descriptors);
}

/* ---- looked up ---- */

static void test_connects_to_the_answer(void **state)
{
	struct fixture f;
	uint16_t port;
	int listener = harness_tcp_listen(4, &port);

	(void)state;
	init(&f);
	answers[0] = "127.0.0.1";
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, 0, DESTINATION_OK);
	close(listener);
}

static void test_tries_all_addresses(void **state)
{
	struct fixture f;
	uint16_t port;
	int listener = harness_tcp_listen(4, &port);

	(void)state;
	init(&f);
	answers[0] = "127.0.0.9"; /* left out */
	answers[1] = "127.0.0.2"; /* nobody listens */
	answers[2] = "127.0.0.1";
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, 0, DESTINATION_OK);
	close(listener);
}

static void test_no_address_answers(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	answers[0] = "127.0.0.1";
	answers[1] = "127.0.0.2";
	assert_int_equal(start(&f, "host.example", harness_closed_port(), NULL,
			     HARNESS_DEADLINE_MS),
	    0);
	finish(&f, UV_ECONNREFUSED, DESTINATION_REFUSED);
}

static void test_private_answers_are_prohibited(void **state)
{
	struct fixture f;
	uint16_t port;
	int listener = harness_tcp_listen(4, &port);

	(void)state;
	init(&f);
	answers[0] = "127.0.0.9";
	answers[1] = "::1";
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_EACCES, DESTINATION_PROHIBITED);
	/* The real resolver and the real rule. */
	init(&f);
	assert_int_equal(
	    start(&f, "localhost", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_EACCES, DESTINATION_PROHIBITED);
	assert_true(f.op.lookup_ms >= 0);
	assert_int_equal(f.op.connect_ms, -1);
	harness_nonblocking(listener);
	assert_int_equal(accept(listener, NULL, NULL), -1);
	close(listener);
}

/* For a rule that says so: private ones, and still no others. */
static void test_allow_private(void **state)
{
	struct fixture f;
	uint16_t port;
	int listener = harness_tcp_listen(4, &port);

	(void)state;
	harness_nonblocking(listener);
	init(&f);
	allow_private = true;
	answers[0] = "127.0.0.8";
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_EACCES, DESTINATION_PROHIBITED);
	assert_int_equal(accept(listener, NULL, NULL), -1);
	init(&f);
	allow_private = true;
	answers[0] = "127.0.0.8";
	answers[1] = "127.0.0.9"; /* nobody listens, but it is tried */
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_ECONNREFUSED, DESTINATION_REFUSED);
	assert_true(f.op.connect_ms >= 0);
	/* The real resolver and the real rule. */
	init(&f);
	allow_private = true;
	assert_int_equal(
	    start(&f, "localhost", port, NULL, HARNESS_DEADLINE_MS), 0);
	finish(&f, 0, DESTINATION_OK);
	assert_true(f.op.lookup_ms >= 0 && f.op.connect_ms >= 0);
	close(listener);
}

/* .invalid (RFC 6761 6.4) is nowhere; nor is anything without a resolver. */
static void test_no_such_name(void **state)
{
	struct authority target = {"host.invalid", 443};
	struct destination_options options = {
	    .target = &target, .timeout_ms = HARNESS_DEADLINE_MS};
	struct fixture f;

	(void)state;
	init(&f);
	assert_int_equal(
	    destination_start(&f.op, &f.loop, &options, on_done), 0);
	harness_run_until(&f.loop, &f.done);
	assert_true(f.fd < 0);
	/* A resolver that answers nothing at all takes all the time. */
	assert_true(f.op.failure == DESTINATION_NO_NAME ||
		    f.op.failure == DESTINATION_NO_TIME);
	harness_close_loop(&f.loop);
}

static void test_lookup_fails(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	lookup_hangs = true;
	assert_int_equal(
	    start(&f, "host.example", 1, NULL, HARNESS_DEADLINE_MS), 0);
	held_cb(held_request, UV_EAI_NONAME, NULL);
	assert_false(f.done);
	finish(&f, UV_EAI_NONAME, DESTINATION_NO_NAME);
}

static void test_lookup_cannot_start(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	lookup_error = UV_ENOMEM;
	assert_int_equal(
	    start(&f, "host.example", 1, NULL, HARNESS_DEADLINE_MS), UV_ENOMEM);
	harness_close_loop(&f.loop);
	assert_false(f.done);
}

/* A lookup that hangs is left to itself, and comes back after all. */
static void test_lookup_hangs(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	lookup_hangs = true;
	answers[0] = "127.0.0.1";
	assert_int_equal(start(&f, "host.example", 1, NULL, 20), 0);
	finish(&f, UV_ETIMEDOUT, DESTINATION_NO_TIME);
	assert_true(f.op.lookup_ms >= 0); /* and the rest of the time is told */
	assert_int_equal(f.op.connect_ms, -1);
	memset(&f, 0xaa, sizeof(f)); /* nobody may look at it any more */
	held_cb(held_request, 0, make_answer());
}

static void test_cancel_lookup(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	lookup_hangs = true;
	assert_int_equal(
	    start(&f, "host.example", 1, NULL, HARNESS_DEADLINE_MS), 0);
	destination_cancel(&f.op);
	destination_cancel(&f.op);
	assert_false(f.done);
	finish(&f, UV_ECANCELED, DESTINATION_CANCELED);
	held_cb(held_request, UV_EAI_NONAME, NULL);
}

/* ---- pinned ---- */

static void pin(struct endpoint *ep, uint16_t port)
{
	char text[ENDPOINT_TEXT_MAX];

	snprintf(text, sizeof(text), "tcp://127.0.0.1:%u", port);
	assert_int_equal(endpoint_parse(ep, text), 0);
}

static void test_pinned_needs_no_lookup(void **state)
{
	struct endpoint ep;
	struct fixture f;
	uint16_t port;
	int listener = harness_tcp_listen(4, &port);

	(void)state;
	init(&f);
	pin(&ep, port);
	lookup_error = UV_EFAULT; /* would fail */
	assert_int_equal(
	    start(&f, "host.example", 1, &ep, HARNESS_DEADLINE_MS), 0);
	finish(&f, 0, DESTINATION_OK);
	close(listener);
}

static void test_pinned_refuses(void **state)
{
	struct endpoint ep;
	struct fixture f;

	(void)state;
	init(&f);
	pin(&ep, harness_closed_port());
	assert_int_equal(
	    start(&f, "host.example", 1, &ep, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_ECONNREFUSED, DESTINATION_REFUSED);
	init(&f);
	assert_int_equal(endpoint_parse(&ep, "unix:///nonexistent/x"), 0);
	assert_int_equal(
	    start(&f, "host.example", 1, &ep, HARNESS_DEADLINE_MS), 0);
	finish(&f, UV_ENOENT, DESTINATION_REFUSED);
	/* A name may be pinned too. */
	init(&f);
	assert_int_equal(endpoint_parse(&ep, "tcp://host.invalid:1"), 0);
	assert_int_equal(start(&f, "host.example", 1, &ep, 5000), 0);
	harness_run_until(&f.loop, &f.done);
	assert_true(f.op.failure == DESTINATION_NO_NAME ||
		    f.op.failure == DESTINATION_NO_TIME);
	harness_close_loop(&f.loop);
}

/* A listener whose backlog is full: the handshake is never answered. */
static int black_hole(uint16_t *port, int *filler)
{
	int listener = harness_tcp_listen(0, port);

	*filler = harness_tcp_connect(*port);
	return listener;
}

static void test_black_hole(void **state)
{
	struct endpoint ep;
	struct fixture f;
	uint16_t port;
	int filler, listener = black_hole(&port, &filler);

	(void)state;
	init(&f);
	pin(&ep, port);
	assert_int_equal(start(&f, "host.example", 1, &ep, 50), 0);
	finish(&f, UV_ETIMEDOUT, DESTINATION_NO_TIME);
	close(filler);
	close(listener);
}

/* The next address is tried long before the first one's time is over. */
static void test_black_hole_beside_others(void **state)
{
	struct fixture f;
	uint16_t port;
	int filler, listener = black_hole(&port, &filler);
	int64_t began = harness_now_ms();

	(void)state;
	init(&f);
	answers[0] = "127.0.0.1"; /* hangs */
	answers[1] = "127.0.0.2"; /* refuses: and the first is waited for */
	assert_int_equal(start(&f, "host.example", port, NULL, 600), 0);
	finish(&f, UV_ETIMEDOUT, DESTINATION_NO_TIME);
	assert_true(harness_now_ms() - began >= 600);
	close(filler);
	close(listener);
}

/* Behind the first of two black holes the other family has its turn. */
static void test_families_take_turns(void **state)
{
	struct fixture f;
	uint16_t port;
	int filler, hole = black_hole(&port, &filler);
	int listener = harness_tcp6_listen(4, port);

	(void)state;
	if (listener < 0) {
		close(filler);
		close(hole);
		skip();
	}
	init(&f);
	ipv6_is_public = true;
	answers[0] = "127.0.0.1";
	answers[1] = "127.0.0.1";
	answers[2] = "::1";
	assert_int_equal(start(&f, "host.example", port, NULL, 60000), 0);
	harness_run_until(&f.loop, &f.done);
	assert_int_equal(f.op.race.next, 2); /* not the third */
	finish(&f, 0, DESTINATION_OK);
	close(listener);
	close(filler);
	close(hole);
}

/* A canceled lookup, and then an answer, whose connection nobody gets. */
static void test_cancel_after_lookup(void **state)
{
	struct fixture f;
	uint16_t port;
	int filler, listener = black_hole(&port, &filler);

	(void)state;
	init(&f);
	answers[0] = "127.0.0.1";
	assert_int_equal(
	    start(&f, "host.example", port, NULL, HARNESS_DEADLINE_MS), 0);
	while (!f.op.connecting)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	destination_cancel(&f.op);
	destination_cancel(&f.op);
	assert_false(f.done);
	finish(&f, UV_ECANCELED, DESTINATION_CANCELED);
	close(filler);
	close(listener);
}

static void test_cancel_connect(void **state)
{
	struct endpoint ep;
	struct fixture f;
	uint16_t port;
	int filler, listener = black_hole(&port, &filler);

	(void)state;
	init(&f);
	pin(&ep, port);
	assert_int_equal(
	    start(&f, "host.example", 1, &ep, HARNESS_DEADLINE_MS), 0);
	for (int i = 0; i < 20; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	destination_cancel(&f.op);
	assert_false(f.done);
	finish(&f, UV_ECANCELED, DESTINATION_CANCELED);
	close(filler);
	close(listener);
}

/* Connected, but not told yet: it hears of the cancel all the same. */
static void test_cancel_after_connect(void **state)
{
	char path[] = "/tmp/hallmark-XXXXXX", text[ENDPOINT_TEXT_MAX];
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct endpoint ep;
	struct fixture f;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 1), 0);
	snprintf(text, sizeof(text), "unix://%s", un.sun_path);
	assert_int_equal(endpoint_parse(&ep, text), 0);
	init(&f);
	assert_int_equal(
	    start(&f, "host.example", 1, &ep, HARNESS_DEADLINE_MS), 0);
	destination_cancel(&f.op);
	finish(&f, UV_ECANCELED, DESTINATION_CANCELED);
	close(listener);
	unlink(un.sun_path);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connects_to_the_answer),
	    cmocka_unit_test(test_tries_all_addresses),
	    cmocka_unit_test(test_no_address_answers),
	    cmocka_unit_test(test_private_answers_are_prohibited),
	    cmocka_unit_test(test_allow_private),
	    cmocka_unit_test(test_no_such_name),
	    cmocka_unit_test(test_lookup_fails),
	    cmocka_unit_test(test_lookup_cannot_start),
	    cmocka_unit_test(test_lookup_hangs),
	    cmocka_unit_test(test_cancel_lookup),
	    cmocka_unit_test(test_pinned_needs_no_lookup),
	    cmocka_unit_test(test_pinned_refuses),
	    cmocka_unit_test(test_black_hole),
	    cmocka_unit_test(test_black_hole_beside_others),
	    cmocka_unit_test(test_families_take_turns),
	    cmocka_unit_test(test_cancel_after_lookup),
	    cmocka_unit_test(test_cancel_connect),
	    cmocka_unit_test(test_cancel_after_connect),
	};

	return cmocka_run_group_tests_name(
	    "destination", tests, harness_first_loop, NULL);
}
