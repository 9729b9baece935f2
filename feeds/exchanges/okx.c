/*
 * OKX. Source: www.okx.com/docs-v5, "Get ticker", "Get tickers", "Get index
 * tickers" and "Error Code".
 *
 * GET /api/v5/market/ticker?instId=BTC-USDT gives {"code":"0","msg":"","data":
 * [{"instId":"BTC-USDT","last":...,"bidPx":...,"askPx":...,"ts":"ms"}]};
 * tickers?instType=SPOT the same for every spot market. Also read: index-
 * tickers, where idxPx, an average of several exchanges, is in place of last.
 *
 * exchange_ms: ts, when last, bid or ask of the row last changed: minutes ago
 * in thin markets.
 *
 * Errors: a code other than "0", most of them with HTTP 200, the limit too.
 * The gateway before the API has codes that are numbers, and no data. The
 * words beside a code change between hosts: the code decides.
 */
#include "feeds/exchanges/adapter.h"

#define PATH "/api/v5/market/"

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	return adapter_target_one_or_all(out, PATH "tickers?instType=SPOT",
	    PATH "ticker?instId=", symbols, count, "-_", "");
}

static enum quote_error class_of_code(
    int64_t code, const char *text, int status)
{
	static const struct adapter_phrase none[] = {{NULL, QUOTE_OK}};

	switch (code) {
	case 51001: /* Instrument ID doesn't exist */
	case 51014: /* Index doesn't exist */
	case 51021: /* not listed yet */
	case 51027: /* expired */
	case 51087: /* listing canceled */
		return QUOTE_UNKNOWN_SYMBOL;
	case 50011: /* Rate limit reached */
	case 50040: /* Too frequent operations */
	case 50061: /* of one account */
		return QUOTE_RATE_LIMITED;
	case 50001: /* Service temporarily unavailable */
	case 50005: /* endpoint inactive or unavailable */
	case 50046: /* unavailable while we improve it */
	case 50062: /* currently unavailable */
		return QUOTE_MAINTENANCE;
	case 50004: /* Endpoint request timeout */
		return QUOTE_TIMEOUT;
	case 1:     /* Operation failed */
	case 50013: /* Systems are busy */
	case 50026: /* System error */
		return QUOTE_SERVER_ERROR;
	case 50051: /* compliance restrictions in your country or region */
	case 50052: /* local laws and regulations */
		return QUOTE_GEO_BLOCKED;
	case 50121: /* no access through this IP address */
		return QUOTE_BLOCKED;
	case 50115: /* Invalid request method */
		return QUOTE_BAD_REQUEST;
	default:
		break;
	}
	if (code >= 50100 && code <= 50120) /* of the key and its headers */
		return QUOTE_AUTH;
	return adapter_classify(code < 50000 ? text : NULL, none, status);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *data = json_object_get(body, "data"), *row, *last;
	bool success = status / 100 == 2;
	enum quote_error error;
	int64_t code;

	if (json_text_integer(&code, json_object_get(body, "code")) != 0)
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	if (code != 0)
		return class_of_code(code,
		    json_text_string(json_object_get(body, "msg")), status);
	if (!success)
		return QUOTE_HTTP_ERROR;
	if (!json_is_array(data))
		return QUOTE_BAD_BODY;
	if (json_array_size(data) == 0)
		return QUOTE_NO_PRICE; /* an unknown one would be 51001 */
	error = adapter_row(&row, data, "instId", symbol, NULL);
	if (error != QUOTE_OK)
		return error;
	last = json_object_get(row, "last");
	if (last == NULL)
		last = json_object_get(row, "idxPx");
	error = adapter_prices(out, last, json_object_get(row, "bidPx"),
	    json_object_get(row, "askPx"));
	if (error != QUOTE_OK)
		return error;
	return adapter_time(out, json_object_get(row, "ts"), 1);
}

const struct exchange okx_exchange = {
    .name = "okx",
    .host = "www.okx.com",
    .time = EXCHANGE_TIME_CHANGE,
    .limit = "20 requests in two seconds",
    .limit_per_min = 600,
    .spacing_ms = 200,
    .named_max = 1,
    .whole_from = 6, /* five fit in a second */
    .format_target = format_target,
    .read = read_answer,
};
