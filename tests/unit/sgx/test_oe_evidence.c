/* oe_evidence: the two headers of Open Enclave and the claims behind a quote,
 * and sizes that somebody else chose. */
#include "verifier/sgx/oe_evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUOTE_LEN 500 /* as far as its lengths go, of version 3 */

static uint8_t bytes[2048];
static size_t len;
static struct oe_evidence oe;
static const char *why;

static void put(const void *more, size_t count)
{
	assert_true(len + count <= sizeof(bytes));
	memcpy(bytes + len, more, count);
	len += count;
}

static void number(uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		bytes[len++] = (uint8_t)(value >> 8 * i);
}

/* What the lengths of a quote say, and nothing else of it. */
static void put_quote(void)
{
	size_t start = len;

	memset(bytes + len, 0xaa, QUOTE_LEN);
	number(3, 2);
	number(2, 2);
	number(0, 4);
	len = start + 432;
	number(QUOTE_LEN - 436, 4);
	len = start + QUOTE_LEN;
}

static void put_claim(const char *name, const char *value)
{
	number(strlen(name) + 1, 8);
	number(strlen(value), 8);
	put(name, strlen(name) + 1);
	put(value, strlen(value));
}

static void put_claims(void)
{
	number(1, 8);
	number(2, 8);
	put_claim("Event", "Oracle started");
	put_claim("Empty", "");
}

static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	len = 0;
	return 0;
}

static int opens(void)
{
	return oe_evidence_open(&oe, (struct slice){bytes, len}, &why);
}

static void refused(const char *text)
{
	assert_int_equal(opens(), -1);
	assert_non_null(why);
	assert_non_null(strstr(why, text));
	assert_null(oe.quote.at);
	assert_null(oe.held.at);
}

static void a_bare_quote_is_all_of_it(void **state)
{
	(void)state;
	put_quote();
	number(0, 8); /* some platforms pad */
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.form, OE_BARE);
	assert_ptr_equal(oe.quote.at, bytes);
	assert_int_equal(oe.quote.len, len);
	assert_null(oe.held.at);
}

static void other_bytes_are_for_the_quotes_reader(void **state)
{
	(void)state;
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.form, OE_BARE);
	put("{\"a\":1}", 7);
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, 7);
}

static void report(void)
{
	number(1, 4);
	number(2, 4);
	number(QUOTE_LEN, 8);
	put_quote();
}

static void a_report(void **state)
{
	(void)state;
	report();
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.form, OE_REPORT);
	assert_ptr_equal(oe.quote.at, bytes + 16);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	assert_null(oe.held.at);
}

static void a_report_and_claims(void **state)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	size_t count;

	(void)state;
	report();
	put_claims();
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	assert_ptr_equal(oe.held.at, bytes + 16 + QUOTE_LEN);
	assert_int_equal(oe.held.len, len - 16 - QUOTE_LEN);
	assert_int_equal(oe_claims_read(oe.held, claims, &count), 0);
	assert_int_equal(count, 2);
	assert_true(slice_is(claims[0].name, "Event"));
	assert_true(slice_is(claims[0].value, "Oracle started"));
	assert_true(slice_is(claims[1].name, "Empty"));
	assert_int_equal(claims[1].value.len, 0);
}

static void a_report_that_is_none(void **state)
{
	(void)state;
	report();
	len = 15;
	refused("cut");
	len = 16 + QUOTE_LEN - 1;
	refused("shorter");
	memset(bytes + 8, 0xff, 8);
	refused("shorter");
	bytes[4] = 1; /* local */
	refused("no remote quote");
}

static const uint8_t sgx_ecdsa[OE_UUID_LEN] = {0xa3, 0xa2, 0x1e, 0x87, 0x1b,
    0x4d, 0x40, 0x14, 0xb7, 0x0a, 0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c};

/* header: 28 (packed) or 32 */
static void evidence(unsigned version, size_t header, size_t size)
{
	number(version, 4);
	put(sgx_ecdsa, sizeof(sgx_ecdsa));
	number(0, header - 28);
	number(size, 8);
}

static void an_evidence(void **state)
{
	static const size_t headers[] = {28, 32};

	for (size_t i = 0; i < 2; i++) {
		setup(state);
		evidence(3, headers[i], QUOTE_LEN + 4);
		put_quote();
		put("held", 4);
		assert_int_equal(opens(), 0);
		assert_int_equal(oe.form, OE_EVIDENCE);
		assert_string_equal(oe.format, "SGX_ECDSA");
		assert_ptr_equal(oe.quote.at, bytes + headers[i]);
		assert_int_equal(oe.quote.len, QUOTE_LEN);
		assert_true(slice_is(oe.held, "held"));
	}
}

static void an_evidence_with_a_report_in_it(void **state)
{
	(void)state;
	evidence(2, 32, 16 + QUOTE_LEN + 4);
	report();
	put("held", 4);
	bytes[4] = 0; /* a format that nobody knows */
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.form, OE_EVIDENCE);
	assert_null(oe.format);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	assert_true(slice_is(oe.held, "held"));
	len -= 5;
	refused("another length");
}

static void an_evidence_that_is_none(void **state)
{
	(void)state;
	evidence(3, 32, QUOTE_LEN);
	put_quote();
	len--;
	refused("another length");
	len += 2;
	refused("another length");
	len = 32;
	refused("another length");
	memset(bytes + 24, 0xff, 8);
	refused("another length");
	len = 4;
	refused("another length");
}

/* A version or lengths that make no sense: all of it is the quote, whose
 * reader says why. */
static void quotes_without_an_end(void **state)
{
	(void)state;
	evidence(3, 32, QUOTE_LEN);
	put_quote();
	memset(bytes + 32 + 432, 0xff, 4);
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	assert_null(oe.held.at);
	bytes[32] = 9;
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	bytes[32] = 5; /* and a body of 0xaaaaaaaa bytes */
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, QUOTE_LEN);
	assert_null(oe.held.at);
}

static void quotes_of_other_versions(void **state)
{
	(void)state;
	evidence(3, 32, 700 + 4);
	memset(bytes + len, 0, 704);
	bytes[32] = 4;
	bytes[36] = 0x81;
	bytes[32 + 632] = 700 - 636;
	len += 704;
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, 700);
	assert_int_equal(oe.held.len, 4);
	bytes[32 + 632] = 0;
	bytes[32] = 5;
	bytes[32 + 50] = 200; /* of the body */
	bytes[32 + 254] = 10;
	assert_int_equal(opens(), 0);
	assert_int_equal(oe.quote.len, 268);
}

/* ---- claims ---- */

static void refused_claims(void)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	uint8_t *exact = malloc(len != 0 ? len : 1); /* one more is noticed */
	size_t count = 7;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	assert_int_equal(
	    oe_claims_read((struct slice){exact, len}, claims, &count), -1);
	assert_int_equal(count, 0);
	free(exact);
}

static void claims_that_are_none(void **state)
{
	static const size_t bad[] = {0, 15, 16, 31, 32, 40};

	(void)state;
	put_claims();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t whole = len;

		len = bad[i];
		refused_claims();
		len = whole;
	}
	number(0, 1); /* behind the last */
	refused_claims();
	len--;
	bytes[0] = 2;
	refused_claims();
	bytes[0] = 1;
	bytes[8] = OE_CLAIMS_MAX + 1;
	refused_claims();
	bytes[8] = 3;
	refused_claims();
	bytes[8] = 1;
	refused_claims();
	memset(bytes + 8, 0xff, 8);
	refused_claims();
}

static void claims_whose_sizes_overflow(void **state)
{
	(void)state;
	put_claims();
	memset(bytes + 24, 0xff, 8); /* value; name + value wraps around */
	refused_claims();
	memset(bytes + 24, 0, 8);
	memset(bytes + 16, 0xff, 8); /* name */
	refused_claims();
	memset(bytes + 16, 0, 8);
	refused_claims();
}

static void claims_whose_names_are_none(void **state)
{
	static const char odd[] = {'\n', 0x7f, (char)0x80};

	(void)state;
	put_claims();
	for (size_t i = 0; i < sizeof(odd); i++) {
		bytes[33] = (uint8_t)odd[i];
		refused_claims();
	}
	bytes[33] = 'v';
	bytes[37] = '.'; /* in place of the NUL */
	refused_claims();
	setup(NULL);
	number(1, 8);
	number(1, 8);
	put_claim("", "x");
	refused_claims();
	setup(NULL);
	number(1, 8);
	number(1, 8);
	number(OE_CLAIM_NAME_MAX + 2, 8);
	number(0, 8);
	memset(bytes + len, 'a', OE_CLAIM_NAME_MAX + 1);
	len += OE_CLAIM_NAME_MAX + 2;
	refused_claims();
}

static void one_claim_too_many(void **state)
{
	(void)state;
	number(1, 8);
	number(OE_CLAIMS_MAX + 1, 8);
	for (int i = 0; i <= OE_CLAIMS_MAX; i++)
		put_claim("a", "");
	refused_claims();
}

static void no_claims_are_claims(void **state)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	size_t count = 7;

	(void)state;
	number(1, 8);
	number(0, 8);
	assert_int_equal(
	    oe_claims_read((struct slice){bytes, len}, claims, &count), 0);
	assert_int_equal(count, 0);
}

/* Read from memory of just that length, so that reading on is noticed. */
static void claims_that_are_cut_off(void **state)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	size_t count;

	(void)state;
	put_claims();
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut);

		memcpy(copy, bytes, cut);
		assert_int_equal(
		    oe_claims_read((struct slice){copy, cut}, claims, &count),
		    -1);
		free(copy);
	}
}

/* As many as there is room for, and one more. */
static void claims_without_number(void **state)
{
	struct oe_claim *claims = malloc(OE_CLAIMS_MAX * sizeof(*claims));
	size_t count;

	(void)state;
	for (uint64_t n = OE_CLAIMS_MAX; n <= OE_CLAIMS_MAX + 1; n++) {
		len = 0;
		number(1, 8);
		number(n, 8);
		for (uint64_t i = 0; i < n; i++)
			put_claim("n", "");
		assert_int_equal(
		    oe_claims_read((struct slice){bytes, len}, claims, &count),
		    n == OE_CLAIMS_MAX ? 0 : -1);
		assert_int_equal(count, n == OE_CLAIMS_MAX ? n : 0);
	}
	free(claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_bare_quote_is_all_of_it, setup),
	    cmocka_unit_test_setup(
		other_bytes_are_for_the_quotes_reader, setup),
	    cmocka_unit_test_setup(a_report, setup),
	    cmocka_unit_test_setup(a_report_and_claims, setup),
	    cmocka_unit_test_setup(a_report_that_is_none, setup),
	    cmocka_unit_test_setup(an_evidence, setup),
	    cmocka_unit_test_setup(an_evidence_with_a_report_in_it, setup),
	    cmocka_unit_test_setup(an_evidence_that_is_none, setup),
	    cmocka_unit_test_setup(quotes_without_an_end, setup),
	    cmocka_unit_test_setup(quotes_of_other_versions, setup),
	    cmocka_unit_test_setup(claims_that_are_none, setup),
	    cmocka_unit_test_setup(claims_whose_sizes_overflow, setup),
	    cmocka_unit_test_setup(claims_whose_names_are_none, setup),
	    cmocka_unit_test_setup(one_claim_too_many, setup),
	    cmocka_unit_test_setup(no_claims_are_claims, setup),
	    cmocka_unit_test_setup(claims_that_are_cut_off, setup),
	    cmocka_unit_test_setup(claims_without_number, setup),
	};

	return cmocka_run_group_tests_name("oe_evidence", tests, NULL, NULL);
}
