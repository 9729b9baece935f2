/*
 * Bitget spot. Source: www.bitget.com/api-doc, "Get Ticker Information"
 * (spot, v2), "Rest API error code", "Rate limit".
 *
 * GET /api/v2/spot/market/tickers?symbol=BTCUSDT, or without a symbol all of
 * them, gives {"code":"00000","requestTime":...,"data":[{"symbol","lastPr",
 * "bidPr","askPr","ts"}]}, an array for one symbol too.
 *
 * exchange_ms: `ts` of the row, when it last changed; on quiet markets minutes
 * before requestTime, when Bitget answered.
 *
 * Errors: a code other than "00000", mostly with HTTP 400. 40019 ("Parameter X
 * cannot be empty") names the symbol when that is what it does not know.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/api/v2/spot/market/tickers",
	    "/api/v2/spot/market/tickers?symbol=", symbols, count, "", "");
}

static enum quote_error class_of_code(
    const json_t *code, const char *symbol, int status, const json_t *text)
{
	static const struct adapter_phrase codes[] = {
	    {"25100 40034 40309", QUOTE_UNKNOWN_SYMBOL},
	    {"429 1001 30007 50009", QUOTE_RATE_LIMITED},
	    {"40200 40308 41114 43115", QUOTE_MAINTENANCE},
	    {"40015 40604 40725 45001 500", QUOTE_SERVER_ERROR},
	    {"40001 40002 40003 40005 40006 40009 40011 40012 40014 40018 "
	     "40037",
		QUOTE_AUTH},
	    {"40024", QUOTE_GEO_BLOCKED},
	    {"404 40404", QUOTE_HTTP_ERROR},
	    {NULL, QUOTE_OK},
	};
	const struct adapter_phrase words[] = {{"timed out", QUOTE_TIMEOUT},
	    {"trading pair", QUOTE_UNKNOWN_SYMBOL},
	    {symbol, QUOTE_UNKNOWN_SYMBOL}, {NULL, QUOTE_OK}};

	return adapter_code(code, text, codes, words, status);
}

static enum quote_error own_error(
    const char *symbol, int status, const json_t *body)
{
	const json_t *code = json_object_get(body, "code");
	const char *text = json_text_string(code);
	bool success = status / 100 == 2;

	if (text == NULL && !json_text_is_number(code))
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (text != NULL && strcmp(text, "00000") == 0)
		return success ? QUOTE_OK : QUOTE_HTTP_ERROR;
	return class_of_code(
	    code, symbol, status, json_object_get(body, "msg"));
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *data = json_object_get(body, "data"), *row;
	enum quote_error error = own_error(symbol, status, body);

	if (error != QUOTE_OK)
		return error;
	if (!json_is_array(data))
		return QUOTE_BAD_BODY;
	error = adapter_row(&row, data, "symbol", symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	error = adapter_prices(out, json_object_get(row, "lastPr"),
	    json_object_get(row, "bidPr"), json_object_get(row, "askPr"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(row, "ts"), 1);
}

const struct exchange bitget_exchange = {
    .name = "bitget",
    .host = "api.bitget.com",
    .time = EXCHANGE_TIME_CHANGE,
    .limit = "20 requests a second",
    .limit_per_min = 1200,
    .spacing_ms = 100,
    .named_max = 1,
    .whole_from = 4,
    .format_target = format_target,
    .read = read_answer,
};
