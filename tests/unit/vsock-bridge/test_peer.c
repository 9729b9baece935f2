#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/peer.h"

static void test_tcp(void **state)
{
	char text[PEER_TEXT_MAX], expected[64];
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int pair[2];

	(void)state;
	harness_tcp_pair(pair);
	assert_int_equal(getsockname(pair[0], (struct sockaddr *)&in, &len), 0);
	snprintf(
	    expected, sizeof(expected), "127.0.0.1:%u", ntohs(in.sin_port));
	peer_describe(pair[1], text);
	assert_string_equal(text, expected);
	close(pair[0]);
	close(pair[1]);
}

static void test_tcp6(void **state)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int listener = socket(AF_INET6, SOCK_STREAM, 0), near, far;
	socklen_t len = sizeof(in6);
	char text[PEER_TEXT_MAX];

	(void)state;
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&in6, sizeof(in6)) != 0) {
		close(listener);
		skip(); /* a machine without IPv6 */
	}
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&in6, &len), 0);
	near = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(near, (struct sockaddr *)&in6, sizeof(in6)), 0);
	far = accept(listener, NULL, NULL);
	peer_describe(far, text);
	assert_memory_equal(text, "[::1]:", 6);
	close(near);
	close(far);
	close(listener);
}

static void test_unix(void **state)
{
	char text[PEER_TEXT_MAX], expected[64];
	int pair[2];

	(void)state;
	harness_unix_pair(pair);
	snprintf(expected, sizeof(expected), "unix:pid=%ld,uid=%lu",
	    (long)getpid(), (unsigned long)getuid());
	peer_describe(pair[0], text);
	assert_string_equal(text, expected);
	close(pair[0]);
	close(pair[1]);
}

static void test_none(void **state)
{
	char text[PEER_TEXT_MAX];
	int pipes[2];

	(void)state;
	peer_describe(-1, text);
	assert_string_equal(text, "unknown");
	assert_int_equal(pipe(pipes), 0);
	peer_describe(pipes[0], text);
	assert_string_equal(text, "unknown");
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp),
	    cmocka_unit_test(test_tcp6),
	    cmocka_unit_test(test_unix),
	    cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
