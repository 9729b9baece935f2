/* Base64, canonical only. */
#include "verifier/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648, 10 */
static const struct {
	const char *bytes, *text;
} pairs[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    {"\xff\xef\xbe", "/+++"}};

static void test_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size_t len = strlen(pairs[i].bytes), out_len;
		char *text = base64_encode(
		    (const uint8_t *)pairs[i].bytes, len);
		uint8_t *out;

		assert_string_equal(text, pairs[i].text);
		assert_int_equal(
		    base64_decode(&out, &out_len, text, strlen(text)), 0);
		assert_non_null(out);
		assert_int_equal(out_len, len);
		assert_memory_equal(out, pairs[i].bytes, len);
		free(out);
		free(text);
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = {"Zg",
	    "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", "Zm8",
	    "Zm9v\n", " Zm9v", "Zm9v   ", "Zm\n9v", "Zg==Zg==", "Zg==Zm9v",
	    "Z-9v", "Z_9v", "Zm9\x80", "Zm9*", "    ", "\n\n\n\n", "Zm9vZ",
	    "Zm9vZg=\n", "-Zm9v===", "Zm9v----"};
	uint8_t *out = (uint8_t *)"";
	size_t len = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (base64_decode(&out, &len, texts[i], strlen(texts[i])) == 0)
			fail_msg("\"%s\" was decoded", texts[i]);
		assert_null(out);
		assert_int_equal(len, 0);
	}
	/* a NUL inside */
	assert_int_equal(base64_decode(&out, &len, "Zm\0v", 4), -1);
	assert_null(base64_encode((const uint8_t *)"", SIZE_MAX));
}

/* Of all texts of four characters from this alphabet, each that is decoded is
 * what encoding gives back. */
static void test_one_text_for_one_value(void **state)
{
	static const char alphabet[] = "AZz0/+=- \n";
	size_t n = sizeof(alphabet) - 1, decoded = 0;

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		char text[5] = {alphabet[i % n], alphabet[i / n % n],
		    alphabet[i / n / n % n], alphabet[i / n / n / n], 0};
		uint8_t *out;
		size_t len;
		char *again;

		if (base64_decode(&out, &len, text, 4) != 0)
			continue;
		again = base64_encode(out, len);
		assert_string_equal(again, text);
		free(again);
		free(out);
		decoded++;
	}
	assert_true(decoded > 1000);
}

/* Every byte in every place of a whole group and of each kind of last one. */
static void test_each_byte(void **state)
{
	static const char *const texts[] = {"Zm9vYmFy", "Zm9vYmE=", "Zm9vYg=="};

	(void)state;
	for (size_t i = 0; i < 3 * 8 * 256; i++) {
		size_t len, at = i / 256 % 8;
		char text[9], *again;
		uint8_t *out;

		memcpy(text, texts[i / 2048], sizeof(text));
		text[at] = (char)(i % 256);
		if (base64_decode(&out, &len, text, 8) != 0) {
			/* all 64 may stand in the places of whole bytes */
			if (at < 4 && text[at] != '\0')
				assert_null(strchr(
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/",
				    text[at]));
			continue;
		}
		again = base64_encode(out, len);
		assert_memory_equal(again, text, sizeof(text));
		free(again);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_each_byte),
	    cmocka_unit_test(test_one_text_for_one_value),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
