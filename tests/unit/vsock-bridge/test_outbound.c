#include "tests/unit/vsock-bridge/outbound_child.h"

#include "vsock-bridge/connect_request.h"
#include "vsock-bridge/connections.h"

/* After a place was given up, which takes the program a moment to see. */
static void serves_again(void)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	char answer[ANSWER_BYTES_MAX] = "";

	while (strncmp(answer, "HTTP/1.1 502", 12) != 0) {
		int fd = client();

		client_say(fd, "CONNECT gone.example:443 HTTP/1.1\r\n\r\n");
		client_read_all(fd, answer, sizeof(answer));
		close(fd);
		assert_true(harness_now_ms() < end);
	}
}

static void test_relays_with_half_close(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted(&far);
	client_say(fd, "request");
	shutdown(fd, SHUT_WR);
	client_expect(far, "request");
	client_expect_end(far);
	client_say(far, "answer");
	client_expect(fd, "answer");
	close(far);
	client_expect_end(fd);
	close(fd);
	/* Over TCP, and the other side first. */
	fd = client_tcp(tcp_port);
	client_say(fd, GOOD);
	client_expect(fd, GRANTED);
	far = client_accept(upstream);
	client_say(far, "banner");
	shutdown(far, SHUT_WR);
	client_expect(fd, "banner");
	client_expect_end(fd);
	client_say(fd, "thanks");
	client_expect(far, "thanks");
	close(fd);
	client_expect_end(far);
	close(far);
	assert_int_equal(child_logged(&child, " warn "), 0);
	stop();
}

static void test_head_in_single_bytes(void **state)
{
	const char *head = "CONNECT Good.Example:443 HTTP/1.1\r\n"
			   "Host: good.example:443\r\n\r\n";
	int far, fd;

	(void)state;
	start_with("", "");
	fd = client();
	for (const char *at = head; *at != '\0'; at++) {
		char byte[] = {*at, '\0'};

		client_say(fd, byte);
		if (at - head < 8)
			harness_sleep_ms(2);
	}
	client_expect(fd, GRANTED);
	far = client_accept(upstream);
	client_say(fd, "x");
	client_expect(far, "x");
	close(far);
	close(fd);
	stop();
}

static void test_pipelined_first_bytes(void **state)
{
	char text[CONNECT_REQUEST_BYTES_MAX];
	int far, fd;

	(void)state;
	start_with("", "");
	fd = client();
	client_say(fd, GOOD "\x16\x03\x01 hello\r\n\r\n");
	far = client_accept(upstream);
	client_expect(far, "\x16\x03\x01 hello\r\n\r\n");
	client_expect(fd, GRANTED);
	close(far);
	close(fd);
	/* As many as fit beside the head, and more behind them. */
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, GOOD, strlen(GOOD));
	text[sizeof(text) - 1] = '\0';
	fd = client();
	client_say(fd, text);
	client_say(fd, "the rest");
	far = client_accept(upstream);
	for (const char *at = text + strlen(GOOD); *at != '\0'; at++) {
		char byte[] = {*at, '\0'};

		client_expect(far, byte);
	}
	client_expect(far, "the rest");
	close(far);
	close(fd);
	stop();
}

static void test_403_and_one_log_line(void **state)
{
	(void)state;
	start_with("", "");
	refused(BAD, "403");
	child_wait_logged(&child, " refused ", 1);
	assert_int_equal(
	    child_logged(&child, "target=evil.example:443 status=403"), 1);
	assert_int_equal(child_logged(&child, "peer=unix:pid="), 1);
	refused("CONNECT good.example:80 HTTP/1.1\r\n\r\n", "403");
	refused("CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", "403");
	refused("CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "403");
	child_wait_logged(&child, " refused ", 4);
	still_serves();
	stop();
}

static void test_400_and_405(void **state)
{
	char head[CONNECT_REQUEST_BYTES_MAX + 2];

	(void)state;
	start_with("", "");
	refused("\x16\x03\x01", "400");
	refused("hello\r\n", "400");
	refused("CONNECT good.example.:443 HTTP/1.1\r\n\r\n", "400");
	refused("CONNECT good.example:443 HTTP/2.0\r\n\r\n", "400");
	refused("GET http://good.example/ HTTP/1.1\r\n\r\n", "405");
	memset(head, 'A', sizeof(head));
	head[sizeof(head) - 1] = '\0';
	refused(head, "400");
	child_wait_logged(&child, " refused ", 6);
	still_serves();
	stop();
}

/* A client that is still sending when it is refused, more than sockets hold,
 * can send it all and still gets its answer. */
static void test_answer_survives_unread_bytes(void **state)
{
	static char noise[8u << 20];
	int fd;

	(void)state;
	start_with("", "");
	memset(noise, 'A', sizeof(noise) - 1);
	fd = client_tcp(tcp_port);
	refused_fd(fd, noise, "400");
	still_serves();
	stop();
}

static void test_client_leaves_early(void **state)
{
	int fd;

	(void)state;
	start_with("", "");
	close(client()); /* a probe */
	fd = client_tcp(tcp_port);
	harness_reset(fd);
	fd = client();
	client_say(fd, "CONNECT go");
	shutdown(fd, SHUT_WR);
	refused_fd(fd, "", "400");
	fd = client();
	client_say(fd, GOOD);
	close(fd); /* while it connects */
	close(client_accept(upstream));
	still_serves();
	child_wait_logged(&child, " refused ", 1);
	stop();
}

static void test_502(void **state)
{
	(void)state;
	start_with("", "");
	refused("CONNECT gone.example:443 HTTP/1.1\r\n\r\n", "502");
	child_wait_logged(&child, "connection refused", 1);
	refused("CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n", "502");
	refused("CONNECT localhost:443 HTTP/1.1\r\n\r\n", "502");
	child_wait_logged(&child, "reason=destination_ip_prohibited", 1);
	child_wait_logged(&child, " refused ", 3);
	still_serves();
	stop();
}

static void test_504(void **state)
{
	char rule[64];
	uint16_t port;
	int hole = harness_tcp_listen(0, &port);
	int filler = harness_tcp_connect(port);

	(void)state;
	snprintf(
	    rule, sizeof(rule), "hole.example:443 tcp://127.0.0.1:%u\n", port);
	start_with(", \"connect_timeout_ms\": 50", rule);
	refused("CONNECT hole.example:443 HTTP/1.1\r\n\r\n", "504");
	child_wait_logged(&child, "status=504", 1);
	still_serves();
	stop();
	close(filler);
	close(hole);
}

static void test_408(void **state)
{
	(void)state;
	start_with(", \"request_timeout_ms\": 50", "");
	refused("CONNECT good", "408");
	refused("", "408");
	child_wait_logged(&child, "status=408", 2);
	still_serves();
	stop();
}

static void test_idle_timeout(void **state)
{
	int far, fd;

	(void)state;
	start_with(", \"idle_timeout_ms\": 50", "");
	fd = granted(&far);
	client_expect_end(fd); /* a Unix socket cannot be reset */
	child_wait_logged(&child, " broken ", 1);
	child_wait_logged(&child, "error=\"nothing moved for too long\"", 1);
	close(far);
	close(fd);
	stop();
}

static void test_reset_upstream(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted(&far);
	client_say(fd, "12345");
	client_expect(far, "12345");
	harness_reset(far);
	client_expect_end(fd);
	child_wait_logged(&child, " broken ", 1);
	child_wait_logged(&child, "bytes_out=5 bytes_in=0", 1);
	close(fd);
	still_serves();
	stop();
}

static bool client_was_answered(int fd)
{
	char answer[ANSWER_BYTES_MAX];

	client_read_all(fd, answer, sizeof(answer));
	assert_true(answer[0] == '\0' || strstr(answer, " 503 ") != NULL);
	return answer[0] != '\0';
}

static void test_limit(void **state)
{
	int far[2], fd[2], extra[CONNECTIONS_REFUSALS_MAX + 5];
	unsigned count = sizeof(extra) / sizeof(extra[0]), answered = 0, lines;

	(void)state;
	start_with(", \"connections_max\": 2", "");
	fd[0] = granted(&far[0]);
	fd[1] = granted(&far[1]);
	refused("", "503");
	child_wait_logged(&child, "reason=connections_max more=0", 1);
	/* More at once than are answered: some are dropped without a word. One
	 * line a second is logged, however many they are. */
	kill(child.pid, SIGSTOP);
	for (unsigned i = 0; i < count; i++)
		extra[i] = client();
	kill(child.pid, SIGCONT);
	for (unsigned i = 0; i < count; i++) {
		answered += client_was_answered(extra[i]);
		close(extra[i]);
	}
	assert_true(answered > 0 && answered <= CONNECTIONS_REFUSALS_MAX);
	lines = child_logged(&child, "reason=connections_max");
	assert_true(lines >= 1 && lines < count);
	/* Those that are served have not noticed. */
	client_say(fd[0], "ping");
	client_expect(far[0], "ping");
	close(fd[0]);
	client_expect_end(far[0]);
	close(far[0]);
	serves_again();
	close(fd[1]);
	close(far[1]);
	stop();
}

static void test_limit_of_one_peer(void **state)
{
	int far, fd;

	(void)state;
	start_with(", \"connections_per_peer_max\": 1", "");
	fd = granted(&far);
	refused("", "429");
	child_wait_logged(&child, "reason=connections_per_peer_max", 1);
	close(fd);
	client_expect_end(far);
	close(far);
	serves_again();
	stop();
}

static void test_hangup_reloads(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted(&far);
	write_allowlist("evil.example:443 tcp://127.0.0.1:1\n");
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, " allowlist_reloaded ", 2); /* two rules */
	refused(BAD, "502");
	write_allowlist("evil.example:443\nevil.example:443\n");
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, " allowlist_kept ", 2);
	child_wait_logged(&child, "line 8: a second rule", 2);
	refused(BAD, "502");
	still_serves();
	write_allowlist("");
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, " allowlist_reloaded ", 4);
	refused(BAD, "403");
	/* What was granted goes on. */
	client_say(fd, "ping");
	client_expect(far, "ping");
	close(far);
	close(fd);
	stop();
}

static void test_hangup_without_file(void **state)
{
	char path[160];

	(void)state;
	start_with("", "");
	snprintf(path, sizeof(path), "%s/allow", child.dir);
	assert_int_equal(unlink(path), 0);
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, " allowlist_kept ", 2);
	still_serves();
	stop();
}

static void test_terminate_drains(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted(&far);
	kill(child.pid, SIGTERM);
	child_wait_logged(&child, " stopping ", 1);
	assert_int_equal(client_try_unix(child.socket_path), -1);
	client_say(fd, "still");
	client_expect(far, "still");
	client_say(far, "here");
	client_expect(fd, "here");
	close(fd);
	client_expect_end(far);
	close(far);
	assert_int_equal(child_wait(&child), 0);
	assert_int_equal(child_logged(&child, " aborting "), 0);
	assert_int_equal(child_logged(&child, " stopped"), 1);
	assert_int_equal(client_try_unix(child.socket_path), -1);
	close(upstream);
	child_fini(&child);
}

/* One in each state that waits; none may hold the end up for ever. */
static void test_terminate_aborts_what_does_not_end(void **state)
{
	int far, fd, head, refusal, hole, filler, connecting;
	char rule[64];
	uint16_t port;

	(void)state;
	hole = harness_tcp_listen(0, &port);
	filler = harness_tcp_connect(port);
	snprintf(
	    rule, sizeof(rule), "hole.example:443 tcp://127.0.0.1:%u\n", port);
	start_with(", \"connect_timeout_ms\": 60000"
		   ", \"request_timeout_ms\": 60000",
	    rule);
	fd = granted(&far);
	head = client();
	client_say(head, "CONNECT ");
	connecting = client();
	client_say(connecting, "CONNECT hole.example:443 HTTP/1.1\r\n\r\n");
	refusal = client();
	client_say(refusal, BAD);
	child_wait_logged(&child, " refused ", 1);
	kill(child.pid, SIGTERM);
	child_wait_logged(&child, " stopping ", 1);
	kill(child.pid, SIGTERM); /* again: now */
	assert_int_equal(child_wait(&child), 0);
	assert_int_equal(child_logged(&child, " aborting "), 0);
	close(upstream);
	child_fini(&child);
	close(fd);
	close(far);
	close(head);
	close(connecting);
	close(refusal);
	close(filler);
	close(hole);
}

static void test_terminate_has_a_deadline(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted(&far);
	kill(child.pid, SIGTERM);
	assert_int_equal(child_wait(&child), 0);
	assert_int_equal(child_logged(&child, " aborting connections=1"), 1);
	close(upstream);
	child_fini(&child);
	close(fd);
	close(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_relays_with_half_close),
	    cmocka_unit_test(test_head_in_single_bytes),
	    cmocka_unit_test(test_pipelined_first_bytes),
	    cmocka_unit_test(test_403_and_one_log_line),
	    cmocka_unit_test(test_400_and_405),
	    cmocka_unit_test(test_answer_survives_unread_bytes),
	    cmocka_unit_test(test_client_leaves_early),
	    cmocka_unit_test(test_502),
	    cmocka_unit_test(test_504),
	    cmocka_unit_test(test_408),
	    cmocka_unit_test(test_idle_timeout),
	    cmocka_unit_test(test_reset_upstream),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_limit_of_one_peer),
	    cmocka_unit_test(test_hangup_reloads),
	    cmocka_unit_test(test_hangup_without_file),
	    cmocka_unit_test(test_terminate_drains),
	    cmocka_unit_test(test_terminate_aborts_what_does_not_end),
	    cmocka_unit_test(test_terminate_has_a_deadline),
	};

	return cmocka_run_group_tests_name("outbound", tests, NULL, NULL);
}
