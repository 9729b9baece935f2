/*
 * log_keeper: what the daemon says of the heads that it keeps: each is streamed
 * once it is durable (event tree_head), counted, and logged where something is
 * wrong. Proofs of misbehaviour that lie beside the archive are a warning in
 * /readyz until somebody takes them away.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_KEEPER_H
#define HALLMARK_VERIFIER_DAEMON_LOG_KEEPER_H

#include "base/board.h"
#include "base/metrics_text.h"
#include "verifier/daemon/record.h"

#include <jansson.h>

struct log_keeper;

/* The board is borrowed until free; archive is the path, for the call: its
 * folder is read. */
struct log_keeper *log_keeper_new(struct board *board, const char *archive);
void log_keeper_free(struct log_keeper *keeper); /* NULL is fine */

/* A head's record whose batch is durable, its outcome set. Borrowed. */
void log_keeper_committed(struct log_keeper *keeper, const struct record *r);

struct log_keeper_stats {
	uint64_t states[RECORD_LOG_STATES]; /* of stored heads */
	uint64_t duplicates, forks, refused;
	uint64_t items_missing; /* of all gaps */
	size_t proofs;          /* of misbehaviour: there, or made since */
	uint64_t tree_size;     /* of the head published last, or 0 */
	int64_t published_ms;
};
void log_keeper_stats(
    const struct log_keeper *keeper, struct log_keeper_stats *out);

/* For /readyz: "ok", or a warning. New reference. */
json_t *log_keeper_check(const struct log_keeper *keeper);
void log_keeper_metrics(
    const struct log_keeper *keeper, struct metrics_text *text, int64_t now_ms);

#endif
