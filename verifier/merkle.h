/*
 * merkle: the Merkle tree of RFC 6962, 2.1, over entries of any bytes: it is
 * built leaf by leaf from its frontier alone, and proofs are made from a place
 * that keeps the hashes of full subtrees. Pure; knows nothing of items.
 *
 *   leaf  SHA-256(0x00 || entry)
 *   node  SHA-256(0x01 || left || right)
 *
 * A subtree is named by level and index: the 2^level leaves from
 * index * 2^level on. Level 0 are the leaf hashes.
 */
#ifndef HALLMARK_VERIFIER_MERKLE_H
#define HALLMARK_VERIFIER_MERKLE_H

#include "verifier/hallmark.h"

#define MERKLE_SIZE_MAX                                        \
	((uint64_t)9007199254740991) /* 2^53 - 1, as sequences \
				      */

/* 0, or -1: no memory (OpenSSL's). So all below that return int. */
HM_MUST_CHECK int merkle_leaf(
    const uint8_t *entry, size_t len, uint8_t out[HM_SHA256_LEN]);
HM_MUST_CHECK int merkle_node(const uint8_t left[HM_SHA256_LEN],
    const uint8_t right[HM_SHA256_LEN], uint8_t out[HM_SHA256_LEN]);

/* A tree that only grows. Zero it to begin, or merkle_resume(). */
struct merkle {
	uint64_t size;
	/* Roots of the full subtrees, from left to right, the largest first:
	 * one for each 1 in the binary size. */
	uint8_t frontier[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
	size_t frontier_count;
};

/* Called for each full subtree that an append completes, the leaf itself
 * (level 0) first, then upwards: what a keeper of tiles stores. */
typedef void (*merkle_full_cb)(void *data, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN]);

/* The leaf's hash, as of merkle_leaf(). cb may be NULL. -1 as well if the tree
 * has MERKLE_SIZE_MAX leaves; then nothing has changed. */
HM_MUST_CHECK int merkle_append(struct merkle *tree,
    const uint8_t leaf[HM_SHA256_LEN], merkle_full_cb cb, void *data);

/* Of no leaves: SHA-256 of nothing. */
HM_MUST_CHECK int merkle_root(
    const struct merkle *tree, uint8_t out[HM_SHA256_LEN]);

/* Goes on from a head's frontier; the caller has checked that its fold is the
 * root (tree_head_decode does). -1, and *tree empty, if there are not as many
 * hashes as the size has 1s. */
HM_MUST_CHECK int merkle_resume(struct merkle *tree, uint64_t size,
    const uint8_t (*frontier)[HM_SHA256_LEN], size_t count);

/* ---- proofs ---- */

/* Where the hashes of full subtrees are kept. 0, or -1 if it is not there:
 * then no proof is made. A keeper of leaves alone may fold them
 * (merkle_fold). At most about 2 * 53 calls for one proof. */
typedef int (*merkle_get_cb)(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN]);

/* The hash of a full subtree from those of the level below `from`: for keepers
 * of some levels only (each eighth, say). Asks 2^(level - from) times. */
HM_MUST_CHECK int merkle_fold(merkle_get_cb get, void *data, unsigned from,
    unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN]);

/* The root of the first `size` leaves. */
HM_MUST_CHECK int merkle_root_of(
    merkle_get_cb get, void *data, uint64_t size, uint8_t out[HM_SHA256_LEN]);

/* RFC 6962, 2.1.1: PATH(index, D[size]). 0, or -1 and *out zeroed: a hash was
 * not there, or index >= size, or a size past MERKLE_SIZE_MAX. */
HM_MUST_CHECK int merkle_inclusion(merkle_get_cb get, void *data,
    uint64_t index, uint64_t size, struct hm_log_proof *out);

/* RFC 6962, 2.1.2: PROOF(first, D[second]), 0 < first <= second. As above. */
HM_MUST_CHECK int merkle_consistency(merkle_get_cb get, void *data,
    uint64_t first, uint64_t second, struct hm_log_proof *out);

/* RFC 9162, 2.1.3.2 and 2.1.4.2; the leaf's hash, as of merkle_leaf(). Any
 * numbers and bytes are safe. */
bool merkle_inclusion_holds(const uint8_t leaf[HM_SHA256_LEN], uint64_t index,
    uint64_t size, const uint8_t root[HM_SHA256_LEN],
    const struct hm_log_proof *proof);
bool merkle_consistency_holds(uint64_t first,
    const uint8_t first_root[HM_SHA256_LEN], uint64_t second,
    const uint8_t second_root[HM_SHA256_LEN], const struct hm_log_proof *proof);

#endif
