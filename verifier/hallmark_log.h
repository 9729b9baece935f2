/*
 * Part of hallmark.h: the log, all items of a boot in a Merkle tree (RFC 6962,
 * 2.1).
 */
#ifndef HALLMARK_LOG_H
#define HALLMARK_LOG_H

#include "hallmark_item.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A leaf's hash is SHA-256(0x00 || the content_sha256 of an item). Its leaves
 * are the items of all feeds of one boot: those that are new since the head
 * before, sorted by feed, then sequence. From time to time the oracle signs a
 * head: the root over all so far, and how many there are of each feed. So
 * whoever holds the items and the heads can rebuild the tree, nothing can be
 * left out, and two heads that contradict each other convict who signed them.
 */
#define HM_LOG_HASHES_MAX 64 /* of a proof, of a frontier: 2^53 leaves */
#define HM_HEAD_FEEDS_MAX 256

struct hm_head_feed {
	char feed[32];
	uint64_t next_sequence; /* how many items, from 0 on; at least 1 */
};

/* What a verified head says. */
struct hm_head {
	uint8_t boot_id[16];
	uint64_t number;    /* of this head: 0, 1, 2 ... */
	uint64_t tree_size; /* at least 1; the sum of all next_sequence; each
			       head's is larger than that of the one before */
	uint8_t root_sha256[HM_SHA256_LEN];
	int64_t published_ms;
	struct hm_head_feed feeds[HM_HEAD_FEEDS_MAX]; /* ascending by strcmp */
	size_t feed_count;
	/* The roots of the full subtrees, from left to right: one for each 1
	 * in the binary tree_size, the largest first. Their fold is the root,
	 * and whoever came late goes on from here. */
	uint8_t frontier[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
	size_t frontier_count;
	uint8_t config_sha256[HM_SHA256_LEN];
	uint8_t previous_sha256[HM_SHA256_LEN]; /* of head number - 1's
						   content; zeros at 0 */
	uint8_t content_sha256[HM_SHA256_LEN];
	struct hm_document document;
};

/* Whether an envelope's content calls itself a head; judges nothing. */
HM_API bool hm_envelope_is_head(const struct hm_envelope *envelope);

/* The two questions about a head: as for an item in all that both have, and
 * in the same words (ITEM_SIGNATURE, ITEM_TOO_OLD ...); a head does not
 * expire. An item is never taken for a head, nor a head for an item. */
HM_API HM_MUST_CHECK enum hm_verdict hm_head_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, int64_t now_ms, struct hm_head *out,
    const struct hm_report *report);
HM_API HM_MUST_CHECK enum hm_verdict hm_head_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, struct hm_head *out, const struct hm_report *report);

/*
 * What two verified heads say of each other without any proof, in whatever
 * order they are given: HM_VALID, or HM_LOG_FORK: one boot signed both, and
 * they cannot both be true (one number with two contents, a size that does not
 * grow with the number, a feed's count that shrinks, another hash for
 * a full subtree that both frontiers have, another configuration, a
 * successor that names another predecessor). Heads of two boots say nothing of
 * each other: HM_VALID. Whether the smaller tree is the beginning of the larger
 * takes hm_log_consistency_verify().
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_head_compare(
    const struct hm_head *a, const struct hm_head *b);

/* The place of an item among the leaves, if `head` is the first head that
 * counts it and `previous` (NULL at head 0) the head before: 0, or -1 if it is
 * not new in that head or these are not two heads in a row. */
HM_API HM_MUST_CHECK int hm_head_leaf_index(const struct hm_head *previous,
    const struct hm_head *head, const char *feed, uint64_t sequence,
    uint64_t *index);

struct hm_log_proof { /* in the order of RFC 6962, 2.1.1 and 2.1.2 */
	size_t count;
	uint8_t hashes[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
};

/* Is the item with this content_sha256 leaf `index` of the tree of this size
 * and root? HM_VALID or HM_LOG_PROOF (RFC 9162, 2.1.3.2). */
HM_API HM_MUST_CHECK enum hm_verdict hm_log_inclusion_verify(
    const uint8_t content_sha256[HM_SHA256_LEN], uint64_t index,
    uint64_t tree_size, const uint8_t root[HM_SHA256_LEN],
    const struct hm_log_proof *proof);

/* Is the first tree the beginning of the second? Sizes from 1 on; equal ones
 * have an empty proof and equal roots. HM_VALID or HM_LOG_PROOF (RFC 9162,
 * 2.1.4.2). */
HM_API HM_MUST_CHECK enum hm_verdict hm_log_consistency_verify(
    uint64_t first_size, const uint8_t first_root[HM_SHA256_LEN],
    uint64_t second_size, const uint8_t second_root[HM_SHA256_LEN],
    const struct hm_log_proof *proof);

#ifdef __cplusplus
}
#endif

#endif
