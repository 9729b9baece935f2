/*
 * peering: the part of the oracle that has to do with other enclaves, as main
 * sees it: the links, the signed status, and the others' documents on our
 * board. Without "peers" in the configuration each function does nothing.
 */
#ifndef HALLMARK_ORACLE_PEERING_H
#define HALLMARK_ORACLE_PEERING_H

#include "base/board.h"
#include "oracle/identity.h"
#include "oracle/peers_status.h"

struct peering {
	const struct config *config;
	SSL_CTX *tls; /* owned */
	struct board *board;
	struct peers *peers; /* NULL: there are none */
	struct peers_status *status;
};

/* After identity_attest(). newest: of our own items, with its data. */
void peering_start(struct peering *peering, const struct identity *identity,
    uv_loop_t *loop, struct board *board, peer_newest_cb newest, void *data);
void peering_stop(struct peering *peering);
/* After the loop has ended. */
void peering_free(struct peering *peering);

#endif
