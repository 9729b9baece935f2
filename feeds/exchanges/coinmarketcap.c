/*
 * CoinMarketCap: an average over many markets, to compare a price with, never
 * part of one; it wants a key. Source: coinmarketcap.com/api/documentation,
 * "Quotes Latest v2", "Errors and Rate Limits".
 *
 * A symbol is a coin's id, "1": many coins share a ticker. GET
 * /v2/cryptocurrency/quotes/latest?id=1,1027&convert=USD, X-CMC_PRO_API_KEY,
 * gives {"status":{"error_code":0},"data":{"1":{"id":1,"is_active":1,"quote":
 * {"USD":{"price":60997.12,"last_updated":"2026-11-22T01:00:00.000Z"}}}}}.
 *
 * exchange_ms: last_updated, each minute. A request a minute is 44,640 a month,
 * more than the free plan has credits for.
 * Errors: status.error_code, with HTTP 200 too; 400 and 'Invalid value for
 * "id"' for a coin that it does not know, or without a word it is not there.
 */
#include "feeds/exchanges/adapter.h"

#include <stdlib.h>
#include <string.h>

static bool is_id(const char *symbol)
{
	return symbol[0] != '\0' &&
	       symbol[strspn(symbol, "0123456789")] == '\0';
}

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (!is_id(symbols[i]))
			return -1;
	}
	return adapter_target(out,
	    "/v2/cryptocurrency/quotes/latest?id=", symbols, count, ",", "",
	    "&convert=USD");
}

/* A success says so itself. */
static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"0", QUOTE_OK},
	    {"1001 1002 1003 1004 1005 1006 1007", QUOTE_AUTH},
	    {"1008 1009 1010 1011", QUOTE_RATE_LIMITED},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"invalid value for \"id\"", QUOTE_UNKNOWN_SYMBOL},
	    {NULL, QUOTE_OK}};
	const json_t *state = json_object_get(body, "status");
	const json_t *code = json_object_get(state, "error_code");

	if (code == NULL)
		return status / 100 == 2 ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	return adapter_code(code, json_object_get(state, "error_message"),
	    codes, words, status);
}

/* The coin of this symbol, if it says itself that it is. */
static enum quote_error find_coin(
    const json_t **out, const char *symbol, const json_t *body)
{
	const json_t *data = json_object_get(body, "data");
	int64_t id, active;

	*out = json_object_get(data, symbol);
	if (*out == NULL)
		return json_is_object(data) ? QUOTE_UNKNOWN_SYMBOL
					    : QUOTE_BAD_BODY;
	if (json_text_integer(&id, json_object_get(*out, "id")) != 0 ||
	    !is_id(symbol) || strtoll(symbol, NULL, 10) != id)
		return QUOTE_BAD_BODY;
	if (json_text_integer(&active, json_object_get(*out, "is_active")) == 0)
		return active == 0 ? QUOTE_NO_PRICE : QUOTE_OK;
	return QUOTE_OK;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *coin, *quote;

	if (error != QUOTE_OK || status / 100 != 2)
		return error != QUOTE_OK ? error : QUOTE_HTTP_ERROR;
	error = find_coin(&coin, symbol, body);
	if (error != QUOTE_OK)
		return error;
	quote = json_object_get(json_object_get(coin, "quote"), "USD");
	error = adapter_prices(
	    out, json_object_get(quote, "price"), NULL, NULL);
	if (error != QUOTE_OK)
		return error;
	return adapter_iso_time(out, json_object_get(quote, "last_updated"));
}

const struct exchange coinmarketcap_exchange = {
    .name = "coinmarketcap",
    .host = "pro-api.coinmarketcap.com",
    .key_header = "X-CMC_PRO_API_KEY",
    .key_name = "coinmarketcap_api_key",
    .time = EXCHANGE_TIME_CHANGE,
    .limit = "30 requests a minute on the free plan, and its credits",
    .limit_per_min = 30,
    .spacing_ms = 60000,
    .named_max = 20,
    .check_only = true,
    .format_target = format_target,
    .read = read_answer,
};
