/*
 * exchange: one adapter for each exchange, a pure pair of functions: what to
 * ask for a symbol, how to read the answer. One file each, and one line in
 * the table of exchange.c. Facts and their sources stand in each file.
 */
#ifndef HALLMARK_FEEDS_EXCHANGES_EXCHANGE_H
#define HALLMARK_FEEDS_EXCHANGES_EXCHANGE_H

#include "feeds/quote.h"

#include <jansson.h>

#define EXCHANGE_TARGET_MAX 256        /* a request target and a NUL */
#define EXCHANGE_SYMBOL_MAX 32         /* a symbol and a NUL */
#define EXCHANGE_NAME_MAX   32         /* an exchange's name and a NUL */
#define EXCHANGE_BODY_MAX   (2u << 20) /* bytes of an answer; facts: 430 KB */

struct exchange {
	const char *name;    /* "coinbase_exchange" */
	const char *host;    /* "api.exchange.coinbase.com", TLS, port 443 */
	unsigned spacing_ms; /* least time between two requests from one
				address, half of the documented limit */
	/* The path and query for this symbol, e.g. "/products/BTC-USD/ticker".
	 * Returns 0, or -1 if the symbol has a character the exchange does
	 * not use. */
	int (*format_target)(
	    char out[static EXCHANGE_TARGET_MAX], const char *symbol);
	/* What the exchange itself says, after the status and the JSON were
	 * seen to be in order. Numbers inside `body` are strings, see
	 * json_text.h. With a status other than 2xx only the exchange's own
	 * error is looked for, never a price: HTTP_ERROR if there is none. */
	enum quote_error (*read)(struct quote *out, const char *symbol,
	    int status, const json_t *body);
};

/* NULL if there is none of that name. */
const struct exchange *exchange_find(const char *name);
/* All of them, ended by NULL. */
extern const struct exchange *const exchange_table[];

/*
 * Reads an answer: `status` first, then the body as JSON, then the exchange's
 * own success flag, symbol echo and numbers. On QUOTE_OK at least one of
 * last, bid and ask is there and every number is > 0; on an error *out is
 * zeroed. Any bytes are safe. `symbol` as the exchange writes it, in the
 * request or in the answer.
 */
enum quote_error exchange_parse(struct quote *out,
    const struct exchange *exchange, const char *symbol, int status,
    const char *body, size_t len);

#endif
