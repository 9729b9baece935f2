/* iso_time: see iso_time.h. */
#include "feeds/exchanges/iso_time.h"

#include <stdbool.h>
#include <stddef.h>

#define FRACTION_DIGITS_MAX 9

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Fills v[] by a pattern of digits ('0') and literal characters; each literal
 * ends a number. NULL if the text differs, else what follows. */
static const char *read_pattern(const char *text, const char *pattern, int *v)
{
	for (; *pattern != '\0'; pattern++, text++) {
		if (*pattern == '0') {
			if (!is_digit(*text))
				return NULL;
			*v = *v * 10 + (*text - '0');
		} else {
			if (*text != *pattern)
				return NULL;
			v++;
		}
	}
	return text;
}

/* ".016274911Z" or "Z": milliseconds, or -1. */
static int read_fraction(const char *text)
{
	int ms = 0, digits = 0;

	if (*text == '.') {
		for (text++; is_digit(*text); text++, digits++) {
			if (digits < 3)
				ms = ms * 10 + (*text - '0');
		}
		if (digits == 0 || digits > FRACTION_DIGITS_MAX)
			return -1;
	}
	for (; digits < 3; digits++)
		ms *= 10;
	return text[0] == 'Z' && text[1] == '\0' ? ms : -1;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to this date. */
static int64_t days_since_epoch(int year, int month, int day)
{
	int before = year - 1; /* whole years of the Gregorian calendar */
	int64_t days = 365LL * before + before / 4 - before / 100 +
		       before / 400 - 719162;

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

int iso_time_parse(int64_t *out, const char *text)
{
	int v[6] = {0}; /* year, month, day, hour, minute, second */
	const char *rest = read_pattern(text, "0000-00-00T00:00:00", v);
	int ms = rest != NULL ? read_fraction(rest) : -1;
	int64_t seconds;

	*out = 0;
	if (ms < 0 || v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 ||
	    v[2] > days_in_month(v[0], v[1]) || v[3] > 23 || v[4] > 59 ||
	    v[5] > 59)
		return -1;
	seconds = days_since_epoch(v[0], v[1], v[2]) * 86400 + v[3] * 3600 +
		  v[4] * 60 + v[5];
	*out = seconds * 1000 + ms;
	return 0;
}
