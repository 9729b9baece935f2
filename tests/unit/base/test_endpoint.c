/* endpoint: the URIs that are accepted and refused, and the listener. */
#include "base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64], sock_uri[128];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_endpoint.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(sock_uri, sizeof(sock_uri), "unix://%s/s", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(sock_uri + strlen("unix://"));
	return rmdir(dir);
}

static struct endpoint parsed(const char *text)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&ep, text), 0);
	return ep;
}

static void test_good_uris_come_back_as_they_were(void **state)
{
	static const char *const texts[] = {"tcp://127.0.0.1:8080",
	    "tcp://[::1]:8080", "tcp://host.example:443", "tcp://a:0",
	    "tcp://xn--bcher-kva.example:65535", "tcp://under_score:1",
	    "tcp://1.2.3.4a:1", "unix:///run/hallmark/oracle.sock", "unix:///x",
	    "unix:///with space", "vsock://3:8443", "vsock://any:8080",
	    "vsock://4294967294:4294967294", "vsock://0:1",
	    "hybrid:///run/vm.vsock:8443", "hybrid:///x:4294967294",
	    "hybrid:///a:1:2", "hybrid:///with space:1"};
	char out[ENDPOINT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct endpoint ep = parsed(texts[i]);

		endpoint_format(&ep, out);
		assert_string_equal(out, texts[i]);
	}
}

static void test_parts(void **state)
{
	struct endpoint ep = parsed("tcp://[fe80::1]:99");

	(void)state;
	assert_int_equal(ep.kind, ENDPOINT_TCP);
	assert_string_equal(ep.host, "fe80::1");
	assert_int_equal(ep.port, 99);
	ep = parsed("unix:///a/b");
	assert_int_equal(ep.kind, ENDPOINT_UNIX);
	assert_string_equal(ep.path, "/a/b");
	ep = parsed("vsock://any:5");
	assert_int_equal(ep.kind, ENDPOINT_VSOCK);
	assert_true(ep.cid == VMADDR_CID_ANY);
	assert_int_equal(ep.port, 5);
	ep = parsed("hybrid:///a:7/b:6");
	assert_int_equal(ep.kind, ENDPOINT_HYBRID);
	assert_string_equal(ep.path, "/a:7/b");
	assert_int_equal(ep.port, 6);
}

static void test_bad_uris_are_refused(void **state)
{
	static const char *const texts[] = {"", "tcp", "tcp:", "tcp://",
	    "TCP://a:1", "http://a:1", " tcp://a:1", "tcp://a",
	    "tcp://a:", "tcp://:1", "tcp://a:65536", "tcp://a:-1", "tcp://a:+1",
	    "tcp://a: 1", "tcp://a:1 ", "tcp://a:01", "tcp://a:00",
	    "tcp://a:1/", "tcp://a:1/x", "tcp://a:0x1", "tcp://a:4294967297",
	    "tcp://a:18446744073709551617", "tcp://a..b:1", "tcp://.a:1",
	    "tcp://a.:1", "tcp://a b:1", "tcp://u@a:1", "tcp://a%00:1",
	    "tcp://a\n:1", "tcp://1.2.3:1", "tcp://0177.0.0.1:1",
	    "tcp://256.1.1.1:1", "tcp://2130706433:1", "tcp://1.2.3.4.5:1",
	    "tcp://::1:1", "tcp://[::1]", "tcp://[::1]:", "tcp://[]:1",
	    "tcp://[:1", "tcp://[127.0.0.1]:1", "tcp://[::1%lo]:1",
	    "tcp://[::1]]:1", "tcp://[[::1]:1", "tcp://b\xc3\xbc:1", "unix://",
	    "unix://x", "unix:///", "unix:///x/", "unix:///a\nb",
	    "unix:///a\x7f", "unix:/x", "vsock://", "vsock://3",
	    "vsock://3:", "vsock://3:0", "vsock://:1", "vsock://any:any",
	    "vsock://Any:1", "vsock://-1:1", "vsock://4294967295:1",
	    "vsock://3:4294967295", "vsock://4294967296:1", "vsock://03:1",
	    "vsock://3:1:2", "vsock://12345678901234567890:1", "hybrid://",
	    "hybrid:///x", "hybrid:///x:", "hybrid:///x:0", "hybrid:///x:01",
	    "hybrid:///x:-1", "hybrid:///x:4294967295", "hybrid:///x:any",
	    "hybrid://x:1", "hybrid:///:1", "hybrid:///x/:1",
	    "hybrid:///a\nb:1", "hybrid://3:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct endpoint ep, zero;

		memset(&ep, 1, sizeof(ep));
		memset(&zero, 0, sizeof(zero));
		if (endpoint_parse(&ep, texts[i]) != UV_EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_memory_equal(&ep, &zero, sizeof(ep));
	}
}

/* Builds scheme + n times c + tail. */
static int parse_filled(const char *scheme, size_t n, const char *tail)
{
	char text[1000];
	struct endpoint ep;
	size_t at = strlen(scheme);

	memcpy(text, scheme, at);
	for (size_t i = 0; i < n; i++)
		text[at++] = i % 50 == 49 ? '.' : 'a';
	strncpy(text + at, tail, sizeof(text) - at);
	return endpoint_parse(&ep, text);
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(parse_filled("tcp://", 253, ":1"), 0);
	assert_int_equal(parse_filled("tcp://", 254, ":1"), UV_EINVAL);
	assert_int_equal(parse_filled("tcp://", 255, ":1"), UV_EINVAL);
	assert_int_equal(parse_filled("tcp://", 900, ":1"), UV_EINVAL);
	assert_int_equal(parse_filled("unix:///", 106, ""), 0);
	assert_int_equal(parse_filled("unix:///", 107, ""), UV_EINVAL);
	/* PATH_PORT has 107 bytes, or one too many. */
	assert_int_equal(parse_filled("hybrid:///", 104, ":1"), 0);
	assert_int_equal(parse_filled("hybrid:///", 104, ":12"), UV_EINVAL);
	assert_int_equal(parse_filled("hybrid:///", 95, ":1234567890"), 0);
	assert_int_equal(
	    parse_filled("hybrid:///", 96, ":1234567890"), UV_EINVAL);
	assert_int_equal(
	    parse_filled("tcp://aaaaaaaaaaaaaaaaaaaa", 43, ":1"), 0);
	assert_int_equal(
	    parse_filled("tcp://aaaaaaaaaaaaaaaaaaaa", 44, ":1"), UV_EINVAL);
}

/* ---- listening ---- */

static void check_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_listen_tcp_finds_a_port(void **state)
{
	struct endpoint ep = parsed("tcp://127.0.0.1:0");
	int fd = endpoint_listen(&ep, 5), again;

	(void)state;
	assert_true(fd >= 0);
	check_flags(fd);
	ep.port = endpoint_bound_port(fd);
	assert_in_range(ep.port, 1, 65535);
	again = endpoint_listen(&ep, 5);
	assert_int_equal(again, UV_EADDRINUSE);
	close(fd);
	again = endpoint_listen(&ep, 5);
	assert_true(again >= 0);
	close(again);
}

static void test_listen_tcp6(void **state)
{
	struct endpoint ep = parsed("tcp://[::1]:0");
	int fd = endpoint_listen(&ep, 5);

	(void)state;
	if (fd == UV_EADDRNOTAVAIL || fd == UV_EAFNOSUPPORT)
		skip(); /* a machine without IPv6 */
	assert_true(fd >= 0);
	assert_in_range(endpoint_bound_port(fd), 1, 65535);
	close(fd);
}

static void test_listen_refuses_names(void **state)
{
	struct endpoint ep = parsed("tcp://localhost:0");

	(void)state;
	assert_int_equal(endpoint_listen(&ep, 5), UV_EINVAL);
	ep = parsed("tcp://192.0.2.1:0"); /* RFC 5737: nobody's */
	assert_int_equal(endpoint_listen(&ep, 5), UV_EADDRNOTAVAIL);
}

static void test_listen_unix_replaces_only_the_dead(void **state)
{
	struct endpoint ep = parsed(sock_uri);
	int fd = endpoint_listen(&ep, 5), again;

	(void)state;
	assert_true(fd >= 0);
	check_flags(fd);
	assert_int_equal(endpoint_bound_port(fd), 0);
	assert_int_equal(endpoint_listen(&ep, 5), UV_EADDRINUSE);
	close(fd);
	again = endpoint_listen(&ep, 5);
	assert_true(again >= 0);
	close(again);
}

/* What the guest connects to at port 7 arrives at PATH_7. */
static void test_listen_hybrid(void **state)
{
	struct endpoint ep, at;
	char text[160];
	struct stat st;
	int fd, again;

	(void)state;
	snprintf(text, sizeof(text), "hybrid://%s/s:7", dir);
	ep = parsed(text);
	fd = endpoint_listen(&ep, 5);
	assert_true(fd >= 0);
	check_flags(fd);
	assert_int_equal(endpoint_bound_port(fd), 0);
	snprintf(text, sizeof(text), "unix://%s/s_7", dir);
	at = parsed(text);
	assert_int_equal(endpoint_listen(&at, 5), UV_EADDRINUSE);
	assert_int_equal(lstat(ep.path, &st), -1);
	close(fd);
	again = endpoint_listen(&ep, 5); /* the dead one is replaced */
	assert_true(again >= 0);
	close(again);
	assert_int_equal(unlink(at.path), 0);
}

/* A full backlog is no sign of death. */
static void test_listen_unix_keeps_the_busy(void **state)
{
	struct endpoint ep = parsed(sock_uri);
	int fd = endpoint_listen(&ep, 0), waiting[8];

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 8; i++) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};

		memcpy(un.sun_path, ep.path, sizeof(un.sun_path));
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(waiting[i], (struct sockaddr *)&un, sizeof(un));
	}
	assert_int_equal(endpoint_listen(&ep, 5), UV_EADDRINUSE);
	for (int i = 0; i < 8; i++)
		close(waiting[i]);
	close(fd);
}

static void test_listen_unix_leaves_files_alone(void **state)
{
	struct endpoint ep = parsed(sock_uri);
	struct stat st;
	int fd = open(ep.path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(endpoint_listen(&ep, 5), UV_EADDRINUSE);
	assert_int_equal(lstat(ep.path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	ep = parsed("unix:///nowhere/at/all");
	assert_int_equal(endpoint_listen(&ep, 5), UV_ENOENT);
}

static void test_bound_port_of_no_socket(void **state)
{
	(void)state;
	assert_int_equal(endpoint_bound_port(-1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_uris_come_back_as_they_were),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_bad_uris_are_refused),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_listen_tcp_finds_a_port),
	    cmocka_unit_test(test_listen_tcp6),
	    cmocka_unit_test(test_listen_refuses_names),
	    cmocka_unit_test_setup_teardown(
		test_listen_unix_replaces_only_the_dead, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_listen_hybrid, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_listen_unix_keeps_the_busy, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_listen_unix_leaves_files_alone, setup, teardown),
	    cmocka_unit_test(test_bound_port_of_no_socket),
	};
	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
