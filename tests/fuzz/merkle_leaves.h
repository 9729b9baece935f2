/* merkle_leaves: a tree whose leaves are the bytes 0 to 63, for the fuzzers of
 * proofs and paths. */
#ifndef HALLMARK_TESTS_FUZZ_MERKLE_LEAVES_H
#define HALLMARK_TESTS_FUZZ_MERKLE_LEAVES_H

#include "verifier/merkle.h"

#include <stdlib.h>
#include <string.h>

#define LEAVES 64

static uint8_t leaves[LEAVES][32];

static inline int get_leaf(
    void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	(void)data;
	if (level != 0 || index >= LEAVES)
		abort();
	memcpy(out, leaves[index], 32);
	return 0;
}

static inline int get(
    void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	return merkle_fold(get_leaf, data, 0, level, index, out);
}

/* Once; then there is nothing to do. */
static inline void make_leaves(void)
{
	static bool made;

	for (size_t i = 0; i < LEAVES && !made; i++) {
		uint8_t entry = (uint8_t)i;

		if (merkle_leaf(&entry, 1, leaves[i]) != 0)
			abort();
	}
	made = true;
}

#endif
