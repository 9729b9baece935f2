/*
 * verifierd_config: the configuration of hallmark-verifierd, a JSON file. It
 * is not measured by anything: what is accepted stands in the policy.
 *
 *   { "listen": "tcp://127.0.0.1:8090", "policy": "policy.json",
 *     "archive": "archive.db",
 *     "oracles": ["http://127.0.0.1:8080", "unix:///run/oracle.sock",
 *                 "https+attested://oracle.example:8443"],
 *     "feeds": ["BTC-USD"],             (optional: all of them)
 *     "nats": { ... },                  (optional, bus_config.h)
 *     "requests_per_s": 100, "requests_burst": 500,
 *                              (of one address; optional, 0 is no limit)
 *     "archive_rotate": true,  (days that are over become files of their own)
 *     "archive_keep_days": 400,      (so many of them; optional: for ever)
 *     "archive_keep_raw": true }     (exchanges' answers that items name)
 */
#ifndef HALLMARK_VERIFIER_DAEMON_VERIFIERD_CONFIG_H
#define HALLMARK_VERIFIER_DAEMON_VERIFIERD_CONFIG_H

#include "base/endpoint.h"
#include "verifier/daemon/bus_config.h"
#include "verifier/daemon/oracle_address.h"
#include "verifier/daemon/oracle_feeds.h"
#include "verifier/daemon/path_beside.h"

#include <stdio.h>

#define VERIFIERD_CONFIG_BYTES_MAX 65536
#define VERIFIERD_CONFIG_ERROR_MAX 1536
#define VERIFIERD_ORACLES_MAX      16
#define VERIFIERD_KEEP_DAYS_MAX    36500

struct verifierd_config {
	struct endpoint listen;
	char policy[PATH_BESIDE_MAX], archive[PATH_BESIDE_MAX];
	struct oracle_address oracles[VERIFIERD_ORACLES_MAX];
	size_t oracle_count; /* >= 1, unless NATS is subscribed to */
	struct bus_config bus;
	bool limited; /* feeds are given: no others */
	struct oracle_feeds feeds;
	bool archive_rotate, archive_keep_raw;
	int64_t archive_keep_days;               /* 0: for ever */
	unsigned requests_per_s, requests_burst; /* base/rate_limit.h */
};

/* Paths in it are relative to it. 0, or -1 and what is wrong where. */
__attribute__((warn_unused_result)) int verifierd_config_load(
    struct verifierd_config *out, const char *path,
    char error[static VERIFIERD_CONFIG_ERROR_MAX]);

/* The resolved plan, for people: what --check prints. */
void verifierd_config_print(const struct verifierd_config *config, FILE *out);

#endif
