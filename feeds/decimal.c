/*
 * decimal: see decimal.h. Products and quotients are made in 128 bits, where
 * two 64-bit mantissas always fit, and are checked once on their way back.
 */
#include "feeds/decimal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

__extension__ typedef __int128 wide;

#define WRITTEN_MAX       18     /* digits that surely fit a mantissa */
#define WIDE_POWER_MAX    38     /* 10^38 is the last power that fits */
#define EXPONENT_READ_MAX 100000 /* larger ones are as good as this one */

/* What stands in the text: significant digits and the power of ten. */
struct number {
	bool negative;
	char digits[DECIMAL_DIGITS_MAX]; /* no leading zeros */
	int count;
	int exponent;
};

static wide power_of_ten(int n)
{
	wide power = 1;

	assert(n >= 0 && n <= WIDE_POWER_MAX);
	while (n-- > 0)
		power *= 10;
	return power;
}

static bool fits_mantissa(wide value)
{
	return value >= -(wide)INT64_MAX && value <= (wide)INT64_MAX;
}

static bool fits_exponent(int exponent)
{
	return exponent >= -DECIMAL_EXPONENT_MAX &&
	       exponent <= DECIMAL_EXPONENT_MAX;
}

/* value / 10^n for n > 0, half away from zero. */
static wide divide_rounded(wide value, int n)
{
	wide power, rest;

	if (n > WIDE_POWER_MAX)
		return 0; /* |value| < 2^126 < 10^39 / 2 */
	power = power_of_ten(n);
	rest = value % power; /* has the sign of value */
	return value / power + (rest >= power / 2) - (rest <= -(power / 2));
}

/* value * 10^from as a decimal with exponent `to`. */
static int shift(struct decimal *out, wide value, int from, int to)
{
	*out = (struct decimal){0};
	if (!fits_exponent(to))
		return DECIMAL_RANGE;
	if (from < to)
		value = divide_rounded(value, to - from);
	for (int n = from - to; n > 0 && value != 0; n--) {
		if (!fits_mantissa(value))
			return DECIMAL_RANGE;
		value *= 10;
	}
	if (!fits_mantissa(value))
		return DECIMAL_RANGE;
	*out = (struct decimal){(int64_t)value, to};
	return DECIMAL_OK;
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *read_digits(
    struct number *number, const char *p, const char *end)
{
	for (; is_digit(p, end); p++) {
		if (number->count > 0 || *p != '0')
			number->digits[number->count++] = *p;
	}
	return p;
}

/* NULL if it is malformed. */
static const char *read_exponent(
    struct number *number, const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int value = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!is_digit(p, end))
		return NULL;
	for (; is_digit(p, end); p++) {
		if (value < EXPONENT_READ_MAX)
			value = value * 10 + (*p - '0');
	}
	number->exponent += negative ? -value : value;
	return p;
}

/* RFC 8259, 6: number = [ minus ] int [ frac ] [ exp ] */
static bool read_number(struct number *number, const char *p, const char *end)
{
	const char *start;

	number->negative = p < end && *p == '-';
	if (number->negative)
		p++;
	/* "Leading zeros are not allowed." */
	if (!is_digit(p, end) || (*p == '0' && is_digit(p + 1, end)))
		return false;
	p = read_digits(number, p, end);
	if (p < end && *p == '.') {
		start = ++p;
		p = read_digits(number, p, end);
		if (p == start)
			return false;
		number->exponent -= (int)(p - start);
	}
	if (p < end && (*p == 'e' || *p == 'E'))
		p = read_exponent(number, p + 1, end);
	return p == end;
}

static bool digits_to_mantissa(const struct number *number, int64_t *out)
{
	wide value = 0;

	for (int i = 0; i < number->count; i++) {
		value = value * 10 + (number->digits[i] - '0');
		if (!fits_mantissa(value))
			return false;
	}
	*out = (int64_t)(number->negative ? -value : value);
	return true;
}

int decimal_parse(struct decimal *out, const char *text, size_t len)
{
	struct number number = {0};
	int64_t mantissa;

	*out = (struct decimal){0};
	if (len > DECIMAL_DIGITS_MAX)
		return DECIMAL_TOO_LONG;
	if (!read_number(&number, text, text + len))
		return DECIMAL_MALFORMED;
	if (number.count == 0) { /* zero, whatever its exponent */
		if (number.exponent < -DECIMAL_EXPONENT_MAX)
			number.exponent = -DECIMAL_EXPONENT_MAX;
		if (number.exponent > 0)
			number.exponent = 0;
	}
	while (!digits_to_mantissa(&number, &mantissa) ||
	       number.exponent < -DECIMAL_EXPONENT_MAX) {
		if (number.digits[number.count - 1] != '0')
			return DECIMAL_RANGE;
		number.count--;
		number.exponent++;
	}
	if (!fits_exponent(number.exponent))
		return DECIMAL_RANGE;
	*out = (struct decimal){mantissa, number.exponent};
	return DECIMAL_OK;
}

int decimal_parse_written(struct decimal *out, const char *text, size_t len)
{
	size_t point = len;    /* where it stands */
	uint64_t mantissa = 0; /* 19 digits fit */

	*out = (struct decimal){0};
	/* Nothing but "0" and "0.": "Leading zeros are not allowed." */
	if (len == 0 || len > WRITTEN_MAX + 1 ||
	    (text[0] == '0' && len > 1 && text[1] != '.'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && point == len && i > 0 && i + 1 < len)
			point = i;
		else if (text[i] >= '0' && text[i] <= '9')
			mantissa = mantissa * 10 + (uint64_t)(text[i] - '0');
		else
			return -1;
	}
	if (point == len && len > WRITTEN_MAX)
		return -1;
	*out = (struct decimal){
	    (int64_t)mantissa, point < len ? -(int)(len - point - 1) : 0};
	return 0;
}

size_t decimal_format(struct decimal d, char out[static DECIMAL_STRMAX])
{
	uint64_t left = (uint64_t)(d.mantissa < 0 ? -d.mantissa : d.mantissa);
	int decimals = d.exponent < 0 ? -d.exponent : 0;
	size_t zeros = d.exponent > 0 && d.mantissa != 0 ? (size_t)d.exponent
							 : 0;
	char digits[DECIMAL_STRMAX]; /* from the back */
	char *end = digits + sizeof(digits), *p = end;
	size_t len;

	assert(d.mantissa != INT64_MIN && fits_exponent(d.exponent));
	for (int i = 0; i < decimals; i++, left /= 10)
		*--p = (char)('0' + left % 10);
	if (decimals > 0)
		*--p = '.';
	do /* At least one digit stands before the point. */
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (d.mantissa < 0)
		*--p = '-';
	len = (size_t)(end - p);
	assert(len + zeros < DECIMAL_STRMAX);
	memcpy(out, p, len);
	memset(out + len, '0', zeros);
	out[len + zeros] = '\0';
	return len + zeros;
}

int decimal_rescale(struct decimal *out, struct decimal in, int exponent)
{
	return shift(out, in.mantissa, in.exponent, exponent);
}

int decimal_multiply(
    struct decimal *out, struct decimal a, struct decimal b, int exponent)
{
	return shift(out, (wide)a.mantissa * b.mantissa,
	    a.exponent + b.exponent, exponent);
}

static int sign(wide value)
{
	return (value > 0) - (value < 0);
}

int decimal_compare(struct decimal a, struct decimal b)
{
	int distance = a.exponent - b.exponent;

	if (sign(a.mantissa) != sign(b.mantissa))
		return sign(a.mantissa) - sign(b.mantissa) > 0 ? 1 : -1;
	if (distance < 0)
		return -decimal_compare(b, a);
	/* 10^20 is more than any mantissa: the exponent decides alone. */
	if (distance >= 20)
		return sign(a.mantissa);
	return sign((wide)a.mantissa * power_of_ten(distance) - b.mantissa);
}
