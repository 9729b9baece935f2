/*
 * adapters_htx_coingecko: own answers in the forms that HTX and CoinGecko
 * document; recorded ones are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

/* One answer, which came with 200. */
static void check_one(const char *exchange, const char *symbol,
    const char *body, const char *gives)
{
	const struct answer answer = {symbol, 200, body, gives};

	answers_check(exchange, &answer, 1);
}

/* ---- HTX ---- */

#define H_MERGED(symbol, tick)                                           \
	"{\"ch\":\"market." symbol ".detail.merged\",\"status\":\"ok\"," \
	"\"ts\":1700000000123,\"tick\":" tick "}"
#define H_TICK \
	"{\"id\":1,\"close\":1.5E3,\"bid\":[1499.5,0.1],\"ask\":[1500.5,2]}"
#define H_ALL(rows) \
	"{\"status\":\"ok\",\"ts\":1700000000123,\"data\":[" rows "]}"
#define H_ROW(symbol, close)                          \
	"{\"symbol\":\"" symbol "\",\"close\":" close \
	",\"bid\":1.4,\"bidSize\":3,\"ask\":1.6,\"askSize\":9}"
#define H_SAYS(code, words)                                                    \
	"{\"status\":\"error\",\"err-code\":\"" code "\",\"err-msg\":\"" words \
	"\",\"data\":null}"

static void htx_prices(void **state)
{
	(void)state;
	check_one("htx", "btcusdt", H_MERGED("btcusdt", H_TICK),
	    "1500 1499.5 1500.5 1700000000123");
	/* strings among the numbers */
	check_one("htx", "BTC_CQ",
	    H_MERGED("BTC_CQ", "{\"close\":\"9060.88\",\"bid\":[9060.8,12],"
			       "\"ask\":[\"9061\",3],\"ts\":5}"),
	    "9060.88 9060.8 9061 1700000000123");
	check_one("htx", "btcusdt",
	    H_MERGED("btcusdt",
		"{\"close\":9468.900000000000000000,"
		"\"vol\":90090730.707133525077464434840000000000000000,"
		"\"bid\":null,\"ask\":[]}"),
	    "9468.90000000000000 - - 1700000000123");
	check_one("htx", "bb",
	    H_ALL(H_ROW("aa", "9.0") "," H_ROW("bb", "1.50")),
	    "1.50 1.4 1.6 1700000000123");
	answers_check_numbers("htx", "btcusdt",
	    "{\"status\":\"ok\",\"ch\":\"market.btcusdt.detail.merged\","
	    "\"tick\":{\"close\":",
	    "}}");
	answers_check_numbers("htx", "a",
	    "{\"status\":\"ok\",\"data\":[{\"symbol\":\"a\",\"close\":", "}]}");
}

static void htx_answers(void **state)
{
	static const struct answer answers[] = {
	    {"ethusdt", 200, H_MERGED("btcusdt", H_TICK), "unknown_symbol"},
	    {"btc", 200, H_MERGED("btcusdt", H_TICK), "unknown_symbol"},
	    {"btcusdt", 200, H_MERGED("btc", H_TICK), "unknown_symbol"},
	    {"btcusdt.detail", 200, H_MERGED("btcusdt", H_TICK),
		"unknown_symbol"},
	    {"BTCUSDT", 200, H_MERGED("btcusdt", H_TICK), "unknown_symbol"},
	    {"a", 200, "{\"status\":\"ok\",\"ts\":5,\"tick\":" H_TICK "}",
		"bad_body"},
	    {"a", 200, "{\"ch\":\"market.a.kline.1min\",\"status\":\"ok\"}",
		"unknown_symbol"},
	    {"a", 200, "{\"ch\":\"a\",\"status\":\"ok\"}", "unknown_symbol"},
	    {"a", 200, H_MERGED("a", "null"), "bad_body"},
	    {"a", 200, H_MERGED("a", "[]"), "bad_body"},
	    {"a", 200, H_MERGED("a", "{}"), "bad_body"},
	    {"a", 200, H_MERGED("a", "{\"close\":0,\"bid\":[1,1]}"),
		"no_price"},
	    {"a", 200,
		"{\"ch\":\"market.a.detail.merged\",\"ts\":5,"
		"\"tick\":" H_TICK "}",
		"bad_body"},
	    {"a", 200,
		"{\"status\":1,\"ch\":\"market.a.detail.merged\","
		"\"tick\":" H_TICK "}",
		"bad_body"},
	    {"a", 200,
		"{\"status\":\"ok\",\"ts\":\"x\",\"ch\":"
		"\"market.a.detail.merged\",\"tick\":" H_TICK "}",
		"bad_body"},
	    {"a", 200, H_ALL(""), "unknown_symbol"},
	    {"a", 200, H_ALL(H_ROW("a", "1") "," H_ROW("a", "2")), "bad_body"},
	    {"a", 200, H_ALL("{\"close\":1}"), "bad_body"},
	    {"a", 200, "[]", "bad_body"},
	    {"a", 200, "{}", "bad_body"},
	    {"a", 200, "", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("htx", answers);
}

static void htx_errors(void **state)
{
	static const struct answer answers[] = {
	    {"a", 200, H_SAYS("invalid-parameter", "invalid symbol"),
		"unknown_symbol"},
	    {"a", 200, H_SAYS("invalid-parameter", "symbol trade not open now"),
		"unknown_symbol"},
	    {"a", 400, H_SAYS("base-symbol-error", "x"), "unknown_symbol"},
	    {"a", 200, H_SAYS("base-symbol-trade-disabled", "x"),
		"unknown_symbol"},
	    {"a", 200,
		"{\"status\":\"error\",\"err_code\":1013,\"err_msg\":\"x\"}",
		"unknown_symbol"},
	    {"a", 200,
		"{\"status\":\"error\",\"err_code\":1,\"err_msg\":"
		"\"The contract doesn't exist.\"}",
		"unknown_symbol"},
	    {"a", 200,
		H_SAYS("require-symbol", "Parameter `symbol` is required."),
		"bad_request"},
	    {"a", 200, H_SAYS("invalid-parameter", "invalid size"),
		"bad_request"},
	    {"a", 200, H_SAYS("bad-request", "x"), "bad_request"},
	    {"a", 200, H_SAYS("too-many-requests", "x"), "rate_limited"},
	    {"a", 200, H_SAYS("rate-too-many-requests", "x"), "rate_limited"},
	    {"a", 200, H_SAYS("base-request-exceed-frequency-limit", "x"),
		"rate_limited"},
	    {"a", 429, H_SAYS("x", "x"), "rate_limited"},
	    {"a", 200, H_SAYS("system-maintenance", "x"), "maintenance"},
	    {"a", 200, H_SAYS("x", "System is in maintenance!"), "maintenance"},
	    {"a", 200, H_SAYS("gateway-internal-error", "x"), "server_error"},
	    {"a", 200, H_SAYS("timeout", "x"), "timeout"},
	    {"a", 200, H_SAYS("api-signature-not-valid", "Signature not valid"),
		"auth"},
	    {"a", 500, H_SAYS("x", "x"), "server_error"},
	    {"a", 404, "{\"status\":404,\"error\":\"Not Found\"}",
		"http_error"},
	    {"a", 200, "{\"status\":\"error\"}", "bad_request"},
	    /* whatever else it says */
	    {"a", 200,
		"{\"status\":\"error\",\"ch\":\"market.a.detail.merged\","
		"\"tick\":" H_TICK "}",
		"bad_request"},
	    {"a", 404, H_MERGED("a", H_TICK), "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("htx", answers);
}

static void htx_batch_and_targets(void **state)
{
	static const char body[] = H_ALL(
	    H_ROW("a", "1.0") "," H_ROW("b", "1.5") "," H_ROW("dead", "0"));

	(void)state;
	answers_check_each("htx",
	    (const char *[]){"b", "nope", "dead", "a", NULL}, body,
	    (const char *[]){"1.5 1.4 1.6 1700000000123", "unknown_symbol",
		"no_price", "1.0 1.4 1.6 1700000000123"});
	ANSWERS_TARGET(
	    "htx", "/market/detail/merged?symbol=btcusdt", "btcusdt", NULL);
	ANSWERS_TARGET("htx", "/market/tickers", NULL);
	ANSWERS_TARGET("htx", "", "btcusdt", "ethusdt", NULL);
	ANSWERS_TARGET("htx", "", "btc/usdt", NULL);
	ANSWERS_TARGET("htx", "", "btcusdt&x=1", NULL);
}

/* ---- CoinGecko ---- */

#define G_SAYS(code, words) \
	"{\"status\":{\"error_code\":" code ",\"error_message\":\"" words "\"}}"

static void coingecko_prices(void **state)
{
	static const char body[] =
	    "{\"dai\":{\"eth\":3.068e-4,\"usd\":1.0},"
	    "\"bitcoin\":{\"eth\":31.9,\"usd\":60997,"
	    "\"last_updated_at\":1700000000},\"status\":{\"usd\":0.02}}";

	(void)state;
	check_one("coingecko", "bitcoin", body, "60997 - - 1700000000000");
	check_one("coingecko", "bitcoin/usd", body, "60997 - - 1700000000000");
	check_one("coingecko", "bitcoin/eth", body, "31.9 - - 1700000000000");
	check_one("coingecko", "dai/eth", body, "0.0003068 - - -");
	check_one("coingecko", "status", body, "0.02 - - -");
	check_one("coingecko", "error", "{\"error\":{\"usd\":3}}", "3 - - -");
}

static void coingecko_numbers(void **state)
{
	(void)state;
	answers_check_numbers("coingecko", "a", "{\"a\":{\"usd\":", "}}");
}

static void coingecko_answers(void **state)
{
	static const struct answer answers[] = {
	    {"nope", 200, "{}", "unknown_symbol"},
	    {"bit", 200, "{\"bitcoin\":{\"usd\":1}}", "unknown_symbol"},
	    {"bitcoin", 200, "{\"bit\":{\"usd\":1}}", "unknown_symbol"},
	    {"Bitcoin", 200, "{\"bitcoin\":{\"usd\":1}}", "unknown_symbol"},
	    {"/usd", 200, "{\"\":{\"usd\":1}}", "1 - - -"},
	    {"a", 200, "{\"a\":{}}", "no_price"},
	    {"a", 200, "{\"a\":{\"last_updated_at\":1700000000}}", "no_price"},
	    {"a/eth", 200, "{\"a\":{\"usd\":1}}", "no_price"},
	    {"a", 200, "{\"a\":{\"usd\":null}}", "no_price"},
	    {"a", 200, "{\"a\":{\"usd\":0}}", "no_price"},
	    {"a", 200, "{\"a\":{\"usd\":-1}}", "no_price"},
	    {"a", 200, "{\"a\":{\"usd\":\"NaN\"}}", "bad_body"},
	    {"a", 200, "{\"a\":{\"usd\":1e99}}", "bad_body"},
	    {"a", 200, "{\"a\":{\"usd\":1,\"last_updated_at\":\"now\"}}",
		"bad_body"},
	    {"a", 200, "{\"a\":{\"usd\":1,\"last_updated_at\":null}}",
		"1 - - -"},
	    {"a", 200, "{\"a\":1}", "bad_body"},
	    {"a", 200, "{\"a\":null}", "bad_body"},
	    {"a", 200, "{\"a\":{\"usd\":1},\"a\":{\"usd\":1}}", "bad_body"},
	    {"a", 200, "[]", "bad_body"},
	    {"a", 200, "[{\"a\":{\"usd\":1}}]", "bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("coingecko", answers);
}

static void coingecko_errors(void **state)
{
	static const struct answer answers[] = {
	    {"a", 429, G_SAYS("429", "x"), "rate_limited"},
	    {"a", 200, G_SAYS("429", "x"), "rate_limited"},
	    {"status", 200, G_SAYS("429", "x"), "rate_limited"},
	    {"a", 200, "{\"error\":" G_SAYS("429", "x") "}", "rate_limited"},
	    {"a", 200, G_SAYS("1", "You've exceeded the Rate Limit."),
		"rate_limited"},
	    {"a", 401, G_SAYS("10002", "x"), "auth"},
	    {"a", 400, G_SAYS("10010", "x"), "auth"},
	    {"a", 400, "{\"error\":" G_SAYS("10011", "x") "}", "auth"},
	    {"a", 400, G_SAYS("10005", "limited to subscribers"), "auth"},
	    {"a", 200, G_SAYS("1020", "Access Denied"), "blocked"},
	    {"a", 200, G_SAYS("500", "Internal Server Error"), "server_error"},
	    {"a", 404, "{\"error\":\"coin not found\"}", "unknown_symbol"},
	    {"a", 422, "{\"error\":\"Missing parameter vs_currencies\"}",
		"bad_request"},
	    {"a", 404, "{\"error\":\"Not found\"}", "http_error"},
	    {"a", 404, "{}", "http_error"},
	    /* whatever else it says */
	    {"a", 200, "{\"a\":{\"usd\":1},\"status\":{\"error_code\":429}}",
		"rate_limited"},
	    {"a", 404, "{\"a\":{\"usd\":1}}", "http_error"},
	};

	(void)state;
	ANSWERS_CHECK("coingecko", answers);
}

#define G_ASK(ids, currencies)                                       \
	"/api/v3/simple/price?ids=" ids "&vs_currencies=" currencies \
	"&include_last_updated_at=true"

static void coingecko_targets(void **state)
{
	static const char *const refused[] = {"", "/usd", "a/", "a/usd/eth",
	    "a/last_updated_at", "a,b", "a b", "a&x=1", "a/u%73d",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	const struct exchange *e = exchange_find("coingecko");
	char texts[EXCHANGE_NAMED_MAX + 1][EXCHANGE_SYMBOL_MAX];
	const char *many[EXCHANGE_NAMED_MAX + 2] = {NULL};
	char out[EXCHANGE_TARGET_MAX];

	(void)state;
	ANSWERS_TARGET("coingecko", G_ASK("bitcoin", "usd"), "bitcoin", NULL);
	ANSWERS_TARGET(
	    "coingecko", G_ASK("bitcoin", "eth"), "bitcoin/eth", NULL);
	ANSWERS_TARGET("coingecko", G_ASK("bitcoin,usd-coin", "usd,eth"),
	    "bitcoin", "usd-coin/eth", "bitcoin/eth", "bitcoin/usd", NULL);
	ANSWERS_TARGET("coingecko", "", NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ANSWERS_TARGET("coingecko", "", refused[i], NULL);
	/* The longest that can be asked for has room. */
	for (size_t i = 0; i <= EXCHANGE_NAMED_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]),
		    "coin-with-a-long-name-%02zu/cur%02zu", i, i);
		many[i] = texts[i];
	}
	assert_int_equal(e->format_target(out, many, EXCHANGE_NAMED_MAX), 0);
	answers_check_target("coingecko", many, "");
	assert_true(e->check_only && e->whole_from == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(htx_prices),
	    cmocka_unit_test(htx_answers),
	    cmocka_unit_test(htx_errors),
	    cmocka_unit_test(htx_batch_and_targets),
	    cmocka_unit_test(coingecko_prices),
	    cmocka_unit_test(coingecko_numbers),
	    cmocka_unit_test(coingecko_answers),
	    cmocka_unit_test(coingecko_errors),
	    cmocka_unit_test(coingecko_targets),
	};

	return cmocka_run_group_tests_name(
	    "adapters_htx_coingecko", tests, NULL, NULL);
}
