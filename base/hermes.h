/*
 * hermes: our items in the shape of Pyth's Hermes, which many clients know
 * (its OpenAPI document at hermes.pyth.network/docs, its TypeScript client
 * @pythnetwork/hermes-client). Pure: texts in, texts out.
 *
 * What is the same: a feed is 32 bytes in hex, with or without 0x, here the
 * SHA-256 of its name ("BTC-USD"); a price is an integer as a text and an
 * exponent, its confidence has the same exponent, publish_time is in seconds.
 *
 * What cannot be: `binary` holds our items (their signature and document in
 * them), which no contract of Pyth's accepts; there is no EMA, so ema_price is
 * 0 as of the year 1970, which whoever looks at the time refuses; slot, that
 * of a chain, is null.
 */
#ifndef HALLMARK_BASE_HERMES_H
#define HALLMARK_BASE_HERMES_H

#include <stdbool.h>
#include <stdint.h>

#define HERMES_ID_MAX 65 /* bytes of an id in hex and a NUL */

/* The id of the feed of this name. */
void hermes_id_of(const char *name, char out[static HERMES_ID_MAX]);

/* An id as clients write it: any case, 0x before it or not. False if it is
 * none. */
bool hermes_id_read(const char *text, char out[static HERMES_ID_MAX]);

struct hermes_price {
	const char *id, *name, *boot_id;
	const char *price,
	    *confidence; /* decimal numbers, as item.h has them */
	uint64_t sequence;
	int64_t published_ms, expires_ms;
	int64_t previous_ms; /* of the item before; 0: not known */
};

/* {"id","price","ema_price","metadata"}, one line; the caller frees it. NULL
 * if the numbers are none. */
char *hermes_parsed(const struct hermes_price *price);

/* {"id","attributes"}; the caller frees it. */
char *hermes_feed(const char *id, const char *name);

/* Does Hermes's ?query= find this feed? A part of "BTC-USD" or "BTC/USD", in
 * any case. */
bool hermes_feed_has(const char *name, const char *query);

enum hermes_encoding {
	HERMES_HEX,
	HERMES_BASE64,
};

/* {"binary":{"encoding","data":[...]},"parsed":[...]} from texts as they come.
 * `parsed` is left out unless wanted. */
struct hermes_update;
struct hermes_update *hermes_update_new(
    enum hermes_encoding encoding, bool parsed);
/* item: the signed text. False, and nothing is added, if the price is none. */
bool hermes_update_add(struct hermes_update *update, const char *item,
    const struct hermes_price *price);
/* The text, which the caller frees; the update is freed. */
char *hermes_update_end(struct hermes_update *update);

#endif
