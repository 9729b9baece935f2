/* eif_metadata: one form, all of nitro-cli's keys, and what is missing. */
#include "verifier/eif/eif_metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct eif_metadata about = {
    .name = "oracle",
    .version = "1.4.0",
    .tool_version = "0.1",
    .time = "2026-11-01T00:00:00Z",
};

static void test_make(void **state)
{
	char *text = eif_metadata_make(&about);
	json_t *back;

	(void)state;
	assert_string_equal(text,
	    "{\"ImageName\":\"oracle\",\"ImageVersion\":\"1.4.0\","
	    "\"BuildMetadata\":{\"BuildTime\":\"2026-11-01T00:00:00Z\","
	    "\"BuildTool\":\"hallmark eif build\","
	    "\"BuildToolVersion\":\"0.1\",\"OperatingSystem\":\"Linux\","
	    "\"KernelVersion\":\"unknown\"},\"DockerInfo\":{},"
	    "\"CustomMetadata\":{}}");
	back = eif_metadata_parse(text, strlen(text));
	assert_true(eif_metadata_is_whole(back));
	assert_null(eif_metadata_lacks(back));
	json_decref(back);
	free(text);
}

static void test_custom(void **state)
{
	json_t *custom = eif_metadata_parse("{\"commit\": \"ab\"}", 16);
	struct eif_metadata with = about;
	char *text;

	(void)state;
	assert_false(eif_metadata_is_whole(custom));
	with.custom = custom;
	text = eif_metadata_make(&with);
	assert_non_null(strstr(text, "\"CustomMetadata\":{\"commit\":\"ab\"}"));
	free(text);
	json_decref(custom);
	with = about;
	with.name = "\xff";
	assert_null(eif_metadata_make(&with));
}

static void check_lacks(const char *wanted, const char *text)
{
	json_t *object = eif_metadata_parse(text, strlen(text));
	const char *lacks;

	assert_non_null(object);
	lacks = eif_metadata_lacks(object);
	assert_non_null(lacks);
	assert_string_equal(lacks, wanted);
	json_decref(object);
}

static void test_lacks(void **state)
{
	(void)state;
	check_lacks("ImageName", "{}");
	check_lacks("ImageVersion", "{\"ImageName\":\"a\"}");
	check_lacks("ImageVersion", "{\"ImageName\":\"a\",\"ImageVersion\":1}");
	check_lacks("BuildTime", "{\"ImageName\":\"a\",\"ImageVersion\":\"1\","
				 "\"BuildMetadata\":[]}");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "[]", "1", "null", "{", "{}x",
	    "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(eif_metadata_parse(bad[i], strlen(bad[i])));
	assert_null(eif_metadata_parse("{}\0", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_make),
	    cmocka_unit_test(test_custom),
	    cmocka_unit_test(test_lacks),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("eif_metadata", tests, NULL, NULL);
}
