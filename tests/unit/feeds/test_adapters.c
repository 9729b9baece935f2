/*
 * adapters: what each exchange's own errors, rows and numbers mean. The bodies
 * are our own, in the form that the exchanges document; recorded ones are read
 * by test_exchange_vectors.
 */
#include "feeds/exchanges/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum quote_error parse(struct quote *out, const char *exchange,
    const char *symbol, int status, const char *body)
{
	return exchange_parse(
	    out, exchange_find(exchange), symbol, status, body, strlen(body));
}

/* Field by field: padding may hold anything. */
static bool is_empty(const struct quote *q)
{
	return !q->has_last && !q->has_bid && !q->has_ask &&
	       !q->has_exchange_ms && q->last.mantissa == 0 &&
	       q->bid.mantissa == 0 && q->ask.mantissa == 0 &&
	       q->last.exponent == 0 && q->bid.exponent == 0 &&
	       q->ask.exponent == 0 && q->exchange_ms == 0;
}

static void assert_decimal(struct decimal d, const char *wanted)
{
	char text[DECIMAL_STRMAX];

	decimal_format(d, text);
	assert_string_equal(text, wanted);
}

struct answer {
	const char *symbol;
	int status;
	const char *body;
	enum quote_error error;
};

static void check(
    const char *exchange, const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct quote q;
		enum quote_error error = parse(&q, exchange, answers[i].symbol,
		    answers[i].status, answers[i].body);
		if (error != answers[i].error)
			print_error("%s %s %d %s: %s\n", exchange,
			    answers[i].symbol, answers[i].status,
			    answers[i].body, quote_error_name(error));
		assert_int_equal(error, answers[i].error);
		if (error != QUOTE_OK)
			assert_true(is_empty(&q));
		else
			assert_true(q.has_last || q.has_bid || q.has_ask);
	}
}
#define CHECK(exchange, answers) \
	check(exchange, answers, sizeof(answers) / sizeof((answers)[0]))

#define B_CODE(code) "{\"code\":" #code ",\"msg\":\"words\"}"

static void binance_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 400, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 200, B_CODE(-1121), QUOTE_UNKNOWN_SYMBOL},
	    {"X", 400, B_CODE(-1003), QUOTE_RATE_LIMITED},
	    {"X", 400, B_CODE(-1015), QUOTE_RATE_LIMITED},
	    {"X", 429, B_CODE(-1003), QUOTE_RATE_LIMITED},
	    {"X", 418, B_CODE(-1003), QUOTE_BANNED},
	    {"X", 403, "<html>WAF</html>", QUOTE_BLOCKED},
	    {"X", 400, B_CODE(-1100), QUOTE_BAD_REQUEST},
	    {"X", 400, B_CODE(-1102), QUOTE_BAD_REQUEST},
	    {"X", 400, B_CODE(-1128), QUOTE_BAD_REQUEST},
	    {"X", 400, B_CODE(-2014), QUOTE_AUTH},
	    {"X", 400, "{\"code\":-2015,\"msg\":\"Invalid API-key, IP\"}",
		QUOTE_AUTH},
	    {"X", 500, B_CODE(-1000), QUOTE_SERVER_ERROR},
	    {"X", 400, B_CODE(-1001), QUOTE_SERVER_ERROR},
	    {"X", 500, B_CODE(-1007), QUOTE_TIMEOUT},
	    {"X", 500, B_CODE(-1016), QUOTE_MAINTENANCE},
	    {"X", 500, B_CODE(-1100), QUOTE_SERVER_ERROR},
	    {"X", 451,
		"{\"code\":0,\"msg\":\"Service unavailable from a "
		"restricted location according to 'b. Eligibility'\"}",
		QUOTE_GEO_BLOCKED},
	    {"X", 200,
		"{\"code\":0,\"msg\":\"Service unavailable from a "
		"restricted location\"}",
		QUOTE_GEO_BLOCKED},
	    /* not Binance's */
	    {"X", 404, "{\"code\":\"404\",\"msg\":\"Not Found\"}",
		QUOTE_HTTP_ERROR},
	    {"X", 404, "{\"code\":404,\"msg\":\"Not Found\"}",
		QUOTE_HTTP_ERROR},
	    {"X", 404, "{}", QUOTE_HTTP_ERROR},
	};

	(void)state;
	CHECK("binance", answers);
}

static void binance_answers(void **state)
{
	static const struct answer answers[] = {
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\"}", QUOTE_OK},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":2.50}", QUOTE_OK},
	    {"A", 200, "{\"symbol\":\"A\",\"bidPrice\":\"2\"}", QUOTE_OK},
	    {"A", 200,
		"[{\"symbol\":\"B\",\"price\":\"1\"},"
		"{\"symbol\":\"A\",\"price\":\"2\"}]",
		QUOTE_OK},
	    {"A", 200, "{\"symbol\":\"B\",\"price\":\"2\"}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"a", 200, "{\"symbol\":\"A\",\"price\":\"2\"}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"A", 200, "[{\"symbol\":\"B\",\"price\":\"2\"}]",
		QUOTE_UNKNOWN_SYMBOL},
	    {"A", 200, "[]", QUOTE_UNKNOWN_SYMBOL},
	    {"A", 200, "{\"price\":\"2\"}", QUOTE_BAD_BODY},
	    {"A", 200, "{}", QUOTE_BAD_BODY},
	    {"A", 200, "{\"symbol\":5,\"price\":\"2\"}", QUOTE_BAD_BODY},
	    {"5", 200, "{\"symbol\":5,\"price\":\"2\"}", QUOTE_BAD_BODY},
	    {"A", 200, "{\"symbol\":\"A\"}", QUOTE_BAD_BODY},
	    {"A", 200, "[1]", QUOTE_BAD_BODY},
	    {"A", 200, "[[]]", QUOTE_BAD_BODY},
	    {"A", 200,
		"[{\"symbol\":\"A\",\"price\":\"1\"},"
		"{\"symbol\":\"A\",\"price\":\"2\"}]",
		QUOTE_BAD_BODY},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"1\",\"price\":\"2\"}",
		QUOTE_BAD_BODY},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":\"x\"}",
		QUOTE_BAD_BODY},
	    {"A", 200, "{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":0}",
		QUOTE_BAD_BODY},
	    {"A", 200,
		"{\"symbol\":\"A\",\"price\":\"2\",\"closeTime\":1.7e12}",
		QUOTE_BAD_BODY},
	    {"A", 200, /* microseconds */
		"{\"symbol\":\"A\",\"price\":\"2\","
		"\"closeTime\":1700000000000000}",
		QUOTE_BAD_BODY},
	};

	(void)state;
	CHECK("binance", answers);
}

/* The rules of numbers, by the plainest of the forms. */
#define NUMBERS(last, bid, ask)                                      \
	"{\"symbol\":\"A\",\"lastPrice\":" last ",\"bidPrice\":" bid \
	",\"askPrice\":" ask "}"

static void numbers(void **state)
{
	static const struct answer answers[] = {
	    {"A", 200, NUMBERS("\"1\"", "\"2\"", "\"3\""), QUOTE_OK},
	    {"A", 200, NUMBERS("\"1\"", "null", "\"\""), QUOTE_OK},
	    {"A", 200, NUMBERS("null", "\"2\"", "\"3\""), QUOTE_OK},
	    {"A", 200, NUMBERS("\"\"", "\"2\"", "\"-3\""), QUOTE_NO_PRICE},
	    /* not open yet: an old last beside an empty book */
	    {"A", 200, NUMBERS("\"1\"", "\"0.00\"", "\"0.00\""),
		QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("\"1\"", "\"0\"", "\"3x\""), QUOTE_BAD_BODY},
	    /* a dead market: its book would invent a price */
	    {"A", 200, NUMBERS("\"0.00000000\"", "\"2\"", "\"3\""),
		QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("0", "2", "3"), QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("-1", "2", "3"), QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("\"0\"", "\"0\"", "\"0\""), QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("null", "null", "null"), QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("null", "\"0\"", "null"), QUOTE_NO_PRICE},
	    {"A", 200, NUMBERS("\"NaN\"", "\"2\"", "\"3\""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("\"1\"", "\"inf\"", "\"3\""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("\"1\"", "\"2\"", "\"3 \""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("\"1,5\"", "\"2\"", "\"3\""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("true", "\"2\"", "\"3\""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("[\"1\"]", "\"2\"", "\"3\""), QUOTE_BAD_BODY},
	    {"A", 200, NUMBERS("1e400", "2", "3"), QUOTE_BAD_BODY},
	    {"A", 200, /* 65 characters */
		NUMBERS("1."
			"0000000000000000000000000000000000000000000000000000"
			"00000000000",
		    "2", "3"),
		QUOTE_BAD_BODY},
	};
	struct quote q;

	(void)state;
	CHECK("binance", answers);
	assert_int_equal(
	    parse(&q, "binance", "A", 200, NUMBERS("\"1\"", "null", "\"\"")),
	    QUOTE_OK);
	assert_true(q.has_last && !q.has_bid && !q.has_ask);
	assert_int_equal(q.ask.mantissa, 0);
	assert_int_equal(q.ask.exponent, 0);
}

#define C_SAYS(words) "{\"message\":\"" words "\"}"

static void coinbase_exchange_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 404, C_SAYS("NotFound"), QUOTE_UNKNOWN_SYMBOL},
	    {"X", 404, C_SAYS("Not Found"), QUOTE_HTTP_ERROR},
	    {"X", 404, C_SAYS("Route not found"), QUOTE_HTTP_ERROR},
	    {"X", 404, C_SAYS("Not allowed for delisted products"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 400, C_SAYS("Not allowed for delisted products"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 400, C_SAYS("product_id is not a valid product"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 429, C_SAYS("Public rate limit exceeded"),
		QUOTE_RATE_LIMITED},
	    {"X", 400, C_SAYS("Public rate limit exceeded"),
		QUOTE_RATE_LIMITED},
	    {"X", 200, C_SAYS("Public rate limit exceeded"),
		QUOTE_RATE_LIMITED},
	    {"X", 400, C_SAYS("Invalid API Key"), QUOTE_AUTH},
	    {"X", 400, C_SAYS("invalid signature"), QUOTE_AUTH},
	    {"X", 400, C_SAYS("Unsupported granularity"), QUOTE_BAD_REQUEST},
	    {"X", 200, C_SAYS("odd"), QUOTE_BAD_REQUEST},
	    {"X", 500, C_SAYS("Internal server error"), QUOTE_SERVER_ERROR},
	    {"X", 500, C_SAYS("odd"), QUOTE_SERVER_ERROR},
	    {"X", 500, C_SAYS("under maintenance"), QUOTE_MAINTENANCE},
	    {"X", 403, C_SAYS("Forbidden"), QUOTE_BLOCKED},
	};

	(void)state;
	CHECK("coinbase_exchange", answers);
}

static void coinbase_exchange_answers(void **state)
{
	static const char all[] =
	    "{\"ETH-USD\":{\"stats_24hour\":{\"last\":\"2\"}},"
	    "\"BTC-USD\":{\"stats_24hour\":{\"last\":\"3\"},"
	    "\"stats_30day\":{\"volume\":\"1\"}}}";
	static const struct answer answers[] = {
	    {"BTC-USD", 200, "{\"last\":\"3\",\"volume\":\"1\"}", QUOTE_OK},
	    {"BTC-USD", 200, all, QUOTE_OK},
	    {"LTC-USD", 200, all, QUOTE_UNKNOWN_SYMBOL},
	    {"BTC-USD", 200, "{\"BTC-USD\":{}}", QUOTE_BAD_BODY},
	    {"BTC-USD", 200, "{}", QUOTE_BAD_BODY},
	    {"BTC-USD", 200, "[]", QUOTE_BAD_BODY},
	    {"BTC-USD", 200, "{\"volume\":\"1\"}", QUOTE_BAD_BODY},
	    {"BTC-USD", 200, "{\"price\":\"0\",\"bid\":\"1\",\"ask\":\"2\"}",
		QUOTE_NO_PRICE},
	    {"BTC-USD", 200, "{\"price\":\"1\",\"time\":null}", QUOTE_OK},
	    {"BTC-USD", 200, "{\"price\":\"1\",\"time\":1700000000}",
		QUOTE_BAD_BODY},
	    {"BTC-USD", 200,
		"{\"price\":\"1\",\"time\":\"2023-02-30T00:00:00Z\"}",
		QUOTE_BAD_BODY},
	};
	struct quote q;

	(void)state;
	CHECK("coinbase_exchange", answers);
	assert_int_equal(
	    parse(&q, "coinbase_exchange", "BTC-USD", 200, all), QUOTE_OK);
	assert_decimal(q.last, "3");
}

#define K_ROW(last)   "{\"a\":[\"3\"],\"b\":[\"1\"],\"c\":[\"" last "\",\"9\"]}"
#define K_SAYS(words) "{\"error\":[\"" words "\"]}"

static void kraken_errors(void **state)
{
	static const struct answer answers[] = {
	    {"X", 200, K_SAYS("EQuery:Unknown asset pair"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 200, K_SAYS("EQuery:Invalid asset pair"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 200, K_SAYS("EQuery:Unknown asset"), QUOTE_UNKNOWN_SYMBOL},
	    {"X", 404, K_SAYS("EQuery:Unknown asset pair"),
		QUOTE_UNKNOWN_SYMBOL},
	    {"X", 200, K_SAYS("EGeneral:Too many requests"),
		QUOTE_RATE_LIMITED},
	    {"X", 200, K_SAYS("EAPI:Rate limit exceeded"), QUOTE_RATE_LIMITED},
	    {"X", 200, K_SAYS("EService: Throttled: 1700000000"),
		QUOTE_RATE_LIMITED},
	    {"X", 200, K_SAYS("EGeneral:Temporary lockout"),
		QUOTE_RATE_LIMITED},
	    {"X", 200, K_SAYS("EGeneral:Invalid arguments"), QUOTE_BAD_REQUEST},
	    {"X", 200, K_SAYS("EGeneral:Invalid arguments:pair"),
		QUOTE_BAD_REQUEST},
	    {"X", 200, K_SAYS("EGeneral:Unknown method"), QUOTE_BAD_REQUEST},
	    {"X", 200, K_SAYS("EService:Unavailable"), QUOTE_MAINTENANCE},
	    {"X", 500, K_SAYS("EService:Unavailable"), QUOTE_MAINTENANCE},
	    {"X", 520, K_SAYS("EService:Busy"), QUOTE_MAINTENANCE},
	    {"X", 200, K_SAYS("EService:Market in cancel_only mode"),
		QUOTE_MAINTENANCE},
	    {"X", 200, K_SAYS("EService:Deadline elapsed"), QUOTE_TIMEOUT},
	    {"X", 200, K_SAYS("EGeneral:Internal error"), QUOTE_SERVER_ERROR},
	    {"X", 500, K_SAYS("EGeneral:Invalid arguments"),
		QUOTE_SERVER_ERROR},
	    {"X", 200, K_SAYS("EAPI:Invalid key"), QUOTE_AUTH},
	    {"X", 200, K_SAYS("EGeneral:Permission denied"), QUOTE_AUTH},
	    {"X", 200, K_SAYS("ENew:Nobody has seen this"), QUOTE_BAD_REQUEST},
	    {"X", 200, "{\"error\":[5]}", QUOTE_BAD_BODY},
	    {"X", 200, "{\"error\":\"EService:Unavailable\"}", QUOTE_BAD_BODY},
	    {"X", 400, "{\"error\":\"bad\"}", QUOTE_HTTP_ERROR},
	    {"X", 404, "{\"error\":[]}", QUOTE_HTTP_ERROR},
	};

	(void)state;
	CHECK("kraken", answers);
}

static void kraken_answers(void **state)
{
	static const struct answer answers[] = {
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XETHZUSD\":" K_ROW(
		    "5") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_OK},
	    /* the error is about another pair */
	    {"XBTUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_OK},
	    {"NOPEUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"XBTUSD", 200,
		"{\"error\":[\"EQuery:Unknown asset pair\","
		"\"EGeneral:Too many requests\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_RATE_LIMITED},
	    {"XBTUSD", 200,
		"{\"error\":[\"WGeneral:Deprecated\"],"
		"\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_OK},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XXBTZUSD\":" K_ROW("0.000") "}}",
		QUOTE_NO_PRICE},
	    {"ETHUSD", 200,
		"{\"error\":[],\"result\":{\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{}}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"BTC/USD\":" K_ROW(
		    "2") ",\"XXBTZUSD\":" K_ROW("2") "}}",
		QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"error\":[]}", QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":[]}", QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":null}", QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"result\":{\"XBTUSD\":" K_ROW("2") "}}",
		QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{\"XBTUSD\":[]}}",
		QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "{\"error\":[],\"result\":{\"XBTUSD\":{}}}",
		QUOTE_BAD_BODY},
	    {"XBTUSD", 200,
		"{\"error\":[],\"result\":{\"XBTUSD\":{\"c\":\"2\"}}}",
		QUOTE_BAD_BODY},
	    {"XBTUSD", 200, "[]", QUOTE_BAD_BODY},
	};
	struct quote q;

	(void)state;
	CHECK("kraken", answers);
	assert_int_equal(
	    parse(&q, "kraken", "BTC/USD", 200, answers[0].body), QUOTE_OK);
	assert_decimal(q.last, "2");
	assert_int_equal(
	    parse(&q, "kraken", "ETH/USD", 200, answers[0].body), QUOTE_OK);
	assert_decimal(q.last, "5");
}

#define S_ROW(pair, last) "{\"pair\":\"" pair "\",\"last\":\"" last "\"}"

static void bitstamp_errors(void **state)
{
	static const struct answer answers[] = {
	    {"x", 400, "{\"response_code\":\"400.002\"}", QUOTE_RATE_LIMITED},
	    {"x", 200,
		"{\"response_code\":\"400.002\",\"response_explanation\":\"-\"}",
		QUOTE_RATE_LIMITED},
	    {"x", 400, "{\"code\":\"400.067\",\"error\":\"Request rejected\"}",
		QUOTE_RATE_LIMITED},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":\"Rate limit exceeded\"}",
		QUOTE_RATE_LIMITED},
	    {"x", 404,
		"{\"status\":\"error\",\"reason\":\"Invalid currency pair\"}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"x", 404, "{\"code\":\"404.001\",\"error\":\"Market not found\"}",
		QUOTE_UNKNOWN_SYMBOL},
	    {"x", 404, "{\"status\":\"error\",\"reason\":\"Not found\"}",
		QUOTE_HTTP_ERROR},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":{\"__all__\":[\"x\"]}}",
		QUOTE_BAD_REQUEST},
	    {"x", 400,
		"{\"status\":\"error\",\"reason\":\"Invalid signature\","
		"\"code\":\"API0005\"}",
		QUOTE_AUTH},
	    {"x", 200,
		"{\"status\":\"error\",\"reason\":\"Under maintenance\"}",
		QUOTE_MAINTENANCE},
	    {"x", 500, "{\"error\":\"Internal server error\"}",
		QUOTE_SERVER_ERROR},
	    {"x", 500, "{\"error\":\"something\"}", QUOTE_SERVER_ERROR},
	    {"x", 500, "{\"error\":\"Service Unavailable\"}",
		QUOTE_SERVER_ERROR},
	    {"x", 404, "{}", QUOTE_HTTP_ERROR},
	};

	(void)state;
	CHECK("bitstamp", answers);
}

static void bitstamp_answers(void **state)
{
	static const char all[] = "[" S_ROW("ETH/USD", "2") "," S_ROW(
	    "BTC/USD", "3") "," S_ROW("BTC/USD-PERP", "4") "]";
	static const struct answer answers[] = {
	    {"btcusd", 200, "{\"last\":\"3\"}", QUOTE_OK},
	    {"btcusd", 200, S_ROW("BTC/USD", "3"), QUOTE_OK},
	    {"BTC/USD", 200, S_ROW("BTC/USD", "3"), QUOTE_OK},
	    {"btcusd", 200, S_ROW("BTC/USD-PERP", "3"), QUOTE_UNKNOWN_SYMBOL},
	    {"ethusd", 200, S_ROW("BTC/USD", "3"), QUOTE_UNKNOWN_SYMBOL},
	    {"B/TCUSD", 200, S_ROW("BTC/USD", "3"), QUOTE_UNKNOWN_SYMBOL},
	    {"btcusd", 200, all, QUOTE_OK},
	    {"btcusd-perp", 200, all, QUOTE_OK},
	    {"fooxyz", 200, all, QUOTE_UNKNOWN_SYMBOL},
	    {"btc", 200, all, QUOTE_UNKNOWN_SYMBOL},
	    {"btcusd", 200, "[]", QUOTE_UNKNOWN_SYMBOL},
	    {"btcusd", 200, "{\"pair\":5,\"last\":\"3\"}", QUOTE_BAD_BODY},
	    {"btcusd", 200, "[{\"last\":\"3\"}]", QUOTE_BAD_BODY},
	    {"btcusd", 200,
		"[" S_ROW("BTC/USD", "3") "," S_ROW("BTC/USD", "4") "]",
		QUOTE_BAD_BODY},
	    {"btcusd", 200, "{}", QUOTE_BAD_BODY},
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"yesterday\"}",
		QUOTE_BAD_BODY},
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"1700000000000\"}",
		QUOTE_BAD_BODY}, /* milliseconds: the year 55840 */
	    {"btcusd", 200, "{\"last\":\"3\",\"timestamp\":\"-1\"}",
		QUOTE_BAD_BODY},
	};
	struct quote q;

	(void)state;
	CHECK("bitstamp", answers);
	assert_int_equal(parse(&q, "bitstamp", "btcusd", 200, all), QUOTE_OK);
	assert_decimal(q.last, "3");
	assert_int_equal(
	    parse(&q, "bitstamp", "BTC/USD-PERP", 200, all), QUOTE_OK);
	assert_decimal(q.last, "4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binance_errors),
	    cmocka_unit_test(binance_answers),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(coinbase_exchange_errors),
	    cmocka_unit_test(coinbase_exchange_answers),
	    cmocka_unit_test(kraken_errors),
	    cmocka_unit_test(kraken_answers),
	    cmocka_unit_test(bitstamp_errors),
	    cmocka_unit_test(bitstamp_answers),
	};

	return cmocka_run_group_tests_name("adapters", tests, NULL, NULL);
}
