/* curl_body: up to its ceiling and not a byte more; what a problem says. */
#include "verifier/daemon/curl_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_ceiling(void **state)
{
	struct curl_body body;

	(void)state;
	curl_body_init(&body, 5);
	assert_string_equal(body.bytes, "");
	assert_int_equal(curl_body_append(&body, "abc", 3), 3);
	assert_int_equal(curl_body_append(&body, "de", 2), 2);
	assert_string_equal(body.bytes, "abcde");
	assert_false(body.too_long);
	assert_int_equal(curl_body_append(&body, "f", 1), 0);
	assert_true(body.too_long);
	assert_int_equal(body.len, 5);
	assert_string_equal(body.bytes, "abcde");
	assert_string_equal(
	    curl_body_why(&body, CURLE_WRITE_ERROR), "the answer is too long");
	curl_body_fini(&body);
	assert_null(body.bytes);
	curl_body_fini(&body);
}

/* From a file, since that needs nobody to serve it. */
static void test_collect(void **state)
{
	CURL *easy = curl_easy_init();
	struct curl_body body;

	(void)state;
	curl_body_init(&body, 1 << 20);
	curl_easy_setopt(easy, CURLOPT_URL, "file:///proc/self/comm");
	curl_body_collect(&body, easy);
	assert_int_equal(curl_easy_perform(easy), CURLE_OK);
	assert_string_equal(body.bytes, "test_curl_body\n");
	assert_string_equal(curl_body_why(&body, CURLE_COULDNT_CONNECT),
	    curl_easy_strerror(CURLE_COULDNT_CONNECT));
	curl_easy_cleanup(easy);
	curl_body_fini(&body);
}

static void test_problem(void **state)
{
	static const char *const cases[][2] = {
	    {"{\"code\":\"BUSY\",\"detail\":\"try again\",\"status\":503}",
		"503 BUSY: try again"},
	    {"{\"code\":\"BUSY\"}", "503 BUSY: "},
	    {"{\"detail\":\"try again\"}", "503"},
	    {"{\"code\":7}", "503"},
	    {"<html>", "503"},
	    {"", "503"},
	};
	struct curl_body body;
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		curl_body_init(&body, 100);
		curl_body_append(&body, cases[i][0], strlen(cases[i][0]));
		curl_body_problem(&body, 503, text, sizeof(text));
		assert_string_equal(text, cases[i][1]);
		curl_body_fini(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ceiling),
	    cmocka_unit_test(test_collect),
	    cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests_name("curl_body", tests, NULL, NULL);
}
