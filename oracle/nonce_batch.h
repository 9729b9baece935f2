/*
 * nonce_batch: those who wait for one document that answers all their nonces.
 *
 * A document has room for one nonce. That of one asker stands there as it is;
 * of more, it is the root of the tree (RFC 6962, 2.1) whose leaves are their
 * nonces in the order in which they came, and each gets its own's path
 * (hm_nonce_verify() in hallmark.h judges both). So the attester is asked once
 * however many there are. Of each asker only the leaf's hash is kept.
 *
 *   new --> add ... --> seal --> nonce() goes into a document --> answer
 */
#ifndef HALLMARK_ORACLE_NONCE_BATCH_H
#define HALLMARK_ORACLE_NONCE_BATCH_H

#include "oracle/attestation.h"

#include <stdbool.h>
#include <sys/queue.h>

struct nonce_asker;

struct nonce_batch {
	TAILQ_ENTRY(nonce_batch) entry; /* the owner's, as the next two */
	bool for_result;                /* a result stands beside the nonce */
	uint8_t content_sha256[HM_SHA256_LEN]; /* of that result */
	struct nonce_asker *askers;            /* `count` of them */
	size_t count, room;
	bool sealed;
	uint8_t nonce[ATTESTER_NONCE_MAX]; /* the first one's, then the root */
	size_t nonce_len;
	uint8_t (*tree)[HM_SHA256_LEN]; /* full subtrees, by level; sealed */
};

/* NULL: for no result. */
struct nonce_batch *nonce_batch_new(const uint8_t *content_sha256);
/* Takes one more (the nonce is copied), before it is sealed. */
void nonce_batch_add(struct nonce_batch *batch, const uint8_t *nonce,
    size_t len, attestation_nonce_cb cb, void *data);
/* Nobody comes to it any more: `nonce` is the document's. */
void nonce_batch_seal(struct nonce_batch *batch);
/* Tells all of them, in the order in which they came, and frees the batch.
 * doc NULL: why not; then it need not be sealed. */
void nonce_batch_answer(struct nonce_batch *batch,
    const struct attestation_document *doc, const char *error);

#endif
