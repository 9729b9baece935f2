/*
 * adapters: Crypto.com and OKX, each answer form and error that they document,
 * and what must not pass for a price. The bodies are our own; recorded ones are
 * read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define C_CODE(code) \
	"{\"id\":-1,\"method\":\"public/get-tickers\",\"code\":" code "}"
#define C_DATA(rows) "{\"id\":-1,\"code\":0,\"result\":{\"data\":[" rows "]}}"
#define C_ROW(name)                                                   \
	"{\"i\":\"" name "\",\"h\":\"9\",\"l\":\"1\",\"a\":\"2.50\"," \
	"\"v\":\"7\",\"b\":\"2\",\"k\":\"3\",\"oi\":\"0\",\"t\":1700000000000}"
#define C_GIVES "2.50 2 3 1700000000000"

static void cryptocom_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 400, C_CODE("40004"), "unknown_symbol"},
	    {"X", 400, C_CODE("\"40004\""), "unknown_symbol"},
	    {"X", 200, C_CODE("40004"), "unknown_symbol"},
	    {"X", 400, C_CODE("209"), "unknown_symbol"},
	    {"X", 500, C_CODE("206"), "unknown_symbol"},
	    {"X", 400, C_CODE("30003"), "unknown_symbol"},
	    {"X", 200, C_CODE("40401"), "unknown_symbol"},
	    {"X", 400, C_CODE("207"), "no_price"},
	    {"X", 400, C_CODE("208"), "no_price"},
	    {"X", 500, C_CODE("309"), "no_price"},
	    {"X", 429, C_CODE("42901"), "rate_limited"},
	    {"X", 200, C_CODE("42901"), "rate_limited"},
	    {"X", 400, C_CODE("\"10006\""), "rate_limited"},
	    {"X", 400, "{\"code\":7,\"message\":\"RATE_LIMIT\"}",
		"rate_limited"},
	    {"X", 408, C_CODE("40801"), "timeout"},
	    {"X", 200, C_CODE("40801"), "timeout"},
	    {"X", 503, C_CODE("9010001"), "maintenance"},
	    {"X", 200, C_CODE("9010001"), "maintenance"},
	    {"X", 400, "{\"code\":7,\"message\":\"SYSTEM_MAINTENANCE\"}",
		"maintenance"},
	    {"X", 400, C_CODE("50001"), "server_error"},
	    {"X", 200, C_CODE("\"10001\""), "server_error"},
	    {"X", 401, C_CODE("40101"), "auth"},
	    {"X", 400, C_CODE("40102"), "auth"},
	    {"X", 400, C_CODE("40103"), "auth"},
	    {"X", 400, C_CODE("40104"), "auth"},
	    {"X", 400, C_CODE("10002"), "auth"},
	    {"X", 400, C_CODE("10003"), "auth"},
	    {"X", 400, C_CODE("10005"), "auth"},
	    {"X", 400, C_CODE("10007"), "auth"},
	    {"X", 400, C_CODE("40001"), "bad_request"},
	    {"X", 400, C_CODE("40002"), "bad_request"},
	    {"X", 400, C_CODE("40003"), "bad_request"},
	    {"X", 200, C_CODE("-1"), "bad_request"},
	    {"X", 500, C_CODE("40001"), "server_error"},
	    {"X", 404, C_CODE("7"), "http_error"},
	    {"X", 403, C_CODE("7"), "blocked"},
	    /* no code, or not one */
	    {"X", 404, C_CODE("0"), "http_error"},
	    {"X", 404, "{}", "http_error"},
	    {"X", 404, "[]", "http_error"},
	    {"X", 500, C_CODE("null"), "server_error"},
	    {"X", 200, C_CODE("null"), "bad_body"},
	    {"X", 200, C_CODE("\"\""), "bad_body"},
	    {"X", 200, C_CODE("0.0"), "bad_body"},
	    {"X", 200, C_CODE("false"), "bad_body"},
	    {"X", 200, C_CODE("99999999999999999999"), "bad_body"},
	    /* a price beside the failure, or beside a status that is one */
	    {"X", 200,
		"{\"code\":50001,\"result\":{\"data\":[" C_ROW("X") "]}}",
		"server_error"},
	    {"X", 200, "{\"result\":{\"data\":[" C_ROW("X") "]}}", "bad_body"},
	    {"X", 400, C_DATA(C_ROW("X")), "http_error"},
	    {"X", 500, C_DATA(C_ROW("X")), "server_error"},
	};

	(void)state;
	ANSWERS_CHECK("cryptocom", answers);
}

#define C_ONE(a, b, k) \
	C_DATA("{\"i\":\"X\",\"a\":" a ",\"b\":" b ",\"k\":" k "}")
#define C_TIME(t) C_DATA("{\"i\":\"X\",\"a\":\"1\",\"t\":" t "}")

static void cryptocom_tickers(void **state)
{
	static const struct answer answers[] = {
	    {"BTC_USD", 200, C_DATA(C_ROW("BTC_USD")), C_GIVES},
	    {"BTCUSD-PERP", 200, C_DATA(C_ROW("X") "," C_ROW("BTCUSD-PERP")),
		C_GIVES},
	    {"X", 200,
		"{\"code\":\"0\",\"result\":{\"data\":[" C_ROW("X") "]}}",
		C_GIVES},
	    /* v2: one row, and numbers */
	    {"X", 200,
		"{\"code\":0,\"result\":{\"instrument_name\":\"X\",\"data\":"
		"{\"i\":\"X\",\"b\":2,\"k\":3,\"a\":2.50,\"t\":17}}}",
		"2.50 2 3 17"},
	    {"X", 200, C_ONE("\"2\"", "null", "null"), "2 - - -"},
	    {"X", 200, C_ONE("\"2\"", "\"1\"", "null"), "2 1 - -"},
	    {"X", 200, C_ONE("null", "\"1\"", "\"3\""), "- 1 3 -"},
	    {"X", 200, C_ONE("null", "null", "null"), "no_price"},
	    {"X", 200, C_ONE("\"0\"", "\"1\"", "\"3\""), "no_price"},
	    {"X", 200, C_ONE("\"2\"", "\"-1\"", "\"3\""), "no_price"},
	    {"X", 200, C_ONE("\"2\"", "\"NaN\"", "\"3\""), "bad_body"},
	    {"X", 200, C_ONE("\"2\"", "\"1\"", "\"many\""), "bad_body"},
	    {"X", 200, C_DATA("{\"i\":\"X\"}"), "bad_body"},
	    {"X", 200, C_TIME("null"), "1 - - -"},
	    {"X", 200, C_TIME("\"1700000000000\""), "1 - - 1700000000000"},
	    {"X", 200, C_TIME("0"), "bad_body"},
	    {"X", 200, C_TIME("1.5"), "bad_body"},
	    {"X", 200, C_TIME("1700000000000000"), "bad_body"},
	    /* another instrument, twice the same, no instrument */
	    {"Y", 200, C_DATA(C_ROW("X")), "unknown_symbol"},
	    {"x", 200, C_DATA(C_ROW("X")), "unknown_symbol"},
	    {"BTC_USD", 200, C_DATA(C_ROW("BTC_USDT")), "unknown_symbol"},
	    {"X", 200, C_DATA(""), "no_price"},
	    {"X", 200, C_DATA(C_ROW("X") "," C_ROW("X")), C_GIVES},
	    {"X", 200, C_DATA(C_ROW("X") ",{\"i\":\"X\",\"a\":\"2.50\"}"),
		"bad_body"},
	    {"X", 200, C_DATA("{\"a\":\"1\"}"), "bad_body"},
	    {"X", 200, C_DATA("{\"i\":7,\"a\":\"1\"}"), "bad_body"},
	    {"7", 200, C_DATA("{\"i\":7,\"a\":\"1\"}"), "bad_body"},
	    {"X", 200, C_DATA("null"), "bad_body"},
	    {"X", 200, "{\"code\":0,\"result\":{\"data\":null}}", "bad_body"},
	    {"X", 200, "{\"code\":0,\"result\":[]}", "bad_body"},
	    {"X", 200, "{\"code\":0}", "bad_body"},
	    {"X", 200, "[" C_ROW("X") "]", "bad_body"},
	    {"X", 200, "", "bad_body"},
	    {"X", 200, C_DATA(C_ROW("X")) "}", "bad_body"},
	};
	static const char *const symbols[] = {
	    "ETH_USD", "NOPE", "BTC_USD", "A_B", NULL};
	static const char *const gives[] = {
	    C_GIVES, "unknown_symbol", C_GIVES, "no_price"};

	(void)state;
	ANSWERS_CHECK("cryptocom", answers);
	answers_check_each("cryptocom", symbols,
	    C_DATA(C_ROW("BTC_USD") ",{\"i\":\"A_B\",\"a\":null}," C_ROW(
		"ETH_USD")),
	    gives);
	answers_check_numbers("cryptocom", "X",
	    "{\"code\":0,\"result\":{\"data\":[{\"i\":\"X\",\"a\":",
	    ",\"b\":null,\"k\":null}]}}");
}

#define C_PATH "/exchange/v1/public/get-tickers"

static void cryptocom_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET(
	    "cryptocom", C_PATH "?instrument_name=BTC_USD", "BTC_USD", NULL);
	ANSWERS_TARGET("cryptocom", C_PATH "?instrument_name=BTCUSD-PERP",
	    "BTCUSD-PERP", NULL);
	ANSWERS_TARGET("cryptocom", C_PATH, NULL);
	ANSWERS_TARGET("cryptocom", "", "BTC_USD", "ETH_USD", NULL);
	ANSWERS_TARGET("cryptocom", "", "", NULL);
	ANSWERS_TARGET("cryptocom", "", "BTC/USD", NULL);
	ANSWERS_TARGET("cryptocom", "", "BTC_USD&x=1", NULL);
	ANSWERS_TARGET("cryptocom", "", "BTC_USD ", NULL);
	ANSWERS_TARGET(
	    "cryptocom", "", "A123456789012345678901234567890_", NULL);
}

#define O_CODE(code) "{\"code\":" code ",\"msg\":\"words\",\"data\":[]}"
#define O_DATA(rows) "{\"code\":\"0\",\"msg\":\"\",\"data\":[" rows "]}"
#define O_ROW(name)                                                         \
	"{\"instType\":\"SPOT\",\"instId\":\"" name "\",\"last\":\"2.50\"," \
	"\"lastSz\":\"9\",\"askPx\":\"3\",\"askSz\":\"9\",\"bidPx\":\"2\"," \
	"\"bidSz\":\"9\",\"ts\":\"1700000000000\"}"
#define O_GIVES "2.50 2 3 1700000000000"

static void okx_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 200, O_CODE("\"51001\""), "unknown_symbol"},
	    {"X", 200, O_CODE("51001"), "unknown_symbol"},
	    {"X", 400, O_CODE("\"51001\""), "unknown_symbol"},
	    {"X", 200, O_CODE("\"51014\""), "unknown_symbol"},
	    {"X", 200, O_CODE("\"51021\""), "unknown_symbol"},
	    {"X", 200, O_CODE("\"51027\""), "unknown_symbol"},
	    {"X", 200, O_CODE("\"51087\""), "unknown_symbol"},
	    {"X", 200, O_CODE("\"50011\""), "rate_limited"},
	    {"X", 429, "{\"msg\":\"Too Many Requests\",\"code\":\"50011\"}",
		"rate_limited"},
	    {"X", 200, O_CODE("\"50040\""), "rate_limited"},
	    {"X", 200, O_CODE("\"50061\""), "rate_limited"},
	    {"X", 429, O_CODE("\"50013\""), "rate_limited"},
	    {"X", 200, O_CODE("\"50013\""), "server_error"},
	    {"X", 500, O_CODE("\"50013\""), "server_error"},
	    {"X", 500, O_CODE("\"50026\""), "server_error"},
	    {"X", 200, O_CODE("\"50026\""), "server_error"},
	    {"X", 200, O_CODE("\"1\""), "server_error"},
	    {"X", 400, O_CODE("\"50004\""), "timeout"},
	    {"X", 503, O_CODE("\"50001\""), "maintenance"},
	    {"X", 200, O_CODE("\"50001\""), "maintenance"},
	    {"X", 410, O_CODE("\"50005\""), "maintenance"},
	    {"X", 200, O_CODE("\"50046\""), "maintenance"},
	    {"X", 200, O_CODE("\"50062\""), "maintenance"},
	    {"X", 200, O_CODE("\"50051\""), "geo_blocked"},
	    {"X", 200, O_CODE("\"50052\""), "geo_blocked"},
	    {"X", 200, O_CODE("\"50121\""), "blocked"},
	    {"X", 401, O_CODE("\"50103\""), "auth"},
	    {"X", 400, O_CODE("\"50100\""), "auth"},
	    {"X", 200, O_CODE("\"50120\""), "auth"},
	    {"X", 405, O_CODE("\"50115\""), "bad_request"},
	    {"X", 400, O_CODE("\"50014\""), "bad_request"},
	    {"X", 400, O_CODE("\"51000\""), "bad_request"},
	    {"X", 200, O_CODE("\"59999\""), "bad_request"},
	    {"X", 500, O_CODE("\"50014\""), "server_error"},
	    /* the code decides, not the words */
	    {"X", 200, "{\"code\":\"50014\",\"msg\":\"rate limit is empty\"}",
		"bad_request"},
	    /* the gateway's */
	    {"X", 404, "{\"msg\":\"Not Found\",\"code\":404}", "http_error"},
	    {"X", 400, "{\"msg\":\"Too Many Requests\",\"code\":7}",
		"rate_limited"},
	    {"X", 404, "<html>", "http_error"},
	    {"X", 404, "{}", "http_error"},
	    {"X", 404, O_CODE("\"0\""), "http_error"},
	    {"X", 403, O_CODE("\"50035\""), "blocked"},
	    {"X", 451, "", "geo_blocked"},
	    {"X", 504, O_CODE("\"1\""), "timeout"},
	    {"X", 200, O_CODE("\"51008_1000\""), "bad_body"},
	    {"X", 200, O_CODE("\"\""), "bad_body"},
	    {"X", 200, O_CODE("null"), "bad_body"},
	    {"X", 200, O_CODE("\"00\""), "bad_body"},
	    {"X", 200, O_CODE("true"), "bad_body"},
	    /* a price beside the failure, or beside a status that is one */
	    {"X", 200, "{\"code\":\"50011\",\"data\":[" O_ROW("X") "]}",
		"rate_limited"},
	    {"X", 200, "{\"data\":[" O_ROW("X") "]}", "bad_body"},
	    {"X", 400, O_DATA(O_ROW("X")), "http_error"},
	    {"X", 500, O_DATA(O_ROW("X")), "server_error"},
	};

	(void)state;
	ANSWERS_CHECK("okx", answers);
}

#define O_ONE(last, bid, ask)                                       \
	O_DATA("{\"instId\":\"X\",\"last\":" last ",\"bidPx\":" bid \
	       ",\"askPx\":" ask "}")
#define O_TIME(ts) O_DATA("{\"instId\":\"X\",\"last\":\"1\",\"ts\":" ts "}")

static void okx_tickers(void **state)
{
	static const struct answer answers[] = {
	    {"BTC-USDT", 200, O_DATA(O_ROW("BTC-USDT")), O_GIVES},
	    {"X", 200, "{\"data\":[" O_ROW("X") "],\"msg\":\"\",\"code\":0}",
		O_GIVES},
	    {"X", 200,
		O_DATA("{\"instId\":\"X\",\"idxPx\":\"103895\",\"ts\":\"17\"}"),
		"103895 - - 17"},
	    {"X", 200,
		O_DATA("{\"instId\":\"X\",\"idxPx\":\"9\",\"last\":\"2\"}"),
		"2 - - -"},
	    {"X", 200, O_ONE("\"2\"", "\"\"", "\"\""), "2 - - -"},
	    {"X", 200, O_ONE("\"\"", "\"1\"", "\"3\""), "- 1 3 -"},
	    {"X", 200, O_ONE("\"\"", "\"\"", "\"\""), "no_price"},
	    {"X", 200, O_ONE("\"0\"", "\"1\"", "\"3\""), "no_price"},
	    {"X", 200, O_ONE("\"2\"", "\"1\"", "\"-3\""), "no_price"},
	    {"X", 200, O_ONE("\"2\"", "\"1\"", "\"3,0\""), "bad_body"},
	    {"X", 200, O_ONE("\"2\"", "{}", "\"3\""), "bad_body"},
	    {"X", 200, O_DATA("{\"instId\":\"X\"}"), "bad_body"},
	    {"X", 200, O_TIME("\"\""), "1 - - -"},
	    {"X", 200, O_TIME("1700000000000"), "1 - - 1700000000000"},
	    {"X", 200, O_TIME("\"0\""), "bad_body"},
	    {"X", 200, O_TIME("\"2023-11-14T22:13:20Z\""), "bad_body"},
	    {"X", 200, O_TIME("\"1700000000000000\""), "bad_body"},
	    /* another instrument, twice the same, no instrument */
	    {"Y", 200, O_DATA(O_ROW("X")), "unknown_symbol"},
	    {"x", 200, O_DATA(O_ROW("X")), "unknown_symbol"},
	    {"BTC-USD", 200, O_DATA(O_ROW("BTC-USD-SWAP")), "unknown_symbol"},
	    {"X", 200, O_DATA(""), "no_price"},
	    {"X", 200, O_DATA(O_ROW("X") "," O_ROW("X")), O_GIVES},
	    {"X", 200,
		O_DATA(O_ROW("X") ",{\"instId\":\"X\",\"last\":\"2.50\"}"),
		"bad_body"},
	    {"X", 200, O_DATA("{\"last\":\"1\"}"), "bad_body"},
	    {"X", 200, O_DATA("{\"instId\":null,\"last\":\"1\"}"), "bad_body"},
	    {"X", 200, O_DATA("[]"), "bad_body"},
	    {"X", 200, "{\"code\":\"0\",\"data\":" O_ROW("X") "}", "bad_body"},
	    {"X", 200, "{\"code\":\"0\",\"data\":null}", "bad_body"},
	    {"X", 200, "{\"code\":\"0\"}", "bad_body"},
	    {"X", 200, "[" O_ROW("X") "]", "bad_body"},
	    {"X", 200, "null", "bad_body"},
	    {"X", 200, "{\"code\":\"0\",\"code\":\"0\",\"data\":[]}",
		"bad_body"},
	};
	static const char *const symbols[] = {
	    "ETH-USD", "NOPE-USD", "BTC-USD", "A-B", NULL};
	static const char *const gives[] = {
	    O_GIVES, "unknown_symbol", O_GIVES, "no_price"};

	(void)state;
	ANSWERS_CHECK("okx", answers);
	answers_check_each("okx", symbols,
	    O_DATA(O_ROW("BTC-USD") "," O_ROW("ETH-USD") ",{\"instId\":"
							 "\"A-B\",\"last\":"
							 "\"0\"}"),
	    gives);
	answers_check_numbers("okx", "X",
	    "{\"code\":\"0\",\"data\":[{\"instId\":\"X\",\"last\":",
	    ",\"bidPx\":\"\",\"askPx\":\"\"}]}");
}

#define O_PATH "/api/v5/market/"

static void okx_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET(
	    "okx", O_PATH "ticker?instId=BTC-USDT", "BTC-USDT", NULL);
	ANSWERS_TARGET("okx", O_PATH "tickers?instType=SPOT", NULL);
	ANSWERS_TARGET("okx", "", "BTC-USDT", "ETH-USDT", NULL);
	ANSWERS_TARGET("okx", "", "", NULL);
	ANSWERS_TARGET("okx", "", "BTC/USDT", NULL);
	ANSWERS_TARGET("okx", "", "BTC-USDT&instType=SWAP", NULL);
	ANSWERS_TARGET("okx", "", "BTC-USDT#", NULL);
	ANSWERS_TARGET("okx", "", "A12345678901234567890123456789-B", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cryptocom_errors),
	    cmocka_unit_test(cryptocom_tickers),
	    cmocka_unit_test(cryptocom_targets),
	    cmocka_unit_test(okx_errors),
	    cmocka_unit_test(okx_tickers),
	    cmocka_unit_test(okx_targets),
	};

	return cmocka_run_group_tests_name(
	    "adapters_cryptocom_okx", tests, NULL, NULL);
}
