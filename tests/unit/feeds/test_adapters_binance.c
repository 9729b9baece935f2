/*
 * adapters_binance: the form that Binance, Binance US and MEXC share, by own
 * answers; recorded ones are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define B_CODE(code) "{\"code\":" #code ",\"msg\":\"words\"}"

static void binance_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 400, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
		"unknown_symbol"},
	    {"X", 200, B_CODE(-1121), "unknown_symbol"},
	    {"X", 400, B_CODE(-1003), "rate_limited"},
	    {"X", 400, B_CODE(-1015), "rate_limited"},
	    {"X", 429, B_CODE(-1003), "rate_limited"},
	    {"X", 418, B_CODE(-1003), "banned"},
	    {"X", 403, "<html>WAF</html>", "blocked"},
	    {"X", 400, B_CODE(-1100), "bad_request"},
	    {"X", 400, B_CODE(-1102), "bad_request"},
	    {"X", 400, B_CODE(-1128), "bad_request"},
	    {"X", 400, B_CODE(-2014), "auth"},
	    {"X", 400, "{\"code\":-2015,\"msg\":\"Invalid API-key, IP\"}",
		"auth"},
	    {"X", 500, B_CODE(-1000), "server_error"},
	    {"X", 400, B_CODE(-1001), "server_error"},
	    {"X", 500, B_CODE(-1007), "timeout"},
	    {"X", 500, B_CODE(-1016), "maintenance"},
	    {"X", 500, B_CODE(-1100), "server_error"},
	    {"X", 451,
		"{\"code\":0,\"msg\":\"Service unavailable from a "
		"restricted location according to 'b. Eligibility'\"}",
		"geo_blocked"},
	    {"X", 200,
		"{\"code\":0,\"msg\":\"Service unavailable from a "
		"restricted location\"}",
		"geo_blocked"},
	    /* not Binance's */
	    {"X", 404, "{\"code\":\"404\",\"msg\":\"Not Found\"}",
		"http_error"},
	    {"X", 404, "{\"code\":404,\"msg\":\"Not Found\"}", "http_error"},
	    {"X", 404, "{}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("binance", answers);
}

static void binance_answers(void **state)
{
	static const struct answer answers[] = {
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\"}", "2 - - -"},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":2.50}", "2.50 - - -"},
	    {"A", 200, "{\"symbol\":\"A\",\"bidPrice\":\"2\"}", "- 2 - -"},
	    {"A", 200,
		"[{\"symbol\":\"B\",\"price\":\"1\"},"
		"{\"symbol\":\"A\",\"price\":\"2\"}]",
		"2 - - -"},
	    {"A", 200, "{\"symbol\":\"B\",\"price\":\"2\"}", "unknown_symbol"},
	    {"a", 200, "{\"symbol\":\"A\",\"price\":\"2\"}", "unknown_symbol"},
	    {"A", 200, "[{\"symbol\":\"B\",\"price\":\"2\"}]",
		"unknown_symbol"},
	    {"A", 200, "[]", "unknown_symbol"},
	    {"A", 200, "{\"price\":\"2\"}", "bad_body"},
	    {"A", 200, "{}", "bad_body"},
	    {"A", 200, "{\"symbol\":5,\"price\":\"2\"}", "bad_body"},
	    {"5", 200, "{\"symbol\":5,\"price\":\"2\"}", "bad_body"},
	    {"A", 200, "{\"symbol\":\"A\"}", "bad_body"},
	    {"A", 200, "[1]", "bad_body"},
	    {"A", 200, "[[]]", "bad_body"},
	    {"A", 200,
		"[{\"symbol\":\"A\",\"price\":\"1\"},"
		"{\"symbol\":\"A\",\"price\":\"2\"}]",
		"bad_body"},
	    {"A", 200, /* twice the same: no doubt what it says */
		"[{\"symbol\":\"A\",\"price\":\"2\"},"
		"{\"symbol\":\"A\",\"price\":\"2\"}]",
		"2 - - -"},
	    {"A", 200, /* the same number, not the same row */
		"[{\"symbol\":\"A\",\"price\":\"2\"},"
		"{\"symbol\":\"A\",\"price\":\"2.0\"}]",
		"bad_body"},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"1\",\"price\":\"2\"}",
		"bad_body"},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":\"x\"}",
		"bad_body"},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":0}",
		"bad_body"},
	    {"A", 200,
		"{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":1.7e12}",
		"bad_body"},
	    {"A", 200, /* microseconds */
		"{\"symbol\":\"A\",\"price\":\"2\","
		"\"closeTime\":1700000000000000}",
		"bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("binance", answers);
}

/* The rules of numbers, by the plainest of the forms. */
#define NUMBERS(last, bid, ask)                                      \
	"{\"symbol\":\"A\",\"lastPrice\":" last ",\"bidPrice\":" bid \
	",\"askPrice\":" ask "}"

static void numbers(void **state)
{
	static const struct answer answers[] = {
	    {"A", 200, NUMBERS("\"1\"", "\"2\"", "\"3\""), "1 2 3 -"},
	    {"A", 200, NUMBERS("\"1\"", "null", "\"\""), "1 - - -"},
	    {"A", 200, NUMBERS("null", "\"2\"", "\"3\""), "- 2 3 -"},
	    {"A", 200, NUMBERS("\"\"", "\"2\"", "\"-3\""), "no_price"},
	    /* not open yet: an old last beside an empty book */
	    {"A", 200, NUMBERS("\"1\"", "\"0.00\"", "\"0.00\""), "no_price"},
	    {"A", 200, NUMBERS("\"1\"", "\"0\"", "\"3x\""), "bad_body"},
	    /* a dead market: its book would invent a price */
	    {"A", 200, NUMBERS("\"0.00000000\"", "\"2\"", "\"3\""), "no_price"},
	    {"A", 200, NUMBERS("0", "2", "3"), "no_price"},
	    {"A", 200, NUMBERS("-1", "2", "3"), "no_price"},
	    {"A", 200, NUMBERS("\"0\"", "\"0\"", "\"0\""), "no_price"},
	    {"A", 200, NUMBERS("null", "null", "null"), "no_price"},
	    {"A", 200, NUMBERS("null", "\"0\"", "null"), "no_price"},
	    {"A", 200, NUMBERS("\"NaN\"", "\"2\"", "\"3\""), "bad_body"},
	    {"A", 200, NUMBERS("\"1\"", "\"inf\"", "\"3\""), "bad_body"},
	    {"A", 200, NUMBERS("\"1\"", "\"2\"", "\"3 \""), "bad_body"},
	    {"A", 200, NUMBERS("\"1,5\"", "\"2\"", "\"3\""), "bad_body"},
	    {"A", 200, NUMBERS("true", "\"2\"", "\"3\""), "bad_body"},
	    {"A", 200, NUMBERS("[\"1\"]", "\"2\"", "\"3\""), "bad_body"},
	    {"A", 200, NUMBERS("1e400", "2", "3"), "bad_body"},
	    {"A", 200, /* 65 characters */
		NUMBERS("1."
			"0000000000000000000000000000000000000000000000000000"
			"00000000000",
		    "2", "3"),
		"bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("binance", answers);
}

#define DAY(symbol, last, bid, ask)                                           \
	"{\"symbol\":\"" symbol "\",\"lastPrice\":\"" last                    \
	"\",\"bidPrice\":\"" bid "\",\"askPrice\":\"" ask                     \
	"\",\"bidQty\":\"\",\"quoteVolume\":null,\"openTime\":1699913600000," \
	"\"closeTime\":1700000000123,\"count\":null}"

static void forms(void **state)
{
	static const char *const exchanges[] = {
	    "binance", "binance_us", "mexc"};
	static const struct answer answers[] = {
	    {"AB", 200, DAY("AB", "2.50", "2.4", "2.6"),
		"2.50 2.4 2.6 1700000000123"},
	    {"AB", 200,
		"[" DAY("A", "1", "1", "1") "," DAY(
		    "AB", "2.50", "2.4", "2.6") "]",
		"2.50 2.4 2.6 1700000000123"},
	    {"AB", 200, "{\"symbol\":\"AB\",\"price\":\"2.50\"}", "2.50 - - -"},
	    {"AB", 200,
		"[{\"symbol\":\"AB\",\"bidPrice\":\"2.4\","
		"\"askPrice\":\"2.6\"}]",
		"- 2.4 2.6 -"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ANSWERS_CHECK(exchanges[i], answers);
		answers_check_numbers(exchanges[i], "A",
		    "[{\"symbol\":\"A\",\"lastPrice\":", "}]");
		answers_check_numbers(exchanges[i], "A",
		    "{\"symbol\":\"A\",\"price\":", ",\"bidPrice\":null}");
	}
}

/* One answer for several; a symbol that is not in it is unknown. */
static void batches(void **state)
{
	(void)state;
	answers_check_each("binance",
	    (const char *[]){"B", "C", "A", "D", NULL},
	    "[" DAY("A", "1.0", "1", "2") "," DAY("B", "2.0", "1", "2") "," DAY(
		"D", "0.0", "0.0", "0.0") "]",
	    (const char *[]){"2.0 1 2 1700000000123", "unknown_symbol",
		"1.0 1 2 1700000000123", "no_price"});
	/* one that it does not know loses all */
	answers_check_each("binance_us", (const char *[]){"A", "NOPE", NULL},
	    B_CODE(-1121),
	    (const char *[]){"unknown_symbol", "unknown_symbol"});
	answers_check_each("mexc", (const char *[]){"B", "NOPE", "A", NULL},
	    "[{\"symbol\":\"A\",\"bidPrice\":\"1\",\"askPrice\":\"2\"},"
	    "{\"symbol\":\"A\",\"bidPrice\":\"1\",\"askPrice\":\"2\"},"
	    "{\"symbol\":\"B\",\"bidPrice\":\"3\",\"askPrice\":\"4\"}]",
	    (const char *[]){"- 3 4 -", "unknown_symbol", "- 1 2 -"});
}

static void targets(void **state)
{
	static const char *const exchanges[] = {"binance", "binance_us"};
	const char *many[EXCHANGE_NAMED_MAX + 2] = {NULL};
	char out[EXCHANGE_TARGET_MAX];

	(void)state;
	for (size_t i = 0; i < EXCHANGE_NAMED_MAX + 1; i++)
		many[i] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	for (size_t i = 0; i < 2; i++) {
		ANSWERS_TARGET(exchanges[i],
		    "/api/v3/ticker/24hr?symbols="
		    "%5B%22BTCUSDT%22,%22ETHUSDT%22%5D",
		    "BTCUSDT", "ETHUSDT", NULL);
		ANSWERS_TARGET(exchanges[i], "", "BTCUSDT", "A\"B", NULL);
		ANSWERS_TARGET(exchanges[i], "", NULL);
		answers_check_target(exchanges[i], many, "");
		assert_int_equal(
		    exchange_find(exchanges[i])
			->format_target(out, many, EXCHANGE_NAMED_MAX),
		    0);
		assert_int_equal(exchange_find(exchanges[i])->whole_from, 0);
	}
	ANSWERS_TARGET(
	    "mexc", "/api/v3/ticker/24hr?symbol=BTCUSDT", "BTCUSDT", NULL);
	ANSWERS_TARGET("mexc", "/api/v3/ticker/bookTicker", NULL);
	ANSWERS_TARGET("mexc", "", "BTCUSDT", "ETHUSDT", NULL);
	ANSWERS_TARGET("mexc", "", "BTC/USDT", NULL);
}

#define M_FAILED(code, words) \
	"{\"success\":false,\"code\":" code ",\"message\":\"" words "\"}"

static void mexc_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 400, "{\"code\":-1121,\"msg\":\"x\",\"_extend\":null}",
		"unknown_symbol"},
	    {"X", 200, M_FAILED("1001", "no"), "unknown_symbol"},
	    {"X", 200, M_FAILED("510", "no"), "rate_limited"},
	    {"X", 200, M_FAILED("\"510\"", "no"), "rate_limited"},
	    {"X", 200, M_FAILED("9", "Requests are too frequent"),
		"rate_limited"},
	    {"X", 400, B_CODE(10007), "unknown_symbol"},
	    {"X", 400, B_CODE(30014), "unknown_symbol"},
	    {"X", 400, "{\"code\":30099,\"msg\":\"bad symbol\"}",
		"unknown_symbol"},
	    {"X", 200, B_CODE(429), "rate_limited"},
	    {"X", 200, B_CODE(403), "blocked"},
	    {"X", 200, B_CODE(500), "server_error"},
	    {"X", 200, B_CODE(503), "maintenance"},
	    {"X", 200, B_CODE(504), "timeout"},
	    {"X", 400, B_CODE(400), "auth"},
	    {"X", 400, B_CODE(602), "auth"},
	    {"X", 400, "{\"code\":10072,\"msg\":\"Api key info invalid\"}",
		"auth"},
	    {"X", 400, B_CODE(700004), "bad_request"},
	    {"X", 200, M_FAILED("0", "odd"), "bad_request"},
	    {"X", 500, M_FAILED("0", "odd"), "server_error"},
	    {"X", 404, "{\"code\":\"NOT_FOUND\",\"msg\":\"x\"}", "http_error"},
	    {"X", 404, "{\"code\":0}", "http_error"},
	    {"X", 200, "{\"code\":{}}", "bad_body"},
	    {"X", 200, "{\"code\":200,\"data\":null}", "bad_body"},
	    {"X", 200, "{\"code\":200,\"data\":[]}", "unknown_symbol"},
	    /* whatever else it says */
	    {"X", 200,
		"{\"success\":false,\"code\":0,\"symbol\":\"X\",\"price\":\"1\"}",
		"bad_request"},
	    {"X", 200,
		"{\"success\":false,\"code\":510,\"data\":"
		"{\"symbol\":\"X\",\"lastPrice\":1}}",
		"rate_limited"},
	    {"X", 200, "{\"code\":1,\"data\":[{\"symbol\":\"X\",\"last\":1}]}",
		"bad_request"},
	};

	(void)state;
	ANSWERS_CHECK("mexc", answers);
}

static void mexc_older_forms(void **state)
{
	static const struct answer answers[] = {
	    {"A_B", 200,
		"{\"code\":200,\"data\":[{\"symbol\":\"C_B\",\"last\":\"9\"},"
		"{\"symbol\":\"A_B\",\"bid\":\"1.4\",\"ask\":\"1.6\","
		"\"last\":\"1.5\",\"time\":1700000000000}]}",
		"1.5 1.4 1.6 1700000000000"},
	    {"A_B", 200,
		"{\"success\":true,\"code\":0,\"data\":{\"symbol\":\"A_B\","
		"\"lastPrice\":1.5,\"bid1\":1.4,\"ask1\":1.6,"
		"\"timestamp\":1700000000000}}",
		"1.5 1.4 1.6 1700000000000"},
	};

	(void)state;
	ANSWERS_CHECK("mexc", answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binance_errors),
	    cmocka_unit_test(binance_answers),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(batches),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(mexc_errors),
	    cmocka_unit_test(mexc_older_forms),
	};

	return cmocka_run_group_tests_name(
	    "adapters_binance", tests, NULL, NULL);
}
