/*
 * tree_head: one value, one text, both ways. The fixed text below is the
 * format; a change here is a change of what has been signed.
 */
#include "tests/unit/verifier/head_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Two items, whose leaf hashes fold to the one hash of the frontier. */
static const char two_text[] =
    "{\"format\":\"hallmark-head/1\","
    "\"boot_id\":\"000102030405060708090a0b0c0d0eff\",\"head\":0,"
    "\"tree_size\":2,"
    "\"root_sha256\":"
    "\"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125\","
    "\"published_ms\":1763715600000,\"feeds\":{\"BTC-USD\":2},"
    "\"frontier\":["
    "\"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125\"],"
    "\"config_sha256\":"
    "\"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\","
    "\"previous_sha256\":"
    "\"0000000000000000000000000000000000000000000000000000000000000000\"}";

static struct hm_head head, again;
static const struct hm_head zero;
static char text[TREE_HEAD_CONTENT_MAX], other[2 * TREE_HEAD_CONTENT_MAX];
static size_t len;

static void encode(void)
{
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), 0);
	assert_int_equal(strlen(text), len);
}

static int setup(void **state)
{
	(void)state;
	head_make(&head);
	encode();
	return 0;
}

static bool reads(const char *content, size_t content_len)
{
	/* its own memory, so that a byte behind the end is noticed */
	char *copy = malloc(content_len > 0 ? content_len : 1);
	int status;

	memcpy(copy, content, content_len);
	memset(&again, 0xaa, sizeof(again));
	status = tree_head_decode(&again, copy, content_len);
	free(copy);
	if (status != 0)
		assert_memory_equal(&again, &zero, sizeof(zero));
	return status == 0;
}

/* The good text with `from`, which must be there, replaced. */
static bool reads_with(const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from));
	return reads(other, strlen(other));
}

/* ---- good ---- */

static void test_fixed_text(void **state)
{
	(void)state;
	assert_true(reads(two_text, strlen(two_text)));
	assert_int_equal(again.tree_size, 2);
	assert_int_equal(again.number, 0);
	assert_int_equal(again.boot_id[15], 0xff);
	assert_int_equal(again.published_ms, 1763715600000);
	assert_int_equal(again.feed_count, 1);
	assert_string_equal(again.feeds[0].feed, "BTC-USD");
	assert_int_equal(again.feeds[0].next_sequence, 2);
	assert_int_equal(again.frontier_count, 1);
	assert_memory_equal(again.frontier[0], again.root_sha256, 32);
	assert_int_equal(again.config_sha256[31], 0xc0);
	assert_int_equal(tree_head_encode(&again, text, sizeof(text), &len), 0);
	assert_string_equal(text, two_text);
}

static void test_both_ways(void **state)
{
	(void)state;
	assert_true(reads(text, len));
	assert_memory_equal(&again, &head, sizeof(head));
	assert_int_equal(head.frontier_count, 3); /* 11 is 8, 2 and 1 */
}

/* The most that there can be has room. */
static void test_largest(void **state)
{
	(void)state;
	head.feed_count = 0;
	for (unsigned i = 0; i < HM_HEAD_FEEDS_MAX; i++) {
		char name[32];

		snprintf(
		    name, sizeof(name), "F%03u-USDUSDUSDUSDUSDUSDUSDUSDU", i);
		head_feed(&head, name, i == 0 ? MERKLE_SIZE_MAX - 255 : 1);
	}
	head.tree_size = MERKLE_SIZE_MAX;
	head.frontier_count = 53;
	head.number = MERKLE_SIZE_MAX;
	head.published_ms = MERKLE_SIZE_MAX;
	for (size_t i = 0; i < 53; i++)
		memset(head.frontier[i], (int)i, 32);
	struct merkle tree = {.size = head.tree_size, .frontier_count = 53};

	memcpy(tree.frontier, head.frontier, sizeof(tree.frontier));
	assert_int_equal(merkle_root(&tree, head.root_sha256), 0);
	encode();
	assert_true(reads(text, len));
	assert_memory_equal(&again, &head, sizeof(head));
}

/* ---- no room, and what is no head ---- */

static void test_no_room(void **state)
{
	size_t wanted = len;
	char *small;

	(void)state;
	for (size_t room = 1; room <= wanted; room += 7) {
		small = malloc(room);
		assert_int_equal(
		    tree_head_encode(&head, small, room, &len), -1);
		assert_int_equal(len, 0);
		assert_string_equal(small, "");
		free(small);
	}
	assert_int_equal(tree_head_encode(&head, NULL, 0, &len), -1);
	small = malloc(wanted + 1);
	assert_int_equal(tree_head_encode(&head, small, wanted + 1, &len), 0);
	assert_string_equal(small, text);
	free(small);
}

/* Each is refused by the writer, and, written by somebody else, by the
 * reader. */
static void test_makes_no_sense(void **state)
{
	(void)state;
	assert_true(reads_with("\"head\":3", "\"head\":4"));
	assert_false(reads_with("\"head\":3", "\"head\":0"));
	assert_false(reads_with("\"head\":3", "\"head\":-1"));
	assert_true(reads_with("\"head\":3", "\"head\":9007199254740991"));
	assert_false(reads_with("\"head\":3", "\"head\":9007199254740992"));
	assert_false(reads_with("\"head\":3", "\"head\":1e3"));
	assert_false(reads_with("\"head\":3", "\"head\":3.0"));
	assert_false(reads_with("\"head\":3", "\"head\":\"3\""));
	assert_false(reads_with("\"tree_size\":11", "\"tree_size\":10"));
	assert_false(reads_with("\"tree_size\":11", "\"tree_size\":13"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH-USD\":3"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH-USD\":5"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH-USD\":0,\"F\":4"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH-USD\":5,\"F\":-1"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH USD\":4"));
	assert_false(reads_with("\"ETH-USD\":4", "\"\":4"));
	assert_false(reads_with("\"ETH-USD\":4", "\"BTC-USD\":4"));
	assert_false(reads_with("\"ETH-USD\":4", "\"AAA-USD\":4"));
	assert_false(reads_with("\"ETH-USD\":4", "\"ETH-USD\":\"4\""));
	assert_false(reads_with(
	    "\"ETH-USD\":4", "\"ETH-USDUSDUSDUSDUSDUSDUSDUSDUSDU\":4"));
	assert_true(reads_with("1795251602000", "0"));
	assert_false(reads_with("1795251602000", "-1"));
	assert_true(reads_with("1795251602000", "9007199254740991"));
	assert_false(reads_with("1795251602000", "9007199254740992"));
	assert_false(reads_with("7777", "7778777"));
}

/* No leaf at all: there is nothing to sign. */
static void test_empty(void **state)
{
	struct merkle none = {.size = 0};

	(void)state;
	head.feed_count = head.frontier_count = 0;
	head.tree_size = 0;
	assert_int_equal(merkle_root(&none, head.root_sha256), 0);
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
	snprintf(other, sizeof(other),
	    "{\"format\":\"hallmark-head/1\","
	    "\"boot_id\":\"000102030405060708090a0b0c0d0eff\",\"head\":0,"
	    "\"tree_size\":0,\"root_sha256\":\"e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855\",\"published_ms\":1,"
	    "\"feeds\":{},\"frontier\":[]%s",
	    strstr(two_text, ",\"config_sha256\""));
	assert_false(reads(other, strlen(other)));
}

static void test_frontier(void **state)
{
	(void)state;
	head.frontier[1][5] ^= 1; /* another root */
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
	head.frontier[1][5] ^= 1;
	head.root_sha256[31] ^= 1;
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
	head.root_sha256[31] ^= 1;
	head.frontier_count = 2; /* of 8, 2 and 1 */
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
	/* one hash that folds to the root is not the frontier of 11 */
	memcpy(head.frontier[0], head.root_sha256, 32);
	head.frontier_count = 1;
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
}

static void test_sum_wraps(void **state)
{
	(void)state;
	head.feeds[0].next_sequence = UINT64_MAX - 10;
	head.feeds[1].next_sequence = 22;
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
	head.feed_count = 1;
	head.feeds[0].next_sequence = head.tree_size = MERKLE_SIZE_MAX + 1;
	head.frontier_count = 1;
	memcpy(head.frontier[0], head.root_sha256, 32);
	assert_int_equal(tree_head_encode(&head, text, sizeof(text), &len), -1);
}

static void test_too_many(void **state)
{
	size_t used = 0;

	(void)state;
	for (unsigned i = 0; i < HM_HEAD_FEEDS_MAX + 50; i++)
		used += (size_t)snprintf(other + used, sizeof(other) - used,
		    "%s\"LONGNAME%04u\":1", i == 0 ? "" : ",", i);
	char *feeds = strdup(other);

	assert_false(reads_with("\"BTC-USD\":7,\"ETH-USD\":4", feeds));
	free(feeds);
	used = (size_t)snprintf(other, sizeof(other), "\"frontier\":[");
	for (unsigned i = 0; i < HM_LOG_HASHES_MAX + 5; i++)
		used += (size_t)snprintf(other + used, sizeof(other) - used,
		    "\"%s%s\",", "ffffffffffffffffffffffffffffffff",
		    "ffffffffffffffffffffffffffffffff");
	char *hashes = strdup(other);

	assert_false(reads_with("\"frontier\":[", hashes));
	free(hashes);
}

/* ---- another form of the same ---- */

static void test_other_forms(void **state)
{
	(void)state;
	assert_false(reads("", 0));
	assert_false(reads("{}", 2));
	assert_false(reads("[]", 2));
	assert_false(reads(text, len - 1));
	assert_false(reads(text, len + 1)); /* its NUL */
	assert_false(reads_with("{\"format\"", " {\"format\""));
	assert_false(reads_with("\"head\":3", "\"head\": 3"));
	assert_false(reads_with("\"head\":3", "\"head\":03"));
	assert_false(reads_with("\"head\":3", "\"head\":3,\"head\":3"));
	assert_false(reads_with("\"head\":3,", "\"head\":3,\"more\":1,"));
	assert_false(reads_with("\"head\":3,", ""));
	assert_false(reads_with("c0c0", "C0C0"));
	assert_false(reads_with("c0c0", "c0c"));
	assert_false(reads_with("c0c0", "g0c0"));
	assert_false(reads_with("BTC", "\\u0042TC"));
	assert_false(reads_with("hallmark-head/1", "hallmark-head/2"));
	assert_false(reads_with("hallmark-head/1", "hallmark/1"));
	assert_false(reads_with("hallmark-head/1", "hallmark-head\\/1"));
	assert_false(reads_with("\"frontier\":[", "\"frontier\":[null,"));
	assert_false(reads_with("\"feeds\":{", "\"feeds\":{\"A\":{},"));
	assert_false(
	    reads_with("\"boot_id\":\"b0b0", "\"head\":3,\"boot_id\":\"b0b0"));
	memset(other, ' ', sizeof(other));
	memcpy(other, text, len);
	assert_false(reads(other, len + 1));
	assert_false(reads(other, TREE_HEAD_CONTENT_MAX - 1));
	assert_false(reads(other, TREE_HEAD_CONTENT_MAX));
	assert_false(reads(other, sizeof(other)));
}

/* No other text than this one says what it says. */
static void test_every_bit(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		if (reads(text, len)) /* another value then */
			assert_memory_not_equal(&again, &head, sizeof(head));
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
	    TEST(test_fixed_text),
	    TEST(test_both_ways),
	    TEST(test_largest),
	    TEST(test_no_room),
	    TEST(test_makes_no_sense),
	    TEST(test_empty),
	    TEST(test_frontier),
	    TEST(test_sum_wraps),
	    TEST(test_too_many),
	    TEST(test_other_forms),
	    TEST(test_every_bit),
	};

	return cmocka_run_group_tests_name("tree_head", tests, NULL, NULL);
}
