/*
 * Crypto.com Exchange. Source: exchange-docs.crypto.com/exchange/v1,
 * "public/get-tickers", "Rate Limits" and "Response and Reason Codes".
 *
 * GET /exchange/v1/public/get-tickers?instrument_name=BTC_USD gives {"code":0,
 * "result":{"data":[{"i":"BTC_USD","a":last,"b":bid,"k":ask,"t":ms}]}}, and
 * without a name every instrument, perpetuals too. b and k are null where
 * nobody bids or asks, a before the first trade. /v2/public/get-ticker had one
 * row in place of the array, and numbers in place of strings.
 *
 * exchange_ms: t, when the row last changed: rows of one answer differ by many
 * seconds.
 *
 * Errors: a code other than 0, a number or a string, with `message`; with
 * HTTP 400 for most, but some with 200 or 500. An unknown instrument is 40004,
 * "Missing or invalid argument": no other argument is in our request.
 */
#include "feeds/exchanges/adapter.h"

#define PATH "/exchange/v1/public/get-tickers"

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(
	    out, PATH, PATH "?instrument_name=", symbols, count, "_-", "");
}

static enum quote_error class_of_code(
    int64_t code, const char *text, int status)
{
	static const struct adapter_phrase words[] = {
	    {"RATE_LIMIT", QUOTE_RATE_LIMITED}, {NULL, QUOTE_OK}};

	switch (code) {
	case 206:   /* INSTRUMENT_EXPIRED */
	case 209:   /* INVALID_INSTRUMENT */
	case 30003: /* SYMBOL_NOT_FOUND, of v2 */
	case 40004: /* MISSING_OR_INVALID_ARGUMENT */
	case 40401: /* NOT_FOUND */
		return QUOTE_UNKNOWN_SYMBOL;
	case 207: /* NO_MARK_PRICE */
	case 208: /* INSTRUMENT_NOT_TRADABLE */
	case 309: /* MARKET_IS_NOT_OPEN */
		return QUOTE_NO_PRICE;
	case 10001: /* SYS_ERROR */
	case 50001: /* ERR_INTERNAL */
		return QUOTE_SERVER_ERROR;
	case 10002: /* UNAUTHORIZED */
	case 10003: /* IP_ILLEGAL: not the address the key is for */
	case 10005: /* USER_TIER_INVALID */
	case 10007: /* INVALID_NONCE */
	case 40101: /* and the same four in v1 */
	case 40102:
	case 40103:
	case 40104:
		return QUOTE_AUTH;
	case 10006: /* TOO_MANY_REQUESTS */
	case 42901:
		return QUOTE_RATE_LIMITED;
	case 40801: /* REQUEST_TIMEOUT */
		return QUOTE_TIMEOUT;
	case 9010001: /* SYSTEM_MAINTENANCE */
		return QUOTE_MAINTENANCE;
	default:
		return adapter_classify(text, words, status);
	}
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *data = json_object_get(
	    json_object_get(body, "result"), "data");
	bool success = status / 100 == 2;
	enum quote_error error;
	const json_t *row;
	int64_t code;

	if (json_text_integer(&code, json_object_get(body, "code")) != 0)
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (code != 0)
		return class_of_code(code,
		    json_text_string(json_object_get(body, "message")), status);
	if (!success)
		return QUOTE_HTTP_ERROR;
	if (json_is_array(data) && json_array_size(data) == 0)
		return QUOTE_NO_PRICE; /* an unknown one would be 40004 */
	error = adapter_row(&row, data, "i", symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	error = adapter_prices(out, json_object_get(row, "a"),
	    json_object_get(row, "b"), json_object_get(row, "k"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(row, "t"), 1);
}

const struct exchange cryptocom_exchange = {
    .name = "cryptocom",
    .host = "api.crypto.com",
    .time = EXCHANGE_TIME_CHANGE,
    .limit = "100 requests a second",
    .limit_per_min = 6000,
    .spacing_ms = 100,
    .named_max = 1,
    .whole_from = 6, /* it is a hundred times as long */
    .format_target = format_target,
    .read = read_answer,
};
