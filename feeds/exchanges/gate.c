/*
 * Gate spot. Source: www.gate.com/docs/developers/apiv4, "Get currency pair
 * ticker information", "Error Handling", "Frequency limit rule".
 *
 * GET /api/v4/spot/tickers?currency_pair=BTC_USDT, or without a pair all of
 * them, gives an array of {"currency_pair","last","highest_bid",
 * "lowest_ask"}, of one row too. There is no time in it: no exchange_ms.
 * Leveraged tokens (BTC3L_USDT) are rows like the others.
 *
 * Errors: {"label":"INVALID_CURRENCY_PAIR","message":"..."}, mostly with 400,
 * the limit too. The message may be missing.
 */
#include "feeds/exchanges/adapter.h"

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/api/v4/spot/tickers",
	    "/api/v4/spot/tickers?currency_pair=", symbols, count, "_", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase labels[] = {
	    {"INVALID_CURRENCY_PAIR INVALID_CURRENCY CONTRACT_NOT_FOUND",
		QUOTE_UNKNOWN_SYMBOL},
	    {"TOO_FAST TOO_MANY_REQUESTS", QUOTE_RATE_LIMITED},
	    {"SERVER_ERROR INTERNAL TOO_BUSY", QUOTE_SERVER_ERROR},
	    /* We send no key: who misses one refuses us. */
	    {"AUTHENTICATION_FAILED INVALID_CREDENTIALS INVALID_KEY "
	     "INVALID_SIGNATURE MISSING_REQUIRED_HEADER REQUEST_EXPIRED "
	     "IP_FORBIDDEN FORBIDDEN READ_ONLY ACCOUNT_LOCKED",
		QUOTE_AUTH},
	    {"MISSING_REQUIRED_PARAM", QUOTE_BAD_REQUEST},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"currency pair", QUOTE_UNKNOWN_SYMBOL},
	    {"currency_pair", QUOTE_UNKNOWN_SYMBOL}, {NULL, QUOTE_OK}};
	const json_t *label = json_object_get(body, "label");

	if (json_text_string(label) == NULL)
		return status / 100 == 2 ? QUOTE_OK : QUOTE_HTTP_ERROR;
	return adapter_code(
	    label, json_object_get(body, "message"), labels, words, status);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *row;

	if (error != QUOTE_OK)
		return error;
	if (!json_is_array(body))
		return QUOTE_BAD_BODY;
	error = adapter_row(&row, body, "currency_pair", symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	return adapter_prices(out, json_object_get(row, "last"),
	    json_object_get(row, "highest_bid"),
	    json_object_get(row, "lowest_ask"));
}

const struct exchange gate_exchange = {
    .name = "gate",
    .host = "api.gateio.ws",
    .limit = "200 requests in ten seconds",
    .limit_per_min = 1200,
    .spacing_ms = 100,
    .named_max = 1,
    .whole_from = 4,
    .format_target = format_target,
    .read = read_answer,
};
