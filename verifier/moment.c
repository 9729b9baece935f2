/* moment: see moment.h. timegm() would mend impossible dates; this refuses
 * them. */
#include "verifier/moment.h"

#include "feeds/check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define UTC_TIME_LEN         13
#define GENERALIZED_TIME_LEN 15

struct date {
	int year, month, day, hour, minute, second;
};

/* Days from 1970-01-01, by counting leap days of whole years. */
static int64_t days_before_year(int64_t year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static bool is_leap(int year)
{
	/* unnamed: a fact */
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static int date_to_ms(int64_t *ms, const struct date *d)
{
	int64_t days;

	if (REFUSE(date_year, d->year < 1) ||
	    REFUSE(date_month, d->month < 1 || d->month > 12) ||
	    REFUSE(date_day_0, d->day < 1) ||
	    REFUSE(date_day, d->day > month_days(d->year, d->month)) ||
	    REFUSE(date_hour, d->hour > 23) ||
	    REFUSE(date_minute, d->minute > 59) ||
	    REFUSE(date_second, d->second > 59))
		return -1;
	days = days_before_year(d->year) + d->day - 1;
	for (int month = 1; month < d->month; month++)
		days += month_days(d->year, month);
	*ms = (((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second) *
	      1000;
	return 0;
}

/* Reads `count` digits and steps over them; -1 if one is not a digit. */
static int digits(const char **text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (REFUSE(date_digit, **text < '0' || **text > '9'))
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static int field(const char **text, int count, int *out)
{
	*out = digits(text, count);
	return *out < 0 ? -1 : 0;
}

static int literal(const char **text, char c)
{
	return REQUIRE(date_literal, *(*text)++ == c) ? 0 : -1;
}

/* ".d", ".dd" or ".ddd", as milliseconds; nothing is 0. */
static int fraction(const char **text, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**text != '.')
		return 0;
	(*text)++;
	if (REFUSE(date_fraction_empty, **text < '0' || **text > '9'))
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10) {
		if (REFUSE(date_fraction_long, scale == 0))
			return -1;
		*ms += scale * (**text - '0');
	}
	return 0;
}

int moment_parse_rfc3339(int64_t *ms, const char *text)
{
	struct date d;
	int rest;

	*ms = 0;
	if (field(&text, 4, &d.year) != 0 || literal(&text, '-') != 0 ||
	    field(&text, 2, &d.month) != 0 || literal(&text, '-') != 0 ||
	    field(&text, 2, &d.day) != 0 || literal(&text, 'T') != 0 ||
	    field(&text, 2, &d.hour) != 0 || literal(&text, ':') != 0 ||
	    field(&text, 2, &d.minute) != 0 || literal(&text, ':') != 0 ||
	    field(&text, 2, &d.second) != 0 || fraction(&text, &rest) != 0)
		return -1;
	if (REFUSE(date_utc, strcmp(text, "Z") != 0) ||
	    date_to_ms(ms, &d) != 0) {
		*ms = 0;
		return -1;
	}
	*ms += rest;
	return 0;
}

void moment_format(int64_t ms, char out[MOMENT_TEXT_MAX])
{
	time_t seconds = (time_t)(ms / 1000);
	char date[MOMENT_TEXT_MAX - 8] = "";
	struct tm tm;

	if (ms < 0 || ms > MOMENT_MAX_MS || gmtime_r(&seconds, &tm) == NULL) {
		snprintf(out, MOMENT_TEXT_MAX, "%" PRId64 " ms", ms);
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, MOMENT_TEXT_MAX, "%s.%03dZ", date, (int)(ms % 1000));
}

/* "UTCTime ... YY is greater than or equal to 50: 19YY" */
static int asn1_year(const char **text, int type)
{
	int year = digits(text, type == V_ASN1_UTCTIME ? 2 : 4);

	if (type != V_ASN1_UTCTIME)
		return REQUIRE(asn1_year_2050, year >= 2050) ? year : -1;
	if (year < 0)
		return -1;
	return year + (year >= 50 ? 1900 : 2000);
}

int moment_from_asn1(int64_t *ms, const ASN1_TIME *time)
{
	int type = ASN1_STRING_type(time), len = ASN1_STRING_length(time);
	const char *text = (const char *)ASN1_STRING_get0_data(time);
	struct date d;

	*ms = 0;
	if (REFUSE(asn1_time_len,
		!(type == V_ASN1_UTCTIME && len == UTC_TIME_LEN) &&
		    !(type == V_ASN1_GENERALIZEDTIME &&
			len == GENERALIZED_TIME_LEN)))
		return -1;
	d.year = asn1_year(&text, type);
	if (d.year < 0 || field(&text, 2, &d.month) != 0 ||
	    field(&text, 2, &d.day) != 0 || field(&text, 2, &d.hour) != 0 ||
	    field(&text, 2, &d.minute) != 0 ||
	    field(&text, 2, &d.second) != 0 ||
	    REFUSE(asn1_time_utc, *text != 'Z'))
		return -1;
	return date_to_ms(ms, &d);
}
