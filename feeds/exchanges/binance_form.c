/*
 * binance_form: see binance_form.h. Source: binance-spot-api-docs, rest-api.md
 * ("Market Data endpoints", "HTTP Return Codes") and errors.md.
 *
 * ticker/24hr gives lastPrice, bidPrice, askPrice and closeTime, ticker/price
 * only price, ticker/bookTicker only bidPrice and askPrice: one object each
 * or, asked for several symbols, an array in an order of the exchange's own. A
 * row is chosen by `symbol`, never by position.
 *
 * Errors: {"code":-1121,"msg":"..."}, a negative code. 429 is the limit, 418
 * the ban that follows, 403 the firewall, 451 a refusal by country, whose body
 * has "code": 0. One unknown symbol among several loses them all (-1121). Rows
 * of halted markets stay, all zero.
 */
#include "feeds/exchanges/binance_form.h"

int binance_form_target(char out[static EXCHANGE_TARGET_MAX],
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

enum quote_error binance_form_error(int status, const json_t *body)
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

static const json_t *first_of(
    const json_t *row, const char *const names[BINANCE_FORM_NAMES_MAX])
{
	const json_t *value = NULL;

	for (; value == NULL && *names != NULL; names++)
		value = json_object_get(row, *names);
	return value;
}

enum quote_error binance_form_row(struct quote *out, const char *symbol,
    const json_t *rows, const struct binance_form_names *names)
{
	const json_t *row;
	enum quote_error error;

	error = adapter_row(&row, rows, "symbol", symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	error = adapter_prices(out, first_of(row, names->last),
	    first_of(row, names->bid), first_of(row, names->ask));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, first_of(row, names->time_ms), 1);
}

enum quote_error binance_form_read(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	static const struct binance_form_names names = {
	    .last = {"lastPrice", "price", NULL},
	    .bid = {"bidPrice", NULL},
	    .ask = {"askPrice", NULL},
	    .time_ms = {"closeTime", NULL},
	};
	enum quote_error error = binance_form_error(status, body);

	if (error != QUOTE_OK)
		return error;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	return binance_form_row(out, symbol, body, &names);
}
