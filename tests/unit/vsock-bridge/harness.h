/*
 * harness: what the tests of the bridge share: a loop that runs under a bound,
 * pairs of connected sockets, and the corpus of the fuzzers.
 */
#ifndef HALLMARK_TESTS_BRIDGE_HARNESS_H
#define HALLMARK_TESTS_BRIDGE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define HARNESS_DEADLINE_MS 20000 /* a ceiling, not a measurement */

#define HARNESS __attribute__((unused)) static

HARNESS int64_t harness_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

HARNESS void harness_sleep_ms(long ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&wait, NULL);
}

/* Turns the loop until *done, or fails. */
HARNESS void harness_run_until(uv_loop_t *loop, const bool *done)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;

	while (!*done) {
		uv_run(loop, UV_RUN_NOWAIT);
		if (*done)
			break;
		assert_true(harness_now_ms() < end);
		harness_sleep_ms(1);
	}
}

/* Every handle must have been closed. */
HARNESS void harness_close_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

HARNESS void harness_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

HARNESS void harness_unix_pair(int pair[2])
{
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
	    0);
}

/* Listens at 127.0.0.1 and says at which port. */
HARNESS int harness_tcp_listen(int backlog, uint16_t *port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

HARNESS int harness_tcp_connect(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

/* A loopback port that nobody listens at. */
HARNESS uint16_t harness_closed_port(void)
{
	uint16_t port;

	close(harness_tcp_listen(1, &port));
	return port;
}

HARNESS void harness_tcp_pair(int pair[2])
{
	uint16_t port;
	int listener = harness_tcp_listen(1, &port);

	pair[0] = harness_tcp_connect(port);
	pair[1] = accept(listener, NULL, NULL);
	assert_true(pair[1] >= 0);
	close(listener);
	harness_nonblocking(pair[0]);
	harness_nonblocking(pair[1]);
}

/* The same port at ::1; -1 where there is no IPv6. */
HARNESS int harness_tcp6_listen(int backlog, uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	    .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A group's setup: libuv opens some with the first loop, and keeps them. */
HARNESS int harness_first_loop(void **state)
{
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	harness_close_loop(&loop);
	return 0;
}

/* How many descriptors this process has. */
HARNESS unsigned harness_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

HARNESS void harness_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* Calls `judge` for each file of a fuzzer's corpus. Outside of the repository
 * there is none: skipped, but never in CI. */
HARNESS void harness_corpus(const char *folder,
    void (*judge)(const char *name, const uint8_t *bytes, size_t len))
{
	static uint8_t bytes[1 << 17];
	char path[512];
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", folder);
	dir = opendir(path);
	if (dir == NULL && getenv("CI") == NULL)
		skip();
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", folder,
		    entry->d_name);
		file = fopen(path, "rb");
		assert_non_null(file);
		judge(
		    entry->d_name, bytes, fread(bytes, 1, sizeof(bytes), file));
		fclose(file);
		count++;
	}
	closedir(dir);
	assert_true(count > 0);
}

#endif
