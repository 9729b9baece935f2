/*
 * Coinbase Exchange. Source: docs.cdp.coinbase.com/exchange, "Get product
 * ticker", "Get product stats", "Rate limits", "Errors".
 *
 * GET /products/BTC-USD/ticker gives price, bid, ask and time; the answer does
 * not name its product, so the path is all that ties them together. Also read:
 * /products/BTC-USD/stats (last) and /products/stats, an object with a member
 * for each product and its stats_24hour inside.
 *
 * exchange_ms: `time` of the ticker, when the last trade was made, cut to
 * milliseconds. On a quiet market it is old while bid and ask are fresh.
 *
 * Errors: {"message":"NotFound"} with 404, "Public rate limit exceeded" with
 * 429, "Not allowed for delisted products" with 400 or 404.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/products/stats", "/products/",
	    symbols, count, "-", "/ticker");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase phrases[] = {
	    {"product not found", QUOTE_UNKNOWN_SYMBOL},
	    {"not a valid product", QUOTE_UNKNOWN_SYMBOL},
	    {"delisted", QUOTE_UNKNOWN_SYMBOL},
	    {"is not allowed", QUOTE_UNKNOWN_SYMBOL},
	    {"passphrase", QUOTE_AUTH},
	    {NULL, QUOTE_OK},
	};
	const char *text = json_text_string(json_object_get(body, "message"));

	if (text == NULL)
		return QUOTE_OK;
	/* Exactly this: "Not Found" is a gateway's, about the path. */
	if (strcmp(text, "NotFound") == 0)
		return QUOTE_UNKNOWN_SYMBOL;
	return adapter_classify(text, phrases, status);
}

/* The answer for all products has a member for each; *out becomes the stats of
 * this one, and stays what it is in an answer for one. */
static enum quote_error find_stats(const json_t **out, const char *symbol)
{
	const json_t *product = json_object_get(*out, symbol);
	const char *key;
	json_t *other;

	if (product != NULL) {
		*out = json_object_get(product, "stats_24hour");
		return json_is_object(*out) ? QUOTE_OK : QUOTE_BAD_BODY;
	}
	json_object_foreach((json_t *)*out, key, other)
	{
		if (json_object_get(other, "stats_24hour") != NULL)
			return QUOTE_UNKNOWN_SYMBOL;
	}
	return QUOTE_OK;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *last;

	if (error != QUOTE_OK)
		return error;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	if (!json_is_object(body))
		return QUOTE_BAD_BODY;
	error = find_stats(&body, symbol);
	if (error != QUOTE_OK)
		return error;
	last = json_object_get(body, "price");
	if (last == NULL)
		last = json_object_get(body, "last");
	error = adapter_prices(out, last, json_object_get(body, "bid"),
	    json_object_get(body, "ask"));
	if (error != QUOTE_OK)
		return error;
	return adapter_iso_time(out, json_object_get(body, "time"));
}

const struct exchange coinbase_exchange_exchange = {
    .name = "coinbase_exchange",
    .host = "api.exchange.coinbase.com",
    .time = EXCHANGE_TIME_TRADE,
    .limit = "10 requests a second",
    .limit_per_min = 600,
    .spacing_ms = 200,
    .named_max = 1,
    /* The stats of all have no book and no time, and caches keep them for
     * five seconds: only where a round of tickers takes as long. */
    .whole_from = 25,
    .format_target = format_target,
    .read = read_answer,
};
