/*
 * replay_task: one entry of an archive on its way through a replay: copied by
 * the reader, judged by a worker (any thread), settled in order.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_TASK_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_TASK_H

#include "verifier/archive/replay_blobs.h"
#include "verifier/archive/replay_price.h"

#include <stddef.h>

#define REPLAY_BATCH_TASKS 64 /* they stay in a processor's cache */
/* At least one of the largest entries: an envelope's parts. */
#define REPLAY_BATCH_BYTES (1u << 19)
#define REPLAY_DOCUMENTS   128 /* in a worker's cache, verified */

struct replay_task {
	/* by the reader; pointers lead into the batch or, of path and unit,
	 * to the source */
	struct archive_entry entry;

	/* by the worker */
	enum hm_verdict verdict;
	char feed[FEED_NAME_MAX]; /* these if it is HM_VALID */
	uint8_t boot_id[16];
	uint64_t sequence;
	int64_t published_ms;
	uint8_t previous_sha256[HM_SHA256_LEN];
	uint8_t content_sha256[HM_SHA256_LEN];
	const char *row_differs; /* which column; NULL: none */
	size_t not_cosigned;     /* co-signatures of it that do not hold */
	bool priced;             /* price is set */
	const struct feed_config *config; /* by which, or NULL */
	struct replay_price price;
	unsigned answers; /* parsed again, the same */
	bool answer_differs;
	char answer[REPLAY_TEXT_MAX]; /* how */
	struct hm_head *head;         /* of a HEAD that is HM_VALID; owned */
};

struct replay_batch {
	struct replay_task tasks[REPLAY_BATCH_TASKS];
	size_t count;
	size_t used;
	_Alignas(max_align_t) uint8_t bytes[REPLAY_BATCH_BYTES];
};

/* Copies it; false: no room, or (of an empty batch) too large for any. */
bool replay_batch_add(
    struct replay_batch *batch, const struct archive_entry *entry);
/* For the next entries; frees what its tasks own. */
void replay_batch_clear(struct replay_batch *batch);

struct replay_worker { /* of one thread */
	const struct replay_options *with;
	const struct hm_policy *policy;
	struct hm_cache *cache;                /* owned */
	struct replay_blobs *documents, *raws; /* everybody's */
	struct hm_item item;
	struct item content;
	struct replay_price_room room;
};

/* 0, or -1: no memory. */
HM_MUST_CHECK int replay_worker_init(struct replay_worker *worker,
    const struct replay_options *options, unsigned job,
    struct replay_blobs *documents, struct replay_blobs *raws);
void replay_worker_fini(struct replay_worker *worker);

void replay_worker_judge(
    struct replay_worker *worker, struct replay_batch *batch);

/* replay_raw.c: the answers that the item names and that are kept, parsed
 * again. */
void replay_raw_check(struct replay_worker *worker, struct replay_task *task);

#endif
