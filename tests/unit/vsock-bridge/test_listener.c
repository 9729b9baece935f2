#include "tests/unit/vsock-bridge/harness.h"

#include "base/log.h"
#include "vsock-bridge/listener.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

struct fixture {
	uv_loop_t loop;
	struct listener listener;
	int accepted[256];
	size_t count;
	bool one, stopped;
};

static void on_accept(struct listener *listener, int fd)
{
	struct fixture *f = listener->data;
	socklen_t len = sizeof(int);
	int nodelay = 0;

	assert_int_equal(
	    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
	assert_int_not_equal(nodelay, 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	f->accepted[f->count++] = fd;
	f->one = true;
}

static void on_stopped(struct listener *listener)
{
	struct fixture *f = listener->data;

	assert_false(f->stopped);
	f->stopped = true;
}

static void start(struct fixture *f)
{
	struct endpoint ep;

	memset(f, 0, sizeof(*f));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	f->listener.data = f;
	assert_int_equal(
	    listener_start(&f->listener, &f->loop, &ep, 0, on_accept), 0);
}

static void stop(struct fixture *f)
{
	listener_stop(&f->listener, on_stopped);
	listener_stop(&f->listener, on_stopped);
	assert_false(f->stopped);
	harness_run_until(&f->loop, &f->stopped);
	for (size_t i = 0; i < f->count; i++)
		close(f->accepted[i]);
	harness_close_loop(&f->loop);
}

static uint16_t port_of(const struct fixture *f)
{
	return (uint16_t)f->listener.endpoint.port;
}

static void test_accepts(void **state)
{
	char where[ENDPOINT_TEXT_MAX], expected[64];
	struct fixture f;
	int fd;

	(void)state;
	start(&f);
	listener_describe(&f.listener, where);
	snprintf(expected, sizeof(expected), "tcp://127.0.0.1:%u", port_of(&f));
	assert_string_equal(where, expected);
	assert_int_not_equal(port_of(&f), 0);
	fd = harness_tcp_connect(port_of(&f));
	harness_run_until(&f.loop, &f.one);
	assert_int_equal(f.count, 1);
	close(fd);
	stop(&f);
}

/* More than one burst waits: all are accepted all the same. */
static void test_accepts_all_that_wait(void **state)
{
	int fds[LISTENER_BURST_MAX + 10];
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < LISTENER_BURST_MAX + 10; i++)
		fds[i] = harness_tcp_connect(port_of(&f));
	for (int i = 0; i < 100 && f.count < LISTENER_BURST_MAX + 10; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.count, LISTENER_BURST_MAX + 10);
	for (size_t i = 0; i < LISTENER_BURST_MAX + 10; i++)
		close(fds[i]);
	stop(&f);
}

static void test_start_fails(void **state)
{
	struct fixture f, second;
	struct endpoint ep;

	(void)state;
	start(&f);
	ep = f.listener.endpoint;
	memset(&second, 0, sizeof(second));
	assert_int_equal(
	    listener_start(&second.listener, &f.loop, &ep, 0, on_accept),
	    UV_EADDRINUSE);
	stop(&f);
}

static void limit_descriptors(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Out of descriptors: it pauses without spinning, and goes on by itself. */
static void test_descriptors_run_out_and_come_back(void **state)
{
	struct rlimit before;
	struct fixture f;
	int first, second, spare;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	start(&f);
	first = harness_tcp_connect(port_of(&f));
	second = harness_tcp_connect(port_of(&f));
	spare = dup(first); /* the lowest that is free, and all below taken */
	limit_descriptors((rlim_t)spare + 1);
	for (int i = 0; i < 50; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.count, 0);
	assert_true(f.listener.exhausted);
	assert_false(uv_is_active((uv_handle_t *)&f.listener.poll));
	assert_true(uv_is_active((uv_handle_t *)&f.listener.pause));
	limit_descriptors(before.rlim_cur);
	harness_run_until(&f.loop, &f.one);
	for (int i = 0; i < 10; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.count, 2);
	assert_false(f.listener.exhausted);
	close(first);
	close(second);
	close(spare);
	stop(&f);
}

/* One connection of many may use up what is left, but not the reserve: what is
 * accepted has to connect to somewhere. */
static void test_leaves_a_reserve(void **state)
{
	uint64_t pauses = 0;
	struct rlimit before;
	struct fixture f;
	int fds[40], probe, left;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	start(&f);
	f.listener.pauses = &pauses;
	for (size_t i = 0; i < 40; i++)
		fds[i] = harness_tcp_connect(port_of(&f));
	limit_descriptors((rlim_t)fds[39] + 20);
	/* each turn of the loop is at least a pause apart */
	for (int i = 0; i < 50; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_true(f.listener.exhausted);
	assert_int_equal(pauses, 1);
	assert_true(f.count > 0 && f.count < 20);
	probe = dup(fds[0]);
	assert_true(probe >= 0);
	left = fds[39] + 20 - probe;
	assert_true(left >= (fds[39] + 20) / 4 - 1);
	close(probe);
	/* Still none is free: it looks, and accepts no other. */
	left = (int)f.count;
	for (int i = 0; i < 3; i++)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(f.count, left);
	for (int i = 0; i < left; i++)
		close(f.accepted[i]);
	harness_sleep_ms(LISTENER_PAUSE_MS);
	f.count = 0;
	f.one = false;
	harness_run_until(&f.loop, &f.one);
	limit_descriptors(before.rlim_cur);
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	stop(&f);
}

static void test_stop_while_paused(void **state)
{
	struct rlimit before;
	struct fixture f;
	int fd, spare;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	start(&f);
	fd = harness_tcp_connect(port_of(&f));
	spare = dup(fd);
	limit_descriptors((rlim_t)spare + 1);
	for (int i = 0; i < 50; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_true(f.listener.exhausted);
	limit_descriptors(before.rlim_cur);
	stop(&f);
	assert_int_equal(f.count, 0);
	close(fd);
	close(spare);
}

static void test_stop_without_callback(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	listener_stop(&f.listener, NULL);
	harness_close_loop(&f.loop);
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR); /* the pause is a warning */
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepts),
	    cmocka_unit_test(test_accepts_all_that_wait),
	    cmocka_unit_test(test_start_fails),
	    cmocka_unit_test(test_descriptors_run_out_and_come_back),
	    cmocka_unit_test(test_leaves_a_reserve),
	    cmocka_unit_test(test_stop_while_paused),
	    cmocka_unit_test(test_stop_without_callback),
	};

	return cmocka_run_group_tests_name("listener", tests, setup, NULL);
}
