/* file: reading under a ceiling, writing by rename, each error. */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_file.XXXXXX");
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int teardown(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(d)))
		unlink(entry->d_name);
	closedir(d);
	return chdir("/") == 0 ? rmdir(dir) : -1;
}

static size_t count_files(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void test_what_is_written_is_read(void **state)
{
	uint8_t bytes[20000], *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_int_equal(file_write("a", bytes, sizeof(bytes), 0644), 0);
	assert_int_equal(file_read("a", 1 << 20, &data, &len), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(data, bytes, len);
	assert_int_equal(data[len], 0);
	free(data);
	assert_int_equal(count_files(), 1);
}

static void test_empty_file(void **state)
{
	uint8_t *data;
	size_t len = 1;

	(void)state;
	assert_int_equal(file_write("empty", NULL, 0, 0644), 0);
	assert_int_equal(file_read("empty", 0, &data, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(data[0], 0);
	free(data);
}

static void test_ceiling_is_exact(void **state)
{
	static const size_t sizes[] = {
	    1, 2, 4094, 4095, 4096, 4097, 8191, 8192, 8193};
	static const uint8_t bytes[8193];
	uint8_t *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(file_write("b", bytes, sizes[i], 0600), 0);
		assert_int_equal(file_read("b", sizes[i], &data, &len), 0);
		assert_int_equal(len, sizes[i]);
		free(data);
		assert_int_equal(
		    file_read("b", sizes[i] - 1, &data, &len), -EFBIG);
		assert_null(data);
		assert_int_equal(len, 0);
	}
}

static void test_endless_file_is_refused(void **state)
{
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read("/dev/zero", 100000, &data, &len), -EFBIG);
	assert_null(data);
}

static void test_missing_and_unreadable(void **state)
{
	uint8_t *data = (uint8_t *)dir;
	size_t len = 9;

	(void)state;
	assert_int_equal(file_read("none", 10, &data, &len), -ENOENT);
	assert_null(data);
	assert_int_equal(len, 0);
	assert_int_equal(file_read(dir, 10, &data, &len), -EISDIR);
	assert_int_equal(file_read("none", SIZE_MAX, &data, &len), -EINVAL);
}

static void test_dash_is_standard_input(void **state)
{
	int saved = dup(STDIN_FILENO), fds[2];
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "hello", 5), 5);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	assert_int_equal(file_read("-", 5, &data, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal((char *)data, "hello");
	free(data);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}

static void test_write_replaces_and_sets_mode(void **state)
{
	struct stat st;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_write("c", "old one", 7, 0644), 0);
	assert_int_equal(file_write("c", "new", 3, 0600), 0);
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read("c", 100, &data, &len), 0);
	assert_string_equal((char *)data, "new");
	free(data);
}

static void test_write_does_not_follow_links(void **state)
{
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_write("target", "keep", 4, 0644), 0);
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(file_write("link", "x", 1, 0644), 0);
	assert_int_equal(file_read("target", 100, &data, &len), 0);
	assert_string_equal((char *)data, "keep");
	free(data);
}

/* A file that was left by a crash under the same process number. */
static void test_stale_temporary_is_replaced(void **state)
{
	char temp[64];

	(void)state;
	snprintf(temp, sizeof(temp), "d.%ld.tmp", (long)getpid());
	assert_int_equal(symlink("target", temp), 0);
	assert_int_equal(file_write("d", "x", 1, 0644), 0);
	assert_int_equal(access("d", F_OK), 0);
	assert_int_equal(access(temp, F_OK), -1);
}

static void test_failed_write_leaves_the_old(void **state)
{
	char longname[PATH_MAX + 10];

	(void)state;
	assert_int_equal(file_write("no/such/x", "x", 1, 0644), -ENOENT);
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(file_write("folder", "x", 1, 0644), -EISDIR);
	assert_int_equal(rmdir("folder"), 0);
	memset(longname, 'x', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	assert_int_equal(file_write(longname, "x", 1, 0644), -ENAMETOOLONG);
}

/* As on a full disk: the write fails half-way. */
static void test_half_a_write_leaves_the_old(void **state)
{
	static const uint8_t bytes[8192];
	struct rlimit saved, low;
	uint8_t *data;
	size_t len;
	int ret;

	(void)state;
	assert_int_equal(file_write("e", "old", 3, 0644), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &saved);
	low = saved;
	low.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &low);
	ret = file_write("e", bytes, sizeof(bytes), 0644);
	setrlimit(RLIMIT_FSIZE, &saved);
	assert_int_equal(ret, -EFBIG);
	assert_int_equal(file_read("e", 100, &data, &len), 0);
	assert_string_equal((char *)data, "old");
	assert_int_equal(count_files(), 1);
	free(data);
}

static void test_a_new_file_takes_its_place_when_whole(void **state)
{
	struct file_new new;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_write("grown", "old", 3, 0600), 0);
	assert_int_equal(file_begin(&new, "grown", 0600), 0);
	assert_int_equal(pwrite(new.fd, "cd", 2, 2), 2);
	assert_int_equal(pwrite(new.fd, "ab", 2, 0), 2);
	assert_int_equal(file_read("grown", 9, &data, &len), 0);
	assert_string_equal((char *)data, "old");
	free(data);
	assert_int_equal(file_commit(&new), 0);
	assert_int_equal(file_read("grown", 9, &data, &len), 0);
	assert_string_equal((char *)data, "abcd");
	free(data);
	file_abandon(&new); /* too late: nothing happens */
	assert_int_equal(access("grown", F_OK), 0);
	unlink("grown");
}

static void test_an_abandoned_file_leaves_nothing(void **state)
{
	size_t before = count_files();
	struct file_new new;

	(void)state;
	assert_int_equal(file_begin(&new, "left", 0600), 0);
	assert_int_equal(count_files(), before + 1);
	file_abandon(&new);
	file_abandon(&new);
	assert_int_equal(count_files(), before);
	assert_int_equal(file_begin(&new, "none/left", 0600), -ENOENT);
	file_abandon(&new);
	/* what cannot be renamed over */
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(file_begin(&new, "folder", 0600), 0);
	assert_int_equal(file_commit(&new), -EISDIR);
	assert_int_equal(rmdir("folder"), 0);
	assert_int_equal(count_files(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_what_is_written_is_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_empty_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_ceiling_is_exact, setup, teardown),
	    cmocka_unit_test(test_endless_file_is_refused),
	    cmocka_unit_test_setup_teardown(
		test_missing_and_unreadable, setup, teardown),
	    cmocka_unit_test(test_dash_is_standard_input),
	    cmocka_unit_test_setup_teardown(
		test_write_replaces_and_sets_mode, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_write_does_not_follow_links, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_stale_temporary_is_replaced, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_failed_write_leaves_the_old, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_half_a_write_leaves_the_old, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_a_new_file_takes_its_place_when_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_an_abandoned_file_leaves_nothing, setup, teardown),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
