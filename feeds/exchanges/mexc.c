/*
 * MEXC spot. Source: www.mexc.com/api-docs/spot-v3, "Market Data Endpoints",
 * "General Info", "Error Code".
 *
 * GET /api/v3/ticker/24hr?symbol=BTCUSDT (weight 1) gives what Binance's does,
 * with nulls and "" where Binance has numbers. For many symbols bookTicker of
 * all (weight 1: bid and ask, no last, no time), because 24hr of all weighs 40
 * and is over a megabyte. Also read: ticker/price, and the older forms
 * {"code":200,"data":[{"symbol":"BTC_USDT","last","bid","ask","time"}]} and
 * {"success":true,"code":0,"data":{"symbol","lastPrice","bid1","ask1",
 * "timestamp"}}. A row may stand twice.
 *
 * exchange_ms: closeTime, about when it answered. It was seen to repeat and to
 * go backwards; `time` of the older form is the start of five minutes.
 *
 * Errors: Binance's negative codes, {"code":429,"msg"} of its gateway, and
 * {"success":false,"code":1001,"message"} with HTTP 200.
 */
#include "feeds/exchanges/binance_form.h"

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, "/api/v3/ticker/bookTicker",
	    "/api/v3/ticker/24hr?symbol=", symbols, count, "-_.", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"400 401 602 700002 700003", QUOTE_AUTH},
	    {"403", QUOTE_BLOCKED},
	    {"429 510", QUOTE_RATE_LIMITED},
	    {"500", QUOTE_SERVER_ERROR},
	    {"503", QUOTE_MAINTENANCE},
	    {"504", QUOTE_TIMEOUT},
	    {"1001 10007 30014", QUOTE_UNKNOWN_SYMBOL},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"too frequent", QUOTE_RATE_LIMITED},
	    {"api key", QUOTE_AUTH},
	    {"symbol", QUOTE_UNKNOWN_SYMBOL},
	    {"not exist", QUOTE_UNKNOWN_SYMBOL},
	    {NULL, QUOTE_OK},
	};
	const json_t *code = json_object_get(body, "code");
	const json_t *text = json_object_get(body, "msg");
	bool failed = json_is_false(json_object_get(body, "success"));
	enum quote_error error = binance_form_error(status, body);
	int64_t number = 0;

	if (error != QUOTE_OK)
		return error;
	if (code != NULL && json_text_integer(&number, code) != 0)
		return status / 100 == 2 ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (!failed && (number == 0 || number == 200))
		return QUOTE_OK;
	if (text == NULL)
		text = json_object_get(body, "message");
	return adapter_code(code, text, codes, words, status);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	static const struct binance_form_names names = {
	    .last = {"lastPrice", "price", "last", NULL},
	    .bid = {"bidPrice", "bid", "bid1", NULL},
	    .ask = {"askPrice", "ask", "ask1", NULL},
	    .time_ms = {"closeTime", "time", "timestamp", NULL},
	};
	enum quote_error error = own_error(status, body);
	const json_t *data = json_object_get(body, "data");

	if (error != QUOTE_OK)
		return error;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	return binance_form_row(
	    out, symbol, data != NULL ? data : body, &names);
}

const struct exchange mexc_exchange = {
    .name = "mexc",
    .host = "api.mexc.com",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "500 weight in ten seconds for each endpoint; 1 each",
    .limit_per_min = 3000,
    .spacing_ms = 100,
    .named_max = 1,
    /* A round of one each takes a second by then. */
    .whole_from = 10,
    .format_target = format_target,
    .read = read_answer,
};
