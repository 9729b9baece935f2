/*
 * flat_json: a JSON object whose values are all strings (RFC 8259), or, where
 * it is asked for, an array of such objects, read without a tree and without
 * an allocation: the hot path of each item. As
 * strict as it can be: each key at most once and none but those asked for, no
 * NUL, no lone surrogate, no invalid UTF-8, nothing behind the object. Pure.
 */
#ifndef HALLMARK_VERIFIER_FLAT_JSON_H
#define HALLMARK_VERIFIER_FLAT_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* How much longer than the JSON the room for the texts must be. */
#define FLAT_JSON_SLACK 8

struct flat_list;

struct flat_field {
	const char *key;
	struct flat_list *list; /* not NULL: an array; text is then "" */
	/* Set by flat_json_parse: what the string says, without a NUL in it or
	 * behind it. NULL: the key is not there. */
	const char *text;
	size_t len;
};

/* An array of objects of strings; theirs have no lists. */
struct flat_list {
	struct flat_field *fields; /* max times `each`, with their keys */
	size_t each, max;
	size_t count; /* set by flat_json_parse */
};

/* 0 or -1; then the texts are not to be used. They stand in `room`, of len +
 * FLAT_JSON_SLACK bytes, which the caller keeps as long as he needs them. */
__attribute__((warn_unused_result)) int flat_json_parse(
    struct flat_field *fields, size_t count, const char *json, size_t len,
    char *room);

#endif
