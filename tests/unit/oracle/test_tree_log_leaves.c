/* tree_log_leaves: what a head takes, in which order, and what happens to it
 * when the head comes to nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/tree_log_leaves.h"

#include <stdio.h>
#include <string.h>

static struct feed_set set;
static struct tree_log_leaves leaves;
static struct hm_head head;
static struct merkle tree, wanted;

/* In the order of a file, which is not that of the names. */
static int up(void **state)
{
	static const char *const names[] = {"USDT-USD", "BTC-USD", "ETH-USD"};

	(void)state;
	set.count = 3;
	for (size_t i = 0; i < 3; i++)
		snprintf(set.feeds[i].feed, sizeof(set.feeds[i].feed), "%s",
		    names[i]);
	tree_log_leaves_init(&leaves, &set);
	memset(&tree, 0, sizeof(tree));
	memset(&wanted, 0, sizeof(wanted));
	memset(&head, 0xaa, sizeof(head));
	return 0;
}

static int down(void **state)
{
	(void)state;
	tree_log_leaves_fini(&leaves);
	return 0;
}

static void make_hash(size_t feed, uint64_t sequence, uint8_t out[32])
{
	memset(out, (int)feed, 32);
	memcpy(out, &sequence, sizeof(sequence));
}

static void add(size_t feed)
{
	uint8_t sha256[32];

	make_hash(feed, tree_log_leaves_sequence(&leaves, feed), sha256);
	assert_int_equal(tree_log_leaves_add(&leaves, feed, sha256), 0);
}

/* The next leaf of `wanted` is this item. */
static void want(size_t feed, uint64_t sequence)
{
	uint8_t sha256[32], leaf[32];

	make_hash(feed, sequence, sha256);
	assert_int_equal(merkle_leaf(sha256, 32, leaf), 0);
	assert_int_equal(merkle_append(&wanted, leaf, NULL, NULL), 0);
}

static void is_wanted(void)
{
	assert_int_equal(tree.size, wanted.size);
	assert_memory_equal(&tree, &wanted, sizeof(tree));
}

static void take(void)
{
	uint8_t root[32];

	assert_int_equal(tree_log_leaves_take(&leaves, &tree, &head), 0);
	assert_int_equal(merkle_root(&tree, root), 0);
	assert_memory_equal(head.root_sha256, root, 32);
	assert_int_equal(head.tree_size, tree.size);
	assert_int_equal(head.frontier_count, tree.frontier_count);
	assert_memory_equal(
	    head.frontier, tree.frontier, 32 * tree.frontier_count);
}

/* ---- tests ---- */

static void by_name_then_sequence(void **state)
{
	(void)state;
	add(0);
	add(1);
	add(0);
	add(1);
	take();
	want(1, 0);
	want(1, 1);
	want(0, 0);
	want(0, 1);
	is_wanted();
	/* ETH-USD has had none */
	assert_int_equal(head.feed_count, 2);
	assert_string_equal(head.feeds[0].feed, "BTC-USD");
	assert_int_equal(head.feeds[0].next_sequence, 2);
	assert_string_equal(head.feeds[1].feed, "USDT-USD");
	assert_int_equal(head.feeds[1].next_sequence, 2);
}

/* They come while the head is being signed. */
static void late_ones_wait(void **state)
{
	(void)state;
	add(0);
	add(2);
	take();
	want(2, 0);
	want(0, 0);
	add(2);
	add(1);
	add(2);
	assert_int_equal(leaves.waiting, 5);
	tree_log_leaves_counted(&leaves);
	assert_int_equal(leaves.waiting, 3);
	take();
	want(1, 0);
	want(2, 1);
	want(2, 2);
	is_wanted();
	assert_int_equal(head.feed_count, 3);
	assert_int_equal(head.feeds[0].next_sequence, 1); /* BTC-USD */
	assert_int_equal(head.feeds[1].next_sequence, 3); /* ETH-USD */
	assert_int_equal(head.feeds[2].next_sequence, 1); /* USDT-USD */
	tree_log_leaves_counted(&leaves);
	assert_int_equal(leaves.waiting, 0);
	assert_int_equal(tree_log_leaves_sequence(&leaves, 2), 3);
}

static void a_failed_head_loses_nothing(void **state)
{
	struct merkle before;

	(void)state;
	add(0);
	before = tree;
	take();
	add(0);
	tree_log_leaves_give_back(&leaves);
	tree = before;
	assert_int_equal(leaves.waiting, 2);
	take();
	want(0, 0);
	want(0, 1);
	is_wanted();
	assert_int_equal(head.feeds[0].next_sequence, 2);
}

static void many(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		add(1);
		want(1, i);
	}
	take();
	is_wanted();
}

static void there_is_a_ceiling(void **state)
{
	uint8_t sha256[32] = {0};

	(void)state;
	for (size_t i = 0; i < TREE_LOG_LEAVES_MAX; i++)
		assert_int_equal(
		    tree_log_leaves_add(&leaves, i % 3, sha256), 0);
	assert_int_equal(tree_log_leaves_add(&leaves, 0, sha256), -1);
	assert_int_equal(leaves.waiting, TREE_LOG_LEAVES_MAX);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
	    TEST(by_name_then_sequence),
	    TEST(late_ones_wait),
	    TEST(a_failed_head_loses_nothing),
	    TEST(many),
	    TEST(there_is_a_ceiling),
	};

	return cmocka_run_group_tests_name(
	    "tree_log_leaves", tests, NULL, NULL);
}
