/* config_secrets: "secrets" of the configuration: what is taken, and what is
 * refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define HASH  "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define TOKEN "\"token_sha256\":\"" HASH "\""
#define NAMES "\"names\":[\"coinmarketcap_api_key\"]"

static void refuse(const char *secrets, const char *why)
{
	char text[2048];

	snprintf(text, sizeof(text), ",\"secrets\":%s", secrets);
	config_refused(text, why);
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(config_with(""), 0);
	assert_int_equal(config.secrets.count, 0);
	assert_false(
	    config_secrets_allows(&config.secrets, "coinmarketcap_api_key"));
}

static void test_one(void **state)
{
	(void)state;
	assert_int_equal(config_with(",\"secrets\":{" TOKEN "," NAMES "}"), 0);
	assert_int_equal(config.secrets.count, 1);
	assert_int_equal(config.secrets.token_sha256[0], 0x2c);
	assert_int_equal(config.secrets.token_sha256[31], 0x24);
	assert_true(
	    config_secrets_allows(&config.secrets, "coinmarketcap_api_key"));
	assert_false(config_secrets_allows(&config.secrets, "coinmarketcap"));
	assert_false(config_secrets_allows(&config.secrets, ""));
}

static void test_refused(void **state)
{
	(void)state;
	refuse("null", "secrets:");
	refuse("[]", "secrets:");
	refuse("{}", "secrets:");
	refuse("{" TOKEN "}", "secrets:");
	refuse("{" NAMES "}", "secrets:");
	refuse("{" TOKEN "," NAMES ",\"token\":\"x\"}", "secrets:");
	refuse("{\"token_sha256\":\"\"," NAMES "}", "not a SHA-256");
	refuse("{\"token_sha256\":\"" HASH "00\"," NAMES "}", "not a SHA-256");
	/* the token itself, by mistake */
	refuse("{\"token_sha256\":\"correct horse battery staple\"," NAMES "}",
	    "not a SHA-256");
	refuse("{" TOKEN ",\"names\":[]}", "1 to 16");
	refuse("{" TOKEN ",\"names\":\"coinmarketcap_api_key\"}", "1 to 16");
	refuse("{" TOKEN ",\"names\":[1]}", "names[0]");
	refuse("{" TOKEN ",\"names\":[\"kraken\"]}", "no key that an exchange");
	refuse("{" TOKEN ",\"names\":[\"\"]}", "no key that an exchange");
	refuse("{" TOKEN ",\"names\":[\"coinmarketcap_api_key\","
	       "\"coinmarketcap_api_key\"]}",
	    "twice");
}

/* Of what was refused nothing is left. */
static void test_nothing_half_read(void **state)
{
	(void)state;
	assert_int_equal(config_with(",\"secrets\":{" TOKEN
				     ",\"names\":[\"coinmarketcap_api_key\","
				     "\"x\"]}"),
	    -1);
	assert_int_equal(config.secrets.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_nothing_half_read),
	};

	return cmocka_run_group_tests_name("config_secrets", tests, NULL, NULL);
}
