/*
 * aggregate: from the sources of one tick to one price. No clock, no floating
 * point: same inputs, same bytes, on every machine; replay depends on it.
 */
#ifndef HALLMARK_FEEDS_AGGREGATE_H
#define HALLMARK_FEEDS_AGGREGATE_H

#include "feeds/item.h"

#define AGGREGATE_AHEAD_MS 5000 /* an exchange's clock may be ahead of ours */
#define AGGREGATE_FLOOR_BPS                            \
	50 /* nearer to the median is never an outlier \
	      by the MAD */

/*
 * Fills item->price, confidence, status, reason and each source's price and
 * state. Before: feed and sources (exchange, symbol, quote, via, rate,
 * has_answer, received_ms, hashes; state FROZEN if the poller saw it frozen,
 * FAILED with its error if it failed, USED otherwise) and item->published_ms
 * are set. The rules, in order:
 *
 * 1. source price: the median of last, bid and ask where all three are there;
 *    the middle of bid and ask where only they are and ask/bid <= 1.02; last
 *    where it is alone; else failed, no_price. Times `rate` when `via` is set
 *    (no rate: failed, no_rate; outside [0.90, 1.10]: the same). Rounded once
 *    to config->decimals, half away from zero.
 * 2. stale: older at published_ms than max_age_ms by our receive time, or
 *    older than 60 s by the exchange's own time, or more than
 *    AGGREGATE_AHEAD_MS ahead of our receive time.
 * 3. outlier: m = median of the rest, d = |price - m|, MAD = median of d; out
 *    when d > max(5 x 1.4826 x MAD, AGGREGATE_FLOOR_BPS of m), or when d >
 *    max_deviation_bps of m. One pass.
 * 4. fewer than min_sources left: unavailable, insufficient_sources.
 * 5. price: median of the rest; of an even count the mean of the middle two,
 *    half up. Confidence: the larger distance from the median to the
 *    quartiles p25 = v[n/4], p75 = v[n-1-n/4] of the sorted prices.
 */
void aggregate(const struct feed_config *config, struct item *item);

#endif
