/*
 * exchange: what is asked, and what is alike for all answers: the status comes
 * first. What each exchange says is in test_adapters, recorded answers are in
 * test_exchange_vectors.
 */
#include "feeds/exchanges/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static void the_table(void **state)
{
	char target[EXCHANGE_TARGET_MAX];

	(void)state;
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		const struct exchange *exchange = exchange_table[i];
		assert_ptr_equal(exchange_find(exchange->name), exchange);
		assert_true(strlen(exchange->name) < EXCHANGE_NAME_MAX);
		assert_true(exchange->spacing_ms > 0);
		/* at most half of what is allowed */
		assert_true(60000 / exchange->spacing_ms <=
			    exchange->limit_per_min / 2);
		assert_in_range(exchange->named_max, 1, EXCHANGE_NAMED_MAX);
		assert_non_null(exchange->limit);
		/* Who asks for the whole market can. */
		assert_int_equal(exchange->format_target(target, NULL, 0) == 0,
		    exchange->whole_from != 0);
		assert_true(exchange->whole_from == 0 ||
			    exchange->whole_from > exchange->named_max);
		if (i > 0)
			assert_true(strcmp(exchange_table[i - 1]->name,
					exchange->name) < 0);
	}
	assert_null(exchange_find("mtgox"));
	assert_null(exchange_find(""));
}

/* ---- what is asked ---- */

static void targets(void **state)
{
	static const char *const cases[][3] = {
	    {"binance", "BTCUSDT",
		"/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D"},
	    {"coinbase_exchange", "BTC-USD", "/products/BTC-USD/ticker"},
	    {"kraken", "XBTUSD", "/0/public/Ticker?pair=XBTUSD"},
	    {"kraken", "BTC/USD", "/0/public/Ticker?pair=BTC/USD"},
	    {"bitstamp", "btcusd", "/api/v2/ticker/btcusd/"},
	    {"bitstamp", "BTC/USD", "/api/v2/ticker/btcusd/"},
	    {"bitstamp", "BTC/USD-PERP", "/api/v2/ticker/btcusd-perp/"},
	};
	char target[EXCHANGE_TARGET_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct exchange *exchange = exchange_find(cases[i][0]);
		assert_int_equal(
		    exchange_target(target, exchange, cases[i][1]), 0);
		assert_string_equal(target, cases[i][2]);
	}
}

/* Nothing in a symbol can leave its place in the request. */
static void hostile_symbols(void **state)
{
	static const char *const symbols[] = {"", " ", "BTC USD", "BTC\r\nX: y",
	    "BTCUSD&x=1", "BTCUSD?x", "BTCUSD#", "BTC%55SD", "BTC\"USD",
	    "BTC\\USD", "B\xc3\x84USD", "../../etc?", "BTCUSD,ETHUSD",
	    "BTC-USD/../../x?", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/",
	    "\x7f"};

	(void)state;
	for (size_t e = 0; exchange_table[e] != NULL; e++) {
		const struct exchange *exchange = exchange_table[e];
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]);
		     i++) {
			char target[EXCHANGE_TARGET_MAX] = "x";
			bool kraken = strcmp(exchange->name, "kraken") == 0;
			if (kraken && strcmp(symbols[i], "/") == 0)
				continue; /* harmless in a query */
			assert_int_equal(
			    exchange_target(target, exchange, symbols[i]), -1);
			assert_string_equal(target, "");
		}
	}
}

/* ---- status ---- */

/* A complete ticker, and the symbol it is for; test_exchange_samples has one
 * of every exchange. */
static const struct {
	const char *exchange, *symbol, *body;
} tickers[] = {
    {"binance", "BTCUSDT",
	"{\"symbol\":\"BTCUSDT\",\"lastPrice\":\"1.5\",\"bidPrice\":\"1.4\","
	"\"askPrice\":\"1.6\",\"closeTime\":1700000000123}"},
    {"coinbase_exchange", "BTC-USD",
	"{\"price\":\"1.5\",\"bid\":\"1.4\",\"ask\":\"1.6\","
	"\"time\":\"2023-11-14T22:13:20.123456Z\"}"},
    {"kraken", "XBTUSD",
	"{\"error\":[],\"result\":{\"XXBTZUSD\":{\"a\":[\"1.6\",\"1\",\"1\"],"
	"\"b\":[\"1.4\",\"1\",\"1\"],\"c\":[\"1.5\",\"2\"]}}}"},
    {"bitstamp", "btcusd",
	"{\"last\": \"1.5\", \"bid\": \"1.4\", \"ask\": \"1.6\", "
	"\"timestamp\": \"1700000000\", \"pair\": \"BTC/USD\"}"},
};
#define TICKERS (sizeof(tickers) / sizeof(tickers[0]))

static enum quote_error class_of(int status)
{
	static const struct {
		int status;
		enum quote_error error;
	} classes[] = {{401, QUOTE_AUTH}, {403, QUOTE_BLOCKED},
	    {408, QUOTE_TIMEOUT}, {504, QUOTE_TIMEOUT}, {418, QUOTE_BANNED},
	    {429, QUOTE_RATE_LIMITED}, {451, QUOTE_GEO_BLOCKED},
	    {503, QUOTE_MAINTENANCE}};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (classes[i].status == status)
			return classes[i].error;
	}
	if (status < 400)
		return status < 300 ? QUOTE_OK : QUOTE_REDIRECT;
	return status < 500 ? QUOTE_HTTP_ERROR : QUOTE_SERVER_ERROR;
}

/* Whatever the body: even a complete ticker. */
static void status_comes_first(void **state)
{
	(void)state;
	for (int status = 200; status < 600; status++) {
		for (size_t i = 0; i < TICKERS; i++) {
			struct quote q;
			enum quote_error error = parse(&q, tickers[i].exchange,
			    tickers[i].symbol, status, tickers[i].body);
			assert_int_equal(error, class_of(status));
			if (error != QUOTE_OK)
				assert_true(is_empty(&q));
			error = parse(&q, tickers[i].exchange,
			    tickers[i].symbol, status, "<html>");
			assert_int_equal(error,
			    status < 300 ? QUOTE_BAD_BODY : class_of(status));
		}
	}
}

/* An answer about other symbols is no error of the exchange's own. */
static void status_comes_before_the_symbol(void **state)
{
	struct quote q;

	(void)state;
	for (size_t i = 0; i < TICKERS; i++) {
		assert_int_equal(parse(&q, tickers[i].exchange, "OTHERUSD", 500,
				     tickers[i].body),
		    QUOTE_SERVER_ERROR);
		assert_int_equal(parse(&q, tickers[i].exchange, "OTHERUSD", 404,
				     tickers[i].body),
		    QUOTE_HTTP_ERROR);
	}
	assert_int_equal(
	    parse(&q, "bitstamp", "btcusd", 500, "[]"), QUOTE_SERVER_ERROR);
	assert_int_equal(
	    parse(&q, "binance", "BTCUSDT", 502, "[]"), QUOTE_SERVER_ERROR);
}

static void assert_decimal(struct decimal d, const char *wanted)
{
	char text[DECIMAL_STRMAX];

	decimal_format(d, text);
	assert_string_equal(text, wanted);
}

static void tickers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < TICKERS; i++) {
		struct quote q;
		int64_t ms = strcmp(tickers[i].exchange, "bitstamp") == 0
				 ? 1700000000000
				 : 1700000000123;
		assert_int_equal(parse(&q, tickers[i].exchange,
				     tickers[i].symbol, 200, tickers[i].body),
		    QUOTE_OK);
		assert_decimal(q.last, "1.5");
		assert_decimal(q.bid, "1.4");
		assert_decimal(q.ask, "1.6");
		if (strcmp(tickers[i].exchange, "kraken") == 0)
			assert_false(q.has_exchange_ms);
		else
			assert_int_equal(q.exchange_ms, ms);
	}
}

static void no_cut_of_a_ticker_is_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < TICKERS; i++) {
		for (size_t len = 0; len < strlen(tickers[i].body); len++) {
			struct quote q;
			assert_int_equal(
			    exchange_parse(&q,
				exchange_find(tickers[i].exchange),
				tickers[i].symbol, 200, tickers[i].body, len),
			    QUOTE_BAD_BODY);
		}
	}
}

/* The forms for one symbol that do not name it. Two of the symbols asked for
 * look as if it could be theirs. */
static const struct {
	const char *exchange, *symbols[3], *body;
} unnamed[] = {
    {"bitfinex", {"tBTCUSD", "tETHUSD", "tLTCUSD"},
	"[1.4,1,1.6,1,0.1,0.01,1.5,9,2,1]"},
    {"bitstamp", {"btcusd", "ethusd", "ltcusd"},
	"{\"last\":\"1.5\",\"bid\":\"1.4\",\"ask\":\"1.6\","
	"\"timestamp\":\"1700000000\"}"},
    {"coinbase_exchange", {"BTC-USD", "ETH-USD", "LTC-USD"},
	"{\"price\":\"1.5\",\"bid\":\"1.4\",\"ask\":\"1.6\"}"},
    {"coinbase_exchange", {"BTC-USD", "ETH-USD", "LTC-USD"},
	"{\"last\":\"1.5\",\"volume\":\"9\"}"},
    {"gemini", {"btcusd", "ethusd", "ltcusd"},
	"{\"bid\":\"1.4\",\"ask\":\"1.6\",\"last\":\"1.5\"}"},
    /* The first is named by its volumes, the others' need not be. */
    {"gemini", {"btcusd", "ethgusdperp", "solgusdperp"},
	"{\"bid\":\"1.4\",\"ask\":\"1.6\",\"last\":\"1.5\",\"volume\":"
	"{\"BTC\":\"1\",\"USD\":\"2\",\"timestamp\":1700000000000}}"},
    {"gemini", {"solgusdperp", "btcusd", "ethusd"},
	"{\"bid\":\"1.4\",\"ask\":\"1.6\",\"last\":\"1.5\",\"volume\":"
	"{\"BTC\":\"1\",\"USD\":\"2\",\"timestamp\":1700000000000}}"},
    {"kucoin", {"BTC-USDT", "ETH-USDT", "LTC-USDT"},
	"{\"code\":\"200000\",\"data\":{\"price\":\"1.5\",\"bestBid\":"
	"\"1.4\",\"bestAsk\":\"1.6\",\"time\":1700000000000}}"},
};

static bool parse_unnamed(
    struct exchange_reading readings[3], size_t i, size_t first, size_t count)
{
	for (size_t s = 0; s < count; s++)
		readings[s].symbol = unnamed[i].symbols[first + s];
	return exchange_parse_each(exchange_find(unnamed[i].exchange), readings,
	    count, 200, unnamed[i].body, strlen(unnamed[i].body));
}

static void a_nameless_price_is_of_one_symbol(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unnamed) / sizeof(unnamed[0]); i++) {
		struct exchange_reading readings[3];
		assert_true(parse_unnamed(readings, i, 0, 1));
		assert_decimal(readings[0].quote.last, "1.5");
		assert_false(parse_unnamed(readings, i, 0, 3));
		for (size_t s = 0; s < 3; s++) {
			assert_int_equal(readings[s].error, QUOTE_BAD_BODY);
			assert_true(is_empty(&readings[s].quote));
		}
	}
}

/* Two markets at the same price, and one that is asked for twice. */
static void same_prices_by_name_are_good(void **state)
{
	static const char body[] =
	    "[{\"symbol\":\"USDCUSDT\",\"price\":\"1.5\"},"
	    "{\"symbol\":\"TUSDUSDT\",\"price\":\"1.5\"}]";
	struct exchange_reading readings[3] = {{.symbol = "USDCUSDT"},
	    {.symbol = "TUSDUSDT"}, {.symbol = "USDCUSDT"}};

	(void)state;
	assert_true(exchange_parse_each(
	    exchange_find("binance"), readings, 3, 200, body, strlen(body)));
	for (size_t s = 0; s < 3; s++) {
		assert_int_equal(readings[s].error, QUOTE_OK);
		assert_decimal(readings[s].quote.last, "1.5");
	}
}

static void too_large(void **state)
{
	size_t len = EXCHANGE_BODY_MAX + 1;
	char *body = malloc(len);
	struct quote q;

	(void)state;
	assert_non_null(body);
	memset(body, ' ', len);
	memcpy(body, tickers[0].body, strlen(tickers[0].body));
	assert_int_equal(exchange_parse(&q, exchange_find("binance"), "BTCUSDT",
			     200, body, len),
	    QUOTE_TOO_LARGE);
	assert_int_equal(exchange_parse(&q, exchange_find("binance"), "BTCUSDT",
			     200, body, len - 1),
	    QUOTE_OK);
	assert_int_equal(exchange_parse(&q, exchange_find("binance"), "BTCUSDT",
			     500, body, len),
	    QUOTE_SERVER_ERROR);
	assert_int_equal(exchange_parse(&q, exchange_find("binance"), "BTCUSDT",
			     404, body, len),
	    QUOTE_HTTP_ERROR);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(hostile_symbols),
	    cmocka_unit_test(status_comes_first),
	    cmocka_unit_test(status_comes_before_the_symbol),
	    cmocka_unit_test(tickers_are_read),
	    cmocka_unit_test(no_cut_of_a_ticker_is_one),
	    cmocka_unit_test(a_nameless_price_is_of_one_symbol),
	    cmocka_unit_test(same_prices_by_name_are_good),
	    cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
