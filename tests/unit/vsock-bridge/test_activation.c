/* activation: sockets of the service manager go to the rules they are for. */
#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/activation.h"

#include <sys/un.h>

static struct bridge_config config; /* large */
static char error[BRIDGE_CONFIG_ERROR_MAX];
static char dir[] = "/tmp/hallmark-activation-XXXXXX";

static void parse(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (bridge_config_parse(&config, text, strlen(text), "/", error) != 0)
		fail_msg("%s", error);
}

static void rule_at(unsigned port)
{
	parse("{\"inbound\": [{\"listen\": \"tcp://127.0.0.1:1\","
	      " \"connect\": \"unix:///a\"},"
	      " {\"listen\": \"tcp://127.0.0.1:%u\","
	      " \"connect\": \"unix:///b\"}]}",
	    port);
}

static void refused(int fd, const char *why)
{
	assert_int_equal(activation_assign(&config, fd, 1, error), -1);
	if (strstr(error, why) == NULL)
		fail_msg("'%s' without '%s'", error, why);
}

static void test_tcp(void **state)
{
	uint16_t port;
	int fd = harness_tcp_listen(1, &port);

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	rule_at(port);
	assert_int_equal(activation_assign(&config, fd, 1, error), 1);
	assert_int_equal(config.inbound[0].inherited, 0);
	assert_int_equal(config.inbound[1].inherited, fd);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	refused(fd, "no rule listens at tcp://127.0.0.1:"); /* twice */
	close(fd);
}

static void test_tcp6(void **state)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(in6);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&in6, len) != 0) {
		close(fd);
		skip(); /* a machine without IPv6 */
	}
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&in6, &len);
	parse("{\"inbound\": [{\"listen\": \"tcp://[0:0::1]:%u\","
	      " \"connect\": \"unix:///a\"}]}",
	    ntohs(in6.sin6_port));
	assert_int_equal(activation_assign(&config, fd, 1, error), 1);
	assert_int_equal(config.inbound[0].inherited, fd);
	close(fd);
}

static int unix_listen(char path[static 128])
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, 128, "%s/s", dir);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void test_unix(void **state)
{
	char path[128];
	int fd = unix_listen(path);

	(void)state;
	parse("{\"outbound\": [{\"listen\": \"unix://%s\","
	      " \"allowlist\": \"a\"}]}",
	    path);
	assert_int_equal(activation_assign(&config, fd, 1, error), 1);
	assert_int_equal(config.outbound[0].inherited, fd);
	parse("{\"outbound\": [{\"listen\": \"unix://%s2\","
	      " \"allowlist\": \"a\"}]}",
	    path);
	refused(fd, "no rule listens at unix:///tmp/");
	assert_int_equal(config.outbound[0].inherited, 0);
	close(fd);
	unlink(path);
}

/* A rule that listens at the same place in another way is another rule. */
static void test_type_has_to_match(void **state)
{
	int pair[2], datagram, fd;
	uint16_t port;

	(void)state;
	fd = harness_tcp_listen(1, &port);
	rule_at(port);
	harness_unix_pair(pair);
	refused(pair[0], "not a listening socket");
	datagram = socket(AF_INET, SOCK_DGRAM, 0);
	refused(datagram, "not a stream socket");
	assert_int_equal(pipe(pair), 0);
	refused(pair[0], "not a stream socket");
	refused(-1, "not a stream socket");
	rule_at(port == 2 ? 3 : 2);
	refused(fd, "no rule listens at");
	close(datagram);
	close(fd);
}

static void test_environment(void **state)
{
	char pid[32];

	(void)state;
	rule_at(2);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	assert_int_equal(activation_take(&config, error), 0);
	/* For another process: not ours, and not for our children. */
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(activation_take(&config, error), 0);
	assert_null(getenv("LISTEN_FDS"));
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "0", 1);
	assert_int_equal(activation_take(&config, error), 0);
	for (int i = 0; i < 4; i++) {
		static const char *const bad[] = {"", "-1", "1x", "65"};

		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", bad[i], 1);
		assert_int_equal(activation_take(&config, error), -1);
		assert_memory_equal(error, "LISTEN_FDS", 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp),
	    cmocka_unit_test(test_tcp6),
	    cmocka_unit_test(test_unix),
	    cmocka_unit_test(test_type_has_to_match),
	    cmocka_unit_test(test_environment),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("activation", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
