/*
 * sgx_json: members of Intel's JSON (PCS API v4), of a type each, and the exact
 * text of one. A member that is missing or of another type is an error, and so
 * is one that does not fit.
 */
#ifndef HALLMARK_VERIFIER_SGX_JSON_H
#define HALLMARK_VERIFIER_SGX_JSON_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#include <jansson.h>

/* Hexadecimal digits of either case, 2 * len of them. 0 or -1; so below. */
HM_MUST_CHECK int sgx_json_hex(
    const json_t *object, const char *key, uint8_t *out, size_t len);
/* 0 to max. */
HM_MUST_CHECK int sgx_json_number(
    const json_t *object, const char *key, int64_t max, int64_t *out);
/* RFC 3339 in UTC. */
HM_MUST_CHECK int sgx_json_time(
    const json_t *object, const char *key, int64_t *ms);

/* The text of a member's value in an object that jansson has read: its bytes as
 * they stand there. Only keys without escapes are found. */
HM_MUST_CHECK int sgx_json_text(
    struct slice *out, const char *json, size_t len, const char *key);

#endif
