#include "tests/unit/vsock-bridge/child.h"

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

/* Two rules in one process: to the upstream, and to nowhere. */
static uint16_t start(const char *settings, uint16_t *nowhere)
{
	uint16_t port = harness_closed_port();
	char config[1024];

	child_init(&child);
	*nowhere = harness_closed_port();
	snprintf(upstream_path, sizeof(upstream_path), "%s/enclave", child.dir);
	upstream = listen_unix(upstream_path);
	snprintf(config, sizeof(config),
	    "{\"inbound\": [{\"listen\": \"tcp://127.0.0.1:%u\","
	    " \"connect\": \"unix://%s\"},"
	    " {\"listen\": \"tcp://127.0.0.1:%u\","
	    " \"connect\": \"tcp://127.0.0.1:%u\"}]%s}",
	    port, upstream_path, *nowhere, harness_closed_port(), settings);
	child_start(&child, config, 2);
	return port;
}

static void stop(void)
{
	if (upstream >= 0)
		close(upstream);
	child_stop(&child);
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
	client_expect_end(fd);
	close(fd);
	child_wait_logged(&child, "inbound failed peer=127.0.0.1:", 1);
	child_wait_logged(&child, "connection refused", 1);
	/* The enclave goes away and comes back. */
	close(upstream);
	fd = client_tcp(port);
	client_expect_end(fd);
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
	client_expect_end(second);
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
	char byte;

	(void)state;
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	client_expect_end(far);
	child_wait_logged(&child, "inbound broken ", 1);
	close(far);
	close(fd);
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
	    cmocka_unit_test(test_terminate_while_relaying),
	};

	return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
