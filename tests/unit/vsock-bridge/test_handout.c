/* handout: the whole program with a configuration to hand out; who takes it,
 * who does not, and what becomes of the file. */
#include "tests/unit/vsock-bridge/child.h"

#include "vsock-bridge/handout.h"

static struct child child;

/* As editors do it. */
static void write_file(const char *text)
{
	char from[128], to[128];

	child_write_file(&child, "fresh", text);
	snprintf(from, sizeof(from), "%s/fresh", child.dir);
	snprintf(to, sizeof(to), "%s/oracle.json", child.dir);
	assert_int_equal(rename(from, to), 0);
}

static void start(const char *file, const char *settings)
{
	char config[512];

	child_init(&child);
	write_file(file);
	snprintf(config, sizeof(config),
	    "{\"configuration\": [{\"listen\": \"unix://%s\","
	    " \"file\": \"oracle.json\"}]%s}",
	    child.socket_path, settings);
	child_start(&child, config, 1);
}

/* Takes it as an enclave does, and closes. */
static void take(int fd, const char *wanted)
{
	static char got[HANDOUT_BYTES_MAX + 1];
	uint8_t head[4];
	size_t len;

	assert_int_equal(recv(fd, head, 4, MSG_WAITALL), 4);
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	      (size_t)head[2] << 8 | head[3];
	assert_int_equal(len, strlen(wanted));
	assert_int_equal(recv(fd, got, len, MSG_WAITALL), len);
	assert_memory_equal(got, wanted, len);
	client_expect_end(fd);
	close(fd);
}

static void test_hands_out(void **state)
{
	(void)state;
	start("{\"a\": 1}\n", "");
	take(client_unix(child.socket_path), "{\"a\": 1}\n");
	take(client_unix(child.socket_path), "{\"a\": 1}\n");
	child_wait_logged(&child, "handout handed_out peer=unix:", 1);
	child_stop(&child);
}

/* The largest there may be, and one that is read late. */
static void test_largest(void **state)
{
	static char text[HANDOUT_BYTES_MAX + 1];
	int late;

	(void)state;
	memset(text, ' ', HANDOUT_BYTES_MAX);
	memcpy(text, "{}", 2);
	start(text, "");
	late = client_unix(child.socket_path);
	take(client_unix(child.socket_path), text);
	take(late, text);
	child_stop(&child);
}

static void test_too_slow(void **state)
{
	static char text[HANDOUT_BYTES_MAX + 1];
	int fd;

	(void)state;
	memset(text, ' ', HANDOUT_BYTES_MAX);
	memcpy(text, "{}", 2);
	start(text, ", \"request_timeout_ms\": 100");
	fd = client_unix(child.socket_path);
	child_wait_logged(&child, " all=no ", 1);
	close(fd);
	child_stop(&child);
}

/* What a client says is not heard, and one that leaves is let go. */
static void test_clients_that_misbehave(void **state)
{
	static const char junk[] = "GET / HTTP/1.1\r\n\r\n";
	int fd;

	(void)state;
	start("{}", "");
	for (int i = 0; i < 20; i++)
		close(client_unix(child.socket_path));
	fd = client_unix(child.socket_path);
	client_say(fd, junk);
	take(fd, "{}");
	child_stop(&child);
}

/* Not a line for each, however fast they come. */
static void test_says_so_once_a_second(void **state)
{
	int64_t began_ms = harness_now_ms(), seconds;
	unsigned said;

	(void)state;
	start("{}", "");
	for (int i = 0; i < 50; i++)
		take(client_unix(child.socket_path), "{}");
	said = child_logged(&child, " handed_out ");
	seconds = (harness_now_ms() - began_ms) / 1000;
	assert_in_range(said, 0, seconds + 1);
	child_stop(&child);
}

static void reload(unsigned count, const char *said)
{
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, said, count);
}

static void test_reload(void **state)
{
	(void)state;
	start("{\"a\": 1}", "");
	write_file("{\"b\": 22}");
	take(client_unix(child.socket_path), "{\"a\": 1}");
	reload(1, " configuration_reloaded ");
	take(client_unix(child.socket_path), "{\"b\": 22}");
	write_file("{\"b\": ");
	reload(1, " configuration_kept ");
	take(client_unix(child.socket_path), "{\"b\": 22}");
	child_stop(&child);
}

/* Who is in the middle of one gets the rest of that one. */
static void test_reload_under_way(void **state)
{
	static char text[HANDOUT_BYTES_MAX + 1];
	int fd;

	(void)state;
	memset(text, ' ', HANDOUT_BYTES_MAX);
	memcpy(text, "{}", 2);
	start(text, "");
	fd = client_unix(child.socket_path);
	harness_sleep_ms(50); /* it is accepted, most likely */
	write_file("{}");
	reload(1, " configuration_reloaded ");
	take(fd, text);
	take(client_unix(child.socket_path), "{}");
	child_stop(&child);
}

static void refused(const char *file, const char *why)
{
	char path[160], program[] = "vsock-bridge",
			*argv[] = {program, path, 0};

	child_init(&child);
	if (file != NULL)
		child_write_file(&child, "oracle.json", file);
	child_write_file(&child, "config.json",
	    "{\"configuration\": [{\"listen\": \"tcp://127.0.0.1:0\","
	    " \"file\": \"oracle.json\"}]}");
	snprintf(path, sizeof(path), "%s/config.json", child.dir);
	child_run(&child, argv, 2);
	assert_int_equal(child_wait(&child), 1);
	if (child_logged(&child, why) == 0)
		fail_msg("no '%s' in %s", why, child.log);
	child_fini(&child);
}

static void test_files_that_are_none(void **state)
{
	static char text[HANDOUT_BYTES_MAX + 2];

	(void)state;
	refused(NULL, "No such file");
	refused("", "expected");
	refused("[]", "not a JSON object");
	refused("{} x", "end of file");
	refused("{\"a\": 1, \"a\": 2}", "duplicate");
	memset(text, ' ', HANDOUT_BYTES_MAX + 1);
	memcpy(text, "{}", 2);
	refused(text, "File too large");
}

static void test_full(void **state)
{
	int first, second;

	(void)state;
	start("{}", ", \"connections_max\": 1");
	first = client_unix(child.socket_path);
	second = client_unix(child.socket_path);
	client_expect_end(second);
	close(second);
	child_wait_logged(&child, "handout refused ", 1);
	take(first, "{}");
	child_stop(&child);
}

static void test_check(void **state)
{
	char path[160], error[BRIDGE_CONFIG_ERROR_MAX];
	size_t len = 9;

	(void)state;
	child_init(&child);
	child_write_file(&child, "a", "{\"a\":1}");
	snprintf(path, sizeof(path), "%s/a", child.dir);
	assert_int_equal(handout_check(path, &len, error), 0);
	assert_int_equal(len, 7);
	assert_int_equal(handout_check("/nonexistent", &len, error), -1);
	assert_int_equal(len, 0);
	assert_string_equal(error, "/nonexistent: No such file or directory");
	child_fini(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hands_out),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_too_slow),
	    cmocka_unit_test(test_clients_that_misbehave),
	    cmocka_unit_test(test_says_so_once_a_second),
	    cmocka_unit_test(test_reload),
	    cmocka_unit_test(test_reload_under_way),
	    cmocka_unit_test(test_files_that_are_none),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests_name("handout", tests, NULL, NULL);
}
