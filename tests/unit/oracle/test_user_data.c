/* user_data: one map, byte by byte. */
#include "oracle/user_data.h"

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
	assert_int_equal(user_data_encode(boot_id, config, out), len);
	assert_memory_equal(out, wanted, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests_name("user_data", tests, NULL, NULL);
}
