/* hex_json: both ways, and what is no hex is zeros. */
#include "verifier/hex_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_both_ways(void **state)
{
	uint8_t bytes[300], again[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(7 * i);
	for (size_t len = 0; len <= sizeof(bytes); len += 50) {
		json_t *text = hex_json(bytes, len);

		assert_int_equal(json_string_length(text), 2 * len);
		memset(again, 0xff, sizeof(again));
		hex_json_read(again, len, json_string_value(text));
		assert_memory_equal(again, bytes, len);
		json_decref(text);
	}
}

static void test_no_hex(void **state)
{
	static const char *const bad[] = {
	    NULL, "", "0", "010203", "01g2", "0x01", " 102"};
	uint8_t out[2], zeros[2] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(out, 0xff, sizeof(out));
		hex_json_read(out, sizeof(out), bad[i]);
		assert_memory_equal(out, zeros, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_no_hex),
	};

	return cmocka_run_group_tests_name("hex_json", tests, NULL, NULL);
}
