/* kraken_pair: the same pair in all its names, and no other pair in them. */
#include "feeds/exchanges/kraken_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void same(const char *a, const char *b, bool wanted)
{
	if (kraken_pair_equal(a, b) != wanted)
		print_error("%s %s\n", a, b);
	assert_int_equal(kraken_pair_equal(a, b), wanted);
	assert_int_equal(kraken_pair_equal(b, a), wanted);
}

/* All names of one line are one pair; of two lines, two. */
static const char *const pairs[][6] = {
    {"XBTUSD", "BTCUSD", "BTC/USD", "XBT/USD", "XXBTZUSD", "XXBT/ZUSD"},
    {"XBTUSDT", "BTCUSDT", "BTC/USDT", "XBT/USDT"},
    {"ETHUSD", "ETH/USD", "XETHZUSD", "XETH/ZUSD"},
    {"ETHBTC", "ETH/BTC", "ETHXBT", "XETHXXBT", "ETH/XBT"},
    {"USDTUSD", "USDT/USD", "USDTZUSD"},
    {"EURUSD", "EUR/USD", "ZEURZUSD"},
    {"USDJPY", "USD/JPY", "ZUSDZJPY"},
    {"DOGEUSD", "DOGE/USD", "XDGUSD", "XDG/USD", "XXDGZUSD"},
    {"DOGEBTC", "DOGE/BTC", "XDG/XBT", "XXDGXXBT"},
    {"BTC/DOGE", "XBTDOGE", "BTCXDG", "XBT/XDG", "XXBTXXDG"},
    {"BCHEUR", "BCH/EUR"},
    {"AIOUSD", "AIO/USD"},
    {"AIOZUSD", "AIOZ/USD"},
    {"XTZUSD", "XTZ/USD"},
    {"TZUSD", "TZ/USD"},
    {"RPUSD", "RP/USD"},
    {"XRPUSD", "XRP/USD", "XXRPZUSD"},
    {"AI16ZUSD", "AI16Z/USD"},
    {"AI16USD", "AI16/USD"},
    {"ETHUSDC", "ETH/USDC"},
    {"ETHUSDT", "ETH/USDT"},
    {"BTC/USD:BTNL", "XBT/USD:BTNL"},
    {"XXBTZUSD.d"},
    {"T/USDT"},
    {"TUSD/T"},
    {"UST/USD"},
    {"XUSTZUST"},
};
#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static void each_name_of_a_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		for (size_t a = 0; a < 6 && pairs[i][a] != NULL; a++) {
			for (size_t b = 0; b < 6 && pairs[i][b] != NULL; b++)
				same(pairs[i][a], pairs[i][b], true);
		}
	}
}

static void no_name_of_another_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		for (size_t j = 0; j < PAIRS; j++) {
			for (size_t a = 0; a < 6 && pairs[i][a] != NULL; a++) {
				for (size_t b = 0;
				     i != j && b < 6 && pairs[j][b] != NULL;
				     b++)
					same(pairs[i][a], pairs[j][b], false);
			}
		}
	}
}

static void odd_names(void **state)
{
	(void)state;
	same("", "XBTUSD", false);
	same("/", "//", false);
	same("BTC/", "BTC", false);
	same("/USD", "USD", false);
	same("BTC/USD", "BTC/USD/", false);
	same("BTC//USD", "BTC/USD", false);
	same("btcusd", "BTCUSD", false);
	same("XBTUSD,XETHZUSD", "XBTUSD", false);
	same("A", "B", false);
	/* no quote asset has a name of one letter */
	same("TUSDT", "T/USDT", true);
	same("TUSDT", "TUSD/T", false);
}

static const json_t *find(
    const char *text, const char *symbol, json_t **owner, bool *twice)
{
	*owner = json_loads(text, 0, NULL);
	assert_non_null(*owner);
	return kraken_pair_find(*owner, symbol, twice);
}

static void finds_a_row(void **state)
{
	static const struct {
		const char *result, *symbol;
		int value; /* 0: none */
		bool twice;
	} cases[] = {
	    {"{\"XXBTZUSD\":1}", "XBTUSD", 1, false},
	    {"{\"XETHZUSD\":2,\"XXBTZUSD\":1}", "BTC/USD", 1, false},
	    {"{\"XETHZUSD\":2,\"XXBTZUSD\":1}", "XETHZUSD", 2, false},
	    {"{\"XETHZUSD\":2}", "XBTUSD", 0, false},
	    {"{\"AIOZUSD\":2}", "AIOUSD", 0, false},
	    {"{}", "XBTUSD", 0, false},
	    {"{\"BTC/USD\":1,\"XXBTZUSD\":2}", "XBTUSD", 0, true},
	    {"{\"BTC/USD\":1,\"XXBTZUSD\":2}", "XXBTZUSD", 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *owner;
		bool twice;
		const json_t *row = find(
		    cases[i].result, cases[i].symbol, &owner, &twice);
		assert_int_equal(twice, cases[i].twice);
		assert_int_equal(row != NULL, cases[i].value != 0);
		assert_int_equal(json_integer_value(row), cases[i].value);
		json_decref(owner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_name_of_a_pair),
	    cmocka_unit_test(no_name_of_another_pair),
	    cmocka_unit_test(odd_names),
	    cmocka_unit_test(finds_a_row),
	};

	return cmocka_run_group_tests_name("kraken_pair", tests, NULL, NULL);
}
