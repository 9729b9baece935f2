/*
 * recent: which of a bounded number of places holds what, by a SHA-256, and
 * which of them was not asked for the longest: that one makes room. The owner
 * keeps what it holds in an array of its own with the same indices.
 *
 * A plain array, searched from end to end: a few thousand keys are compared in
 * microseconds, against milliseconds for the signatures that a hit spares.
 */
#ifndef HALLMARK_VERIFIER_RECENT_H
#define HALLMARK_VERIFIER_RECENT_H

#include "verifier/hallmark.h"

struct recent {
	size_t max, count; /* places; those in use, 0 to count - 1 */
	uint64_t turn;
	struct recent_key {
		uint8_t sha256[HM_SHA256_LEN];
		uint64_t used; /* the value of `turn` when last asked for */
	} * keys;              /* max of them */
};

/* max: 1 or more. 0 or -1 (no memory), and then it is empty. */
HM_MUST_CHECK int recent_init(struct recent *recent, size_t max);
void recent_fini(struct recent *recent);

/* Its place, or `count` if it has none. */
size_t recent_find(
    const struct recent *recent, const uint8_t sha256[HM_SHA256_LEN]);
/* It was asked for. */
void recent_touch(struct recent *recent, size_t place);

/* A place for one that has none: a free one (then count is one more), or that
 * of the least recently used, which the owner then drops. */
size_t recent_take(struct recent *recent, const uint8_t sha256[HM_SHA256_LEN]);

#endif
