/* cert_cache: see cert_cache.h. */
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
	cache->certs = calloc(max, sizeof(*cache->certs));
	if (cache->certs == NULL || recent_init(&cache->paths, max) != 0) {
		cert_cache_fini(cache);
		return -1;
	}
	return 0;
}

void cert_cache_fini(struct cert_cache *cache)
{
	for (size_t i = 0; i < cache->paths.count; i++)
		cert_fini(&cache->certs[i]);
	free(cache->certs);
	recent_fini(&cache->paths);
	memset(cache, 0, sizeof(*cache));
}

bool cert_cache_find(struct cert_cache *cache,
    const uint8_t path_sha256[HM_SHA256_LEN], struct cert *out)
{
	size_t i = recent_find(&cache->paths, path_sha256);

	if (i == cache->paths.count) {
		cache->misses++;
		return false;
	}
	cache->hits++;
	recent_touch(&cache->paths, i);
	cert_share(out, &cache->certs[i]);
	return true;
}

void cert_cache_put(struct cert_cache *cache,
    const uint8_t path_sha256[HM_SHA256_LEN], const struct cert *cert)
{
	size_t i = recent_find(&cache->paths, path_sha256);

	if (i < cache->paths.count) {
		recent_touch(&cache->paths, i);
		return;
	}
	i = recent_take(&cache->paths, path_sha256);
	cert_fini(&cache->certs[i]);
	cert_share(&cache->certs[i], cert);
}
