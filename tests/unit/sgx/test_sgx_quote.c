/* sgx_quote: each form that there is, and each thing that can be wrong with
 * the bytes. Nothing here looks at a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sgx/quote_builder.h"

static struct quote_builder *b;
static struct sgx_quote quote;

static int set_up(void **state)
{
	(void)state;
	b = qb_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	qb_free(b);
	return 0;
}

static enum hm_verdict parse(void)
{
	const char *why;
	enum hm_verdict verdict = sgx_quote_parse(
	    &quote, b->quote.bytes, b->quote.len, &why);

	assert_int_equal(verdict == HM_VALID, why == NULL);
	return verdict;
}

static void make(unsigned version, bool is_td)
{
	qb_kind(b, version, is_td);
	qb_make_quote(b);
	assert_int_equal(parse(), HM_VALID);
	assert_int_equal(quote.version, version);
	assert_int_equal(quote.is_td, is_td);
	assert_int_equal(quote.len, b->quote.len);
}

static const struct {
	unsigned version;
	bool is_td;
} kinds[] = {{3, false}, {4, false}, {4, true}, {5, false}, {5, true}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void refused_with(size_t at, uint8_t value)
{
	uint8_t before = b->quote.bytes[at];

	assert_int_not_equal(before, value);
	b->quote.bytes[at] = value;
	if (parse() != HM_QUOTE_MALFORMED)
		fail_msg("byte %zu may be %u", at, value);
	assert_int_equal(quote.version, 0);
	b->quote.bytes[at] = before;
	assert_int_equal(parse(), HM_VALID);
}

static void test_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		make(kinds[i].version, kinds[i].is_td);
		refused_with(0, 2);
		refused_with(0, 6);
		refused_with(1, 1);
		refused_with(2, 3); /* P-384 */
		refused_with(3, 1);
		for (size_t at = 12; at < 28; at++)
			refused_with(at, (uint8_t)(b->quote.bytes[at] ^ 0x40));
	}
}

static void test_tee(void **state)
{
	(void)state;
	make(3, false);
	refused_with(4, 0x81);
	make(4, false);
	refused_with(4, 1);
	refused_with(7, 1);
	/* of another kind it is too short or too long */
	refused_with(4, 0x81);
	make(4, true);
	refused_with(4, 0);
	make(5, true);
	refused_with(4, 0);
	make(5, false);
	refused_with(4, 0x81);
}

static void test_body(void **state)
{
	(void)state;
	make(5, true);
	for (unsigned type = 0; type < 6; type++)
		if (type != 3)
			refused_with(48, (uint8_t)type);
	refused_with(49, 1);
	refused_with(50, 1);
	refused_with(53, 1);
	b->body_type = 2;
	b->body_len = SGX_TD10_LEN;
	qb_make_quote(b);
	assert_int_equal(parse(), HM_VALID);
	assert_false(quote.td.is_15);
	make(5, false);
	refused_with(48, 2);
	refused_with(48, 0);
}

/* INIT is in an enclave's attributes once it may run. */
static void test_init(void **state)
{
	(void)state;
	make(3, false);
	refused_with(48 + 48, 0x04);
}

static void test_debug(void **state)
{
	(void)state;
	qb_kind(b, 3, false);
	b->body[48] |= 0x02;
	qb_make_quote(b);
	assert_int_equal(parse(), HM_VALID);
	assert_true(quote.debug);
	qb_kind(b, 4, true);
	qb_make_quote(b);
	assert_int_equal(parse(), HM_VALID);
	assert_false(quote.debug);
	for (unsigned bit = 0; bit < 8; bit++) {
		b->body[120] = (uint8_t)(1u << bit);
		qb_make_quote(b);
		assert_int_equal(parse(), HM_VALID);
		assert_true(quote.debug);
	}
}

/* Each prefix: of a buffer of that length, so that reading on is noticed. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		make(kinds[i].version, kinds[i].is_td);
		for (size_t len = 0; len < b->quote.len; len++) {
			uint8_t *copy = malloc(len);

			memcpy(copy, b->quote.bytes, len);
			assert_int_equal(
			    sgx_quote_parse(&quote, copy, len, NULL),
			    HM_QUOTE_MALFORMED);
			free(copy);
		}
	}
}

/* The signature data's length says less or more than there is. */
static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		size_t at, outer;

		make(kinds[i].version, kinds[i].is_td);
		at = quote.signed_part.len;
		refused_with(at, (uint8_t)(b->quote.bytes[at] - 1));
		refused_with(at, (uint8_t)(b->quote.bytes[at] + 1));
		refused_with(at + 3, 0x80);
		outer = at + 4 + 128;
		if (kinds[i].version == 3)
			continue;
		refused_with(outer, 5);
		refused_with(outer, 7);
		refused_with(
		    outer + 2, (uint8_t)(b->quote.bytes[outer + 2] - 1));
		refused_with(
		    outer + 2, (uint8_t)(b->quote.bytes[outer + 2] + 1));
	}
}

/* Where the length of the authentication data is. */
static size_t auth_at(void)
{
	return (size_t)(quote.qe_auth.at - b->quote.bytes) - 2;
}

static void test_auth(void **state)
{
	size_t at;

	(void)state;
	make(4, true);
	at = auth_at();
	refused_with(at, 31);
	refused_with(at, 33);
	refused_with(at + 1, 0xff);
}

/* One that is longer than any QE writes, with all lengths right. */
static void test_auth_max(void **state)
{
	static uint8_t long_one[SGX_QUOTE_MAX];
	size_t at, tail, more = SGX_QE_AUTH_MAX - 32 + 1, len;

	(void)state;
	make(3, false);
	at = auth_at();
	tail = at + 2 + 32;
	memcpy(long_one, b->quote.bytes, tail);
	memcpy(
	    long_one + tail + more, b->quote.bytes + tail, b->quote.len - tail);
	long_one[at] = 0x01;
	long_one[at + 1] = 0x04;
	len = b->quote.len - 436 + more;
	long_one[432] = (uint8_t)len;
	long_one[433] = (uint8_t)(len >> 8);
	assert_int_equal(
	    sgx_quote_parse(&quote, long_one, b->quote.len + more, NULL),
	    HM_QUOTE_MALFORMED);
	/* one byte less is good */
	memmove(long_one + tail + more - 1, long_one + tail + more,
	    b->quote.len - tail);
	long_one[at] = 0x00;
	len--;
	long_one[432] = (uint8_t)len;
	long_one[433] = (uint8_t)(len >> 8);
	assert_int_equal(
	    sgx_quote_parse(&quote, long_one, b->quote.len + more - 1, NULL),
	    HM_VALID);
	assert_int_equal(quote.qe_auth.len, SGX_QE_AUTH_MAX);
}

static void test_certificates(void **state)
{
	size_t at;

	(void)state;
	make(3, false);
	at = auth_at() + 2 + 32;
	refused_with(at, 1);
	refused_with(at, 6);
	refused_with(at + 1, 1);
	refused_with(at + 2, (uint8_t)(b->quote.bytes[at + 2] - 1));
	refused_with(at + 2, (uint8_t)(b->quote.bytes[at + 2] + 1));
	refused_with(at + 5, 1);
}

/* C's end of a string in the certificates; one is enough. */
static void test_nul(void **state)
{
	size_t at, len, pem;

	(void)state;
	make(3, false);
	pem = quote.pem.len;
	at = auth_at() + 2 + 32 + 2;
	for (unsigned nuls = 1; nuls <= 2; nuls++) {
		b->quote.bytes[b->quote.len++] = '\0';
		len = pem + nuls;
		b->quote.bytes[at] = (uint8_t)len;
		b->quote.bytes[at + 1] = (uint8_t)(len >> 8);
		len = b->quote.len - 436;
		b->quote.bytes[432] = (uint8_t)len;
		b->quote.bytes[433] = (uint8_t)(len >> 8);
		assert_int_equal(parse(), HM_VALID);
		assert_int_equal(quote.pem.len, pem + nuls - 1);
	}
}

static void test_trailing(void **state)
{
	size_t len;

	(void)state;
	make(4, true);
	len = b->quote.len;
	for (size_t i = 0; i < 100; i++)
		b->quote.bytes[b->quote.len++] = '\0';
	assert_int_equal(parse(), HM_VALID);
	assert_int_equal(quote.len, len);
	refused_with(len, 1);
	refused_with(len + 99, 0x80);
}

static void test_too_long(void **state)
{
	static uint8_t bytes[SGX_QUOTE_MAX + 1];

	(void)state;
	make(3, false);
	memcpy(bytes, b->quote.bytes, b->quote.len);
	assert_int_equal(
	    sgx_quote_parse(&quote, bytes, SGX_QUOTE_MAX, NULL), HM_VALID);
	assert_int_equal(
	    sgx_quote_parse(&quote, bytes, SGX_QUOTE_MAX + 1, NULL),
	    HM_QUOTE_MALFORMED);
}

/* Each field has bytes of its own; all of a quote's real ones are in
 * test_quote_vectors. */
static void test_fields(void **state)
{
	(void)state;
	qb_kind(b, 5, true);
	for (size_t i = 0; i < sizeof(b->body); i++)
		b->body[i] = (uint8_t)(i % 251);
	qb_make_quote(b);
	assert_int_equal(parse(), HM_VALID);
	assert_memory_equal(quote.td.mrtd, b->body + 136, 48);
	assert_memory_equal(quote.td.rtmrs[3], b->body + 472, 48);
	assert_memory_equal(quote.report_data, b->body + 520, 64);
	assert_memory_equal(quote.td.mrservicetd, b->body + 600, 48);
	assert_ptr_equal(quote.signed_part.at, b->quote.bytes);
	assert_int_equal(quote.signed_part.len, 54 + 648);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_header),
	    TEST(test_tee),
	    TEST(test_body),
	    TEST(test_init),
	    TEST(test_debug),
	    TEST(test_cut),
	    TEST(test_lengths),
	    TEST(test_auth),
	    TEST(test_auth_max),
	    TEST(test_certificates),
	    TEST(test_nul),
	    TEST(test_trailing),
	    TEST(test_too_long),
	    TEST(test_fields),
	};

	return cmocka_run_group_tests_name("sgx_quote", tests, NULL, NULL);
}
