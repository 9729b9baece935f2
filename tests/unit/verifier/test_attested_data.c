/* The map that an oracle binds into its document. */
#include "verifier/attested_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BOOT      \
	"\x67"    \
	"boot_id" \
	"\x50"    \
	"0123456789abcdef"
#define CONFIG          \
	"\x6d"          \
	"config_sha256" \
	"\x58\x20"      \
	"0123456789abcdef0123456789ABCDEF"

#define PARSE(out, bytes) parse(out, bytes, sizeof(bytes) - 1)

static int parse(struct attested_data *out, const char *bytes, size_t len)
{
	return attested_data_parse(
	    out, (struct slice){(const uint8_t *)bytes, len});
}

static void test_good(void **state)
{
	struct attested_data d;

	(void)state;
	assert_int_equal(PARSE(&d, "\xa2" BOOT CONFIG), 0);
	assert_memory_equal(d.boot_id, "0123456789abcdef", 16);
	assert_memory_equal(
	    d.config_sha256, "0123456789abcdef0123456789ABCDEF", 32);
	/* room for later: shorter keys first, then by their bytes */
	assert_int_equal(PARSE(&d, "\xa3\x61"
				   "a"
				   "\x05" BOOT CONFIG),
	    0);
	assert_int_equal(PARSE(&d, "\xa3" BOOT "\x67"
				   "boot_ie"
				   "\xf6" CONFIG),
	    0);
	assert_int_equal(PARSE(&d, "\xa3" BOOT CONFIG "\x6d"
				   "config_sha257"
				   "\x61"
				   "x"),
	    0);
	assert_int_equal(PARSE(&d, "\xa3" BOOT CONFIG "\x6f"
				   "policy_sha25600"
				   "\x41"
				   "x"),
	    0);
}

/* What a document may vouch for besides; each by itself. */
#define EPOCH       \
	"\x69"      \
	"key_epoch" \
	"\x18\x20"
#define HASH       \
	"\x58\x20" \
	"0123456789abcdef0123456789ABCDEF"
#define CONTENT \
	"\x6e"  \
	"content_sha256" HASH
#define TLS    \
	"\x6f" \
	"tls_spki_sha256" HASH
#define SEAL   \
	"\x70" \
	"seal_spki_sha256" HASH

static void test_optional(void **state)
{
	struct attested_data d;

	(void)state;
	assert_int_equal(PARSE(&d, "\xa2" BOOT CONFIG), 0);
	assert_false(d.has_content || d.has_tls || d.has_seal);
	assert_true(d.key_epoch == 0);
	assert_int_equal(PARSE(&d, "\xa3" BOOT EPOCH CONFIG), 0);
	assert_true(d.key_epoch == 32 && !d.has_content);
	assert_int_equal(PARSE(&d, "\xa3" BOOT CONFIG CONTENT), 0);
	assert_true(d.has_content && !d.has_tls && !d.has_seal);
	assert_memory_equal(d.content_sha256, &(HASH)[2], 32);
	assert_int_equal(PARSE(&d, "\xa3" BOOT CONFIG TLS), 0);
	assert_true(!d.has_content && d.has_tls && !d.has_seal);
	assert_memory_equal(d.tls_spki_sha256, &(HASH)[2], 32);
	assert_int_equal(PARSE(&d, "\xa3" BOOT CONFIG SEAL), 0);
	assert_true(!d.has_content && !d.has_tls && d.has_seal);
	assert_memory_equal(d.seal_spki_sha256, &(HASH)[2], 32);
	assert_int_equal(
	    PARSE(&d, "\xa6" BOOT EPOCH CONFIG CONTENT TLS SEAL), 0);
	assert_true(d.has_content && d.has_tls && d.has_seal);
}

static void test_refused(void **state)
{
	static const struct {
		const char *why, *bytes;
		size_t len;
	} bad[] = {
#define B(why, bytes) {why, bytes, sizeof(bytes) - 1}
	    B("nothing", ""),
	    B("empty map", "\xa0"),
	    B("no config", "\xa1" BOOT),
	    B("no boot", "\xa1" CONFIG),
	    B("wrong order", "\xa2" CONFIG BOOT),
	    B("boot twice", "\xa3" BOOT BOOT CONFIG),
	    B("config twice", "\xa3" BOOT CONFIG CONFIG),
	    B("a byte behind", "\xa2" BOOT CONFIG "\x00"),
	    B("count too small", "\xa1" BOOT CONFIG),
	    B("count too large", "\xa3" BOOT CONFIG),
	    B("indefinite", "\xbf" BOOT CONFIG "\xff"),
	    B("count not shortest", "\xb8\x02" BOOT CONFIG),
	    B("an array", "\x82" BOOT CONFIG),
	    B("boot of 15", "\xa2\x67"
			    "boot_id"
			    "\x4f"
			    "0123456789abcde" CONFIG),
	    B("boot a text", "\xa2\x67"
			     "boot_id"
			     "\x70"
			     "0123456789abcdef" CONFIG),
	    B("config of 31", "\xa2" BOOT "\x6d"
			      "config_sha256"
			      "\x58\x1f"
			      "0123456789abcdef0123456789ABCDE"),
	    B("content of 31", "\xa3" BOOT CONFIG "\x6e"
			       "content_sha256"
			       "\x58\x1f"
			       "0123456789abcdef0123456789ABCDE"),
	    B("a text as a key", "\xa3" BOOT CONFIG "\x6f"
				 "tls_spki_sha256"
				 "\x78\x20"
				 "0123456789abcdef0123456789ABCDEF"),
	    B("no key, but null", "\xa3" BOOT CONFIG "\x70"
				  "seal_spki_sha256"
				  "\xf6"),
	    B("seal before tls", "\xa4" BOOT CONFIG SEAL TLS),
	    B("content twice", "\xa4" BOOT CONFIG CONTENT CONTENT),
	    B("epoch 0", "\xa3" BOOT "\x69"
			 "key_epoch"
			 "\x00" CONFIG),
	    B("an epoch of bytes", "\xa3" BOOT "\x69"
				   "key_epoch"
				   "\x41"
				   "1" CONFIG),
	    B("longer key first", "\xa3\x68"
				  "aaaaaaaa"
				  "\x00" BOOT CONFIG),
	    B("a key of bytes", "\xa3\x41"
				"a"
				"\x05" BOOT CONFIG),
	    B("a key of a number", "\xa3\x01\x05" BOOT CONFIG),
	    B("an empty key", "\xa3\x60\x05" BOOT CONFIG),
	    B("an array as a value", "\xa3\x61"
				     "a"
				     "\x80" BOOT CONFIG),
	    B("a float as a value", "\xa3\x61"
				    "a"
				    "\xf9\x00\x00" BOOT CONFIG),
	    B("a value not shortest", "\xa3\x61"
				      "a"
				      "\x18\x05" BOOT CONFIG),
	};
	static const struct attested_data zero;
	struct attested_data d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&d, 1, sizeof(d));
		if (parse(&d, bad[i].bytes, bad[i].len) == 0)
			fail_msg("taken: %s", bad[i].why);
		assert_memory_equal(&d, &zero, sizeof(d));
	}
}

static void test_too_long(void **state)
{
	static char bytes[600] = "\xa3" BOOT CONFIG "\x6e"
				 "z_long_keyword"
				 "\x59\x01\x80";
	struct attested_data d;
	size_t head = 1 + 25 + 48 + 15 + 3;

	(void)state;
	assert_int_equal(parse(&d, bytes, head + 0x180), 0);
	bytes[head - 2] = 1;
	bytes[head - 1] = (char)(512 - head - 256);
	assert_int_equal(parse(&d, bytes, 512), 0);
	bytes[head - 1] = (char)(513 - head - 256);
	assert_int_equal(parse(&d, bytes, 513), -1);
}

/* So many keys of one letter each before the two. */
static int parse_keys(size_t count)
{
	char bytes[256] = "\xb8";
	struct attested_data d;
	size_t len = 2;

	bytes[1] = (char)(count + 2);
	for (size_t i = 0; i < count; i++) {
		bytes[len++] = '\x61';
		bytes[len++] = (char)('0' + i);
		bytes[len++] = '\x05';
	}
	memcpy(bytes + len, BOOT CONFIG, sizeof(BOOT CONFIG) - 1);
	return parse(&d, bytes, len + sizeof(BOOT CONFIG) - 1);
}

static void test_too_many_keys(void **state)
{
	(void)state;
	assert_int_equal(parse_keys(30), 0);
	assert_int_equal(parse_keys(31), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_optional),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_too_many_keys),
	};

	return cmocka_run_group_tests_name("attested_data", tests, NULL, NULL);
}
