/*
 * peers: how many connections each peer has, so that one of them cannot take
 * all places. Pure but for memory.
 */
#ifndef HALLMARK_BRIDGE_PEERS_H
#define HALLMARK_BRIDGE_PEERS_H

#include "vsock-bridge/peer.h"

#define PEERS_BUCKETS 1024 /* of lists that are short with 65536 peers */

struct peers_entry;

/* All zero but for these: no limit, and no work. */
struct peers {
	unsigned max;  /* of one peer; 0: as many as it likes */
	uint64_t seed; /* random: nobody outside can fill one bucket */

	/* private from here on */
	struct peers_entry *buckets[PEERS_BUCKETS];
};

/* False when the peer has as many as it may, or for want of memory. On success
 * *out is for peers_leave; NULL where there is nothing to count. */
__attribute__((warn_unused_result)) bool peers_enter(
    struct peers *peers, const struct peer_key *key, struct peers_entry **out);

/* `entry` as peers_enter gave it, once for each; NULL is accepted. */
void peers_leave(struct peers *peers, struct peers_entry *entry);

#endif
