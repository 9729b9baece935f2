/*
 * decimal: exact decimal numbers, mantissa * 10^exponent. Money never becomes
 * floating point. All arithmetic is checked: what does not fit is an error,
 * never a wrong number. Pure.
 */
#ifndef HALLMARK_FEEDS_DECIMAL_H
#define HALLMARK_FEEDS_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_DIGITS_MAX   64 /* characters of a number we read at all */
#define DECIMAL_EXPONENT_MAX 36 /* |exponent| of a decimal we keep */
#define DECIMAL_STRMAX       64 /* the longest text we write, and a NUL */

struct decimal {
	int64_t mantissa; /* never INT64_MIN */
	int exponent;     /* -DECIMAL_EXPONENT_MAX .. DECIMAL_EXPONENT_MAX */
};

enum decimal_error {
	DECIMAL_OK = 0,
	DECIMAL_MALFORMED = -1, /* not a number by RFC 8259 section 6 */
	DECIMAL_TOO_LONG = -2,  /* over DECIMAL_DIGITS_MAX characters */
	DECIMAL_RANGE = -3,     /* does not fit mantissa or exponent */
};

/*
 * Reads a JSON number (RFC 8259, 6), exponents allowed, and nothing before or
 * after it. The number of decimals is kept as sent ("84036.00000" has
 * exponent -5) unless the mantissa only fits without its trailing zeros.
 */
__attribute__((warn_unused_result)) int decimal_parse(
    struct decimal *out, const char *text, size_t len);

/*
 * Reads what decimal_format() writes, if it is as most prices are: at most 18
 * digits, of which at least one stands before a point and one after it. Five
 * times as fast as reading, writing and comparing. 0, or -1 and *out is zeroed:
 * perhaps it is still a number.
 */
__attribute__((warn_unused_result)) int decimal_parse_written(
    struct decimal *out, const char *text, size_t len);

/* Plain digits, no exponent, as many decimals as -exponent says:
 * {8403600000, -5} is "84036.00000". Always fits. Its length. */
size_t decimal_format(struct decimal d, char out[static DECIMAL_STRMAX]);

/* The same value with this exponent; half away from zero when digits go. */
__attribute__((warn_unused_result)) int decimal_rescale(
    struct decimal *out, struct decimal in, int exponent);

/* a * b with this exponent, rounded once, half away from zero. */
__attribute__((warn_unused_result)) int decimal_multiply(
    struct decimal *out, struct decimal a, struct decimal b, int exponent);

/* -1, 0, 1; exact for any two decimals. */
int decimal_compare(struct decimal a, struct decimal b);

#endif
