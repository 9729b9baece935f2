#include "tests/unit/vsock-bridge/child.h"

#include "base/proxy_header.h"

static struct child child;
static int upstream; /* stands for the enclave */
static char upstream_path[128];

static int listen_unix(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

/* Two rules in one process: to the upstream, and to nowhere. `rule`: more keys
 * of the first, `settings`: of the whole. */
static uint16_t start_with(
    const char *rule, const char *settings, uint16_t *nowhere)
{
	uint16_t port = harness_closed_port();
	char config[1024];

	child_init(&child);
	*nowhere = harness_closed_port();
	snprintf(upstream_path, sizeof(upstream_path), "%s/enclave", child.dir);
	upstream = listen_unix(upstream_path);
	snprintf(config, sizeof(config),
	    "{\"inbound\": [{\"listen\": \"tcp://127.0.0.1:%u\","
	    " \"connect\": \"unix://%s\"%s},"
	    " {\"listen\": \"tcp://127.0.0.1:%u\","
	    " \"connect\": \"tcp://127.0.0.1:%u\"}]%s}",
	    port, upstream_path, rule, *nowhere, harness_closed_port(),
	    settings);
	child_start(&child, config, 2);
	return port;
}

static uint16_t start(const char *settings, uint16_t *nowhere)
{
	return start_with("", settings, nowhere);
}

static void stop(void)
{
	if (upstream >= 0)
		close(upstream);
	child_stop(&child);
}

static void expect_reset(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void test_relays_with_half_close(void **state)
{
	uint16_t nowhere, port = start("", &nowhere);
	int fd = client_tcp(port), far;

	(void)state;
	far = client_accept(upstream);
	client_say(fd, "GET / HTTP/1.1\r\n");
	shutdown(fd, SHUT_WR);
	client_expect(far, "GET / HTTP/1.1\r\n");
	client_expect_end(far);
	client_say(far, "HTTP/1.1 200 OK\r\n");
	close(far);
	client_expect(fd, "HTTP/1.1 200 OK\r\n");
	client_expect_end(fd);
	close(fd);
	assert_int_equal(child_logged(&child, " warn "), 0);
	stop();
}

/* Both ends of one connection are gone for the client, and one line tells. */
static void test_cannot_connect(void **state)
{
	uint16_t nowhere, port = start("", &nowhere);
	int fd = client_tcp(nowhere);

	(void)state;
	expect_reset(fd);
	close(fd);
	child_wait_logged(&child, "inbound failed peer=127.0.0.1:", 1);
	child_wait_logged(&child, "connection refused", 1);
	/* The enclave goes away and comes back. */
	close(upstream);
	fd = client_tcp(port);
	expect_reset(fd);
	close(fd);
	child_wait_logged(&child, "inbound failed ", 2);
	unlink(upstream_path);
	upstream = listen_unix(upstream_path);
	fd = client_tcp(port);
	close(client_accept(upstream));
	client_expect_end(fd);
	close(fd);
	stop();
}

static void test_limit(void **state)
{
	uint16_t nowhere, port = start(", \"connections_max\": 1", &nowhere);
	int first = client_tcp(port), far = client_accept(upstream), second;

	(void)state;
	second = client_tcp(port);
	expect_reset(second);
	close(second);
	child_wait_logged(&child, "inbound refused ", 1);
	client_say(first, "ping");
	client_expect(far, "ping");
	close(first);
	close(far);
	stop();
}

static void test_reset_by_client(void **state)
{
	uint16_t nowhere, port = start("", &nowhere);
	int fd = client_tcp(port), far = client_accept(upstream);

	(void)state;
	client_say(fd, "x");
	client_expect(far, "x");
	harness_reset(fd);
	client_expect_end(far);
	child_wait_logged(&child, "inbound broken ", 1);
	close(far);
	stop();
}

static void test_idle_timeout_resets(void **state)
{
	uint16_t nowhere, port = start(", \"idle_timeout_ms\": 50", &nowhere);
	int fd = client_tcp(port), far = client_accept(upstream);

	(void)state;
	expect_reset(fd);
	client_expect_end(far);
	child_wait_logged(&child, "inbound broken ", 1);
	close(far);
	close(fd);
	stop();
}

/* The upstream reads who the client is, and then what the client says. */
static void test_proxy_protocol(void **state)
{
	uint16_t nowhere,
	    port = start_with(", \"proxy_protocol\": true", "", &nowhere);
	int fd = client_tcp(port), far = client_accept(upstream);
	uint8_t head[PROXY_HEADER_BYTES_MAX];
	struct proxy_header header;
	struct sockaddr_in own;
	socklen_t own_len = sizeof(own);
	size_t len = 0, need = PROXY_HEADER_FIXED_BYTES;
	const char *why;

	(void)state;
	client_say(fd, "first");
	do {
		ssize_t n = recv(far, head + len, need - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
	} while (proxy_header_parse(&header, head, len, &need, &why) ==
		 PROXY_HEADER_MORE);
	assert_false(header.local);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &own_len), 0);
	assert_int_equal(header.source.in.sin_port, own.sin_port);
	assert_int_equal(
	    header.source.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(ntohs(header.destination.in.sin_port), port);
	client_expect(far, "first");
	client_say(far, "answer");
	client_expect(fd, "answer");
	close(far);
	client_expect_end(fd);
	close(fd);
	stop();
}

static void test_total_timeout_resets(void **state)
{
	uint16_t nowhere, port = start(", \"total_timeout_ms\": 50", &nowhere);
	int fd = client_tcp(port), far = client_accept(upstream);

	(void)state;
	expect_reset(fd);
	child_wait_logged(&child, "open for too long", 1);
	close(far);
	close(fd);
	stop();
}

/* Each connection is counted once as what it became. */
static void test_sight(void **state)
{
	char metrics_path[96], settings[256];
	static char page[65536];
	uint16_t nowhere, port;
	int fd, far;

	(void)state;
	snprintf(metrics_path, sizeof(metrics_path),
	    "/tmp/hallmark-metrics-%ld", (long)getpid());
	snprintf(settings, sizeof(settings), ", \"metrics\": \"unix://%s\"",
	    metrics_path);
	port = start(settings, &nowhere);
	fd = client_tcp(nowhere);
	expect_reset(fd);
	close(fd);
	fd = client_tcp(port);
	far = client_accept(upstream);
	client_say(fd, "1234567");
	close(fd);
	client_expect(far, "1234567");
	close(far);
	do {
		fd = client_unix(metrics_path);
		client_say(fd, "GET /metrics HTTP/1.0\r\n\r\n");
		client_read_all(fd, page, sizeof(page));
		close(fd);
		harness_sleep_ms(10);
	} while (strstr(page, "outcome=\"completed\"} 1") == NULL);
	assert_non_null(strstr(page, "reason=\"connect_failed\"} 1"));
	assert_non_null(strstr(page, "} 7\n"));
	unlink(metrics_path);
	stop();
}

static void test_terminate_while_relaying(void **state)
{
	uint16_t nowhere, port = start("", &nowhere);
	int fd = client_tcp(port), far = client_accept(upstream);

	(void)state;
	kill(child.pid, SIGTERM);
	child_wait_logged(&child, " stopping ", 1);
	client_say(far, "the end");
	close(far);
	client_expect(fd, "the end");
	client_expect_end(fd);
	close(fd);
	assert_int_equal(child_wait(&child), 0);
	close(upstream);
	child_fini(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_relays_with_half_close),
	    cmocka_unit_test(test_cannot_connect),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_reset_by_client),
	    cmocka_unit_test(test_idle_timeout_resets),
	    cmocka_unit_test(test_proxy_protocol),
	    cmocka_unit_test(test_total_timeout_resets),
	    cmocka_unit_test(test_sight),
	    cmocka_unit_test(test_terminate_while_relaying),
	};

	return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
