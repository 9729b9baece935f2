/*
 * head_order: what verified heads say of each other and of items, as hallmark.h
 * has it. A boot's heads are numbered 0, 1, 2 ... and each counts more items
 * than the one before, of no feed fewer. An enclave that signs two heads which
 * break this has told two stories.
 */
#include "feeds/check.h"
#include "verifier/merkle.h"
#include "verifier/tree_head.h"

#include <string.h>

static bool same_hash(const uint8_t *a, const uint8_t *b)
{
	/* unnamed: the caller's to judge */
	return memcmp(a, b, HM_SHA256_LEN) == 0;
}

static bool some_feed_shrinks(
    const struct hm_head *older, const struct hm_head *newer)
{
	for (size_t i = 0; i < older->feed_count; i++) {
		const struct hm_head_feed *f = &older->feeds[i];

		if (tree_head_count(newer, f->feed) < f->next_sequence)
			return true;
	}
	return false;
}

/* The larger tree has the smaller one's full subtrees, from the left on as
 * far as their sizes have the same binary digits. */
static bool subtrees_differ(
    const struct hm_head *older, const struct hm_head *newer)
{
	unsigned differs = 63 - (unsigned)__builtin_clzll(
				    older->tree_size ^ newer->tree_size);
	size_t shared = (size_t)__builtin_popcountll(
	    older->tree_size >> differs >> 1);

	return memcmp(older->frontier, newer->frontier,
		   shared * HM_SHA256_LEN) != 0;
}

/* older->number < newer->number */
static enum hm_verdict judge_order(
    const struct hm_head *older, const struct hm_head *newer)
{
	bool next = newer->number - older->number == 1;

	if (REFUSE(head_grows, newer->tree_size <= older->tree_size) ||
	    REFUSE(head_subtrees, subtrees_differ(older, newer)) ||
	    REFUSE(head_feed_shrinks, some_feed_shrinks(older, newer)) ||
	    REFUSE(head_names_previous,
		next &&
		    !same_hash(newer->previous_sha256, older->content_sha256)))
		return HM_LOG_FORK;
	return HM_VALID;
}

enum hm_verdict hm_head_compare(
    const struct hm_head *a, const struct hm_head *b)
{
	if (memcmp(a->boot_id, b->boot_id, sizeof(a->boot_id)) != 0)
		return HM_VALID;
	if (REFUSE(head_config, !same_hash(a->config_sha256, b->config_sha256)))
		return HM_LOG_FORK;
	if (a->number != b->number)
		return a->number < b->number ? judge_order(a, b)
					     : judge_order(b, a);
	return REQUIRE(head_one_content,
		   same_hash(a->content_sha256, b->content_sha256))
		   ? HM_VALID
		   : HM_LOG_FORK;
}

/* previous (NULL: none) and head are two in a row of one boot. */
static bool in_a_row(const struct hm_head *previous, const struct hm_head *head)
{
	if (previous == NULL)
		return REQUIRE(head_row_first, head->number == 0);
	return REQUIRE(head_row_boot, memcmp(previous->boot_id, head->boot_id,
					  sizeof(head->boot_id)) == 0) &&
	       REQUIRE(head_row_next, previous->number + 1 == head->number) &&
	       REQUIRE(
		   head_row_same, hm_head_compare(previous, head) == HM_VALID);
}

int hm_head_leaf_index(const struct hm_head *previous,
    const struct hm_head *head, const char *feed, uint64_t sequence,
    uint64_t *index)
{
	uint64_t at = previous != NULL ? previous->tree_size : 0;

	*index = 0;
	if (!in_a_row(previous, head))
		return -1;
	for (size_t i = 0; i < head->feed_count; i++) {
		const struct hm_head_feed *f = &head->feeds[i];
		uint64_t old = previous != NULL
				   ? tree_head_count(previous, f->feed)
				   : 0;

		if (strcmp(f->feed, feed) == 0) {
			if (REFUSE(head_row_old, sequence < old) ||
			    REFUSE(
				head_row_later, sequence >= f->next_sequence))
				return -1;
			*index = at + (sequence - old);
			return 0;
		}
		at += f->next_sequence - old;
	}
	return -1; /* unnamed: no such feed */
}

enum hm_verdict hm_log_inclusion_verify(
    const uint8_t content_sha256[HM_SHA256_LEN], uint64_t index,
    uint64_t tree_size, const uint8_t root[HM_SHA256_LEN],
    const struct hm_log_proof *proof)
{
	uint8_t leaf[HM_SHA256_LEN];

	if (merkle_leaf(content_sha256, HM_SHA256_LEN, leaf) != 0)
		return HM_NO_MEMORY;
	return REQUIRE(log_inclusion,
		   merkle_inclusion_holds(leaf, index, tree_size, root, proof))
		   ? HM_VALID
		   : HM_LOG_PROOF;
}

enum hm_verdict hm_log_consistency_verify(uint64_t first_size,
    const uint8_t first_root[HM_SHA256_LEN], uint64_t second_size,
    const uint8_t second_root[HM_SHA256_LEN], const struct hm_log_proof *proof)
{
	return REQUIRE(log_consistency,
		   merkle_consistency_holds(
		       first_size, first_root, second_size, second_root, proof))
		   ? HM_VALID
		   : HM_LOG_PROOF;
}
