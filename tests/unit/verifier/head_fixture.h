/* head_fixture: heads of a log whose leaves are made up: leaf i is the SHA-256
 * of its number and a seed, which makes two histories of one boot easy. */
#ifndef HALLMARK_TESTS_VERIFIER_HEAD_FIXTURE_H
#define HALLMARK_TESTS_VERIFIER_HEAD_FIXTURE_H

#include "verifier/merkle.h"
#include "verifier/tree_head.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define HEAD_PUBLISHED_MS 1795251602000

/* The content_sha256 of the item that is leaf `index`. */
static inline void head_item_sha256(
    uint64_t index, unsigned seed, uint8_t out[32])
{
	char text[64];

	snprintf(text, sizeof(text), "item %llu of %u",
	    (unsigned long long)index, seed);
	assert(EVP_Digest(text, strlen(text), out, NULL, EVP_sha256(), NULL));
}

/* A getter of leaf hashes for merkle_fold(); data: unsigned, the seed. */
static inline int head_leaf(
    void *data, unsigned level, uint64_t index, uint8_t out[32])
{
	uint8_t sha256[32];

	assert(level == 0);
	head_item_sha256(index, *(unsigned *)data, sha256);
	return merkle_leaf(sha256, sizeof(sha256), out);
}

/* Root and frontier for the sum of its feeds' counts. */
static inline void head_grow(struct hm_head *head, unsigned seed)
{
	struct merkle tree = {.size = 0};
	uint8_t leaf[32];
	uint64_t size = 0;

	for (size_t i = 0; i < head->feed_count; i++)
		size += head->feeds[i].next_sequence;
	for (uint64_t i = 0; i < size; i++) {
		assert(head_leaf(&seed, 0, i, leaf) == 0);
		assert(merkle_append(&tree, leaf, NULL, NULL) == 0);
	}
	head->tree_size = size;
	head->frontier_count = tree.frontier_count;
	memcpy(head->frontier, tree.frontier, sizeof(tree.frontier));
	assert(merkle_root(&tree, head->root_sha256) == 0);
}

static inline void head_feed(
    struct hm_head *head, const char *feed, uint64_t next_sequence)
{
	struct hm_head_feed *f = &head->feeds[head->feed_count++];

	snprintf(f->feed, sizeof(f->feed), "%s", feed);
	f->next_sequence = next_sequence;
}

/* Head 3 of BTC-USD 7 and ETH-USD 4. */
static inline void head_make(struct hm_head *head)
{
	memset(head, 0, sizeof(*head));
	memset(head->boot_id, 0xb0, 16);
	memset(head->config_sha256, 0xc0, 32);
	memset(head->previous_sha256, 0x77, 32);
	head->number = 3;
	head->published_ms = HEAD_PUBLISHED_MS;
	head_feed(head, "BTC-USD", 7);
	head_feed(head, "ETH-USD", 4);
	head_grow(head, 0);
}

/* The head behind it, with so many more of its feeds' items. */
static inline void head_next(
    struct hm_head *next, const struct hm_head *head, uint64_t more)
{
	*next = *head;
	next->number++;
	next->published_ms += 10000;
	memcpy(next->previous_sha256, head->content_sha256, 32);
	for (size_t i = 0; i < next->feed_count; i++)
		next->feeds[i].next_sequence += more;
	head_grow(next, 0);
	memset(next->content_sha256, (int)next->number, 32);
}

#endif
