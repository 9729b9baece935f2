/* lines: the same lines however the bytes arrive, none longer than allowed. */
#include "base/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct lines lines;
static char heard[32768]; /* "text" or "text~" where it was cut, one a line */
static size_t heard_len;

static void hear(void *data, const char *text, size_t len, bool cut)
{
	assert_ptr_equal(data, &lines);
	assert_true(len <= LINES_MAX);
	assert_true(heard_len + len + 3 < sizeof(heard));
	memcpy(heard + heard_len, text, len);
	heard_len += len;
	heard_len += (size_t)sprintf(heard + heard_len, cut ? "~\n" : "\n");
}

static int setup(void **state)
{
	(void)state;
	lines_init(&lines);
	heard_len = 0;
	heard[0] = '\0';
	return 0;
}

static void feed(const char *bytes, size_t len)
{
	lines_feed(&lines, bytes, len, hear, &lines);
}

static void lines_come_whole(void **state)
{
	(void)state;
	feed("one\ntwo\n\nthr", 12);
	assert_string_equal(heard, "one\ntwo\n\n");
	feed("ee\n", 3);
	assert_string_equal(heard, "one\ntwo\n\nthree\n");
	feed("", 0);
	assert_int_equal(lines.len, 0);
}

static void byte_by_byte(void **state)
{
	static const char text[] = "one\n\nthree\nfour";

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed(text + i, 1);
	assert_string_equal(heard, "one\n\nthree\n");
}

static void the_rest_at_the_end(void **state)
{
	(void)state;
	feed("one\ntw", 6);
	lines_end(&lines, hear, &lines);
	assert_string_equal(heard, "one\ntw~\n");
	lines_end(&lines, hear, &lines);
	assert_string_equal(heard, "one\ntw~\n");
}

static void any_byte_but_the_newline(void **state)
{
	(void)state;
	feed("a\0b\r\n", 5);
	assert_memory_equal(heard, "a\0b\r\n", 5);
}

static void longer_ones_are_cut(void **state)
{
	static char text[3 * LINES_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LINES_MAX] = '\n'; /* as long as it may be */
	feed(text, LINES_MAX + 1);
	assert_int_equal(heard_len, LINES_MAX + 1);
	setup(NULL);
	text[LINES_MAX] = 'x';
	text[2 * LINES_MAX] = '\n';
	feed(text, 100);
	feed(text + 100, 2 * LINES_MAX + 1 - 100);
	assert_int_equal(heard_len, LINES_MAX + 2);
	assert_int_equal(heard[LINES_MAX], '~');
	/* The next one is as it was. */
	feed("next\n", 5);
	assert_string_equal(heard + LINES_MAX, "~\nnext\n");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_come_whole),
	    TEST(byte_by_byte),
	    TEST(the_rest_at_the_end),
	    TEST(any_byte_but_the_newline),
	    TEST(longer_ones_are_cut),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
