/* feed_config: what is read, and that each rule refuses by name. */
#include "feeds/feed_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct feed_set set;
static char error[FEED_CONFIG_ERROR_MAX];

static int parse(const char *text)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int result;

	assert_non_null(json);
	result = feed_set_parse(&set, json, error);
	json_decref(json);
	return result;
}

#define USDT                                                              \
	"{\"feed\":\"USDT-USD\",\"decimals\":6,\"interval_ms\":2000,"     \
	"\"max_age_ms\":9000,\"min_sources\":1,\"max_deviation_bps\":50," \
	"\"frozen_after_ms\":0,\"sources\":["                             \
	"{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\"}]}"
#define BTC_HEAD                                                     \
	"{\"feed\":\"BTC-USD\",\"decimals\":8,\"interval_ms\":1000," \
	"\"max_age_ms\":5000,"
#define BTC_SOURCES                                                     \
	"\"sources\":[{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"}," \
	"{\"exchange\":\"coinbase_exchange\",\"symbol\":\"BTC-USD\"},"  \
	"{\"exchange\":\"binance\",\"symbol\":\"ETHUSDT\"},"            \
	"{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","             \
	"\"quote_feed\":\"USDT-USD\"}]"
#define BTC BTC_HEAD "\"min_sources\":3," BTC_SOURCES "}"

static void reads(void **state)
{
	const struct feed_config *feed;

	(void)state;
	assert_int_equal(parse("[" USDT "," BTC "]"), 0);
	assert_string_equal(error, "");
	assert_int_equal(set.count, 2);
	feed = feed_set_find(&set, "USDT-USD");
	assert_ptr_equal(feed, &set.feeds[0]);
	assert_int_equal(feed->decimals, 6);
	assert_int_equal(feed->interval_ms, 2000);
	assert_int_equal(feed->max_age_ms, 9000);
	assert_int_equal(feed->min_sources, 1);
	assert_int_equal(feed->max_deviation_bps, 50);
	assert_int_equal(feed->frozen_after_ms, 0);
	assert_int_equal(feed->source_count, 1);
	assert_string_equal(feed->sources[0].symbol, "USDTUSD");
	assert_string_equal(feed->sources[0].quote_feed, "");
	assert_null(feed_set_find(&set, "ETH-USD"));
	assert_null(feed_set_find(&set, ""));
}

static void defaults_and_order(void **state)
{
	static const char *const order[][2] = {{"binance", "BTCUSDT"},
	    {"binance", "ETHUSDT"}, {"coinbase_exchange", "BTC-USD"},
	    {"kraken", "XBTUSD"}};
	const struct feed_config *feed = &set.feeds[1];

	(void)state;
	assert_int_equal(parse("[" USDT "," BTC "]"), 0);
	assert_int_equal(feed->exchange_max_age_ms, 60000);
	assert_int_equal(feed->frozen_after_ms, 300000);
	assert_int_equal(feed->min_share_percent, 50);
	assert_int_equal(feed->max_deviation_bps, 200);
	assert_int_equal(feed->outlier_mads, 5);
	assert_int_equal(feed->outlier_floor_bps, 50);
	assert_int_equal(feed->max_jump_bps, 1000);
	assert_int_equal(feed->jump_share_percent, 60);
	assert_int_equal(feed->source_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(
		    feed->sources[i].exchange->name, order[i][0]);
		assert_string_equal(feed->sources[i].symbol, order[i][1]);
	}
	assert_string_equal(feed->sources[0].quote_feed, "USDT-USD");
}

/* Every key with a value of its own. */
static void reads_every_key(void **state)
{
	const struct feed_config *feed = &set.feeds[0];

	(void)state;
	assert_int_equal(
	    parse("[{\"feed\":\"BTC-USD\",\"decimals\":1,\"interval_ms\":250,"
		  "\"max_age_ms\":3,\"exchange_max_age_ms\":1004,"
		  "\"frozen_after_ms\":5,\"min_sources\":2,"
		  "\"min_share_percent\":7,\"max_deviation_bps\":8,"
		  "\"outlier_mads\":9,\"outlier_floor_bps\":10,"
		  "\"max_jump_bps\":11,\"jump_share_percent\":12,\"sources\":["
		  "{\"exchange\":\"kraken\",\"symbol\":\"A\",\"role\":"
		  "\"vote\"},{\"exchange\":\"kraken\",\"symbol\":\"B\","
		  "\"role\":\"check\"},"
		  "{\"exchange\":\"kraken\",\"symbol\":\"C\"}]}]"),
	    0);
	assert_int_equal(feed->decimals, 1);
	assert_int_equal(feed->interval_ms, 250);
	assert_int_equal(feed->max_age_ms, 3);
	assert_int_equal(feed->exchange_max_age_ms, 1004);
	assert_int_equal(feed->frozen_after_ms, 5);
	assert_int_equal(feed->min_sources, 2);
	assert_int_equal(feed->min_share_percent, 7);
	assert_int_equal(feed->max_deviation_bps, 8);
	assert_int_equal(feed->outlier_mads, 9);
	assert_int_equal(feed->outlier_floor_bps, 10);
	assert_int_equal(feed->max_jump_bps, 11);
	assert_int_equal(feed->jump_share_percent, 12);
	assert_false(feed->sources[0].is_check);
	assert_true(feed->sources[1].is_check);
	assert_false(feed->sources[2].is_check);
	assert_int_equal(feed_config_voters(feed), 2);
}

static void minimum_of_those_that_vote(void **state)
{
	static const struct {
		unsigned min_sources, percent;
		size_t voters, checks;
		unsigned wanted;
	} cases[] = {
	    {1, 50, 0, 3, 1},
	    {1, 50, 4, 28, 2},
	    {1, 50, 5, 0, 3},
	    {3, 50, 5, 1, 3},
	    {4, 50, 5, 1, 4},
	    {1, 0, 32, 0, 1},
	    {1, 100, 32, 0, 32},
	    {1, 1, 32, 0, 1},
	    {1, 3, 32, 0, 1},
	    {1, 4, 32, 0, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct feed_config config = {
		    .min_sources = cases[i].min_sources,
		    .min_share_percent = cases[i].percent,
		    .source_count = cases[i].voters + cases[i].checks};
		for (size_t n = 0; n < cases[i].checks; n++)
			config.sources[n].is_check = true;
		assert_int_equal(feed_config_voters(&config), cases[i].voters);
		assert_int_equal(
		    feed_config_min_sources(&config), cases[i].wanted);
	}
}

static void refuse(const char *text, const char *words)
{
	static const struct feed_set none;

	if (parse(text) != -1 || strstr(error, words) == NULL)
		print_error("%s\n%s\n", text, error);
	assert_int_equal(parse(text), -1);
	assert_non_null(strstr(error, words));
	assert_true(strlen(error) < FEED_CONFIG_ERROR_MAX);
	assert_memory_equal(&set, &none, sizeof(set));
}

static void refuses_shapes(void **state)
{
	(void)state;
	refuse("{}", "feeds must be 1 to 256 objects");
	refuse("[]", "feeds must be 1 to 256 objects");
	refuse("[5]", "feeds[0]: ");
	refuse("[{}]", "feeds[0]: Object item not found: feed");
	refuse("[" BTC_HEAD BTC_SOURCES "}]", "min_sources");
	refuse("[" BTC_HEAD "\"min_sources\":1,\"extra\":1," BTC_SOURCES "}]",
	    "extra");
	refuse("[" BTC_HEAD "\"min_sources\":\"1\"," BTC_SOURCES "}]",
	    "Expected integer");
	refuse("[" BTC_HEAD "\"min_sources\":1.0," BTC_SOURCES "}]",
	    "Expected integer");
	refuse("[" BTC_HEAD "\"min_sources\":null," BTC_SOURCES "}]",
	    "Expected integer");
	refuse("[" BTC_HEAD "\"min_sources\":1,\"sources\":{}}]",
	    "feeds[0] BTC-USD: sources must be 1 to 32 objects");
	refuse("[" BTC_HEAD "\"min_sources\":1,\"sources\":[]}]",
	    "sources must be 1 to 32 objects");
	refuse("[" USDT "," USDT "]", "feeds[1] USDT-USD: there twice");
}

static void refuses_sources(void **state)
{
	static const struct {
		const char *source, *words;
	} cases[] = {
	    {"{}", "feeds[0] BTC-USD.sources[0]: Object item not found"},
	    {"5", "sources[0]"},
	    {"{\"exchange\":\"kraken\"}", "symbol"},
	    {"{\"exchange\":\"kraken\",\"symbol\":5}", "Expected string"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\",\"weight\":1}",
		"weight"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\",\"role\":\"\"}",
		"role \"\" is neither vote nor check"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\",\"role\":\"Check\"}",
		"role \"Check\" is neither"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\",\"role\":null}",
		"Expected string"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\",\"role\":true}",
		"Expected string"},
	    {"{\"exchange\":\"mtgox\",\"symbol\":\"X\"}",
		"unknown exchange \"mtgox\""},
	    {"{\"exchange\":\"Kraken\",\"symbol\":\"X\"}", "unknown exchange"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"\"}",
		"\"\" is not a symbol of kraken"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X&y\"}",
		"not a symbol of kraken"},
	    {"{\"exchange\":\"binance\",\"symbol\":\"BTC/USDT\"}",
		"not a symbol of binance"},
	    {"{\"exchange\":\"kraken\",\"symbol\":"
	     "\"12345678901234567890123456789012\"}",
		"not a symbol of kraken"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\","
	     "\"quote_feed\":\"USDT-USD\"}",
		"quote_feed \"USDT-USD\" is not an earlier feed"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\","
	     "\"quote_feed\":\"BTC-USD\"}",
		"not an earlier feed"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"X\"}",
		"source kraken X twice"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"Y\"}",
		"min_sources is 3, 2 sources vote"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"Y\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"Z\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"W\",\"role\":\"check\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"X\",\"role\":\"check\"}",
		"source kraken X twice"},
	    {"{\"exchange\":\"kraken\",\"symbol\":\"X\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"Y\"},"
	     "{\"exchange\":\"kraken\",\"symbol\":\"Z\",\"role\":\"check\"}",
		"min_sources is 3, 2 sources vote"},
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
		    "[" BTC_HEAD "\"min_sources\":3,\"sources\":[%s]}]",
		    cases[i].source);
		refuse(text, cases[i].words);
	}
	refuse("[" BTC "," USDT "]", "is not an earlier feed");
	/* a rate into dollars does not make euros */
	snprintf(text, sizeof(text), "[" USDT ",%s]", BTC);
	memcpy(strstr(text, "BTC-USD"), "BTC-EUR", 7);
	refuse(text, "another quote currency");
}

/* An average of others may not pass for one of them. */
static void what_is_no_market_may_not_vote(void **state)
{
	static const char *const symbols[] = {
	    "bitcoin", "BTC", "BTC-USD", "BTCUSD", "1"};
	static const char *const roles[] = {
	    "", ",\"role\":\"vote\"", ",\"role\":\"check\""};
	size_t found = 0;

	(void)state;
	for (size_t e = 0; exchange_table[e] != NULL; e++) {
		const struct exchange *exchange = exchange_table[e];
		char target[EXCHANGE_TARGET_MAX], text[1024];
		size_t s = 0;
		if (!exchange->check_only)
			continue;
		while (exchange_target(target, exchange, symbols[s]) != 0)
			assert_true(++s < 5);
		for (size_t r = 0; r < 3; r++) {
			snprintf(text, sizeof(text),
			    "[" BTC_HEAD "\"min_sources\":1,\"sources\":["
			    "{\"exchange\":\"%s\",\"symbol\":\"%s\"%s},"
			    "{\"exchange\":\"kraken\",\"symbol\":\"X\"}]}]",
			    exchange->name, symbols[s], roles[r]);
			if (r < 2)
				refuse(text, "its role must be check");
			else
				assert_int_equal(parse(text), 0);
		}
		found++;
	}
	assert_true(found > 0);
}

static void names(void **state)
{
	static const char *const bad[] = {"", "-", "BTC", "BTC-", "-USD",
	    "BTC-USD-X", "btc-usd", "BTC_USD", "BTC-USD ", "BTC/USD",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA-USD"};
	static const char *const good[] = {
	    "BTC-USD", "1INCH-USD", "A-B", "AAAAAAAAAAAAAAAAAAAAAAAAAAA-USD"};
	static const char form[] =
	    "[{\"feed\":\"%s\",\"decimals\":8,\"interval_ms\":1000,"
	    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
	    "{\"exchange\":\"kraken\",\"symbol\":\"X\"}]}]";
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), form, bad[i]);
		refuse(text, "is not a feed's name");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), form, good[i]);
		assert_int_equal(parse(text), 0);
	}
}

static void ranges(void **state)
{
	static const struct {
		const char *key;
		long long min, max;
	} cases[] = {
	    {"decimals", 0, 12},
	    {"interval_ms", 200, 60000},
	    {"max_age_ms", 1, 600000},
	    {"min_sources", 1, 1},
	    {"max_deviation_bps", 1, 10000},
	    {"frozen_after_ms", 0, 86400000},
	    {"exchange_max_age_ms", 1000, 86400000},
	    {"min_share_percent", 0, 100},
	    {"outlier_mads", 1, 100},
	    {"outlier_floor_bps", 0, 10000},
	    {"max_jump_bps", 0, 10000},
	    {"jump_share_percent", 0, 100},
	};
	static const char *const others[] = {"5", "1000", "5000", "1", "1", "1",
	    "1000", "1", "1", "1", "1", "1"};
	size_t count = sizeof(cases) / sizeof(cases[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		long long values[] = {cases[i].min - 1, cases[i].min,
		    cases[i].max, cases[i].max + 1, INT64_MIN, INT64_MAX};
		for (size_t v = 0; v < 6; v++) {
			char text[1024] = "[{\"feed\":\"A-B\"";
			for (size_t k = 0; k < count; k++) {
				size_t len = strlen(text);
				char value[32];
				snprintf(
				    value, sizeof(value), "%lld", values[v]);
				snprintf(text + len, sizeof(text) - len,
				    ",\"%s\":%s", cases[k].key,
				    k == i ? value : others[k]);
			}
			strcat(text, ",\"sources\":[{\"exchange\":\"kraken\","
				     "\"symbol\":\"X\"}]}]");
			if (v == 1 || v == 2)
				assert_int_equal(parse(text), 0);
			else
				refuse(text, cases[i].key);
		}
	}
}

static void ceilings(void **state)
{
	static char text[262144];
	size_t counts[] = {FEED_SOURCES_MAX, FEED_SOURCES_MAX + 1};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		int len = snprintf(text, sizeof(text),
		    "[" BTC_HEAD "\"min_sources\":1,\"sources\":[");
		for (size_t i = 0; i < counts[c]; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
			    "%s{\"exchange\":\"kraken\",\"symbol\":\"X%zu\"}",
			    i > 0 ? "," : "", i);
		snprintf(text + len, sizeof(text) - (size_t)len, "]}]");
		assert_int_equal(parse(text), c == 0 ? 0 : -1);
	}
	counts[0] = FEEDS_MAX;
	counts[1] = FEEDS_MAX + 1;
	for (size_t c = 0; c < 2; c++) {
		int len = snprintf(text, sizeof(text), "[");
		for (size_t i = 0; i < counts[c]; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
			    "%s{\"feed\":\"F%zu-USD\",\"decimals\":8,"
			    "\"interval_ms\":1000,\"max_age_ms\":5000,"
			    "\"min_sources\":1,\"sources\":[{\"exchange\":"
			    "\"kraken\",\"symbol\":\"X\"}]}",
			    i > 0 ? "," : "", i);
		snprintf(text + len, sizeof(text) - (size_t)len, "]");
		assert_int_equal(parse(text), c == 0 ? 0 : -1);
	}
}

/* Names that a configuration should not have do not fit the message either. */
static void long_texts_are_cut(void **state)
{
	static char text[8192];
	char name[4000];

	(void)state;
	memset(name, 'A', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
	    "[" BTC_HEAD "\"min_sources\":1,\"%s\":1," BTC_SOURCES "}]", name);
	refuse(text, "AAAA");
	snprintf(text, sizeof(text),
	    "[" BTC_HEAD "\"min_sources\":1,\"sources\":[{\"exchange\":\"%s\","
	    "\"symbol\":\"X\"}]}]",
	    name);
	refuse(text, "unknown exchange \"AAAA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(reads_every_key),
	    cmocka_unit_test(minimum_of_those_that_vote),
	    cmocka_unit_test(defaults_and_order),
	    cmocka_unit_test(refuses_shapes),
	    cmocka_unit_test(refuses_sources),
	    cmocka_unit_test(what_is_no_market_may_not_vote),
	    cmocka_unit_test(names),
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(ceilings),
	    cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("feed_config", tests, NULL, NULL);
}
