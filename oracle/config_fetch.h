/*
 * config_fetch: what may be fetched for somebody (oracle/fetch.h):
 *
 *   "fetch": {"allow": [{"hostname": "api.binance.com", "port": 443,
 *                        "path_prefix": "/api/v3/ticker"}],
 *             "per_minute": 30, "max_bytes": 65536}
 *
 * Without it nothing is fetched. A prefix ends where a segment does:
 * "/api/v3/ticker" allows itself, with any query, and what is below
 * "/api/v3/ticker/", but not "/api/v3/tickers". Path and query may have
 * letters, digits and -._~,:=&/? alone, and of escapes those of " , : [ ]; no
 * ".." and no
 * "/.": whatever else callers wish for could be taken for an attack.
 */
#ifndef HALLMARK_ORACLE_CONFIG_FETCH_H
#define HALLMARK_ORACLE_CONFIG_FETCH_H

#include "feeds/exchanges/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FETCH_ALLOW_MAX      32  /* entries of "allow" */
#define CONFIG_FETCH_PREFIX_MAX     256 /* bytes of a prefix and a NUL */
#define CONFIG_FETCH_PER_MINUTE     30  /* to one host */
#define CONFIG_FETCH_PER_MINUTE_MAX 600
#define CONFIG_FETCH_BYTES          65536 /* of an answer's body */

struct config_fetch_allow {
	char hostname[254];
	uint16_t port;
	char path_prefix[CONFIG_FETCH_PREFIX_MAX];
};

struct config_fetch {
	struct config_fetch_allow allow[CONFIG_FETCH_ALLOW_MAX];
	size_t allow_count;  /* 0: nothing is fetched */
	unsigned per_minute; /* requests to one host, spaced evenly */
	size_t max_bytes;
};

/* The path is one by fetched_is_path(). */
bool config_fetch_allows(const struct config_fetch *fetch, const char *hostname,
    unsigned port, const char *path);

/* The exchange of ours that has this host, or NULL. */
const struct exchange *config_fetch_exchange(const char *hostname);

#endif
