/* decimal: reading, writing and arithmetic, at the edges of what fits. */
#include "feeds/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct decimal parse(const char *text)
{
	struct decimal d;

	assert_int_equal(decimal_parse(&d, text, strlen(text)), DECIMAL_OK);
	return d;
}

static void assert_text(struct decimal d, const char *wanted)
{
	char text[DECIMAL_STRMAX];

	decimal_format(d, text);
	assert_string_equal(text, wanted);
}

static void reads_and_writes(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"84036.00000", "84036.00000"},
	    {"4417", "4417"},
	    {"0", "0"},
	    {"-0", "0"},
	    {"0.000", "0.000"},
	    {"-0.050", "-0.050"},
	    {"0.00000001", "0.00000001"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"-9223372036854775807", "-9223372036854775807"},
	    /* exponents: a price of Bitfinex, of HTX, of Upbit */
	    {"6e-8", "0.00000006"},
	    {"6E-8", "0.00000006"},
	    {"1.147350001E7", "11473500.01"},
	    {"1e+5", "100000"},
	    {"1E05", "100000"},
	    {"12e0", "12"},
	    {"0e99999999999999999999", "0"},
	    {"1e36", "1000000000000000000000000000000000000"},
	    {"1e-36", "0.000000000000000000000000000000000001"},
	    {"9223372036854775807e36",
		"9223372036854775807000000000000000000000000000000000000"},
	    /* only without the trailing zeros: HTX, Upbit */
	    {"163248000.000000000000000000000000", "163248000.0000000000"},
	    {"92233720368547758070", "92233720368547758070"},
	    {"1.0000000000000000000000000000000000000000000000000",
		"1.000000000000000000"},
	    /* 41 digits: what is beyond 63 bits is zeros */
	    {"84070.900000000000000000000000000000000000",
		"84070.90000000000000"},
	    {"0.000000123456789012345678000000000000000000",
		"0.0000001234567890123456780"},
	    {"1234567890123456789.0000000000000000000000",
		"1234567890123456789"},
	    /* 64 characters are read */
	    {"0.00000000000000000000000000000000000000000000000000000000000000",
		"0.000000000000000000000000000000000000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_text(parse(cases[i].in), cases[i].out);
}

static void refuses(void **state)
{
	static const struct {
		const char *in;
		int error;
	} cases[] = {
	    {"", DECIMAL_MALFORMED},
	    {"-", DECIMAL_MALFORMED},
	    {"+1", DECIMAL_MALFORMED},
	    {"01", DECIMAL_MALFORMED},
	    {"00", DECIMAL_MALFORMED},
	    {"-01.5", DECIMAL_MALFORMED},
	    {".5", DECIMAL_MALFORMED},
	    {"1.", DECIMAL_MALFORMED},
	    {"1.e5", DECIMAL_MALFORMED},
	    {"1e", DECIMAL_MALFORMED},
	    {"1e+", DECIMAL_MALFORMED},
	    {"1e5.0", DECIMAL_MALFORMED},
	    {"1.2.3", DECIMAL_MALFORMED},
	    {" 1", DECIMAL_MALFORMED},
	    {"1 ", DECIMAL_MALFORMED},
	    {"1,5", DECIMAL_MALFORMED},
	    {"0x10", DECIMAL_MALFORMED},
	    {"NaN", DECIMAL_MALFORMED},
	    {"Infinity", DECIMAL_MALFORMED},
	    {"--1", DECIMAL_MALFORMED},
	    {"9223372036854775808", DECIMAL_RANGE},
	    {"-9223372036854775808", DECIMAL_RANGE},
	    {"1e37", DECIMAL_RANGE},
	    {"1e-37", DECIMAL_RANGE},
	    {"1e99999999999999999999", DECIMAL_RANGE},
	    {"1e-99999999999999999999", DECIMAL_RANGE},
	    /* volumes of Gemini and HTX: 41 digits that all count */
	    {"10394749.066094351423000000000000000095", DECIMAL_RANGE},
	    {"90090730.707133525077464434840000000000000000", DECIMAL_RANGE},
	    {"nan", DECIMAL_MALFORMED},
	    {"-NaN", DECIMAL_MALFORMED},
	    {"inf", DECIMAL_MALFORMED},
	    {"-Infinity", DECIMAL_MALFORMED},
	    {"null", DECIMAL_MALFORMED},
	    {"1_000", DECIMAL_MALFORMED},
	    {"1\n", DECIMAL_MALFORMED},
	    {"1e5e5", DECIMAL_MALFORMED},
	    {"1e-", DECIMAL_MALFORMED},
	    {"-.5", DECIMAL_MALFORMED},
	    {"\xef\xbc\x91", DECIMAL_MALFORMED}, /* a full-width 1 */
	    {"0.000000000000000000000000000000000000000000000000000000000000000",
		DECIMAL_TOO_LONG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decimal d = {7, 7};
		int error = decimal_parse(&d, cases[i].in, strlen(cases[i].in));
		if (error != cases[i].error)
			print_error("%s\n", cases[i].in);
		assert_int_equal(error, cases[i].error);
		assert_int_equal(d.mantissa, 0);
		assert_int_equal(d.exponent, 0);
	}
}

/* The length is the caller's: nothing past it is read, a NUL is not an end. */
static void takes_a_length(void **state)
{
	struct decimal d;

	(void)state;
	assert_int_equal(decimal_parse(&d, "12.345", 4), DECIMAL_OK);
	assert_text(d, "12.3");
	assert_int_equal(decimal_parse(&d, "1\0", 2), DECIMAL_MALFORMED);
}

static void rescales(void **state)
{
	static const struct {
		const char *in;
		int exponent;
		const char *out; /* NULL: does not fit */
	} cases[] = {
	    {"1.5", -3, "1.500"},
	    {"1.5", 0, "2"},
	    {"2.5", 0, "3"},
	    {"-2.5", 0, "-3"},
	    {"2.4999999", 0, "2"},
	    {"-2.4999999", 0, "-2"},
	    {"0.05", -1, "0.1"},
	    {"0.049", -1, "0.0"},
	    {"149", 2, "100"},
	    {"150", 2, "200"},
	    {"0", 9, "0"},
	    {"9223372036854775807", 18, "9000000000000000000"},
	    {"9223372036854775807", 19, "10000000000000000000"},
	    {"4999999999999999999", 19, "0"},
	    {"9223372036854775807", 20, "0"},
	    {"922337203685477580.7", -1, "922337203685477580.7"},
	    {"922337203685477581", -1, NULL},
	    {"-922337203685477581", -1, NULL},
	    {"1", -18, "1.000000000000000000"},
	    {"1", -19, NULL},
	    {"1e36", -36, NULL},
	    {"1e-36", 36, "0"},
	    {"1", 37, NULL},
	    {"1", -37, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decimal d;
		int error = decimal_rescale(
		    &d, parse(cases[i].in), cases[i].exponent);
		if (cases[i].out == NULL) {
			assert_int_equal(error, DECIMAL_RANGE);
			assert_int_equal(d.mantissa, 0);
			continue;
		}
		assert_int_equal(error, DECIMAL_OK);
		assert_int_equal(d.exponent, cases[i].exponent);
		assert_text(d, cases[i].out);
	}
}

static void multiplies(void **state)
{
	static const struct {
		const char *a, *b;
		int exponent;
		const char *out;
	} cases[] = {
	    {"84036.00", "0.99937", -8, "83983.05732000"},
	    {"84036.00", "0.99937", -2, "83983.06"},
	    {"-1.5", "1.5", -1, "-2.3"}, /* 2.25: away from zero, once */
	    {"1.5", "1.5", -2, "2.25"},
	    {"0", "5", -3, "0.000"},
	    {"9223372036854775807", "1", 0, "9223372036854775807"},
	    {"9223372036854775807", "2", 0, NULL},
	    {"9223372036854775807", "9223372036854775807", 20,
		"85070591730234615800000000000000000000"},
	    {"9223372036854775807", "9223372036854775807", 36,
		"85000000000000000000000000000000000000"},
	    {"9223372036854775807e-36", "9223372036854775807e-36", 36, "0"},
	    {"1e36", "1e36", 0, NULL},
	    {"1e-36", "1e-36", -36, "0.000000000000000000000000000000000000"},
	    {"1e36", "1e-36", 0, "1"},
	    {"1e36", "1e-36", -36, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decimal d;
		int error = decimal_multiply(&d, parse(cases[i].a),
		    parse(cases[i].b), cases[i].exponent);
		assert_int_equal(
		    error, cases[i].out != NULL ? DECIMAL_OK : DECIMAL_RANGE);
		if (cases[i].out != NULL)
			assert_text(d, cases[i].out);
	}
}

static void compares(void **state)
{
	/* ascending; the second of a pair is equal to the first */
	static const char *const order[][2] = {
	    {"-9223372036854775807e36", "-9223372036854775807e36"},
	    {"-1e20", "-10e19"},
	    {"-1.1", "-1.100"},
	    {"-1e-36", "-0.1e-35"},
	    {"0", "0.000"},
	    {"1e-36", "0.000000000000000000000000000000000001"},
	    {"1", "1.000"},
	    {"1.0000001", "1.00000010"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"1e19", "10e18"},
	    {"1e20", "100e18"},
	    {"1e36", "10e35"},
	};
	size_t count = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++)
			assert_int_equal(decimal_compare(parse(order[i][0]),
					     parse(order[j][1])),
			    (i > j) - (i < j));
	}
}

/* What is written is read again as the same value. */
static void round_trips(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct decimal d, again;
		char text[DECIMAL_STRMAX];
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		d.mantissa = (int64_t)(seed >> (1 + seed % 60));
		d.mantissa = seed & 1 ? d.mantissa : -d.mantissa;
		d.exponent = i % (2 * DECIMAL_EXPONENT_MAX + 1) -
			     DECIMAL_EXPONENT_MAX;
		decimal_format(d, text);
		assert_int_equal(
		    decimal_parse(&again, text, strlen(text)), DECIMAL_OK);
		assert_int_equal(decimal_compare(d, again), 0);
		if (d.exponent <= 0) {
			assert_int_equal(again.mantissa, d.mantissa);
			assert_int_equal(again.exponent, d.exponent);
		}
	}
}

/* What it takes, the slow way takes too, and writes the same again. */
static void check_written(const char *text)
{
	char again[DECIMAL_STRMAX];
	struct decimal fast, slow;
	int rc = decimal_parse_written(&fast, text, strlen(text));

	if (rc) {
		assert_int_equal(fast.mantissa, 0);
		assert_int_equal(fast.exponent, 0);
		return;
	}
	assert_int_equal(decimal_parse(&slow, text, strlen(text)), DECIMAL_OK);
	assert_int_equal(fast.mantissa, slow.mantissa);
	assert_int_equal(fast.exponent, slow.exponent);
	decimal_format(fast, again);
	assert_string_equal(again, text);
}

/* Every text of up to six characters of these, and the longest. */
static void written(void **state)
{
	static const char some[] = "\0.019-e+";
	static const char *const taken[] = {"0", "7", "0.0", "84036.00000",
	    "0.00000000000000001", "999999999999999999", "9.99999999999999999"};
	static const char *const left[] = {"", ".", "0.", ".5", "00", "01",
	    "00.1", "-1", "1e3", "1..2", "1.2.3", "9999999999999999999",
	    "1000000000000000000", "0.000000000000000001", " 1", "1 "};
	struct decimal d;
	char text[7];

	(void)state;
	for (unsigned n = 0; n < 262144; n++) {
		for (unsigned i = 0; i < 6; i++)
			text[i] = some[n >> 3 * i & 7];
		text[6] = '\0';
		check_written(text);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		check_written(taken[i]);
		assert_int_equal(
		    decimal_parse_written(&d, taken[i], strlen(taken[i])), 0);
	}
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_int_equal(
		    decimal_parse_written(&d, left[i], strlen(left[i])), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_and_writes),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(takes_a_length),
	    cmocka_unit_test(rescales),
	    cmocka_unit_test(multiplies),
	    cmocka_unit_test(compares),
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(written),
	};

	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
