/* web_files: the dashboard inside the program is the one in the folder: each
 * file, byte for byte. Run from the repository's root. */
#include "verifier/daemon/web_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define FOLDER   "verifier/web"
#define FILE_MAX 262144

/* What is there for the tests, and not for the page. */
static bool is_served(const char *name)
{
	return name[0] != '.' && strcmp(name, "package.json") != 0;
}

static void compare(const char *name)
{
	static uint8_t bytes[FILE_MAX];
	const struct web_file *file = web_files_find(name);
	char path[512];
	size_t len;
	FILE *in;

	if (file == NULL)
		fail_msg("%s is not in web_files.c", name);
	snprintf(path, sizeof(path), FOLDER "/%s", name);
	in = fopen(path, "rb");
	assert_non_null(in);
	len = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	assert_int_equal(file->len, len);
	assert_true(len > 0 && len < sizeof(bytes));
	assert_memory_equal(file->bytes, bytes, len);
}

static void test_each_file(void **state)
{
	DIR *folder = opendir(FOLDER);
	const struct dirent *entry;
	size_t count = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		if (is_served(entry->d_name)) {
			compare(entry->d_name);
			count++;
		}
	closedir(folder);
	assert_non_null(web_files_at(count - 1));
	assert_null(web_files_at(count));
}

static void test_names(void **state)
{
	static const char *const none[] = {"", "nothing.js", "index.htm",
	    "index.html ", "../daemon/main.c", "package.json"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(web_files_find(none[i]));
	assert_string_equal(web_files_find("index.html")->content_type,
	    "text/html; charset=utf-8");
	assert_string_equal(web_files_find("app.js")->content_type,
	    "text/javascript; charset=utf-8");
	assert_string_equal(web_files_find("style.css")->content_type,
	    "text/css; charset=utf-8");
	assert_string_equal(
	    web_files_find("icon.svg")->content_type, "image/svg+xml");
}

/* Nothing from elsewhere, nothing inline, no frame. */
static void test_policy(void **state)
{
	(void)state;
	assert_ptr_equal(
	    strstr(web_files_policy, "default-src 'none'"), web_files_policy);
	assert_non_null(strstr(web_files_policy, "script-src 'self';"));
	assert_non_null(strstr(web_files_policy, "frame-ancestors 'none'"));
	assert_null(strstr(web_files_policy, "unsafe"));
	assert_null(strstr(web_files_policy, "http"));
	assert_null(strstr(web_files_policy, "*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_file),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests_name("web_files", tests, NULL, NULL);
}
