/* attestation_ring: see attestation_ring.h. */
#include "oracle/attestation_ring.h"

#include "oracle/attestation_document.h"

#include <string.h>

const struct attestation_document *attestation_ring_keep(
    struct attestation_ring *ring, struct attestation_document *doc)
{
	struct attestation_document *slot;

	do {
		ring->last = (ring->last + 1) % ATTESTATION_KEPT;
		slot = &ring->kept[ring->last];
	} while (ring->last == ring->current && slot->bytes != NULL);
	attestation_document_fini(slot);
	*slot = *doc;
	return slot;
}

const struct attestation_document *attestation_ring_find(
    const struct attestation_ring *ring, const uint8_t sha256[HM_SHA256_LEN])
{
	for (unsigned i = 0; i < ATTESTATION_KEPT; i++)
		if (ring->kept[i].bytes != NULL &&
		    memcmp(ring->kept[i].sha256, sha256, HM_SHA256_LEN) == 0)
			return &ring->kept[i];
	return NULL;
}

bool attestation_ring_set_current(
    struct attestation_ring *ring, const uint8_t sha256[HM_SHA256_LEN])
{
	const struct attestation_document *found = attestation_ring_find(
	    ring, sha256);

	if (found != NULL)
		ring->current = (unsigned)(found - ring->kept);
	return found != NULL;
}

void attestation_ring_fini(struct attestation_ring *ring)
{
	for (unsigned i = 0; i < ATTESTATION_KEPT; i++)
		attestation_document_fini(&ring->kept[i]);
}
