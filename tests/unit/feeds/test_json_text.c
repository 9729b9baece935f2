/* json_text: numbers keep their text, and nothing but JSON is accepted. */
#include "feeds/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

static json_t *parse(const char *text)
{
	return json_text_parse(text, strlen(text));
}

static void numbers_keep_their_text(void **state)
{
	static const char *const numbers[] = {"0", "-0", "1", "-12.50",
	    "1.147350001E7", "6e-8", "1e+5", "84036.00000",
	    "123456789012345678901234567890.123456789"};
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_t *json;
		const json_t *value;
		snprintf(text, sizeof(text), "{\"a\":[%s , \"%s\"]}",
		    numbers[i], numbers[i]);
		json = parse(text);
		assert_non_null(json);
		value = json_array_get(json_object_get(json, "a"), 0);
		assert_true(json_text_is_number(value));
		assert_null(json_text_string(value));
		assert_string_equal(json_string_value(value) + 1, numbers[i]);
		value = json_array_get(json_object_get(json, "a"), 1);
		assert_false(json_text_is_number(value));
		assert_string_equal(json_text_string(value), numbers[i]);
		json_decref(json);
	}
}

static void the_rest_is_as_it_was(void **state)
{
	json_t *json = parse(" {\"-1\" : [ true,false , null ], \"s\":"
			     "\"1 \\\" 2 \\u0041 \\\\\", \"\":{}, \"e\":[]}\n");

	(void)state;
	assert_non_null(json);
	assert_true(
	    json_is_true(json_array_get(json_object_get(json, "-1"), 0)));
	assert_true(
	    json_is_null(json_array_get(json_object_get(json, "-1"), 2)));
	assert_string_equal(
	    json_text_string(json_object_get(json, "s")), "1 \" 2 A \\");
	assert_int_equal(json_object_size(json), 4);
	json_decref(json);
}

static void refuses(void **state)
{
	static const char *const texts[] = {"", " ", "null", "1", "\"a\"",
	    "true", "{", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}",
	    "{\"a\":1,}", "[1] 2", "[1]]", "[1][2]", "]", "<html></html>",
	    "[01]", "[+1]", "[.5]", "[1.]", "[1e]", "[-]", "[--1]", "[NaN]",
	    "[Infinity]", "[-Infinity]", "[0x10]", "[1 2]", "[1\"a\"]",
	    "[\"a\"1]", "[1true]", "[true1]", "[1-2]",
	    "[1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1]", "[1.5.5]", "{1:2}", "{1 :2}",
	    "{\"a\":1,2:3}", "[1:2]", "{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"\\u0061\":2}", "['a']", "[\"a]", "[\"a\\\"]",
	    "[\"\\x\"]", "[\"\n\"]", "[\"\x01\"]", "[\"\xff\"]",
	    "[\"\\u0000\"]", "[\"\\ud800\"]", "[1]/* */", "\xef\xbb\xbf[1]",
	    /* our own mark, sent to us */
	    "[\"\\u00015\"]", "{\"\\u0001\":5}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = parse(texts[i]);
		if (json != NULL)
			print_error("%s\n", texts[i]);
		assert_null(json);
	}
	assert_null(json_text_parse(NULL, 0));
	assert_null(json_text_parse("[1]\0", 4));
	assert_null(json_text_parse("[\"a\0\"]", 6));
}

/* No cut of an answer is an answer. */
static void refuses_every_prefix(void **state)
{
	static const char text[] =
	    "{\"a\":[\"1\",-2.5e3,{\"b\":\"\\u0041\"}],\"c\":null}";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_null(json_text_parse(text, len));
}

static char *repeat(const char *unit, size_t count, const char *end)
{
	size_t len = strlen(unit);
	char *out = malloc(len * count + strlen(end) + 1);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		memcpy(out + i * len, unit, len);
	memcpy(out + len * count, end, strlen(end) + 1);
	return out;
}

static void assert_reads(char *text, bool wanted)
{
	json_t *json = parse(text);

	assert_int_equal(json != NULL, wanted);
	json_decref(json);
	free(text);
}

static char *nested(size_t depth)
{
	char *open = repeat("[", depth, ""), *closed = repeat("]", depth, "");
	char *both = malloc(2 * depth + 1);

	assert_non_null(both);
	snprintf(both, 2 * depth + 1, "%s%s", open, closed);
	free(open);
	free(closed);
	return both;
}

#define ROW " [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5]"

/* '[' instead of the first blank. */
static char *in_list(const char *unit, size_t count, const char *end)
{
	char *list = repeat(unit, count, end);

	list[0] = '[';
	return list;
}

static void ceilings(void **state)
{
	(void)state;
	assert_reads(nested(JSON_TEXT_DEPTH_MAX), true);
	assert_reads(nested(JSON_TEXT_DEPTH_MAX + 1), false);
	assert_reads(repeat("[", 1000000, ""), false);
	/* members of one array; it is counted anew for each */
	assert_reads(in_list(" 1,", JSON_TEXT_MEMBERS_MAX - 1, "1]"), true);
	assert_reads(in_list(" 1,", JSON_TEXT_MEMBERS_MAX, "1]"), false);
	assert_reads(in_list(" 1,", JSON_TEXT_MEMBERS_MAX - 2,
			 "[{\"a\":1,\"b\":2},3],[4,5]]"),
	    true);
	assert_reads(in_list(" 1,", JSON_TEXT_MEMBERS_MAX - 2,
			 "[{\"a\":1,\"b\":2},3],[4,5],6]"),
	    false);
	/* brackets and commas: 16 in each row, one less in the last */
	assert_reads(
	    in_list(ROW ",", JSON_TEXT_VALUES_MAX / 16 - 1, ROW "]"), true);
	assert_reads(in_list(ROW ",", JSON_TEXT_VALUES_MAX / 16 - 1,
			 " [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6]]"),
	    false);
	/* bytes */
	char *list = repeat(" ", JSON_TEXT_BYTES_MAX - 2, "[]");
	assert_reads(list, true);
	list = repeat(" ", JSON_TEXT_BYTES_MAX - 1, "[]");
	assert_reads(list, false);
}

static void reads_decimals(void **state)
{
	json_t *json = parse("[1.50,\"1.50\",\"NaN\",\"\",null,true,[],"
			     "1e99,\" 1\"]");
	struct decimal d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    json_text_decimal(&d, json_array_get(json, i)), 0);
		assert_int_equal(d.mantissa, 150);
		assert_int_equal(d.exponent, -2);
	}
	for (size_t i = 2; i < json_array_size(json); i++) {
		assert_int_not_equal(
		    json_text_decimal(&d, json_array_get(json, i)), 0);
		assert_int_equal(d.mantissa, 0);
	}
	assert_int_not_equal(json_text_decimal(&d, NULL), 0);
	json_decref(json);
}

static void reads_integers(void **state)
{
	static const char *const bad[] = {"[1.0]", "[1e3]", "[\"1E3\"]",
	    "[\"\"]", "[\"-\"]", "[\"007\"]", "[null]", "[[]]",
	    "[9223372036854775808]", "[10000000000000000000]"};
	json_t *json = parse("[1566445106119,\"-5\",9223372036854775807]");
	int64_t value;

	(void)state;
	assert_int_equal(json_text_integer(&value, json_array_get(json, 0)), 0);
	assert_int_equal(value, 1566445106119);
	assert_int_equal(json_text_integer(&value, json_array_get(json, 1)), 0);
	assert_int_equal(value, -5);
	assert_int_equal(json_text_integer(&value, json_array_get(json, 2)), 0);
	assert_int_equal(value, INT64_MAX);
	json_decref(json);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json = parse(bad[i]);
		assert_non_null(json);
		assert_int_equal(
		    json_text_integer(&value, json_array_get(json, 0)), -1);
		assert_int_equal(value, 0);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_keep_their_text),
	    cmocka_unit_test(the_rest_is_as_it_was),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(refuses_every_prefix),
	    cmocka_unit_test(ceilings),
	    cmocka_unit_test(reads_decimals),
	    cmocka_unit_test(reads_integers),
	};

	return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
