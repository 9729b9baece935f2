/* The CBOR cursor: every form it takes, and those it must not. */
#include "verifier/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define AT(bytes) at((const uint8_t *)(bytes), sizeof(bytes) - 1)

static struct cursor at(const uint8_t *bytes, size_t len)
{
	struct cursor cursor;

	cursor_init(&cursor, (struct slice){bytes, len});
	return cursor;
}

/* ---- numbers ---- */

static void uint_is(struct cursor cursor, uint64_t wanted)
{
	uint64_t value = ~wanted;

	assert_int_equal(cursor_uint(&cursor, &value), 0);
	assert_true(value == wanted);
	assert_int_equal(cursor_end(&cursor), 0);
}

static void no_uint(struct cursor cursor)
{
	uint64_t value;

	assert_int_equal(cursor_uint(&cursor, &value), -1);
}

static void test_uint(void **state)
{
	(void)state;
	uint_is(AT("\x00"), 0);
	uint_is(AT("\x17"), 23);
	uint_is(AT("\x18\x18"), 24);
	uint_is(AT("\x18\xff"), 255);
	uint_is(AT("\x19\x01\x00"), 256);
	uint_is(AT("\x1a\x00\x01\x00\x00"), 65536);
	uint_is(AT("\x1b\x00\x00\x00\x01\x00\x00\x00\x00"), 1ull << 32);
	uint_is(AT("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX);
}

static void test_not_shortest(void **state)
{
	(void)state;
	no_uint(AT("\x18\x17"));
	no_uint(AT("\x19\x00\xff"));
	no_uint(AT("\x1a\x00\x00\xff\xff"));
	no_uint(AT("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"));
}

/* Each first byte there is: only 00..1b begin a number. */
static void test_every_first_byte(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		uint8_t bytes[16] = {(uint8_t)first, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff};
		struct cursor cursor = at(bytes, sizeof(bytes));
		uint64_t value;

		assert_int_equal(
		    cursor_uint(&cursor, &value), first <= 0x1b ? 0 : -1);
	}
}

static void test_cut(void **state)
{
	(void)state;
	no_uint(AT(""));
	no_uint(AT("\x18"));
	no_uint(AT("\x19\x01"));
	no_uint(AT("\x1a\x01\x01\x01"));
	no_uint(AT("\x1b\x01\x01\x01\x01\x01\x01\x01"));
	no_uint(at(NULL, 0));
}

/* ---- strings ---- */

static void test_strings(void **state)
{
	struct cursor cursor = AT("\x43"
				  "abc"
				  "\x62"
				  "de");
	struct slice s;

	(void)state;
	assert_int_equal(cursor_bytes(&cursor, &s, 3, 3), 0);
	assert_true(slice_is(s, "abc"));
	assert_int_equal(cursor_text(&cursor, &s, 1, 5), 0);
	assert_true(slice_is(s, "de"));
	assert_int_equal(cursor_end(&cursor), 0);
	/* the other kind */
	cursor = AT("\x43"
		    "abc");
	assert_int_equal(cursor_text(&cursor, &s, 0, 10), -1);
	cursor = AT("\x63"
		    "abc");
	assert_int_equal(cursor_bytes(&cursor, &s, 0, 10), -1);
	/* bounds */
	cursor = AT("\x43"
		    "abc");
	assert_int_equal(cursor_bytes(&cursor, &s, 4, 10), -1);
	cursor = AT("\x43"
		    "abc");
	assert_int_equal(cursor_bytes(&cursor, &s, 0, 2), -1);
	cursor = AT("\x40");
	assert_int_equal(cursor_bytes(&cursor, &s, 0, 0), 0);
	assert_int_equal(s.len, 0);
}

static void test_strings_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\x43"
	     "ab",
		3},
	    {"\x58\x03"
	     "abc",
		5},
	    {"\x59\x00\x03"
	     "abc",
		6},
	    {"\x5f\x41\x00\xff", 4},
	    {"\x5c", 1},
	    {"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
	    {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
	    {"\x5a\xff\xff\xff\xff", 5},
	    {"\xf6", 1},
	    {"\xc2\x41\x01", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cursor cursor = at(
		    (const uint8_t *)bad[i].bytes, bad[i].len);
		struct slice s;

		assert_int_equal(cursor_bytes(&cursor, &s, 0, SIZE_MAX), -1);
		assert_int_equal(s.len, 0);
	}
}

/* ---- arrays and maps ---- */

static void test_array(void **state)
{
	struct cursor cursor = AT("\x84");
	uint64_t count;

	(void)state;
	assert_int_equal(cursor_array(&cursor, &count), 0);
	assert_int_equal(count, 4);
	cursor = AT("\x9f\xff");
	assert_int_equal(cursor_array(&cursor, &count), -1);
	cursor = AT("\x98\x04");
	assert_int_equal(cursor_array(&cursor, &count), -1);
	cursor = AT("\xa4");
	assert_int_equal(cursor_array(&cursor, &count), -1);
	cursor = AT("\x9b\xff\xff\xff\xff\xff\xff\xff\xff");
	assert_int_equal(cursor_array(&cursor, &count), 0);
	assert_true(count == UINT64_MAX);
}

static int entries(struct cursor cursor, bool may_be_indefinite)
{
	struct cursor_map map;
	uint64_t key, value;
	int more, count = 0;

	if (cursor_map(&cursor, &map, may_be_indefinite) != 0)
		return -1;
	while ((more = cursor_map_next(&cursor, &map)) == 1) {
		if (cursor_uint(&cursor, &key) != 0 ||
		    cursor_uint(&cursor, &value) != 0)
			return -1;
		count++;
	}
	return more == 0 && cursor_end(&cursor) == 0 ? count : -1;
}

static void test_map(void **state)
{
	(void)state;
	assert_int_equal(entries(AT("\xa0"), false), 0);
	assert_int_equal(entries(AT("\xa2\x01\x02\x03\x04"), false), 2);
	assert_int_equal(entries(AT("\xbf\x01\x02\x03\x04\xff"), true), 2);
	assert_int_equal(entries(AT("\xbf\xff"), true), 0);
	assert_int_equal(entries(AT("\xbf\xff"), false), -1);
	assert_int_equal(entries(AT("\xbf\x01\x02"), true), -1);
	assert_int_equal(entries(AT("\xbf\x01\xff"), true), -1);
	assert_int_equal(entries(AT("\xbf\x01\x02\xff\xff"), true), -1);
	assert_int_equal(entries(AT("\xa2\x01\x02"), true), -1);
	assert_int_equal(entries(AT("\xa1\x01\x02\x03"), true), -1);
	assert_int_equal(entries(AT("\xa1\xff\x02"), true), -1);
	assert_int_equal(
	    entries(AT("\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true), -1);
}

/* ---- the small ones ---- */

static int bool_of(struct cursor cursor)
{
	bool value;

	if (cursor_bool(&cursor, &value) != 0 || cursor_end(&cursor) != 0)
		return -1;
	return value;
}

static void test_bool(void **state)
{
	(void)state;
	assert_int_equal(bool_of(AT("\xf4")), 0);
	assert_int_equal(bool_of(AT("\xf5")), 1);
	assert_int_equal(bool_of(AT("\xf6")), -1);
	assert_int_equal(bool_of(AT("\xf7")), -1);
	assert_int_equal(bool_of(AT("\x00")), -1);
	assert_int_equal(bool_of(AT("\x01")), -1);
	/* not the shortest, and not well-formed either (RFC 8949, 3.3) */
	assert_int_equal(bool_of(AT("\xf8\x14")), -1);
	assert_int_equal(bool_of(AT("\xf8\x15")), -1);
	assert_int_equal(bool_of(AT("")), -1);
	/* and where something else is wanted, a bool will not do */
	no_uint(AT("\xf4"));
	no_uint(AT("\xf5"));
	assert_int_equal(entries(AT("\xa1\xf5\x01"), false), -1);
	assert_int_equal(entries(AT("\xbf\xf5\x01\xff"), true), -1);
}

static void test_null(void **state)
{
	struct cursor cursor = AT("\xf6\x01");

	(void)state;
	assert_true(cursor_take_null(&cursor));
	assert_false(cursor_take_null(&cursor));
	/* and it has not moved */
	uint_is(cursor, 1);
	cursor = AT("\xf7");
	assert_false(cursor_take_null(&cursor));
	cursor = AT("\xf8\x16");
	assert_false(cursor_take_null(&cursor));
	cursor = AT("");
	assert_false(cursor_take_null(&cursor));
}

static void test_tag(void **state)
{
	struct cursor cursor = AT("\xd2\x01");

	(void)state;
	assert_false(cursor_take_tag(&cursor, 17));
	assert_true(cursor_take_tag(&cursor, 18));
	uint_is(cursor, 1);
	cursor = AT("\xd8\x12\x01");
	assert_false(cursor_take_tag(&cursor, 18));
	cursor = AT("");
	assert_false(cursor_take_tag(&cursor, 18));
	/* no tag where none was asked for */
	no_uint(AT("\xc1\x01"));
	no_uint(AT("\xd2\x01"));
	no_uint(AT("\xd8\x18\x01"));
}

static int skip_all(struct cursor cursor)
{
	if (cursor_skip_scalar(&cursor) != 0)
		return -1;
	return cursor_end(&cursor);
}

static void test_skip(void **state)
{
	(void)state;
	assert_int_equal(skip_all(AT("\x18\x64")), 0);
	assert_int_equal(skip_all(AT("\x43"
				     "abc")),
	    0);
	assert_int_equal(skip_all(AT("\x63"
				     "abc")),
	    0);
	assert_int_equal(skip_all(AT("\xf6")), 0);
	assert_int_equal(skip_all(AT("\x80")), -1);
	assert_int_equal(skip_all(AT("\xa0")), -1);
	assert_int_equal(skip_all(AT("\xbf")), -1);
	assert_int_equal(skip_all(AT("\xff")), -1);
	assert_int_equal(skip_all(AT("\xf5")), -1);
	assert_int_equal(skip_all(AT("\x20")), -1);
	assert_int_equal(skip_all(AT("\xfa\x00\x00\x00\x00")), -1);
	assert_int_equal(skip_all(AT("")), -1);
}

static void test_slices(void **state)
{
	struct slice a = {(const uint8_t *)"abc", 3};
	struct slice none = {NULL, 0};

	(void)state;
	assert_true(slice_equal(a, a));
	assert_false(slice_equal(a, none));
	assert_true(slice_equal(none, none));
	assert_false(slice_is(a, "ab"));
	assert_false(slice_is(a, "abcd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uint),
	    cmocka_unit_test(test_not_shortest),
	    cmocka_unit_test(test_every_first_byte),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_strings_refused),
	    cmocka_unit_test(test_array),
	    cmocka_unit_test(test_map),
	    cmocka_unit_test(test_bool),
	    cmocka_unit_test(test_null),
	    cmocka_unit_test(test_tag),
	    cmocka_unit_test(test_skip),
	    cmocka_unit_test(test_slices),
	};

	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
