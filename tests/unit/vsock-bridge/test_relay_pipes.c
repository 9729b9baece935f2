#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/relay_pipes.h"

#include <sys/resource.h>

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void test_take_and_give(void **state)
{
	unsigned before = open_descriptors();
	struct relay_pipes pipes = {0};
	struct relay_pipe *pipe = relay_pipes_take(&pipes), *again;
	char got[3];

	(void)state;
	assert_non_null(pipe);
	assert_true(fcntl(pipe->write_fd, F_GETPIPE_SZ) >= 65536);
	assert_true(fcntl(pipe->read_fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(pipe->write_fd, "abc", 3), 3);
	assert_int_equal(read(pipe->read_fd, got, 3), 3);
	assert_int_equal(read(pipe->read_fd, got, 3), -1);
	assert_int_equal(errno, EAGAIN);
	relay_pipes_give(&pipes, pipe, true);
	again = relay_pipes_take(&pipes);
	assert_ptr_equal(again, pipe);
	assert_int_equal(open_descriptors(), before + 2);
	/* One that may still hold a stranger's bytes is never lent again. */
	relay_pipes_give(&pipes, again, false);
	assert_int_equal(open_descriptors(), before);
	relay_pipes_give(&pipes, NULL, true);
	relay_pipes_fini(&pipes);
}

static void test_bounds(void **state)
{
	unsigned before = open_descriptors();
	struct relay_pipes pipes = {0};
	struct relay_pipe *lent[RELAY_PIPES_MAX];

	(void)state;
	for (size_t i = 0; i < RELAY_PIPES_MAX; i++) {
		lent[i] = relay_pipes_take(&pipes);
		assert_non_null(lent[i]);
	}
	assert_null(relay_pipes_take(&pipes));
	for (size_t i = 0; i < RELAY_PIPES_MAX; i++)
		relay_pipes_give(&pipes, lent[i], true);
	assert_int_equal(open_descriptors(), before + 2 * RELAY_PIPES_KEPT_MAX);
	relay_pipes_fini(&pipes);
	assert_int_equal(open_descriptors(), before);
}

/* No descriptor: not asked for each time, and found again later. */
static void test_no_descriptor(void **state)
{
	struct rlimit old, few;
	struct relay_pipes pipes = {0};
	struct relay_pipe *pipe = NULL;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_null(relay_pipes_take(&pipes));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(relay_pipes_take(&pipes));
	assert_int_equal(pipes.lent, 0);
	for (int i = 0; i < RELAY_PIPES_RETRY && pipe == NULL; i++)
		pipe = relay_pipes_take(&pipes);
	assert_non_null(pipe);
	relay_pipes_give(&pipes, pipe, true);
	relay_pipes_fini(&pipes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take_and_give),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_no_descriptor),
	};

	return cmocka_run_group_tests_name("relay_pipes", tests, NULL, NULL);
}
