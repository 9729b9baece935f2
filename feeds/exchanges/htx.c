/*
 * HTX, once Huobi. Source: huobiapi.github.io/docs/spot/v1/en, "Get Latest
 * Aggregated Ticker", "Get Latest Tickers for All Pairs", "Error Code".
 *
 * GET /market/detail/merged?symbol=btcusdt gives {"status":"ok","ch":
 * "market.btcusdt.detail.merged","ts":...,"tick":{"close":1.5,"bid":[1.4,
 * amount],"ask":[1.6,amount]}}; `ch` is the only echo of the symbol. GET
 * /market/tickers gives {"status":"ok","ts","data":[{"symbol","close","bid",
 * "ask"}]} with bid and ask plain. JSON numbers as Java writes them, 1.1473E7,
 * or with 18 decimals; strings among them in the derivatives' API, else the
 * same.
 *
 * exchange_ms: `ts`, when it answered.
 *
 * Errors: {"status":"error","err-code":...,"err-msg":...}, mostly with HTTP
 * 200; err_code (a number) and err_msg from derivatives.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/market/tickers",
	    "/market/detail/merged?symbol=", symbols, count, "-_", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"invalid-symbol base-symbol-error base-symbol-trade-disabled "
	     "1013 1014 1332",
		QUOTE_UNKNOWN_SYMBOL},
	    {"too-many-requests rate-too-many-requests "
	     "base-request-exceed-frequency-limit",
		QUOTE_RATE_LIMITED},
	    {"system-maintenance", QUOTE_MAINTENANCE},
	    {"gateway-internal-error", QUOTE_SERVER_ERROR},
	    {"timeout", QUOTE_TIMEOUT}, {NULL, QUOTE_OK}};
	static const struct adapter_phrase words[] = {
	    {"required", QUOTE_BAD_REQUEST},
	    {"request limit", QUOTE_RATE_LIMITED},
	    {"maintain", QUOTE_MAINTENANCE},
	    {"symbol", QUOTE_UNKNOWN_SYMBOL},
	    {"exist", QUOTE_UNKNOWN_SYMBOL}, /* "The contract doesn't" */
	    {NULL, QUOTE_OK},
	};
	const json_t *code = json_object_get(body, "err-code");
	const json_t *text = json_object_get(body, "err-msg");
	const char *flag = json_text_string(json_object_get(body, "status"));

	if (code == NULL)
		code = json_object_get(body, "err_code");
	if (text == NULL)
		text = json_object_get(body, "err_msg");
	if (flag != NULL && strcmp(flag, "error") == 0)
		return adapter_code(code, text, codes, words, status);
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	return flag != NULL && strcmp(flag, "ok") == 0 ? QUOTE_OK
						       : QUOTE_BAD_BODY;
}

/* Whether `ch` is "market.SYMBOL.detail.merged". */
static bool is_channel(const char *symbol, const char *ch)
{
	static const char before[] = "market.", after[] = ".detail.merged";
	size_t len = strlen(symbol);

	return strncmp(ch, before, strlen(before)) == 0 &&
	       strncmp(ch + strlen(before), symbol, len) == 0 &&
	       strcmp(ch + strlen(before) + len, after) == 0;
}

/* A price, or the first of a price and an amount. */
static const json_t *price_of(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	return json_is_array(value) ? json_array_get(value, 0) : value;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *data = json_object_get(body, "data"), *row;

	if (error != QUOTE_OK)
		return error;
	if (json_is_array(data)) {
		error = adapter_row(&row, data, "symbol", symbol, NULL);
	} else {
		error = adapter_row(&row, body, "ch", symbol, is_channel);
		row = json_object_get(body, "tick");
	}
	if (error != QUOTE_OK)
		return error;
	error = adapter_prices(out, json_object_get(row, "close"),
	    price_of(row, "bid"), price_of(row, "ask"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(body, "ts"), 1);
}

const struct exchange htx_exchange = {
    .name = "htx",
    .host = "api.huobi.pro",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "800 requests a second; clients keep to ten",
    .limit_per_min = 600,
    .spacing_ms = 200,
    .named_max = 1,
    .whole_from = 4,
    .format_target = format_target,
    .read = read_answer,
};
