/* endpoint_connect to hybrid://: a monitor that this test plays itself. */
#include "base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 20000 /* a deadline that no test should meet */

static uv_loop_t loop;
static char dir[64];
static struct endpoint ep;
static int monitor; /* listens where the monitor does */

static struct endpoint_connect op;
static int calls, result;

static int setup(void **state)
{
	struct endpoint at;
	char text[160];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_hybrid.XXXXXX");
	if (!mkdtemp(dir) || uv_loop_init(&loop) != 0)
		return -1;
	snprintf(text, sizeof(text), "unix://%s/s", dir);
	assert_int_equal(endpoint_parse(&at, text), 0);
	monitor = endpoint_listen(&at, 8);
	assert_true(monitor >= 0);
	snprintf(text, sizeof(text), "hybrid://%s/s:8443", dir);
	assert_int_equal(endpoint_parse(&ep, text), 0);
	calls = 0;
	return 0;
}

/* Everything is closed, or the test has failed. */
static int teardown(void **state)
{
	(void)state;
	close(monitor);
	unlink(ep.path);
	rmdir(dir);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void on_connect(struct endpoint_connect *connect, int fd)
{
	assert_ptr_equal(connect, &op);
	calls++;
	result = fd;
}

static void start(uint64_t timeout_ms)
{
	memset(&op, 0xee, sizeof(op));
	calls = 0;
	assert_int_equal(
	    endpoint_connect_start(&op, &loop, &ep, timeout_ms, on_connect), 0);
	assert_int_equal(calls, 0);
}

static int finish(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(calls, 1);
	return result;
}

/* The monitor's end of the connection, the request read. */
static int accept_request(const char *wanted)
{
	char line[64] = "";
	int fd = accept(monitor, NULL, NULL);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, line, sizeof(line) - 1), strlen(wanted));
	assert_string_equal(line, wanted);
	return fd;
}

static void say(int fd, const char *bytes, size_t len)
{
	assert_int_equal(write(fd, bytes, len), len);
}

static void check_through(int fd, int peer)
{
	char bytes[8] = "";

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	say(fd, "ping", 4);
	assert_int_equal(read(peer, bytes, sizeof(bytes)), 4);
	assert_string_equal(bytes, "ping");
	close(fd);
	close(peer);
}

static void test_connected(void **state)
{
	int peer;

	(void)state;
	start(LONG_MS);
	peer = accept_request("CONNECT 8443\n");
	say(peer, "OK 1073741824\n", 14);
	check_through(finish(), peer);
}

/* The guest may be the first to speak: its bytes are the callee's. */
static void test_bytes_behind_the_answer_stay(void **state)
{
	char bytes[16] = "";
	int peer;

	(void)state;
	start(LONG_MS);
	peer = accept_request("CONNECT 8443\n");
	say(peer, "OK 1\nSSH-2.0", 12);
	assert_true(finish() >= 0);
	assert_int_equal(read(result, bytes, sizeof(bytes)), 7);
	assert_string_equal(bytes, "SSH-2.0");
	check_through(result, peer);
}

static void test_answer_in_pieces(void **state)
{
	static const char answer[] = "OK 4294967295\n";
	int peer;

	(void)state;
	start(LONG_MS);
	peer = accept_request("CONNECT 8443\n");
	for (size_t i = 0; i < strlen(answer); i++) {
		assert_int_equal(calls, 0);
		say(peer, answer + i, 1);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	check_through(finish(), peer);
}

static void test_hangs_up(void **state)
{
	static const char *const parts[] = {"", "O", "OK 1"};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int peer;

		start(LONG_MS);
		peer = accept_request("CONNECT 8443\n");
		say(peer, parts[i], strlen(parts[i]));
		close(peer);
		assert_int_equal(finish(), UV_ECONNRESET);
	}
	/* With our request unread it is a reset. */
	start(LONG_MS);
	close(accept(monitor, NULL, NULL));
	assert_int_equal(finish(), UV_ECONNRESET);
}

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

static void test_hostile_answers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} answers[] = {
	    BYTES("\n"),
	    BYTES("OK\n"),
	    BYTES("OK \n"),
	    BYTES("OK  1\n"),
	    BYTES("ok 1\n"),
	    BYTES("OK x\n"),
	    BYTES("OK -1\n"),
	    BYTES("OK 1 \n"),
	    BYTES("OK 1\r\n"),
	    BYTES("OK 1\0\n"),
	    BYTES("\0OK 1\n"),
	    BYTES("OKAY 1\n"),
	    BYTES("OK 42949672950\n"),
	    BYTES("00000000000000"),
	    BYTES("HTTP/1.1 200 OK\r\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		int peer;

		start(LONG_MS);
		peer = accept_request("CONNECT 8443\n");
		say(peer, answers[i].bytes, answers[i].len);
		if (finish() != UV_EPROTO)
			fail_msg("answer %zu: %d", i, result);
		close(peer);
	}
}

/* It is refused as soon as no more of it could make it good. */
static void test_no_end_of_line(void **state)
{
	char bytes[4096];
	int peer;

	(void)state;
	memset(bytes, '1', sizeof(bytes));
	memcpy(bytes, "OK ", 3);
	start(LONG_MS);
	peer = accept_request("CONNECT 8443\n");
	say(peer, bytes, sizeof(bytes));
	assert_int_equal(finish(), UV_EPROTO);
	close(peer);
}

static void test_no_answer(void **state)
{
	int peer;

	(void)state;
	start(20);
	peer = accept_request("CONNECT 8443\n");
	assert_int_equal(finish(), UV_ETIMEDOUT);
	close(peer);
	start(100);
	peer = accept_request("CONNECT 8443\n");
	say(peer, "OK 1", 4);
	assert_int_equal(finish(), UV_ETIMEDOUT);
	close(peer);
}

static void test_cancel_while_greeting(void **state)
{
	int peer;

	(void)state;
	start(LONG_MS);
	uv_run(&loop, UV_RUN_NOWAIT);
	peer = accept_request("CONNECT 8443\n");
	say(peer, "OK", 2);
	uv_run(&loop, UV_RUN_NOWAIT);
	endpoint_connect_cancel(&op);
	endpoint_connect_cancel(&op);
	assert_int_equal(finish(), UV_ECANCELED);
	close(peer);
}

static void test_no_monitor(void **state)
{
	(void)state;
	close(monitor);
	start(LONG_MS);
	assert_int_equal(finish(), UV_ECONNREFUSED);
	unlink(ep.path);
	start(LONG_MS);
	assert_int_equal(finish(), UV_ENOENT);
	monitor = -1;
}

/* ---- the bytes alone ---- */

static void test_request(void **state)
{
	struct hybrid_greeting greeting;
	char line[HYBRID_GREETING_MAX];

	(void)state;
	assert_int_equal(hybrid_greeting_start(&greeting, 1, line), 10);
	assert_string_equal(line, "CONNECT 1\n");
	assert_int_equal(
	    hybrid_greeting_start(&greeting, UINT32_MAX, line), 19);
	assert_string_equal(line, "CONNECT 4294967295\n");
}

static void test_how_much_is_taken(void **state)
{
	struct hybrid_greeting greeting;
	char line[HYBRID_GREETING_MAX];
	size_t taken;

	(void)state;
	hybrid_greeting_start(&greeting, 1, line);
	assert_int_equal(hybrid_greeting_read(&greeting, "", 0, &taken), 0);
	assert_int_equal(taken, 0);
	assert_int_equal(hybrid_greeting_read(&greeting, "OK", 2, &taken), 0);
	assert_int_equal(taken, 2);
	assert_int_equal(
	    hybrid_greeting_read(&greeting, " 1\n\n\n", 5, &taken), 1);
	assert_int_equal(taken, 3);
	/* Another start forgets. */
	hybrid_greeting_start(&greeting, 1, line);
	assert_int_equal(
	    hybrid_greeting_read(&greeting, " 1\n", 3, &taken), UV_EPROTO);
}

#define hybrid_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    hybrid_test(test_connected),
	    hybrid_test(test_bytes_behind_the_answer_stay),
	    hybrid_test(test_answer_in_pieces),
	    hybrid_test(test_hangs_up),
	    hybrid_test(test_hostile_answers),
	    hybrid_test(test_no_end_of_line),
	    hybrid_test(test_no_answer),
	    hybrid_test(test_cancel_while_greeting),
	    hybrid_test(test_no_monitor),
	    cmocka_unit_test(test_request),
	    cmocka_unit_test(test_how_much_is_taken),
	};
	return cmocka_run_group_tests_name(
	    "endpoint_hybrid", tests, NULL, NULL);
}
