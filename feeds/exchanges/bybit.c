/*
 * Bybit spot. Source: bybit-exchange.github.io/docs, "Get Tickers", "Rate Limit
 * Rules", "Error Codes" (v5), "Tickers (24hr)" and two more (v3, retired).
 *
 * GET /v5/market/tickers?category=spot[&symbol=BTCUSDT] gives {"retCode":0,
 * "result":{"category":"spot","list":[{"symbol","lastPrice","bid1Price",
 * "ask1Price"}]},"time"}. v3 gave the rows without a category, a single one
 * without the list, by other names.
 *
 * BTCUSDT names a perpetual (category "linear") too, so another category's
 * answer is about another symbol. Inverse contracts have names of their own
 * (BTCUSD): who asks for one means it; we ask for spot, where there is none.
 *
 * exchange_ms: `time`, when it answered.
 *
 * Errors: a retCode other than 0, mostly with HTTP 200; 10001 tells an unknown
 * symbol in words only. Over the limit ten minutes of 403, without JSON.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out,
	    "/v5/market/tickers?category=spot",
	    "/v5/market/tickers?category=spot&symbol=", symbols, count, "", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"10006 10018 10403 10429 170222", QUOTE_RATE_LIMITED},
	    {"10008 10009", QUOTE_BANNED},
	    {"10024 170209", QUOTE_GEO_BLOCKED},
	    {"10003 10004 10005 10007 10010", QUOTE_AUTH},
	    {"10029 170121", QUOTE_UNKNOWN_SYMBOL},
	    {"10002", QUOTE_BAD_REQUEST}, /* says "server timestamp" */
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"symbol", QUOTE_UNKNOWN_SYMBOL}, {"timeout", QUOTE_TIMEOUT},
	    {"restarting", QUOTE_MAINTENANCE}, {"system", QUOTE_SERVER_ERROR},
	    {"server", QUOTE_SERVER_ERROR}, {NULL, QUOTE_OK}};
	const json_t *code = json_object_get(body, "retCode");
	bool success = status / 100 == 2;
	int64_t number;

	if (json_text_integer(&number, code) != 0)
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (number == 0)
		return success ? QUOTE_OK : QUOTE_HTTP_ERROR;
	return adapter_code(
	    code, json_object_get(body, "retMsg"), codes, words, status);
}

static bool is_other_market(const json_t *category)
{
	const char *text = json_text_string(category);

	return category != NULL &&
	       (text == NULL ||
		   (strcmp(text, "spot") != 0 && strcmp(text, "inverse") != 0));
}

static enum quote_error read_result(
    struct quote *out, const char *symbol, const json_t *result)
{
	static const char *const forms[][4] = {
	    {"symbol", "lastPrice", "bid1Price", "ask1Price"}, /* v5 */
	    {"symbol", "price", "bidPrice", "askPrice"},
	    {"s", "lp", "bp", "ap"}};
	const json_t *category = json_object_get(result, "category");
	const json_t *list = json_object_get(result, "list"), *row;
	const json_t *rows = list != NULL ? list : result;
	const json_t *first = list != NULL ? json_array_get(list, 0) : result;
	const char *const *names = forms[category != NULL ? 0 : 1];
	enum quote_error error;

	if (!json_is_object(result))
		return QUOTE_BAD_BODY;
	if (is_other_market(category))
		return QUOTE_UNKNOWN_SYMBOL;
	if (category == NULL && json_object_get(first, "s") != NULL)
		names = forms[2];
	error = adapter_row(&row, rows, names[0], symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	return adapter_prices(out, json_object_get(row, names[1]),
	    json_object_get(row, names[2]), json_object_get(row, names[3]));
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);

	if (error == QUOTE_OK)
		error = read_result(
		    out, symbol, json_object_get(body, "result"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(body, "time"), 1);
}

const struct exchange bybit_exchange = {
    .name = "bybit",
    .host = "api.bybit.com",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "600 requests in five seconds",
    .limit_per_min = 7200,
    .spacing_ms = 20,
    .ban_403_ms = 600000,
    .named_max = 1,
    .whole_from = 4,
    .format_target = format_target,
    .read = read_answer,
};
