/*
 * flat_json: a JSON object whose values are all strings (RFC 8259), read
 * without a tree and without an allocation: the hot path of each item. As
 * strict as it can be: each key at most once and none but those asked for, no
 * NUL, no lone surrogate, no invalid UTF-8, nothing behind the object. Pure.
 */
#ifndef HALLMARK_VERIFIER_FLAT_JSON_H
#define HALLMARK_VERIFIER_FLAT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define FLAT_KEY_MAX 32 /* bytes of a key that is asked for */

/* A string as it is written, between its quotes; borrowed from the JSON. */
struct flat_text {
	const char *at; /* NULL: the key is not there */
	size_t len;
	bool escaped; /* if not, it says what it is */
};

struct flat_field {
	const char *key;
	struct flat_text value; /* set by flat_json_parse */
};

/* 0 or -1; then the values are not to be used. */
__attribute__((warn_unused_result)) int flat_json_parse(
    struct flat_field *fields, size_t count, const char *json, size_t len);

/* Writes what the text says, never more than text->len bytes, no NUL among
 * them and none behind. Returns how many. For texts of flat_json_parse. */
size_t flat_text_decode(const struct flat_text *text, char *out);

#endif
