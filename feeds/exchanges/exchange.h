/*
 * exchange: one adapter for each exchange, a pure pair of functions: what to
 * ask for a symbol, how to read the answer. One file each, and one line in
 * the table of exchange.c. Facts and their sources stand in each file.
 */
#ifndef HALLMARK_FEEDS_EXCHANGES_EXCHANGE_H
#define HALLMARK_FEEDS_EXCHANGES_EXCHANGE_H

#include "feeds/quote.h"

#include <jansson.h>

#define EXCHANGE_TARGET_MAX   1024       /* a request target and a NUL */
#define EXCHANGE_SYMBOL_MAX   32         /* a symbol and a NUL */
#define EXCHANGE_NAME_MAX     32         /* an exchange's name and a NUL */
#define EXCHANGE_NAMED_MAX    20         /* symbols that one request names */
#define EXCHANGE_KEY_NAME_MAX 64         /* the name of a key and a NUL */
#define EXCHANGE_BODY_MAX     (2u << 20) /* bytes of an answer; facts: 430 KB */

/* What the time in an exchange's answers is the time of. */
enum exchange_time {
	EXCHANGE_TIME_NONE,   /* there is none */
	EXCHANGE_TIME_REPLY,  /* when it answered */
	EXCHANGE_TIME_QUOTE,  /* when last, bid and ask stood so: a snapshot */
	EXCHANGE_TIME_CHANGE, /* when one of them last changed */
	EXCHANGE_TIME_TRADE,  /* of the last trade; the book may be newer */
	EXCHANGE_TIME_BUCKET, /* of a statistic beside them: says nothing of
				 their age */
};

struct exchange {
	const char *name; /* "coinbase_exchange" */
	const char *host; /* "api.exchange.coinbase.com", TLS, port 443 */
	/* Paid APIs: the header that carries our key, and the name that the
	 * configuration has for this key; NULL: none is wanted. */
	const char *key_header, *key_name;
	enum exchange_time time;
	/* The documented limit for one address: in its own words, and in
	 * requests of ours a minute. */
	const char *limit;
	unsigned limit_per_min;
	unsigned spacing_ms; /* least time between two requests from one
				address: at most half of that limit */
	unsigned ban_403_ms; /* a 403 is its ban, for at least so long; 0: it
				is not */
	/* How many symbols one request can name, 1..EXCHANGE_NAMED_MAX; and
	 * from how many on it is better to ask for the whole market, which is
	 * count 0 for format_target; 0: never, there is no such request. */
	unsigned named_max, whole_from;
	/* Not a market: an average of others. Shown beside the price, never
	 * part of it. */
	bool check_only;
	/* The path and query for these symbols, "/products/BTC-USD/ticker".
	 * Returns 0, or -1 if a symbol has a character the exchange does not
	 * use, or if it cannot be asked for so many. */
	int (*format_target)(char out[static EXCHANGE_TARGET_MAX],
	    const char *const *symbols, size_t count);
	/* What the exchange itself says of this symbol, after the status and
	 * the JSON were seen to be in order; the answer to any of the requests
	 * above. Numbers inside `body` are strings, see json_text.h. With a
	 * status other than 2xx only the exchange's own error is looked for,
	 * never a price: HTTP_ERROR if there is none. */
	enum quote_error (*read)(struct quote *out, const char *symbol,
	    int status, const json_t *body);
};

/* What asks for this one symbol. 0 or -1, see format_target. */
int exchange_target(char out[static EXCHANGE_TARGET_MAX],
    const struct exchange *exchange, const char *symbol);

/* NULL if there is none of that name. */
const struct exchange *exchange_find(const char *name);
/* All of them, ended by NULL. */
extern const struct exchange *const exchange_table[];

/* One symbol of an answer. */
struct exchange_reading {
	const char *symbol; /* set before; borrowed */
	struct quote quote;
	enum quote_error error;
};

/*
 * Reads an answer for each of `count` symbols (>= 1): `status` first, then the
 * body as JSON, once, then for each symbol the exchange's own success flag,
 * symbol echo and numbers. On QUOTE_OK at least one of last, bid and ask is
 * there and every number is > 0; on an error its quote is zeroed. Any bytes
 * are safe. A symbol as the exchange writes it, in the request or in the
 * answer. An answer that does not say what it is the price of is one for a
 * single symbol: with more, all are BAD_BODY. Returns whether one symbol at
 * least is QUOTE_OK.
 */
bool exchange_parse_each(const struct exchange *exchange,
    struct exchange_reading *readings, size_t count, int status,
    const char *body, size_t len);

/* The same for one symbol. */
enum quote_error exchange_parse(struct quote *out,
    const struct exchange *exchange, const char *symbol, int status,
    const char *body, size_t len);

#endif
