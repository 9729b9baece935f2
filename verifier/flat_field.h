/*
 * flat_field: the value of one field of a JSON that nobody signed, in the one
 * form that it may have: it must not be able to say anything in two ways. What
 * is not there (text NULL, len 0) is refused as what is empty. Pure.
 */
#ifndef HALLMARK_VERIFIER_FLAT_FIELD_H
#define HALLMARK_VERIFIER_FLAT_FIELD_H

#include "verifier/flat_json.h"

#include <stdint.h>

/* 1 to max bytes. */
bool flat_field_fits(const struct flat_field *field, size_t max);

/* Text of 1 to max bytes in a new buffer with a NUL behind it, which the caller
 * frees; NULL: another length, no memory. */
char *flat_field_text(const struct flat_field *field, size_t max);

/* 1 to max bytes (or up to the next multiple of 3), in canonical base64
 * (base64.h): 0, and the caller frees *out; or -1, and *out is NULL. */
__attribute__((warn_unused_result)) int flat_field_base64(
    const struct flat_field *field, size_t max, uint8_t **out, size_t *len);

/* Exactly len bytes in lower-case hex: 0, or -1. */
__attribute__((warn_unused_result)) int flat_field_hex(
    const struct flat_field *field, uint8_t *out, size_t len);

#endif
