/*
 * moment: dates as Unix milliseconds, in the two spellings that reach the
 * verifier. A date that the calendar does not have (Feb 30, second 60) is
 * refused.
 */
#ifndef HALLMARK_VERIFIER_MOMENT_H
#define HALLMARK_VERIFIER_MOMENT_H

#include <openssl/asn1.h>
#include <stddef.h>
#include <stdint.h>

#define MOMENT_TEXT_MAX 32
#define MOMENT_MAX_MS   253402300799999 /* the last ms of the year 9999 */

/* "2026-11-01T00:00:00.123Z", for people; before 1970 and after 9999 the
 * number. */
void moment_format(int64_t ms, char out[MOMENT_TEXT_MAX]);

/* RFC 3339 in UTC: "2026-11-01T00:00:00Z", with up to three digits of a second
 * behind a point. 0 or -1. */
__attribute__((warn_unused_result)) int moment_parse_rfc3339(
    int64_t *ms, const char *text);

/* RFC 5280, 4.1.2.5: UTCTime YYMMDDHHMMSSZ until 2049, GeneralizedTime
 * YYYYMMDDHHMMSSZ from 2050, nothing else. 0 or -1. */
__attribute__((warn_unused_result)) int moment_from_asn1(
    int64_t *ms, const ASN1_TIME *time);

#endif
