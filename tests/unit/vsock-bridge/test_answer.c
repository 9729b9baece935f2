#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/answer.h"

static void test_refusal(void **state)
{
	char out[ANSWER_BYTES_MAX];
	size_t len = answer_format(out, ANSWER_NOT_ALLOWED, "not on the list");

	(void)state;
	assert_string_equal(out,
	    "HTTP/1.1 403 Forbidden\r\n"
	    "Proxy-Status: vsock-bridge; error=http_request_denied\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 16\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "not on the list\n");
	assert_int_equal(len, strlen(out));
}

static void test_405_names_the_method(void **state)
{
	char out[ANSWER_BYTES_MAX];

	(void)state;
	answer_format(out, ANSWER_BAD_METHOD, "x");
	assert_non_null(strstr(out, "\r\nAllow: CONNECT\r\n"));
	answer_format(out, ANSWER_BAD_REQUEST, "x");
	assert_null(strstr(out, "Allow"));
}

static void test_every_code_fits(void **state)
{
	char out[ANSWER_BYTES_MAX], detail[2 * ANSWER_DETAIL_MAX], line[64];

	(void)state;
	memset(detail, 'd', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	for (int code = ANSWER_BAD_REQUEST; code <= ANSWER_NO_TIME; code++) {
		size_t len = answer_format(out, (enum answer_code)code, detail);

		assert_int_equal(len, strlen(out));
		snprintf(line, sizeof(line), "HTTP/1.1 %u ",
		    answer_status((enum answer_code)code));
		assert_memory_equal(out, line, strlen(line));
		assert_non_null(
		    strstr(out, answer_error((enum answer_code)code)));
		assert_non_null(strstr(out, "\r\nContent-Length: 513\r\n"));
		assert_int_equal(strlen(strstr(out, "\r\n\r\n") + 4), 513);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusal),
	    cmocka_unit_test(test_405_names_the_method),
	    cmocka_unit_test(test_every_code_fits),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
