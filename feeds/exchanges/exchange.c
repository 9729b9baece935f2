/*
 * exchange: the table of adapters, and the part of reading an answer that is
 * alike for all. The status is judged first: a 500 may carry a complete
 * ticker (seen), a 200 a web page. Where the status settles it (429, 451 ...)
 * the body is not opened. Other 4xx and 5xx take the exchange's own word for
 * what was wrong if it gives one, because several exchanges answer 400, 404 or
 * 500 to an unknown symbol; a price is never taken from them.
 *
 * Classes by status: RFC 9110 section 15; 418 is Binance's ban (binance-spot-
 * api-docs, rest-api.md, "HTTP Return Codes"), 451 its geographic refusal
 * (RFC 7725).
 */
#include "feeds/exchanges/adapter.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(EXCHANGE_BODY_MAX <= JSON_TEXT_BYTES_MAX,
    "an answer that we accept can be read");

const struct exchange *const exchange_table[] = {
    &binance_exchange,
    &binance_us_exchange,
    &bitfinex_exchange,
    &bitget_exchange,
    &bitstamp_exchange,
    &bybit_exchange,
    &coinbase_exchange_exchange,
    &coingecko_exchange,
    &coinmarketcap_exchange,
    &cryptocom_exchange,
    &gate_exchange,
    &gemini_exchange,
    &htx_exchange,
    &kraken_exchange,
    &kucoin_exchange,
    &mexc_exchange,
    &okx_exchange,
    NULL,
};

const struct exchange *exchange_find(const char *name)
{
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		if (strcmp(exchange_table[i]->name, name) == 0)
			return exchange_table[i];
	}
	return NULL;
}

int exchange_target(char out[static EXCHANGE_TARGET_MAX],
    const struct exchange *exchange, const char *symbol)
{
	return exchange->format_target(out, &symbol, 1);
}

static enum quote_error class_of_status(int status)
{
	switch (status) {
	case 401:
		return QUOTE_AUTH;
	case 403:
		return QUOTE_BLOCKED;
	case 408:
	case 504:
		return QUOTE_TIMEOUT;
	case 418:
		return QUOTE_BANNED;
	case 429:
		return QUOTE_RATE_LIMITED;
	case 451:
		return QUOTE_GEO_BLOCKED;
	case 503:
		return QUOTE_MAINTENANCE;
	default:
		break;
	}
	switch (status / 100) {
	case 2:
		return QUOTE_OK;
	case 3:
		return QUOTE_REDIRECT;
	case 5:
		return QUOTE_SERVER_ERROR;
	default:
		return QUOTE_HTTP_ERROR;
	}
}

/* Gateways that stand before an API refuse a key in their own words, whoever
 * is behind them. Whether we send one or not, any word about one is a refusal.
 */
static bool speaks_of_api_key(const json_t *body)
{
	static const char *const members[] = {"message", "msg", "error"};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = json_text_string(
		    json_object_get(body, members[i]));
		if (text != NULL && (strcasestr(text, "api key") != NULL ||
					strcasestr(text, "api-key") != NULL))
			return true;
	}
	return false;
}

/* A 4xx or 5xx whose meaning the exchange may have put into words. */
static enum quote_error read_error(const struct exchange *exchange,
    const char *symbol, int status, const json_t *body)
{
	enum quote_error class = class_of_status(status), own;
	struct quote unused = {0};

	if (body == NULL)
		return class;
	if (class == QUOTE_HTTP_ERROR && speaks_of_api_key(body))
		return QUOTE_AUTH;
	own = exchange->read(&unused, symbol, status, body);
	assert(own != QUOTE_OK);
	/* Whatever it says, a 5xx is not our request's fault. */
	if (own == QUOTE_HTTP_ERROR ||
	    (class == QUOTE_SERVER_ERROR && own == QUOTE_BAD_REQUEST))
		return class;
	return own;
}

/* The error that the status and the length settle by themselves; OK if the
 * body has to be looked into. */
static enum quote_error settled(int status, size_t len)
{
	enum quote_error class = class_of_status(status);

	if (class == QUOTE_OK && len > EXCHANGE_BODY_MAX)
		return QUOTE_TOO_LARGE;
	if (class == QUOTE_HTTP_ERROR || class == QUOTE_SERVER_ERROR)
		return QUOTE_OK;
	return class;
}

static enum quote_error read_one(struct quote *out,
    const struct exchange *exchange, const char *symbol, int status,
    const json_t *json)
{
	if (status / 100 != 2)
		return read_error(exchange, symbol, status, json);
	if (json == NULL)
		return QUOTE_BAD_BODY;
	return exchange->read(out, symbol, status, json);
}

static bool read_all(const struct exchange *exchange,
    struct exchange_reading *readings, size_t count, int status,
    const json_t *json, enum quote_error all)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct exchange_reading *r = &readings[i];
		r->quote = (struct quote){0};
		r->error = all != QUOTE_OK ? all
					   : read_one(&r->quote, exchange,
						 r->symbol, status, json);
		if (r->error != QUOTE_OK)
			r->quote = (struct quote){0};
		any = any || r->error == QUOTE_OK;
	}
	return any;
}

/* Whether the answer gives its price to a symbol that nobody lists too: this
 * one, with a first letter that no symbol has. */
static bool is_price_of_any(
    const struct exchange *exchange, const char *symbol, const json_t *json)
{
	char nobodys[EXCHANGE_SYMBOL_MAX] = "";
	struct quote unused = {0};

	snprintf(nobodys, sizeof(nobodys), "%s", symbol);
	nobodys[0] = '~';
	return exchange->read(&unused, nobodys, 200, json) == QUOTE_OK;
}

static bool same_numbers(const struct quote *a, const struct quote *b)
{
	return a->last.mantissa == b->last.mantissa &&
	       a->bid.mantissa == b->bid.mantissa &&
	       a->ask.mantissa == b->ask.mantissa;
}

/* Some forms of an answer for one symbol do not name it. Such a form gives all
 * who look into it the same numbers, so only those have to be tried. */
static bool is_of_one(const struct exchange *exchange,
    const struct exchange_reading *readings, size_t count, const json_t *json)
{
	const struct exchange_reading *first = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct exchange_reading *r = &readings[i];
		if (r->error != QUOTE_OK)
			continue;
		if (first == NULL)
			first = r;
		if (same_numbers(&first->quote, &r->quote) &&
		    is_price_of_any(exchange, r->symbol, json))
			return true;
	}
	return false;
}

bool exchange_parse_each(const struct exchange *exchange,
    struct exchange_reading *readings, size_t count, int status,
    const char *body, size_t len)
{
	enum quote_error all = settled(status, len);
	json_t *json = all == QUOTE_OK ? json_text_parse(body, len) : NULL;
	bool any = read_all(exchange, readings, count, status, json, all);

	if (any && count > 1 && is_of_one(exchange, readings, count, json))
		any = read_all(
		    exchange, readings, count, status, json, QUOTE_BAD_BODY);
	json_decref(json);
	return any;
}

enum quote_error exchange_parse(struct quote *out,
    const struct exchange *exchange, const char *symbol, int status,
    const char *body, size_t len)
{
	struct exchange_reading reading = {.symbol = symbol};

	exchange_parse_each(exchange, &reading, 1, status, body, len);
	*out = reading.quote;
	return reading.error;
}
