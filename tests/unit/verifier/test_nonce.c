/* A nonce alone, and as one leaf of a tree: whatever is changed is refused. */
#include "verifier/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 11

static uint8_t nonces[COUNT][32], leaves[COUNT][32], root[32];

static int get_leaf(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	(void)data;
	assert_int_equal(level, 0);
	memcpy(out, leaves[index], 32);
	return 0;
}

static int get(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	return merkle_fold(get_leaf, data, 0, level, index, out);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		memset(nonces[i], (int)i + 1, 32);
		assert_int_equal(merkle_leaf(nonces[i], 32, leaves[i]), 0);
	}
	return merkle_root_of(get, NULL, COUNT, root);
}

static enum hm_verdict ask(const uint8_t *nonce, size_t len, uint64_t index,
    uint64_t size, const struct hm_log_proof *path)
{
	return hm_nonce_verify(root, sizeof(root), nonce, len, index, size,
	    (const uint8_t(*)[32])path->hashes, path->count);
}

static void test_plain(void **state)
{
	static const uint8_t nonce[] = "what I asked";
	uint8_t other[sizeof(nonce)];

	(void)state;
	assert_int_equal(
	    hm_nonce_verify(nonce, 12, nonce, 12, 0, 0, NULL, 0), HM_VALID);
	assert_int_equal(hm_nonce_verify(nonce, 12, nonce, 11, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(nonce, 11, nonce, 12, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
	for (size_t bit = 0; bit < 12 * 8; bit++) {
		memcpy(other, nonce, sizeof(nonce));
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
		    hm_nonce_verify(other, 12, nonce, 12, 0, 0, NULL, 0),
		    HM_NONCE_MISMATCH);
	}
}

static void test_nothing(void **state)
{
	static const uint8_t empty[1], some[32];

	(void)state;
	assert_int_equal(hm_nonce_verify(empty, 0, empty, 0, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(some, 32, NULL, 32, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(NULL, 0, some, 32, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(NULL, 0, some, 0, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
}

/* Each of them, and none in another's place. */
static void test_leaves(void **state)
{
	struct hm_log_proof path;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(
		    merkle_inclusion(get, NULL, i, COUNT, &path), 0);
		for (size_t j = 0; j < COUNT; j++)
			assert_int_equal(ask(nonces[j], 32, i, COUNT, &path),
			    i == j ? HM_VALID : HM_NONCE_MISMATCH);
		assert_int_equal(
		    ask(nonces[i], 31, i, COUNT, &path), HM_NONCE_MISMATCH);
		assert_int_equal(
		    ask(nonces[i], 32, i, 0, &path), HM_NONCE_MISMATCH);
		assert_int_equal(
		    ask(nonces[i], 32, COUNT, COUNT, &path), HM_NONCE_MISMATCH);
		assert_int_equal(ask(nonces[i], 32, i, UINT64_MAX, &path),
		    HM_NONCE_MISMATCH);
	}
	/* a tree of one is no less a tree */
	assert_int_equal(
	    hm_nonce_verify(leaves[0], 32, nonces[0], 32, 0, 1, NULL, 0),
	    HM_VALID);
	assert_int_equal(
	    hm_nonce_verify(leaves[0], 32, nonces[0], 32, 0, 0, NULL, 0),
	    HM_NONCE_MISMATCH);
}

static void test_changed_path(void **state)
{
	struct hm_log_proof path, changed;

	(void)state;
	assert_int_equal(merkle_inclusion(get, NULL, 5, COUNT, &path), 0);
	for (size_t bit = 0; bit < path.count * 256; bit++) {
		changed = path;
		changed.hashes[bit / 256][bit / 8 % 32] ^=
		    (uint8_t)(1 << bit % 8);
		assert_int_equal(
		    ask(nonces[5], 32, 5, COUNT, &changed), HM_NONCE_MISMATCH);
	}
	changed = path;
	changed.count--;
	assert_int_equal(
	    ask(nonces[5], 32, 5, COUNT, &changed), HM_NONCE_MISMATCH);
	memset(&changed, 0, sizeof(changed));
	memcpy(&changed, &path, sizeof(path));
	changed.count++;
	assert_int_equal(
	    ask(nonces[5], 32, 5, COUNT, &changed), HM_NONCE_MISMATCH);
}

/* The tree's inner hashes are nobody's nonce, and its root is none either
 * unless somebody asked for just that. */
static void test_inner_hash(void **state)
{
	struct hm_log_proof path;
	uint8_t both[64];

	(void)state;
	assert_int_equal(merkle_inclusion(get, NULL, 0, COUNT, &path), 0);
	memcpy(both, leaves[0], 32);
	memcpy(both + 32, leaves[1], 32);
	memmove(path.hashes[0], path.hashes[1], (path.count - 1) * 32);
	path.count--;
	assert_int_equal(
	    ask(both, 64, 0, COUNT / 2 + 1, &path), HM_NONCE_MISMATCH);
}

/* The sizes of what comes from outside. */
static void test_ceilings(void **state)
{
	uint8_t path[65][32] = {{0}};

	(void)state;
	assert_int_equal(hm_nonce_verify(root, 31, nonces[0], 32, 0, COUNT,
			     (const uint8_t(*)[32])path, 4),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(root, 32, nonces[0], 32, 0, COUNT,
			     (const uint8_t(*)[32])path, 65),
	    HM_NONCE_MISMATCH);
	assert_int_equal(hm_nonce_verify(root, 32, nonces[0], 32, 0, 0,
			     (const uint8_t(*)[32])path, 1),
	    HM_NONCE_MISMATCH);
	/* plain, and a path beside it */
	assert_int_equal(hm_nonce_verify(root, 32, root, 32, 0, 0,
			     (const uint8_t(*)[32])path, 1),
	    HM_NONCE_MISMATCH);
	/* leaf 0 of a tree whose root has 33 bytes */
	memcpy(path[0], root, 32);
	assert_int_equal(hm_nonce_verify(path[0], 33, nonces[0], 32, 0, COUNT,
			     (const uint8_t(*)[32])path, 0),
	    HM_NONCE_MISMATCH);
	memcpy(path[0], leaves[0], 32);
	assert_int_equal(
	    hm_nonce_verify(path[0], 33, nonces[0], 32, 0, 1, NULL, 0),
	    HM_NONCE_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_leaves),
	    cmocka_unit_test(test_changed_path),
	    cmocka_unit_test(test_inner_hash),
	    cmocka_unit_test(test_ceilings),
	};

	return cmocka_run_group_tests_name("nonce", tests, setup, NULL);
}
