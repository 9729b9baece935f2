/* journal: the whole program with an enclave's log; what it can make us write,
 * and what it cannot. */
#include "tests/unit/vsock-bridge/child.h"

#include "base/lines.h"
#include "vsock-bridge/journal.h"

static struct child child;

static void start(const char *settings)
{
	char config[512];

	child_init(&child);
	snprintf(config, sizeof(config),
	    "{\"logs\": [{\"listen\": \"unix://%s\"}]%s}", child.socket_path,
	    settings);
	child_start(&child, config, 1);
}

static int connect_log(void)
{
	return client_unix(child.socket_path);
}

static void test_passes_lines_on(void **state)
{
	int fd;

	(void)state;
	start("");
	fd = connect_log();
	client_say(fd, "2026-01-01T00:00:00.000Z warn  poller x a=\"b c\"\ntw");
	child_wait_logged(
	    &child, " | 2026-01-01T00:00:00.000Z warn  poller", 1);
	assert_int_equal(child_logged(&child, "info  enclave unix:"), 1);
	assert_int_equal(child_logged(&child, "a=\"b c\"\n"), 1);
	client_say(fd, "o\n\nthree\n");
	child_wait_logged(&child, " | two\n", 1);
	child_wait_logged(&child, " | three\n", 1);
	assert_int_equal(child_logged(&child, " | \n"), 0);
	close(fd);
	child_stop(&child);
}

/* It cannot write a line that has not our head, nor move a cursor. */
static void test_hostile_bytes(void **state)
{
	static const char bytes[] =
	    "a\rb\x1b[2Jc\0d\n2026-11-21T09:00:00.123Z error bridge stopped\n";
	unsigned lines = 0, heads;
	int fd;

	(void)state;
	start("");
	fd = connect_log();
	assert_int_equal(
	    send(fd, bytes, sizeof(bytes) - 1, 0), sizeof(bytes) - 1);
	child_wait_logged(&child, " | a\\rb\\x1b[2Jc\\x00d\n", 1);
	child_wait_logged(
	    &child, " | 2026-11-21T09:00:00.123Z error bridge stopped\n", 1);
	assert_int_equal(child_logged(&child, "\n2026-11-21T09:00:00.123Z"), 0);
	heads = child_logged(&child, " | ");
	for (const char *at = child.log; (at = strstr(at, "\n")); at++)
		lines++;
	assert_int_equal(heads, 2);
	assert_int_equal(lines, child_logged(&child, "Z info  "));
	close(fd);
	child_stop(&child);
}

static void test_long_lines_and_the_last(void **state)
{
	static char text[3 * LINES_MAX];
	int fd;

	(void)state;
	start("");
	fd = connect_log();
	memset(text, 'x', sizeof(text) - 1);
	client_say(fd, text);
	client_say(fd, "\nnext\nno end");
	close(fd);
	child_wait_logged(&child, "xxx ...\n", 1);
	child_wait_logged(&child, " | next\n", 1);
	child_wait_logged(&child, " | no end ...\n", 1);
	child_stop(&child);
}

static off_t log_size(void)
{
	struct stat status;

	assert_int_equal(stat(child.log_path, &status), 0);
	return status.st_size;
}

/* Sends lines until nothing goes any more for a while. */
static size_t flood(int fd, const char *bytes, size_t len)
{
	size_t sent = 0;
	unsigned waits = 0;

	harness_nonblocking(fd);
	while (waits < 100 && sent < (64u << 20)) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
			waits = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		waits++;
		harness_sleep_ms(2);
	}
	return sent;
}

/* What is written is bounded, whatever comes; and then it goes on. */
static void test_flood(const char *line)
{
	static char bytes[65536];
	int64_t began_ms = harness_now_ms();
	size_t len = 0, sent;
	off_t most;
	int fd;

	while (len + strlen(line) < sizeof(bytes)) {
		memcpy(bytes + len, line, strlen(line));
		len += strlen(line);
	}
	start("");
	fd = connect_log();
	sent = flood(fd, bytes, len);
	assert_true(sent < (64u << 20));
	most = JOURNAL_BURST + 300000 +
	       JOURNAL_PER_S * ((harness_now_ms() - began_ms) / 1000 + 1);
	assert_true(log_size() < most);
	close(fd);
	child_stop(&child);
}

static void test_flood_of_lines(void **state)
{
	(void)state;
	test_flood("abcdefgh abcdefgh\n");
}

static void test_flood_of_newlines(void **state)
{
	(void)state;
	test_flood("\n");
}

static void test_flood_of_escapes(void **state)
{
	(void)state;
	test_flood("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\n");
}

static void test_places(void **state)
{
	int fds[JOURNAL_CONNECTIONS_MAX], more;

	(void)state;
	start("");
	for (int i = 0; i < JOURNAL_CONNECTIONS_MAX; i++) {
		fds[i] = connect_log();
		client_say(fds[i], "here\n");
		child_wait_logged(&child, " | here\n", (unsigned)i + 1);
	}
	more = connect_log();
	client_expect_end(more);
	close(more);
	child_wait_logged(&child, "journal refused ", 1);
	close(fds[0]);
	child_wait_logged(&child, "journal refused ", 1);
	for (int i = 1; i < JOURNAL_CONNECTIONS_MAX; i++)
		close(fds[i]);
	child_stop(&child);
}

/* An enclave that connects again and again costs no line each time. */
static void test_says_so_once_a_second(void **state)
{
	int64_t began_ms = harness_now_ms(), seconds;
	unsigned said;

	(void)state;
	start("");
	for (int i = 0; i < 50; i++)
		close(connect_log());
	said = child_logged(&child, "journal connected ") +
	       child_logged(&child, "journal ended ");
	seconds = (harness_now_ms() - began_ms) / 1000;
	assert_in_range(said, 0, seconds + 1);
	child_stop(&child);
}

/* A log has no end to wait for; what had come is written. */
static void test_stop(void **state)
{
	static char many[1001];
	int fd;

	(void)state;
	memset(many, 'm', sizeof(many) - 1);
	many[sizeof(many) - 2] = '\n';
	start(", \"drain_timeout_ms\": 600000");
	fd = connect_log();
	client_say(fd, "first\n");
	child_wait_logged(&child, " | first\n", 1);
	kill(child.pid, SIGSTOP);
	for (int i = 0; i < 20; i++) /* more than is read at once */
		client_say(fd, many);
	client_say(fd, "second\nthi");
	kill(child.pid, SIGTERM);
	kill(child.pid, SIGCONT);
	assert_int_equal(child_wait(&child), 0);
	assert_int_equal(child_logged(&child, " | second\n"), 1);
	assert_int_equal(child_logged(&child, " | thi ...\n"), 1);
	assert_int_equal(child_logged(&child, "aborting"), 0);
	client_expect_end(fd);
	close(fd);
	child_fini(&child);
}

static void test_full(void **state)
{
	int first, second;

	(void)state;
	start(", \"connections_max\": 1");
	first = connect_log();
	client_say(first, "here\n");
	child_wait_logged(&child, " | here\n", 1);
	second = connect_log();
	client_expect_end(second);
	child_wait_logged(&child, "reason=connections_max", 1);
	close(first);
	close(second);
	child_stop(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passes_lines_on),
	    cmocka_unit_test(test_hostile_bytes),
	    cmocka_unit_test(test_long_lines_and_the_last),
	    cmocka_unit_test(test_flood_of_lines),
	    cmocka_unit_test(test_flood_of_newlines),
	    cmocka_unit_test(test_flood_of_escapes),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_says_so_once_a_second),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
