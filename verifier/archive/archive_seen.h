/*
 * archive_seen: which documents a reader has given, and where in a text each
 * one stands, so that it can be given again (archive_source.h promises that
 * whoever keeps ARCHIVE_SOURCE_DOCUMENTS of them always has what he needs).
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SEEN_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SEEN_H

#include "verifier/archive/archive_source.h"

/* Of one file: three years of one oracle that renews twice an hour. */
#define ARCHIVE_SEEN_MAX 65536

/* The last ones that were given; zero to begin with. */
struct archive_ring {
	uint8_t sha256[ARCHIVE_SOURCE_DOCUMENTS][HM_SHA256_LEN];
	size_t next, count;
};

/* The slot of this one, or -1. */
int archive_ring_find(
    const struct archive_ring *ring, const uint8_t sha256[HM_SHA256_LEN]);
/* It is given now; its slot, whose former document is forgotten. */
int archive_ring_add(
    struct archive_ring *ring, const uint8_t sha256[HM_SHA256_LEN]);

struct archive_place { /* of the text that holds a document */
	uint8_t sha256[HM_SHA256_LEN];
	uint64_t offset;
	size_t len; /* 0: an empty slot of the table */
	/* of the platform and the key that stand beside it, unsigned; the item
	 * that names it must say the same */
	uint8_t said[HM_SHA256_LEN];
	bool has_said;
};

struct archive_seen {                /* zero to begin with */
	struct archive_place *slots; /* owned; a power of two of them */
	size_t capacity, count;
};

/* Borrowed until the next one is added; NULL: not known. */
struct archive_place *archive_seen_find(
    const struct archive_seen *seen, const uint8_t sha256[HM_SHA256_LEN]);
/* Copied; the first of a hash stays. 0, or -1: too many, or no memory. */
HM_MUST_CHECK int archive_seen_add(
    struct archive_seen *seen, const struct archive_place *place);
void archive_seen_fini(struct archive_seen *seen);

#endif
