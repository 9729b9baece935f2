/* http_request: the bytes of a GET, to the letter. */
#include "oracle/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_get(void **state)
{
	char out[HTTP_REQUEST_MAX];
	(void)state;
	size_t len = http_request_get(out, "api.kraken.com", 443, "/0/x?p=1");
	assert_int_equal(len, strlen(out));
	assert_string_equal(out, "GET /0/x?p=1 HTTP/1.1\r\n"
				 "Host: api.kraken.com\r\n"
				 "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
				 "Accept: application/json\r\n"
				 "Connection: keep-alive\r\n\r\n");
}

static void test_other_port(void **state)
{
	char out[HTTP_REQUEST_MAX];
	(void)state;
	http_request_get(out, "localhost", 65535, "/");
	assert_non_null(strstr(out, "\r\nHost: localhost:65535\r\n"));
}

static void test_keyed(void **state)
{
	char out[HTTP_REQUEST_MAX];
	(void)state;
	size_t len = http_request_get_keyed(
	    out, "pro-api.example.org", 443, "/q", "X-Key", "a-b{c}");
	assert_int_equal(len, strlen(out));
	assert_string_equal(out, "GET /q HTTP/1.1\r\n"
				 "Host: pro-api.example.org\r\n"
				 "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
				 "Accept: application/json\r\n"
				 "X-Key: a-b{c}\r\n"
				 "Connection: keep-alive\r\n\r\n");
}

/* The longest host and target that there can be. */
static void test_longest(void **state)
{
	char out[HTTP_REQUEST_MAX], host[254], target[EXCHANGE_TARGET_MAX];
	char key[513]; /* as long as a secret can be */
	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	memset(target, 't', sizeof(target) - 1);
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	assert_true(http_request_get(out, host, 1, target) < sizeof(out));
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_true(http_request_get_keyed(out, host, 1, target,
			"X-CMC_PRO_API_KEY", key) < sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_other_port),
	    cmocka_unit_test(test_keyed),
	    cmocka_unit_test(test_longest),
	};
	return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
