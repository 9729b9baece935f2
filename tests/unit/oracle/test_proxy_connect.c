/* proxy_connect: what we ask, and every way in which a proxy can answer, whole
 * and byte by byte. */
#include "oracle/proxy_connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int feed(struct proxy_connect *pc, const char *text, size_t step)
{
	size_t len = strlen(text);
	int verdict = 0;

	proxy_connect_init(pc);
	for (size_t i = 0; i < len && verdict >= 0; i += step)
		verdict = proxy_connect_feed(
		    pc, text + i, len - i < step ? len - i : step);
	return verdict;
}

static void test_request(void **state)
{
	char out[PROXY_CONNECT_REQUEST_MAX], host[254];
	(void)state;
	size_t len = proxy_connect_request(out, "api.kraken.com", 443);
	assert_string_equal(out, "CONNECT api.kraken.com:443 HTTP/1.1\r\n"
				 "Host: api.kraken.com:443\r\n\r\n");
	assert_int_equal(len, strlen(out));
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_true(proxy_connect_request(out, host, 65535) <
		    PROXY_CONNECT_REQUEST_MAX);
}

static void test_opened(void **state)
{
	static const char *const good[] = {
	    "HTTP/1.1 200 OK\r\n\r\n",
	    "HTTP/1.0 200 Connection established\r\n\r\n",
	    "HTTP/1.1 200\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nVia: x\r\nProxy-Agent: y\r\n\r\n",
	    /* RFC 9110, 9.3.6: to be ignored in this answer */
	    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct proxy_connect pc;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (size_t step = 1; step < 100; step += 13)
			assert_int_equal(feed(&pc, good[i], step), 1);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy: 403 Forbidden"},
	    {"HTTP/1.1 403 not on the list\r\nContent-Length: 4\r\n\r\nbody",
		"proxy: 403 not on the list"},
	    {"HTTP/1.1 407 A\r\n\r\n", "proxy: 407 A"},
	    {"HTTP/1.1 502\r\n\r\n", "proxy: 502 "},
	    {"HTTP/1.1 100 Continue\r\n\r\n", "proxy: 100 Continue"},
	    {"HTTP/1.1 204 No Content\r\n\r\n", "proxy: 204 No Content"},
	    {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "proxy: 302 Found"},
	    {"HTTP/2.0 200 OK\r\n\r\n", "proxy: not HTTP/1"},
	    {"SSH-2.0-OpenSSH_9.2\r\n", "proxy: "},
	    {"\x16\x03\x01 hello", "proxy: "},
	    {"HTTP/1.1 200 OK\r\n\r\nx", "proxy: spoke before we did"},
	    {"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "proxy: "},
	};
	struct proxy_connect pc;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t step = 1; step < 100; step += 13) {
			assert_int_equal(feed(&pc, bad[i].text, step), -1);
			if (strncmp(pc.why, bad[i].why, strlen(bad[i].why)) !=
			    0)
				fail_msg("%s: %s", bad[i].text, pc.why);
		}
	}
}

static void test_stays_failed(void **state)
{
	struct proxy_connect pc;
	(void)state;
	assert_int_equal(feed(&pc, "HTTP/1.1 500 no\r\n\r\n", 100), -1);
	assert_int_equal(
	    proxy_connect_feed(&pc, "HTTP/1.1 200 OK\r\n\r\n", 19), -1);
	assert_string_equal(pc.why, "proxy: 500 no");
}

static void test_long_reason_is_cut(void **state)
{
	char text[1000];
	struct proxy_connect pc;
	(void)state;
	snprintf(text, sizeof(text), "HTTP/1.1 403 %0900d\r\n\r\n", 0);
	assert_int_equal(feed(&pc, text, 1000), -1);
	assert_int_equal(
	    strlen(pc.why), strlen("proxy: 403 ") + PROXY_CONNECT_REASON_MAX);
}

/* A head of exactly the ceiling is good, one byte more is not. */
static void test_ceiling(void **state)
{
	char text[PROXY_CONNECT_HEAD_MAX + 2];
	struct proxy_connect pc;
	(void)state;

	for (int over = 0; over < 2; over++) {
		int fill = PROXY_CONNECT_HEAD_MAX + over -
			   (int)strlen("HTTP/1.1 200 OK\r\nX: \r\n\r\n");
		snprintf(text, sizeof(text),
		    "HTTP/1.1 200 OK\r\nX: %0*d\r\n\r\n", fill, 0);
		assert_int_equal(feed(&pc, text, 1), over ? -1 : 1);
		assert_int_equal(feed(&pc, text, 5000), over ? -1 : 1);
	}
	assert_string_equal(pc.why, "proxy: answer over its ceiling");
}

static void test_endless_head(void **state)
{
	struct proxy_connect pc;
	int verdict = 0;
	(void)state;
	proxy_connect_init(&pc);
	verdict = proxy_connect_feed(&pc, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < 10000 && verdict == 0; i++)
		verdict = proxy_connect_feed(&pc, "X: y\r\n", 6);
	assert_int_equal(verdict, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_request),
	    cmocka_unit_test(test_opened),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_stays_failed),
	    cmocka_unit_test(test_long_reason_is_cut),
	    cmocka_unit_test(test_ceiling),
	    cmocka_unit_test(test_endless_head),
	};
	return cmocka_run_group_tests_name("proxy_connect", tests, NULL, NULL);
}
