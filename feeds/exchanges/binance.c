/*
 * Binance spot, from the host that serves market data only and is not closed
 * to cloud regions. Source: binance-spot-api-docs, rest-api.md and errors.md.
 *
 * GET /api/v3/ticker/24hr?symbol=BTCUSDT (weight 2) gives lastPrice, bidPrice,
 * askPrice and closeTime. Also read: ticker/price (price) and bookTicker (bid
 * and ask), one object each or, asked for several symbols, an array in an
 * order of Binance's own: a row is chosen by `symbol`, never by position.
 *
 * exchange_ms: closeTime, the end of the 24 h window, which is the moment of
 * the newest trade or of the answer.
 *
 * Errors: {"code":-1121,"msg":"..."}, a negative code. 429 is the limit, 418
 * the ban that follows, 403 the firewall, 451 a refusal by country, whose body
 * has "code": 0. Rows of halted markets stay, all zero.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target(out, "/api/v3/ticker/24hr?symbols=%5B%22",
	    symbols, count, "%22,%22", "-_.", "%22%5D");
}

static enum quote_error class_of_code(int64_t code)
{
	switch (code) {
	case -1000: /* UNKNOWN */
	case -1001: /* DISCONNECTED: "Internal error" */
	case -1006: /* UNEXPECTED_RESP */
	case -1008: /* SERVER_BUSY */
		return QUOTE_SERVER_ERROR;
	case -1002: /* UNAUTHORIZED */
	case -1022: /* INVALID_SIGNATURE */
	case -2014: /* BAD_API_KEY_FMT */
	case -2015: /* REJECTED_MBX_KEY */
		return QUOTE_AUTH;
	case -1003: /* TOO_MANY_REQUESTS */
	case -1015: /* TOO_MANY_ORDERS */
	case -1034: /* TOO_MANY_CONNECTIONS */
		return QUOTE_RATE_LIMITED;
	case -1007: /* TIMEOUT */
		return QUOTE_TIMEOUT;
	case -1016: /* SERVICE_SHUTTING_DOWN */
		return QUOTE_MAINTENANCE;
	case -1121: /* BAD_SYMBOL */
		return QUOTE_UNKNOWN_SYMBOL;
	default: /* the others are about the request */
		return QUOTE_BAD_REQUEST;
	}
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase words[] = {
	    {"restricted location", QUOTE_GEO_BLOCKED}, {NULL, QUOTE_OK}};
	const json_t *code = json_object_get(body, "code");
	const char *text = json_text_string(json_object_get(body, "msg"));
	int64_t number;

	if (!json_text_is_number(code) || text == NULL ||
	    json_text_integer(&number, code) != 0 || number > 0)
		return QUOTE_OK;
	return number < 0 ? class_of_code(number)
			  : adapter_classify(text, words, status);
}

static bool is_symbol(const char *symbol, const char *name)
{
	return strcmp(symbol, name) == 0;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *row, *last;

	if (error != QUOTE_OK)
		return error;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	error = adapter_row(&row, body, "symbol", symbol, is_symbol);
	if (error != QUOTE_OK)
		return error;
	last = json_object_get(row, "lastPrice");
	if (last == NULL)
		last = json_object_get(row, "price");
	error = adapter_prices(out, last, json_object_get(row, "bidPrice"),
	    json_object_get(row, "askPrice"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(row, "closeTime"), 1);
}

const struct exchange binance_exchange = {
    .name = "binance",
    .host = "data-api.binance.vision",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "6000 weight a minute; 2 for up to 20 symbols",
    .limit_per_min = 3000,
    .spacing_ms = 40,
    .named_max = 20,
    .format_target = format_target,
    .read = read_answer,
};
