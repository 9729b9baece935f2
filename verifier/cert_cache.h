/*
 * cert_cache: certificates that were verified before, so that a new document
 * of a known chain costs one signature or two instead of five.
 *
 * A certificate is known by the hash of its path, which is the whole of what
 * was verified: its own bytes under the bytes of each certificate above it, up
 * to the root. The same certificate under any other ancestor is another path,
 * and unknown. What is kept is that the signatures are right and that each
 * issuer's name is the next subject's; a profile, a time, a pathLen, a place in
 * the order, a revocation is judged for each certificate each time (chain.h,
 * judge.h), and whether the root is trusted before anything is looked up here.
 */
#ifndef HALLMARK_VERIFIER_CERT_CACHE_H
#define HALLMARK_VERIFIER_CERT_CACHE_H

#include "verifier/cert.h"
#include "verifier/recent.h"

#define CERT_CACHE_MAX 1024 /* some 8 KiB each; searched from end to end */

struct cert_cache {
	struct recent paths;
	struct cert *certs;    /* one for each path, owned */
	uint64_t hits, misses; /* of cert_cache_find */
	uint64_t signatures;   /* that established.c had to verify */
};

/* The path of a certificate under the path above it; NULL: it is a root. 0 or
 * -1 (no memory). */
__attribute__((warn_unused_result)) int cert_path(
    uint8_t out[HM_SHA256_LEN], const uint8_t *above, struct slice der);

/* max: 1 to CERT_CACHE_MAX. 0 or -1 (no memory), and then it is empty. */
__attribute__((warn_unused_result)) int cert_cache_init(
    struct cert_cache *cache, size_t max);
void cert_cache_fini(struct cert_cache *cache);

/* On true *out is the caller's, to be given to cert_fini(). */
__attribute__((warn_unused_result)) bool cert_cache_find(
    struct cert_cache *cache, const uint8_t path_sha256[HM_SHA256_LEN],
    struct cert *out);

/* Keeps a share of `cert`, whose path was verified; the least recently used one
 * makes room. */
void cert_cache_put(struct cert_cache *cache,
    const uint8_t path_sha256[HM_SHA256_LEN], const struct cert *cert);

#endif
