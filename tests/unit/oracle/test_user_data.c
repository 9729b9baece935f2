/* user_data: one map, byte by byte. */
#include "oracle/user_data.h"

#include "verifier/attested_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_bytes(void **state)
{
	/* a2 67 "boot_id" 50 .. 6d "config_sha256" 58 20 .. */
	static const char head[] = "\xa2\x67"
				   "boot_id\x50";
	static const char middle[] = "\x6d"
				     "config_sha256\x58\x20";
	uint8_t boot_id[16], config[32], wanted[128], out[USER_DATA_MAX];
	size_t len = 0;

	(void)state;
	memset(boot_id, 0xb0, sizeof(boot_id));
	memset(config, 0xc0, sizeof(config));
	memcpy(wanted, head, sizeof(head) - 1);
	len += sizeof(head) - 1;
	memcpy(wanted + len, boot_id, sizeof(boot_id));
	len += sizeof(boot_id);
	memcpy(wanted + len, middle, sizeof(middle) - 1);
	len += sizeof(middle) - 1;
	memcpy(wanted + len, config, sizeof(config));
	len += sizeof(config);

	assert_int_equal(len, 74);
	assert_int_equal(
	    user_data_encode(&(struct user_data){.boot_id = boot_id,
				 .config_sha256 = config},
		out),
	    len);
	assert_memory_equal(out, wanted, len);
}

/* In the order of the encoded keys, not of the fields; and read back. */
static void test_all(void **state)
{
	static const char *const keys[] = {"boot_id", "key_epoch",
	    "config_sha256", "content_sha256", "tls_spki_sha256",
	    "seal_spki_sha256"};
	uint8_t hashes[5][32], out[USER_DATA_MAX];
	struct attested_data read;
	const uint8_t *at = out;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		memset(hashes[i], 0xb0 + (int)i, 32);
	len = user_data_encode(&(struct user_data){hashes[0], hashes[1],
				   UINT64_MAX, hashes[2], hashes[3], hashes[4]},
	    out);
	assert_int_equal(out[0], 0xa6);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		at = memmem(
		    at, len - (size_t)(at - out), keys[i], strlen(keys[i]));
		assert_non_null(at);
	}
	assert_int_equal(
	    attested_data_parse(&read, (struct slice){out, len}), 0);
	assert_memory_equal(read.boot_id, hashes[0], 16);
	assert_memory_equal(read.config_sha256, hashes[1], 32);
	assert_true(read.key_epoch == UINT64_MAX);
	assert_true(read.has_content && read.has_tls && read.has_seal);
	assert_memory_equal(read.content_sha256, hashes[2], 32);
	assert_memory_equal(read.tls_spki_sha256, hashes[3], 32);
	assert_memory_equal(read.seal_spki_sha256, hashes[4], 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests_name("user_data", tests, NULL, NULL);
}
