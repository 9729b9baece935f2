/* Merkle trees: the Certificate Transparency reference tree, and every size up
 * to 130 against the definition of RFC 6962, 2.1 written down as it stands. Of
 * the larger trees' proofs some bits are flipped, or, with HALLMARK_LONG=1, all
 * (some minutes). */
#include "verifier/merkle.h"

#include "feeds/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_MAX_TRIED 130

/* ---- a log of leaf hashes ---- */

static uint8_t leaves[SIZE_MAX_TRIED][32];
static size_t leaf_count; /* what is kept */

/* MTH of RFC 6962, 2.1, over hashes of leaves. */
static void definition(const uint8_t (*at)[32], size_t count, uint8_t out[32])
{
	uint8_t left[32], right[32];
	size_t k = 1;

	if (count == 1) {
		memcpy(out, at[0], 32);
		return;
	}
	while (2 * k < count)
		k *= 2;
	definition(at, k, left);
	definition(at + k, count - k, right);
	assert_int_equal(merkle_node(left, right, out), 0);
}

static int get_leaf(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	(void)data;
	assert_int_equal(level, 0);
	if (index >= leaf_count)
		return -1;
	memcpy(out, leaves[index], 32);
	return 0;
}

/* Full subtrees only: what a keeper has. */
static int get(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	assert_true((index + 1) << level <= leaf_count);
	return merkle_fold(get_leaf, data, 0, level, index, out);
}

static void root_of(size_t count, uint8_t out[32])
{
	definition((const uint8_t(*)[32])leaves, count, out);
}

static int setup(void **state)
{
	(void)state;
	leaf_count = SIZE_MAX_TRIED;
	for (size_t i = 0; i < leaf_count; i++) {
		uint8_t entry[2] = {(uint8_t)i, 0x5a};

		assert_int_equal(merkle_leaf(entry, 2, leaves[i]), 0);
	}
	return 0;
}

/* ---- the reference tree of Certificate Transparency ---- */

static const char *const ct_entries[8] = {"", "00", "10", "2021", "3031",
    "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
/* By size. */
static const char *const ct_roots[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

struct ct_path {
	uint64_t a, b; /* index and size, or both sizes */
	const char *hashes[3];
};
static const struct ct_path ct_inclusion[] = {
    {0, 1, {NULL}},
    {0, 8,
	{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6"
	    "e4"}},
    {5, 8,
	{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614"
	    "b7"}},
    {2, 3,
	{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	    NULL}},
    {1, 5,
	{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e"
	    "6b"}},
};
static const struct ct_path ct_consistency[] = {
    {1, 1, {NULL}},
    {1, 8,
	{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6"
	    "e4"}},
    {6, 8,
	{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614"
	    "b7"}},
    {2, 5,
	{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    NULL}},
};

static void is_hex(const uint8_t hash[32], const char *hex)
{
	char text[65];

	hex_encode(hash, 32, text);
	assert_string_equal(text, hex);
}

static void from_hex(uint8_t out[32], const char *hex)
{
	assert_int_equal(hex_decode(out, 32, hex, strlen(hex)), 0);
}

static int ct_setup(void **state)
{
	(void)state;
	leaf_count = 8;
	for (size_t i = 0; i < 8; i++) {
		size_t len = strlen(ct_entries[i]) / 2;
		uint8_t entry[16];

		assert_int_equal(
		    hex_decode(entry, len, ct_entries[i], 2 * len), 0);
		assert_int_equal(merkle_leaf(entry, len, leaves[i]), 0);
	}
	return 0;
}

static void test_ct_roots(void **state)
{
	struct merkle tree = {.size = 0};
	uint8_t root[32];

	(void)state;
	for (size_t size = 0; size <= 8; size++) {
		assert_int_equal(merkle_root(&tree, root), 0);
		is_hex(root, ct_roots[size]);
		assert_int_equal(merkle_root_of(get, NULL, size, root), 0);
		is_hex(root, ct_roots[size]);
		if (size < 8)
			assert_int_equal(
			    merkle_append(&tree, leaves[size], NULL, NULL), 0);
	}
}

static void is_path(const struct hm_log_proof *proof, const struct ct_path *p)
{
	for (size_t i = 0; i < proof->count; i++)
		is_hex(proof->hashes[i], p->hashes[i]);
	assert_true(proof->count == 3 || p->hashes[proof->count] == NULL);
}

static void test_ct_inclusion(void **state)
{
	struct hm_log_proof proof;
	uint8_t root[32];

	(void)state;
	for (size_t i = 0; i < sizeof(ct_inclusion) / sizeof(*ct_inclusion);
	     i++) {
		const struct ct_path *p = &ct_inclusion[i];

		assert_int_equal(
		    merkle_inclusion(get, NULL, p->a, p->b, &proof), 0);
		is_path(&proof, p);
		from_hex(root, ct_roots[p->b]);
		assert_true(merkle_inclusion_holds(
		    leaves[p->a], p->a, p->b, root, &proof));
	}
}

static void test_ct_consistency(void **state)
{
	struct hm_log_proof proof;
	uint8_t first[32], second[32];

	(void)state;
	for (size_t i = 0; i < sizeof(ct_consistency) / sizeof(*ct_consistency);
	     i++) {
		const struct ct_path *p = &ct_consistency[i];

		assert_int_equal(
		    merkle_consistency(get, NULL, p->a, p->b, &proof), 0);
		is_path(&proof, p);
		from_hex(first, ct_roots[p->a]);
		from_hex(second, ct_roots[p->b]);
		assert_true(merkle_consistency_holds(
		    p->a, first, p->b, second, &proof));
	}
}

/* ---- every size ---- */

static void full(
    void *data, unsigned level, uint64_t index, const uint8_t hash[32])
{
	size_t *calls = data;
	uint8_t wanted[32];

	++*calls;
	definition((const uint8_t(*)[32])leaves + (index << level),
	    (size_t)1 << level, wanted);
	assert_memory_equal(hash, wanted, 32);
}

static void test_grows(void **state)
{
	struct merkle tree = {.size = 0}, again;
	uint8_t root[32], wanted[32];
	size_t calls = 0;

	(void)state;
	for (size_t size = 1; size <= SIZE_MAX_TRIED; size++) {
		assert_int_equal(
		    merkle_append(&tree, leaves[size - 1], full, &calls), 0);
		assert_int_equal(tree.size, size);
		assert_int_equal(merkle_root(&tree, root), 0);
		root_of(size, wanted);
		assert_memory_equal(root, wanted, 32);
		assert_int_equal(merkle_root_of(get, NULL, size, root), 0);
		assert_memory_equal(root, wanted, 32);
		/* one subtree for each leaf, less those not full yet */
		assert_int_equal(calls, 2 * size - tree.frontier_count);
		/* another goes on from here */
		assert_int_equal(merkle_resume(&again, size,
				     (const uint8_t(*)[32])tree.frontier,
				     tree.frontier_count),
		    0);
		assert_memory_equal(
		    again.frontier, tree.frontier, 32 * tree.frontier_count);
		tree = again;
	}
}

/* A proof with each of its bits flipped, one short, one long, is refused. */
typedef bool (*holds_cb)(const struct hm_log_proof *proof, void *data);

static size_t stride_of(uint64_t size)
{
	const char *all = getenv("HALLMARK_LONG");

	return size <= 9 || (all != NULL && strcmp(all, "1") == 0) ? 1 : 257;
}

static void only_this_holds(
    struct hm_log_proof *proof, holds_cb holds, void *data, size_t stride)
{
	assert_true(holds(proof, data));
	for (size_t bit = 0; bit < 256 * proof->count; bit += stride) {
		uint8_t *byte = &proof->hashes[bit / 256][bit % 256 / 8];

		*byte ^= (uint8_t)(1u << bit % 8);
		assert_false(holds(proof, data));
		*byte ^= (uint8_t)(1u << bit % 8);
	}
	proof->count++;
	assert_false(holds(proof, data));
	proof->count--;
	if (proof->count == 0)
		return;
	proof->count--;
	assert_false(holds(proof, data));
	proof->count++;
}

struct inclusion {
	uint64_t index, size;
	uint8_t leaf[32], root[32];
};

static bool included(const struct hm_log_proof *proof, void *data)
{
	const struct inclusion *c = data;
	bool holds = merkle_inclusion_holds(
	    c->leaf, c->index, c->size, c->root, proof);

	return holds;
}

static void test_inclusion(void **state)
{
	struct hm_log_proof proof;
	struct inclusion c;

	(void)state;
	for (c.size = 1; c.size <= SIZE_MAX_TRIED; c.size++) {
		root_of(c.size, c.root);
		for (c.index = 0; c.index < c.size; c.index++) {
			assert_int_equal(merkle_inclusion(get, NULL, c.index,
					     c.size, &proof),
			    0);
			memcpy(c.leaf, leaves[c.index], 32);
			only_this_holds(
			    &proof, included, &c, stride_of(c.size));
			c.leaf[c.index % 32] ^= 1;
			assert_false(included(&proof, &c));
			c.leaf[c.index % 32] ^= 1;
			c.root[c.index % 32] ^= 0x80;
			assert_false(included(&proof, &c));
			c.root[c.index % 32] ^= 0x80;
		}
	}
}

struct consistency {
	uint64_t first, second;
	uint8_t first_root[32], second_root[32];
};

static bool consistent(const struct hm_log_proof *proof, void *data)
{
	const struct consistency *c = data;

	return merkle_consistency_holds(
	    c->first, c->first_root, c->second, c->second_root, proof);
}

static void roots_count(struct hm_log_proof *proof, struct consistency *c)
{
	c->first_root[c->second % 32] ^= 4;
	assert_false(consistent(proof, c));
	c->first_root[c->second % 32] ^= 4;
	c->second_root[c->first % 32] ^= 4;
	assert_false(consistent(proof, c));
	c->second_root[c->first % 32] ^= 4;
}

static void test_consistency(void **state)
{
	struct hm_log_proof proof;
	struct consistency c;

	(void)state;
	for (c.second = 1; c.second <= SIZE_MAX_TRIED; c.second++) {
		root_of(c.second, c.second_root);
		for (c.first = 1; c.first <= c.second; c.first++) {
			root_of(c.first, c.first_root);
			assert_int_equal(merkle_consistency(get, NULL, c.first,
					     c.second, &proof),
			    0);
			only_this_holds(
			    &proof, consistent, &c, stride_of(c.second));
			roots_count(&proof, &c);
		}
	}
}

/* A history that was rewritten before its `first` leaves are over. */
static void test_rewritten(void **state)
{
	struct hm_log_proof proof;
	uint8_t first[32], second[32];

	(void)state;
	for (size_t changed = 0; changed < 20; changed++) {
		root_of(20, first);
		leaves[changed][0] ^= 1;
		for (size_t size = 20; size < 40; size++) {
			root_of(size, second);
			assert_int_equal(
			    merkle_consistency(get, NULL, 20, size, &proof), 0);
			assert_false(merkle_consistency_holds(
			    20, first, size, second, &proof));
		}
		leaves[changed][0] ^= 1;
	}
}

/* ---- what is asked wrongly ---- */

/* The hashes of a proof say nothing of the sizes that are claimed with it. */
static void test_other_claims(void **state)
{
	struct hm_log_proof proof;
	uint8_t root[32];

	(void)state;
	root_of(8, root);
	assert_int_equal(merkle_inclusion(get, NULL, 7, 8, &proof), 0);
	assert_true(merkle_inclusion_holds(leaves[7], 7, 8, root, &proof));
	/* behind the end, too low a tree, too high a tree */
	assert_false(merkle_inclusion_holds(leaves[7], 15, 8, root, &proof));
	assert_false(merkle_inclusion_holds(leaves[7], 1, 2, root, &proof));
	assert_false(merkle_inclusion_holds(leaves[7], 15, 16, root, &proof));
	assert_false(merkle_inclusion_holds(leaves[7], 0, 0, root, &proof));
	assert_false(
	    merkle_inclusion_holds(leaves[7], 7, UINT64_MAX, root, &proof));
}

static void test_other_sizes(void **state)
{
	struct hm_log_proof proof;
	uint8_t first[32], second[32];

	(void)state;
	root_of(7, first);
	root_of(8, second);
	assert_int_equal(merkle_consistency(get, NULL, 7, 8, &proof), 0);
	assert_true(merkle_consistency_holds(7, first, 8, second, &proof));
	assert_false(merkle_consistency_holds(8, second, 7, first, &proof));
	assert_false(merkle_consistency_holds(7, first, 16, second, &proof));
	assert_false(merkle_consistency_holds(3, first, 4, second, &proof));
	assert_false(merkle_consistency_holds(15, first, 16, second, &proof));
	assert_false(merkle_consistency_holds(0, first, 8, second, &proof));
	memset(&proof, 0, sizeof(proof));
	assert_false(merkle_consistency_holds(7, first, 8, first, &proof));
	assert_true(merkle_consistency_holds(4, first, 4, first, &proof));
	assert_false(merkle_consistency_holds(4, first, 4, second, &proof));
	assert_false(merkle_consistency_holds(0, first, 0, first, &proof));
	assert_false(merkle_consistency_holds(0, first, 5, first, &proof));
	assert_false(merkle_consistency_holds(4, first, 2, first, &proof));
	proof.count = 1;
	assert_false(merkle_consistency_holds(4, first, 4, first, &proof));
}

/* The way up the left edge of a tree that is larger than trees are. */
static void test_too_large(void **state)
{
	struct hm_log_proof proof = {.count = 54};
	uint8_t leaf[32] = {1}, root[32];

	(void)state;
	memcpy(root, leaf, 32);
	for (size_t i = 0; i < proof.count; i++) {
		memset(proof.hashes[i], (int)i, 32);
		assert_int_equal(merkle_node(root, proof.hashes[i], root), 0);
	}
	assert_false(
	    merkle_inclusion_holds(leaf, 0, UINT64_C(1) << 54, root, &proof));
	assert_false(
	    merkle_consistency_holds(1, leaf, UINT64_C(1) << 54, root, &proof));
	/* one level less is one hash less */
	memcpy(root, leaf, 32);
	proof.count = 53;
	for (size_t i = 0; i < proof.count; i++)
		assert_int_equal(merkle_node(root, proof.hashes[i], root), 0);
	assert_true(
	    merkle_inclusion_holds(leaf, 0, MERKLE_SIZE_MAX, root, &proof));
	assert_true(
	    merkle_consistency_holds(1, leaf, MERKLE_SIZE_MAX, root, &proof));
}

static int get_any(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	(void)data;
	memset(out, (int)(level + index), 32);
	return 0;
}

static int get_none(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	memset(out, 0xaa, 32);
	(void)data;
	(void)level;
	(void)index;
	return -1;
}

static void test_no_proof(void **state)
{
	static const struct hm_log_proof zero;
	struct hm_log_proof proof;
	uint8_t root[32];

	(void)state;
#define NONE(call)                                                \
	do {                                                      \
		memset(&proof, 0xaa, sizeof(proof));              \
		assert_int_equal(call, -1);                       \
		assert_memory_equal(&proof, &zero, sizeof(zero)); \
	} while (0)
	NONE(merkle_inclusion(get_any, NULL, 0, 0, &proof));
	NONE(merkle_inclusion(get_any, NULL, 5, 5, &proof));
	NONE(merkle_inclusion(get_any, NULL, 5, MERKLE_SIZE_MAX + 1, &proof));
	NONE(merkle_consistency(get_any, NULL, 0, 5, &proof));
	NONE(merkle_consistency(get_any, NULL, 6, 5, &proof));
	NONE(merkle_consistency(get_any, NULL, 5, MERKLE_SIZE_MAX + 1, &proof));
	/* what nobody has */
	NONE(merkle_inclusion(get_none, NULL, 0, 2, &proof));
	NONE(merkle_consistency(get_none, NULL, 1, 2, &proof));
	assert_int_equal(
	    merkle_root_of(get_any, NULL, MERKLE_SIZE_MAX + 1, root), -1);
	assert_int_equal(
	    merkle_root_of(get_any, NULL, MERKLE_SIZE_MAX, root), 0);
	leaf_count = 10;
	assert_int_equal(merkle_fold(get_leaf, NULL, 0, 3, 1, root), -1);
	leaf_count = SIZE_MAX_TRIED;
}

static void test_full_tree(void **state)
{
	struct merkle tree = {.size = MERKLE_SIZE_MAX, .frontier_count = 53};
	uint8_t frontier[HM_LOG_HASHES_MAX][32] = {{0}};

	(void)state;
	assert_int_equal(merkle_append(&tree, frontier[0], NULL, NULL), -1);
	assert_int_equal(tree.size, MERKLE_SIZE_MAX);
	assert_int_equal(
	    merkle_resume(&tree, 7, (const uint8_t(*)[32])frontier, 2), -1);
	assert_int_equal(tree.size, 0);
	assert_int_equal(merkle_resume(&tree, MERKLE_SIZE_MAX + 1,
			     (const uint8_t(*)[32])frontier, 1),
	    -1);
	assert_int_equal(merkle_resume(&tree, 0, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest reference[] = {
	    cmocka_unit_test(test_ct_roots),
	    cmocka_unit_test(test_ct_inclusion),
	    cmocka_unit_test(test_ct_consistency),
	};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grows),
	    cmocka_unit_test(test_inclusion),
	    cmocka_unit_test(test_consistency),
	    cmocka_unit_test(test_rewritten),
	    cmocka_unit_test(test_other_claims),
	    cmocka_unit_test(test_other_sizes),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_no_proof),
	    cmocka_unit_test(test_full_tree),
	};
	int failed = cmocka_run_group_tests_name(
	    "merkle_reference", reference, ct_setup, NULL);

	return failed +
	       cmocka_run_group_tests_name("merkle", tests, setup, NULL);
}
