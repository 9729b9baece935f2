/*
 * Bitstamp. Source: www.bitstamp.net/api, "Ticker" and "Error codes".
 *
 * GET /api/v2/ticker/btcusd/ gives last, bid, ask, timestamp and pair
 * ("BTC/USD"; answers of 2017 had none). A symbol that Bitstamp does not know
 * is answered with HTTP 200 and an array of every market, so a row of an array
 * is taken only for its pair, and never the first one. /api/v2/ticker/ is that
 * array, 80 KB, written anew every two seconds.
 *
 * exchange_ms: `timestamp`, when the ticker was made (every two seconds).
 *
 * Errors: {"status":"error","reason":...,"code":...} of old, {"code","error"}
 * or a response_code ("400.002" is the limit) of late.
 */
#include "feeds/exchanges/adapter.h"

#include <ctype.h>
#include <string.h>

/* As in the path: "BTC/USD" is "btcusd". */
static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	char path[EXCHANGE_SYMBOL_MAX] = "";
	const char *paths[] = {path}, *p;
	size_t len = 0;

	if (count != 1)
		return adapter_target_one_or_all(
		    out, "/api/v2/ticker/", "", symbols, count, "", "");
	for (p = symbols[0]; *p != '\0' && len < sizeof(path) - 1; p++) {
		if (*p != '/')
			path[len++] = (char)tolower((unsigned char)*p);
	}
	if (*p != '\0')
		path[0] = '\0'; /* too long: refused as empty */
	return adapter_target(out, "/api/v2/ticker/", paths, 1, "", "-", "/");
}

static enum quote_error own_error(int status, const json_t *body)
{
	static const char *const members[] = {"response_code", "code", "reason",
	    "error", "response_explanation", "message"};
	static const struct adapter_phrase words[] = {
	    {"400.002", QUOTE_RATE_LIMITED}, /* of all, */
	    {"400.067", QUOTE_RATE_LIMITED}, /* of one client, */
	    {"400.068", QUOTE_RATE_LIMITED}, /* of one market */
	    {"API00", QUOTE_AUTH},
	    {"currency pair", QUOTE_UNKNOWN_SYMBOL},
	    {"invalid market", QUOTE_UNKNOWN_SYMBOL},
	    {"market not found", QUOTE_UNKNOWN_SYMBOL},
	    {"symbol", QUOTE_UNKNOWN_SYMBOL},
	    {NULL, QUOTE_OK},
	};
	enum quote_error blame = adapter_classify(NULL, words, status), error;
	const char *flag = json_text_string(json_object_get(body, "status"));
	bool failed = flag != NULL && strcmp(flag, "error") == 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *value = json_object_get(body, members[i]);
		error = adapter_classify(
		    json_text_string(value), words, status);
		if (error != blame)
			return error;
		failed = failed || value != NULL; /* no ticker has these */
	}
	return failed ? blame : QUOTE_OK;
}

/* "btcusd" and "BTC/USD", "btcusd-perp" and "BTC/USD-PERP"; where the asked
 * symbol has its slash, the slash must be there. */
static bool is_pair(const char *symbol, const char *pair)
{
	bool skip = strchr(symbol, '/') == NULL;

	for (;; symbol++, pair++) {
		if (skip && *pair == '/')
			pair++;
		if (tolower((unsigned char)*symbol) !=
		    tolower((unsigned char)*pair))
			return false;
		if (*symbol == '\0')
			return true;
	}
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	enum quote_error error = own_error(status, body);
	const json_t *row = body;

	if (error != QUOTE_OK)
		return error;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	if (!json_is_object(body) || json_object_get(body, "pair") != NULL)
		error = adapter_row(&row, body, "pair", symbol, is_pair);
	if (error != QUOTE_OK)
		return error;
	error = adapter_prices(out, json_object_get(row, "last"),
	    json_object_get(row, "bid"), json_object_get(row, "ask"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(row, "timestamp"), 1000);
}

const struct exchange bitstamp_exchange = {
    .name = "bitstamp",
    .host = "www.bitstamp.net",
    .time = EXCHANGE_TIME_QUOTE,
    .limit = "10000 requests in ten minutes",
    .limit_per_min = 1000,
    .spacing_ms = 120,
    .named_max = 1,
    .whole_from = 4,
    .format_target = format_target,
    .read = read_answer,
};
