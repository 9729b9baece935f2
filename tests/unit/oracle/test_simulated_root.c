/* simulated_root: made once, found again, and what is said of files that are
 * broken or do not belong together. */
#include "oracle/simulated_root.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000)

static char folder[64], error[ATTESTER_ERROR_MAX];
static char first_pem[SIMULATED_ROOT_PEM_MAX];

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void open_one(char pem[SIMULATED_ROOT_PEM_MAX])
{
	struct simulated_chain_link root;

	if (simulated_root_open(&root, pem, folder, NOW, error) != 0)
		fail_msg("%s", error);
	assert_int_equal(X509_check_private_key(root.cert, root.key), 1);
	assert_true(root.der_len > 0);
	simulated_chain_link_fini(&root);
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	strcpy(folder, "/tmp/test_simulated_root.XXXXXX");
	assert_non_null(mkdtemp(folder));
	open_one(first_pem);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path_of(SIMULATED_ROOT_CERT));
	unlink(path_of(SIMULATED_ROOT_KEY));
	assert_int_equal(rmdir(folder), 0); /* and nothing else is left */
	return 0;
}

static void read_text(const char *name, char out[SIMULATED_ROOT_PEM_MAX])
{
	FILE *file = fopen(path_of(name), "r");

	assert_non_null(file);
	out[fread(out, 1, SIMULATED_ROOT_PEM_MAX - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_files(void **state)
{
	char text[SIMULATED_ROOT_PEM_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(stat(path_of(SIMULATED_ROOT_KEY), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	read_text(SIMULATED_ROOT_CERT, text);
	assert_string_equal(text, first_pem);
}

static void test_same_root_again(void **state)
{
	char pem[SIMULATED_ROOT_PEM_MAX];

	(void)state;
	open_one(pem);
	assert_string_equal(pem, first_pem);
}

static void test_makes_directory(void **state)
{
	char kept[64], pem[SIMULATED_ROOT_PEM_MAX];

	(void)state;
	strcpy(kept, folder);
	strcat(folder, "/new");
	open_one(pem);
	unlink(path_of(SIMULATED_ROOT_CERT));
	unlink(path_of(SIMULATED_ROOT_KEY));
	assert_int_equal(rmdir(folder), 0);
	strcpy(folder, kept);
}

#define AT_ONCE 8

/* Programs that start together in an empty directory get one root. */
static void test_all_at_once(void **state)
{
	struct simulated_chain_link root;
	char(*pems)[SIMULATED_ROOT_PEM_MAX];
	pid_t children[AT_ONCE];
	int status;

	(void)state;
	pems = mmap(NULL, AT_ONCE * sizeof(*pems), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(pems != MAP_FAILED);
	unlink(path_of(SIMULATED_ROOT_CERT));
	unlink(path_of(SIMULATED_ROOT_KEY));
	for (unsigned i = 0; i < AT_ONCE; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(simulated_root_open(
				  &root, pems[i], folder, NOW, error) != 0);
	}
	for (unsigned i = 0; i < AT_ONCE; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
		assert_string_equal(pems[i], pems[0]);
	}
	munmap(pems, AT_ONCE * sizeof(*pems));
}

static void expect_refused(const char *why)
{
	char pem[SIMULATED_ROOT_PEM_MAX];
	struct simulated_chain_link root;

	assert_int_equal(
	    simulated_root_open(&root, pem, folder, NOW, error), -1);
	assert_null(root.cert);
	assert_null(root.key);
	assert_string_equal(pem, "");
	if (strstr(error, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, error);
}

static void test_broken_files(void **state)
{
	char cert[SIMULATED_ROOT_PEM_MAX], key[SIMULATED_ROOT_PEM_MAX];
	char longer[SIMULATED_ROOT_PEM_MAX + 2];

	(void)state;
	read_text(SIMULATED_ROOT_CERT, cert);
	read_text(SIMULATED_ROOT_KEY, key);
	write_text(SIMULATED_ROOT_CERT, "");
	expect_refused("delete it");
	write_text(SIMULATED_ROOT_CERT, key);
	expect_refused("no certificate of ours, delete it: /tmp/");
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	write_text(SIMULATED_ROOT_CERT, longer);
	expect_refused("File too large");
	write_text(SIMULATED_ROOT_CERT, cert);
	write_text(SIMULATED_ROOT_KEY, "");
	expect_refused("no key, delete it and simulated-root.pem: /tmp/");
	write_text(SIMULATED_ROOT_KEY, cert);
	expect_refused("no key, delete it and simulated-root.pem: /tmp/");
	unlink(path_of(SIMULATED_ROOT_KEY));
	expect_refused("to start anew delete simulated-root.pem");
}

/* A NUL would end the text for some readers and not for others. */
static void test_nul_in_certificate(void **state)
{
	FILE *file = fopen(path_of(SIMULATED_ROOT_CERT), "a");

	(void)state;
	assert_non_null(file);
	fwrite("\0junk", 1, 5, file);
	fclose(file);
	expect_refused("no certificate of ours");
}

static void test_another_roots_key(void **state)
{
	char pem[SIMULATED_ROOT_PEM_MAX];

	(void)state;
	unlink(path_of(SIMULATED_ROOT_CERT));
	/* A key alone is an interrupted start: both are new. */
	open_one(pem);
	assert_string_not_equal(pem, first_pem);
	write_text(SIMULATED_ROOT_CERT, first_pem);
	expect_refused("another root's key, delete it and simulated-root.pem");
}

static void test_unusable_directory(void **state)
{
	char kept[64];

	(void)state;
	strcpy(kept, folder);
	strcpy(folder, "/nonexistent/somewhere");
	expect_refused("/nonexistent/somewhere: No such file or directory");
	strcpy(folder, "/dev/null");
	expect_refused("/dev/null: Not a directory");
	strcpy(folder, kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_files),
	    TEST(test_same_root_again),
	    TEST(test_makes_directory),
	    TEST(test_all_at_once),
	    TEST(test_broken_files),
	    TEST(test_nul_in_certificate),
	    TEST(test_another_roots_key),
	    TEST(test_unusable_directory),
	};

	return cmocka_run_group_tests_name("simulated_root", tests, NULL, NULL);
}
