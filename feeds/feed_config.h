/*
 * feed_config: the "feeds" part of the configuration, read and checked. Pure.
 */
#ifndef HALLMARK_FEEDS_FEED_CONFIG_H
#define HALLMARK_FEEDS_FEED_CONFIG_H

#include "feeds/exchanges/exchange.h"

#define FEED_NAME_MAX         32 /* "BTC-USD" and a NUL: [A-Z0-9]+-[A-Z0-9]+ */
#define FEED_SOURCES_MAX      32 /* sources of one feed */
#define FEEDS_MAX             64 /* feeds of one oracle */
#define FEED_CONFIG_ERROR_MAX 256

struct feed_source {
	const struct exchange *exchange;
	char symbol[EXCHANGE_SYMBOL_MAX];
	char quote_feed[FEED_NAME_MAX]; /* "USDT-USD" to convert by, or "" */
};

struct feed_config {
	char feed[FEED_NAME_MAX];
	int decimals;            /* of price and confidence, 0..12 */
	int64_t interval_ms;     /* one tick, 250..60000 */
	int64_t max_age_ms;      /* of a source's answer at the tick; items
				    expire after it too */
	int64_t frozen_after_ms; /* unchanged this long: frozen; default 300000,
				    0 turns it off */
	unsigned min_sources;    /* >= 1 */
	unsigned max_deviation_bps; /* farther from the median is an outlier
				   whatever the MAD says; default 200 */
	struct feed_source sources[FEED_SOURCES_MAX]; /* sorted by exchange,
				   then symbol */
	size_t source_count;
};

struct feed_set {
	struct feed_config feeds[FEEDS_MAX]; /* in the order of the file; a
				   quote_feed stands before its users */
	size_t count;
};

/*
 * Reads the array. Unknown keys, duplicates (feed, or exchange and symbol in
 * a feed), unknown exchanges, a quote_feed that is not an earlier feed, more
 * min_sources than sources and numbers out of range are refused; `error` then
 * says which and where. Returns 0 or -1.
 */
__attribute__((warn_unused_result)) int feed_set_parse(struct feed_set *out,
    const json_t *feeds, char error[static FEED_CONFIG_ERROR_MAX]);

/* NULL if there is none of that name. */
const struct feed_config *feed_set_find(
    const struct feed_set *set, const char *feed);

#endif
