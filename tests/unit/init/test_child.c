/* child: what the program that init starts is given, and what is told of its
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/init/child.h"
#include "tests/unit/init/init_fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

static char program[128];

/* Runs this as a script; its output, and how it ended. Free it. */
static char *run(const char *script, uid_t user, int wanted, const char *how)
{
	char *const argv[] = {program, (char *)"config", NULL};
	char path[128], body[1024], text[CHILD_TEXT_MAX];
	struct child child;
	int out;

	path_of(program, "program");
	snprintf(body, sizeof(body), "#!/bin/sh\n%s\n", script);
	put_file("program", body);
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	path_of(path, "out");
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	assert_int_equal(
	    child_start(
		&child, &(struct child_options){.loop = &loop,
			    .path = program,
			    .argv = argv,
			    .out = out,
			    .user = user,
			    .descriptors_max = user == (uid_t)-1 ? 0 : 2000}),
	    0);
	close(out);
	assert_int_equal(child_wait(&child, text), wanted);
	assert_string_equal(text, how);
	return get_file("out");
}

static void is(char *out, const char *wanted)
{
	assert_string_equal(out, wanted);
	free(out);
}

static void has(const char *out, const char *wanted)
{
	if (strstr(out, wanted) == NULL)
		fail_msg("no '%s' in:\n%s", wanted, out);
}

static void arguments_and_output(void **state)
{
	char wanted[160];
	char *out = run("echo $0 $1; echo err >&2; read x; exit 3", (uid_t)-1,
	    3, "exit status 3");

	(void)state;
	snprintf(wanted, sizeof(wanted), "%s config\nerr\n", program);
	is(out, wanted);
}

/* sh sets PWD and such by itself: what was given to it is in /proc. */
static void an_empty_environment(void **state)
{
	(void)state;
	setenv("HALLMARK_SECRET", "x", 1);
	is(run("/usr/bin/tr '\\0' '\\n' </proc/$$/environ", (uid_t)-1, 0,
	       "exit status 0"),
	    "");
}

/* Not even one that somebody forgot to mark. */
static void no_descriptors_but_three(void **state)
{
	int kept = fcntl(STDERR_FILENO, F_DUPFD, 40);
	char *out;

	(void)state;
	out = run("for i in 0 1 2 40 41; do test -e /proc/$$/fd/$i && "
		  "echo $i; done; exit 0",
	    (uid_t)-1, 0, "exit status 0");
	close(kept);
	is(out, "0\n1\n2\n");
}

/* Nothing that it could become more with. */
static void privileges(void **state)
{
	char *out = run(
	    "exec cat /proc/self/status", (uid_t)-1, 0, "exit status 0");

	(void)state;
	has(out, "NoNewPrivs:\t1\n");
	has(out, "SigBlk:\t0000000000000000\n");
	free(out);
	if (geteuid() != 0)
		return;
	assert_int_equal(setgroups(1, (const gid_t[]){4}), 0);
	out = run("ulimit -Hn; ulimit -Hc; exec cat /proc/self/status", 65534,
	    0, "exit status 0");
	assert_int_equal(setgroups(0, NULL), 0);
	assert_memory_equal(out, "2000\n0\n", 7);
	has(out, "Uid:\t65534\t65534\t65534\t65534\n");
	has(out, "Gid:\t65534\t65534\t65534\t65534\n");
	has(out, "Groups:\t \n");
	has(out, "CapEff:\t0000000000000000\n");
	has(out, "CapPrm:\t0000000000000000\n");
	free(out);
}

static void a_signal_ends_it(void **state)
{
	(void)state;
	free(run("kill -6 $$", (uid_t)-1, 128 + 6, "signal 6 (Aborted)"));
}

/* What it leaves behind is reaped while it runs, and its end is not mistaken.
 */
static void orphans(void **state)
{
	pid_t other = fork();

	(void)state;
	if (other == 0) {
		usleep(50000);
		_exit(9);
	}
	free(run("sleep 0.3; exit 4", (uid_t)-1, 4, "exit status 4"));
	assert_int_equal(waitpid(other, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void it_cannot_be_started(void **state)
{
	char *const argv[] = {program, NULL};
	char text[CHILD_TEXT_MAX], path[128], *said;
	struct child child;
	int out;

	(void)state;
	path_of(path, "out");
	out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(
	    child_start(&child, &(struct child_options){.loop = &loop,
				    .path = "/nonexistent/oracle",
				    .argv = argv,
				    .out = out,
				    .user = (uid_t)-1}),
	    0);
	close(out);
	assert_int_equal(child_wait(&child, text), 127);
	said = get_file("out");
	has(said, "hallmark-init: /nonexistent/oracle: No such file");
	free(said);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init_up, init_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(arguments_and_output),
	    TEST(an_empty_environment),
	    TEST(no_descriptors_but_three),
	    TEST(privileges),
	    TEST(a_signal_ends_it),
	    TEST(orphans),
	    TEST(it_cannot_be_started),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
