/* attestation_ring: the documents that are at hand by hash: the current one,
 * those before it, and one that will be. Pure but for memory. */
#ifndef HALLMARK_ORACLE_ATTESTATION_RING_H
#define HALLMARK_ORACLE_ATTESTATION_RING_H

#include "oracle/attestation.h"

struct attestation_ring { /* all zero at first */
	struct attestation_document kept[ATTESTATION_KEPT];
	unsigned last, current; /* indices in kept */
};

/* Takes *doc over, in place of the oldest but never of the current one; what it
 * became. */
const struct attestation_document *attestation_ring_keep(
    struct attestation_ring *ring, struct attestation_document *doc);
/* False: it is not there. */
bool attestation_ring_set_current(
    struct attestation_ring *ring, const uint8_t sha256[HM_SHA256_LEN]);
const struct attestation_document *attestation_ring_find(
    const struct attestation_ring *ring, const uint8_t sha256[HM_SHA256_LEN]);
void attestation_ring_fini(struct attestation_ring *ring);

#endif
