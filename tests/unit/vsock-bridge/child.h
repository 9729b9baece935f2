/*
 * child: the whole program in a child process, with its configuration, its
 * sockets and its log in a folder of its own; and clients that block.
 */
#ifndef HALLMARK_TESTS_BRIDGE_CHILD_H
#define HALLMARK_TESTS_BRIDGE_CHILD_H

#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/program.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#define CHILD_LOG_MAX 65536

struct child {
	pid_t pid;
	char dir[64], log_path[96], socket_path[96];
	char log[CHILD_LOG_MAX]; /* as it was read last */
};

HARNESS void child_write_file(
    struct child *child, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", child->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* How often `text` is in what the program has logged so far. */
HARNESS unsigned child_logged(struct child *child, const char *text)
{
	FILE *file = fopen(child->log_path, "r");
	unsigned count = 0;
	size_t len;

	assert_non_null(file);
	len = fread(child->log, 1, sizeof(child->log) - 1, file);
	child->log[len] = '\0';
	fclose(file);
	if (text[0] == '\0')
		return 0;
	for (const char *at = child->log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

HARNESS void child_wait_logged(
    struct child *child, const char *text, unsigned count)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;

	while (child_logged(child, text) < count) {
		if (harness_now_ms() > end)
			fail_msg("no '%s' in:\n%s", text, child->log);
		harness_sleep_ms(2);
	}
	assert_int_equal(child_logged(child, text), count);
}

HARNESS void child_main(const struct child *child, char **argv, int argc)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
	FILE *out, *err;

	/* It does not outlive a test that failed, and a fault of its own is
	 * not handled by the test's handlers. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], SIG_DFL);
	/* What the test has open is not the program's. */
	assert_int_equal(close_range(STDERR_FILENO + 1, UINT_MAX, 0), 0);
	out = freopen("/dev/null", "w", stdout);
	err = freopen(child->log_path, "w", stderr);
	exit(out != NULL && err != NULL ? program_main(argc, argv) : 99);
}

/* Runs the program with these arguments; stdout is thrown away. */
HARNESS void child_run(struct child *child, char **argv, int argc)
{
	child_write_file(child, "log", "");
	fflush(NULL);
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0)
		child_main(child, argv, argc);
}

HARNESS void child_init(struct child *child)
{
	memset(child, 0, sizeof(*child));
	snprintf(child->dir, sizeof(child->dir), "/tmp/hallmark-bridge-XXXXXX");
	assert_non_null(mkdtemp(child->dir));
	snprintf(
	    child->log_path, sizeof(child->log_path), "%s/log", child->dir);
	snprintf(child->socket_path, sizeof(child->socket_path), "%s/socket",
	    child->dir);
}

/* Starts it with this configuration; every %s in it is the child's folder. It
 * is ready when `listeners` of them listen. */
HARNESS void child_start(
    struct child *child, const char *config, unsigned listeners)
{
	char path[160], program[] = "vsock-bridge",
			*argv[] = {program, path, 0};

	child_write_file(child, "config.json", config);
	snprintf(path, sizeof(path), "%s/config.json", child->dir);
	child_run(child, argv, 2);
	child_wait_logged(child, " listening ", listeners);
}

/* Waits for its end and returns its exit status. */
HARNESS int child_wait(struct child *child)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(child->pid, &status, WNOHANG)) == 0) {
		if (harness_now_ms() > end) {
			kill(child->pid, SIGKILL);
			waitpid(child->pid, &status, 0);
			fail_msg("it did not end");
		}
		harness_sleep_ms(2);
	}
	assert_int_equal(pid, child->pid);
	if (!WIFEXITED(status))
		fail_msg("signal %d: %s", WTERMSIG(status), child->log);
	return WEXITSTATUS(status);
}

HARNESS void child_fini(struct child *child)
{
	DIR *dir = opendir(child->dir);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(child->dir);
}

/* SIGTERM, and a clean end: no leak, nothing left on its loop. */
HARNESS void child_stop(struct child *child)
{
	int status;

	kill(child->pid, SIGTERM);
	status = child_wait(child);
	child_logged(child, "");
	if (status != 0)
		fail_msg("status %d: %s", status, child->log);
	child_fini(child);
}

/* ---- clients ---- */

HARNESS void client_deadline(int fd)
{
	struct timeval timeout = {HARNESS_DEADLINE_MS / 1000, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

HARNESS int client_try_unix(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		close(fd);
		return -1;
	}
	client_deadline(fd);
	return fd;
}

HARNESS int client_unix(const char *path)
{
	int fd = client_try_unix(path);

	assert_true(fd >= 0);
	return fd;
}

HARNESS int client_tcp(uint16_t port)
{
	int fd = harness_tcp_connect(port);

	client_deadline(fd);
	return fd;
}

HARNESS int client_accept(int listener)
{
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	int fd;

	assert_int_equal(poll(&poller, 1, HARNESS_DEADLINE_MS), 1);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	client_deadline(fd);
	return fd;
}

HARNESS void client_say(int fd, const char *text)
{
	if (text[0] == '\0')
		return;
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

HARNESS void client_expect(int fd, const char *text)
{
	char got[1024];
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = recv(fd, got + len, strlen(text) - len, 0);

		if (n <= 0)
			fail_msg("'%.*s' instead of '%s'", (int)len, got, text);
		len += (size_t)n;
	}
	assert_memory_equal(got, text, len);
}

HARNESS void client_expect_end(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

/* All until the end: one that is clean. */
HARNESS void client_read_all(int fd, char *out, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, out + len, cap - 1 - len, 0)) > 0)
		len += (size_t)n;
	if (n < 0)
		fail_msg("%s after %zu bytes", strerror(errno), len);
	out[len] = '\0';
}

#endif
