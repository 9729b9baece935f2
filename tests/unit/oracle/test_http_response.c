/*
 * http_response: each accepted framing and each refusal, every input once
 * whole and once byte by byte: the outcome must be the same.
 */
#include "oracle/http_response.h"

#include "oracle/https_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY_MAX 100
#define NOW_MS   784111777000LL /* Sun, 06 Nov 1994 08:49:37 GMT */

/* Feeds `len` bytes in pieces of `step` and then, perhaps, the end. */
static void feed(struct http_response *r, const char *bytes, size_t len,
    size_t step, bool end)
{
	http_response_start(r, NOW_MS);
	for (size_t i = 0; i < len; i += step) {
		size_t n = len - i < step ? len - i : step;
		if (http_response_feed(r, bytes + i, n) == HTTP_RESPONSE_FAILED)
			return;
	}
	if (end)
		http_response_end(r);
}

static const size_t steps[] = {1, 2, 7, 65536};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

struct good {
	const char *text, *body;
	int status;
	bool end, keep_alive;
	int64_t retry_after_ms;
};

static void check_good(const struct good *good)
{
	struct http_response r;

	http_response_init(&r, BODY_MAX);
	for (size_t i = 0; i < STEPS; i++) {
		feed(&r, good->text, strlen(good->text), steps[i], good->end);
		if (r.state != HTTP_RESPONSE_DONE)
			fail_msg("%s: %s", good->text, r.why);
		assert_int_equal(r.status, good->status);
		assert_int_equal(r.keep_alive, good->keep_alive);
		assert_int_equal(r.retry_after_ms, good->retry_after_ms);
		assert_int_equal(r.len, strlen(good->body));
		if (r.len > 0)
			assert_memory_equal(r.body, good->body, r.len);
	}
	http_response_fini(&r);
}

static void test_good(void **state)
{
	static const struct good cases[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200,
		false, true, -1},
	    {"HTTP/1.1 200\r\nCONTENT-LENGTH:5\r\n\r\nhello", "hello", 200,
		false, true, -1},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200, false,
		true, -1},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
		"hello", 200, false, true, -1},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \r\n\r\n"
	     "5\r\nhello\r\n0\r\nRetry-After: 9\r\n\r\n",
		"hello", 200, false, true, -1},
	    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n"
	     "\r\nhe",
		"he", 200, false, false, -1},
	    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhe", "he", 200, false,
		false, -1},
	    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", 200, true,
		false, -1},
	    {"HTTP/1.1 200 OK\r\n\r\n", "", 200, true, false, -1},
	    {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false, true, -1},
	    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", 304,
		false, true, -1},
	    {"HTTP/1.1 100 Continue\r\n\r\n"
	     "HTTP/1.1 103 Early Hints\r\nRetry-After: 5\r\nLink: x\r\n\r\n"
	     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhe",
		"he", 200, false, true, -1},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n"
	     "Upgrade: h2c\r\nConnection: Upgrade\r\n"
	     "Content-Length: 2\r\n\r\nhe",
		"he", 200, false, true, -1},
	    {"HTTP/1.1 429 Slow\r\nretry-after: 7\r\nContent-Length: 0\r\n"
	     "\r\n",
		"", 429, false, true, 7000},
	    {"HTTP/1.1 503 Down\r\nRetry-After: 3\r\nRetry-After: 8\r\n"
	     "Retry-After: soon\r\nContent-Length: 0\r\n\r\n",
		"", 503, false, true, 8000},
	    {"HTTP/1.1 503 Down\r\n"
	     "Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n"
	     "Content-Length: 0\r\n\r\n",
		"", 503, false, true, 10000},
	    {"HTTP/1.1 599 X\r\nX-Empty:\r\nContent-Length: 1\r\n\r\ny", "y",
		599, false, true, -1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_good(&cases[i]);
}

struct bad {
	const char *text, *why; /* why: a part of it, NULL: whatever */
	enum quote_error error;
};

static void check_bad(const struct bad *bad)
{
	struct http_response r;

	http_response_init(&r, BODY_MAX);
	for (size_t i = 0; i < STEPS; i++) {
		feed(&r, bad->text, strlen(bad->text), steps[i], true);
		if (r.state != HTTP_RESPONSE_FAILED)
			fail_msg("accepted: %s", bad->text);
		if (r.error != bad->error)
			fail_msg("%s: %s", bad->text, r.why);
		if (bad->why != NULL && strstr(r.why, bad->why) == NULL)
			fail_msg("%s: %s", bad->text, r.why);
		assert_int_equal(r.len, 0);
		assert_int_equal(r.status, 0);
		assert_false(r.keep_alive);
	}
	http_response_fini(&r);
}

static void test_bad(void **state)
{
#define H "HTTP/1.1 200 OK\r\n"
	static const struct bad cases[] = {
	    {"", "before an answer", QUOTE_BAD_HTTP},
	    {"<html>hello</html>", NULL, QUOTE_BAD_HTTP},
	    {"hello\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"GET / HTTP/1.1\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"HTTP/2 200\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP/1",
		QUOTE_BAD_HTTP},
	    {"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP/1",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP/1",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", "status",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", "status",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.1 2000 OK\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"HTTP/1.1 -20 OK\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
	     "Connection: upgrade\r\n\r\n",
		"switch", QUOTE_BAD_HTTP},
	    {"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
	     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
	     "HTTP/1.1 100 C\r\n\r\n" H "Content-Length: 0\r\n\r\n",
		"1xx", QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "2\r\nhe\r\n0\r\n\r\n",
		NULL, QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
	       "2\r\nhe\r\n0\r\n\r\n",
		NULL, QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhe", NULL,
		QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhel", NULL,
		QUOTE_BAD_HTTP},
	    {H "Content-Length: 2, 2\r\n\r\nhe", NULL, QUOTE_BAD_HTTP},
	    {H "Content-Length: +2\r\n\r\nhe", NULL, QUOTE_BAD_HTTP},
	    {H "Content-Length: 0x2\r\n\r\nhe", NULL, QUOTE_BAD_HTTP},
	    {H "Content-Length: -1\r\n\r\nhe", NULL, QUOTE_BAD_HTTP},
	    {H "Content-Length : 2\r\n\r\nhe", "blank", QUOTE_BAD_HTTP},
	    {H "Content Length: 2\r\n\r\nhe", "blank", QUOTE_BAD_HTTP},
	    {H "Content-Length: 99999999999999999999\r\n\r\nhe", NULL,
		QUOTE_BAD_HTTP},
	    {H "Content-Length: 101\r\n\r\n", "body over", QUOTE_TOO_LARGE},
	    {H "Content-Length: 18446744073709551614\r\n\r\n", NULL,
		QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", NULL,
		QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", NULL,
		QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	       "\r\n0\r\n\r\n",
		NULL, QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", NULL,
		QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding:\r\n\r\n0\r\n\r\n", NULL, QUOTE_BAD_HTTP},
	    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.0", QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\n\r\nzz\r\nhe\r\n0\r\n\r\n", NULL,
		QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\nhe",
		NULL, QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\n\r\n2\r\nhello", NULL,
		QUOTE_BAD_HTTP},
	    {H "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhe",
		"Content-Encoding", QUOTE_BAD_HTTP},
	    {H "Content-Encoding: br\r\nContent-Encoding: identity\r\n"
	       "Content-Length: 2\r\n\r\nhe",
		"Content-Encoding", QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\n\r\nhello", "after", QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\n\r\nhe\r\n", "after", QUOTE_BAD_HTTP},
	    {H "Content-Length: 2\r\n\r\nhe" H "Content-Length: 0\r\n\r\n",
		"after", QUOTE_BAD_HTTP},
	    {H "Content-Length: 0\r\n\r\nx", "after", QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", "after",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\nhe", "after",
		QUOTE_BAD_HTTP},
	    {"HTTP/1.1 200 OK\r\nContent-Le", "middle", QUOTE_BAD_HTTP},
	    {"HT", "middle", QUOTE_BAD_HTTP},
	    {H "Content-Length: 5\r\n\r\nhell", "middle", QUOTE_BAD_HTTP},
	    {H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		"middle", QUOTE_BAD_HTTP},
	    {"HTTP/1.1 100 Continue\r\n\r\n", "middle", QUOTE_BAD_HTTP},
	};
#undef H
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_bad(&cases[i]);
}

/* Every byte of a good answer cut off: never DONE, never a shorter body. */
static void test_each_prefix(void **state)
{
	static const char text[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n0\r\n\r\n";
	struct http_response r;
	(void)state;
	http_response_init(&r, BODY_MAX);
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		feed(&r, text, len, 65536, false);
		assert_int_equal(r.state, HTTP_RESPONSE_READING);
		http_response_end(&r);
		assert_int_equal(r.state, HTTP_RESPONSE_FAILED);
		assert_int_equal(r.error, QUOTE_BAD_HTTP);
	}
	http_response_fini(&r);
}

/* ---- ceilings, exactly ---- */

/* An answer whose head is exactly `head` bytes long, and a body of 2. */
static char *with_head(size_t head)
{
	static const char start[] = "HTTP/1.1 200 OK\r\nX: ";
	static const char end[] = "\r\nContent-Length: 2\r\n\r\nhe";
	char *text = malloc(head + 3);

	assert_non_null(text);
	size_t fill = head - (sizeof(start) - 1) - (sizeof(end) - 1 - 2);
	memcpy(text, start, sizeof(start) - 1);
	memset(text + sizeof(start) - 1, 'x', fill);
	memcpy(text + sizeof(start) - 1 + fill, end, sizeof(end));
	assert_int_equal(strlen(text), head + 2);
	return text;
}

static void test_header_ceiling(void **state)
{
	char *most = with_head(HTTPS_HEADERS_MAX);
	char *over = with_head(HTTPS_HEADERS_MAX + 1);
	(void)state;
	check_good(&(struct good){most, "he", 200, false, true, -1});
	check_bad(&(struct bad){over, "headers over", QUOTE_TOO_LARGE});
	free(most);
	free(over);
}

static void test_interim_answers_count_as_headers(void **state)
{
	struct http_response r;
	char line[5000];
	(void)state;

	snprintf(line, sizeof(line), "HTTP/1.1 103 E\r\nX: %04900d\r\n\r\n", 0);
	http_response_init(&r, BODY_MAX);
	http_response_start(&r, 0);
	for (int i = 0; i < 4; i++)
		http_response_feed(&r, line, strlen(line));
	assert_int_equal(r.state, HTTP_RESPONSE_FAILED);
	assert_int_equal(r.error, QUOTE_TOO_LARGE);
	http_response_fini(&r);
}

static void check_body_size(const char *head, size_t len, bool good)
{
	struct http_response r;
	char body[BODY_MAX + 1];

	memset(body, 'b', sizeof(body));
	http_response_init(&r, BODY_MAX);
	http_response_start(&r, 0);
	http_response_feed(&r, head, strlen(head));
	http_response_feed(&r, body, len);
	http_response_end(&r);
	assert_int_equal(
	    r.state, good ? HTTP_RESPONSE_DONE : HTTP_RESPONSE_FAILED);
	assert_int_equal(r.len, good ? len : 0);
	if (!good)
		assert_int_equal(r.error, QUOTE_TOO_LARGE);
	http_response_fini(&r);
}

static void test_body_ceiling(void **state)
{
	(void)state;
	check_body_size("HTTP/1.1 200 OK\r\n\r\n", BODY_MAX, true);
	check_body_size("HTTP/1.1 200 OK\r\n\r\n", BODY_MAX + 1, false);
	check_body_size(
	    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", BODY_MAX, true);
}

static void test_chunked_body_ceiling(void **state)
{
	struct http_response r;
	(void)state;
	http_response_init(&r, BODY_MAX);
	feed(&r, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 47, 1,
	    false);
	for (int i = 0; i < 50; i++)
		assert_int_equal(http_response_feed(&r, "2\r\nbb\r\n", 7),
		    HTTP_RESPONSE_READING);
	assert_int_equal(
	    http_response_feed(&r, "1\r\nb\r\n", 6), HTTP_RESPONSE_FAILED);
	assert_int_equal(r.error, QUOTE_TOO_LARGE);
	http_response_fini(&r);
}

/* Chunk extensions and trailers without end. */
static void test_framing_ceiling(void **state)
{
	static const char *const endless[] = {"1;aaaaaaaaaaaaaaaa\r\nb\r\n",
	    "0\r\nX: aaaaaaaaaaaa\r\n", "1;aaaaaaaaaaaaaaaaaaa"};
	static const char *const more[] = {
	    "1;aaaaaaaaaaaaaaaa\r\nb\r\n", "X: aaaaaaaaaa\r\n", "aaaaaaaaaaa"};
	struct http_response r;
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		http_response_init(&r, 1u << 20);
		feed(&r,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 47,
		    1, false);
		http_response_feed(&r, endless[i], strlen(endless[i]));
		for (int n = 0; n < 10000; n++)
			http_response_feed(&r, more[i], strlen(more[i]));
		assert_int_equal(r.state, HTTP_RESPONSE_FAILED);
		assert_true(r.received < 4u * HTTPS_HEADERS_MAX);
		http_response_fini(&r);
	}
}

static void test_body_grows(void **state)
{
	const size_t len = 1u << 20;
	char head[64], *body = malloc(len);
	struct http_response r;
	(void)state;

	assert_non_null(body);
	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 7 % 251);
	snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	http_response_init(&r, len);
	http_response_start(&r, 0);
	http_response_feed(&r, head, strlen(head));
	for (size_t i = 0; i < len; i += 4099)
		http_response_feed(
		    &r, body + i, len - i < 4099 ? len - i : 4099);
	assert_int_equal(r.state, HTTP_RESPONSE_DONE);
	assert_int_equal(r.len, len);
	assert_memory_equal(r.body, body, len);
	http_response_fini(&r);
	free(body);
}

/* ---- Retry-After ---- */

static int64_t retry_after(const char *text)
{
	return http_response_retry_after(text, strlen(text), NOW_MS);
}

static void test_retry_after_seconds(void **state)
{
	const int64_t max = HTTP_RESPONSE_RETRY_AFTER_MAX_S * 1000LL;
	(void)state;
	assert_int_equal(retry_after("0"), 0);
	assert_int_equal(retry_after("120"), 120000);
	assert_int_equal(retry_after("604800"), max);
	assert_int_equal(retry_after("604801"), max);
	assert_int_equal(
	    retry_after("99999999999999999999999999999999999999"), max);
	assert_int_equal(retry_after(""), -1);
	assert_int_equal(retry_after("-1"), -1);
	assert_int_equal(retry_after("+1"), -1);
	assert_int_equal(retry_after("1.5"), -1);
	assert_int_equal(retry_after("1 "), -1);
	assert_int_equal(retry_after("1, 2"), -1);
	assert_int_equal(retry_after("soon"), -1);
}

static void test_retry_after_date(void **state)
{
	const int64_t max = HTTP_RESPONSE_RETRY_AFTER_MAX_S * 1000LL;
	(void)state;
	assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:38 GMT"), 1000);
	assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
	assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:36 GMT"), 0);
	assert_int_equal(retry_after("Fri, 21 Nov 2036 09:00:00 GMT"), max);
	/* a wrong weekday, a day that is not, other forms */
	assert_int_equal(retry_after("Mon, 06 Nov 1994 08:49:38 GMT"), -1);
	assert_int_equal(retry_after("Wed, 30 Feb 1994 08:49:38 GMT"), -1);
	assert_int_equal(retry_after("Sun, 6 Nov 1994 08:49:38 GMT"), -1);
	assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:38 CET"), -1);
	assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:38 GMT "), -1);
	assert_int_equal(retry_after("Sun, 06 Nov 94 08:49:38 GMT"), -1);
	assert_int_equal(retry_after("Sunday, 06-Nov-94 08:49:38 GMT"), -1);
	assert_int_equal(retry_after("Sun Nov  6 08:49:38 1994"), -1);
	assert_int_equal(retry_after("sun, 06 nov 1994 08:49:38 GMT"), -1);
}

/* ---- Date ---- */

static void check_date(const char *headers, int64_t date_ms)
{
	struct http_response r;
	char text[400];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\nhe", headers);
	http_response_init(&r, BODY_MAX);
	for (size_t i = 0; i < STEPS; i++) {
		feed(&r, text, strlen(text), steps[i], false);
		assert_int_equal(r.state, HTTP_RESPONSE_DONE);
		if (r.date_ms != date_ms)
			fail_msg("%s: %lld", headers, (long long)r.date_ms);
	}
	http_response_fini(&r);
}

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void test_date(void **state)
{
	(void)state;
	check_date("", -1);
	check_date("Date: " DATE "\r\n", NOW_MS);
	check_date("date:\t" DATE " \t\r\nX: y\r\n", NOW_MS);
	check_date("DATE: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 0);
	check_date("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 253402300799000);
	check_date("Dates: " DATE "\r\nX-Date: " DATE "\r\n", -1);
	check_date("Expires: 0\r\nDate: " DATE "\r\n", NOW_MS);
}

static void test_malformed_date(void **state)
{
	static const char *const texts[] = {"", "0", "784111777", "soon",
	    "Mon, 06 Nov 1994 08:49:37 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
	    "Sun, 6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	    "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
	    DATE ", " DATE, DATE " x", "Sun, 06 Nov 1994 08:49:60 GMT",
	    "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:49:37 GMT                                   x",
	    "Sat, 01 Jan 10000 00:00:00 GMT"};
	char header[200];
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(header, sizeof(header), "Date: %s\r\n", texts[i]);
		check_date(header, -1);
	}
}

static void test_second_date(void **state)
{
	(void)state;
	check_date("Date: " DATE "\r\nDate: " DATE "\r\n", -1);
	check_date("Date: x\r\nDate: " DATE "\r\n", -1);
	check_date("Date: " DATE "\r\nDate: x\r\n", -1);
	check_date("Date: " DATE "\r\nDate: x\r\nDate: " DATE "\r\n", -1);
}

/* Of the answer, not of an interim one nor of a trailer. */
static void test_date_is_the_answers(void **state)
{
	static const char interim[] =
	    "HTTP/1.1 103 Early Hints\r\nDate: " DATE "\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static const char both[] = "HTTP/1.1 103 Early Hints\r\nDate: x\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
				   "Content-Length: 0\r\n\r\n";
	static const char trailer[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\nDate: " DATE "\r\n\r\n";
	struct http_response r;
	(void)state;

	http_response_init(&r, BODY_MAX);
	feed(&r, interim, sizeof(interim) - 1, 5, false);
	assert_int_equal(r.state, HTTP_RESPONSE_DONE);
	assert_int_equal(r.date_ms, -1);
	feed(&r, both, sizeof(both) - 1, 5, false);
	assert_int_equal(r.date_ms, NOW_MS);
	feed(&r, trailer, sizeof(trailer) - 1, 5, false);
	assert_int_equal(r.state, HTTP_RESPONSE_DONE);
	assert_int_equal(r.date_ms, -1);
	http_response_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_each_prefix),
	    cmocka_unit_test(test_header_ceiling),
	    cmocka_unit_test(test_interim_answers_count_as_headers),
	    cmocka_unit_test(test_body_ceiling),
	    cmocka_unit_test(test_chunked_body_ceiling),
	    cmocka_unit_test(test_framing_ceiling),
	    cmocka_unit_test(test_body_grows),
	    cmocka_unit_test(test_retry_after_seconds),
	    cmocka_unit_test(test_retry_after_date),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_malformed_date),
	    cmocka_unit_test(test_second_date),
	    cmocka_unit_test(test_date_is_the_answers),
	};
	return cmocka_run_group_tests_name("http_response", tests, NULL, NULL);
}
