/* plain_get: what is a plain GET, and all that is left to others. */
#include "base/plain_get.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: x\r\n"

static struct plain_get request;

/* From a buffer of its exact size: the sanitizer sees a byte too far. */
static bool parse(const char *text, size_t len)
{
	char *bytes = malloc(len ? len : 1);
	bool is_one;

	memcpy(bytes, text, len);
	is_one = plain_get_parse(&request, bytes, len);
	free(bytes);
	return is_one;
}

static void test_browser(void **state)
{
	(void)state;
	assert_true(parse("GET /stream?feeds=A,B&since=e-1 HTTP/1.1\r\n"
			  "Host: prices.example:8080\r\n"
			  "Accept: text/event-stream\r\n"
			  "Accept-Language: de, en;q=0.5\r\n"
			  "Cache-Control:no-cache\r\n"
			  "Cookie: a=b; c=\xc3\xa4\r\n"
			  "last-event-id: \t e-7 \t \r\n"
			  "Empty:\r\n"
			  "\r\n",
	    strlen("GET /stream?feeds=A,B&since=e-1 HTTP/1.1\r\n"
		   "Host: prices.example:8080\r\n"
		   "Accept: text/event-stream\r\n"
		   "Accept-Language: de, en;q=0.5\r\n"
		   "Cache-Control:no-cache\r\n"
		   "Cookie: a=b; c=\xc3\xa4\r\n"
		   "last-event-id: \t e-7 \t \r\n"
		   "Empty:\r\n"
		   "\r\n")));
	assert_string_equal(request.target, "/stream?feeds=A,B&since=e-1");
	assert_int_equal(request.field_count, 7);
	assert_string_equal(plain_get_field(&request, "Last-Event-ID"), "e-7");
	assert_string_equal(
	    plain_get_field(&request, "cache-control"), "no-cache");
	assert_string_equal(plain_get_field(&request, "empty"), "");
	assert_null(plain_get_field(&request, "Origin"));
}

static void test_http_1_0(void **state)
{
	static const char text[] = "GET / HTTP/1.0\r\n\r\n";

	(void)state;
	assert_true(parse(text, sizeof(text) - 1));
	assert_string_equal(request.target, "/");
	assert_int_equal(request.field_count, 0);
}

static bool stays(const char *head)
{
	return parse(head, strlen(head)) && request.stays;
}

static void test_stays(void **state)
{
	(void)state;
	assert_true(stays("GET / HTTP/1.1\r\n" HOST "\r\n"));
	assert_true(
	    stays("GET / HTTP/1.1\r\n" HOST "connection: Keep-Alive\r\n\r\n"));
	assert_false(
	    stays("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
	assert_false(stays(
	    "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, close\r\n\r\n"));
	assert_false(
	    stays("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n"));
}

static void test_others(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\r\n\r\n",
	    "HEAD / HTTP/1.1\r\n" HOST "\r\n",
	    "get / HTTP/1.1\r\n" HOST "\r\n",
	    "GET  / HTTP/1.1\r\n" HOST "\r\n",
	    "GET /  HTTP/1.1\r\n" HOST "\r\n",
	    "GET / HTTP/1.1 \r\n" HOST "\r\n",
	    "GET  HTTP/1.1\r\n" HOST "\r\n",
	    "GET / HTTP/1.2\r\n" HOST "\r\n",
	    "GET / HTTP/2.0\r\n" HOST "\r\n",
	    "GET /\r\n" HOST "\r\n",
	    "GET /\t HTTP/1.1\r\n" HOST "\r\n",
	    "GET /\x7f HTTP/1.1\r\n" HOST "\r\n",
	    " GET / HTTP/1.1\r\n" HOST "\r\n",
	    "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
	    /* no Host, two of them */
	    "GET / HTTP/1.1\r\n\r\n",
	    "GET / HTTP/1.1\r\nAccept: x\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "HOST: y\r\n\r\n",
	    "GET / HTTP/1.0\r\n" HOST HOST "\r\n",
	    "GET / HTTP/1.1\r\n" HOST
	    "Last-Event-ID: 1\r\nLAST-EVENT-ID: 2\r\n\r\n",
	    /* lines */
	    "GET / HTTP/1.1\n" HOST "\r\n",
	    "GET / HTTP/1.1\r\nHost: x\n\r\n",
	    "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Name : x\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Name\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Na me: x\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "N\xc3\xa4me: x\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Name: \x01\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Name: \x7f\r\n\r\n",
	    /* a body, or another protocol */
	    "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nabc",
	    "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n",
	    /* something behind it */
	    "GET / HTTP/1.1\r\n" HOST "\r\nx",
	    "GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (parse(texts[i], strlen(texts[i])))
			fail_msg("taken: %s", texts[i]);
		assert_null(request.target);
		assert_int_equal(request.field_count, 0);
	}
}

static void test_every_beginning(void **state)
{
	static const char text[] = "GET /s HTTP/1.1\r\n" HOST "A: b\r\n\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_false(parse(text, len));
	assert_true(parse(text, sizeof(text) - 1));
	assert_false(parse(text, sizeof(text))); /* a NUL behind it */
}

static void test_ceilings(void **state)
{
	char text[PLAIN_GET_BYTES_MAX + 64];
	int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST);
	size_t fill = PLAIN_GET_BYTES_MAX - (size_t)len - 7;

	(void)state;
	snprintf(text + len, sizeof(text) - (size_t)len, "A: %0*d\r\n\r\n",
	    (int)fill, 1);
	assert_int_equal(strlen(text), PLAIN_GET_BYTES_MAX);
	assert_true(parse(text, strlen(text)));
	snprintf(text + len, sizeof(text) - (size_t)len, "A: %0*d\r\n\r\n",
	    (int)fill + 1, 1);
	assert_false(parse(text, strlen(text)));

	for (int i = 1; i < PLAIN_GET_FIELDS_MAX; i++)
		len += sprintf(text + len, "a: b\r\n");
	strcpy(text + len, "\r\n");
	assert_true(parse(text, strlen(text)));
	assert_int_equal(request.field_count, PLAIN_GET_FIELDS_MAX);
	strcpy(text + len, "a: b\r\n\r\n");
	assert_false(parse(text, strlen(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_browser),
	    cmocka_unit_test(test_http_1_0),
	    cmocka_unit_test(test_stays),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_every_beginning),
	    cmocka_unit_test(test_ceilings),
	};

	return cmocka_run_group_tests_name("plain_get", tests, NULL, NULL);
}
