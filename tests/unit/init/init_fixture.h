/*
 * init_fixture: what the tests of init share: a directory, a loop, a parent's
 * Unix sockets (PATH_PORT, as base/endpoint.h has it for hybrid), and a process
 * of its own for what has to answer meanwhile. Included by one test program
 * each, after cmocka.h.
 */
#ifndef HALLMARK_TESTS_INIT_FIXTURE_H
#define HALLMARK_TESTS_INIT_FIXTURE_H

#include "base/endpoint.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define INIT_DEADLINE_MS 20000 /* a ceiling, not a measurement */

#define FIXTURE __attribute__((unused)) static

static char dir[64];
static uv_loop_t loop;

FIXTURE void path_of(char out[static 128], const char *name)
{
	snprintf(out, 128, "%s/%s", dir, name);
}

FIXTURE void put_file(const char *name, const char *text)
{
	char path[128];

	path_of(path, name);
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
}

/* The whole file; free it. */
FIXTURE char *get_file(const char *name)
{
	uint8_t *bytes = NULL;
	char path[128];
	size_t len;

	path_of(path, name);
	assert_int_equal(file_read(path, 1 << 22, &bytes, &len), 0);
	return (char *)bytes;
}

FIXTURE int init_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hallmark-init-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(uv_loop_init(&loop), 0);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* The loop must be left with nothing in it. */
FIXTURE int init_down(void **state)
{
	struct dirent *entry;
	char path[320];
	DIR *all;

	(void)state;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	all = opendir(dir);
	assert_non_null(all);
	while ((entry = readdir(all)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		(void)unlink(path);
	}
	closedir(all);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* ---- the parent ---- */

FIXTURE struct endpoint parent_port(unsigned port)
{
	struct endpoint ep = {.kind = ENDPOINT_UNIX};

	snprintf(ep.path, sizeof(ep.path), "%s/p_%u", dir, port);
	return ep;
}

/* A blocking listener there. */
FIXTURE int parent_listen(unsigned port)
{
	struct endpoint ep = parent_port(port);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, ep.path, sizeof(un.sun_path));
	(void)unlink(ep.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

FIXTURE int parent_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		_exit(3);
	return fd;
}

FIXTURE void parent_say(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(4);
}

/* Until its end, as text. */
FIXTURE size_t parent_hear(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	return len;
}

/* A process that plays the parent with this listener, and dies with us. */
FIXTURE pid_t play(void (*part)(int listener), int listener)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(INIT_DEADLINE_MS / 1000);
		part(listener);
		_exit(0);
	}
	return pid;
}

/* It came to its end. Init reaps all children: it may have been first. */
FIXTURE void played(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		assert_int_equal(errno, ECHILD);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
