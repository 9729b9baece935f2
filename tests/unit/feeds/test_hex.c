/* hex: both ways, and what is not hexadecimal. */
#include "feeds/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void encodes(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
	char out[9] = "xxxxxxxx";

	(void)state;
	hex_encode(bytes, 4, out);
	assert_string_equal(out, "000fa5ff");
	hex_encode(bytes, 0, out);
	assert_string_equal(out, "");
}

static void decodes(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_int_equal(hex_decode(out, 2, "0fA5", 4), 0);
	assert_int_equal(out[0], 0x0f);
	assert_int_equal(out[1], 0xa5);
	assert_int_equal(hex_decode(out, 0, "", 0), 0);
}

static void refuses(void **state)
{
	static const char *const texts[] = {"0fa", "0fa55", "0fa5f0", "0fag",
	    "0f 5", "0x0f", "", "-0fa", "@a0a", "`a0a", "/a0a", ":a0a", "Ga0a"};
	uint8_t out[2];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
		    hex_decode(out, 2, texts[i], strlen(texts[i])), -1);
}

/* Each byte at each place of a word and behind the words. */
static void refuses_anywhere(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	char text[] = "0123456789abcdef00";
	uint8_t out[9];

	(void)state;
	for (size_t at = 0; at < 18; at++) {
		char was = text[at];

		for (int byte = 1; byte < 256; byte++) {
			text[at] = (char)byte;
			assert_int_equal(hex_decode(out, 9, text, 18),
			    strchr(digits, byte) ? 0 : -1);
		}
		text[at] = was;
	}
}

static void round_trips_of_all_lengths(void **state)
{
	uint8_t bytes[21], again[21];
	char text[2 * 21 + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 89 + 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		memset(text, 'x', sizeof(text));
		hex_encode(bytes, len, text);
		assert_int_equal(strlen(text), 2 * len);
		assert_int_equal(text[2 * len + 1], 'x');
		memset(again, 0, sizeof(again));
		assert_int_equal(hex_decode(again, len, text, 2 * len), 0);
		assert_memory_equal(again, bytes, len);
		for (size_t i = len; i < sizeof(again); i++)
			assert_int_equal(again[i], 0);
	}
}

static void round_trips(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i, again;
		char text[3];
		hex_encode(&byte, 1, text);
		assert_int_equal(hex_decode(&again, 1, text, 2), 0);
		assert_int_equal(again, byte);
	}
}

static void capitals(void **state)
{
	char text[] = "0123456789abcdef";

	(void)state;
	assert_false(hex_has_capital(text, 0));
	assert_false(hex_has_capital(text, 16));
	for (int i = 10; i < 16; i++) {
		text[i] = (char)(text[i] - 'a' + 'A');
		assert_true(hex_has_capital(text, 16));
		assert_false(hex_has_capital(text, 10));
		text[i] = (char)(text[i] - 'A' + 'a');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodes),
	    cmocka_unit_test(decodes),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(refuses_anywhere),
	    cmocka_unit_test(round_trips_of_all_lengths),
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(capitals),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
