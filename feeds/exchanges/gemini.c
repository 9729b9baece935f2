/*
 * Gemini. Source: developer.gemini.com, "Ticker", "Ticker V2", "List Prices",
 * "Rate Limits" and "Error Codes".
 *
 * GET /v1/pubticker/btcusd gives bid, ask, last and volume: {"BTC":...,
 * "USD":...,"timestamp":...}, in which alone the market is named. Also read:
 * /v2/ticker/btcusd (symbol, bid, ask, and close, the last trade), and the list
 * /v1/pricefeed (pair and price, no book). Symbols in either case.
 *
 * exchange_ms: volume.timestamp, of the volumes; prices may be newer or older.
 *
 * Errors: {"result":"error","reason":"InvalidSymbol","message":...}; the reason
 * may be just "Bad Request". A 404 with no body: unknown market, or path.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>
#include <strings.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(
	    out, "/v1/pricefeed", "/v1/pubticker/", symbols, count, "", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase reasons[] = {
	    {"InvalidSymbol", QUOTE_UNKNOWN_SYMBOL},
	    {"RateLimit", QUOTE_RATE_LIMITED},
	    {"MarketNotOpen", QUOTE_NO_PRICE},
	    {"Maintenance", QUOTE_MAINTENANCE},
	    {"System", QUOTE_SERVER_ERROR},
	    {"MissingApikeyHeader MissingRole InvalidNonce", QUOTE_AUTH},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"symbol", QUOTE_UNKNOWN_SYMBOL}, {NULL, QUOTE_OK}};
	const char *flag = json_text_string(json_object_get(body, "result"));

	if (flag == NULL || strcmp(flag, "error") != 0)
		return QUOTE_OK;
	return adapter_code(json_object_get(body, "reason"),
	    json_object_get(body, "message"), reasons, words, status);
}

static bool is_joined(const char *symbol, const char *base, const char *quote)
{
	size_t len = strlen(base);

	return strncasecmp(symbol, base, len) == 0 &&
	       strcasecmp(symbol + len, quote) == 0;
}

/* Whether the volumes are in two currencies that are not the symbol's. Those
 * of a perpetual need not be the ones it is named by. */
static bool is_of_other_market(const char *symbol, const json_t *volume)
{
	size_t count = 0, len = strlen(symbol);
	const char *names[2], *key;
	json_t *value;

	json_object_foreach((json_t *)volume, key, value)
	{
		if (strcmp(key, "timestamp") != 0 && count++ < 2)
			names[count - 1] = key;
	}
	if (count != 2 ||
	    (len > 4 && strcasecmp(symbol + len - 4, "perp") == 0))
		return false;
	return !is_joined(symbol, names[0], names[1]) &&
	       !is_joined(symbol, names[1], names[0]);
}

static bool is_symbol(const char *symbol, const char *name)
{
	return strcasecmp(symbol, name) == 0;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *row = body, *volume = json_object_get(body, "volume");
	const char *last = json_is_array(body) ? "price" : "last";
	enum quote_error error = own_error(status, body);

	if (error == QUOTE_OK && status / 100 != 2)
		error = QUOTE_HTTP_ERROR;
	else if (error == QUOTE_OK && json_array_size(body) > 0)
		error = adapter_row(&row, body, "pair", symbol, is_symbol);
	else if (error == QUOTE_OK && json_object_get(body, "symbol") != NULL)
		error = adapter_row(&row, body, "symbol", symbol, is_symbol);
	else if (error == QUOTE_OK && is_of_other_market(symbol, volume))
		error = QUOTE_UNKNOWN_SYMBOL;
	if (error != QUOTE_OK || json_is_array(row)) /* the list is empty */
		return error != QUOTE_OK ? error : QUOTE_NO_PRICE;
	if (json_object_get(row, last) == NULL)
		last = "close";
	error = adapter_prices(out, json_object_get(row, last),
	    json_object_get(row, "bid"), json_object_get(row, "ask"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(volume, "timestamp"), 1);
}

const struct exchange gemini_exchange = {
    .name = "gemini",
    .host = "api.gemini.com",
    .time = EXCHANGE_TIME_BUCKET,
    .limit = "120 requests a minute, one a second advised",
    .limit_per_min = 120,
    .spacing_ms = 1000,
    .named_max = 1,
    .whole_from = 9, /* books of nine seconds ago, or none */
    .format_target = format_target,
    .read = read_answer,
};
