/* plan: what --check says of a configuration, and when it says no. */
#include "oracle/plan.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FEED(name, age, min, sources)                                          \
	"{\"feed\":\"" name "\",\"decimals\":2,\"interval_ms\":1000,"          \
	"\"max_age_ms\":" age ",\"min_sources\":" min ",\"sources\":[" sources \
	"]}"
#define SOURCE(exchange, symbol) \
	"{\"exchange\":\"" exchange "\",\"symbol\":\"" symbol "\"}"
#define VIA(exchange, symbol, feed)                           \
	"{\"exchange\":\"" exchange "\",\"symbol\":\"" symbol \
	"\",\"quote_feed\":\"" feed "\"}"
#define CHECK(symbol)                                      \
	"{\"exchange\":\"coingecko\",\"symbol\":\"" symbol \
	"\",\"role\":\"check\"}"

static struct config config;
static char *text;

/* Prints the plan of these feeds into text. */
static int plan(const char *feeds)
{
	char error[FEED_CONFIG_ERROR_MAX];
	json_t *json = json_loads(feeds, 0, NULL);
	size_t len;
	FILE *out;
	int result;

	assert_non_null(json);
	if (feed_set_parse(&config.feeds, json, error) != 0)
		fail_msg("%s", error);
	json_decref(json);
	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	result = plan_print(&config, out);
	fclose(out);
	return result;
}

static void shows(const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in\n%s", wanted, text);
}

static void shows_not(const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("\"%s\" in\n%s", unwanted, text);
}

static void all_parameters_are_shown(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("USDT-USD", "5000", "1",
		SOURCE("kraken", "USDTUSD")) "," FEED("BTC-USD", "5000", "2",
		SOURCE("kraken", "XBTUSD") "," SOURCE(
		    "gemini", "btcusd") "," SOURCE("coinbase_exchange",
		    "BTC-USD") "," VIA("binance", "BTCUSDT",
		    "USDT-USD") "," CHECK("bitcoin")) "]"),
	    0);
	shows("interval_ms 1000, decimals 2; needs 2 of 4 voting sources "
	      "(min_sources 2, min_share_percent 50)");
	shows("max_age_ms 5000, exchange_max_age_ms 60000, frozen_after_ms "
	      "300000");
	shows("max_deviation_bps 200, outlier_mads 5, outlier_floor_bps 50, "
	      "max_jump_bps 1000, jump_share_percent 60");
	shows(
	    "  binance           BTCUSDT        vote  USDT-USD  of the answer");
	shows("  coingecko         bitcoin        check -         of its last "
	      "change");
	shows("  coinbase_exchange BTC-USD        vote  -         of the last "
	      "trade");
	shows("  gemini            btcusd         vote  -         of a "
	      "statistic, not used");
	shows("  kraken            XBTUSD         vote  -         none ");
	shows("https://api.kraken.com/0/public/Ticker?pair=XBTUSD\n");
	shows("2 feeds: the plan can keep up");
	shows_not("warning");
	shows_not("error");
}

/* The two feeds' symbols in one request, at the shorter interval if the
 * exchange can be asked so often. */
static void requests_are_batched_and_counted(void **state)
{
	(void)state;
	assert_int_equal(plan("[" FEED("BTC-USD", "5000", "1",
			     SOURCE("kraken", "XBTUSD") "," SOURCE("binance_us",
				 "BTCUSD")) "," FEED("ETH-USD", "5000", "1",
			     SOURCE("kraken", "ETHUSD") "," SOURCE(
				 "binance_us", "ETHUSD")) "]"),
	    0);
	/* symbols, requests, wanted, made, budget, limit */
	shows("kraken                  2        1      60      30      30      "
	      "60  -          not documented");
	shows("binance_us              2        1      60      60     300     "
	      "600  -          1200 weight");
	shows("every 2000 ms, 2 symbols: "
	      "https://api.kraken.com/0/public/Ticker?pair=ETHUSD,XBTUSD\n");
	shows("every 1000 ms, 2 symbols: https://api.binance.us/");
}

/* Bitfinex is asked every 4 seconds. */
static void a_slow_source_is_a_warning(void **state)
{
	(void)state;
	assert_int_equal(plan("[" FEED("BTC-USD", "3000", "1",
			     SOURCE("kraken", "XBTUSD") "," SOURCE(
				 "bitfinex", "tBTCUSD")) "]"),
	    0);
	shows("warning: feed BTC-USD: bitfinex tBTCUSD is asked for every 4000 "
	      "ms, its answers will be older than max_age_ms 3000");
	shows_not("kraken XBTUSD is asked");
	/* In time by itself, but not with its way and the wait for the tick. */
	assert_int_equal(plan("[" FEED("BTC-USD", "4499", "1",
			     SOURCE("bitfinex", "tBTCUSD")) "]"),
	    0);
	shows("warning: feed BTC-USD: bitfinex");
	assert_int_equal(plan("[" FEED("BTC-USD", "4500", "1",
			     SOURCE("bitfinex", "tBTCUSD")) "]"),
	    0);
	shows_not("warning");
}

static void a_feed_that_cannot_live_is_named(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("ETH-USD", "5000", "1",
		SOURCE("kraken", "ETHUSD")) "," FEED("BTC-USD", "3999", "2",
		SOURCE("kraken", "XBTUSD") "," SOURCE(
		    "bitfinex", "tBTCUSD")) "]"),
	    1);
	shows("error: feed BTC-USD cannot live: 1 of its sources can be asked "
	      "for within max_age_ms 3999, it needs 2");
	shows_not("feed ETH-USD cannot");
	shows_not("keep up");
	assert_int_equal(plan("[" FEED("BTC-USD", "4000", "2",
			     SOURCE("kraken", "XBTUSD") "," SOURCE(
				 "bitfinex", "tBTCUSD")) "]"),
	    0);
}

/* The share counts as well as min_sources: three of six. */
static void the_share_counts(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("BTC-USD", "1900", "1",
		SOURCE("kraken", "XBTUSD") "," SOURCE("bitfinex",
		    "tBTCUSD") "," SOURCE("binance_us", "BTCUSD")) "]"),
	    1);
	shows("it needs 2");
}

static void without_its_rate_a_source_is_none(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("USDT-USD", "3000", "1",
		SOURCE("bitfinex", "tUSTUSD")) "," FEED("BTC-USD", "5000", "1",
		VIA("binance", "BTCUSDT", "USDT-USD")) "]"),
	    1);
	shows("feed USDT-USD cannot live");
	shows("feed BTC-USD cannot live: 0 of its sources");
}

/* One that is asked often enough is no vote either. */
static void a_check_keeps_no_feed_alive(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("BTC-USD", "3999", "1",
		"{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\","
		"\"role\":\"check\"}," SOURCE("bitfinex", "tBTCUSD")) "]"),
	    1);
	shows("cannot live: 0 of its sources");
}

/* A check may be older than what votes. */
static void a_check_has_time(void **state)
{
	(void)state;
	assert_int_equal(
	    plan("[" FEED("BTC-USD", "5000", "1",
		SOURCE("kraken", "XBTUSD") "," CHECK("bitcoin")) "]"),
	    0);
	shows_not("note");
	shows_not("warning");
}

/* Thirteen requests at 30 s: a check never counts, and is no reason to worry.
 */
static void a_slow_check_is_a_note(void **state)
{
	size_t len = 0, cap = 32768;
	char *feeds = calloc(1, cap);

	(void)state;
	assert_non_null(feeds);
	for (int i = 0; i < 250; i++) {
		if (i % 25 == 0)
			len += (size_t)snprintf(feeds + len, cap - len,
			    "%s{\"feed\":\"F%d-USD\",\"decimals\":2,"
			    "\"interval_ms\":5000,\"max_age_ms\":9000,"
			    "\"min_sources\":1,\"sources\":[" SOURCE(
				"kraken", "XBTUSD"),
			    i == 0 ? "[" : "]},", i);
		len += (size_t)snprintf(
		    feeds + len, cap - len, "," CHECK("c%d"), i);
	}
	snprintf(feeds + len, cap - len, "]}]");
	assert_int_equal(plan(feeds), 0);
	free(feeds);
	shows("note: feed F0-USD: coingecko c0 is asked for every 390000 ms, "
	      "its answers will be older than a check may be, 300000");
	shows_not("warning");
}

static void pins_are_shown(void **state)
{
	(void)state;
	config.pin_count = 2;
	config.pins[0] = (struct config_pins){
	    .exchange = exchange_find("kraken"),
	    .ca_file = "/k.pem",
	    .spki_count = 2,
	};
	config.pins[1] = (struct config_pins){
	    .exchange = exchange_find("bitstamp"), .ca_file = "/b.pem"};
	assert_int_equal(plan("[" FEED("BTC-USD", "5000", "1",
			     SOURCE("kraken", "XBTUSD") "," SOURCE("bitstamp",
				 "btcusd") "," SOURCE("gemini", "btcusd")) "]"),
	    0);
	config.pin_count = 0;
	shows("trust         kraken only by /k.pem");
	shows("60  ca, 2 keys not documented");
	shows("1000  ca         10000 requests");
	shows("120  -          120 requests");
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

/* Who wants a key that nobody may seal is asked never. */
static void secrets_are_shown(void **state)
{
	static const char feeds[] = "[" FEED("BTC-USD", "5000", "1",
	    SOURCE("kraken", "XBTUSD") ",{\"exchange\":\"coinmarketcap\","
				       "\"symbol\":\"1\",\"role\":"
				       "\"check\"}") "]";

	(void)state;
	assert_int_equal(plan(feeds), 0);
	shows("coinmarketcap wants a key, and \"secrets\" has no name "
	      "coinmarketcap_api_key: it will never be asked");
	config.secrets.count = 1;
	snprintf(config.secrets.names[0], sizeof(config.secrets.names[0]),
	    "coinmarketcap_api_key");
	config.secrets.token_sha256[0] = 0xab;
	assert_int_equal(plan(feeds), 0);
	shows_not("never be asked");
	shows("secret        coinmarketcap_api_key, to be sealed after each "
	      "start");
	shows("by who knows the token of ab0000");
	config.secrets.count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_parameters_are_shown),
	    cmocka_unit_test(requests_are_batched_and_counted),
	    cmocka_unit_test(a_slow_source_is_a_warning),
	    cmocka_unit_test(a_feed_that_cannot_live_is_named),
	    cmocka_unit_test(the_share_counts),
	    cmocka_unit_test(without_its_rate_a_source_is_none),
	    cmocka_unit_test(a_check_keeps_no_feed_alive),
	    cmocka_unit_test(a_check_has_time),
	    cmocka_unit_test(a_slow_check_is_a_note),
	    cmocka_unit_test(pins_are_shown),
	    cmocka_unit_test(secrets_are_shown),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, tear_down);
}
