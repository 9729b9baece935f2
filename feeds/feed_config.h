/*
 * feed_config: the "feeds" part of the configuration, read and checked. Pure.
 */
#ifndef HALLMARK_FEEDS_FEED_CONFIG_H
#define HALLMARK_FEEDS_FEED_CONFIG_H

#include "feeds/exchanges/exchange.h"

#define FEED_NAME_MAX         32  /* "BTC-USD" and a NUL: [A-Z0-9]+-[A-Z0-9]+ */
#define FEED_SOURCES_MAX      32  /* sources of one feed */
#define FEEDS_MAX             256 /* feeds of one oracle */
#define FEED_CONFIG_ERROR_MAX 256
/* A check may be so old by either time where the feed's limit is shorter: it
 * has no part in the price, and is asked at leisure (CoinGecko: every 30 s for
 * 20 symbols, up to a minute old by then). */
#define FEED_CHECK_AGE_MS 300000

struct feed_source {
	const struct exchange *exchange;
	char symbol[EXCHANGE_SYMBOL_MAX];
	char quote_feed[FEED_NAME_MAX]; /* "USDT-USD" to convert by, or "" */
	bool is_check; /* "role": "check": shown beside the price, never part
			  of it; else it votes */
};

/* What the rules of aggregate.h go by. _bps: hundredths of a percent. */
struct feed_config {
	char feed[FEED_NAME_MAX];
	int decimals;        /* of price and confidence, 0..12 */
	int64_t interval_ms; /* one tick, 200..60000 */

	int64_t max_age_ms; /* of an answer by our clock at the tick, 1..600000;
			       items expire after it too */
	/* Of an answer by the exchange's own time, where that says anything of
	 * its age; default 60000, 1000..86400000. */
	int64_t exchange_max_age_ms;
	/* Unchanged this long is frozen; default 300000, 0 turns it off. */
	int64_t frozen_after_ms;

	unsigned min_sources;       /* 1..sources that vote */
	unsigned min_share_percent; /* of those that vote; default 50, 0..100 */

	unsigned max_deviation_bps; /* farther from the median is an outlier
				       whatever the MAD says; default 200 */
	unsigned outlier_mads;      /* so many 1.4826 MADs from the median is an
				       outlier; default 5, 1..100 */
	unsigned outlier_floor_bps; /* but nothing nearer than this; default 50,
				       0..10000 */

	unsigned max_jump_bps;       /* from the last price, without
					confirmation; default 1000, 0: any */
	unsigned jump_share_percent; /* of those that vote must be used for a
					jump; default 60, 0..100 */

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
 * min_sources than sources that vote, a check_only exchange that is to vote and
 * numbers out of range are refused; `error` then says which and where. Returns
 * 0 or -1.
 */
__attribute__((warn_unused_result)) int feed_set_parse(struct feed_set *out,
    const json_t *feeds, char error[static FEED_CONFIG_ERROR_MAX]);

/* NULL if there is none of that name. */
const struct feed_config *feed_set_find(
    const struct feed_set *set, const char *feed);

/* What one of the feed's two limits of age comes to for this source: a check
 * has at least FEED_CHECK_AGE_MS. */
int64_t feed_config_age_max(
    const struct feed_source *source, int64_t feeds_age_ms);

/* How many sources vote: all but the checks. */
size_t feed_config_voters(const struct feed_config *config);

/* How many must be used for a price: min_sources, or if that is more,
 * min_share_percent of those that vote, rounded up. */
unsigned feed_config_min_sources(const struct feed_config *config);

#endif
