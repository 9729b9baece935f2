/*
 * fuzz_decimal: what is read is written and read again as the same value, and
 * arithmetic on it is an error or right: checked against comparison, which
 * takes another way.
 */
#include "feeds/decimal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_rescale(struct decimal d, int exponent)
{
	struct decimal out, one = {1, 0}, product;

	if (decimal_rescale(&out, d, exponent) != DECIMAL_OK) {
		require(out.mantissa == 0 && out.exponent == 0);
		return;
	}
	require(out.exponent == exponent);
	if (exponent <= d.exponent)
		require(decimal_compare(out, d) == 0);
	require(decimal_multiply(&product, d, one, exponent) == DECIMAL_OK);
	require(product.mantissa == out.mantissa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decimal d, again, negative;
	char text[DECIMAL_STRMAX];

	if (decimal_parse(&d, (const char *)data, size) != DECIMAL_OK) {
		require(d.mantissa == 0 && d.exponent == 0);
		return 0;
	}
	decimal_format(d, text);
	require(decimal_parse(&again, text, strlen(text)) == DECIMAL_OK);
	require(decimal_compare(d, again) == 0);
	negative = (struct decimal){-d.mantissa, d.exponent};
	require(decimal_compare(d, negative) ==
		(d.mantissa > 0) - (d.mantissa < 0));
	for (int e = -DECIMAL_EXPONENT_MAX - 1; e <= DECIMAL_EXPONENT_MAX + 1;
	     e++)
		check_rescale(d, e);
	return 0;
}
