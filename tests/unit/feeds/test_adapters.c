/*
 * adapters: what the errors and rows of Coinbase Exchange, Kraken and Bitstamp
 * mean. The bodies are our own, in the form that the exchanges document;
 * recorded ones are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define C_SAYS(words) "{\"message\":\"" words "\"}"

static void coinbase_exchange_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 404, C_SAYS("NotFound"), "unknown_symbol"},
	    {"X", 404, C_SAYS("Not Found"), "http_error"},
	    {"X", 404, C_SAYS("Route not found"), "http_error"},
	    {"X", 404, C_SAYS("Not allowed for delisted products"),
		"unknown_symbol"},
	    {"X", 400, C_SAYS("Not allowed for delisted products"),
		"unknown_symbol"},
	    {"X", 400, C_SAYS("product_id is not a valid product"),
		"unknown_symbol"},
	    {"X", 429, C_SAYS("Public rate limit exceeded"), "rate_limited"},
	    {"X", 400, C_SAYS("Public rate limit exceeded"), "rate_limited"},
	    {"X", 200, C_SAYS("Public rate limit exceeded"), "rate_limited"},
	    {"X", 400, C_SAYS("Invalid API Key"), "auth"},
	    {"X", 400, C_SAYS("invalid signature"), "auth"},
	    {"X", 400, C_SAYS("Unsupported granularity"), "bad_request"},
	    {"X", 200, C_SAYS("odd"), "bad_request"},
	    {"X", 500, C_SAYS("Internal server error"), "server_error"},
	    {"X", 500, C_SAYS("odd"), "server_error"},
	    {"X", 500, C_SAYS("under maintenance"), "maintenance"},
	    {"X", 403, C_SAYS("Forbidden"), "blocked"},
	};

	(void)state;
	ANSWERS_CHECK("coinbase_exchange", answers);
}

static void coinbase_exchange_answers(void **state)
{
	static const char all[] =
	    "{\"ETH-USD\":{\"stats_24hour\":{\"last\":\"2\"}},"
	    "\"BTC-USD\":{\"stats_24hour\":{\"last\":\"3\"},"
	    "\"stats_30day\":{\"volume\":\"1\"}}}";
	static const struct answer answers[] = {
	    {"BTC-USD", 200, "{\"last\":\"3\",\"volume\":\"1\"}", "3 - - -"},
	    {"BTC-USD", 200, all, "3 - - -"},
	    {"LTC-USD", 200, all, "unknown_symbol"},
	    {"BTC-USD", 200, "{\"BTC-USD\":{}}", "bad_body"},
	    {"BTC-USD", 200, "{}", "bad_body"},
	    {"BTC-USD", 200, "[]", "bad_body"},
	    {"BTC-USD", 200, "{\"volume\":\"1\"}", "bad_body"},
	    {"BTC-USD", 200, "{\"price\":\"0\",\"bid\":\"1\",\"ask\":\"2\"}",
		"no_price"},
	    {"BTC-USD", 200, "{\"price\":\"1\",\"time\":null}", "1 - - -"},
	    {"BTC-USD", 200, "{\"price\":\"1\",\"time\":1700000000}",
		"bad_body"},
	    {"BTC-USD", 200,
		"{\"price\":\"1\",\"time\":\"2023-02-30T00:00:00Z\"}",
		"bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("coinbase_exchange", answers);
}

#define K_ROW(last)   "{\"a\":[\"3\"],\"b\":[\"1\"],\"c\":[\"" last "\",\"9\"]}"
#define K_SAYS(words) "{\"error\":[\"" words "\"]}"

static void kraken_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 200, K_SAYS("EQuery:Unknown asset pair"), "unknown_symbol"},
	    {"X", 200, K_SAYS("EQuery:Invalid asset pair"), "unknown_symbol"},
	    {"X", 200, K_SAYS("EQuery:Unknown asset"), "unknown_symbol"},
	    {"X", 404, K_SAYS("EQuery:Unknown asset pair"), "unknown_symbol"},
	    {"X", 200, K_SAYS("EGeneral:Too many requests"), "rate_limited"},
	    {"X", 200, K_SAYS("EAPI:Rate limit exceeded"), "rate_limited"},
	    {"X", 200, K_SAYS("EService: Throttled: 1700000000"),
		"rate_limited"},
	    {"X", 200, K_SAYS("EGeneral:Temporary lockout"), "rate_limited"},
	    {"X", 200, K_SAYS("EGeneral:Invalid arguments"), "bad_request"},
	    {"X", 200, K_SAYS("EGeneral:Invalid arguments:pair"),
		"bad_request"},
	    {"X", 200, K_SAYS("EGeneral:Unknown method"), "bad_request"},
	    {"X", 200, K_SAYS("EService:Unavailable"), "maintenance"},
	    {"X", 500, K_SAYS("EService:Unavailable"), "maintenance"},
	    {"X", 520, K_SAYS("EService:Busy"), "maintenance"},
	    {"X", 200, K_SAYS("EService:Market in cancel_only mode"),
		"maintenance"},
	    {"X", 200, K_SAYS("EService:Deadline elapsed"), "timeout"},
	    {"X", 200, K_SAYS("EGeneral:Internal error"), "server_error"},
	    {"X", 500, K_SAYS("EGeneral:Invalid arguments"), "server_error"},
	    {"X", 200, K_SAYS("EAPI:Invalid key"), "auth"},
	    {"X", 200, K_SAYS("EGeneral:Permission denied"), "auth"},
	    {"X", 200, K_SAYS("ENew:Nobody has seen this"), "bad_request"},
	    {"X", 200, "{\"error\":[5]}", "bad_body"},
	    {"X", 200, "{\"error\":\"EService:Unavailable\"}", "bad_body"},
	    {"X", 400, "{\"error\":\"bad\"}", "http_error"},
	    {"X", 404, "{\"error\":[]}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("kraken", answers);
}

static void kraken_answers(void **state)
{
	static const struct answer answers[] = {
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XETHZUSD\":" K_ROW(
		    "5") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		"2 1 3 -"},
	    {"BTC/USD", 200,
		"{\"error\":[],\"result\":{\"XETHZUSD\":" K_ROW(
		    "5") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		"2 1 3 -"},
	    {"ETH/USD", 200,
		"{\"error\":[],\"result\":{\"XETHZUSD\":" K_ROW(
		    "5") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		"5 1 3 -"},
	    /* the error is about another pair */
	    {"XBTUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		"2 1 3 -"},
	    {"NOPEUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		"unknown_symbol"},
	    {"XBTUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\","
		"\"EGeneral:Too many requests\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		"rate_limited"},
	    {"XBTUSD", 200,
		"{\"error\":[\"WGeneral:Deprecated\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		"2 1 3 -"},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XXBTZUSD\":" K_ROW("0.000") "}}",
		"no_price"},
	    {"ETHUSD", 200,
		"{\"error\":[],\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		"unknown_symbol"},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{}}", "unknown_symbol"},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"BTC/USD\":" K_ROW(
		    "2") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		"bad_body"},
	    {"XBTUSD", 200, "{\"error\":[]}", "bad_body"},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":[]}", "bad_body"},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":null}", "bad_body"},
	    {"XBTUSD", 200, "{\"result\":{\"XBTUSD\":" K_ROW("2") "}}",
		"bad_body"},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{\"XBTUSD\":[]}}",
		"bad_body"},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{\"XBTUSD\":{}}}",
		"bad_body"},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XBTUSD\":{\"c\":\"2\"}}}",
		"bad_body"},
	    {"XBTUSD", 200, "[]", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("kraken", answers);
}

#define S_ROW(pair, last) "{\"pair\":\"" pair "\",\"last\":\"" last "\"}"

static void bitstamp_errors(void **state)
{
	static const struct answer answers[] = {
	    /* whatever else it says */
	    {"btcusd", 200, "{\"last\":\"3\",\"code\":\"odd\"}", "bad_request"},
	    {"btcusd", 200, "{\"last\":\"3\",\"status\":\"error\"}",
		"bad_request"},
	    {"btcusd", 200, "{\"last\":\"3\",\"reason\":null}", "bad_request"},
	    {"x", 400, "{\"response_code\":\"400.002\"}", "rate_limited"},
	    {"x", 200,
		"{\"response_code\":\"400.002\",\"response_explanation\":\"-\"}",
		"rate_limited"},
	    {"x", 400, "{\"code\":\"400.067\",\"error\":\"Request rejected\"}",
		"rate_limited"},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":\"Rate limit exceeded\"}",
		"rate_limited"},
	    {"x", 404,
		"{\"status\":\"error\",\"reason\":\"Invalid currency pair\"}",
		"unknown_symbol"},
	    {"x", 404, "{\"code\":\"404.001\",\"error\":\"Market not found\"}",
		"unknown_symbol"},
	    {"x", 404, "{\"status\":\"error\",\"reason\":\"Not found\"}",
		"http_error"},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":{\"__all__\":[\"x\"]}}",
		"bad_request"},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":\"Invalid signature\","
		"\"code\":\"API0005\"}",
		"auth"},
	    {"x", 200,
		"{\"status\":\"error\",\"reason\":\"Under maintenance\"}",
		"maintenance"},
	    {"x", 500, "{\"error\":\"Internal server error\"}", "server_error"},
	    {"x", 500, "{\"error\":\"something\"}", "server_error"},
	    {"x", 500, "{\"error\":\"Service Unavailable\"}", "server_error"},
	    {"x", 404, "{}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("bitstamp", answers);
}

static void bitstamp_answers(void **state)
{
	static const char all[] = "[" S_ROW("ETH/USD", "2") "," S_ROW(
	    "BTC/USD", "3") "," S_ROW("BTC/USD-PERP", "4") "]";
	static const struct answer answers[] = {
	    {"btcusd", 200, "{\"last\":\"3\"}", "3 - - -"},
	    {"btcusd", 200, S_ROW("BTC/USD", "3"), "3 - - -"},
	    {"BTC/USD", 200, S_ROW("BTC/USD", "3"), "3 - - -"},
	    {"btcusd", 200, S_ROW("BTC/USD-PERP", "3"), "unknown_symbol"},
	    {"ethusd", 200, S_ROW("BTC/USD", "3"), "unknown_symbol"},
	    {"B/TCUSD", 200, S_ROW("BTC/USD", "3"), "unknown_symbol"},
	    {"btcusd", 200, all, "3 - - -"},
	    {"btcusd-perp", 200, all, "4 - - -"},
	    {"BTC/USD-PERP", 200, all, "4 - - -"},
	    {"fooxyz", 200, all, "unknown_symbol"},
	    {"btc", 200, all, "unknown_symbol"},
	    {"btcusd", 200, "[]", "unknown_symbol"},
	    {"btcusd", 200, "{\"pair\":5,\"last\":\"3\"}", "bad_body"},
	    {"btcusd", 200, "[{\"last\":\"3\"}]", "bad_body"},
	    {"btcusd", 200,
		"[" S_ROW("BTC/USD", "3") "," S_ROW("BTC/USD", "4") "]",
		"bad_body"},
	    {"btcusd", 200, "{}", "bad_body"},
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"yesterday\"}",
		"bad_body"},
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"1700000000000\"}",
		"bad_body"}, /* milliseconds: the year 55840 */
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"-1\"}",
		"bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("bitstamp", answers);
}

/* ---- many symbols in one answer ---- */

static void whole_markets(void **state)
{
	static const char kraken[] =
	    "{\"error\":[],\"result\":{\"XETHZUSD\":" K_ROW(
		"4") ",\"RHEAUSD\":" K_ROW("0") ",\"XXBTZUSD\":" K_ROW("3") "}}";
	static const char bitstamp[] = "[" S_ROW("ETH/USD", "4") "," S_ROW(
	    "RHEA/USD", "0") "," S_ROW("BTC/USD", "3") "]";
	static const char coinbase[] =
	    "{\"RHEA-USD\":{\"stats_24hour\":{\"last\":\"0\"}},"
	    "\"ODD-USD\":null,\"BTC-USD\":{\"stats_24hour\":{\"last\":\"3\"}},"
	    "\"ETH-USD\":{\"stats_24hour\":{\"last\":\"4\"}}}";

	(void)state;
	answers_check_each("kraken",
	    (const char *[]){"XBTUSD", "NOPEUSD", "RHEAUSD", "ETH/USD", NULL},
	    kraken,
	    (const char *[]){
		"3 1 3 -", "unknown_symbol", "no_price", "4 1 3 -"});
	answers_check_each("bitstamp",
	    (const char *[]){"btcusd", "nopeusd", "rheausd", "ETH/USD", NULL},
	    bitstamp,
	    (const char *[]){
		"3 - - -", "unknown_symbol", "no_price", "4 - - -"});
	answers_check_each("coinbase_exchange",
	    (const char *[]){
		"BTC-USD", "NOPE-USD", "RHEA-USD", "ODD-USD", NULL},
	    coinbase,
	    (const char *[]){
		"3 - - -", "unknown_symbol", "no_price", "bad_body"});
}

/* One that nobody knows takes the others with it, or does not: both were seen.
 * Whoever asked can then ask for each alone. */
static void kraken_batch_with_an_unknown_pair(void **state)
{
	static const char *const symbols[] = {"XBTUSD", "NOPEUSD", NULL};

	(void)state;
	answers_check_each("kraken", symbols,
	    K_SAYS("EQuery:Unknown asset pair"),
	    (const char *[]){"unknown_symbol", "unknown_symbol"});
	answers_check_each("kraken", symbols,
	    "{\"error\":[\"EQuery:Unknown asset pair\"],"
	    "\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
	    (const char *[]){"2 1 3 -", "unknown_symbol"});
}

static void targets(void **state)
{
	const char *many[EXCHANGE_NAMED_MAX + 2] = {NULL};

	(void)state;
	ANSWERS_TARGET("kraken",
	    "/0/public/Ticker?pair=XBTUSD,ETH/USD,USDTZUSD", "XBTUSD",
	    "ETH/USD", "USDTZUSD", NULL);
	ANSWERS_TARGET("kraken", "/0/public/Ticker", NULL);
	ANSWERS_TARGET("kraken", "", "XBTUSD", "ETH,USD", NULL);
	for (size_t i = 0; i < EXCHANGE_NAMED_MAX + 1; i++)
		many[i] = "XBTUSD";
	answers_check_target("kraken", many, "");
	ANSWERS_TARGET("bitstamp", "/api/v2/ticker/", NULL);
	ANSWERS_TARGET("bitstamp", "", "btcusd", "ethusd", NULL);
	ANSWERS_TARGET("coinbase_exchange", "/products/stats", NULL);
	ANSWERS_TARGET("coinbase_exchange", "", "BTC-USD", "ETH-USD", NULL);
	ANSWERS_TARGET("coinbase_exchange", "", "BTC/USD", NULL);
}

static void numbers(void **state)
{
	(void)state;
	answers_check_numbers("kraken", "XBTUSD",
	    "{\"error\":[],\"result\":{\"XXBTZUSD\":{\"c\":[", "]}}}");
	answers_check_numbers(
	    "bitstamp", "btcusd", "{\"pair\":\"BTC/USD\",\"last\":", "}");
	answers_check_numbers(
	    "coinbase_exchange", "BTC-USD", "{\"price\":", "}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(coinbase_exchange_errors),
	    cmocka_unit_test(coinbase_exchange_answers),
	    cmocka_unit_test(kraken_errors),
	    cmocka_unit_test(kraken_answers),
	    cmocka_unit_test(bitstamp_errors),
	    cmocka_unit_test(bitstamp_answers),
	    cmocka_unit_test(whole_markets),
	    cmocka_unit_test(kraken_batch_with_an_unknown_pair),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("adapters", tests, NULL, NULL);
}
