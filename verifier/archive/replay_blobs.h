/*
 * replay_blobs: bytes by their SHA-256, shared by threads: attestation
 * documents, answers of exchanges. So many bytes at most; what was not asked
 * for the longest goes first.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_BLOBS_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_BLOBS_H

#include "verifier/hallmark.h"

struct replay_blobs;
struct replay_blob;

/* NULL: no memory. */
struct replay_blobs *replay_blobs_new(size_t bytes_max);
void replay_blobs_free(struct replay_blobs *blobs); /* NULL is fine */

/* Copied; the hash is the caller's word. One that is there is only younger
 * again. 0, or -1: no memory. */
HM_MUST_CHECK int replay_blobs_put(struct replay_blobs *blobs,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *bytes, size_t len);

/* Held until it is released; NULL: not there. */
struct replay_blob *replay_blobs_get(
    struct replay_blobs *blobs, const uint8_t sha256[HM_SHA256_LEN]);
const uint8_t *replay_blob_bytes(const struct replay_blob *blob, size_t *len);
void replay_blobs_release(
    struct replay_blobs *blobs, struct replay_blob *blob); /* NULL is fine */

/* How many there have been, each once as long as it stayed. */
uint64_t replay_blobs_count(struct replay_blobs *blobs);

#endif
