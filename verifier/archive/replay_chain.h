/* replay_chain: one line of replay_order: its pieces, and what is known of the
 * items in them. */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_CHAIN_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_CHAIN_H

#include "verifier/archive/replay_order.h"

#define REPLAY_BOOT_ID_LEN 16
#define REPLAY_RECENT      64
#define REPLAY_MARK_EVERY  1024

struct replay_piece {
	uint64_t first, last;
	int64_t first_ms, last_ms;
	uint8_t before_sha256[HM_SHA256_LEN]; /* what `first` names */
	uint8_t last_sha256[HM_SHA256_LEN];
	bool past_known;
	struct aggregate_past past; /* after `last` */
};

struct replay_mark {
	uint64_t sequence;
	uint8_t sha256[HM_SHA256_LEN];
};

/* A second copy, as far as it goes without a break. */
struct replay_copy {
	bool going;
	uint64_t first, last; /* first: of those not yet proved the same */
	bool unproved;
	uint8_t last_sha256[HM_SHA256_LEN];
};

struct replay_chain {
	struct replay_chain *next; /* in its bucket */
	char feed[FEED_NAME_MAX];
	uint8_t boot_id[REPLAY_BOOT_ID_LEN];
	uint64_t items;
	unsigned file;               /* the last that had one of it */
	uint64_t file_newest;        /* in that file */
	struct replay_piece *pieces; /* ascending, not touching each other */
	size_t count, capacity;
	bool recent_set[REPLAY_RECENT];
	struct replay_mark
	    recent[REPLAY_RECENT]; /* at sequence % REPLAY_RECENT */
	struct replay_mark *marks; /* ascending */
	size_t mark_count, mark_capacity;
	struct replay_copy copy;
};

/* 0, or -1: no memory. Sets all of *step but what it told before. */
HM_MUST_CHECK int replay_chain_add(struct replay_chain *chain,
    const struct replay_seen *seen, struct replay_step *step);
/* Nothing more comes: tells what of a second copy was not proved. */
void replay_chain_end_copy(
    struct replay_chain *chain, struct replay_step *step);
void replay_chain_free(struct replay_chain *chain);

__attribute__((format(printf, 4, 5))) void replay_chain_tell(
    struct replay_step *step, enum replay_kind kind, uint64_t sequence,
    const char *format, ...);

#endif
