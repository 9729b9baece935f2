/*
 * adapters of KuCoin and Bitget: what is asked, and what their answers mean.
 * The bodies are our own, in the form that the exchanges document; recorded
 * ones are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define TIME "1700000000123"
#define FULL "2.5 2 3 1700000000123" /* a last of 2.5 in any row */

/* ---- KuCoin ---- */

#define K_ANSWER(code, data) "{\"code\":" code ",\"data\":" data "}"
#define K_LEVEL1(last)                                                       \
	"{\"sequence\":\"1\",\"price\":" last ",\"size\":\"9\",\"bestAsk\":" \
	"\"3\",\"bestAskSize\":\"9\",\"bestBid\":\"2\",\"time\":1700000000123}"
#define K_ROW(symbol, last)                                   \
	"{\"symbol\":\"" symbol                               \
	"\",\"symbolName\":\"NEW-USDT\",\"buy\":\"2\","       \
	"\"bestBidSize\":\"9\",\"sell\":\"3\",\"last\":" last \
	",\"changeRate\":null,\"averagePrice\":null}"
#define K_ALL(rows) \
	K_ANSWER("\"200000\"", "{\"ticker\":[" rows "],\"time\":1700000000123}")
#define K_UA_ROW(symbol)                                     \
	"{\"symbol\":\"" symbol "\",\"bestBidPrice\":\"2\"," \
	"\"bestAskPrice\":\"3\",\"lastPrice\":\"2.5\",\"open\":\"1\"}"
#define K_UA(type, rows)                              \
	K_ANSWER("\"200000\"", "{\"tradeType\":" type \
			       ",\"ts\":1700000000123,\"list\":[" rows "]}")
#define K_SAYS(code, words) "{\"msg\":\"" words "\",\"code\":\"" code "\"}"

static void kucoin_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET("kucoin",
	    "/api/v1/market/orderbook/level1?symbol=BTC-USDT", "BTC-USDT",
	    NULL);
	ANSWERS_TARGET("kucoin", "/api/v1/market/allTickers", NULL);
	ANSWERS_TARGET("kucoin", "", "BTC_USDT", NULL);
	ANSWERS_TARGET("kucoin", "", "BTCUSDT", "ETHUSDT", NULL);
	ANSWERS_TARGET("kucoin", "", "", NULL);
	ANSWERS_TARGET("kucoin", "", "BTC/USDT", NULL);
	ANSWERS_TARGET("kucoin", "", "BTCUSDT&x=1", NULL);
	ANSWERS_TARGET("kucoin", "", "BTC,ETH", NULL);
	ANSWERS_TARGET("kucoin", "", "BTC%55SDT", NULL);
	ANSWERS_TARGET("kucoin", "", "B\xc3\x84USDT", NULL);
	ANSWERS_TARGET("kucoin", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
}

static void kucoin_prices(void **state)
{
	static const struct answer answers[] = {
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", K_LEVEL1("\"2.5\"")),
		FULL},
	    {"BTC-USDT", 200, K_ANSWER("200000", K_LEVEL1("\"2.5\"")), FULL},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", K_LEVEL1("null")),
		"- 2 3 " TIME},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", K_LEVEL1("\"0\"")),
		"no_price"},
	    {"BTC-USDT", 200,
		K_ANSWER("\"200000\"", K_ROW("BTC-USDT", "\"2.5\"")),
		"2.5 2 3 -"},
	    {"BTC-USDT", 200,
		K_UA("\"SPOT\"", K_UA_ROW("ETH-USDT") "," K_UA_ROW("BTC-USDT")),
		FULL},
	};
	static const char *const symbols[] = {
	    "BTC-USDT", "X-USDT", "ETH-USDT", "OLD-USDT", NULL};
	static const char *const gives[] = {FULL, "unknown_symbol",
	    "7.50 2 3 1700000000123", "- 2 3 1700000000123"};

	(void)state;
	ANSWERS_CHECK("kucoin", answers);
	answers_check_each("kucoin", symbols,
	    K_ALL(K_ROW("ETH-USDT", "\"7.50\"") "," K_ROW(
		"BTC-USDT", "\"2.5\"") "," K_ROW("OLD-USDT", "null")),
	    gives);
	answers_check_numbers("kucoin", "BTC-USDT",
	    "{\"code\":\"200000\",\"data\":{\"price\":", "}}");
	answers_check_numbers("kucoin", "BTC-USDT",
	    "{\"code\":\"200000\",\"data\":{\"ticker\":[{\"symbol\":"
	    "\"BTC-USDT\",\"last\":",
	    "}]}}");
}

static void kucoin_answers(void **state)
{
	static const char all[] = K_ALL(
	    K_ROW("ETH-USDT", "\"0\"") "," K_ROW("BTC-USDT", "\"2\""));
	static const struct answer answers[] = {
	    {"X-USDT", 200, K_ANSWER("\"200000\"", "null"), "unknown_symbol"},
	    {"X-USDT", 200, all, "unknown_symbol"},
	    /* the name after a change of it is not the symbol */
	    {"NEW-USDT", 200, all, "unknown_symbol"},
	    {"btc-usdt", 200, all, "unknown_symbol"},
	    {"ETH-USDT", 200, all, "no_price"},
	    {"X-USDT", 200, K_ALL(""), "unknown_symbol"},
	    {"X-USDT", 200, K_UA("\"SPOT\"", ""), "unknown_symbol"},
	    {"BTC-USDT", 200, K_UA("\"FUTURES\"", K_UA_ROW("BTC-USDT")),
		"unknown_symbol"},
	    {"BTC-USDT", 200, K_UA("null", K_UA_ROW("BTC-USDT")),
		"unknown_symbol"},
	    /* a single answer that does say whose it is */
	    {"ETH-USDT", 200,
		K_ANSWER(
		    "\"200000\"", "{\"symbol\":\"BTC-USDT\",\"price\":\"2\"}"),
		"unknown_symbol"},
	    {"ETH-USDT", 200,
		K_ANSWER("\"200000\"", K_ROW("BTC-USDT", "\"2\"")),
		"unknown_symbol"},
	    {"BTC-USDT", 200,
		K_ALL(
		    K_ROW("BTC-USDT", "\"2\"") "," K_ROW("BTC-USDT", "\"4\"")),
		"bad_body"},
	    {"BTC-USDT", 200, K_ALL("{\"last\":\"2\"}"), "bad_body"},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", "{}"), "bad_body"},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", "[]"), "bad_body"},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", "\"2\""), "bad_body"},
	    {"BTC-USDT", 200, K_ANSWER("\"200000\"", "{\"ticker\":null}"),
		"bad_body"},
	    {"BTC-USDT", 200, "{\"code\":\"200000\"}", "bad_body"},
	    {"BTC-USDT", 200, "[]", "bad_body"},
	    {"BTC-USDT", 200,
		K_ANSWER(
		    "\"200000\"", "{\"price\":\"2\",\"time\":\"\xc3\x84\"}"),
		"bad_body"},
	    /* a price beside a flag that is down, odd or not there */
	    {"BTC-USDT", 200, K_ANSWER("\"200001\"", K_LEVEL1("\"2\"")),
		"bad_request"},
	    {"BTC-USDT", 200, K_ANSWER("\"2000000\"", K_LEVEL1("\"2\"")),
		"bad_request"},
	    {"BTC-USDT", 200, K_ANSWER("\"429000\"", K_LEVEL1("\"2\"")),
		"rate_limited"},
	    {"BTC-USDT", 200, K_ANSWER("null", K_LEVEL1("\"2\"")), "bad_body"},
	    {"BTC-USDT", 200, "{\"data\":" K_LEVEL1("\"2\"") "}", "bad_body"},
	    {"BTC-USDT", 404, K_ANSWER("\"200000\"", K_LEVEL1("\"2\"")),
		"http_error"},
	};

	(void)state;
	ANSWERS_CHECK("kucoin", answers);
}

static void kucoin_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 200, K_SAYS("200003", "Invalid symbol."), "unknown_symbol"},
	    {"X", 200, K_SAYS("900001", "symbol not exists"), "unknown_symbol"},
	    {"X", 200, K_SAYS("400100", "Unsupported trading pair."),
		"unknown_symbol"},
	    {"X", 400, K_SAYS("400100", "Parameter error"), "bad_request"},
	    {"X", 200,
		K_SAYS("404000", "The contract information you requested does "
				 "not exist."),
		"unknown_symbol"},
	    {"X", 404, K_SAYS("404000", "URL Not Found"), "http_error"},
	    {"X", 404, K_SAYS("404", "Not Found"), "http_error"},
	    {"X", 404, K_SAYS("404", "not exist"), "http_error"},
	    {"X", 429, K_SAYS("429000", "Too Many Requests"), "rate_limited"},
	    {"X", 200, K_SAYS("429000", "Server busy"), "rate_limited"},
	    {"X", 200, K_SAYS("200002", "Too many requests in a short period"),
		"rate_limited"},
	    {"X", 200, K_SAYS("1", "Exceeded the access frequency"),
		"rate_limited"},
	    {"X", 429, "error code: 1015", "rate_limited"},
	    {"X", 403, "error code: 1020", "blocked"},
	    {"X", 200, "error code: 1015", "bad_body"},
	    {"X", 400, K_SAYS("400302", "unavailable in the U.S."),
		"geo_blocked"},
	    {"X", 200, K_SAYS("400500", "country/region not supported"),
		"geo_blocked"},
	    {"X", 400,
		K_SAYS("400001", "Please check the header of your "
				 "request for KC-API-KEY"),
		"auth"},
	    {"X", 200, K_SAYS("400006", "The IP address is not in the list"),
		"auth"},
	    {"X", 200, K_SAYS("408000", "Network timeout"), "timeout"},
	    {"X", 200, K_SAYS("500000", "Internal Server Error"),
		"server_error"},
	    {"X", 500, K_SAYS("1", "odd"), "server_error"},
	    {"X", 200, K_SAYS("1", "System maintenance"), "maintenance"},
	    {"X", 503, K_SAYS("503", "odd"), "maintenance"},
	    {"X", 404, "{}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("kucoin", answers);
}

/* ---- Bitget ---- */

#define T_ANSWER(code, data)                                      \
	"{\"code\":" code ",\"msg\":\"success\",\"requestTime\":" \
	"1800000000000,\"data\":" data "}"
#define T_ALL(rows) T_ANSWER("\"00000\"", "[" rows "]")
#define T_ROW(symbol, last)                                          \
	"{\"open\":\"1\",\"symbol\":\"" symbol "\",\"lastPr\":" last \
	",\"ts\":\"1700000000123\",\"bidPr\":\"2\",\"askPr\":\"3\"," \
	"\"bidSz\":\"9\",\"change24h\":\"-0.1\"}"
#define T_SAYS(code, words)                       \
	"{\"code\":\"" code "\",\"msg\":\"" words \
	"\",\"requestTime\":1800000000000,\"data\":null}"

static void bitget_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET("bitget", "/api/v2/spot/market/tickers?symbol=BTCUSDT",
	    "BTCUSDT", NULL);
	ANSWERS_TARGET("bitget", "/api/v2/spot/market/tickers", NULL);
	ANSWERS_TARGET("bitget", "", "BTC-USDT", NULL);
	ANSWERS_TARGET("bitget", "", "BTCUSDT", "ETHUSDT", NULL);
	ANSWERS_TARGET("bitget", "", "", NULL);
	ANSWERS_TARGET("bitget", "", "BTC/USDT", NULL);
	ANSWERS_TARGET("bitget", "", "BTCUSDT&x=1", NULL);
	ANSWERS_TARGET("bitget", "", "BTC,ETH", NULL);
	ANSWERS_TARGET("bitget", "", "BTC%55SDT", NULL);
	ANSWERS_TARGET("bitget", "", "B\xc3\x84USDT", NULL);
	ANSWERS_TARGET("bitget", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
}

/* The time is the row's, however much later the answer was given. */
static void bitget_prices(void **state)
{
	static const struct answer answers[] = {
	    {"BTCUSDT", 200, T_ALL(T_ROW("BTCUSDT", "\"2.5\"")), FULL},
	    {"BTCUSDT", 200, T_ALL(T_ROW("BTCUSDT", "\"0\"")), "no_price"},
	    {"BTCUSDT", 200, T_ALL(T_ROW("BTCUSDT", "\"x\"")), "bad_body"},
	    {"BTCUSDT", 200,
		T_ALL("{\"symbol\":\"BTCUSDT\",\"lastPr\":\"2.5\","
		      "\"ts\":null}"),
		"2.5 - - -"},
	};
	static const char *const symbols[] = {
	    "BTCUSDT", "XUSDT", "ETHUSDT", "OLDUSDT", NULL};
	static const char *const gives[] = {FULL, "unknown_symbol",
	    "7.50 2 3 1700000000123", "- 2 3 1700000000123"};

	(void)state;
	ANSWERS_CHECK("bitget", answers);
	answers_check_each("bitget", symbols,
	    T_ALL(T_ROW("ETHUSDT", "\"7.50\"") "," T_ROW(
		"BTCUSDT", "\"2.5\"") "," T_ROW("OLDUSDT", "null")),
	    gives);
	answers_check_numbers("bitget", "BTCUSDT",
	    "{\"code\":\"00000\",\"data\":[{\"symbol\":\"BTCUSDT\","
	    "\"lastPr\":",
	    "}]}");
}

static void bitget_answers(void **state)
{
	static const char all[] = T_ALL(
	    T_ROW("ETHUSDT", "\"0\"") "," T_ROW("BTCUSDT", "\"2\""));
	static const struct answer answers[] = {
	    {"XUSDT", 200, all, "unknown_symbol"},
	    {"btcusdt", 200, all, "unknown_symbol"},
	    {"ETHUSDT", 200, all, "no_price"},
	    {"XUSDT", 200, T_ALL(""), "unknown_symbol"},
	    /* an old last beside a book of zeros */
	    {"BTCUSDT", 200,
		T_ALL("{\"symbol\":\"BTCUSDT\",\"lastPr\":\"2\","
		      "\"bidPr\":\"0\",\"askPr\":\"0\"}"),
		"no_price"},
	    /* `last` was the name before v2 */
	    {"BTCUSDT", 200, T_ALL("{\"symbol\":\"BTCUSDT\",\"last\":\"2\"}"),
		"bad_body"},
	    {"BTCUSDT", 200, T_ALL("{\"lastPr\":\"2\"}"), "bad_body"},
	    {"BTCUSDT", 200,
		T_ALL(T_ROW("BTCUSDT", "\"2\"") "," T_ROW("BTCUSDT", "\"4\"")),
		"bad_body"},
	    {"BTCUSDT", 200, T_ANSWER("\"00000\"", T_ROW("BTCUSDT", "\"2\"")),
		"bad_body"},
	    {"BTCUSDT", 200, T_ANSWER("\"00000\"", "null"), "bad_body"},
	    {"BTCUSDT", 200, "{\"code\":\"00000\"}", "bad_body"},
	    {"BTCUSDT", 200, "[]", "bad_body"},
	    {"BTCUSDT", 200,
		T_ALL("{\"symbol\":\"BTCUSDT\",\"lastPr\":\"2\","
		      "\"ts\":\"1.7e12\"}"),
		"bad_body"},
	    {"BTCUSDT", 200,
		T_ALL("{\"symbol\":\"BTCUSDT\",\"lastPr\":\"2\","
		      "\"ts\":\"0\"}"),
		"bad_body"},
	    /* a price beside a flag that is down, odd or not there */
	    {"BTCUSDT", 200,
		T_ANSWER("\"40034\"", "[" T_ROW("BTCUSDT", "\"2\"") "]"),
		"unknown_symbol"},
	    {"BTCUSDT", 200,
		T_ANSWER("\"0\"", "[" T_ROW("BTCUSDT", "\"2\"") "]"),
		"bad_request"},
	    {"BTCUSDT", 200, T_ANSWER("0", "[" T_ROW("BTCUSDT", "\"2\"") "]"),
		"bad_request"},
	    {"BTCUSDT", 200,
		T_ANSWER("null", "[" T_ROW("BTCUSDT", "\"2\"") "]"),
		"bad_body"},
	    {"BTCUSDT", 200, "{\"data\":[" T_ROW("BTCUSDT", "\"2\"") "]}",
		"bad_body"},
	    {"BTCUSDT", 404, all, "http_error"},
	    {"BTCUSDT", 400, all, "http_error"},
	    {"BTCUSDT", 500, all, "server_error"},
	};

	(void)state;
	ANSWERS_CHECK("bitget", answers);
}

static void bitget_errors(void **state)
{
	static const struct answer answers[] = {
	    {"NOPEUSDT", 400,
		T_SAYS("40034", "Parameter NOPEUSDT does not exist"),
		"unknown_symbol"},
	    {"NOPEUSDT", 400,
		T_SAYS("25100", "Trading pair NOPEUSDT does not exist"),
		"unknown_symbol"},
	    {"NOPEUSDT", 400, T_SAYS("40309", "The symbol has been removed"),
		"unknown_symbol"},
	    {"NOPEUSDT", 400,
		T_SAYS("40019", "Parameter NOPEUSDT cannot be empty"),
		"unknown_symbol"},
	    {"NOPEUSDT", 400,
		T_SAYS("40019", "Parameter NOPE-FUTURES cannot be empty"),
		"bad_request"},
	    {"X", 400, T_SAYS("40017", "odd"), "bad_request"},
	    {"X", 400, T_SAYS("4003", "odd"), "bad_request"},
	    {"X", 400, T_SAYS("400340", "odd"), "bad_request"},
	    {"X", 400, T_SAYS("", "odd"), "bad_request"},
	    {"X", 429, T_SAYS("429", "Too Many Requests"), "rate_limited"},
	    {"X", 200, T_SAYS("429", ""), "rate_limited"},
	    {"X", 400, T_SAYS("30007", "request over limit"), "rate_limited"},
	    {"X", 200, "{\"code\":429,\"msg\":\"\"}", "rate_limited"},
	    {"X", 400, T_SAYS("40200", "Server upgrade"), "maintenance"},
	    {"X", 200,
		T_SAYS("41114", "The current trading pair is under "
				"maintenance"),
		"maintenance"},
	    {"X", 400, T_SAYS("40725", "service return an error"),
		"server_error"},
	    {"X", 200, T_SAYS("40015", "System is abnormal"), "server_error"},
	    {"X", 500, T_SAYS("1", "odd"), "server_error"},
	    {"X", 400, T_SAYS("40010", "Request timed out"), "timeout"},
	    {"X", 400, T_SAYS("40006", "Invalid ACCESS_KEY"), "auth"},
	    {"X", 400, T_SAYS("40018", "Invalid IP"), "auth"},
	    {"X", 400, T_SAYS("40024", "a regional currency"), "geo_blocked"},
	    {"X", 404, T_SAYS("40404", "Request URL NOT FOUND"), "http_error"},
	    {"X", 200, T_SAYS("40404", "Request URL NOT FOUND"), "http_error"},
	    {"X", 403, T_SAYS("403", "odd"), "blocked"},
	    {"X", 404, "{}", "http_error"},
	    {"X", 400, "{\"code\":[]}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("bitget", answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kucoin_targets),
	    cmocka_unit_test(kucoin_prices),
	    cmocka_unit_test(kucoin_answers),
	    cmocka_unit_test(kucoin_errors),
	    cmocka_unit_test(bitget_targets),
	    cmocka_unit_test(bitget_prices),
	    cmocka_unit_test(bitget_answers),
	    cmocka_unit_test(bitget_errors),
	};

	return cmocka_run_group_tests_name(
	    "adapters_kucoin_bitget", tests, NULL, NULL);
}
