/*
 * adapter_coinmarketcap: own answers in the form that CoinMarketCap documents;
 * recorded ones are read by test_exchange_vectors.
 */
#include "tests/unit/feeds/answers.h"

#define M_OK         "\"status\":{\"error_code\":0,\"error_message\":null}"
#define M_DATA(rows) "{" M_OK ",\"data\":{" rows "}}"
#define M_COIN(key, id, quote) \
	"\"" key "\":{\"id\":" id ",\"is_active\":1,\"quote\":{" quote "}}"
#define M_USD(price) "\"USD\":{\"price\":" price "}"
#define M_ONE(price) M_DATA(M_COIN("1", "1", M_USD(price)))
#define M_SAYS(code, words) \
	"{\"status\":{\"error_code\":" code ",\"error_message\":\"" words "\"}}"

static void prices(void **state)
{
	static const char both[] = M_DATA(M_COIN("1027", "1027",
	    M_USD("2150.25") ",\"EUR\":{\"price\":9}") "," M_COIN("1", "1",
	    "\"USD\":{\"price\":60997.12345678901,\"last_updated\":"
	    "\"2023-11-14T22:13:20.123Z\"}"));
	const struct answer answers[] = {
	    {"1", 200, both, "60997.12345678901 - - 1700000000123"},
	    {"1027", 200, both, "2150.25 - - -"},
	    {"825", 200, both, "unknown_symbol"},
	    {"102", 200, both, "unknown_symbol"},
	    {"", 200, both, "unknown_symbol"},
	    {"1", 200, M_ONE("6.5e-8"), "0.000000065 - - -"},
	    {"1", 200, M_ONE("\"3\""), "3 - - -"},
	};

	(void)state;
	ANSWERS_CHECK("coinmarketcap", answers);
	answers_check_each("coinmarketcap",
	    (const char *[]){"1", "825", "1027", NULL}, both,
	    (const char *[]){"60997.12345678901 - - 1700000000123",
		"unknown_symbol", "2150.25 - - -"});
	answers_check_numbers("coinmarketcap", "1",
	    "{" M_OK
	    ",\"data\":{\"1\":{\"id\":1,\"quote\":{\"USD\":{\"price\":",
	    "}}}}}");
}

static void what_is_no_price(void **state)
{
	static const struct answer answers[] = {
	    {"1", 200, M_ONE("null"), "no_price"},
	    {"1", 200, M_ONE("0"), "no_price"},
	    {"1", 200, M_ONE("-1"), "no_price"},
	    {"1", 200, M_ONE("[1]"), "bad_body"},
	    {"1", 200, M_DATA(M_COIN("1", "1", "\"EUR\":{\"price\":1}")),
		"bad_body"},
	    {"1", 200, M_DATA("\"1\":{\"id\":1}"), "bad_body"},
	    {"1", 200, M_DATA("\"1\":null"), "bad_body"},
	    /* nobody trades it any more */
	    {"1", 200,
		M_DATA("\"1\":{\"id\":1,\"is_active\":0,\"quote\":{" M_USD(
		    "3") "}}"),
		"no_price"},
	    /* it says itself that it is another */
	    {"1", 200, M_DATA(M_COIN("1", "2", M_USD("3"))), "bad_body"},
	    {"1", 200, M_DATA(M_COIN("1", "\"x\"", M_USD("3"))), "bad_body"},
	    {"a", 200, M_DATA(M_COIN("a", "0", M_USD("3"))), "bad_body"},
	    {"1", 200, M_DATA("\"1\":{\"quote\":{" M_USD("3") "}}"),
		"bad_body"},
	    /* by ticker, which many share */
	    {"BTC", 200,
		M_DATA("\"BTC\":[{\"id\":1,\"quote\":{" M_USD("3") "}}]"),
		"bad_body"},
	    {"1", 200,
		M_DATA(M_COIN("1", "1",
		    "\"USD\":{\"price\":3,\"last_updated\":\"noon\"}")),
		"bad_body"},
	    {"1", 200,
		M_DATA(M_COIN(
		    "1", "1", "\"USD\":{\"price\":3,\"last_updated\":5}")),
		"bad_body"},
	    {"1", 200,
		M_DATA(M_COIN(
		    "1", "1", "\"USD\":{\"price\":3,\"last_updated\":null}")),
		"3 - - -"},
	    {"1", 200, "{" M_OK "}", "bad_body"},
	    {"1", 200, "{" M_OK ",\"data\":[]}", "bad_body"},
	    {"1", 200, "{" M_OK ",\"data\":{}}", "unknown_symbol"},
	    {"1", 200, "[]", "bad_body"},
	    /* success must be said */
	    {"1", 200, "{\"data\":{" M_COIN("1", "1", M_USD("3")) "}}",
		"bad_body"},
	    {"1", 200,
		"{\"status\":{},\"data\":{" M_COIN("1", "1", M_USD("3")) "}}",
		"bad_body"},
	};

	(void)state;
	ANSWERS_CHECK("coinmarketcap", answers);
}

static void errors(void **state)
{
	static const struct answer answers[] = {
	    {"1", 401, M_SAYS("1001", "This API Key is invalid."), "auth"},
	    {"1", 401, M_SAYS("1002", "API key missing."), "auth"},
	    {"1", 402, M_SAYS("1003", "must be activated"), "auth"},
	    {"1", 402, M_SAYS("1004", "has expired"), "auth"},
	    {"1", 403, M_SAYS("1006", "your plan"), "blocked"},
	    {"1", 200, M_SAYS("1006", "your plan"), "auth"},
	    {"1", 429, M_SAYS("1008", "x"), "rate_limited"},
	    {"1", 200, M_SAYS("1008", "x"), "rate_limited"},
	    {"1", 200, M_SAYS("\"1010\"", "x"), "rate_limited"},
	    {"1", 400, M_SAYS("400", "Invalid value for \\\"id\\\": \\\"1\\\""),
		"unknown_symbol"},
	    {"1", 400, M_SAYS("400", "\\\"value\\\" must contain at least one"),
		"bad_request"},
	    {"1", 500, M_SAYS("500", "An internal server error occurred"),
		"server_error"},
	    {"1", 200, M_SAYS("500", "An internal server error occurred"),
		"server_error"},
	    {"1", 404, "{\"statusCode\":404,\"error\":\"Not Found\"}",
		"http_error"},
	    {"1", 502, "<html>", "server_error"},
	    /* whatever else it says */
	    {"1", 404, M_ONE("3"), "http_error"},
	    {"1", 500, M_ONE("3"), "server_error"},
	    {"1", 200,
		"{\"status\":{\"error_code\":1008},\"data\":{" M_COIN(
		    "1", "1", M_USD("3")) "}}",
		"rate_limited"},
	};

	(void)state;
	ANSWERS_CHECK("coinmarketcap", answers);
}

#define M_ASK(ids) "/v2/cryptocurrency/quotes/latest?id=" ids "&convert=USD"

static void targets(void **state)
{
	static const char *const refused[] = {"", "BTC", "1/EUR", "1,2", "1 ",
	    "-1", "1&x=2", "+1", "0x1", "11111111111111111111111111111111"};
	const struct exchange *e = exchange_find("coinmarketcap");

	(void)state;
	ANSWERS_TARGET("coinmarketcap", M_ASK("1"), "1", NULL);
	ANSWERS_TARGET(
	    "coinmarketcap", M_ASK("1,1027,825"), "1", "1027", "825", NULL);
	ANSWERS_TARGET("coinmarketcap", "", NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		ANSWERS_TARGET("coinmarketcap", "", refused[i], NULL);
		ANSWERS_TARGET("coinmarketcap", "", "1", refused[i], NULL);
	}
	assert_true(e->check_only && e->whole_from == 0);
}

/* Whoever wants a key says how it is called in the configuration, and the
 * header holds to RFC 9110, 5.6.2. */
static void keys_have_names(void **state)
{
	size_t keyed = 0;

	(void)state;
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		const struct exchange *e = exchange_table[i];
		assert_true((e->key_header == NULL) == (e->key_name == NULL));
		if (e->key_name == NULL)
			continue;
		keyed++;
		assert_true(strlen(e->key_name) < EXCHANGE_KEY_NAME_MAX);
		assert_int_equal(strspn(e->key_name,
				     "abcdefghijklmnopqrstuvwxyz_0123456789"),
		    strlen(e->key_name));
		assert_int_equal(
		    strcspn(e->key_header, " :\r\n"), strlen(e->key_header));
	}
	assert_int_equal(keyed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prices),
	    cmocka_unit_test(what_is_no_price),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(keys_have_names),
	};

	return cmocka_run_group_tests_name(
	    "adapter_coinmarketcap", tests, NULL, NULL);
}
