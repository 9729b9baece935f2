/* The small steps: mounts, loopback, the parent's CID, the platform's files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/init/loopback.h"
#include "oracle/init/mounts.h"
#include "oracle/init/parent.h"
#include "oracle/init/platform.h"
#include "tests/unit/init/init_fixture.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* ---- mounts ---- */

static struct { /* what was asked for, and what goes wrong */
	char text[1024];
	const char *fail_at;
	int fail_mkdir, fail_mount;
} asked;

static int fake_mkdir(const char *path, mode_t mode)
{
	assert_int_equal(mode, 0755);
	if (asked.fail_mkdir == 0 || strcmp(path, asked.fail_at) != 0)
		return 0;
	errno = asked.fail_mkdir;
	return -1;
}

static int fake_mount(const char *source, const char *target, const char *type,
    unsigned long flags, const void *options)
{
	size_t len = strlen(asked.text);

	snprintf(asked.text + len, sizeof(asked.text) - len, "%s %s%s%s%s%s\n",
	    type == NULL ? "-" : type, target,
	    flags & MS_NOSUID ? " nosuid" : "",
	    flags & MS_NODEV ? " nodev" : "",
	    flags & MS_NOEXEC ? " noexec" : "", flags & MS_RDONLY ? " ro" : "");
	assert_true(source != NULL || (flags & MS_REMOUNT));
	(void)options;
	if (asked.fail_mount == 0 || strcmp(target, asked.fail_at) != 0)
		return 0;
	errno = asked.fail_mount;
	return -1;
}

static const struct mounts_ops ops = {fake_mkdir, fake_mount};

static void fails_at(const char *target, int mkdir_errno, int mount_errno)
{
	memset(&asked, 0, sizeof(asked));
	asked.fail_at = target;
	asked.fail_mkdir = mkdir_errno;
	asked.fail_mount = mount_errno;
}

static void mounts_are_tight(void **state)
{
	char error[128];

	(void)state;
	fails_at("", 0, 0);
	assert_int_equal(mounts_make(&ops, error, sizeof(error)), 0);
	assert_string_equal(asked.text, "proc /proc nosuid nodev noexec\n"
					"sysfs /sys nosuid nodev noexec\n"
					"devtmpfs /dev nosuid noexec\n"
					"tmpfs /tmp nosuid nodev noexec\n"
					"tmpfs /run nosuid nodev noexec\n");
	fails_at("", 0, 0);
	assert_int_equal(mounts_seal(&ops, error, sizeof(error)), 0);
	assert_string_equal(asked.text, "- / ro\n");
}

static void mounts_that_fail(void **state)
{
	char error[128];

	(void)state;
	fails_at("/sys", 0, EPERM);
	assert_int_equal(mounts_make(&ops, error, sizeof(error)), -1);
	assert_string_equal(error, "mount /sys: Operation not permitted");
	fails_at("/run", EROFS, 0);
	assert_int_equal(mounts_make(&ops, error, sizeof(error)), -1);
	assert_string_equal(error, "mkdir /run: Read-only file system");
	fails_at("/", 0, EPERM);
	assert_int_equal(mounts_seal(&ops, error, sizeof(error)), -1);
	assert_string_equal(error, "remount /: Operation not permitted");
	/* There already. */
	fails_at("/dev", 0, EBUSY);
	assert_int_equal(mounts_make(&ops, error, sizeof(error)), 0);
	fails_at("/dev", EEXIST, 0);
	assert_int_equal(mounts_make(&ops, error, sizeof(error)), 0);
}

/* ---- loopback ---- */

static unsigned long fail_request;
static short flags_set;

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	struct ifreq *lo = arg;

	assert_true(fd >= 0);
	assert_string_equal(lo->ifr_name, "lo");
	if (request == fail_request) {
		errno = ENODEV;
		return -1;
	}
	if (request == SIOCGIFFLAGS)
		lo->ifr_flags = IFF_LOOPBACK;
	else
		flags_set = lo->ifr_flags;
	return 0;
}

static void loopback_is_up(void **state)
{
	(void)state;
	fail_request = 0;
	assert_int_equal(loopback_up(fake_ioctl), 0);
	assert_int_equal(flags_set, IFF_LOOPBACK | IFF_UP);
	fail_request = SIOCGIFFLAGS;
	assert_int_equal(loopback_up(fake_ioctl), -ENODEV);
	fail_request = SIOCSIFFLAGS;
	assert_int_equal(loopback_up(fake_ioctl), -ENODEV);
}

/* ---- parent ---- */

static void cid_is(const char *command_line, const char *wanted)
{
	char cid[PARENT_TEXT_MAX];

	assert_int_equal(parent_cid(cid, command_line), 0);
	assert_string_equal(cid, wanted);
}

static void the_parents_cid(void **state)
{
	struct endpoint ep;

	(void)state;
	cid_is("", "3");
	cid_is("reboot=k console=ttyS0\n", "3");
	cid_is("reboot=k hallmark.parent_cid=2 quiet\n", "2");
	cid_is("hallmark.parent_cid=4294967294", "4294967294");
	cid_is("xhallmark.parent_cid=7", "3");
	assert_int_equal(parent_endpoint(&ep, "3", 9001), 0);
	assert_int_equal(ep.kind, ENDPOINT_VSOCK);
	assert_int_equal(ep.cid, 3);
	assert_int_equal(ep.port, 9001);
}

static void cids_that_are_none(void **state)
{
	static const char *const bad[] = {
	    "hallmark.parent_cid=",
	    "hallmark.parent_cid=x",
	    "hallmark.parent_cid=any",
	    "hallmark.parent_cid=4294967295",
	    "hallmark.parent_cid=99999999999",
	    "hallmark.parent_cid=3333333333333333333333333333",
	    "hallmark.parent_cid=3 hallmark.parent_cid=3",
	    "hallmark.parent_cid=-1",
	    "hallmark.parent_cid=03",
	};
	char cid[PARENT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parent_cid(cid, bad[i]) == 0)
			fail_msg("accepted: %s", bad[i]);
}

/* ---- platform ---- */

static void wants(
    const char *holds, const char *wanted, int result, const char *said)
{
	char path[128], error[256] = "";

	path_of(path, "file");
	if (holds != NULL)
		put_file("file", holds);
	else
		path_of(path, "absent");
	if (platform_want(path, wanted, error, sizeof(error)) != result)
		fail_msg("%s: %s", holds, error);
	if (strstr(error, said) == NULL)
		fail_msg("'%s' without '%s'", error, said);
}

static void platforms(void **state)
{
	char longer[256];

	(void)state;
	wants("kvm-clock\n", "kvm-clock", 0, "");
	wants("kvm-clock", "kvm-clock", 0, "");
	wants(NULL, "kvm-clock", -1, "absent is \"\", not \"kvm-clock\"");
	memset(longer, 'k', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	wants(longer, "x", -1, "kkk\", not \"x\"");
}

/* What is not chosen is asked for. (Here the file holds what was written over
 * its first bytes; the kernel would take the name or leave it.) */
static void another_is_asked_for(void **state)
{
	char *text;

	(void)state;
	wants("tsc\n", "kvm-clock", 0, "");
	text = get_file("file");
	assert_string_equal(text, "kvm-clock");
	free(text);
	wants("kvm-clock and more", "kvm", -1, "is \"kvm-clock and more\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init_up, init_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(mounts_are_tight),
	    TEST(mounts_that_fail),
	    TEST(loopback_is_up),
	    TEST(the_parents_cid),
	    TEST(cids_that_are_none),
	    TEST(platforms),
	    TEST(another_is_asked_for),
	};

	return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
