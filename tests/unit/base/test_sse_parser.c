/* sse_parser: the examples of WHATWG HTML 9.2.6 and what servers may send
 * instead, in every division into pieces. */
#include "base/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Events as text: "name|id|data;" */
static char seen[8192];
static size_t seen_len;
static size_t last_len;

static void on_event(const struct sse_event *event, void *data)
{
	assert_ptr_equal(data, seen);
	assert_int_equal(event->data[event->len], '\0');
	last_len = event->len;
	seen_len += (size_t)snprintf(seen + seen_len, sizeof(seen) - seen_len,
	    "%s|%s|%s;", event->name, event->id, event->data);
	assert_true(seen_len < sizeof(seen));
}

static void reset(void)
{
	seen_len = 0;
	seen[0] = '\0';
}

/* Feeds `text` in pieces of `step` bytes, each in memory of its own. */
static int parse_in_steps(const char *text, size_t len, size_t step)
{
	struct sse_parser *parser = sse_parser_new(on_event, seen);
	int ret = 0;

	reset();
	for (size_t at = 0; at < len && ret == 0; at += step) {
		size_t n = len - at < step ? len - at : step;
		char *piece = malloc(n);

		memcpy(piece, text + at, n);
		ret = sse_parser_feed(parser, piece, n);
		free(piece);
	}
	sse_parser_free(parser);
	return ret;
}

static void check_bytes(const char *text, size_t len, const char *expected)
{
	for (size_t step = 1; step <= len; step++) {
		assert_int_equal(parse_in_steps(text, len, step), 0);
		assert_string_equal(seen, expected);
	}
}

static void check(const char *text, const char *expected)
{
	check_bytes(text, strlen(text), expected);
}

static void test_examples_of_the_standard(void **state)
{
	(void)state;
	check("data: YHOO\ndata: +2\ndata: 10\n\n", "message||YHOO\n+2\n10;");
	check(": test stream\n\ndata: first event\nid: 1\n\n"
	      "data:second event\nid\n\ndata:  third event\n",
	    "message|1|first event;message||second event;");
	check("data\n\ndata\ndata\n\ndata:", "message||;message||\n;");
	check("data:test\n\ndata: test\n\n", "message||test;message||test;");
}

static void test_named_events(void **state)
{
	(void)state;
	check("retry: 2000\n\nevent: price\nid: e-1\ndata: {\"a\":1}\n\n"
	      "event: heartbeat\ndata: {}\n\n",
	    "price|e-1|{\"a\":1};heartbeat|e-1|{};");
	check("event: a\nevent: b\ndata: x\n\ndata: y\n\n", "b||x;message||y;");
	/* an event without data is none, and forgets its name */
	check("event: a\nid: 7\n\ndata: y\n\n", "message|7|y;");
}

static void test_line_ends(void **state)
{
	(void)state;
	check("data: a\r\n\r\ndata: b\r\rdata: c\n\n",
	    "message||a;message||b;message||c;");
	check("data: a\r\ndata: b\rdata: c\n\r\n", "message||a\nb\nc;");
	check("data: a\n\rdata: b\n\n", "message||a;message||b;");
	check("\r\n\r\n\n\n\r\rdata: a\r\n\r\n", "message||a;");
	check("data: a\n\n\n\n\n", "message||a;");
}

static void test_byte_order_mark(void **state)
{
	(void)state;
	check("\xef\xbb\xbf"
	      "data: a\n\n\xef\xbb\xbf"
	      "data: b\n\n",
	    "message||a;");
	check("\xef\xbb\xbf\xef\xbb\xbf"
	      "data: a\n\n",
	    "");
	check("\xef\xbb\xbf\n\ndata: a\n\n", "message||a;");
	check("\xef\xbb"
	      "data: a\n\n",
	    "");
}

static void test_other_lines_are_ignored(void **state)
{
	(void)state;
	check(":\n:comment: data: x\nunknown: 1\ndata2: x\n data: x\nDATA: x\n"
	      "data : x\n\n",
	    "");
	check("data: a:b: c\n\n", "message||a:b: c;");
}

static void test_ids(void **state)
{
	char text[SSE_ID_MAX + 64];
	static const char nul[] = "id: a\ndata: 1\n\nid: b\0c\ndata: 2\n\n";

	(void)state;
	check_bytes(nul, sizeof(nul) - 1, "message|a|1;message|a|2;");
	check("id: a\ndata: 1\n\nid:\ndata: 2\n\n", "message|a|1;message||2;");
	snprintf(
	    text, sizeof(text), "id: %0*d\ndata: 1\n\n", SSE_ID_MAX - 1, 7);
	assert_int_equal(parse_in_steps(text, strlen(text), 7), 0);
	assert_int_equal(strlen(seen), strlen("message||1;") + SSE_ID_MAX - 1);
	snprintf(text, sizeof(text), "id: %0*d\ndata: 1\n\n", SSE_ID_MAX, 7);
	assert_int_equal(parse_in_steps(text, strlen(text), 7), UV_EMSGSIZE);
	assert_string_equal(seen, "");
}

static void test_names(void **state)
{
	static const char nul[] = "event: price\0x\ndata: 1\n\n";
	char text[SSE_PARSER_NAME_MAX + 64];

	(void)state;
	check_bytes(nul, sizeof(nul) - 1, "price?x||1;");
	snprintf(text, sizeof(text), "event: %0*d\n", SSE_PARSER_NAME_MAX, 7);
	assert_int_equal(parse_in_steps(text, strlen(text), 7), UV_EMSGSIZE);
}

static void test_nul_in_data(void **state)
{
	static const char text[] = "data: a\0b\n\n";

	(void)state;
	check_bytes(text, sizeof(text) - 1, "message||a;");
	assert_int_equal(last_len, 3);
}

static void test_retry(void **state)
{
	static const struct {
		const char *text;
		unsigned ms;
	} cases[] = {
	    {"retry: 2000\n", 2000},
	    {"retry:0\n", 0},
	    {"retry: 2000", 0},
	    {"retry: -1\n", 0},
	    {"retry: 1x\n", 0},
	    {"retry: 1 \n", 0},
	    {"retry:\n", 0},
	    {"retry\n", 0},
	    {"retry: 999999999\n", 999999999},
	    {"retry: 18446744073709551617\n", 0},
	    {"retry: 5\nretry: x\n", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sse_parser *parser = sse_parser_new(on_event, seen);

		assert_int_equal(sse_parser_feed(parser, cases[i].text,
				     strlen(cases[i].text)),
		    0);
		assert_int_equal(sse_parser_retry_ms(parser), cases[i].ms);
		sse_parser_free(parser);
	}
}

static void test_incomplete_event_is_dropped(void **state)
{
	(void)state;
	check("data: a\n\ndata: b\n", "message||a;");
	check("data: a", "");
	check("", "");
}

/* ---- ceilings ---- */

static void on_big_event(const struct sse_event *event, void *data)
{
	*(size_t *)data = event->len;
}

static char *filled(const char *start, size_t fill, const char *end)
{
	char *text = malloc(strlen(start) + fill + strlen(end) + 1);

	memcpy(text, start, strlen(start));
	memset(text + strlen(start), 'x', fill);
	memcpy(text + strlen(start) + fill, end, strlen(end) + 1);
	return text;
}

static int parse_big(
    const char *start, size_t fill, const char *end, size_t *event_len)
{
	struct sse_parser *parser = sse_parser_new(on_big_event, event_len);
	char *text = filled(start, fill, end);
	int ret;

	*event_len = 0;
	ret = sse_parser_feed(parser, text, strlen(text));
	if (ret < 0) {
		assert_int_equal(*event_len, 0);
		/* and it stays failed */
		assert_int_equal(
		    sse_parser_feed(parser, "data: x\n\n", 9), UV_EMSGSIZE);
		assert_int_equal(*event_len, 0);
	}
	free(text);
	sse_parser_free(parser);
	return ret;
}

static void test_data_ceiling(void **state)
{
	size_t len;

	(void)state;
	assert_int_equal(
	    parse_big("data:", SSE_PARSER_DATA_MAX, "\n\n", &len), 0);
	assert_int_equal(len, SSE_PARSER_DATA_MAX);
	assert_int_equal(
	    parse_big("data:", SSE_PARSER_DATA_MAX + 1, "\n\n", &len),
	    UV_EMSGSIZE);
	assert_int_equal(
	    parse_big("data:", SSE_PARSER_DATA_MAX - 1, "\ndata:\n\n", &len),
	    0);
	assert_int_equal(len, SSE_PARSER_DATA_MAX);
	assert_int_equal(
	    parse_big("data:", SSE_PARSER_DATA_MAX - 1, "\ndata:x\n\n", &len),
	    UV_EMSGSIZE);
}

static void test_line_ceiling(void **state)
{
	size_t len;

	(void)state;
	assert_int_equal(
	    parse_big(":", SSE_PARSER_DATA_MAX, "\ndata: x\n\n", &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(
	    parse_big(":", SSE_PARSER_DATA_MAX + 100, "", &len), UV_EMSGSIZE);
}

/* Millions of empty lines must cost what they weigh. */
static void test_many_line_ends(void **state)
{
	struct sse_parser *parser = sse_parser_new(on_event, seen);
	size_t len = 8u << 20;
	char *text = malloc(len);

	(void)state;
	reset();
	memset(text, '\r', len);
	assert_int_equal(sse_parser_feed(parser, text, len), 0);
	memset(text, '\n', len);
	assert_int_equal(sse_parser_feed(parser, text, len), 0);
	assert_string_equal(seen, "");
	sse_parser_free(parser);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_examples_of_the_standard),
	    cmocka_unit_test(test_named_events),
	    cmocka_unit_test(test_line_ends),
	    cmocka_unit_test(test_byte_order_mark),
	    cmocka_unit_test(test_other_lines_are_ignored),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_nul_in_data),
	    cmocka_unit_test(test_retry),
	    cmocka_unit_test(test_incomplete_event_is_dropped),
	    cmocka_unit_test(test_data_ceiling),
	    cmocka_unit_test(test_line_ceiling),
	    cmocka_unit_test(test_many_line_ends),
	};
	return cmocka_run_group_tests_name("sse_parser", tests, NULL, NULL);
}
