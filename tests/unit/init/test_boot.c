/* boot: all steps in a machine of files and Unix sockets: what is measured
 * before the oracle runs, what is refused, and what the parent hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/init/boot.h"
#include "tests/unit/init/init_fixture.h"
#include "tests/unit/oracle/fake_nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <openssl/sha.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define CONFIG   "{\"listen\":\"vsock://any:8080\",\"feeds\":[]}"
#define EMULATOR "{\"insecure_emulator\":true,\"feeds\":[]}"

static struct { /* what the steps did to the machine */
	unsigned mounts, seals, credited, ups;
	bool measured_before_seal;
} seen;

/* Paths of the machine, each in `dir`. */
static char command_line[128], console[128], hwrng[128], clocksource[128];
static char config[128], oracle[128], parent[128];
static int stderr_before;

static int fake_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int fake_mount(const char *source, const char *target, const char *type,
    unsigned long flags, const void *options)
{
	(void)target;
	(void)type;
	(void)flags;
	(void)options;
	if (source == NULL) {
		seen.seals++;
		seen.measured_before_seal = nsm.locked[16];
	} else {
		seen.mounts++;
	}
	return 0;
}

static int other_ioctl(int fd, unsigned long request, void *arg)
{
	const struct rand_pool_info *info = arg;

	(void)fd;
	if (request == RNDADDENTROPY)
		seen.credited += (unsigned)info->entropy_count;
	else if (request == SIOCSIFFLAGS)
		seen.ups++;
	return 0;
}

static const struct mounts_ops fake_mounts = {fake_mkdir, fake_mount};

static struct machine machine = {
    .mounts = &fake_mounts,
    .ioctl = other_ioctl,
    .nsm_ioctl = fake_ioctl,
    .command_line = command_line,
    .console = console,
    .nsm = "/dev/null",
    .random = "/dev/null",
    .hwrng = hwrng,
    .clocksource = clocksource,
    .config = config,
    .oracle = oracle,
    .oracle_user = (uid_t)-1,
    .parent = parent,
};

/* The program that is started: a script, for a test. */
static void put_oracle(const char *script)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	put_file("oracle", text);
	assert_int_equal(chmod(oracle, 0700), 0);
}

static int up(void **state)
{
	init_up(state);
	memset(&seen, 0, sizeof(seen));
	memset(&nsm, 0, sizeof(nsm));
	nsm.digest = "SHA384";
	nsm.random_len = 256;
	machine.nsm = "/dev/null";
	machine.last_lines_ms = 50;
	path_of(command_line, "cmdline");
	path_of(console, "console");
	path_of(hwrng, "rng_current");
	path_of(clocksource, "current_clocksource");
	path_of(config, "oracle.json");
	path_of(oracle, "oracle");
	path_of(parent, "p");
	put_file("cmdline", "reboot=k console=ttyS0\n");
	put_file("console", "");
	put_file("rng_current", "nsm-hwrng\n");
	put_file("current_clocksource", "kvm-clock\n");
	put_oracle("echo oracle runs with $1; exit 7");
	stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	return 0;
}

static int down(void **state)
{
	return init_down(state);
}

/* Runs all of it; the console's text, to be freed. */
static char *boot(int wanted)
{
	int status = boot_run(&machine);
	char *text = get_file("console");

	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	if (status != wanted)
		fail_msg("status %d, not %d:\n%s", status, wanted, text);
	return text;
}

static void says(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void is_measured(const char *text)
{
	uint8_t both[96] = {0}, wanted[48];

	SHA384((const uint8_t *)text, strlen(text), both + 48);
	SHA384(both, sizeof(both), wanted);
	assert_memory_equal(nsm.pcr[16], wanted, sizeof(wanted));
	assert_true(nsm.locked[16]);
}

static void configuration_of_the_image(void **state)
{
	char *text;

	(void)state;
	put_file("oracle.json", CONFIG);
	text = boot(7);
	is_measured(CONFIG);
	assert_true(seen.measured_before_seal);
	assert_int_equal(seen.mounts, 5);
	assert_int_equal(seen.seals, 1);
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.credited, 512 * 8 * 1000 / 1024);
	says(text, "init configuration from=image");
	says(text, "oracle runs with /tmp/");
	says(text, "init oracle_ended how=\"exit status 7\"");
	says(text, "init step name=oracle took_ms=");
	free(text);
}

/* ---- a parent that has everything ---- */

static void serve_configuration(int listener)
{
	const uint8_t head[4] = {0, 0, 0, sizeof(CONFIG) - 1};
	int fd = parent_accept(listener);

	parent_say(fd, head, sizeof(head));
	parent_say(fd, CONFIG, sizeof(CONFIG) - 1);
	close(fd);
}

static void serve_heartbeat(int listener)
{
	int fd = parent_accept(listener);
	uint8_t byte = 0;

	if (read(fd, &byte, 1) != 1 || byte != 0xB7)
		_exit(5);
	parent_say(fd, &byte, 1);
	close(fd);
}

static void serve_log(int listener)
{
	static char text[1 << 16];
	char path[128];
	size_t len = parent_hear(parent_accept(listener), text, sizeof(text));

	path_of(path, "heard");
	if (file_write(path, text, len, 0600) != 0)
		_exit(5);
}

static void configuration_of_the_parent(void **state)
{
	pid_t parts[] = {
	    play(serve_heartbeat, parent_listen(9000)),
	    play(serve_configuration, parent_listen(9001)),
	    play(serve_log, parent_listen(9002)),
	};
	char *text, *heard;

	(void)state;
	machine.last_lines_ms = INIT_DEADLINE_MS;
	text = boot(7);
	for (size_t i = 0; i < 3; i++)
		played(parts[i]);
	is_measured(CONFIG);
	heard = get_file("oracle.json");
	assert_string_equal(heard, CONFIG);
	free(heard);
	assert_null(strstr(text, "no_heartbeat"));
	says(text, "init configuration from=parent");
	heard = get_file("heard");
	says(heard, "name=log");
	says(heard, "\noracle runs with /tmp/");
	says(heard, "init oracle_ended how=\"exit status 7\"");
	free(heard);
	free(text);
}

/* ---- what is refused ---- */

static void refused(const char *step, const char *why)
{
	char *text = boot(BOOT_FAILED), line[64];

	snprintf(line, sizeof(line), "init refused step=%s", step);
	says(text, line);
	says(text, why);
	assert_null(strstr(text, "oracle runs"));
	free(text);
}

static void another_clock(void **state)
{
	(void)state;
	put_file("oracle.json", CONFIG);
	put_file("current_clocksource", "tsc\n");
	/* A file takes what is asked for, the kernel would not. */
	assert_int_equal(chmod(clocksource, 0400), 0);
	if (access(clocksource, W_OK) == 0)
		path_of(clocksource, "absent");
	refused("platform", "not \\\"kvm-clock\\\"");
}

static void another_generator(void **state)
{
	(void)state;
	put_file("oracle.json", CONFIG);
	path_of(hwrng, "absent");
	refused("platform", "not \\\"nsm-hwrng\\\"");
}

static void no_nsm(void **state)
{
	(void)state;
	put_file("oracle.json", CONFIG);
	machine.nsm = "/nonexistent/nsm";
	refused("measure", "/nonexistent/nsm");
}

static void no_random_bytes(void **state)
{
	(void)state;
	put_file("oracle.json", CONFIG);
	nsm.random_len = 0;
	refused("platform", "GetRandom");
}

static void a_pcr16_of_others(void **state)
{
	(void)state;
	put_file("oracle.json", CONFIG);
	nsm.pcr[16][0] = 1;
	refused("measure", "extended by something else");
	assert_false(nsm.locked[16]);
}

static void no_json(void **state)
{
	(void)state;
	put_file("oracle.json", "[]");
	refused("configuration", "not an object");
	assert_false(nsm.locked[16]);
}

static void a_command_line_that_is_wrong(void **state)
{
	(void)state;
	put_file("cmdline", "hallmark.parent_cid=x\n");
	assert_int_equal(boot_run(&machine), BOOT_FAILED);
	close(stderr_before);
}

/* ---- an emulated machine ---- */

static void an_emulator_is_told(void **state)
{
	char *text;

	(void)state;
	put_file("oracle.json", EMULATOR);
	path_of(hwrng, "absent");
	path_of(clocksource, "absent");
	text = boot(7);
	is_measured(EMULATOR);
	says(text, "init insecure_emulator");
	says(text, "init tolerated what=clock");
	says(text, "init tolerated what=\"random numbers\"");
	free(text);
}

static void an_emulator_without_nsm(void **state)
{
	char *text;

	(void)state;
	put_file("oracle.json", EMULATOR);
	machine.nsm = "/nonexistent/nsm";
	text = boot(7);
	says(text, "init tolerated what=PCR16");
	says(text, "oracle runs");
	free(text);
}

/* ---- the oracle ---- */

static void an_oracle_that_is_killed(void **state)
{
	char *text;

	(void)state;
	put_file("oracle.json", CONFIG);
	put_oracle("echo last words; kill -9 $$");
	text = boot(128 + 9);
	says(text, "last words");
	says(text, "how=\"signal 9 (Killed)\"");
	free(text);
}

static void no_oracle(void **state)
{
	char *text;

	(void)state;
	put_file("oracle.json", CONFIG);
	assert_int_equal(unlink(oracle), 0);
	text = boot(127);
	says(text, "hallmark-init: /tmp/");
	says(text, "No such file");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(configuration_of_the_image),
	    TEST(configuration_of_the_parent),
	    TEST(another_clock),
	    TEST(another_generator),
	    TEST(no_nsm),
	    TEST(no_random_bytes),
	    TEST(a_pcr16_of_others),
	    TEST(no_json),
	    TEST(a_command_line_that_is_wrong),
	    TEST(an_emulator_is_told),
	    TEST(an_emulator_without_nsm),
	    TEST(an_oracle_that_is_killed),
	    TEST(no_oracle),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
