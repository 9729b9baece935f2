/*
 * cursor: reads CBOR (RFC 8949) one item at a time from memory that somebody
 * else may have written. No tree, no allocation, no recursion; every pointer
 * it gives points into the caller's bytes.
 *
 * Refused, because nothing that we read has a use for them: heads that are
 * not the shortest (4.2.1), indefinite strings and arrays, reserved additional
 * information, floats, undefined, other simple values and negative integers.
 * Indefinite maps are read only where the caller says so: AWS writes the
 * document's outer map that way since 2025.
 *
 * Every function returns 0, or -1 for anything else than what was asked for.
 * After -1 the cursor's place is not defined: give up.
 */
#ifndef HALLMARK_VERIFIER_CURSOR_H
#define HALLMARK_VERIFIER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURSOR_MUST_CHECK __attribute__((warn_unused_result))

struct slice { /* borrowed */
	const uint8_t *at;
	size_t len;
};

struct cursor {
	const uint8_t *at, *end;
};

/* Where one is in a map. */
struct cursor_map {
	bool indefinite;
	uint64_t left; /* entries not read yet, of a definite map */
};

void cursor_init(struct cursor *cursor, struct slice bytes);

CURSOR_MUST_CHECK int cursor_array(struct cursor *cursor, uint64_t *count);
CURSOR_MUST_CHECK int cursor_map(
    struct cursor *cursor, struct cursor_map *map, bool may_be_indefinite);
/* 1: another key and value follow; 0: the map ended; -1. */
CURSOR_MUST_CHECK int cursor_map_next(
    struct cursor *cursor, struct cursor_map *map);
CURSOR_MUST_CHECK int cursor_uint(struct cursor *cursor, uint64_t *value);
CURSOR_MUST_CHECK int cursor_bool(struct cursor *cursor, bool *value);
/* min <= length <= max */
CURSOR_MUST_CHECK int cursor_bytes(
    struct cursor *cursor, struct slice *out, size_t min, size_t max);
/* UTF-8 is not looked at: compare, or check the characters yourself. */
CURSOR_MUST_CHECK int cursor_text(
    struct cursor *cursor, struct slice *out, size_t min, size_t max);
/* If null comes next, steps over it. */
bool cursor_take_null(struct cursor *cursor);
/* If this tag (below 24) comes next, steps over it. Tags are refused anywhere
 * else. */
bool cursor_take_tag(struct cursor *cursor, unsigned tag);
/* An unsigned integer, a string of either kind or null, whatever its value. */
CURSOR_MUST_CHECK int cursor_skip_scalar(struct cursor *cursor);
/* -1 if a byte is left. */
CURSOR_MUST_CHECK int cursor_end(const struct cursor *cursor);

bool slice_is(struct slice slice, const char *text);
/* The same bytes; of different lengths: false. */
bool slice_equal(struct slice a, struct slice b);

#endif
