/* scrape: the whole program shows its counters where it is told to. */
#include "tests/unit/vsock-bridge/child.h"

static char answer[65536];

static void scrape(const char *path)
{
	int fd = client_unix(path);

	client_say(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\n"
		       "Connection: close\r\n\r\n");
	client_read_all(fd, answer, sizeof(answer));
	close(fd);
}

static void shows(const char *path, const char *line)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;

	do
		scrape(path);
	while (strstr(answer, line) == NULL && harness_now_ms() < end);
	if (strstr(answer, line) == NULL)
		fail_msg("no %s in %s", line, answer);
}

static void start(struct child *child, char metrics[static 128])
{
	char config[1024];

	child_init(child);
	snprintf(metrics, 128, "%s/metrics", child->dir);
	child_write_file(child, "allow", "a.example:443\n");
	snprintf(config, sizeof(config),
	    "{\"outbound\": [{\"listen\": \"unix://%s\","
	    " \"allowlist\": \"allow\"}], \"metrics\": \"unix://%s\"}",
	    child->socket_path, metrics);
	child_start(child, config, 1);
	child_wait_logged(child, " bridge metrics ", 1);
}

static void test_serves_metrics(void **state)
{
	char metrics[128], line[256];
	struct child child;

	(void)state;
	start(&child, metrics);
	scrape(metrics);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
	shows(metrics, "vsock_bridge_connections_max 1024\n");
	shows(metrics,
	    "vsock_bridge_build_info{version=\"" HALLMARK_VERSION "\"} 1\n");
	snprintf(line, sizeof(line),
	    "vsock_bridge_connections_open{direction=\"outbound\","
	    "listen=\"unix://%s\"} 0\n",
	    child.socket_path);
	shows(metrics, line);
	child_stop(&child);
}

static void test_counts_reloads(void **state)
{
	char metrics[128];
	struct child child;

	(void)state;
	start(&child, metrics);
	kill(child.pid, SIGHUP);
	shows(metrics, ",result=\"taken\"} 1\n");
	child_write_file(&child, "allow", "not a rule\n");
	kill(child.pid, SIGHUP);
	shows(metrics, ",result=\"invalid\"} 1\n");
	shows(metrics, ",result=\"taken\"} 1\n");
	child_stop(&child);
}

/* While it waits for a connection to finish one can see that it does. */
static void test_shows_the_drain(void **state)
{
	char metrics[128];
	struct child child;
	int fd;

	(void)state;
	start(&child, metrics);
	fd = client_unix(child.socket_path);
	shows(metrics, "vsock_bridge_connections_served 1\n");
	kill(child.pid, SIGTERM);
	child_wait_logged(&child, " stopping ", 1);
	shows(metrics, "vsock_bridge_connections_served 1\n");
	close(fd);
	assert_int_equal(child_wait(&child), 0);
	child_fini(&child);
}

/* Nothing else is served there, and it fails at the start if it cannot. */
static void test_nothing_else(void **state)
{
	char metrics[128], config[1024], path[160];
	char program[] = "vsock-bridge", *argv[] = {program, path, NULL};
	struct child child;
	int fd;

	(void)state;
	start(&child, metrics);
	fd = client_unix(metrics);
	client_say(fd, "GET / HTTP/1.1\r\nHost: a\r\n"
		       "Connection: close\r\n\r\n");
	client_expect(fd, "HTTP/1.1 404 ");
	close(fd);
	child_stop(&child);
	child_init(&child);
	child_write_file(&child, "allow", "a.example:443\n");
	snprintf(config, sizeof(config),
	    "{\"outbound\": [{\"listen\": \"unix://%s\","
	    " \"allowlist\": \"allow\"}],"
	    " \"metrics\": \"unix:///nonexistent/metrics\"}",
	    child.socket_path);
	child_write_file(&child, "config.json", config);
	snprintf(path, sizeof(path), "%s/config.json", child.dir);
	child_run(&child, argv, 2);
	assert_int_equal(child_wait(&child), 1);
	assert_int_equal(child_logged(&child, "metrics unix:///nonexist"), 1);
	child_fini(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serves_metrics),
	    cmocka_unit_test(test_counts_reloads),
	    cmocka_unit_test(test_shows_the_drain),
	    cmocka_unit_test(test_nothing_else),
	};

	return cmocka_run_group_tests_name("scrape", tests, NULL, NULL);
}
