/* oracle_feeds: an oracle's answer to GET /feeds. Pure. */
#ifndef HALLMARK_VERIFIER_DAEMON_ORACLE_FEEDS_H
#define HALLMARK_VERIFIER_DAEMON_ORACLE_FEEDS_H

#include "feeds/feed_config.h"
#include "verifier/daemon/oracle_address.h"

#include <stdbool.h>
#include <stddef.h>

#define ORACLE_FEEDS_MAX FEEDS_MAX     /* names one oracle may bring */
#define ORACLE_FEED_MAX  FEED_NAME_MAX /* "BTC-USD" and a NUL */

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

/* What asks for the stream of these. None, or more than a stream can name
 * (SSE_TOPICS_MAX): of all there are. */
void oracle_feeds_stream(
    char out[static ORACLE_TARGET_MAX], const struct oracle_feeds *feeds);

bool oracle_feeds_has(const struct oracle_feeds *feeds, const char *name);

#endif
