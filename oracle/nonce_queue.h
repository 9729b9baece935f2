/*
 * nonce_queue: the batches of nonces that wait for the attester, and which of
 * them may have it when. All nonces that are for no result are one batch; those
 * for a result are one for each result (by its SHA-256). The oldest goes first,
 * at most one each ATTESTATION_CALL_MS; those with a result wait for
 * ATTESTATION_RESULT_MS between two, and meanwhile let others pass. The caller
 * says what time it is, by a clock that never goes back.
 */
#ifndef HALLMARK_ORACLE_NONCE_QUEUE_H
#define HALLMARK_ORACLE_NONCE_QUEUE_H

#include "oracle/nonce_batch.h"

TAILQ_HEAD(nonce_batches, nonce_batch);

struct nonce_queue {
	struct nonce_batches waiting; /* oldest first */
	unsigned results;             /* those of them with a result */
	uint64_t call_due_ms;         /* when the next one may go */
	uint64_t result_due_ms;       /* when the next one with a result may */
};

void nonce_queue_init(struct nonce_queue *queue);
/* The waiting batch for this result (NULL: for none), made if there is none
 * yet. NULL: ATTESTATION_RESULTS_MAX others wait. */
struct nonce_batch *nonce_queue_batch(
    struct nonce_queue *queue, const uint8_t *content_sha256);
/* The batch that may go now: it leaves the queue, and is the caller's. NULL:
 * none may before *due_ms, or, where that is UINT64_MAX, none waits. */
struct nonce_batch *nonce_queue_take(
    struct nonce_queue *queue, uint64_t now_ms, uint64_t *due_ms);
/* Any one of them, whatever the time; NULL: the queue is empty. */
struct nonce_batch *nonce_queue_drain(struct nonce_queue *queue);

#endif
