/* cache: struct hm_cache of hallmark.h, from the inside. */
#ifndef HALLMARK_VERIFIER_CACHE_H
#define HALLMARK_VERIFIER_CACHE_H

#include "verifier/established.h"

#define CACHE_DOCUMENTS_MAX 65536 /* about 9 KiB each */

/*
 * What is established of the document with this hash, if its root is one that
 * the policy has now: a policy that dropped a root must not profit from what
 * another allowed. Borrowed until something is put. NULL: not there, or
 * `cache` is NULL. Counts a hit or a miss.
 */
const struct established *cache_find(struct hm_cache *cache,
    const struct hm_policy *policy, const uint8_t sha256[HM_SHA256_LEN]);

/* The certificates that it holds; NULL if `cache` is NULL. */
struct cert_cache *cache_certs(struct hm_cache *cache);

/* Takes `established`, and its certificates too; the least recently used one
 * makes room. */
void cache_put(struct hm_cache *cache, struct established *established);

/* Takes `established`, which was not good for the one who asked: one place
 * beside the others, for the last of them. */
void cache_put_refused(struct hm_cache *cache, struct established *established);

#endif
