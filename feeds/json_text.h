/*
 * json_text: JSON whose numbers keep their text. jansson reads a number with
 * a fraction into a double, and money must not pass through one. So a scanner
 * checks each number by RFC 8259 section 6 and hands it to jansson as a marked
 * string; whether a value was a number or a string can still be told. Pure.
 */
#ifndef HALLMARK_FEEDS_JSON_TEXT_H
#define HALLMARK_FEEDS_JSON_TEXT_H

#include "feeds/decimal.h"

#include <jansson.h>
#include <stdbool.h>

#define JSON_TEXT_BYTES_MAX  (2u << 20) /* of a text */
#define JSON_TEXT_VALUES_MAX 131072     /* facts: 1546 markets have 43,000 */
/* Of one array or object; facts: 2500 markets, some rows twice. Adapters look
 * at each for each symbol that was asked for: 65,000 rows and 200 symbols took
 * 0.4 s, in which nothing else was done. */
#define JSON_TEXT_MEMBERS_MAX 8192
#define JSON_TEXT_DEPTH_MAX   16 /* facts: the deepest answer has 5 */

/*
 * An array or object, or NULL: not JSON by RFC 8259, a duplicate key, bytes
 * after it, over a ceiling, or a string that starts with the mark (the escape
 * \u0001, which no exchange has reason to send). json_decref() it.
 */
__attribute__((warn_unused_result)) json_t *json_text_parse(
    const char *text, size_t len);

/* The characters of a JSON string, until the value goes; NULL if the value is
 * NULL or anything else, a number too. */
const char *json_text_string(const json_t *value);

bool json_text_is_number(const json_t *value);

/* A number, or a string that holds one and nothing else: exchanges send both.
 * 0 or an enum decimal_error, and then *out is zeroed. */
__attribute__((warn_unused_result)) int json_text_decimal(
    struct decimal *out, const json_t *value);

/* The same for plain digits with an optional minus, no point, no exponent,
 * that fit an int64_t. 0 or -1, and then *out is 0. */
__attribute__((warn_unused_result)) int json_text_integer(
    int64_t *out, const json_t *value);

#endif
