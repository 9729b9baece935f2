/*
 * publisher: at each tick of each feed, one signed item.
 *
 *   poller_read -> rates -> aggregate -> item_encode -> signer_sign
 *     -> hm_item_verify_live (our own item, before anybody sees it)
 *     -> [peers_ask: others co-sign it, at most wait_ms]
 *     -> board_post, tree_log_add
 *
 * A feed has one item in the making at most; the sequence and the hash chain
 * move on when it is posted, so an item that could not be signed or did not
 * verify leaves no gap. Without a current attestation nothing is published.
 * A wall clock that jumped against the monotonic one, or that differs from the
 * median of the exchanges' clocks by more than CLOCK_CHECK_LIMIT_MS, gives
 * items with status unavailable, reason clock_uncertain, until it has run
 * evenly again and agrees.
 */
#ifndef HALLMARK_ORACLE_PUBLISHER_H
#define HALLMARK_ORACLE_PUBLISHER_H

#include "base/board.h"
#include "oracle/attestation.h"
#include "oracle/config.h"
#include "oracle/peers.h"
#include "oracle/poller.h"
#include "oracle/publisher_clock.h"
#include "oracle/signer.h"
#include "oracle/tree_log.h"

struct publisher_options { /* all borrowed until publisher_free */
	uv_loop_t *loop;
	const struct config *config;
	const struct poller *poller;
	struct signer *signer;
	struct attestation *attestation;
	const struct hm_policy *policy;
	struct board *board;
	const uint8_t *boot_id; /* 16 bytes */
	const char *platform;   /* the attester's */
	struct tree_log *log;   /* gets each item that was posted */
	struct peers *peers;    /* NULL: nobody else is asked */
};

struct publisher;

struct publisher *publisher_start(const struct publisher_options *options);
/* Nothing is posted any more; signatures under way end on the loop. */
void publisher_stop(struct publisher *publisher);
/* After the loop has ended. */
void publisher_free(struct publisher *publisher);

/* The newest item of the feed with this place in the configuration, as signed;
 * NULL before the first. Borrowed until the loop turns. */
const struct item *publisher_newest(
    const struct publisher *publisher, size_t feed);

/* The hash of that one's content; NULL before the first. As above. */
const uint8_t *publisher_newest_sha256(
    const struct publisher *publisher, size_t feed);

/* How many of its items had this reason, ITEM_NO_REASON for those with a
 * price, since the start. */
uint64_t publisher_items(
    const struct publisher *publisher, size_t feed, enum item_reason reason);

#endif
