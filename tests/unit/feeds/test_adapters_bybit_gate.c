/*
 * adapters of Bybit and Gate: what is asked, and what their answers mean. The
 * bodies are our own, in the form that the exchanges document; recorded ones
 * are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define TIME "1700000000123"
#define FULL "2.5 2 3 1700000000123" /* a last of 2.5 in any row */

/* ---- Bybit ---- */

#define B_ANSWER(code, result)                                       \
	"{\"retCode\":" code ",\"retMsg\":\"OK\",\"result\":" result \
	",\"retExtInfo\":{},\"time\":1700000000123}"
#define B_LIST(category, rows) \
	B_ANSWER("0", "{\"category\":\"" category "\",\"list\":[" rows "]}")
#define B_ROW(symbol, last)                                                  \
	"{\"symbol\":\"" symbol "\",\"bid1Price\":\"2\",\"bid1Size\":\"9\"," \
	"\"ask1Price\":\"3\",\"lastPrice\":" last ",\"usdIndexPrice\":\"\"}"
#define B_SAYS(code, words)                                               \
	"{\"retCode\":" code ",\"retMsg\":\"" words "\",\"result\":null," \
	"\"retExtInfo\":{},\"time\":1700000000123}"

static void bybit_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET("bybit",
	    "/v5/market/tickers?category=spot&symbol=BTCUSDT", "BTCUSDT", NULL);
	ANSWERS_TARGET("bybit", "/v5/market/tickers?category=spot", NULL);
	ANSWERS_TARGET("bybit", "", "BTC-USDT", NULL);
	ANSWERS_TARGET("bybit", "", "BTCUSDT", "ETHUSDT", NULL);
	ANSWERS_TARGET("bybit", "", "", NULL);
	ANSWERS_TARGET("bybit", "", "BTC/USDT", NULL);
	ANSWERS_TARGET("bybit", "", "BTCUSDT&x=1", NULL);
	ANSWERS_TARGET("bybit", "", "BTC,ETH", NULL);
	ANSWERS_TARGET("bybit", "", "BTC%55SDT", NULL);
	ANSWERS_TARGET("bybit", "", "B\xc3\x84USDT", NULL);
	ANSWERS_TARGET("bybit", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
}

static void bybit_prices(void **state)
{
	static const struct answer answers[] = {
	    {"BTCUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"2.5\"")), FULL},
	    {"BTCUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"\"")),
		"- 2 3 " TIME},
	    {"BTCUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"0\"")),
		"no_price"},
	    {"BTCUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"x\"")),
		"bad_body"},
	    /* v3: last, book, both, for one and for all */
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"symbol\":\"BTCUSDT\",\"price\":\"2.5\"}"),
		"2.5 - - " TIME},
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"list\":[{\"symbol\":\"ETHUSDT\","
			      "\"price\":\"1\"},{\"symbol\":\"BTCUSDT\","
			      "\"price\":\"2.5\"}]}"),
		"2.5 - - " TIME},
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"symbol\":\"BTCUSDT\",\"bidPrice\":\"2\","
			      "\"askPrice\":\"3\",\"time\":1}"),
		"- 2 3 " TIME},
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"t\":1,\"s\":\"BTCUSDT\",\"lp\":\"2.5\","
			      "\"bp\":\"2\",\"ap\":\"3\",\"o\":\"1\"}"),
		FULL},
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"list\":[{\"s\":\"ETHUSDT\",\"lp\":\"1\"},"
			      "{\"s\":\"BTCUSDT\",\"lp\":\"2.5\"}]}"),
		"2.5 - - " TIME},
	};
	static const char *const symbols[] = {
	    "BTCUSDT", "XUSDT", "ETHUSDT", "DEADUSDT", NULL};
	static const char *const gives[] = {
	    FULL, "unknown_symbol", "7.50 2 3 1700000000123", "no_price"};

	(void)state;
	ANSWERS_CHECK("bybit", answers);
	answers_check_each("bybit", symbols,
	    B_LIST("spot", B_ROW("ETHUSDT", "\"7.50\"") "," B_ROW("BTCUSDT",
			       "\"2.5\"") "," B_ROW("DEADUSDT", "\"0\"")),
	    gives);
	answers_check_numbers("bybit", "BTCUSDT",
	    "{\"retCode\":0,\"result\":{\"category\":\"spot\",\"list\":[{"
	    "\"symbol\":\"BTCUSDT\",\"lastPrice\":",
	    "}]}}");
}

/* BTCUSDT is a perpetual as well; BTCUSD is never a spot market. */
static void bybit_categories(void **state)
{
	static const struct answer answers[] = {
	    {"BTCUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"2\"")),
		"2 2 3 " TIME},
	    {"BTCUSDT", 200, B_LIST("linear", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"BTCUSDT", 200, B_LIST("option", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"BTCUSDT", 200, B_LIST("SPOT", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"BTCUSDT", 200, B_LIST("", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"category\":null,\"list\":[" B_ROW(
				  "BTCUSDT", "\"2\"") "]}"),
		"unknown_symbol"},
	    /* v5 always has one */
	    {"BTCUSDT", 200,
		B_ANSWER("0", "{\"list\":[" B_ROW("BTCUSDT", "\"2\"") "]}"),
		"bad_body"},
	    {"BTCUSD", 200, B_LIST("inverse", B_ROW("BTCUSD", "\"2\"")),
		"2 2 3 " TIME},
	    {"BTCUSDT", 200, B_LIST("inverse", B_ROW("BTCUSD", "\"2\"")),
		"unknown_symbol"},
	};

	(void)state;
	ANSWERS_CHECK("bybit", answers);
}

static void bybit_answers(void **state)
{
	static const struct answer answers[] = {
	    {"XUSDT", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"btcusdt", 200, B_LIST("spot", B_ROW("BTCUSDT", "\"2\"")),
		"unknown_symbol"},
	    {"XUSDT", 200, B_LIST("spot", ""), "unknown_symbol"},
	    {"XUSDT", 200, B_ANSWER("0", "{}"), "bad_body"},
	    {"XUSDT", 200, B_ANSWER("0", "null"), "bad_body"},
	    {"XUSDT", 200, B_ANSWER("0", "[]"), "bad_body"},
	    {"XUSDT", 200, "{\"retCode\":0}", "bad_body"},
	    {"XUSDT", 200, "[]", "bad_body"},
	    {"XUSDT", 200,
		B_ANSWER("0", "{\"category\":\"spot\",\"list\":null}"),
		"bad_body"},
	    {"BTCUSDT", 200,
		B_LIST("spot",
		    B_ROW("BTCUSDT", "\"2\"") "," B_ROW("BTCUSDT", "\"4\"")),
		"bad_body"},
	    {"BTCUSDT", 200, B_LIST("spot", "{\"symbol\":\"BTCUSDT\"}"),
		"bad_body"},
	    {"BTCUSDT", 200, B_LIST("spot", "{\"lastPrice\":\"2\"}"),
		"bad_body"},
	    {"BTCUSDT", 200,
		"{\"retCode\":0,\"time\":\"now\",\"result\":{"
		"\"symbol\":\"BTCUSDT\",\"price\":\"2\"}}",
		"bad_body"},
	    /* a price beside a flag that is down, odd or not there */
	    {"BTCUSDT", 200,
		B_ANSWER("10001", "{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}"),
		"bad_request"},
	    {"BTCUSDT", 200,
		B_ANSWER("-1", "{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}"),
		"bad_request"},
	    {"BTCUSDT", 200,
		B_ANSWER("null", "{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}"),
		"bad_body"},
	    {"BTCUSDT", 200,
		B_ANSWER("false", "{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}"),
		"bad_body"},
	    {"BTCUSDT", 200,
		"{\"result\":{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}}",
		"bad_body"},
	    {"BTCUSDT", 404,
		B_ANSWER("0", "{\"symbol\":\"BTCUSDT\",\"price\":\"2\"}"),
		"http_error"},
	};

	(void)state;
	ANSWERS_CHECK("bybit", answers);
}

static void bybit_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 200, B_SAYS("10001", "Not supported symbols"),
		"unknown_symbol"},
	    {"X", 200, B_SAYS("10001", "params error: Symbol Is Invalid"),
		"unknown_symbol"},
	    {"X", 200, B_SAYS("10001", "Illegal category"), "bad_request"},
	    {"X", 200, B_SAYS("10001", ""), "bad_request"},
	    {"X", 200, B_SAYS("170121", "Invalid symbol."), "unknown_symbol"},
	    {"X", 200, B_SAYS("10006", "Too many visits!"), "rate_limited"},
	    {"X", 200, B_SAYS("\"10006\"", "Too many visits!"), "rate_limited"},
	    {"X", 200, B_SAYS("100060", ""), "bad_request"},
	    {"X", 200, B_SAYS("1000", ""), "bad_request"},
	    {"X", 200, B_SAYS("10018", "Exceeded the IP Rate Limit."),
		"rate_limited"},
	    {"X", 429, B_SAYS("10429", "System level frequency protection"),
		"rate_limited"},
	    {"X", 200, B_SAYS("10009", "IP has been banned."), "banned"},
	    {"X", 200, B_SAYS("10024", "Compliance rules triggered"),
		"geo_blocked"},
	    {"X", 200, B_SAYS("10003", "API key is invalid."), "auth"},
	    {"X", 200, B_SAYS("10010", "Unmatched IP"), "auth"},
	    {"X", 200, B_SAYS("10002", "check your server timestamp"),
		"bad_request"},
	    {"X", 200, B_SAYS("10016", "Internal System Error."),
		"server_error"},
	    {"X", 200, B_SAYS("10016", "Request timeout, please try again"),
		"timeout"},
	    {"X", 200, B_SAYS("5004", "Server Timeout"), "timeout"},
	    {"X", 200, B_SAYS("10019", "trade service is restarting"),
		"maintenance"},
	    {"X", 404, B_SAYS("10017", "Route not found."), "http_error"},
	    {"X", 500, B_SAYS("1", "odd"), "server_error"},
	    {"X", 200, "{\"retCode\":10006}", "rate_limited"},
	    {"X", 404, "{}", "http_error"},
	    {"X", 500, "{\"retCode\":[]}", "server_error"},
	    /* the limit's own page, and the refusal of a country */
	    {"X", 403, "{ \"403\": access too frequent }", "blocked"},
	    {"X", 403, "<html>CloudFront</html>", "blocked"},
	    {"X", 200, "{ \"403\": access too frequent }", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("bybit", answers);
}

/* ---- Gate ---- */

#define G_ROW(symbol, last)                                                  \
	"{\"currency_pair\":\"" symbol "\",\"last\":" last                   \
	",\"lowest_ask\":\"3\",\"lowest_size\":\"9\",\"highest_bid\":\"2\"," \
	"\"etf_pre_timestamp\":1611244800}"
#define G_NAMELESS "7,{\"currency_pair\":5,\"last\":\"9\"}"
#define G_SAYS(label, words) \
	"{\"label\":\"" label "\",\"message\":\"" words "\"}"

static void gate_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET("gate", "/api/v4/spot/tickers?currency_pair=BTC_USDT",
	    "BTC_USDT", NULL);
	ANSWERS_TARGET("gate", "/api/v4/spot/tickers", NULL);
	ANSWERS_TARGET("gate", "", "BTC-USDT", NULL);
	ANSWERS_TARGET("gate", "", "BTCUSDT", "ETHUSDT", NULL);
	ANSWERS_TARGET("gate", "", "", NULL);
	ANSWERS_TARGET("gate", "", "BTC/USDT", NULL);
	ANSWERS_TARGET("gate", "", "BTCUSDT&x=1", NULL);
	ANSWERS_TARGET("gate", "", "BTC,ETH", NULL);
	ANSWERS_TARGET("gate", "", "BTC%55SDT", NULL);
	ANSWERS_TARGET("gate", "", "B\xc3\x84USDT", NULL);
	ANSWERS_TARGET("gate", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
}

static void gate_prices(void **state)
{
	static const struct answer answers[] = {
	    {"BTC_USDT", 200, "[" G_ROW("BTC_USDT", "\"2.5\"") "]",
		"2.5 2 3 -"},
	    {"BTC_USDT", 200, "[" G_ROW("BTC_USDT", "\"0\"") "]", "no_price"},
	    {"BTC_USDT", 200, "[" G_ROW("BTC_USDT", "\"x\"") "]", "bad_body"},
	    {"BTC_USDT", 200,
		"[{\"currency_pair\":\"BTC_USDT\",\"last\":\"2.5\","
		"\"lowest_ask\":\"\",\"highest_bid\":\"\"}]",
		"2.5 - - -"},
	};
	static const char *const symbols[] = {
	    "BTC_USDT", "X_USDT", "ETH_USDT", "BTC3L_USDT", NULL};
	static const char *const gives[] = {
	    "2.5 2 3 -", "unknown_symbol", "7.50 2 3 -", "- 2 3 -"};

	(void)state;
	ANSWERS_CHECK("gate", answers);
	answers_check_each("gate", symbols,
	    "[" G_ROW("ETH_USDT", "\"7.50\"") "," G_ROW(
		"BTC_USDT", "\"2.5\"") "," G_ROW("BTC3L_USDT", "\"\"") "]",
	    gives);
	answers_check_numbers("gate", "BTC_USDT",
	    "[{\"currency_pair\":\"BTC_USDT\",\"last\":", "}]");
}

static void gate_answers(void **state)
{
	static const char all[] = "[" G_ROW("ETH_USDT", "\"0\"") "," G_ROW(
	    "BTC_USDT", "\"2\"") "]";
	static const struct answer answers[] = {
	    {"X_USDT", 200, all, "unknown_symbol"},
	    {"btc_usdt", 200, all, "unknown_symbol"},
	    {"BTC_USD", 200, all, "unknown_symbol"},
	    {"ETH_USDT", 200, all, "no_price"},
	    {"X_USDT", 200, "[]", "unknown_symbol"},
	    /* always an array */
	    {"BTC_USDT", 200, G_ROW("BTC_USDT", "\"2\""), "bad_body"},
	    {"BTC_USDT", 200, "{}", "bad_body"},
	    {"BTC_USDT", 200, "[null]", "bad_body"},
	    {"BTC_USDT", 200, "[[" G_ROW("BTC_USDT", "\"2\"") "]]", "bad_body"},
	    {"BTC_USDT", 200, "[{\"last\":\"2\"}]", "bad_body"},
	    {"BTC_USDT", 200, "[{\"currency_pair\":\"BTC_USDT\"}]", "bad_body"},
	    /* A row without its pair is passed over, and might be any. */
	    {"BTC_USDT", 200, "[" G_NAMELESS "," G_ROW("BTC_USDT", "\"2\"") "]",
		"2 2 3 -"},
	    {"BTC_USDT", 200, "[" G_ROW("BTC_USDT", "\"2\"") "," G_NAMELESS "]",
		"2 2 3 -"},
	    {"X_USDT", 200, "[" G_ROW("BTC_USDT", "\"2\"") "," G_NAMELESS "]",
		"bad_body"},
	    {"BTC_USDT", 200,
		"[" G_ROW("BTC_USDT", "\"2\"") "," G_NAMELESS "," G_ROW(
		    "BTC_USDT", "\"4\"") "]",
		"bad_body"},
	    {"BTC_USDT", 200,
		"[" G_ROW("BTC_USDT", "\"2\"") "," G_ROW(
		    "BTC_USDT", "\"4\"") "]",
		"bad_body"},
	    /* a price beside an error, and one that came with a 404 */
	    {"BTC_USDT", 200,
		"{\"label\":\"TOO_BUSY\",\"currency_pair\":\"BTC_USDT\","
		"\"last\":\"2\"}",
		"server_error"},
	    {"BTC_USDT", 200,
		"{\"label\":5,\"currency_pair\":\"BTC_USDT\",\"last\":\"2\"}",
		"bad_body"},
	    {"BTC_USDT", 404, all, "http_error"},
	    {"BTC_USDT", 500, all, "server_error"},
	};

	(void)state;
	ANSWERS_CHECK("gate", answers);
}

static void gate_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 400,
		G_SAYS("INVALID_CURRENCY_PAIR", "Invalid currency pair X"),
		"unknown_symbol"},
	    {"X", 200, G_SAYS("INVALID_CURRENCY_PAIR", ""), "unknown_symbol"},
	    {"X", 400, G_SAYS("INVALID_CURRENCY", "Invalid currency X"),
		"unknown_symbol"},
	    {"X", 400, "{\"label\":\"CONTRACT_NOT_FOUND\"}", "unknown_symbol"},
	    {"X", 400,
		G_SAYS("INVALID_PARAM_VALUE", "Invalid currency_pair value"),
		"unknown_symbol"},
	    {"X", 400, G_SAYS("INVALID_PARAM_VALUE", "invalid index"),
		"bad_request"},
	    {"X", 400,
		G_SAYS("MISSING_REQUIRED_PARAM",
		    "Missing required parameter: currency_pair"),
		"bad_request"},
	    {"X", 400, G_SAYS("TOO_BIG", "limit 300"), "bad_request"},
	    {"X", 400, G_SAYS("TOO_FAST", "limited to 10s"), "rate_limited"},
	    {"X", 429, G_SAYS("TOO_MANY_REQUESTS", ""), "rate_limited"},
	    {"X", 200, G_SAYS("TOO_MANY_REQUESTS", ""), "rate_limited"},
	    {"X", 400, G_SAYS("TOO_MANY", ""), "bad_request"},
	    {"X", 400, G_SAYS("FAST", ""), "bad_request"},
	    {"X", 500, G_SAYS("SERVER_ERROR", "Internal server error"),
		"server_error"},
	    {"X", 400, G_SAYS("SERVER_ERROR", ""), "server_error"},
	    {"X", 500, G_SAYS("INTERNAL", ""), "server_error"},
	    {"X", 500, G_SAYS("ODD", "odd"), "server_error"},
	    {"X", 400, G_SAYS("INVALID_KEY", "Invalid key provided"), "auth"},
	    {"X", 401, G_SAYS("INVALID_KEY", ""), "auth"},
	    {"X", 400,
		G_SAYS("MISSING_REQUIRED_HEADER",
		    "Missing required header: Timestamp"),
		"auth"},
	    {"X", 400, G_SAYS("FORBIDDEN", ""), "auth"},
	    {"X", 403, G_SAYS("FORBIDDEN", ""), "blocked"},
	    {"X", 404, G_SAYS("NOT_FOUND", ""), "http_error"},
	    {"X", 404, "{}", "http_error"},
	    {"X", 404, "{\"label\":null}", "http_error"},
	    {"X", 400, G_SAYS("", "under maintenance"), "maintenance"},
	    {"X", 200, "Bad Gateway", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("gate", answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bybit_targets),
	    cmocka_unit_test(bybit_prices),
	    cmocka_unit_test(bybit_categories),
	    cmocka_unit_test(bybit_answers),
	    cmocka_unit_test(bybit_errors),
	    cmocka_unit_test(gate_targets),
	    cmocka_unit_test(gate_prices),
	    cmocka_unit_test(gate_answers),
	    cmocka_unit_test(gate_errors),
	};

	return cmocka_run_group_tests_name(
	    "adapters_bybit_gate", tests, NULL, NULL);
}
