/* head_order: two heads of one boot, an item's place among the leaves, and
 * proofs asked as hallmark.h has them. */
#include "tests/unit/verifier/head_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hm_head a, b;

static int setup(void **state)
{
	(void)state;
	head_make(&a);
	memset(a.content_sha256, 3, 32);
	head_next(&b, &a, 2);
	return 0;
}

/* In whatever order. */
static enum hm_verdict compare(void)
{
	enum hm_verdict verdict = hm_head_compare(&a, &b);

	assert_int_equal(hm_head_compare(&b, &a), verdict);
	return verdict;
}

/* ---- two heads ---- */

static void test_honest(void **state)
{
	(void)state;
	assert_int_equal(compare(), HM_VALID);
	assert_int_equal(hm_head_compare(&a, &a), HM_VALID);
	b.number = 9; /* heads between them are not here */
	memset(b.previous_sha256, 0x11, 32);
	assert_int_equal(compare(), HM_VALID);
	head_feed(&b, "NEW-USD", 1);
	assert_int_equal(compare(), HM_VALID);
}

static void test_other_boot(void **state)
{
	(void)state;
	b = a;
	b.boot_id[15] ^= 1;
	b.content_sha256[0] ^= 1;
	b.config_sha256[0] ^= 1;
	assert_int_equal(compare(), HM_VALID);
}

static void test_forks(void **state)
{
	struct hm_head good = b;

	(void)state;
	b.previous_sha256[31] ^= 1;
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.config_sha256[0] ^= 1;
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.tree_size = a.tree_size;
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.feeds[0].next_sequence = a.feeds[0].next_sequence - 1;
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.feed_count = 1; /* ETH-USD is gone */
	assert_int_equal(compare(), HM_LOG_FORK);
	b = a;
	b.content_sha256[7] ^= 1;
	assert_int_equal(compare(), HM_LOG_FORK);
}

/* 11 is 8 + 2 + 1 and 15 is 8 + 4 + 2 + 1: what is common is the 8. */
static void test_common_subtrees(void **state)
{
	struct hm_head good = b;

	(void)state;
	head_grow(&b, 1); /* another history */
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.frontier[1][0] ^= 1; /* of 4: the other has none there */
	assert_int_equal(compare(), HM_VALID);
	b.frontier[0][31] ^= 1;
	assert_int_equal(compare(), HM_LOG_FORK);
	b = good;
	b.feeds[0].next_sequence = 100; /* 106 has no 8 at the left */
	head_grow(&b, 1);
	assert_int_equal(compare(), HM_VALID);
}

/* ---- leaves ---- */

static int index_of(const char *feed, uint64_t sequence, uint64_t *index)
{
	*index = 99;
	return hm_head_leaf_index(&a, &b, feed, sequence, index);
}

/* 7 and 4 became 9 and 6. */
static void test_index(void **state)
{
	uint64_t index;

	(void)state;
	assert_int_equal(index_of("BTC-USD", 7, &index), 0);
	assert_int_equal(index, 11);
	assert_int_equal(index_of("BTC-USD", 8, &index), 0);
	assert_int_equal(index, 12);
	assert_int_equal(index_of("ETH-USD", 4, &index), 0);
	assert_int_equal(index, 13);
	assert_int_equal(index_of("ETH-USD", 5, &index), 0);
	assert_int_equal(index, 14);
	assert_int_equal(index_of("ETH-USD", 6, &index), -1); /* later */
	assert_int_equal(index_of("ETH-USD", 3, &index), -1); /* before */
	assert_int_equal(index, 0);
	assert_int_equal(index_of("BTC-USD", 9, &index), -1);
	assert_int_equal(index_of("BTC-USD", 6, &index), -1);
	assert_int_equal(index_of("XRP-USD", 0, &index), -1);
}

static void test_index_of_new_feed(void **state)
{
	uint64_t index;

	(void)state;
	memset(&b.feeds[3], 0, sizeof(b.feeds[3]));
	b.feeds[2] = b.feeds[1];
	snprintf(b.feeds[1].feed, sizeof(b.feeds[1].feed), "DAI-USD");
	b.feeds[1].next_sequence = 3;
	b.feed_count = 3;
	head_grow(&b, 0);
	assert_int_equal(index_of("DAI-USD", 0, &index), 0);
	assert_int_equal(index, 13);
	assert_int_equal(index_of("ETH-USD", 4, &index), 0);
	assert_int_equal(index, 16);
}

static void test_index_at_first(void **state)
{
	uint64_t index;

	(void)state;
	assert_int_equal(
	    hm_head_leaf_index(NULL, &a, "ETH-USD", 0, &index), -1);
	a.number = 0;
	assert_int_equal(hm_head_leaf_index(NULL, &a, "ETH-USD", 0, &index), 0);
	assert_int_equal(index, 7);
	assert_int_equal(hm_head_leaf_index(NULL, &a, "BTC-USD", 6, &index), 0);
	assert_int_equal(index, 6);
}

static void test_not_in_a_row(void **state)
{
	struct hm_head good = b;
	uint64_t index;

	(void)state;
	b.number++;
	assert_int_equal(index_of("BTC-USD", 7, &index), -1);
	b = good;
	b.boot_id[0] ^= 1;
	assert_int_equal(index_of("BTC-USD", 7, &index), -1);
	b = good;
	b.previous_sha256[0] ^= 1;
	assert_int_equal(index_of("BTC-USD", 7, &index), -1);
}

/* ---- proofs ---- */

static int get(void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	return merkle_fold(head_leaf, data, 0, level, index, out);
}

static void test_proofs(void **state)
{
	struct hm_log_proof proof;
	unsigned seed = 0;
	uint8_t sha256[32];
	uint64_t index;

	(void)state;
	assert_int_equal(index_of("ETH-USD", 4, &index), 0);
	head_item_sha256(index, 0, sha256);
	assert_int_equal(
	    merkle_inclusion(get, &seed, index, b.tree_size, &proof), 0);
	assert_int_equal(hm_log_inclusion_verify(
			     sha256, index, b.tree_size, b.root_sha256, &proof),
	    HM_VALID);
	sha256[0] ^= 1;
	assert_int_equal(hm_log_inclusion_verify(
			     sha256, index, b.tree_size, b.root_sha256, &proof),
	    HM_LOG_PROOF);
	assert_int_equal(
	    merkle_consistency(get, &seed, a.tree_size, b.tree_size, &proof),
	    0);
	assert_int_equal(hm_log_consistency_verify(a.tree_size, a.root_sha256,
			     b.tree_size, b.root_sha256, &proof),
	    HM_VALID);
	head_grow(&a, 1); /* another history */
	assert_int_equal(hm_log_consistency_verify(a.tree_size, a.root_sha256,
			     b.tree_size, b.root_sha256, &proof),
	    HM_LOG_PROOF);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
	    TEST(test_honest),
	    TEST(test_other_boot),
	    TEST(test_forks),
	    TEST(test_common_subtrees),
	    TEST(test_index),
	    TEST(test_index_of_new_feed),
	    TEST(test_index_at_first),
	    TEST(test_not_in_a_row),
	    TEST(test_proofs),
	};

	return cmocka_run_group_tests_name("head_order", tests, NULL, NULL);
}
