/* sgx_extension: Intel's description of a platform, in DER, with one thing
 * wrong each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sgx/quote_builder.h"

#include "verifier/sgx/sgx_extension.h"

static struct sgx_platform platform;

static int parse(const struct qb_bytes *der)
{
	/* of just that length, so that reading on is noticed */
	uint8_t *copy = malloc(der->len);
	int status;

	memcpy(copy, der->bytes, der->len);
	memset(&platform, 0, sizeof(platform));
	status = sgx_extension_parse(&platform, (struct slice){copy, der->len});
	free(copy);
	return status;
}

/* What the members of a good one are; changed in one place each. */
struct parts {
	struct qb_bytes tcb, own;
};

static void make_tcb(struct qb_bytes *tcb, int without)
{
	tcb->len = 0;
	for (int i = 1; i <= 17; i++)
		if (i != without)
			qb_put_integer(
			    tcb, 2, (unsigned)i, i == 17 ? 300 : (unsigned)i);
}

static void put_tcb(struct qb_bytes *own, const struct qb_bytes *tcb)
{
	struct qb_bytes value = {0};

	qb_put_der(&value, 0x30, tcb->bytes, tcb->len);
	qb_put_member(own, 2, 0, &value);
}

static int parse_own(const struct qb_bytes *own)
{
	struct qb_bytes der = {0};

	qb_put_der(&der, 0x30, own->bytes, own->len);
	return parse(&der);
}

static void put_ids(struct qb_bytes *own)
{
	qb_put_octets(own, 3, 0, (const uint8_t *)"\x00\x07", 2);
	qb_put_octets(own, 4, 0, (const uint8_t *)"family", 6);
}

static int parse_tcb(const struct qb_bytes *tcb)
{
	struct qb_bytes own = {0};

	put_tcb(&own, tcb);
	put_ids(&own);
	return parse_own(&own);
}

static void test_right(void **state)
{
	struct qb_bytes tcb;

	(void)state;
	make_tcb(&tcb, 0);
	assert_int_equal(parse_tcb(&tcb), 0);
	assert_memory_equal(platform.fmspc, "family", 6);
	assert_memory_equal(platform.pceid, "\x00\x07", 2);
	assert_int_equal(platform.pcesvn, 300);
	for (int i = 0; i < SGX_SVN_COUNT; i++)
		assert_int_equal(platform.components[i], i + 1);
}

static void test_cut(void **state)
{
	struct quote_builder *b = qb_new();
	struct qb_bytes der = b->extension;

	(void)state;
	assert_int_equal(parse(&der), 0);
	while (der.len-- > 0)
		assert_int_equal(parse(&der), -1);
	der = b->extension;
	qb_put(&der, "", 1);
	assert_int_equal(parse(&der), -1);
	qb_free(b);
}

/* Each byte with each bit changed: it may mean another thing, but it must not
 * read what is not there. */
static void test_each_bit(void **state)
{
	struct quote_builder *b = qb_new();
	size_t refused = 0;

	(void)state;
	for (size_t bit = 0; bit < 8 * b->extension.len; bit++) {
		b->extension.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused += parse(&b->extension) != 0;
		b->extension.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_in_range(refused, 1000, 8 * b->extension.len);
	qb_free(b);
}

static void test_missing(void **state)
{
	struct qb_bytes tcb;

	(void)state;
	for (int i = 1; i <= 17; i++) {
		make_tcb(&tcb, i);
		assert_int_equal(parse_tcb(&tcb), -1);
	}
	make_tcb(&tcb, 0);
	for (int without = 2; without <= 4; without++) {
		struct qb_bytes own = {0};

		if (without != 2)
			put_tcb(&own, &tcb);
		if (without != 3)
			qb_put_octets(&own, 3, 0, (const uint8_t *)"ab", 2);
		if (without != 4)
			qb_put_octets(&own, 4, 0, (const uint8_t *)"family", 6);
		assert_int_equal(parse_own(&own), -1);
	}
}

static void test_twice(void **state)
{
	struct qb_bytes tcb, own = {0};

	(void)state;
	make_tcb(&tcb, 0);
	qb_put_integer(&tcb, 2, 1, 9);
	assert_int_equal(parse_tcb(&tcb), -1);
	make_tcb(&tcb, 0);
	put_tcb(&own, &tcb);
	put_ids(&own);
	assert_int_equal(parse_own(&own), 0);
	qb_put_octets(&own, 4, 0, (const uint8_t *)"yfamil", 6);
	assert_int_equal(parse_own(&own), -1);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {
	    {"\x02\x00", 2},                 /* empty */
	    {"\x02\x01\x80", 3},             /* negative */
	    {"\x02\x02\x01\x00", 4},         /* 256 */
	    {"\x02\x03\x01\x00\x00", 5},     /* 65536 */
	    {"\x02\x04\x00\x00\x00\x01", 6}, /* longer than any */
	    {"\x02\x01\x01\x00", 4},         /* something follows */
	    {"\x04\x01\x01", 3},             /* no number */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct qb_bytes tcb, value = {0};

		make_tcb(&tcb, 1);
		qb_put(&value, wrong[i].bytes, wrong[i].len);
		qb_put_member(&tcb, 2, 1, &value);
		assert_int_equal(parse_tcb(&tcb), -1);
	}
}

/* Numbers of members that there are none of. */
static void test_unknown(void **state)
{
	struct qb_bytes tcb;

	(void)state;
	make_tcb(&tcb, 0);
	qb_put_integer(&tcb, 2, 18, 1);
	assert_int_equal(parse_tcb(&tcb), 0);
	qb_put_integer(&tcb, 2, 19, 1);
	assert_int_equal(parse_tcb(&tcb), -1);
	make_tcb(&tcb, 17);
	qb_put_integer(&tcb, 3, 17, 1); /* under another arc */
	assert_int_equal(parse_tcb(&tcb), -1);
	for (unsigned number = 5; number < 40; number += 13) {
		struct qb_bytes own = {0};

		make_tcb(&tcb, 0);
		put_tcb(&own, &tcb);
		put_ids(&own);
		qb_put_integer(&own, number, 0, 1);
		assert_int_equal(parse_own(&own), number < 32 ? 0 : -1);
	}
}

static void test_octets(void **state)
{
	struct qb_bytes tcb;

	(void)state;
	make_tcb(&tcb, 0);
	for (size_t len = 4; len <= 8; len++) {
		struct qb_bytes own = {0};

		put_tcb(&own, &tcb);
		qb_put_octets(&own, 3, 0, (const uint8_t *)"ab", 2);
		qb_put_octets(&own, 4, 0, (const uint8_t *)"families", len);
		assert_int_equal(parse_own(&own), len == 6 ? 0 : -1);
	}
}

/* Two octet strings in one member. */
static void test_octets_end(void **state)
{
	struct qb_bytes tcb, own = {0}, value = {0};

	(void)state;
	make_tcb(&tcb, 0);
	put_tcb(&own, &tcb);
	qb_put_octets(&own, 3, 0, (const uint8_t *)"ab", 2);
	qb_put_der(&value, 0x04, "family", 6);
	qb_put_der(&value, 0x04, "family", 6);
	qb_put_member(&own, 4, 0, &value);
	assert_int_equal(parse_own(&own), -1);
}

/* Something behind the list of the TCB. */
static void test_tcb_end(void **state)
{
	struct qb_bytes tcb, own = {0}, value = {0};

	(void)state;
	make_tcb(&tcb, 0);
	qb_put_der(&value, 0x30, tcb.bytes, tcb.len);
	qb_put_der(&value, 0x05, "", 0);
	qb_put_member(&own, 2, 0, &value);
	put_ids(&own);
	assert_int_equal(parse_own(&own), -1);
}

/* OIDs of another length, a member that is no list, lengths of odd forms. */
static void test_forms(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {
	    {"\x30\x80", 2},
	    {"\x30\x83\x00\x00\x01\x00", 6},
	    {"\x30\x82\x01", 3},
	    {"\x30\x81", 2},
	    {"\x30", 1},
	    {"\x31\x00", 2},
	    {"\x30\x02\x06\x00", 4},
	    {"\x30\x02\x31\x00", 4},
	    {"\x30\x04\x30\x02\x05\x00", 6},
	    {"\x30\x04\x30\x02\x06\x00", 6},
	    {"\x30\x05\x30\x03\x06\x01\x2a", 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct qb_bytes der = {0};

		qb_put(&der, wrong[i].bytes, wrong[i].len);
		assert_int_equal(parse(&der), -1);
	}
}

/* A length in three bytes, of which the first is needless. */
static void test_long_length(void **state)
{
	struct quote_builder *b = qb_new();
	struct qb_bytes der = {0};

	(void)state;
	assert_int_equal(b->extension.bytes[1], 0x82);
	qb_put(&der, "\x30\x83\x00", 3);
	qb_put(&der, b->extension.bytes + 2, b->extension.len - 2);
	assert_int_equal(parse(&der), -1);
	qb_free(b);
}

/* An OID that is longer, and the right one in front. */
static void test_long_oid(void **state)
{
	static const uint8_t oid[12] = {0x06, 10, 0x2a, 0x86, 0x48, 0x86, 0xf8,
	    0x4d, 0x01, 0x0d, 0x01, 0x05};
	struct qb_bytes tcb, own = {0}, member = {0};

	(void)state;
	make_tcb(&tcb, 0);
	put_tcb(&own, &tcb);
	put_ids(&own);
	qb_put(&member, oid, sizeof(oid));
	qb_put_der(&own, 0x30, member.bytes, member.len);
	assert_int_equal(parse_own(&own), 0);
	member.bytes[1] = 11;
	qb_put(&member, "\x01", 1);
	qb_put_der(&own, 0x30, member.bytes, member.len);
	assert_int_equal(parse_own(&own), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_each_bit),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_twice),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_octets),
	    cmocka_unit_test(test_octets_end),
	    cmocka_unit_test(test_tcb_end),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_long_length),
	    cmocka_unit_test(test_long_oid),
	};

	return cmocka_run_group_tests_name("sgx_extension", tests, NULL, NULL);
}
