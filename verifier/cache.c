/* cache: see cache.h. */
#include "verifier/cache.h"

#include "feeds/check.h"

#include <stdlib.h>
#include <string.h>

struct hm_cache {
	struct recent hashes;
	struct established **documents; /* one for each hash, owned */
	struct established *refused;    /* the last one, or NULL; owned */
	uint64_t hits, misses;
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
	cache->documents = calloc(max_documents, sizeof(*cache->documents));
	if (cache->documents == NULL ||
	    recent_init(&cache->hashes, max_documents) != 0 ||
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
	for (size_t i = 0; i < cache->hashes.count; i++)
		established_free(cache->documents[i]);
	established_free(cache->refused);
	cert_cache_fini(&cache->certs);
	free(cache->documents);
	recent_fini(&cache->hashes);
	free(cache);
}

void hm_cache_stats(const struct hm_cache *cache, struct hm_cache_stats *out)
{
	out->hits = cache->hits;
	out->misses = cache->misses;
	out->documents = cache->hashes.count;
	out->certificate_hits = cache->certs.hits;
	out->certificate_misses = cache->certs.misses;
	out->certificates = cache->certs.paths.count;
	out->signatures = cache->certs.signatures;
}

/* Borrowed; NULL: not there. */
static const struct established *find(
    struct hm_cache *cache, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t i = recent_find(&cache->hashes, sha256);
	const struct established *refused = cache->refused;

	if (i < cache->hashes.count) {
		recent_touch(&cache->hashes, i);
		return cache->documents[i];
	}
	if (refused != NULL &&
	    memcmp(refused->document.sha256, sha256, HM_SHA256_LEN) == 0)
		return refused;
	return NULL;
}

const struct established *cache_find(struct hm_cache *cache,
    const struct hm_policy *policy, const uint8_t sha256[HM_SHA256_LEN])
{
	const struct established *found;

	if (cache == NULL)
		return NULL;
	found = find(cache, sha256);
	/* Nothing of a quote was judged yet. */
	if (found == NULL ||
	    REFUSE(cached_root,
		found->quote.at == NULL &&
		    policy_find_root(policy, found->root_sha256) == NULL)) {
		cache->misses++;
		return NULL;
	}
	cache->hits++;
	return found;
}

struct cert_cache *cache_certs(struct hm_cache *cache)
{
	return cache == NULL ? NULL : &cache->certs;
}

void cache_put(struct hm_cache *cache, struct established *established)
{
	const uint8_t *sha256 = established->document.sha256;
	size_t i = recent_find(&cache->hashes, sha256);

	chain_remember(&established->chain, &cache->certs);
	chain_close(&established->chain);
	if (i == cache->hashes.count)
		i = recent_take(&cache->hashes, sha256);
	else
		recent_touch(&cache->hashes, i);
	established_free(cache->documents[i]);
	cache->documents[i] = established;
}

void cache_put_refused(struct hm_cache *cache, struct established *established)
{
	chain_close(&established->chain);
	established_free(cache->refused);
	cache->refused = established;
}
