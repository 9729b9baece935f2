/* archive_seen: see archive_seen.h. */
#include "verifier/archive/archive_seen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

int archive_ring_find(
    const struct archive_ring *ring, const uint8_t sha256[HM_SHA256_LEN])
{
	for (size_t i = 0; i < ring->count; i++) {
		/* the newest first: it is nearly always that one */
		size_t at = (ring->next + ARCHIVE_SOURCE_DOCUMENTS - 1 - i) %
			    ARCHIVE_SOURCE_DOCUMENTS;

		if (memcmp(ring->sha256[at], sha256, HM_SHA256_LEN) == 0)
			return (int)at;
	}
	return -1;
}

int archive_ring_add(
    struct archive_ring *ring, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t at = ring->next;

	memcpy(ring->sha256[at], sha256, HM_SHA256_LEN);
	ring->next = (at + 1) % ARCHIVE_SOURCE_DOCUMENTS;
	if (ring->count < ARCHIVE_SOURCE_DOCUMENTS)
		ring->count++;
	return (int)at;
}

/* Where it is, or where it would be. Open addressing; a hash that somebody
 * chose costs him, with ARCHIVE_SEEN_MAX of them, seconds of ours: they are
 * compared with the documents, so he cannot choose their first bytes. */
static struct archive_place *slot_of(
    const struct archive_seen *seen, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t at;

	memcpy(&at, sha256, sizeof(at));
	for (;; at++) {
		struct archive_place *slot =
		    &seen->slots[at & (seen->capacity - 1)];

		if (slot->len == 0 ||
		    memcmp(slot->sha256, sha256, HM_SHA256_LEN) == 0)
			return slot;
	}
}

static int grow(struct archive_seen *seen)
{
	struct archive_seen more = {
	    .capacity = seen->capacity ? 2 * seen->capacity : FIRST_CAPACITY,
	    .count = seen->count,
	};

	more.slots = calloc(more.capacity, sizeof(*more.slots));
	if (more.slots == NULL)
		return -1;
	for (size_t i = 0; i < seen->capacity; i++)
		if (seen->slots[i].len != 0)
			*slot_of(&more, seen->slots[i].sha256) = seen->slots[i];
	free(seen->slots);
	*seen = more;
	return 0;
}

struct archive_place *archive_seen_find(
    const struct archive_seen *seen, const uint8_t sha256[HM_SHA256_LEN])
{
	struct archive_place *slot;

	if (seen->capacity == 0)
		return NULL;
	slot = slot_of(seen, sha256);
	return slot->len != 0 ? slot : NULL;
}

int archive_seen_add(
    struct archive_seen *seen, const struct archive_place *place)
{
	assert(place->len != 0);
	if (archive_seen_find(seen, place->sha256) != NULL)
		return 0;
	if (seen->count == ARCHIVE_SEEN_MAX)
		return -1;
	if (2 * (seen->count + 1) > seen->capacity && grow(seen) != 0)
		return -1;
	*slot_of(seen, place->sha256) = *place;
	seen->count++;
	return 0;
}

void archive_seen_fini(struct archive_seen *seen)
{
	free(seen->slots);
	memset(seen, 0, sizeof(*seen));
}
