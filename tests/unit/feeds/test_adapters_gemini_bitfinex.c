/*
 * adapters: Gemini and Bitfinex, each answer form and error that they document,
 * and what must not pass for a price. The bodies are our own; recorded ones are
 * read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define G_SAYS(reason, words)                                                  \
	"{\"result\":\"error\",\"reason\":\"" reason "\",\"message\":\"" words \
	"\"}"

static void gemini_errors(void **state)
{
	static const struct answer answers[] = {
	    {"nope", 400, G_SAYS("InvalidSymbol", "Received unsupported"),
		"unknown_symbol"},
	    {"nope", 400,
		G_SAYS("Bad Request",
		    "Supplied value 'nope' is not a valid symbol"),
		"unknown_symbol"},
	    {"nope", 404, G_SAYS("InvalidSymbol", ""), "unknown_symbol"},
	    {"nope", 200, G_SAYS("InvalidSymbol", ""), "unknown_symbol"},
	    {"nope", 404, "", "http_error"},
	    {"nope", 404, G_SAYS("EndpointNotFound", "No such path"),
		"http_error"},
	    {"btcusd", 404, "{}", "http_error"},
	    {"btcusd", 400, G_SAYS("Bad Request", "odd"), "bad_request"},
	    {"btcusd", 400, "{\"result\":\"error\"}", "bad_request"},
	    {"btcusd", 429, G_SAYS("RateLimit", "slow down"), "rate_limited"},
	    {"btcusd", 400, G_SAYS("RateLimit", "slow down"), "rate_limited"},
	    {"btcusd", 200, G_SAYS("Too Many Requests", "Too Many Requests"),
		"rate_limited"},
	    {"btcusd", 400, G_SAYS("MarketNotOpen", ""), "no_price"},
	    {"btcusd", 400, G_SAYS("InvalidSignature", "Invalid signature"),
		"auth"},
	    {"btcusd", 400, G_SAYS("MissingApikeyHeader", ""), "auth"},
	    {"btcusd", 400, G_SAYS("InvalidNonce", ""), "auth"},
	    {"btcusd", 400, G_SAYS("MissingRole", ""), "auth"},
	    {"btcusd", 403, G_SAYS("MissingRole", ""), "blocked"},
	    {"btcusd", 503, G_SAYS("Maintenance", ""), "maintenance"},
	    {"btcusd", 500, G_SAYS("Maintenance", ""), "maintenance"},
	    {"btcusd", 500,
		G_SAYS("Other", "The system is down for maintenance"),
		"maintenance"},
	    {"btcusd", 200, G_SAYS("System", "technical issues"),
		"server_error"},
	    {"btcusd", 500, G_SAYS("Other", ""), "server_error"},
	    {"btcusd", 500, G_SAYS("Bad Request", ""), "server_error"},
	    {"btcusd", 502, "<html>", "server_error"},
	    {"btcusd", 301, "", "redirect"},
	    /* a price beside the failure, or beside a status that is one */
	    {"btcusd", 200,
		"{\"result\":\"error\",\"reason\":\"System\",\"last\":\"1\"}",
		"server_error"},
	    {"btcusd", 400, "{\"last\":\"1\"}", "http_error"},
	    {"btcusd", 500, "{\"last\":\"1\"}", "server_error"},
	};

	(void)state;
	ANSWERS_CHECK("gemini", answers);
}

#define G_V1(volume)                                                 \
	"{\"bid\":\"2\",\"ask\":\"3\",\"last\":\"2.50\",\"volume\":" \
	"{" volume "}}"
#define G_TIME ",\"timestamp\":1710328245000"

static void gemini_ticker(void **state)
{
	static const struct answer answers[] = {
	    {"btcusd", 200, G_V1("\"BTC\":\"1\",\"USD\":\"9\"" G_TIME),
		"2.50 2 3 1710328245000"},
	    {"BTCUSD", 200, G_V1("\"USD\":\"9\",\"BTC\":\"1\"" G_TIME),
		"2.50 2 3 1710328245000"},
	    {"btcusd", 201, G_V1("\"BTC\":\"1\",\"USD\":\"9\""), "2.50 2 3 -"},
	    {"btcusd", 200, "{\"bid\":\"2\",\"ask\":\"3\",\"last\":\"2.50\"}",
		"2.50 2 3 -"},
	    {"btcusd", 200, "{\"last\":\"2.50\",\"volume\":null}",
		"2.50 - - -"},
	    {"btcusd", 200, "{\"bid\":\"2\",\"ask\":\"3\"}", "- 2 3 -"},
	    {"btcusd", 200, "{\"bid\":\"0\",\"ask\":\"3\",\"last\":\"2\"}",
		"no_price"},
	    {"btcusd", 200, "{\"bid\":null,\"ask\":null,\"last\":null}",
		"no_price"},
	    {"btcusd", 200, "{\"volume\":{}}", "bad_body"},
	    {"btcusd", 200, "{}", "bad_body"}, {"btcusd", 200, "", "bad_body"},
	    {"btcusd", 200, "\"last\"", "bad_body"},
	    {"btcusd", 200, "{\"last\":\"1\",\"last\":\"2\"}", "bad_body"},
	    {"btcusd", 200, "{\"last\":\"1\"} x", "bad_body"},
	    /* the volumes are another market's */
	    {"ethusd", 200, G_V1("\"BTC\":\"1\",\"USD\":\"9\"" G_TIME),
		"unknown_symbol"},
	    {"btcusd", 200, G_V1("\"BTC\":\"1\",\"USDT\":\"9\"" G_TIME),
		"unknown_symbol"},
	    {"btcusdt", 200, G_V1("\"BTC\":\"1\",\"USD\":\"9\"" G_TIME),
		"unknown_symbol"},
	    {"b", 200, G_V1("\"BTC\":\"1\",\"USD\":\"9\""), "unknown_symbol"},
	    /* nothing is said of the market, or of a perpetual's */
	    {"btcusd", 200, G_V1("\"timestamp\":1710328245000"),
		"2.50 2 3 1710328245000"},
	    {"btcusd", 200, G_V1("\"X\":\"1\",\"Y\":\"1\",\"Z\":\"1\""),
		"2.50 2 3 -"},
	    {"btcusdcperp", 200, G_V1("\"BTC\":\"1\",\"GUSD\":\"9\"" G_TIME),
		"2.50 2 3 1710328245000"},
	    {"perp", 200, G_V1("\"BTC\":\"1\",\"USD\":\"9\""),
		"unknown_symbol"},
	    /* times */
	    {"btcusd", 200, G_V1("\"timestamp\":null"), "2.50 2 3 -"},
	    {"btcusd", 200, G_V1("\"timestamp\":0"), "bad_body"},
	    {"btcusd", 200, G_V1("\"timestamp\":-5"), "bad_body"},
	    {"btcusd", 200, G_V1("\"timestamp\":1.7e12"), "bad_body"},
	    {"btcusd", 200, G_V1("\"timestamp\":\"soon\""), "bad_body"},
	    {"btcusd", 200, G_V1("\"timestamp\":1710328245000000"),
		"bad_body"}, /* microseconds */
	};

	(void)state;
	ANSWERS_CHECK("gemini", answers);
	answers_check_numbers("gemini", "btcusd", "{\"last\":", "}");
}

static void gemini_other_forms(void **state)
{
	static const char feed[] =
	    "[{\"pair\":\"BTCUSD\",\"price\":\"84000.50\","
	    "\"percentChange24h\":\"0.02\"},"
	    "{\"pair\":\"ETHUSD\",\"price\":\"0\"},"
	    "{\"pair\":\"BTCUSDT\",\"price\":84001}]";
	static const struct answer answers[] = {
	    {"btcusd", 200,
		"{\"symbol\":\"BTCUSD\",\"open\":\"9\",\"close\":\"2.0\","
		"\"changes\":[\"1\"],\"bid\":\"1\",\"ask\":\"3\"}",
		"2.0 1 3 -"},
	    {"btcusd", 200, "{\"symbol\":\"ETHUSD\",\"close\":\"2\"}",
		"unknown_symbol"},
	    {"btcusd", 200, "{\"symbol\":\"BTCUSDT\",\"close\":\"2\"}",
		"unknown_symbol"},
	    {"btcusd", 200, "{\"symbol\":5,\"close\":\"2\"}", "bad_body"},
	    {"btcusd", 200, "{\"symbol\":\"BTCUSD\"}", "bad_body"},
	    {"btcusd", 200, "[]", "no_price"},
	    {"btcusd", 200, "[{\"pair\":\"BTCUSD\"}]", "bad_body"},
	    {"btcusd", 200, "[{\"price\":\"1\"}]", "bad_body"},
	    {"btcusd", 200, "[[\"BTCUSD\",\"1\"]]", "bad_body"},
	    {"btcusd", 200, "[null]", "bad_body"},
	    {"btcusd", 200,
		"[{\"pair\":\"BTCUSD\",\"price\":\"1\"},"
		"{\"pair\":\"btcusd\",\"price\":\"2\"}]",
		"bad_body"},
	};
	static const char *const symbols[] = {
	    "btcusdt", "nope", "BTCUSD", "ethusd", NULL};
	static const char *const gives[] = {
	    "84001 - - -", "unknown_symbol", "84000.50 - - -", "no_price"};

	(void)state;
	ANSWERS_CHECK("gemini", answers);
	answers_check_each("gemini", symbols, feed, gives);
	answers_check_numbers(
	    "gemini", "btcusd", "[{\"pair\":\"BTCUSD\",\"price\":", "}]");
}

static void gemini_targets(void **state)
{
	(void)state;
	ANSWERS_TARGET("gemini", "/v1/pubticker/btcusd", "btcusd", NULL);
	ANSWERS_TARGET("gemini", "/v1/pricefeed", NULL);
	ANSWERS_TARGET("gemini", "", "btcusd", "ethusd", NULL);
	ANSWERS_TARGET("gemini", "", "", NULL);
	ANSWERS_TARGET("gemini", "", "btc-usd", NULL);
	ANSWERS_TARGET("gemini", "", "../pricefeed", NULL);
	ANSWERS_TARGET("gemini", "", "btcusd?x=1", NULL);
	ANSWERS_TARGET("gemini", "", "btc usd", NULL);
	ANSWERS_TARGET("gemini", "", "btcusd\r\n", NULL);
	ANSWERS_TARGET("gemini", "", "b\xc3\xa4r", NULL);
	ANSWERS_TARGET("gemini", "", "a123456789012345678901234567890x", NULL);
}

static void bitfinex_errors(void **state)
{
	static const struct answer answers[] = {
	    {"tNOPE", 500, "[\"error\",10020,\"symbol: invalid\"]",
		"unknown_symbol"},
	    {"tNOPE", 200, "[\"error\",10020,\"symbol: invalid\"]",
		"unknown_symbol"},
	    {"tNOPE", 400, "{\"error\":\"Unknown symbol\"}", "unknown_symbol"},
	    {"tA", 500, "[\"error\",10020,\"len: invalid\"]", "server_error"},
	    {"tA", 400, "[\"error\",10020,\"len: invalid\"]", "bad_request"},
	    {"tA", 200, "[\"error\",10020,\"len: invalid\"]", "bad_request"},
	    {"tA", 500, "[\"error\",10001,\"unknown\"]", "server_error"},
	    {"tA", 500, "[\"error\"]", "server_error"},
	    {"tA", 200, "[\"error\"]", "bad_request"},
	    {"tA", 200, "[\"error\",{},[]]", "bad_request"},
	    {"tA", 429, "[\"error\",11010,\"ratelimit: error\"]",
		"rate_limited"},
	    {"tA", 500, "[\"error\",11010,\"ratelimit: error\"]",
		"rate_limited"},
	    {"tA", 200, "[\"error\",11010,null]", "rate_limited"},
	    {"tA", 200, "[\"error\",\"11010\",\"\"]", "rate_limited"},
	    {"tA", 200, "[\"error\",0,\"ratelimit: error\"]", "rate_limited"},
	    {"tA", 200, "{\"error\":\"ERR_RATE_LIMIT\"}", "rate_limited"},
	    {"tA", 400, "{\"error\":\"ERR_RATE_LIMIT\"}", "rate_limited"},
	    {"tA", 500, "[\"error\",20060,\"maintenance\"]", "maintenance"},
	    {"tA", 200, "[\"error\",20060,\"\"]", "maintenance"},
	    {"tA", 500, "{\"error\":\"temporarily_unavailable\"}",
		"maintenance"},
	    {"tA", 503, "{\"code\":503}", "maintenance"},
	    {"tA", 500, "[\"error\",10100,\"apikey: invalid\"]", "auth"},
	    {"tA", 500, "[\"error\",10114,\"nonce: small\"]", "auth"},
	    {"tA", 500, "[\"error\",10000,\"internal error\"]", "server_error"},
	    {"tA", 404, "Cannot GET /api/v2/nope", "http_error"},
	    {"tA", 404, "{\"error\":5}", "http_error"},
	    {"tA", 403, "error code: 1020", "blocked"},
	    {"tA", 504, "", "timeout"},
	    {"tA", 200, "{\"error\":5}", "bad_body"},
	    {"tA", 200, "[\"errors\",1,2]", "bad_body"},
	    /* a status that fails with rows, and an error in place of a row */
	    {"tA", 500, "[[\"tA\",1,1,3,1,0,0,2,9,3,1]]", "server_error"},
	    {"tA", 400, "[[\"tA\",1,1,3,1,0,0,2,9,3,1]]", "http_error"},
	    {"tA", 200, "[\"error\",1,1,3,1,0,0,2,9,3,1]", "bad_request"},
	    {"error", 200, "[\"error\",1,1,3,1,0,0,2,9,3,1]", "bad_request"},
	};

	(void)state;
	ANSWERS_CHECK("bitfinex", answers);
}

#define BF_REST        ",1,0,0,2.50,9,3,1]"
#define BF_ROW(symbol) "[\"" symbol "\",2,1.5,3" BF_REST
#define BF_LENDING                                                           \
	"[\"fUSD\",1.0958904109589042e-08,0,0,0,1e-08,2,7,0,0,1,6,1,1,null," \
	"null,2]"

static void bitfinex_rows(void **state)
{
	static const struct answer answers[] = {
	    {"tA", 200, "[" BF_ROW("tA") "]", "2.50 2 3 -"},
	    {"tA", 200, "[" BF_LENDING "," BF_ROW("tB") "," BF_ROW("tA") "]",
		"2.50 2 3 -"},
	    {"tAVAX:USD", 200, "[" BF_ROW("tAVAX:USD") "]", "2.50 2 3 -"},
	    {"tAVAXUSD", 200, "[" BF_ROW("tAVAX:USD") "]", "unknown_symbol"},
	    {"tA", 200, "[" BF_ROW("ta") "]", "unknown_symbol"},
	    {"A", 200, "[" BF_ROW("A") "]", "unknown_symbol"},
	    {"fUSD", 200, "[" BF_LENDING "]", "unknown_symbol"},
	    {"fUSD", 200, "[" BF_ROW("fUSD") "]", "unknown_symbol"},
	    {"tA", 200, "[]", "no_price"},
	    {"tA", 200, "{}", "bad_body"},
	    {"tA", 200, "[{}]", "bad_body"},
	    {"tA", 200, "[[]]", "bad_body"},
	    {"tA", 200, "[[5,1,1,3,1,0,0,2,9,3,1]]", "bad_body"},
	    /* a row without its name is anybody's */
	    {"tA", 200, "[null,[7]," BF_ROW("tA") "]", "2.50 2 3 -"},
	    {"tX", 200, "[null," BF_ROW("tA") "]", "bad_body"},
	    {"tA", 200, "[" BF_ROW("tA") "," BF_ROW("tA") "]", "2.50 2 3 -"},
	    {"tA", 200, "[" BF_ROW("tA") ",[\"tA\",2,1,3" BF_REST "]",
		"bad_body"}, /* which of them? */
	    {"tA", 200, "[" BF_ROW("tB") "," BF_ROW("tB") "," BF_ROW("tA") "]",
		"2.50 2 3 -"},
	    /* too short, too long, a lending row's length */
	    {"tA", 200, "[[\"tA\",2,1,3,1,0,0,2.50,9,3]]", "bad_body"},
	    {"tA", 200, "[[\"tA\",2,1,3,1,0,0,2.50,9,3,1,1]]", "bad_body"},
	    {"tA", 200, "[[\"tA\",2,1,3,1,0,0,2,9,3,1,1,1,1,1,1,1]]",
		"bad_body"},
	    {"tA", 200, "[[\"tA\",null,null,null" BF_REST "]", "2.50 - - -"},
	    {"tA", 200, "[[\"tA\",0,0,3" BF_REST "]", "no_price"},
	    {"tA", 200, "[[\"tA\",null,0,null,0,0,0,null,0,0,0]]", "no_price"},
	    {"tA", 200, "[[\"tA\",6e-8,1,6.5e-8,1,0,0,6e-8,1,1,1]]",
		"0.00000006 0.00000006 0.000000065 -"},
	    /* one market, of which the symbol is not said */
	    {"tA", 200, "[2,1,3,1,0,0,2.50,9,3,1]", "2.50 2 3 -"},
	    {"tA", 200, "[null,null,3,1,0,0,2.50,9,3,1]", "2.50 - 3 -"},
	    {"tA", 200, "[2,1,3,1,0,0,2.50,9,3]", "bad_body"},
	    {"tA", 200, "[0.01,2,1,2,3,1,2,0,0,2,9,3,1,null,null,5]",
		"bad_body"}, /* of a lending rate */
	    {"tA", 200, "[\"tA\",2,1,3,1,0,0,2.50,9,3,1]", "bad_body"},
	    {"tA", 200, "[\"x\",1,3,1,0,0,2.50,9,3,1]", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("bitfinex", answers);
	answers_check_numbers(
	    "bitfinex", "tA", "[[\"tA\",null,1,null,1,0,0,", ",1,2,1]]");
	answers_check_numbers(
	    "bitfinex", "tA", "[null,1,null,1,0,0,", ",1,2,1]");
}

static void bitfinex_several(void **state)
{
	static const char *const symbols[] = {
	    "tETHUSD", "tNOPE", "tBTCUSD", "fUSD", NULL};
	static const char *const gives[] = {
	    "1 0.9 1.1 -", "unknown_symbol", "2.50 2 3 -", "unknown_symbol"};
	/* ten rows are not the ten numbers of one market */
	static const char ten[] =
	    "[" BF_LENDING
	    "," BF_ROW("tBTCUSD") ",[\"tETHUSD\",0.9,1,1.1,1,0,0,1,9,3,1]," BF_ROW("t1") "," BF_ROW(
		"t2") "," BF_ROW("t3") "," BF_ROW("t4") "," BF_ROW("t5") "," BF_ROW("t6") "," BF_ROW("t7") "]";
	static const char *const none[] = {
	    "no_price", "no_price", "no_price", "no_price"};

	(void)state;
	answers_check_each("bitfinex", symbols, ten, gives);
	answers_check_each("bitfinex", symbols, "[]", none);
}

static void bitfinex_targets(void **state)
{
	const struct exchange *bitfinex = exchange_find("bitfinex");
	const char *many[EXCHANGE_NAMED_MAX + 1];
	char target[EXCHANGE_TARGET_MAX];

	(void)state;
	ANSWERS_TARGET(
	    "bitfinex", "/v2/tickers?symbols=tBTCUSD", "tBTCUSD", NULL);
	ANSWERS_TARGET("bitfinex",
	    "/v2/tickers?symbols=tBTCUSD,tAVAX:USD,tBTCF0:USTF0", "tBTCUSD",
	    "tAVAX:USD", "tBTCF0:USTF0", NULL);
	ANSWERS_TARGET("bitfinex", "/v2/tickers?symbols=ALL", NULL);
	ANSWERS_TARGET("bitfinex", "", "ALL", NULL);
	ANSWERS_TARGET("bitfinex", "", "fUSD", NULL);
	ANSWERS_TARGET("bitfinex", "", "BTCUSD", NULL);
	ANSWERS_TARGET("bitfinex", "", "", NULL);
	ANSWERS_TARGET("bitfinex", "", "tBTCUSD", "fUSD", NULL);
	ANSWERS_TARGET("bitfinex", "", "tBTCUSD", "", NULL);
	ANSWERS_TARGET("bitfinex", "", "tBTCUSD,tETHUSD", NULL);
	ANSWERS_TARGET("bitfinex", "", "tBTCUSD&x=1", NULL);
	ANSWERS_TARGET("bitfinex", "", "tBTC/USD", NULL);
	for (size_t i = 0; i <= EXCHANGE_NAMED_MAX; i++)
		many[i] = "t123456789012345678901234567890";
	assert_int_equal(
	    bitfinex->format_target(target, many, EXCHANGE_NAMED_MAX), 0);
	assert_int_equal(
	    bitfinex->format_target(target, many, EXCHANGE_NAMED_MAX + 1), -1);
	assert_string_equal(target, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gemini_errors),
	    cmocka_unit_test(gemini_ticker),
	    cmocka_unit_test(gemini_other_forms),
	    cmocka_unit_test(gemini_targets),
	    cmocka_unit_test(bitfinex_errors),
	    cmocka_unit_test(bitfinex_rows),
	    cmocka_unit_test(bitfinex_several),
	    cmocka_unit_test(bitfinex_targets),
	};

	return cmocka_run_group_tests_name(
	    "adapters_gemini_bitfinex", tests, NULL, NULL);
}
