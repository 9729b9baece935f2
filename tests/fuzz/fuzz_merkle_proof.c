/*
 * fuzz_merkle_proof: any numbers and hashes are safe, and whatever proof holds
 * for a leaf and a size of a real tree is the one that the tree itself makes.
 *
 * The input: two numbers of 8 bytes (index and size, or both sizes), one byte
 * that says which is asked, then hashes of 32 bytes.
 */
#include "tests/fuzz/merkle_leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct hm_log_proof *a, const struct hm_log_proof *b)
{
	return a->count == b->count &&
	       memcmp(a->hashes, b->hashes, a->count * 32) == 0;
}

static void ask_inclusion(
    uint64_t index, uint64_t size, const struct hm_log_proof *proof)
{
	struct hm_log_proof real;
	uint8_t root[32] = {0};
	const uint8_t *leaf = leaves[index % LEAVES];
	bool in_tree = index < size && size <= LEAVES;

	if (in_tree && merkle_root_of(get, NULL, size, root) != 0)
		abort();
	if (in_tree && merkle_inclusion(get, NULL, index, size, &real) != 0)
		abort();
	if (merkle_inclusion_holds(leaf, index, size, root, proof) !=
	    (in_tree && same(proof, &real)))
		abort();
	if (in_tree && !merkle_inclusion_holds(leaf, index, size, root, &real))
		abort();
}

static void ask_consistency(
    uint64_t first, uint64_t second, const struct hm_log_proof *proof)
{
	struct hm_log_proof real;
	uint8_t a[32] = {0}, b[32] = {1};
	bool in_tree = first > 0 && first <= second && second <= LEAVES;

	if (in_tree && (merkle_root_of(get, NULL, first, a) != 0 ||
			   merkle_root_of(get, NULL, second, b) != 0))
		abort();
	if (in_tree && merkle_consistency(get, NULL, first, second, &real) != 0)
		abort();
	if (merkle_consistency_holds(first, a, second, b, proof) !=
	    (in_tree && same(proof, &real)))
		abort();
	if (in_tree && !merkle_consistency_holds(first, a, second, b, &real))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hm_log_proof proof = {.count = 0};
	uint64_t a, b;

	make_leaves();
	if (size < 17)
		return 0;
	memcpy(&a, data, 8);
	memcpy(&b, data + 8, 8);
	proof.count = (size - 17) / 32;
	if (proof.count > HM_LOG_HASHES_MAX)
		return 0;
	memcpy(proof.hashes, data + 17, proof.count * 32);
	if (data[16] % 2 == 0)
		ask_inclusion(a, b, &proof);
	else
		ask_consistency(a, b, &proof);
	return 0;
}
