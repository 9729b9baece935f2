/*
 * iso_time: the times of exchanges that write them out (RFC 3339, section 5.6,
 * in UTC). Pure; no time zone, no locale.
 */
#ifndef HALLMARK_FEEDS_EXCHANGES_ISO_TIME_H
#define HALLMARK_FEEDS_EXCHANGES_ISO_TIME_H

#include <stdint.h>

/* "2026-06-19T16:43:33.016274911Z", 0 to 9 digits after the point, as Unix ms;
 * what is finer is cut off. Years 1970 to 9999; no leap second, since Unix
 * time has none. 0, or -1 and *out is 0. */
__attribute__((warn_unused_result)) int iso_time_parse(
    int64_t *out, const char *text);

#endif
