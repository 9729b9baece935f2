/* DER or not, by small examples. */
#include "verifier/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct example {
	const char *name, *bytes;
	size_t len;
};

#define E(name, bytes)                         \
	{                                      \
		name, bytes, sizeof(bytes) - 1 \
	}

/* A copy with nothing behind, so that the sanitizer sees a byte too many. */
static int check_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(1 + len);
	int status;

	memcpy(copy + 1, bytes, len);
	status = der_check((struct slice){copy + 1, len});
	free(copy);
	return status;
}

static int check(const struct example *e)
{
	return check_bytes((const uint8_t *)e->bytes, e->len);
}

static void test_der(void **state)
{
	static const struct example good[] = {
	    E("null", "\x05\x00"),
	    E("empty sequence", "\x30\x00"),
	    E("true", "\x01\x01\xff"),
	    E("integer 0", "\x02\x01\x00"),
	    E("integer 128", "\x02\x02\x00\x80"),
	    E("integer -128", "\x02\x01\x80"),
	    E("integer -129", "\x02\x02\xff\x7f"),
	    E("no bits", "\x03\x01\x00"),
	    E("one bit", "\x03\x02\x07\x80"),
	    E("object id", "\x06\x03\x55\x1d\x13"),
	    E("octets", "\x04\x02\xff\xff"),
	    E("nested", "\x30\x07\x30\x05\x31\x03\x02\x01\x05"),
	    E("context, constructed", "\xa0\x03\x02\x01\x02"),
	    E("context, primitive", "\x80\x01\x99"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (check(&good[i]) != 0)
			fail_msg("%s was refused", good[i].name);
}

static void test_not_der(void **state)
{
	static const struct example bad[] = {
	    E("nothing", ""),
	    E("a tag alone", "\x30"),
	    E("a byte behind", "\x05\x00\x00"),
	    E("value cut", "\x04\x02\xff"),
	    E("inner value cut", "\x30\x03\x04\x02\xff"),
	    E("inner value over the end", "\x30\x03\x04\x05\xff\xff\xff\xff"),
	    E("indefinite", "\x30\x80\x00\x00"),
	    E("length 5 in two bytes", "\x04\x81\x05"
				       "aaaaa"),
	    E("length 5 in three bytes", "\x04\x82\x00\x05"
					 "aaaaa"),
	    E("length of three bytes", "\x04\x83\x00\x00\x01"
				       "a"),
	    E("length of 127 bytes", "\x04\xff\x01"),
	    E("length cut", "\x04\x82\x01"),
	    E("high tag number", "\x1f\x81\x01\x00"),
	    E("high tag number of a byte", "\x9f\x01\x00"),
	    E("false, written", "\x01\x01\x00"),
	    E("false, in a sequence", "\x30\x03\x01\x01\x00"),
	    E("true as 01", "\x01\x01\x01"),
	    E("boolean of 2", "\x01\x02\xff\xff"),
	    E("boolean of 0", "\x01\x00"),
	    E("integer of 0 bytes", "\x02\x00"),
	    E("integer 0 twice", "\x02\x02\x00\x00"),
	    E("integer 5 in two bytes", "\x02\x02\x00\x05"),
	    E("integer -1 in two bytes", "\x02\x02\xff\xff"),
	    E("bits of 0 bytes", "\x03\x00"),
	    E("8 unused bits", "\x03\x02\x08\x00"),
	    E("unused bits of nothing", "\x03\x01\x01"),
	    E("unused bits set", "\x03\x02\x07\xc0"),
	    E("object id of 0", "\x06\x00"),
	    E("object id cut", "\x06\x02\x55\x9d"),
	    E("object id padded", "\x06\x03\x55\x80\x01"),
	    E("null with a byte", "\x05\x01\x00"),
	    E("sequence primitive", "\x10\x00"),
	    E("octets constructed", "\x24\x03\x04\x01\x61"),
	    E("bits constructed", "\x23\x03\x03\x01\x00"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (check(&bad[i]) == 0)
			fail_msg("%s was taken", bad[i].name);
}

/* Lengths around the borders of their forms. */
static void test_lengths(void **state)
{
	static uint8_t bytes[70000];
	static const size_t lens[] = {127, 128, 255, 256, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t len = lens[i], n = 1;

		memset(bytes, 0, sizeof(bytes));
		bytes[0] = 0x06; /* all of its bytes are looked at */
		if (len > 255) {
			bytes[n++] = 0x82;
			bytes[n++] = (uint8_t)(len >> 8);
		} else if (len > 127) {
			bytes[n++] = 0x81;
		}
		bytes[n++] = (uint8_t)len;
		assert_int_equal(check_bytes(bytes, n + len), 0);
		assert_int_equal(check_bytes(bytes, n + len - 1), -1);
	}
	memcpy(bytes, "\x06\x82\x00\xff", 4);
	assert_int_equal(check_bytes(bytes, 4 + 255), -1);
}

static void test_depth(void **state)
{
	uint8_t bytes[200];

	(void)state;
	for (size_t depth = 1; depth < 60; depth++) {
		for (size_t i = 0; i < depth; i++) {
			bytes[2 * i] = 0x30;
			bytes[2 * i + 1] = (uint8_t)(2 * (depth - 1 - i));
		}
		assert_int_equal(der_check((struct slice){bytes, 2 * depth}),
		    depth <= 17 ? 0 : -1);
	}
}

/* One element after the other, of the tag that is due. */
static void test_take(void **state)
{
	static const uint8_t bytes[] = {0x30, 0x02, 'a', 'b', 0x04, 0x81, 0x80};
	uint8_t *copy = calloc(1, sizeof(bytes) + 128);
	struct slice in = {copy, sizeof(bytes) + 128}, value, left;

	(void)state;
	memcpy(copy, bytes, sizeof(bytes));
	left = in;
	assert_int_equal(der_take(&left, 0x10, &value), -1);
	left = in;
	assert_int_equal(der_take(&left, 0x31, &value), -1);
	assert_null(value.at);
	left = in;
	assert_int_equal(der_take(&left, 0x30, &value), 0);
	assert_true(slice_is(value, "ab"));
	assert_int_equal(der_take(&left, 0x04, &value), 0);
	assert_int_equal(value.len, 128);
	assert_ptr_equal(value.at, copy + sizeof(bytes));
	assert_int_equal(left.len, 0);
	assert_int_equal(der_take(&left, 0x00, &value), -1);
	assert_int_equal(value.len, 0);
	free(copy);
}

/* Nothing that der_check() refuses in a head, and nothing that is not there. */
static void test_take_refused(void **state)
{
	static const struct example bad[] = {
	    E("a tag alone", "\x04"),
	    E("cut", "\x04\x02x"),
	    E("no length bytes", "\x04\x82\x01"),
	    E("indefinite", "\x04\x80xx\0\0"),
	    E("not the shortest", "\x04\x81\x01x"),
	    E("three bytes of length", "\x04\x83\0\0\x01x"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t *copy = malloc(bad[i].len);
		struct slice in = {copy, bad[i].len}, value;

		memcpy(copy, bad[i].bytes, bad[i].len);
		if (der_take(&in, 0x04, &value) == 0)
			fail_msg("%s was taken", bad[i].name);
		assert_null(value.at);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_take_refused),
	    cmocka_unit_test(test_der),
	    cmocka_unit_test(test_not_der),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("der", tests, NULL, NULL);
}
