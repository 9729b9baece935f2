/*
 * replay_price: an item's price made again from its own sources, by the code
 * that made it, and its content written again and compared byte for byte.
 *
 * With the oracle's configuration all rules of feeds/aggregate.h apply, but
 * for the two that need more than this item: whether a source was frozen
 * (nothing changed for minutes: the item's word is taken), and the jump
 * guard, whose question comes out of here (replay_order knows the past).
 * Without it the states that the item gives its sources are taken, and the
 * rest is made again: each source's price, the median, the confidence, whether
 * there are enough. Pure.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_PRICE_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_PRICE_H

#include "feeds/aggregate.h"
#include "verifier/archive/replay.h"

struct replay_price { /* the answer */
	bool same;
	char other[REPLAY_TEXT_MAX]; /* if not: what is */
	/* With a configuration, of an item with enough sources: */
	bool asks_past;
	struct decimal price; /* that it has or, as a jump, would have had */
	size_t used;
	/* What it alone says of the next one: aggregate_remember() from
	 * nothing. Only with a configuration. */
	struct aggregate_past after;
};

struct replay_price_room { /* for the work; one for each thread */
	struct item item;
	struct feed_config lenient;
	char content[ITEM_CONTENT_MAX];
};

/* config: the feed's, or NULL. `said` was read from these bytes. */
void replay_price_make(struct replay_price *out,
    const struct feed_config *config, const struct item *said,
    const char *content, size_t len, struct replay_price_room *room);

#endif
