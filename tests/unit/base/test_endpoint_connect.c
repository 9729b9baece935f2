/* endpoint_connect: success, each error, and a cancel in each state. */
#include "base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 20000 /* a deadline that no test should meet */

struct attempt {
	struct endpoint_connect op;
	int calls, fd, started;
};

static uv_loop_t loop;
static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_connect.XXXXXX");
	return mkdtemp(dir) ? uv_loop_init(&loop) : -1;
}

/* Everything is closed, or the test has failed. */
static int teardown(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/s", dir);
	unlink(path);
	rmdir(dir);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void on_connect(struct endpoint_connect *op, int fd)
{
	struct attempt *attempt = op->data;

	assert_true(attempt->started);
	attempt->calls++;
	attempt->fd = fd;
}

static void start(
    struct attempt *attempt, const struct endpoint *ep, uint64_t timeout_ms)
{
	memset(attempt, 0xee, sizeof(*attempt));
	attempt->calls = attempt->started = 0;
	attempt->op.data = attempt;
	assert_int_equal(endpoint_connect_start(
			     &attempt->op, &loop, ep, timeout_ms, on_connect),
	    0);
	assert_int_equal(attempt->calls, 0);
	attempt->started = 1;
}

static int finish(struct attempt *attempt)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(attempt->calls, 1);
	return attempt->fd;
}

static int listener(struct endpoint *ep, const char *uri)
{
	int fd;

	assert_int_equal(endpoint_parse(ep, uri), 0);
	fd = endpoint_listen(ep, 8);
	assert_true(fd >= 0);
	if (ep->kind == ENDPOINT_TCP)
		ep->port = endpoint_bound_port(fd);
	return fd;
}

static int unix_listener(struct endpoint *ep)
{
	char uri[128];

	snprintf(uri, sizeof(uri), "unix://%s/s", dir);
	return listener(ep, uri);
}

static void check_connected(int fd, int listening)
{
	int peer;
	char c = 0;

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	peer = accept(listening, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(write(peer, "x", 1), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	close(peer);
	close(fd);
}

static void test_tcp(void **state)
{
	struct attempt attempt;
	struct endpoint ep;
	int listening = listener(&ep, "tcp://127.0.0.1:0"), on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	start(&attempt, &ep, LONG_MS);
	finish(&attempt);
	getsockopt(attempt.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	assert_true(on);
	check_connected(attempt.fd, listening);
	close(listening);
}

/* "localhost" has ::1 and 127.0.0.1 on most machines, the listener only one
 * of them: the other is refused and the next is tried. */
static void test_tcp_name_tries_all_addresses(void **state)
{
	static const char *const uris[] = {
	    "tcp://127.0.0.1:0", "tcp://[::1]:0"};
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct addrinfo *all = NULL, hints = {.ai_family = AF_INET6};
		int listening;

		if (i == 1 && getaddrinfo("localhost", NULL, &hints, &all))
			break; /* a machine without IPv6 */
		if (all)
			freeaddrinfo(all);
		listening = listener(&ep, uris[i]);
		strcpy(ep.host, "localhost");
		start(&attempt, &ep, LONG_MS);
		check_connected(finish(&attempt), listening);
		close(listening);
	}
}

static void test_unix(void **state)
{
	struct attempt attempt;
	struct endpoint ep;
	int listening = unix_listener(&ep);

	(void)state;
	start(&attempt, &ep, LONG_MS);
	check_connected(finish(&attempt), listening);
	close(listening);
}

static void test_refused(void **state)
{
	struct attempt attempt;
	struct endpoint tcp, un;

	(void)state;
	close(listener(&tcp, "tcp://127.0.0.1:0"));
	start(&attempt, &tcp, LONG_MS);
	assert_int_equal(finish(&attempt), UV_ECONNREFUSED);
	close(unix_listener(&un));
	start(&attempt, &un, LONG_MS);
	assert_int_equal(finish(&attempt), UV_ECONNREFUSED);
	unlink(un.path);
	start(&attempt, &un, LONG_MS);
	assert_int_equal(finish(&attempt), UV_ENOENT);
}

static void test_unknown_name(void **state)
{
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	/* RFC 6761 6.4: .invalid never resolves. */
	assert_int_equal(endpoint_parse(&ep, "tcp://no.invalid:80"), 0);
	start(&attempt, &ep, LONG_MS);
	assert_true(finish(&attempt) < 0);
}

static void test_start_refuses_listening_forms(void **state)
{
	struct attempt attempt = {.calls = 0};
	struct endpoint ep;

	(void)state;
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	assert_int_equal(
	    endpoint_connect_start(&attempt.op, &loop, &ep, 10, on_connect),
	    UV_EINVAL);
	assert_int_equal(endpoint_parse(&ep, "vsock://any:8080"), 0);
	assert_int_equal(
	    endpoint_connect_start(&attempt.op, &loop, &ep, 10, on_connect),
	    UV_EINVAL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(attempt.calls, 0);
}

static void test_cancel_before_the_loop_runs(void **state)
{
	struct attempt tcp, un;
	struct endpoint tcp_ep, un_ep;
	int a = listener(&tcp_ep, "tcp://127.0.0.1:0");
	int b = unix_listener(&un_ep);

	(void)state;
	start(&tcp, &tcp_ep, LONG_MS);
	start(&un, &un_ep, LONG_MS);
	endpoint_connect_cancel(&tcp.op);
	endpoint_connect_cancel(&tcp.op);
	endpoint_connect_cancel(&un.op);
	assert_int_equal(tcp.calls + un.calls, 0);
	assert_int_equal(finish(&tcp), UV_ECANCELED);
	/* The Unix socket was connected by start already: the callee gets it,
	 * a cancel comes too late. */
	assert_int_equal(un.calls, 1);
	assert_true(un.fd >= 0);
	close(un.fd);
	close(a);
	close(b);
}

/* ---- a resolver that hangs: the pool's threads are all kept busy ---- */

#define POOL_THREADS 4

struct busy {
	uv_work_t work;
	uv_sem_t *release, *held;
};

static void busy_run(uv_work_t *work)
{
	struct busy *busy = (struct busy *)work;

	uv_sem_post(busy->held);
	uv_sem_wait(busy->release);
}

static void busy_done(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

/* Returns when all of them are: before that the pool may still have a turn for
 * lookups to give, which a canceled one of the test before has left behind. */
static void hold_pool(struct busy busy[POOL_THREADS], uv_sem_t *release)
{
	uv_sem_t held;

	uv_sem_init(release, 0);
	uv_sem_init(&held, 0);
	for (int i = 0; i < POOL_THREADS; i++) {
		busy[i].release = release;
		busy[i].held = &held;
		uv_queue_work(&loop, &busy[i].work, busy_run, busy_done);
	}
	for (int i = 0; i < POOL_THREADS; i++)
		uv_sem_wait(&held);
	uv_sem_destroy(&held);
}

static void release_pool(uv_sem_t *release)
{
	for (int i = 0; i < POOL_THREADS; i++)
		uv_sem_post(release);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_sem_destroy(release);
}

static void run_until_called(const struct attempt *attempt)
{
	while (attempt->calls == 0)
		uv_run(&loop, UV_RUN_ONCE);
}

static void test_timeout_while_resolving(void **state)
{
	struct busy busy[POOL_THREADS];
	uv_sem_t release;
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	assert_int_equal(endpoint_parse(&ep, "tcp://localhost:9"), 0);
	hold_pool(busy, &release);
	start(&attempt, &ep, 20);
	run_until_called(&attempt);
	assert_int_equal(attempt.fd, UV_ETIMEDOUT);
	release_pool(&release);
	assert_int_equal(attempt.calls, 1);
}

static void on_cancel_timer(uv_timer_t *timer)
{
	endpoint_connect_cancel(timer->data);
	uv_close((uv_handle_t *)timer, NULL);
}

static void cancel_later(uv_timer_t *timer, struct attempt *attempt)
{
	uv_timer_init(&loop, timer);
	timer->data = &attempt->op;
	uv_timer_start(timer, on_cancel_timer, 20, 0);
}

static void test_cancel_while_resolving(void **state)
{
	struct busy busy[POOL_THREADS];
	uv_sem_t release;
	uv_timer_t timer;
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	assert_int_equal(endpoint_parse(&ep, "tcp://localhost:9"), 0);
	hold_pool(busy, &release);
	start(&attempt, &ep, LONG_MS);
	cancel_later(&timer, &attempt);
	run_until_called(&attempt);
	assert_int_equal(attempt.fd, UV_ECANCELED);
	memset(&attempt.op, 0xee, sizeof(attempt.op)); /* ours again */
	release_pool(&release);
	assert_int_equal(attempt.calls, 1);
}

/* ---- a connect that hangs: a listener whose backlog is full ---- */

#define FILLERS 16

static void fill_backlog(struct endpoint *ep, int *listening, int fillers[])
{
	struct sockaddr_in in;

	assert_int_equal(endpoint_parse(ep, "tcp://127.0.0.1:0"), 0);
	*listening = endpoint_listen(ep, 1);
	assert_true(*listening >= 0);
	ep->port = endpoint_bound_port(*listening);
	uv_ip4_addr("127.0.0.1", (int)ep->port, &in);
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&in, sizeof(in));
	}
}

static void drop_backlog(int listening, int fillers[])
{
	for (int i = 0; i < FILLERS; i++)
		close(fillers[i]);
	close(listening);
}

static void test_timeout_while_connecting(void **state)
{
	int listening, fillers[FILLERS];
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	fill_backlog(&ep, &listening, fillers);
	start(&attempt, &ep, 100);
	assert_int_equal(finish(&attempt), UV_ETIMEDOUT);
	drop_backlog(listening, fillers);
}

static void test_cancel_while_connecting(void **state)
{
	int listening, fillers[FILLERS];
	uv_timer_t timer;
	struct attempt attempt;
	struct endpoint ep;

	(void)state;
	fill_backlog(&ep, &listening, fillers);
	start(&attempt, &ep, LONG_MS);
	while (!attempt.op.poll_active)
		uv_run(&loop, UV_RUN_ONCE);
	cancel_later(&timer, &attempt);
	assert_int_equal(finish(&attempt), UV_ECANCELED);
	drop_backlog(listening, fillers);
}

/* ---- the struct is the callback's to free ---- */

static void on_connect_free(struct endpoint_connect *op, int fd)
{
	*(int *)op->data = fd;
	free(op);
}

static void test_callback_may_free(void **state)
{
	struct endpoint_connect *op = calloc(1, sizeof(*op));
	struct endpoint ep;
	int listening = listener(&ep, "tcp://127.0.0.1:0"), fd = -1;

	(void)state;
	op->data = &fd;
	assert_int_equal(
	    endpoint_connect_start(op, &loop, &ep, LONG_MS, on_connect_free),
	    0);
	uv_run(&loop, UV_RUN_DEFAULT);
	check_connected(fd, listening);
	close(listening);
}

#define loop_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    loop_test(test_tcp),
	    loop_test(test_tcp_name_tries_all_addresses),
	    loop_test(test_unix),
	    loop_test(test_refused),
	    loop_test(test_unknown_name),
	    loop_test(test_start_refuses_listening_forms),
	    loop_test(test_cancel_before_the_loop_runs),
	    loop_test(test_timeout_while_resolving),
	    loop_test(test_cancel_while_resolving),
	    loop_test(test_timeout_while_connecting),
	    loop_test(test_cancel_while_connecting),
	    loop_test(test_callback_may_free),
	};
	return cmocka_run_group_tests_name(
	    "endpoint_connect", tests, NULL, NULL);
}
