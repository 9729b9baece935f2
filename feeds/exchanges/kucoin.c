/*
 * KuCoin spot. Source: www.kucoin.com/docs-new, "Get Ticker" (that of the
 * unified API too), "Get All Tickers", "Get 24hr Stats", "Rate Limit", "Error
 * Code".
 *
 * GET /api/v1/market/orderbook/level1?symbol=BTC-USDT gives {"code":"200000",
 * "data":{"price","bestBid","bestAsk","time"}}, which does not name its symbol:
 * the path is all that ties them together. GET /api/v1/market/allTickers gives
 * {"time","ticker":[{"symbol","last","buy","sell"}]}, where buy is the best
 * bid. Also read: /api/v1/market/stats, one such row, and
 * /api/ua/v1/market/ticker?tradeType=SPOT.
 *
 * exchange_ms: when that state of the market was taken; all tickers are taken
 * every two seconds.
 *
 * Errors: a code other than "200000", mostly with HTTP 200. An unknown symbol
 * has "data":null. Halted markets have null prices.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/api/v1/market/allTickers",
	    "/api/v1/market/orderbook/level1?symbol=", symbols, count, "-", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"200002 429000 429", QUOTE_RATE_LIMITED},
	    {"200003 400600 900001", QUOTE_UNKNOWN_SYMBOL},
	    {"400302 400500", QUOTE_GEO_BLOCKED},
	    {"400001 400002 400003 400004 400005 400006 400007", QUOTE_AUTH},
	    {"408000", QUOTE_TIMEOUT},
	    {"500000", QUOTE_SERVER_ERROR},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"symbol", QUOTE_UNKNOWN_SYMBOL},
	    {"trading pair", QUOTE_UNKNOWN_SYMBOL},
	    {"does not exist", QUOTE_UNKNOWN_SYMBOL},
	    {"access frequency", QUOTE_RATE_LIMITED}, {NULL, QUOTE_OK}};
	const json_t *code = json_object_get(body, "code");
	bool success = status / 100 == 2;
	int64_t number;

	if (json_text_integer(&number, code) != 0)
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (number == 200000)
		return success ? QUOTE_OK : QUOTE_HTTP_ERROR;
	return adapter_code(
	    code, json_object_get(body, "msg"), codes, words, status);
}

/* Each form has one of the names. */
static const json_t *first_of(const json_t *object, const char *const names[3])
{
	const json_t *value = NULL;

	for (int i = 0; i < 3 && value == NULL; i++)
		value = json_object_get(object, names[i]);
	return value;
}

static enum quote_error read_data(
    struct quote *out, const char *symbol, const json_t *data)
{
	static const char *const names[][3] = {{"ticker", "list", "-"},
	    {"price", "last", "lastPrice"}, {"bestBid", "buy", "bestBidPrice"},
	    {"bestAsk", "sell", "bestAskPrice"}, {"time", "ts", "-"}};
	const json_t *rows = first_of(data, names[0]), *row = data;
	const json_t *type = json_object_get(data, "tradeType");
	enum quote_error error = QUOTE_OK;

	if (type != NULL && (json_text_string(type) == NULL ||
				strcmp(json_text_string(type), "SPOT") != 0))
		return QUOTE_UNKNOWN_SYMBOL; /* a contract's */
	if (rows != NULL || json_object_get(data, "symbol") != NULL)
		error = adapter_row(
		    &row, rows != NULL ? rows : data, "symbol", symbol, NULL);
	if (error == QUOTE_OK)
		error = adapter_prices(out, first_of(row, names[1]),
		    first_of(row, names[2]), first_of(row, names[3]));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, first_of(data, names[4]), 1);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *data = json_object_get(body, "data");
	enum quote_error error = own_error(status, body);

	if (error != QUOTE_OK)
		return error;
	if (json_is_null(data))
		return QUOTE_UNKNOWN_SYMBOL;
	return json_is_object(data) ? read_data(out, symbol, data)
				    : QUOTE_BAD_BODY;
}

const struct exchange kucoin_exchange = {
    .name = "kucoin",
    .host = "api.kucoin.com",
    .time = EXCHANGE_TIME_QUOTE,
    /* By the dearer of the two. */
    .limit = "2000 weight in 30 seconds; 2 for a ticker, 15 for all",
    .limit_per_min = 266,
    .spacing_ms = 500,
    .named_max = 1,
    .whole_from = 3,
    .format_target = format_target,
    .read = read_answer,
};
