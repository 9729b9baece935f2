/*
 * fuzz_nonce: any nonces, numbers and paths are safe, and what is taken for an
 * answer to a nonce is one: the nonce itself, or the very path that the tree
 * makes for a leaf of this nonce.
 *
 * The input: one byte that says which nonce of the tree is asked for, then
 * index and size of 8 bytes each, then a path of 32 bytes a hash.
 */
#include "tests/fuzz/merkle_leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is this what the oracle would have answered? */
static bool is_real(uint8_t nonce, uint64_t index, uint64_t size,
    const uint8_t (*path)[32], size_t count)
{
	struct hm_log_proof real;

	if (nonce != index || index >= size || size > LEAVES ||
	    merkle_inclusion(get, NULL, index, size, &real) != 0)
		return false;
	return real.count == count &&
	       memcmp(real.hashes, path, count * 32) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t path[HM_LOG_HASHES_MAX + 1][32], root[32];
	uint64_t index, tree_size;
	size_t count;
	bool real;

	make_leaves();
	if (size < 17 || (size - 17) / 32 > HM_LOG_HASHES_MAX + 1)
		return 0;
	memcpy(&index, data + 1, 8);
	memcpy(&tree_size, data + 9, 8);
	count = (size - 17) / 32;
	memcpy(path, data + 17, count * 32);
	/* a document of the size that is claimed, if there is one */
	if (merkle_root_of(get, NULL,
		tree_size > 0 && tree_size <= LEAVES ? tree_size : LEAVES,
		root) != 0)
		abort();
	real = is_real(
	    data[0], index, tree_size, (const uint8_t(*)[32])path, count);
	if ((hm_nonce_verify(root, 32, data, 1, index, tree_size,
		 (const uint8_t(*)[32])path, count) == HM_VALID) != real)
		abort();
	/* and a document whose nonce is anything: plain, or never */
	if ((hm_nonce_verify(data, size, data, size, index, tree_size,
		 (const uint8_t(*)[32])path, count) == HM_VALID) !=
	    (tree_size == 0 && count == 0))
		abort();
	return 0;
}
