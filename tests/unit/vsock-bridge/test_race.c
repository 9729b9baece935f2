#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/race.h"

#include <poll.h>
#include <sys/resource.h>

/* ---- the order ---- */

/* Addresses by their last byte: 4 and 6 are families, letters tell apart. */
static void order(const char *before, const char *after)
{
	union race_address addresses[RACE_ADDRESSES_MAX] = {0};
	size_t count = strlen(before) / 2;

	for (size_t i = 0; i < count; i++) {
		bool six = before[2 * i] == '6';

		addresses[i].sa.sa_family = six ? AF_INET6 : AF_INET;
		addresses[i].in.sin_port = (in_port_t)before[2 * i + 1];
	}
	race_order(addresses, count);
	for (size_t i = 0; i < count; i++) {
		bool six = addresses[i].sa.sa_family == AF_INET6;

		assert_int_equal(six, after[2 * i] == '6');
		assert_int_equal(addresses[i].in.sin_port, after[2 * i + 1]);
	}
}

static void test_order(void **state)
{
	(void)state;
	order("", "");
	order("4a", "4a");
	order("4a4b4c", "4a4b4c");
	order("6a6b6c4a4b4c", "6a4a6b4b6c4c");
	order("4a4b6a6b", "4a6a4b6b");
	order("6a6b6c6d4a", "6a4a6b6c6d");
	order("6a4a6b4b", "6a4a6b4b");
	order("4a4b4c4d4e6a6b", "4a6a4b6b4c4d4e");
	order("6a4a4b4c6b", "6a4a6b4b4c");
}

/* ---- races ---- */

struct fixture {
	uv_loop_t loop;
	struct race race;
	union race_address addresses[RACE_ADDRESSES_MAX];
	size_t count;
	bool done;
	int fd;
	unsigned descriptors; /* before */
};

static struct fixture f;

static void on_done(struct race *race, int fd)
{
	assert_ptr_equal(race->data, &f);
	assert_false(f.done);
	f.done = true;
	f.fd = fd;
	memset(race, 0xaa, sizeof(*race)); /* it is ours again */
}

static void init(void)
{
	memset(&f, 0, sizeof(f));
	f.descriptors = harness_descriptors();
	assert_int_equal(uv_loop_init(&f.loop), 0);
	f.race.data = &f;
}

/* 127.0.0.LAST at this port. */
static void add(uint8_t last, uint16_t port)
{
	f.addresses[f.count++].in = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {htonl(0x7f000000u | last)}};
}

static void start(uint64_t timeout_ms)
{
	race_start(&f.race, &f.loop, f.addresses, f.count, timeout_ms, on_done);
	assert_false(f.done);
}

/* Runs to the end: the result. Nothing else is left, neither on the loop nor of
 * the attempts that have lost. */
static int result(void)
{
	harness_run_until(&f.loop, &f.done);
	harness_close_loop(&f.loop);
	assert_int_equal(harness_descriptors(), f.descriptors + (f.fd >= 0));
	return f.fd;
}

/* Where it is connected to. */
static uint16_t port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_int_equal(getpeername(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

static bool was_connected_to(int listener)
{
	struct pollfd poller = {.fd = listener, .events = POLLIN};

	return poll(&poller, 1, 0) == 1;
}

/* A listener whose backlog is full: the handshake is never answered. */
static int black_hole(uint16_t *port, int *filler)
{
	int listener = harness_tcp_listen(0, port);

	*filler = harness_tcp_connect(*port);
	return listener;
}

static void test_first_wins(void **state)
{
	uint16_t a, b;
	int first = harness_tcp_listen(4, &a);
	int second = harness_tcp_listen(4, &b);
	int fd;

	(void)state;
	init();
	add(1, a);
	add(1, b);
	start(HARNESS_DEADLINE_MS);
	fd = result();
	assert_true(fd >= 0);
	assert_int_equal(port_of(fd), a);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(was_connected_to(second));
	close(fd);
	close(first);
	close(second);
}

/* No delay: three that refuse cost nothing. */
static void test_failures_are_passed_over(void **state)
{
	uint16_t port, closed = harness_closed_port();
	int listener = harness_tcp_listen(4, &port), fd;

	(void)state;
	init();
	for (int i = 0; i < RACE_ADDRESSES_MAX - 1; i++)
		add(1, closed);
	add(1, port);
	/* Fifteen delays would be far above this deadline. */
	start(RACE_DELAY_MS * 12);
	fd = result();
	assert_true(fd >= 0);
	assert_int_equal(port_of(fd), port);
	close(fd);
	close(listener);
}

/* An address that cannot even be tried. */
static void test_unroutable(void **state)
{
	uint16_t port;
	int listener = harness_tcp_listen(4, &port), fd;

	(void)state;
	init();
	f.addresses[f.count++].sa.sa_family = AF_APPLETALK;
	add(1, port);
	start(HARNESS_DEADLINE_MS);
	fd = result();
	assert_true(fd >= 0);
	close(fd);
	close(listener);
	init();
	f.addresses[f.count++].sa.sa_family = AF_APPLETALK;
	start(HARNESS_DEADLINE_MS);
	assert_true(result() < 0);
}

static void test_all_refuse(void **state)
{
	(void)state;
	init();
	add(1, harness_closed_port());
	add(2, harness_closed_port());
	start(HARNESS_DEADLINE_MS);
	assert_int_equal(result(), UV_ECONNREFUSED);
}

/* No descriptor left: what is tried says so, and nothing hangs. */
static void test_no_descriptors(void **state)
{
	struct rlimit old, none;

	(void)state;
	init();
	add(1, harness_closed_port());
	add(2, harness_closed_port());
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){0, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start(HARNESS_DEADLINE_MS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(result(), UV_EMFILE);
}

static void test_ipv6(void **state)
{
	uint16_t port = harness_closed_port();
	int listener = harness_tcp6_listen(4, port), fd;

	(void)state;
	if (listener < 0)
		skip();
	init();
	f.addresses[f.count++].in6 = (struct sockaddr_in6){
	    .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	    .sin6_port = htons(port)};
	start(HARNESS_DEADLINE_MS);
	fd = result();
	assert_true(fd >= 0);
	close(fd);
	close(listener);
}

/* Behind a black hole: after one delay, not after its share of a minute. And
 * not before: the first has its head start. */
static void test_overtakes_a_black_hole(void **state)
{
	uint16_t hole_port, port;
	int filler, hole = black_hole(&hole_port, &filler), fd;
	int listener = harness_tcp_listen(4, &port);
	int64_t began = harness_now_ms();

	(void)state;
	init();
	add(1, hole_port);
	add(1, port);
	start(60000);
	fd = result();
	assert_true(fd >= 0);
	assert_int_equal(port_of(fd), port);
	assert_true(harness_now_ms() - began >= RACE_DELAY_MS - 10);
	close(fd);
	close(listener);
	close(filler);
	close(hole);
}

/* The first attempt goes on while the second is tried, and wins after all. */
static void test_slow_first_still_wins(void **state)
{
	uint16_t slow_port, hole_port;
	int slow_filler, slow = black_hole(&slow_port, &slow_filler);
	int filler, hole = black_hole(&hole_port, &filler), taken, fd;

	(void)state;
	init();
	add(1, slow_port);
	add(1, hole_port);
	start(60000);
	while (f.race.under_way < 2)
		uv_run(&f.loop, UV_RUN_ONCE);
	/* Room in the backlog: the kernel's next SYN gets through. */
	taken = accept(slow, NULL, NULL);
	f.descriptors++;
	fd = result();
	assert_true(fd >= 0);
	assert_int_equal(port_of(fd), slow_port);
	close(fd);
	close(taken);
	close(slow_filler);
	close(slow);
	close(filler);
	close(hole);
}

static void test_deadline(void **state)
{
	uint16_t port;
	int filler, hole = black_hole(&port, &filler);

	(void)state;
	init();
	add(1, port);
	add(1, port);
	add(1, harness_closed_port());
	start(RACE_DELAY_MS + 50);
	assert_int_equal(result(), UV_ETIMEDOUT);
	init();
	add(1, port);
	start(0); /* a lookup can have used it all */
	assert_int_equal(result(), UV_ETIMEDOUT);
	close(filler);
	close(hole);
}

/* In each turn of the loop, until it is over before the cancel. */
static void test_cancel_at_every_turn(void **state)
{
	uint16_t hole_port, port;
	int filler, hole = black_hole(&hole_port, &filler);
	int listener = harness_tcp_listen(64, &port);

	(void)state;
	for (int turns = 0; turns < 6; turns++) {
		init();
		add(1, turns % 2 == 0 ? hole_port : port);
		add(1, hole_port);
		start(HARNESS_DEADLINE_MS);
		for (int i = 0; i < turns && !f.done; i++)
			uv_run(&f.loop, UV_RUN_NOWAIT);
		if (!f.done) {
			race_cancel(&f.race);
			race_cancel(&f.race);
			assert_false(f.done);
			assert_int_equal(result(), UV_ECANCELED);
		} else {
			close(result());
		}
	}
	close(listener);
	close(filler);
	close(hole);
}

static void on_check(uv_check_t *check)
{
	/* Connected and finished, but the handles are not closed yet. */
	if (f.done || !f.race.finished)
		return;
	race_cancel(&f.race);
	uv_close((uv_handle_t *)check, NULL);
}

/* Connected already: the descriptor is nobody's then, and is closed. */
static void test_cancel_after_winning(void **state)
{
	uint16_t port;
	int listener = harness_tcp_listen(4, &port), fd;
	uv_check_t check;
	char byte;

	(void)state;
	init();
	add(1, port);
	uv_check_init(&f.loop, &check);
	uv_check_start(&check, on_check);
	start(HARNESS_DEADLINE_MS);
	assert_int_equal(result(), UV_ECANCELED);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_first_wins),
	    cmocka_unit_test(test_failures_are_passed_over),
	    cmocka_unit_test(test_unroutable),
	    cmocka_unit_test(test_all_refuse),
	    cmocka_unit_test(test_no_descriptors),
	    cmocka_unit_test(test_ipv6),
	    cmocka_unit_test(test_overtakes_a_black_hole),
	    cmocka_unit_test(test_slow_first_still_wins),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_cancel_at_every_turn),
	    cmocka_unit_test(test_cancel_after_winning),
	};

	return cmocka_run_group_tests_name(
	    "race", tests, harness_first_loop, NULL);
}
