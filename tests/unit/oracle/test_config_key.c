/* config_key: "key" of the configuration: what is taken, the defaults, and what
 * is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define KMS                                                          \
	"\"key_id\":\"alias/hallmark\",\"region\":\"eu-central-1\"," \
	"\"blob\":\"vsock://3:9003\",\"credentials\":\"vsock://3:9004\""

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(config_with(""), 0);
	assert_false(config.key.kms);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(config_with(",\"key\":{\"kms\":{" KMS "}}"), 0);
	assert_true(config.key.kms);
	assert_string_equal(config.key.key_id, "alias/hallmark");
	assert_string_equal(config.key.region, "eu-central-1");
	assert_string_equal(config.key.host, "kms.eu-central-1.amazonaws.com");
	assert_int_equal(config.key.port, 443);
	assert_int_equal(config.key.blob.port, 9003);
	assert_int_equal(config.key.credentials.port, 9004);
	assert_int_equal(config.key.rotate_s, 0);
	assert_int_equal(config.key.overlap_s, CONFIG_KEY_OVERLAP_S);
	assert_int_equal(config.key.wait_s, CONFIG_KEY_WAIT_S);
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(
	    config_with(
		",\"key\":{\"kms\":{" KMS ",\"host\":\"kms.test\","
		"\"port\":4433},\"rotate_s\":2592000,\"overlap_s\":3600,"
		"\"wait_s\":60}"),
	    0);
	assert_string_equal(config.key.host, "kms.test");
	assert_int_equal(config.key.port, 4433);
	assert_int_equal(config.key.rotate_s, 2592000);
	assert_int_equal(config.key.overlap_s, 3600);
	assert_int_equal(config.key.wait_s, 60);
}

static void test_china(void **state)
{
	(void)state;
	assert_int_equal(
	    config_with(
		",\"key\":{\"kms\":{\"key_id\":\"k\",\"region\":\"cn-north-1\""
		",\"blob\":\"unix:///b\",\"credentials\":\"unix:///c\"}}"),
	    0);
	assert_string_equal(config.key.host, "kms.cn-north-1.amazonaws.com.cn");
}

#define EACH(key_id, region, blob)                                          \
	",\"key\":{\"kms\":{\"key_id\":\"" key_id "\",\"region\":\"" region \
	"\",\"blob\":\"" blob "\",\"credentials\":\"unix:///c\"}}"

static void test_refused(void **state)
{
	static const struct {
		const char *key, *why;
	} wrong[] = {
	    {",\"key\":7", "key: "},
	    {",\"key\":{}", "key: "},
	    {",\"key\":{\"kms\":{" KMS "},\"more\":1}", "key: "},
	    {",\"key\":{\"kms\":{" KMS ",\"more\":1}}", "key.kms: "},
	    {",\"key\":{\"kms\":{}}", "key.kms: "},
	    {",\"key\":{\"kms\":{" KMS "},\"rotate_s\":9}", "key.rotate_s"},
	    {",\"key\":{\"kms\":{" KMS "},\"rotate_s\":-1}", "key.rotate_s"},
	    {",\"key\":{\"kms\":{" KMS "},\"rotate_s\":1000}", "key.overlap_s"},
	    {",\"key\":{\"kms\":{" KMS "},\"overlap_s\":0}", "key.overlap_s"},
	    {",\"key\":{\"kms\":{" KMS "},\"overlap_s\":3601}",
		"key.overlap_s"},
	    {",\"key\":{\"kms\":{" KMS "},\"wait_s\":0}", "key.wait_s"},
	    {",\"key\":{\"kms\":{" KMS ",\"port\":0}}", "key.kms.port"},
	    {",\"key\":{\"kms\":{" KMS ",\"port\":65536}}", "key.kms.port"},
	    {",\"key\":{\"kms\":{" KMS ",\"host\":\"\"}}", "key.kms.host"},
	    {",\"key\":{\"kms\":{" KMS ",\"host\":\"a b\"}}", "key.kms.host"},
	    {EACH("", "r", "unix:///b"), "key.kms.key_id"},
	    {EACH("k\\nx", "r", "unix:///b"), "key.kms.key_id"},
	    {EACH("k", "EU", "unix:///b"), "key.kms.region"},
	    {EACH("k", "r/x", "unix:///b"), "key.kms.region"},
	    {EACH("k", "a-region-that-is-longer-than-any-aws-has", "unix:///b"),
		"key.kms.region"},
	    {EACH("k", "r", "blob"), "key.kms.blob"},
	    {EACH("k", "r", "tcp://127.0.0.1:0"), "key.kms.blob"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(config_with(wrong[i].key), -1);
		assert_ptr_equal(strstr(error, wrong[i].why), error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_china),
	    cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests_name("config_key", tests, NULL, NULL);
}
