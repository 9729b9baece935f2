/*
 * tree_log_leaves: the items that no head counts yet, and how many each feed
 * has had. Pure. A head takes all that wait; those that come while it is being
 * signed wait for the next one, and if it comes to nothing, all do.
 *
 * The order among the leaves is by feed name, then sequence (hallmark.h).
 */
#ifndef HALLMARK_ORACLE_TREE_LOG_LEAVES_H
#define HALLMARK_ORACLE_TREE_LOG_LEAVES_H

#include "feeds/feed_config.h"
#include "verifier/merkle.h"

/* That wait, of all feeds: 32 MiB. As many come in a quarter of an hour where
 * 256 feeds tick five times a second. */
#define TREE_LOG_LEAVES_MAX (1u << 20)

struct tree_log_feed {
	const char *name;                  /* of the feed_set */
	uint64_t counted;                  /* by the newest head */
	uint8_t (*waiting)[HM_SHA256_LEN]; /* content_sha256 of those behind */
	size_t count, capacity;            /* of waiting */
	size_t taken; /* of these, by a head in the making */
};

struct tree_log_leaves {
	struct tree_log_feed feeds[FEEDS_MAX]; /* as in the feed_set */
	size_t by_name[FEEDS_MAX];             /* their places, ascending */
	size_t feed_count;
	size_t waiting; /* of all feeds */
};

/* The set is borrowed; leaves_fini() after. */
void tree_log_leaves_init(
    struct tree_log_leaves *leaves, const struct feed_set *set);
void tree_log_leaves_fini(struct tree_log_leaves *leaves);

/* The next item of the feed with this place in the set. 0, or -1: no memory, or
 * TREE_LOG_LEAVES_MAX wait. */
__attribute__((warn_unused_result)) int tree_log_leaves_add(
    struct tree_log_leaves *leaves, size_t feed,
    const uint8_t content_sha256[HM_SHA256_LEN]);
/* How many items the feed has had. */
uint64_t tree_log_leaves_sequence(
    const struct tree_log_leaves *leaves, size_t feed);

/* Appends all that wait to the tree, and says in the head what it counts then:
 * feeds, tree_size, root and frontier. 0, or -1: no memory, and nothing is
 * taken; the tree is not to be used. */
__attribute__((warn_unused_result)) int tree_log_leaves_take(
    struct tree_log_leaves *leaves, struct merkle *tree, struct hm_head *head);
/* The head that took them is published. */
void tree_log_leaves_counted(struct tree_log_leaves *leaves);
/* It is not: they wait again. */
void tree_log_leaves_give_back(struct tree_log_leaves *leaves);

#endif
