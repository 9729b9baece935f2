/*
 * source_price: from what one exchange said to one price in the feed's
 * currency, the first rule of aggregate.h. Pure; only aggregate.c includes it.
 */
#ifndef HALLMARK_FEEDS_SOURCE_PRICE_H
#define HALLMARK_FEEDS_SOURCE_PRICE_H

#include "feeds/item.h"

/* Sets has_price and price, or state FAILED and the error. A source that had
 * failed before keeps its error, and has no price. */
void source_price_set(struct item_source *source, int decimals);

#endif
