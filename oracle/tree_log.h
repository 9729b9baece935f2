/*
 * tree_log: the oracle's side of the log (hallmark.h, "the log"). Every item
 * that was posted is a leaf; every tree_head_interval_ms of the configuration,
 * and once more at the end, a head that counts all so far is signed:
 *
 *   tree_log_add (each item) ... timer -> tree_log_leaves_take ->
 * tree_head_encode
 *     -> signer_sign -> hm_head_verify_live (our own head, before anybody
 *     sees it) -> board_event "tree_head"
 *
 * A head that says nothing new is not signed: without items there is none. One
 * that could not be signed, or did not verify, leaves nothing behind, and the
 * next one counts its items. There is one head in the making at most.
 *
 *   counting --timer, items wait--> signing --posted or not--> counting
 *   counting, signing --stop--> [signing the last one] --> closed
 *
 * Signing waits for the thread pool; nothing else waits.
 */
#ifndef HALLMARK_ORACLE_TREE_LOG_H
#define HALLMARK_ORACLE_TREE_LOG_H

#include "base/board.h"
#include "oracle/attestation.h"
#include "oracle/config.h"
#include "oracle/signer.h"

struct tree_log_options { /* all borrowed until tree_log_free */
	uv_loop_t *loop;
	const struct config *config;
	struct signer *signer;
	struct attestation *attestation;
	const struct hm_policy *policy;
	struct board *board;
	const uint8_t *boot_id; /* 16 bytes */
	const char *platform;   /* the attester's */
};

struct tree_log;

struct tree_log *tree_log_start(const struct tree_log_options *options);

/* An item was posted: of the feed with this place in the configuration, the
 * next one of that feed (asserted). Not after tree_log_stop. */
void tree_log_add(struct tree_log *log, size_t feed, uint64_t sequence,
    const uint8_t content_sha256[HM_SHA256_LEN]);

/* Signs and posts the last head, if there is anything new and a current
 * attestation; then calls `stopped` (may be NULL) from the loop, once. The
 * board must be open until then. A second stop is ignored. */
void tree_log_stop(
    struct tree_log *log, void (*stopped)(void *data), void *data);
/* After the loop has ended; NULL is fine. */
void tree_log_free(struct tree_log *log);

struct tree_log_newest {        /* borrowed until the loop turns */
	const char *full, *ref; /* one-line JSON; NULL before the first */
	char sha256_hex[2 * HM_SHA256_LEN + 1]; /* of the content */
	uint64_t tree_size;
	int64_t published_ms;
};
const struct tree_log_newest *tree_log_newest(const struct tree_log *log);

struct tree_log_stats {
	uint64_t heads, failures; /* since the start; failed to be signed */
	uint64_t tree_size;       /* of the newest head */
	size_t waiting;           /* items that no head counts yet */
};
void tree_log_stats(const struct tree_log *log, struct tree_log_stats *out);

#endif
