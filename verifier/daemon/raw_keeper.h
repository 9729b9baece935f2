/*
 * raw_keeper: fetches the raw exchange answers that accepted items name, from
 * the oracle that brought the item (GET /raw/{sha256}), and gives them to the
 * archive. An item never waits for it: what cannot be had in time is missed.
 *
 *   item -> its body_sha256s, once each -> the oracle's queue
 *        -> one GET at a time -> hash compared -> archive
 *
 * Failure: an oracle that keeps none (or a mirror, which serves none) is left
 * alone for RAW_KEEPER_PAUSE_MS after RAW_KEEPER_MISSES in a row; a body with
 * another hash is dropped and said.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_RAW_KEEPER_H
#define HALLMARK_VERIFIER_DAEMON_RAW_KEEPER_H

#include "verifier/daemon/archive_writer.h"
#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/oracle_address.h"

#define RAW_KEEPER_PER_S     50         /* of one oracle: half its limit */
#define RAW_KEEPER_QUEUE_MAX 4096       /* hashes that wait, of one oracle */
#define RAW_KEEPER_BODY_MAX  (2u << 20) /* what an oracle reads at most */
#define RAW_KEEPER_SEEN      16384      /* hashes not to be asked for again */
#define RAW_KEEPER_MISSES    20
#define RAW_KEEPER_PAUSE_MS  60000

struct raw_keeper;

struct raw_keeper_options { /* all borrowed until stop */
	uv_loop_t *loop;
	struct curl_loop *curl;
	struct archive_writer *writer;
	const struct oracle_address *oracles;
	size_t oracle_count;
};

struct raw_keeper *raw_keeper_start(const struct raw_keeper_options *options);
/* Idempotent no more than free(); its timer closes on the loop. NULL is fine.
 */
void raw_keeper_stop(struct raw_keeper *keeper);

/* A record that is durable. NULL keeper: nothing is done. */
void raw_keeper_item(struct raw_keeper *keeper, const struct record *record);

struct raw_keeper_stats {
	uint64_t kept, missing, wrong, dropped;
	size_t waiting;
};
void raw_keeper_stats(
    const struct raw_keeper *keeper, struct raw_keeper_stats *out);

#endif
