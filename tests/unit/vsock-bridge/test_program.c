#include "tests/unit/vsock-bridge/child.h"

/* Runs it to its end with these arguments and returns its status. */
static int run(struct child *child, const char *first, const char *second)
{
	char program[] = "vsock-bridge", a[160], b[160];
	char *argv[] = {program, a, b, NULL};
	int argc = 1 + (first != NULL) + (second != NULL);

	snprintf(a, sizeof(a), "%s", first != NULL ? first : "");
	snprintf(b, sizeof(b), "%s", second != NULL ? second : "");
	argv[argc] = NULL;
	child_run(child, argv, argc);
	return child_wait(child);
}

static void test_arguments(void **state)
{
	struct child child;

	(void)state;
	child_init(&child);
	assert_int_equal(run(&child, NULL, NULL), 2);
	assert_int_equal(child_logged(&child, "usage: "), 1);
	assert_int_equal(run(&child, "--help", NULL), 0);
	assert_int_equal(run(&child, "--version", NULL), 0);
	assert_int_equal(run(&child, "--help", "x"), 2);
	assert_int_equal(run(&child, "--check", NULL), 2);
	assert_int_equal(run(&child, "--unknown", NULL), 2);
	assert_int_equal(run(&child, "/a", "/b"), 2);
	assert_int_equal(run(&child, "/nonexistent", NULL), 1);
	assert_int_equal(child_logged(&child, "No such file"), 1);
	child_fini(&child);
}

#define CONFIG                                                    \
	"{\"outbound\": [{\"listen\": \"unix:///nonexistent/s\"," \
	" \"allowlist\": \"allow\"}]}"

static void test_check(void **state)
{
	struct child child;
	char path[160];

	(void)state;
	child_init(&child);
	child_write_file(&child, "config.json", CONFIG);
	child_write_file(&child, "allow", "a.example:443\n");
	snprintf(path, sizeof(path), "%s/config.json", child.dir);
	assert_int_equal(run(&child, "--check", path), 0);
	child_write_file(&child, "allow", "a.example\n");
	assert_int_equal(run(&child, "--check", path), 1);
	assert_int_equal(child_logged(&child, "allow: line 1: "), 1);
	child_write_file(&child, "config.json", "{\"outbound\": []}");
	assert_int_equal(run(&child, "--check", path), 1);
	child_fini(&child);
}

/* It says why it cannot start, and leaves nothing behind. */
static void test_cannot_start(void **state)
{
	struct child child;
	char path[160], config[512];

	(void)state;
	child_init(&child);
	child_write_file(&child, "config.json", CONFIG);
	child_write_file(&child, "allow", "a.example:443\n");
	snprintf(path, sizeof(path), "%s/config.json", child.dir);
	assert_int_equal(run(&child, path, NULL), 1);
	assert_int_equal(child_logged(&child, " cannot_start "), 1);
	assert_int_equal(child_logged(&child, "unix:///nonexistent/s: "), 1);
	/* The second rule fails after the first has started. */
	snprintf(config, sizeof(config),
	    "{\"outbound\": [{\"listen\": \"unix://%s\","
	    " \"allowlist\": \"allow\"},"
	    " {\"listen\": \"unix://%s2\", \"allowlist\": \"none\"}]}",
	    child.socket_path, child.socket_path);
	child_write_file(&child, "config.json", config);
	assert_int_equal(run(&child, path, NULL), 1);
	assert_int_equal(child_logged(&child, " listening "), 1);
	assert_int_equal(child_logged(&child, " cannot_start "), 1);
	child_fini(&child);
}

/* Killed and started again at once: the socket that it left is replaced. */
static void test_starts_again_after_a_kill(void **state)
{
	struct child child;
	char config[256];
	int status;

	(void)state;
	child_init(&child);
	child_write_file(&child, "allow", "a.example:443\n");
	snprintf(config, sizeof(config),
	    "{\"outbound\": [{\"listen\": \"unix://%s\","
	    " \"allowlist\": \"allow\"}]}",
	    child.socket_path);
	child_start(&child, config, 1);
	kill(child.pid, SIGKILL);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	child_start(&child, config, 1);
	close(client_unix(child.socket_path));
	child_stop(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_cannot_start),
	    cmocka_unit_test(test_starts_again_after_a_kill),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
