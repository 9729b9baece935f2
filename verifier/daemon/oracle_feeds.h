/* oracle_feeds: an oracle's answer to GET /feeds. Pure. */
#ifndef HALLMARK_VERIFIER_DAEMON_ORACLE_FEEDS_H
#define HALLMARK_VERIFIER_DAEMON_ORACLE_FEEDS_H

#include <stdbool.h>
#include <stddef.h>

#define ORACLE_FEEDS_MAX 64 /* names one oracle may bring */
#define ORACLE_FEED_MAX  32 /* "BTC-USD" and a NUL */

struct oracle_feeds {
	char names[ORACLE_FEEDS_MAX][ORACLE_FEED_MAX];
	size_t count;
};

/* [A-Z0-9]+-[A-Z0-9]+, and not too long. */
bool oracle_feeds_is_name(const char *name);

/* {"feeds":[{"feed":"BTC-USD", ...}, ...], ...}: other members are the
 * oracle's business, every name must be one. 0, or -1 and *out is zeroed. */
__attribute__((warn_unused_result)) int oracle_feeds_parse(
    struct oracle_feeds *out, const char *json, size_t len);

bool oracle_feeds_has(const struct oracle_feeds *feeds, const char *name);

#endif
