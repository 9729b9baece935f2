/* entropy: what the module says goes to the kernel, credited for what it is
 * worth, or nothing does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/init/entropy.h"
#include "tests/unit/oracle/fake_nsm.h"

#include <linux/random.h>

static struct {
	unsigned calls;
	int bits, len, fail;
	uint8_t bytes[2048];
} credited;

static struct attester *a;
static char error[ATTESTER_ERROR_MAX];

static int add_entropy(int fd, unsigned long request, void *arg)
{
	const struct rand_pool_info *info = arg;

	assert_true(fd >= 0);
	assert_int_equal(request, RNDADDENTROPY);
	credited.calls++;
	credited.bits = info->entropy_count;
	credited.len = info->buf_size;
	assert_in_range(credited.len, 1, sizeof(credited.bytes));
	memcpy(credited.bytes, info->buf, (size_t)credited.len);
	errno = credited.fail;
	return credited.fail == 0 ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	memset(&nsm, 0, sizeof(nsm));
	memset(&credited, 0, sizeof(credited));
	nsm.digest = "SHA384";
	nsm.random_len = 256;
	a = attester_nsm_open_with("/dev/null", fake_ioctl, error);
	assert_non_null(a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	a->ops->close(a);
	return 0;
}

static int seed(const char *device)
{
	return entropy_seed(a, device, add_entropy, error);
}

/* Two answers of 256 bytes, at 1000 of 1024 bits of a bit. */
static void credits_bits(void **state)
{
	(void)state;
	assert_int_equal(seed("/dev/null"), 4000);
	assert_int_equal(credited.calls, 1);
	assert_int_equal(credited.bits, 4000);
	assert_int_equal(credited.len, 512);
	assert_int_equal(credited.bytes[0], 1);
	assert_int_equal(credited.bytes[255], 1);
	assert_int_equal(credited.bytes[256], 2);
}

/* One that gives less at a time is asked more often. */
static void small_answers(void **state)
{
	(void)state;
	nsm.random_len = 100;
	assert_int_equal(seed("/dev/null"), 600 * 8 * 1000 / 1024);
	assert_int_equal(credited.len, 600);
	assert_int_equal(credited.bytes[599], 6);
}

static void refused(const char *why)
{
	if (strstr(error, why) == NULL)
		fail_msg("'%s' without '%s'", error, why);
	assert_int_equal(credited.calls, credited.fail != 0);
}

static void too_small_answers(void **state)
{
	(void)state;
	nsm.random_len = 7; /* in as many answers as we wait for */
	assert_int_equal(seed("/dev/null"), -1);
	refused("too few bytes at a time");
	nsm.random_len = 0;
	assert_int_equal(seed("/dev/null"), -1);
	refused("no bytes");
}

static void a_module_that_is_stuck(void **state)
{
	(void)state;
	nsm.stuck = true;
	assert_int_equal(seed("/dev/null"), -1);
	refused("repeats itself");
}

static void a_module_that_fails(void **state)
{
	(void)state;
	nsm.fail_errno = EIO;
	assert_int_equal(seed("/dev/null"), -1);
	refused("Input/output error");
}

static void a_kernel_that_refuses(void **state)
{
	(void)state;
	assert_int_equal(seed("/nonexistent/random"), -1);
	refused("/nonexistent/random: No such file");
	credited.fail = EPERM;
	assert_int_equal(seed("/dev/null"), -1);
	refused("RNDADDENTROPY: Operation not permitted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(credits_bits),
	    TEST(small_answers),
	    TEST(too_small_answers),
	    TEST(a_module_that_is_stuck),
	    TEST(a_module_that_fails),
	    TEST(a_kernel_that_refuses),
	};

	return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
