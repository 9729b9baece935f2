/* Dates to milliseconds and back. */
#include "verifier/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_rfc3339(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"1970-01-01T00:00:00.001Z", 1},
	    {"1970-01-01T00:00:01.5Z", 1500},
	    {"1969-12-31T23:59:59Z", -1000},
	    {"2000-02-29T12:00:00Z", 951825600000},
	    {"2026-11-21T09:00:00Z", 1795251600000},
	    {"2049-10-28T14:28:05Z", 2519044085000},
	    {"9999-12-31T23:59:59.999Z", MOMENT_MAX_MS},
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(moment_parse_rfc3339(&ms, good[i].text), 0);
		assert_int_equal(ms, good[i].ms);
	}
}

static void test_rfc3339_refused(void **state)
{
	static const char *const bad[] = {"", "2", "2026-11-21",
	    "2026-11-21T09:00:00", "2026-11-21 09:00:00Z",
	    "2026-11-21t09:00:00z", "2026-11-21T09:00:00+00:00",
	    "2026-11-21T09:00Z", "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z",
	    "1900-02-29T00:00:00Z", "2026-00-01T00:00:00Z",
	    "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z",
	    "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z",
	    "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
	    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234Z",
	    "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z",
	    "0000-01-01T00:00:00Z", "+026-01-01T00:00:00Z",
	    "2026-1-01T00:00:00Z", "20260101T000000Z"};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (moment_parse_rfc3339(&ms, bad[i]) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(ms, 0);
	}
}

/* Against the C library, every day of 400 years. */
static void test_calendar(void **state)
{
	char text[64];

	(void)state;
	for (int64_t day = -80000; day < 400 * 366; day++) {
		time_t seconds = (time_t)(day * 86400 + 3661);
		int64_t ms;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_int_equal(moment_parse_rfc3339(&ms, text), 0);
		assert_int_equal(ms, (int64_t)seconds * 1000);
	}
}

static int asn1(int64_t *ms, int type, const char *text)
{
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	int status;

	ASN1_STRING_set(string, text, (int)strlen(text));
	status = moment_from_asn1(ms, string);
	ASN1_STRING_free(string);
	return status;
}

static void test_asn1(void **state)
{
	const int utc = V_ASN1_UTCTIME, gen = V_ASN1_GENERALIZEDTIME;
	int64_t ms;

	(void)state;
	assert_int_equal(asn1(&ms, utc, "261121090000Z"), 0);
	assert_int_equal(ms, 1795251600000);
	assert_int_equal(asn1(&ms, utc, "491028142805Z"), 0);
	assert_int_equal(ms, 2519044085000);
	assert_int_equal(asn1(&ms, utc, "500101000000Z"), 0);
	assert_int_equal(ms, -631152000000); /* 1950 */
	assert_int_equal(asn1(&ms, gen, "20500101000000Z"), 0);
	assert_int_equal(ms, 2524608000000);
	assert_int_equal(asn1(&ms, gen, "99991231235959Z"), 0);
	assert_int_equal(ms, 253402300799000);
	assert_int_equal(asn1(&ms, gen, "20491231235959Z"), -1);
	assert_int_equal(asn1(&ms, gen, "20500101000000.0Z"), -1);
	assert_int_equal(asn1(&ms, gen, "261121090000Z"), -1);
	assert_int_equal(asn1(&ms, utc, "20500101000000Z"), -1);
	assert_int_equal(asn1(&ms, utc, "2611210900Z"), -1);
	assert_int_equal(asn1(&ms, utc, "2611210900000"), -1);
	assert_int_equal(asn1(&ms, utc, "261121090000ZZ"), -1);
	assert_int_equal(asn1(&ms, gen, "20500101000000Z0"), -1);
	assert_int_equal(asn1(&ms, utc, "260230090000Z"), -1);
	assert_int_equal(asn1(&ms, utc, "26112109000aZ"), -1);
	assert_int_equal(asn1(&ms, utc, "-61121090000Z"), -1);
	assert_int_equal(asn1(&ms, V_ASN1_OCTET_STRING, "261121090000Z"), -1);
	assert_int_equal(asn1(&ms, utc, ""), -1);
}

static void test_format(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	moment_format(1795251600123, text);
	assert_string_equal(text, "2026-11-21T09:00:00.123Z");
	moment_format(MOMENT_MAX_MS, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	moment_format(-1, text);
	assert_string_equal(text, "-1 ms");
	moment_format(INT64_MIN, text);
	assert_string_equal(text, "-9223372036854775808 ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rfc3339),
	    cmocka_unit_test(test_rfc3339_refused),
	    cmocka_unit_test(test_calendar),
	    cmocka_unit_test(test_asn1),
	    cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
