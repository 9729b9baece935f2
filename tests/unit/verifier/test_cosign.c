/* cosign: one value, one text, both ways. The fixed text below is the format; a
 * change here is a change of what has been signed. */
#include "verifier/cosign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH_C \
	"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"
#define HASH_D \
	"d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0"
#define HASH_E \
	"e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0"

static const char fixed[] =
    "{\"format\":\"hallmark-cosign/1\","
    "\"boot_id\":\"000102030405060708090a0b0c0d0eff\","
    "\"config_sha256\":\"" HASH_C "\",\"feed\":\"BTC-USD\","
    "\"item_boot_id\":\"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\",\"sequence\":7,"
    "\"content_sha256\":\"" HASH_D "\",\"published_ms\":1763715600123,"
    "\"price\":\"84036.10\",\"own_content_sha256\":\"" HASH_E "\","
    "\"own_published_ms\":1763715599000}";

static char other[4096];

static bool reads(const char *text, size_t len)
{
	static const struct cosign zero;
	char *copy = malloc(len > 0 ? len : 1);
	struct cosign c;
	int status;

	/* its own memory, so that a byte behind the end is noticed */
	memcpy(copy, text, len);
	memset(&c, 0xaa, sizeof(c));
	status = cosign_decode(&c, copy, len);
	free(copy);
	if (status != 0)
		assert_memory_equal(&c, &zero, sizeof(zero));
	return status == 0;
}

static bool reads_with(const char *from, const char *to)
{
	const char *at = strstr(fixed, from);

	assert_non_null(at);
	snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - fixed), fixed, to,
	    at + strlen(from));
	return reads(other, strlen(other));
}

static void test_both_ways(void **state)
{
	char text[COSIGN_CONTENT_MAX];
	struct cosign c;
	size_t len;

	(void)state;
	assert_int_equal(cosign_decode(&c, fixed, strlen(fixed)), 0);
	assert_int_equal(c.boot_id[15], 0xff);
	assert_int_equal(c.config_sha256[0], 0xc0);
	assert_string_equal(c.feed, "BTC-USD");
	assert_int_equal(c.item_boot_id[3], 0xb0);
	assert_int_equal(c.sequence, 7);
	assert_int_equal(c.content_sha256[31], 0xd0);
	assert_int_equal(c.published_ms, 1763715600123);
	assert_string_equal(c.price, "84036.10");
	assert_int_equal(c.own_content_sha256[0], 0xe0);
	assert_int_equal(c.own_published_ms, 1763715599000);
	assert_int_equal(cosign_encode(&c, text, &len), 0);
	assert_int_equal(len, strlen(fixed));
	assert_string_equal(text, fixed);
	c.price[0] = '\0';
	assert_int_equal(cosign_encode(&c, text, &len), 0);
	assert_non_null(strstr(text, "\"price\":null,"));
	assert_true(reads(text, len));
}

static void test_not_encoded(void **state)
{
	char text[COSIGN_CONTENT_MAX];
	struct cosign good, c;
	size_t len;

	(void)state;
	assert_int_equal(cosign_decode(&good, fixed, strlen(fixed)), 0);
	c = good;
	c.feed[0] = '"';
	assert_int_equal(cosign_encode(&c, text, &len), -1);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	c = good;
	memset(c.price, '1', sizeof(c.price));
	assert_int_equal(cosign_encode(&c, text, &len), -1);
}

static void test_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} bad[] = {
	    {"hallmark-cosign/1", "hallmark-cosign/2"},
	    {"hallmark-cosign/1", "hallmark/1"},
	    {"\"boot_id\":\"00", "\"boot_id\":\""},
	    {"\"boot_id\":\"00", "\"boot_id\":\"0000"},
	    {"0d0eff", "0d0eFF"},
	    {"\"BTC-USD\"", "\"\""},
	    {"\"BTC-USD\"", "\"BTC USD\""},
	    {"\"BTC-USD\"", "\"BTC-USD-BTC-USD-BTC-USD-BTC-USD-\""},
	    {"\"BTC-USD\"", "null"},
	    {":7,", ":-7,"},
	    {":7,", ":7.0,"},
	    {":7,", ":\"7\","},
	    {":7,", ":9007199254740992,"},
	    {":1763715600123", ":-1"},
	    {":1763715600123", ":9007199254740993"},
	    {":1763715600123", ":1763715600123.0"},
	    {":1763715599000", ":-1"},
	    {":1763715599000", ":9007199254740993"},
	    {"\"84036.10\"", "84036.10"},
	    {"\"84036.10\"", "\"\""},
	    {"\"84036.10\"", "\"-84036.10\""},
	    {"\"84036.10\"", "\"0.00\""},
	    {"\"84036.10\"", "\"8e4\""},
	    {"\"84036.10\"", "\"084036.10\""},
	    {"\"84036.10\"", "\"x\""},
	    {"\"84036.10\"", "[]"},
	    {"{\"format\"", "{ \"format\""},
	    {"{\"format\"", "[{\"format\""},
	    {",\"sequence\":7", ""},
	    {",\"sequence\":7", ",\"sequence\":7,\"sequence\":7"},
	    {",\"sequence\":7", ",\"sequence\":7,\"more\":7"},
	    {"9000}", "9000} "},
	    {"9000}", "9000}}"},
	    {"9000}", "9000"},
	    {HASH_D, HASH_C "c0"},
	    {HASH_E, "e0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (reads_with(bad[i].from, bad[i].to))
			fail_msg("%s for %s", bad[i].to, bad[i].from);
	}
	assert_false(reads("", 0));
	assert_false(reads("null", 4));
	memset(other, ' ', sizeof(other));
	assert_false(reads(other, sizeof(other)));
}

static void test_each_byte(void **state)
{
	char changed[sizeof(fixed)];

	(void)state;
	for (size_t len = 0; len < strlen(fixed); len++)
		assert_false(reads(fixed, len));
	for (size_t i = 0; i < strlen(fixed); i++) {
		memcpy(changed, fixed, sizeof(fixed));
		changed[i] = '\0';
		assert_false(reads(changed, strlen(fixed)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_not_encoded),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_each_byte),
	};

	return cmocka_run_group_tests_name("cosign", tests, NULL, NULL);
}
