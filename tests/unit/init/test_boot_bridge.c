/*
 * Init and the bridge together, each as it runs, over Unix sockets: the enclave
 * gets its configuration from the parent, measures it, and the parent's journal
 * has what init and the oracle said, from the first step to the last.
 */
#include "tests/unit/vsock-bridge/child.h"

#include "base/file.h"
#include "oracle/init/boot.h"
#include "tests/unit/oracle/fake_nsm.h"

#include <openssl/sha.h>

#define CONFIG "{\"listen\": \"vsock://any:8080\", \"insecure_emulator\": true}"

static struct child bridge;
static char paths[8][128];

/* A path of the machine in the bridge's folder. */
static char *at(unsigned i, const char *name)
{
	snprintf(paths[i], sizeof(paths[i]), "%s/%s", bridge.dir, name);
	return paths[i];
}

static int no_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int no_mount(const char *source, const char *target, const char *type,
    unsigned long flags, const void *options)
{
	(void)source;
	(void)target;
	(void)type;
	(void)flags;
	(void)options;
	return 0;
}

static int no_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	return 0;
}

static const struct mounts_ops no_mounts = {no_mkdir, no_mount};

static void start_bridge(void)
{
	char config[512];

	child_init(&bridge);
	child_write_file(&bridge, "parent.json", CONFIG);
	snprintf(config, sizeof(config),
	    "{\"configuration\": [{\"listen\": \"unix://%s/p_9001\","
	    " \"file\": \"parent.json\"}],"
	    " \"logs\": [{\"listen\": \"unix://%s/p_9002\"}]}",
	    bridge.dir, bridge.dir);
	child_start(&bridge, config, 2);
	snprintf(config, sizeof(config), "%d\n", (int)bridge.pid);
	child_write_file(&bridge, "pid", config);
}

/* PCR16 is this configuration's, and locked. */
static bool is_measured(void)
{
	uint8_t both[96] = {0}, wanted[48];

	SHA384((const uint8_t *)CONFIG, strlen(CONFIG), both + 48);
	SHA384(both, sizeof(both), wanted);
	return nsm.locked[16] &&
	       memcmp(nsm.pcr[16], wanted, sizeof(wanted)) == 0;
}

#define NOT_MEASURED 99

static int boot(void)
{
	const struct machine machine = {
	    .mounts = &no_mounts,
	    .ioctl = no_ioctl,
	    .nsm_ioctl = fake_ioctl,
	    .command_line = at(0, "cmdline"),
	    .console = "/dev/null",
	    .nsm = "/dev/null",
	    .random = "/dev/null",
	    .hwrng = "/nonexistent/rng_current",
	    .clocksource = "/nonexistent/current_clocksource",
	    .config = at(1, "oracle.json"),
	    .oracle = at(2, "oracle"),
	    .oracle_user = (uid_t)-1,
	    .last_lines_ms = HARNESS_DEADLINE_MS,
	    .parent = at(3, "p"),
	};
	int status;

	nsm.digest = "SHA384";
	nsm.random_len = 256;
	status = boot_run(&machine);
	return is_measured() ? status : NOT_MEASURED;
}

/* In a process of its own, as it should be; its status. */
static int boot_with(const char *script)
{
	int status = -1;
	pid_t pid;

	child_write_file(&bridge, "cmdline", "console=ttyS0\n");
	child_write_file(&bridge, "oracle", script);
	assert_int_equal(chmod(at(0, "oracle"), 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(HARNESS_DEADLINE_MS / 1000);
		_exit(boot());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_together(void **state)
{
	(void)state;
	start_bridge();
	assert_int_equal(boot_with("#!/bin/sh\ncat $1\n"
				   "echo; echo oracle says hello\n"
				   "printf 'no \\033[2J end'\nexit 3\n"),
	    3);
	child_wait_logged(&bridge, " | " CONFIG "\n", 1);
	child_wait_logged(&bridge, " | oracle says hello\n", 1);
	child_wait_logged(&bridge, " | no \\x1b[2J end ...\n", 1);
	child_wait_logged(&bridge, "how=\"exit status 3\"", 1);
	child_wait_logged(&bridge, "init configuration from=parent", 1);
	child_wait_logged(&bridge, "init insecure_emulator", 1);
	child_wait_logged(&bridge, "init measured pcr16=", 1);
	child_wait_logged(&bridge, "init step name=oracle", 1);
	assert_true(child_logged(&bridge, "info  enclave unix:") > 10);
	child_stop(&bridge);
}

/* In a log longer than child_logged() reads. */
static void wait_logged(const char *text)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	bool found = false;

	while (!found) {
		uint8_t *log = NULL;
		size_t len;

		assert_true(harness_now_ms() < end);
		assert_int_equal(
		    file_read(bridge.log_path, 1 << 24, &log, &len), 0);
		found = strstr((const char *)log, text) != NULL;
		free(log);
		harness_sleep_ms(5);
	}
}

/* A parent that stands still while the oracle writes ten times what the ring
 * has: the oracle comes to its end all the same, and the log says how many
 * lines are missing. */
static void test_parent_that_stands_still(void **state)
{
	(void)state;
	start_bridge();
	assert_int_equal(
	    boot_with("#!/bin/sh\nread bridge <${1%/*}/pid\n"
		      "kill -STOP $bridge\n"
		      "yes $(printf %01000d 0) | head -n 2500\n"
		      "kill -CONT $bridge; sleep 0.2; echo last\n"),
	    0);
	wait_logged(" | last\n");
	wait_logged(" log dropped lines=");
	child_stop(&bridge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_together),
	    cmocka_unit_test(test_parent_that_stands_still),
	};

	return cmocka_run_group_tests_name("boot_bridge", tests, NULL, NULL);
}
