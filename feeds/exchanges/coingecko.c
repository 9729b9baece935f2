/*
 * CoinGecko: an average over many markets, to compare a price with, never part
 * of one. Source: docs.coingecko.com, "Coin Price by IDs", "Errors & Rate
 * Limits".
 *
 * A symbol is a coin's id, with a currency if that is not "usd": "bitcoin",
 * "bitcoin/eth". GET /api/v3/simple/price?ids=bitcoin,dai&vs_currencies=usd,eth
 * gives {"bitcoin":{"usd":60997,"eth":31.9,"last_updated_at":1785143300}},
 * numbers. Coins that it does not know are left out, so {} may be all; for a
 * coin without a price in a currency, the currency is left out.
 *
 * exchange_ms: last_updated_at, in seconds; caches keep it another minute.
 * Errors: {"status":{"error_code":429,"error_message"}}, with HTTP 200 too, the
 * same inside "error", or {"error":"..."}. One of the coins is called "status".
 */
#include "feeds/exchanges/adapter.h"

#include <stdio.h>
#include <string.h>

static void add_once(const char **list, size_t *count, const char *word)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(list[i], word) == 0)
			return;
	}
	list[(*count)++] = word;
}

static const char *currency_of(const char *symbol)
{
	const char *slash = strchr(symbol, '/');

	return slash != NULL ? slash + 1 : "usd";
}

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	const char *ids[EXCHANGE_NAMED_MAX], *currencies[EXCHANGE_NAMED_MAX];
	char id[EXCHANGE_NAMED_MAX][EXCHANGE_SYMBOL_MAX];
	char before[EXCHANGE_TARGET_MAX];
	size_t id_count = 0, currency_count = 0;

	out[0] = '\0';
	if (count > EXCHANGE_NAMED_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (strlen(symbols[i]) >= EXCHANGE_SYMBOL_MAX)
			return -1;
		snprintf(id[i], sizeof(id[i]), "%.*s",
		    (int)strcspn(symbols[i], "/"), symbols[i]);
		add_once(ids, &id_count, id[i]);
		add_once(currencies, &currency_count, currency_of(symbols[i]));
	}
	if (adapter_target(before, "/api/v3/simple/price?ids=", ids, id_count,
		",", "-_.", "&vs_currencies=") != 0)
		return -1;
	return adapter_target(out, before, currencies, currency_count, ",", "",
	    "&include_last_updated_at=true");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"401 10002 10005 10010 10011", QUOTE_AUTH},
	    {"403 1020", QUOTE_BLOCKED},
	    {"429", QUOTE_RATE_LIMITED},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"coin not found", QUOTE_UNKNOWN_SYMBOL}, {NULL, QUOTE_OK}};
	const json_t *error = json_object_get(body, "error"), *state, *code;

	if (json_text_string(error) != NULL)
		return adapter_classify(json_text_string(error), words, status);
	state = json_object_get(error != NULL ? error : body, "status");
	code = json_object_get(state, "error_code");
	if (code == NULL)
		return QUOTE_OK;
	return adapter_code(code, json_object_get(state, "error_message"),
	    codes, words, status);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *coin, *price;

	if (error != QUOTE_OK || status / 100 != 2)
		return error != QUOTE_OK ? error : QUOTE_HTTP_ERROR;
	coin = json_object_getn(body, symbol, strcspn(symbol, "/"));
	if (coin == NULL)
		return json_is_object(body) ? QUOTE_UNKNOWN_SYMBOL
					    : QUOTE_BAD_BODY;
	price = json_object_get(coin, currency_of(symbol));
	if (price == NULL && json_is_object(coin))
		return QUOTE_NO_PRICE;
	error = adapter_prices(out, price, NULL, NULL);
	if (error != QUOTE_OK)
		return error;
	return adapter_time(
	    out, json_object_get(coin, "last_updated_at"), 1000);
}

const struct exchange coingecko_exchange = {
    .name = "coingecko",
    .host = "api.coingecko.com",
    .time = EXCHANGE_TIME_CHANGE,
    .limit = "5 to 15 requests a minute without a key, as seen",
    .limit_per_min = 5,
    .spacing_ms = 30000,
    .named_max = 20,
    .check_only = true,
    .format_target = format_target,
    .read = read_answer,
};
