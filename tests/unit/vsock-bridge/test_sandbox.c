/*
 * sandbox: tried from inside. Each check runs in a child of its own: there is
 * no way out again.
 */
#include "tests/unit/vsock-bridge/harness.h"

#include "base/log.h"
#include "vsock-bridge/sandbox.h"

#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct bridge_config config; /* large */
static char error[BRIDGE_CONFIG_ERROR_MAX];
static char inside[] = "/tmp/hallmark-sandbox-XXXXXX";
static char outside[] = "/tmp/hallmark-outside-XXXXXX";
static char list[64], secret[64];

static void write_file(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs("a.example:443\n", file);
	fclose(file);
}

/* Its exit status, 0: well; or -1 - the signal that ended it. */
static int run(int (*check)(void), bool enter)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSYS, SIG_DFL); /* cmocka would catch it */
		alarm(HARNESS_DEADLINE_MS / 1000);
		if (enter && sandbox_enter(&config, error) != 0) {
			fprintf(stderr, "%s\n", error);
			_exit(99);
		}
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
}

/* In a check: which line failed. */
#define MUST(condition)                           \
	do {                                      \
		if (!(condition))                 \
			return __LINE__ % 90 + 1; \
	} while (0)

static bool can_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int check_files(void)
{
	MUST(can_read("/etc/hosts"));
	MUST(can_read(list));
	MUST(!can_read(secret) && errno == EACCES);
	MUST(open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
	return 0;
}

static void test_reads_only_what_it_needs(void **state)
{
	(void)state;
	assert_int_equal(run(check_files, true), 0);
	/* It is the sandbox that keeps it from the secret. */
	assert_true(can_read(secret));
}

/* An editor writes another file and renames it over the old one. */
static int check_replaced(void)
{
	struct timespec wait = {0, 1000000};
	struct stat now;

	for (int i = 0; i < HARNESS_DEADLINE_MS; i++) {
		MUST(stat(list, &now) == 0);
		if (now.st_size == 0)
			return can_read(list) ? 0 : 1;
		nanosleep(&wait, NULL);
	}
	return 2;
}

static void test_a_replaced_list_is_readable(void **state)
{
	char fresh[80];
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(
		    sandbox_enter(&config, error) != 0 ? 99 : check_replaced());
	harness_sleep_ms(50);
	snprintf(fresh, sizeof(fresh), "%s.new", list);
	fclose(fopen(fresh, "w"));
	assert_int_equal(rename(fresh, list), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	write_file(list);
}

static int check_writing(void)
{
	MUST(open(list, O_WRONLY | O_CLOEXEC) < 0);
	MUST(open(list, O_RDWR | O_CLOEXEC) < 0);
	MUST(open(list, O_RDONLY | O_TRUNC | O_CLOEXEC) < 0);
	MUST(open("new", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
	MUST(openat(AT_FDCWD, list, O_WRONLY | O_CLOEXEC) < 0);
	MUST(unlink(list) < 0 && errno == ENOSYS);
	MUST(rename(list, "other") < 0 && errno == ENOSYS);
	MUST(chmod(list, 0777) < 0 && errno == ENOSYS);
	return 0;
}

static void test_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(run(check_writing, true), 0);
	assert_true(can_read(list));
}

static int check_exec(void)
{
	char program[] = "/bin/true", *argv[] = {program, NULL};

	execv(program, argv);
	return 1;
}

static int check_mount(void)
{
	return (int)syscall(SYS_mount, "none", inside, "tmpfs", 0, NULL);
}

static int check_setuid(void)
{
	return (int)syscall(SYS_setuid, 65534);
}

static void test_attacks_end_it(void **state)
{
	(void)state;
	assert_int_equal(run(check_exec, true), -1 - SIGSYS);
	assert_int_equal(run(check_exec, false), 0);
	assert_int_equal(run(check_mount, true), -1 - SIGSYS);
	assert_int_equal(run(check_setuid, true), -1 - SIGSYS);
}

#if !SANDBOX_SANITIZED
/* The search for leaks starts processes and debugs them. */
static int check_processes(void)
{
	MUST(fork() < 0 && errno == ENOSYS);
	return 0;
}

static int check_ptrace(void)
{
	return (int)syscall(
	    SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0);
}

static void test_no_processes(void **state)
{
	(void)state;
	assert_int_equal(run(check_processes, true), 0);
	assert_int_equal(run(check_ptrace, true), -1 - SIGSYS);
}
#endif

static int check_memory(void)
{
	int both = PROT_WRITE | PROT_EXEC;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(page != MAP_FAILED);
	MUST(mprotect(page, 4096, PROT_READ) == 0);
	MUST(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
	MUST(mmap(NULL, 4096, PROT_READ | both, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0) == MAP_FAILED);
	return 0;
}

static void test_no_memory_is_written_and_run(void **state)
{
	(void)state;
	assert_int_equal(run(check_memory, true), 0);
}

static int check_sockets(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(tcp >= 0);
	MUST(listen(tcp, 1) < 0 && errno == ENOSYS);
	MUST(bind(tcp, (struct sockaddr *)&in, sizeof(in)) < 0);
	MUST(errno == EACCES);
	MUST(socket(AF_PACKET, SOCK_DGRAM, 0) < 0 && errno == ENOSYS);
	MUST(socket(AF_ALG, SOCK_SEQPACKET, 0) < 0 && errno == ENOSYS);
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	MUST(socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || errno != ENOSYS);
	return 0;
}

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

static void test_no_new_listeners(void **state)
{
	(void)state;
	if (landlock_abi() < 4)
		skip(); /* it knows nothing of ports */
	assert_int_equal(run(check_sockets, true), 0);
}

static int check_limits(void)
{
	struct rlimit limit;

	MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	MUST(setrlimit(RLIMIT_NOFILE, &limit) < 0 && errno == ENOSYS);
	return 0;
}

static void test_limits_stay(void **state)
{
	(void)state;
	assert_int_equal(run(check_limits, true), 0);
}

static void *look_up(void *ok)
{
	struct addrinfo *answer = NULL;

	if (getaddrinfo("localhost", "443", NULL, &answer) == 0) {
		freeaddrinfo(answer);
		*(bool *)ok = true;
	}
	return NULL;
}

/* As libuv does it. */
static int check_lookup(void)
{
	pthread_t thread;
	bool ok = false;

	MUST(pthread_create(&thread, NULL, look_up, &ok) == 0);
	MUST(pthread_join(thread, NULL) == 0);
	MUST(ok);
	return 0;
}

static void test_names_are_looked_up(void **state)
{
	(void)state;
	assert_int_equal(run(check_lookup, true), 0);
}

/* A line of /proc/PID/status, of a child inside. */
static void status_has(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		fail_msg("no '%s' in %s", line, text);
}

static void test_no_privilege_is_left(void **state)
{
	char path[64], text[8192], byte;
	int ready[2], done[2];
	FILE *file;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		bool good = sandbox_enter(&config, error) == 0;

		_exit(!good || write(ready[1], "x", 1) != 1 ||
		      read(done[0], &byte, 1) != 1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(write(done[1], "x", 1), 1);
	waitpid(pid, NULL, 0);
	status_has(text, "CapInh:\t0000000000000000\n");
	status_has(text, "CapPrm:\t0000000000000000\n");
	status_has(text, "CapEff:\t0000000000000000\n");
	status_has(text, "CapAmb:\t0000000000000000\n");
	if (prctl(PR_CAPBSET_READ, 8 /* CAP_SETPCAP */, 0, 0, 0) == 1 &&
	    geteuid() == 0)
		status_has(text, "CapBnd:\t0000000000000000\n");
	status_has(text, "NoNewPrivs:\t1\n");
	status_has(text, "Seccomp:\t2\n");
	close(ready[0]);
	close(done[0]);
	close(done[1]);
}

/* As on a kernel without this call: it fails with `err`. */
static bool take_away(int call, int err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return filter != NULL &&
	       seccomp_rule_add(
		   filter, SCMP_ACT_ERRNO((unsigned)err), call, 0) == 0 &&
	       seccomp_load(filter) == 0;
}

static int check_without_landlock(int err)
{
	char fresh[80];

	snprintf(fresh, sizeof(fresh), "%s.new", secret);
	MUST(take_away(SCMP_SYS(landlock_create_ruleset), err));
	MUST(sandbox_enter(&config, error) == 0);
	MUST(can_read(secret));
	MUST(open(secret, O_WRONLY) < 0 && errno == ENOSYS);
	MUST(open(secret, O_RDWR) < 0 && errno == ENOSYS);
	MUST(open(secret, O_RDONLY | O_TRUNC) < 0 && errno == ENOSYS);
	MUST(open(fresh, O_RDONLY | O_CREAT, 0600) < 0 && errno == ENOSYS);
	return 0;
}

static int check_old_kernel(void)
{
	return check_without_landlock(ENOSYS);
}

static int check_switched_off(void)
{
	return check_without_landlock(EOPNOTSUPP);
}

static void test_a_kernel_without_landlock(void **state)
{
	(void)state;
	assert_int_equal(run(check_old_kernel, false), 0);
	assert_int_equal(run(check_switched_off, false), 0);
}

static int check_landlock_fails(void)
{
	MUST(take_away(SCMP_SYS(landlock_restrict_self), E2BIG));
	MUST(sandbox_enter(&config, error) == -1);
	MUST(strncmp(error, "Landlock: ", 10) == 0);
	return 0;
}

static int check_seccomp_fails(void)
{
	MUST(take_away(SCMP_SYS(seccomp), EINVAL));
	MUST(sandbox_enter(&config, error) == -1);
	MUST(strncmp(error, "seccomp: ", 9) == 0);
	return 0;
}

static void test_what_fails_is_said(void **state)
{
	(void)state;
	if (landlock_abi() > 0)
		assert_int_equal(run(check_landlock_fails, false), 0);
	assert_int_equal(run(check_seccomp_fails, false), 0);
}

static void *sleep_long(void *unused)
{
	sleep(60);
	return unused;
}

/* It would go on with all that the others gave up. */
static int check_second_thread(void)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
	MUST(sandbox_enter(&config, error) == -1);
	MUST(strstr(error, "thread") != NULL);
	return 0;
}

static void test_refuses_with_threads(void **state)
{
	(void)state;
	assert_int_equal(run(check_second_thread, false), 0);
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	if (mkdtemp(inside) == NULL || mkdtemp(outside) == NULL)
		return -1;
	snprintf(list, sizeof(list), "%s/allow", inside);
	snprintf(secret, sizeof(secret), "%s/secret", outside);
	write_file(list);
	write_file(secret);
	config.outbound_count = 1;
	snprintf(config.outbound[0].allowlist,
	    sizeof(config.outbound[0].allowlist), "%s", list);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(list);
	unlink(secret);
	rmdir(inside);
	rmdir(outside);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_only_what_it_needs),
		cmocka_unit_test(test_a_replaced_list_is_readable),
		cmocka_unit_test(test_writes_nothing),
		cmocka_unit_test(test_attacks_end_it),
#if !SANDBOX_SANITIZED
		cmocka_unit_test(test_no_processes),
#endif
		cmocka_unit_test(test_no_memory_is_written_and_run),
		cmocka_unit_test(test_no_new_listeners),
		cmocka_unit_test(test_limits_stay),
		cmocka_unit_test(test_names_are_looked_up),
		cmocka_unit_test(test_no_privilege_is_left),
		cmocka_unit_test(test_a_kernel_without_landlock),
		cmocka_unit_test(test_what_fails_is_said),
		cmocka_unit_test(test_refuses_with_threads),
	};

	sandbox_prepare();
	return cmocka_run_group_tests_name("sandbox", tests, setup, teardown);
}
