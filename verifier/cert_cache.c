/* cert_cache: see cert_cache.h. Plain arrays, as in cache.c. */
#include "verifier/cert_cache.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int cert_path(
    uint8_t out[HM_SHA256_LEN], const uint8_t *above, struct slice der)
{
	uint8_t both[2 * HM_SHA256_LEN];

	if (EVP_Digest(der.at, der.len, both + HM_SHA256_LEN, NULL,
		EVP_sha256(), NULL) != 1)
		return -1;
	if (above == NULL) {
		memcpy(out, both + HM_SHA256_LEN, HM_SHA256_LEN);
		return 0;
	}
	memcpy(both, above, HM_SHA256_LEN);
	return EVP_Digest(both, sizeof(both), out, NULL, EVP_sha256(), NULL) ==
		       1
		   ? 0
		   : -1;
}

int cert_cache_init(struct cert_cache *cache, size_t max)
{
	memset(cache, 0, sizeof(*cache));
	cache->keys = calloc(max, sizeof(*cache->keys));
	cache->certs = calloc(max, sizeof(*cache->certs));
	if (cache->keys == NULL || cache->certs == NULL) {
		cert_cache_fini(cache);
		return -1;
	}
	cache->max = max;
	return 0;
}

void cert_cache_fini(struct cert_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		cert_fini(&cache->certs[i]);
	free(cache->certs);
	free(cache->keys);
	memset(cache, 0, sizeof(*cache));
}

static size_t find(
    const struct cert_cache *cache, const uint8_t path_sha256[HM_SHA256_LEN])
{
	size_t i = 0;

	while (i < cache->count && memcmp(cache->keys[i].path_sha256,
				       path_sha256, HM_SHA256_LEN) != 0)
		i++;
	return i;
}

bool cert_cache_find(struct cert_cache *cache,
    const uint8_t path_sha256[HM_SHA256_LEN], struct cert *out)
{
	size_t i = find(cache, path_sha256);

	if (i == cache->count) {
		cache->misses++;
		return false;
	}
	cache->hits++;
	cache->keys[i].used = ++cache->turn;
	cert_share(out, &cache->certs[i]);
	return true;
}

/* The place for one more; it may hold a certificate, which then goes. */
static size_t make_room(struct cert_cache *cache)
{
	size_t oldest = 0;

	if (cache->count < cache->max)
		return cache->count++;
	for (size_t i = 1; i < cache->count; i++)
		if (cache->keys[i].used < cache->keys[oldest].used)
			oldest = i;
	return oldest;
}

void cert_cache_put(struct cert_cache *cache,
    const uint8_t path_sha256[HM_SHA256_LEN], const struct cert *cert)
{
	size_t i = find(cache, path_sha256);

	if (i == cache->count) {
		i = make_room(cache);
		cert_fini(&cache->certs[i]);
		cert_share(&cache->certs[i], cert);
		memcpy(cache->keys[i].path_sha256, path_sha256, HM_SHA256_LEN);
	}
	cache->keys[i].used = ++cache->turn;
}
