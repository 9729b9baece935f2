/*
 * Bitfinex. Source: docs.bitfinex.com, "Tickers", "Ticker", "Requirements and
 * Limitations".
 *
 * GET /v2/tickers?symbols=tBTCUSD,tAVAX:USD (or ALL) gives rows in any order,
 * [symbol, bid, its size, ask, its size, change, relative change, last, volume,
 * high, low], JSON numbers, some with exponents. "t..." are markets; "f..." are
 * rows of lending rates, longer and of another order. Currencies of more than
 * three letters take a colon; UST is USDT, UDC is USDC. An unknown symbol has
 * no row. Also read: /v2/ticker/tBTCUSD, the same row without the symbol. There
 * is no time in it: no exchange_ms.
 *
 * Errors: ["error",10020,"symbol: invalid"], with HTTP 500 even where the
 * request is to blame, or {"error":"ERR_RATE_LIMIT"}, then for a minute.
 */
#include "feeds/exchanges/adapter.h"

#include <string.h>

#define ROW_MEMBERS 11 /* of a market; without the symbol one less */

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	static const char path[] = "/v2/tickers?symbols=";
	static const char *const all[] = {"ALL"};

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (symbols[i][0] != 't')
			return -1;
	if (count == 0)
		return adapter_target(out, path, all, 1, "", "", "");
	return adapter_target(out, path, symbols, count, ",", ":", "");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const struct adapter_phrase codes[] = {
	    {"10100 10114", QUOTE_AUTH}, /* "apikey:", "nonce:" */
	    {"11010", QUOTE_RATE_LIMITED},
	    {"20060", QUOTE_MAINTENANCE},
	    {NULL, QUOTE_OK},
	};
	static const struct adapter_phrase words[] = {
	    {"symbol", QUOTE_UNKNOWN_SYMBOL}, /* 10020 is of any parameter */
	    {"ratelimit", QUOTE_RATE_LIMITED},
	    {"rate_limit", QUOTE_RATE_LIMITED},
	    {"unavailable", QUOTE_MAINTENANCE},
	    {NULL, QUOTE_OK},
	};
	const char *flag = json_text_string(json_array_get(body, 0));
	const json_t *code = json_array_get(body, 1);
	const json_t *text = json_array_get(body, 2);

	if (flag == NULL || strcmp(flag, "error") != 0) {
		code = NULL;
		text = json_object_get(body, "error");
		if (json_text_string(text) == NULL)
			return QUOTE_OK;
	}
	return adapter_code(code, text, codes, words, status);
}

static enum quote_error find_row(
    const json_t **out, const json_t *rows, const char *symbol)
{
	enum quote_error missing = QUOTE_UNKNOWN_SYMBOL;
	const json_t *row;
	size_t i;

	if (json_array_size(rows) == 0) /* asked alone, or all is lost */
		return json_is_array(rows) ? QUOTE_NO_PRICE : QUOTE_BAD_BODY;
	*out = NULL;
	json_array_foreach(rows, i, row)
	{
		const char *name = json_text_string(json_array_get(row, 0));
		if (name == NULL) /* any market's: the others are good */
			missing = QUOTE_BAD_BODY;
		if (name == NULL || strcmp(name, symbol) != 0 || name[0] != 't')
			continue;
		if (json_array_size(row) != ROW_MEMBERS ||
		    (*out != NULL && !json_equal(*out, row)))
			return QUOTE_BAD_BODY;
		*out = row;
	}
	return *out == NULL ? missing : QUOTE_OK;
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	bool single = json_array_size(body) == ROW_MEMBERS - 1 &&
		      !json_is_array(json_array_get(body, 0));
	size_t bid = single ? 0 : 1;
	const json_t *row = body;

	if (error == QUOTE_OK && status / 100 != 2)
		error = QUOTE_HTTP_ERROR;
	if (error == QUOTE_OK && !single)
		error = find_row(&row, body, symbol);
	if (error != QUOTE_OK)
		return error;
	return adapter_prices(out, json_array_get(row, bid + 6),
	    json_array_get(row, bid), json_array_get(row, bid + 2));
}

const struct exchange bitfinex_exchange = {
    .name = "bitfinex",
    .host = "api-pub.bitfinex.com",
    .limit = "30 requests a minute",
    .limit_per_min = 30,
    .spacing_ms = 4000,
    .named_max = EXCHANGE_NAMED_MAX,
    .whole_from = EXCHANGE_NAMED_MAX + 1,
    .format_target = format_target,
    .read = read_answer,
};
