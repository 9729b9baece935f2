/* child: see child.h. */
#include "oracle/init/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_START 127 /* as shells have it */

/* ---- in the child ---- */

static int become(uid_t user)
{
	if (user == (uid_t)-1)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
	    setresuid(user, user, user) != 0)
		return -1;
	return 0;
}

static int set_limits(rlim_t descriptors_max)
{
	const struct rlimit descriptors = {
	    .rlim_cur = 1024, .rlim_max = descriptors_max};
	const struct rlimit none = {0, 0};

	if (descriptors_max > 0 && setrlimit(RLIMIT_NOFILE, &descriptors) != 0)
		return -1;
	return setrlimit(RLIMIT_CORE, &none); /* it would hold the key */
}

static int set_streams(int out)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		return -1;
	closefrom(STDERR_FILENO + 1);
	return 0;
}

static _Noreturn void run(const struct child_options *options)
{
	char *const nothing[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (set_streams(options->out) == 0 &&
	    set_limits(options->descriptors_max) == 0 &&
	    become(options->user) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		execve(options->path, options->argv, nothing);
	dprintf(STDERR_FILENO, "hallmark-init: %s: %s\n", options->path,
	    strerror(errno));
	_exit(EXIT_NO_START);
}

/* ---- in init ---- */

static void on_child(uv_signal_t *signal, int number)
{
	struct child *child = signal->data;
	int status;
	pid_t pid;

	(void)number;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->status = status;
		child->ended = true;
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct child *child = handle->data;

	child->closed = true;
}

static void stop_watching(struct child *child)
{
	uv_close((uv_handle_t *)&child->signal, on_closed);
	while (!child->closed)
		uv_run(child->signal.loop, UV_RUN_ONCE);
}

int child_start(struct child *child, const struct child_options *options)
{
	int err;

	memset(child, 0, sizeof(*child));
	err = uv_signal_init(options->loop, &child->signal);
	if (err == 0)
		err = uv_signal_start(&child->signal, on_child, SIGCHLD);
	if (err != 0)
		return err; /* UNTESTED: libuv's pipe for signals failed */
	child->signal.data = child;
	child->pid = fork();
	if (child->pid == 0)
		run(options);
	if (child->pid > 0)
		return 0;
	err = -errno; /* UNTESTED: no memory for a process */
	stop_watching(child);
	return err;
}

static int tell(int status, char text[static CHILD_TEXT_MAX])
{
	if (WIFEXITED(status)) {
		snprintf(text, CHILD_TEXT_MAX, "exit status %d",
		    WEXITSTATUS(status));
		return WEXITSTATUS(status);
	}
	snprintf(text, CHILD_TEXT_MAX, "signal %d (%s)", WTERMSIG(status),
	    strsignal(WTERMSIG(status)));
	return 128 + WTERMSIG(status);
}

int child_wait(struct child *child, char text[static CHILD_TEXT_MAX])
{
	while (!child->ended)
		uv_run(child->signal.loop, UV_RUN_ONCE);
	stop_watching(child);
	return tell(child->status, text);
}
