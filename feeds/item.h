/*
 * item: the signed content, one text for one value. item_decode accepts
 * exactly what item_encode writes, byte for byte, so a content has one
 * reading. Format: README.md, "The item". Pure.
 */
#ifndef HALLMARK_FEEDS_ITEM_H
#define HALLMARK_FEEDS_ITEM_H

#include "feeds/feed_config.h"

#include <stddef.h>
#include <string.h>

#define ITEM_CONTENT_MAX 32768 /* bytes of the text */
#define ITEM_FORMAT      "hallmark/1"

enum item_status {
	ITEM_OK,
	ITEM_UNAVAILABLE
};
enum item_reason {
	ITEM_NO_REASON,
	ITEM_INSUFFICIENT_SOURCES,
	ITEM_CLOCK_UNCERTAIN,
	ITEM_PRICE_JUMP /* enough sources, but far from the last price */
};
enum source_state {
	SOURCE_USED,
	SOURCE_STALE,
	SOURCE_FROZEN,
	SOURCE_OUTLIER,
	SOURCE_FAILED,
	SOURCE_CHECK /* would be used, but is only for comparison */
};

/* One configured source at one tick. The poller sets what was read, aggregate
 * sets price and state. */
struct item_source {
	char exchange[EXCHANGE_NAME_MAX];
	char symbol[EXCHANGE_SYMBOL_MAX];
	struct quote quote; /* as read; times with it */
	bool has_price;
	struct decimal price;    /* in the feed's quote currency and decimals */
	char via[FEED_NAME_MAX]; /* the feed that converted it, or "" */
	bool has_rate;
	struct decimal rate; /* that feed's price */
	bool has_answer;     /* received_ms and the two hashes are set */
	int64_t received_ms; /* Unix ms, our clock */
	uint8_t body_sha256[32];
	uint8_t tls_spki_sha256[32];
	enum source_state state;
	enum quote_error error; /* when failed */
};

struct item {
	char feed[FEED_NAME_MAX];
	uint8_t boot_id[16];
	uint64_t sequence; /* at most 2^53 - 1 */
	enum item_status status;
	enum item_reason reason;
	struct decimal price, confidence; /* exponent -decimals; when ok */
	int64_t published_ms, expires_ms; /* Unix ms */
	struct item_source sources[FEED_SOURCES_MAX];
	size_t source_count;
	unsigned min_sources;
	uint8_t config_sha256[32];
	uint8_t previous_sha256[32];
};

/*
 * Writes the content, NUL-terminated, and its length without the NUL. Returns
 * 0, or -1 if the item breaks a rule of the format (a name with a character
 * that JSON would escape, no room): our bug, except for room.
 */
__attribute__((warn_unused_result)) int item_encode(
    const struct item *item, char *out, size_t capacity, size_t *len);

/* Returns 0, or -1 and *out zeroed. Any bytes are safe. What is behind the last
 * source is left as it was: there is room for many, and few are there. */
__attribute__((warn_unused_result)) int item_decode(
    struct item *out, const char *text, size_t len);

/* All that is in it, and nothing of the room behind. */
static inline void item_copy(struct item *to, const struct item *from)
{
	size_t before = offsetof(struct item, sources);
	size_t behind = offsetof(struct item, source_count);

	memcpy(to, from, before);
	memcpy(to->sources, from->sources,
	    from->source_count * sizeof(from->sources[0]));
	memcpy((char *)to + behind, (const char *)from + behind,
	    sizeof(*to) - behind);
}

const char *item_status_name(enum item_status status);
const char *item_reason_name(enum item_reason reason);
const char *source_state_name(enum source_state state);

#endif
