/* iso_time: the calendar, the fraction, and nothing else. */
#include "feeds/exchanges/iso_time.h"

#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reads(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"1970-01-01T00:00:00.001Z", 1},
	    {"2026-06-19T16:43:33.016274911Z", 1781887413016},
	    {"2017-10-03T04:00:31.887000Z", 1507003231887},
	    {"2026-06-19T16:43:33.188Z", 1781887413188},
	    {"2026-06-19T16:43:33.9999999Z", 1781887413999}, /* cut off */
	    {"2026-06-19T16:43:33.1Z", 1781887413100},
	    {"2026-06-19T16:43:33.01Z", 1781887413010},
	    {"2000-02-29T23:59:59Z", 951868799000},
	    {"2024-02-29T00:00:00Z", 1709164800000},
	    {"2023-12-31T23:59:59.999Z", 1704067199999},
	    {"9999-12-31T23:59:59.999Z", 253402300799999},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms;
		assert_int_equal(iso_time_parse(&ms, cases[i].text), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void refuses(void **state)
{
	static const char *const texts[] = {"", "Z", "2026-06-19",
	    "2026-06-19T16:43:33", "2026-06-19T16:43:33+00:00",
	    "2026-06-19 16:43:33Z", "2026-06-19t16:43:33Z",
	    "2026-06-19T16:43:33z", "2026-06-19T16:43:33.Z",
	    "2026-06-19T16:43:33.1234567890Z", "2026-06-19T16:43:33.1",
	    "2026-06-19T16:43:33Z ", " 2026-06-19T16:43:33Z",
	    "2026-06-19T16:43:33.-1Z", "2026-00-19T16:43:33Z",
	    "2026-13-19T16:43:33Z", "2026-06-00T16:43:33Z",
	    "2026-06-31T16:43:33Z", "2026-02-29T16:43:33Z",
	    "2100-02-29T16:43:33Z", "2026-06-19T24:00:00Z",
	    "2026-06-19T16:60:33Z", "2026-06-19T16:43:60Z",
	    "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
	    "26-06-19T16:43:33Z", "2026-6-19T16:43:33Z", "1781887413"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ms = 7;
		assert_int_equal(iso_time_parse(&ms, texts[i]), -1);
		assert_int_equal(ms, 0);
	}
}

/* Every day to the year 2408, against the C library. */
static void agrees_with_timegm(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 160000; day++) {
		time_t seconds = day * 86400 + day % 86400;
		struct tm tm;
		char text[40];
		int64_t ms;
		assert_non_null(gmtime_r(&seconds, &tm));
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_int_equal(iso_time_parse(&ms, text), 0);
		assert_int_equal(ms, seconds * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(agrees_with_timegm),
	};

	return cmocka_run_group_tests_name("iso_time", tests, NULL, NULL);
}
