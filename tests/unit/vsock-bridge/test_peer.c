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
	/* ::/64 */
	assert_int_equal(peer_key_of(far).kind, PEER_IPV6);
	assert_int_equal(peer_key_of(far).value, 0);
	close(near);
	close(far);
	close(listener);
}

/* A client that came over IPv4 to a listener at [::] is the same as one that
 * came to one at 0.0.0.0. */
static void test_mapped_is_ipv4(void **state)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in6);
	int listener = socket(AF_INET6, SOCK_STREAM, 0), near, far, off = 0;

	(void)state;
	setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	/* ::ffff:127.0.0.1, so that nobody outside can reach it */
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&in6, sizeof(in6)) != 0) {
		close(listener);
		skip(); /* a machine without IPv6 */
	}
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&in6, &len);
	in.sin_port = in6.sin6_port;
	near = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(near, (struct sockaddr *)&in, sizeof(in)), 0);
	far = accept(listener, NULL, NULL);
	assert_int_equal(peer_key_of(far).kind, PEER_IPV4);
	assert_int_equal(peer_key_of(far).value, INADDR_LOOPBACK);
	close(near);
	close(far);
	close(listener);
}

static void test_keys(void **state)
{
	int pair[2];

	(void)state;
	harness_tcp_pair(pair);
	assert_int_equal(peer_key_of(pair[1]).kind, PEER_IPV4);
	assert_int_equal(peer_key_of(pair[1]).value, INADDR_LOOPBACK);
	close(pair[0]);
	close(pair[1]);
	harness_unix_pair(pair);
	assert_int_equal(peer_key_of(pair[1]).kind, PEER_UNIX);
	assert_int_equal(peer_key_of(pair[1]).value, getuid());
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(peer_key_of(-1).kind, PEER_UNKNOWN);
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
	    cmocka_unit_test(test_mapped_is_ipv4),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_unix),
	    cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
