/*
 * decoder: takes CBOR (RFC 8949) apart one head at a time, over libcbor's
 * stream decoder: no allocation, no recursion, nothing copied. The caller
 * knows what has to come next and refuses the rest.
 */
#ifndef HALLMARK_ORACLE_DECODER_H
#define HALLMARK_ORACLE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decoder_kind {
	DECODER_OTHER, /* negative, float, tag, chunked string: not ours */
	DECODER_UINT,
	DECODER_BYTES,
	DECODER_TEXT,
	DECODER_ARRAY,
	DECODER_MAP,
	DECODER_BOOL,
	DECODER_NULL,
	DECODER_BREAK
};

#define DECODER_INDEFINITE UINT64_MAX /* items until a break */

struct decoder_item {
	enum decoder_kind kind;
	uint64_t value; /* uint, bool, items of an array, pairs of a map */
	const uint8_t *bytes; /* bytes, text: borrowed from the input */
	size_t len;
};

struct decoder {
	const uint8_t *at; /* borrowed */
	size_t left;
};

enum decoder_status {
	DECODER_OK,
	DECODER_TRUNCATED,
	DECODER_MALFORMED
};

/* The next head, with the whole of a string's bytes. On failure *out is
 * zeroed and nothing is consumed. */
__attribute__((warn_unused_result)) enum decoder_status decoder_next(
    struct decoder *d, struct decoder_item *out);

#endif
