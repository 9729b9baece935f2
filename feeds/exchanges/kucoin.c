/*
 * KuCoin spot. Source: www.kucoin.com/docs-new, "Get Ticker", "Get All
 * Tickers", "Get 24hr Stats", "Get Ticker" of the unified API, "Rate Limit",
 * "Error Code".
 *
 * GET /api/v1/market/orderbook/level1?symbol=BTC-USDT gives {"code":"200000",
 * "data":{"price","bestBid","bestAsk","time"}}, which does not name its symbol:
 * the path is all that ties them together. GET /api/v1/market/allTickers gives
 * {"time","ticker":[{"symbol","last","buy","sell"}]}, where buy is the best
 * bid. Also read: /api/v1/market/stats, one such row, and
 * /api/ua/v1/market/ticker?tradeType=SPOT.
 *
 * exchange_ms: when that state of the market was taken; all tickers are taken
 * every two seconds. The unified API was seen to send nanoseconds.
 *
 * Errors: a code other than "200000", mostly with HTTP 200. An unknown symbol
 * has "data":null. Halted markets have null prices.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

#define NS_MIN 1000000000000000000 /* the year 2001; as ms, 31 million */

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

static const struct form {
	const char *rows, *last, *bid, *ask, *time;
} forms[] = {
    {"ticker", "last", "buy", "sell", "time"},
    {"list", "lastPrice", "bestBidPrice", "bestAskPrice", "ts"},
    {NULL, "price", "bestBid", "bestAsk", "time"},
    {NULL, "last", "buy", "sell", "time"},
};

static const struct form *form_of(const json_t *data)
{
	for (int i = 0; i < 2; i++)
		if (json_object_get(data, forms[i].rows) != NULL)
			return &forms[i];
	return json_object_get(data, "price") != NULL ? &forms[2] : &forms[3];
}

/* *row is data. */
static enum quote_error find_row(
    const json_t **row, const char *symbol, const struct form *form)
{
	const json_t *data = *row, *type = json_object_get(data, "tradeType");
	const char *text = json_text_string(type);

	if (type != NULL && (text == NULL || strcmp(text, "SPOT") != 0))
		return QUOTE_UNKNOWN_SYMBOL; /* a contract's */
	if (form == &forms[2] && json_object_get(data, "symbol") == NULL)
		return QUOTE_OK;
	if (form->rows != NULL)
		data = json_object_get(data, form->rows);
	return adapter_row(row, data, "symbol", symbol, NULL);
}

static enum quote_error read_time(struct quote *out, const json_t *value)
{
	int64_t ns;

	if (value == NULL || json_text_integer(&ns, value) != 0 || ns < NS_MIN)
		return adapter_time(out, value, 1);
	out->exchange_ms = ns / 1000000;
	out->has_exchange_ms = true;
	return QUOTE_OK;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *data = json_object_get(body, "data"), *row = data;
	const struct form *form = form_of(data);
	enum quote_error error = own_error(status, body);

	if (error != QUOTE_OK)
		return error;
	if (json_is_null(data))
		return QUOTE_UNKNOWN_SYMBOL;
	if (!json_is_object(data))
		return QUOTE_BAD_BODY;
	error = find_row(&row, symbol, form);
	if (error == QUOTE_OK)
		error = adapter_prices(out, json_object_get(row, form->last),
		    json_object_get(row, form->bid),
		    json_object_get(row, form->ask));
	if (error != QUOTE_OK)
		return error;
	return read_time(out, json_object_get(data, form->time));
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
