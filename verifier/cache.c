/* cache: a plain array of what is established, searched by a second, compact
 * array of keys: a few thousand documents are found in microseconds, against
 * milliseconds for verifying one. */
#include "verifier/cache.h"

#include "feeds/check.h"

#include <stdlib.h>
#include <string.h>

struct key {
	uint8_t sha256[HM_SHA256_LEN];
	uint64_t used; /* the value of `turn` when it was last asked for */
};

struct hm_cache {
	size_t max, count;
	uint64_t turn, hits, misses;
	struct key *keys;               /* max of them */
	struct established **documents; /* max of them, owned */
	struct cert_cache certs;
};

/* Most documents share the upper certificates; the instance's and the
 * enclave's are of their own. Room for the longest chain in any case. */
static size_t certs_for(size_t max_documents)
{
	size_t max = CHAIN_MAX + 2 * max_documents;

	return max < CERT_CACHE_MAX ? max : CERT_CACHE_MAX;
}

struct hm_cache *hm_cache_new(size_t max_documents)
{
	struct hm_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	if (max_documents == 0)
		max_documents = 1;
	if (max_documents > CACHE_DOCUMENTS_MAX)
		max_documents = CACHE_DOCUMENTS_MAX;
	cache->max = max_documents;
	cache->keys = calloc(max_documents, sizeof(*cache->keys));
	cache->documents = calloc(max_documents, sizeof(*cache->documents));
	if (cache->keys == NULL || cache->documents == NULL ||
	    cert_cache_init(&cache->certs, certs_for(max_documents)) != 0) {
		hm_cache_free(cache);
		return NULL;
	}
	return cache;
}

void hm_cache_free(struct hm_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->count; i++)
		established_free(cache->documents[i]);
	cert_cache_fini(&cache->certs);
	free(cache->documents);
	free(cache->keys);
	free(cache);
}

void hm_cache_stats(const struct hm_cache *cache, struct hm_cache_stats *out)
{
	out->hits = cache->hits;
	out->misses = cache->misses;
	out->documents = cache->count;
	out->certificate_hits = cache->certs.hits;
	out->certificate_misses = cache->certs.misses;
	out->certificates = cache->certs.count;
	out->signatures = cache->certs.signatures;
}

static size_t find(
    const struct hm_cache *cache, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t i = 0;

	while (i < cache->count &&
	       memcmp(cache->keys[i].sha256, sha256, HM_SHA256_LEN) != 0)
		i++;
	return i;
}

const struct established *cache_find(struct hm_cache *cache,
    const struct hm_policy *policy, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t i;

	if (cache == NULL)
		return NULL;
	i = find(cache, sha256);
	if (i == cache->count ||
	    REFUSE(cached_root,
		policy_find_root(policy, cache->documents[i]->root_sha256) ==
		    NULL)) {
		cache->misses++;
		return NULL;
	}
	cache->hits++;
	cache->keys[i].used = ++cache->turn;
	return cache->documents[i];
}

struct cert_cache *cache_certs(struct hm_cache *cache)
{
	return cache == NULL ? NULL : &cache->certs;
}

/* The place for one more; it may hold a document, which then goes. */
static size_t make_room(struct hm_cache *cache)
{
	size_t oldest = 0;

	if (cache->count < cache->max)
		return cache->count++;
	for (size_t i = 1; i < cache->count; i++)
		if (cache->keys[i].used < cache->keys[oldest].used)
			oldest = i;
	return oldest;
}

void cache_put(struct hm_cache *cache, struct established *established)
{
	size_t i = find(cache, established->document.sha256);

	chain_remember(&established->chain, &cache->certs);
	chain_close(&established->chain);
	if (i == cache->count)
		i = make_room(cache);
	established_free(cache->documents[i]);
	cache->documents[i] = established;
	memcpy(
	    cache->keys[i].sha256, established->document.sha256, HM_SHA256_LEN);
	cache->keys[i].used = ++cache->turn;
}
