/* log_channel and log_out: what both pipes say reaches the parent, whatever the
 * parent does, and nobody waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "oracle/init/dial.h"
#include "oracle/init/log_channel.h"
#include "oracle/init/log_ring.h"
#include "tests/unit/init/init_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>

static struct log_channel *channel;
static int listener, console;

static int up(void **state)
{
	struct log_channel_options options;
	char path[128];

	init_up(state);
	path_of(path, "console");
	console = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(console >= 0);
	listener = parent_listen(LOG_CHANNEL_PORT);
	options = (struct log_channel_options){.loop = &loop,
	    .to = parent_port(LOG_CHANNEL_PORT),
	    .console = console,
	    .retry_ms = 10};
	assert_int_equal(log_channel_start(&channel, &options), 0);
	return 0;
}

static int down(void **state)
{
	if (channel != NULL)
		log_channel_finish(channel, 100);
	channel = NULL;
	close(console);
	if (listener >= 0)
		close(listener);
	return init_down(state);
}

static void write_own(const char *text)
{
	assert_int_equal(write(log_channel_own(channel), text, strlen(text)),
	    (ssize_t)strlen(text));
}

static void write_child(const char *text)
{
	assert_int_equal(write(log_channel_child(channel), text, strlen(text)),
	    (ssize_t)strlen(text));
}

/* The channel's connection; turns the loop until it is there. */
static int accept_log(void)
{
	int64_t end_ms = now_monotonic_ms() + INIT_DEADLINE_MS;
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	int fd;

	while (poll(&poller, 1, 0) == 0) {
		assert_true(now_monotonic_ms() < end_ms);
		dial_wait(&loop, 2);
	}
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Reads until it has this text. */
static void hear(int fd, char *out, size_t size, const char *wanted)
{
	int64_t end_ms = now_monotonic_ms() + INIT_DEADLINE_MS;
	size_t len = strlen(out);

	while (strstr(out, wanted) == NULL) {
		ssize_t n = recv(fd, out + len, size - 1 - len, 0);

		if (n > 0)
			len += (size_t)n;
		else
			dial_wait(&loop, 2);
		out[len] = '\0';
		if (now_monotonic_ms() > end_ms)
			fail_msg("no '%s' in '%s'", wanted, out);
	}
}

static char text[1 << 20];

static void both_are_heard(void **state)
{
	char *shown;
	int fd;

	(void)state;
	write_own("own one\n");
	write_child("child one\nchild tw");
	fd = accept_log();
	text[0] = '\0';
	hear(fd, text, sizeof(text), "child one\n");
	hear(fd, text, sizeof(text), "own one\n");
	/* Halves of lines do not mix. */
	write_own("own two\n");
	hear(fd, text, sizeof(text), "own two\n");
	assert_null(strstr(text, "child tw"));
	write_child("o\n");
	hear(fd, text, sizeof(text), "child two\n");
	shown = get_file("console");
	assert_string_equal(shown, text);
	free(shown);
	close(fd);
}

/* The parent is away for a while: what had been sent in part comes again. */
static void it_connects_again(void **state)
{
	int fd;

	(void)state;
	fd = accept_log();
	close(fd);
	write_own("while it was away\n");
	fd = accept_log();
	text[0] = '\0';
	hear(fd, text, sizeof(text), "while it was away\n");
	close(fd);
}

/* It goes away in the middle of a line: that one comes again, whole. */
static void a_line_that_was_cut_off(void **state)
{
	int fd = accept_log();
	char line[1100], *end;

	(void)state;
	for (int i = 0; i < 400; i++) {
		snprintf(line, sizeof(line), "%04d %0994d\n", i, 0);
		write_child(line);
		if (i % 60 == 59) /* as much as the pipe holds, at once */
			dial_wait(&loop, 5);
	}
	/* Room for a part of what is left, which is no whole line. */
	assert_true(recv(fd, text, 150000, 0) > 0);
	dial_wait(&loop, 20);
	close(fd);
	fd = accept_log();
	text[0] = '\0';
	hear(fd, text, sizeof(text), "\n");
	end = strchr(text, '\n');
	assert_int_equal(end - text, 999);
	assert_int_equal(text[4], ' ');
	close(fd);
}

/* Nobody listens at first. */
static void it_waits_for_the_parent(void **state)
{
	int fd = accept_log();

	(void)state;
	close(listener);
	close(fd);
	write_own("kept\n");
	dial_wait(&loop, 100);
	listener = parent_listen(LOG_CHANNEL_PORT);
	fd = accept_log();
	text[0] = '\0';
	hear(fd, text, sizeof(text), "kept\n");
	close(fd);
}

/* What the parent says is not heard, and does not disturb. */
static void a_parent_that_talks(void **state)
{
	int fd = accept_log();

	(void)state;
	for (int i = 0; i < 100; i++)
		parent_say(fd, "blah blah\n", 10);
	write_own("calm\n");
	text[0] = '\0';
	hear(fd, text, sizeof(text), "calm\n");
	close(fd);
}

/* A parent that does not read: the writer does not wait, the oldest lines are
 * kept, and how many were lost is said when it reads again. */
static void a_parent_that_does_not_read(void **state)
{
	static char line[1001];
	int fd = accept_log(), before = dup(STDERR_FILENO), lost;
	const char *said;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	for (int i = 0; i < 2000; i++) {
		write_child(line);
		if (i % 32 == 0)
			dial_wait(&loop, 0);
	}
	dial_wait(&loop, 1);
	/* As init has it; what is said comes in by the same way. */
	dup2(log_channel_own(channel), STDERR_FILENO);
	text[0] = '\0';
	hear(fd, text, sizeof(text), "xxxx\n");
	for (int i = 0; i < 10; i++) {
		text[0] = '\0';
		dial_wait(&loop, 5);
		while (recv(fd, text, sizeof(text) - 1, 0) > 0)
			dial_wait(&loop, 2);
	}
	write_child("now\n");
	text[0] = '\0';
	hear(fd, text, sizeof(text), "log dropped lines=");
	dup2(before, STDERR_FILENO);
	close(before);
	said = strstr(text, "log dropped lines=");
	lost = (int)strtol(strchr(said, '=') + 1, NULL, 10);
	assert_in_range(lost, 1000, 2000);
	close(fd);
}

static void long_lines_are_cut(void **state)
{
	static char line[10001];
	int fd = accept_log();
	const char *end;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	write_child(line);
	write_child("next\n");
	text[0] = '\0';
	hear(fd, text, sizeof(text), "next\n");
	end = strchr(text, '\n');
	assert_in_range(end - text, 4080, 4095);
	assert_memory_equal(end - 4, " ...", 4);
	assert_string_equal(end + 1, "next\n");
	close(fd);
}

/* ---- the end ---- */

static void hear_all(int with)
{
	static char heard[1 << 16];
	char path[128];
	size_t len = parent_hear(parent_accept(with), heard, sizeof(heard));

	path_of(path, "heard");
	if (file_write(path, heard, len, 0600) != 0)
		_exit(5);
}

/* What is in the pipes reaches the parent before it ends. */
static void the_last_lines(void **state)
{
	pid_t pid = play(hear_all, listener);
	char *heard;

	(void)state;
	write_child("last words\nand half");
	write_own("ended\n");
	log_channel_finish(channel, INIT_DEADLINE_MS);
	channel = NULL;
	played(pid);
	heard = get_file("heard");
	assert_string_equal(heard, "last words\nand half ...\nended\n");
	free(heard);
}

/* It ends all the same when nobody reads. */
static void nobody_reads_the_last_lines(void **state)
{
	int64_t began_ms = now_monotonic_ms();

	(void)state;
	write_own("ended\n");
	log_channel_finish(channel, 50);
	channel = NULL;
	assert_true(now_monotonic_ms() - began_ms < INIT_DEADLINE_MS);
}

/* A port of this machine that takes no connection and refuses none: its queue
 * is full. */
static int full_port(uint16_t *port, int clients[static 8])
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	for (int i = 0; i < 8; i++) {
		clients[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(clients[i], (struct sockaddr *)&in, sizeof(in));
	}
	return fd;
}

/* It ends while it connects. */
static void an_end_while_it_connects(void **state)
{
	struct log_channel_options options = {.loop = &loop,
	    .to = {.kind = ENDPOINT_TCP, .host = "127.0.0.1"},
	    .console = -1,
	    .retry_ms = 10};
	int64_t began_ms = now_monotonic_ms();
	int clients[8], fd;
	uint16_t port;

	(void)state;
	log_channel_finish(channel, 100);
	fd = full_port(&port, clients);
	options.to.port = port;
	assert_int_equal(log_channel_start(&channel, &options), 0);
	write_own("nobody hears it\n");
	dial_wait(&loop, 50);
	log_channel_finish(channel, 50);
	channel = NULL;
	assert_true(now_monotonic_ms() - began_ms < INIT_DEADLINE_MS);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(both_are_heard),
	    TEST(it_connects_again),
	    TEST(a_line_that_was_cut_off),
	    TEST(it_waits_for_the_parent),
	    TEST(a_parent_that_talks),
	    TEST(a_parent_that_does_not_read),
	    TEST(long_lines_are_cut),
	    TEST(the_last_lines),
	    TEST(nobody_reads_the_last_lines),
	    TEST(an_end_while_it_connects),
	};

	return cmocka_run_group_tests_name("log_channel", tests, NULL, NULL);
}
