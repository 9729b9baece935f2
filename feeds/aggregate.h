/*
 * aggregate: from the sources of one tick to one price. No clock, no floating
 * point: same inputs, same bytes, on every machine; replay depends on it.
 */
#ifndef HALLMARK_FEEDS_AGGREGATE_H
#define HALLMARK_FEEDS_AGGREGATE_H

#include "feeds/item.h"

#define AGGREGATE_AHEAD_MS 5000   /* an exchange's clock may be ahead of ours */
#define AGGREGATE_PAST_MS  600000 /* an older price measures no new one */

/*
 * What a feed's items up to now say of its next price; zeroed before the
 * first. All of it can be had from the items alone, see aggregate_remember().
 */
struct aggregate_past {
	bool has_price;
	struct decimal price;     /* of the newest item that was ok */
	int64_t published_ms;     /* of that item */
	bool has_candidate;       /* the newest item was a price_jump, */
	struct decimal candidate; /* and this would have been its price */
};

/*
 * Fills item->price, confidence, status, reason, min_sources and each source's
 * price and state. Before: feed, sources and published_ms are set. The sources
 * are config->sources, one for one, each with exchange, symbol, quote, via,
 * rate, has_answer, received_ms, hashes; state FROZEN if the poller saw it
 * frozen, FAILED with its error if it failed, USED otherwise. Percent and bps
 * are of the value named, every comparison is exact. The rules, in order:
 *
 * 1. source price: the median of last, bid and ask where all three are there
 *    (last outside the book is normal); the middle of bid and ask where only
 *    they are and ask/bid <= 1.02; last where it is alone; else failed,
 *    no_price. Times `rate` when `via` is set (no rate: failed, no_rate;
 *    outside [0.90, 1.10]: the same). Rounded once to config->decimals, half
 *    away from zero; zero, or more than 63 bits: failed, no_price.
 * 2. stale: older at published_ms than max_age_ms by our receive time, or
 *    older than exchange_max_age_ms by the exchange's own time, or that more
 *    than AGGREGATE_AHEAD_MS ahead of our receive time. Its time never
 *    prolongs, and where it says nothing of the quote's age
 *    (EXCHANGE_TIME_NONE and _BUCKET) it is not looked at. For a check both
 *    limits are at least FEED_CHECK_AGE_MS.
 * 3. check: a source with the role "check" that is neither failed, frozen nor
 *    stale. It has its price, and from here on no part in anything.
 * 4. outlier: m = median of the rest, d = |price - m|, MAD = median of d; out
 *    when d > outlier_mads x 1.4826 x MAD and d > outlier_floor_bps of m, or
 *    when d > max_deviation_bps of m. Medians of an even count are the mean of
 *    the middle two, here not rounded. One pass.
 * 5. what is left is used. Fewer than min_sources, which is the larger of
 *    config->min_sources and min_share_percent of the sources that vote,
 *    rounded up: unavailable, insufficient_sources.
 * 6. price: median of those used; of an even count the mean of the middle two,
 *    half up. Confidence: the larger distance from the price to the quartiles
 *    p25 = v[n/4], p75 = v[n-1-n/4] of the sorted prices v[0..n-1].
 * 7. jump: farther than max_jump_bps of the past price from it, unless that is
 *    older than AGGREGATE_PAST_MS at published_ms: unavailable, price_jump.
 *    Not if it is confirmed: the item before was a price_jump too, its
 *    candidate is no farther than max_jump_bps of itself from the price now,
 *    and the used are at least jump_share_percent of the sources that vote.
 *    max_jump_bps 0: no such rule.
 */
void aggregate(const struct feed_config *config,
    const struct aggregate_past *past, struct item *item);

/*
 * Rule 7 alone, for a price by rule 6 of so many used sources: whether it may
 * be published after this past. Who replays many items at once learns the past
 * of each only later.
 */
bool aggregate_may_publish(const struct feed_config *config,
    const struct aggregate_past *past, int64_t published_ms,
    struct decimal price, size_t used);

/*
 * Takes the feed's next item, as published, into its past. An ok item is the
 * new price and clears the candidate. A price_jump keeps the price and sets the
 * candidate: rule 6 over the sources that the item says were used. Any other
 * keeps the price and clears the candidate.
 */
void aggregate_remember(struct aggregate_past *past,
    const struct feed_config *config, const struct item *item);

#endif
