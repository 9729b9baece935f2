/* flat_field: what each kind of value may be, and what it may not. */
#include "verifier/flat_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct flat_field field(const char *text)
{
	return (struct flat_field){
	    .text = text, .len = text != NULL ? strlen(text) : 0};
}

static void test_text(void **state)
{
	struct flat_field four = field("four"), none = field(NULL),
			  empty = field("");
	char *out = flat_field_text(&four, 4);

	(void)state;
	assert_string_equal(out, "four");
	free(out);
	assert_true(flat_field_fits(&four, 4));
	assert_false(flat_field_fits(&four, 3));
	assert_null(flat_field_text(&four, 3));
	assert_null(flat_field_text(&none, 4));
	assert_null(flat_field_text(&empty, 4));
}

static void test_base64(void **state)
{
	static const char *const bad[] = {
	    NULL, "", "YQ", "YQ=", "YR==", "YQ==\n", "aGFsbG1hcms=", "_Q=="};
	struct flat_field good = field("aGFsbA==");
	uint8_t *out = NULL;
	size_t len;

	(void)state;
	assert_int_equal(flat_field_base64(&good, 4, &out, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(out, "hall", 4);
	free(out);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct flat_field f = field(bad[i]);

		out = (uint8_t *)&f;
		assert_int_equal(flat_field_base64(&f, 4, &out, &len), -1);
		assert_null(out);
	}
}

static void test_hex(void **state)
{
	static const char *const bad[] = {
	    NULL, "", "0", "00ff0", "00ff00", "00fF", "00fg", "0x00", " 0ff"};
	struct flat_field good = field("00ff");
	uint8_t out[2];

	(void)state;
	assert_int_equal(flat_field_hex(&good, out, sizeof(out)), 0);
	assert_memory_equal(out, "\x00\xff", 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct flat_field f = field(bad[i]);

		assert_int_equal(flat_field_hex(&f, out, sizeof(out)), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests_name("flat_field", tests, NULL, NULL);
}
