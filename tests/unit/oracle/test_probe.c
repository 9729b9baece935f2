/* probe: the table of what a poller knows, and when it is too little. The
 * poller is this test's; test_probe.py runs the whole of it. */
#include "oracle/probe.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

static const char feeds_text[] =
    "[{\"feed\":\"USDT-USD\",\"decimals\":4,\"interval_ms\":1000,"
    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\"}]},"
    "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":1000,"
    "\"max_age_ms\":5000,\"min_sources\":2,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"},"
    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","
    "\"quote_feed\":\"USDT-USD\"}]},"
    "{\"feed\":\"BTC-USDT\",\"decimals\":2,\"interval_ms\":1000,"
    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\"}]}]";

static struct config config;
static char *text;

/* ---- in place of the poller ---- */

static struct item_source xbtusd, usdtusd, btcusdt;
static int btcusdt_status;

static struct item_source *source_of(const char *symbol)
{
	if (strcmp(symbol, "XBTUSD") == 0)
		return &xbtusd;
	return strcmp(symbol, "USDTUSD") == 0 ? &usdtusd : &btcusdt;
}

void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources)
{
	(void)poller;
	assert_int_equal(now_ms, NOW_MS);
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *from = &feed->sources[i];

		sources[i] = *source_of(from->symbol);
		snprintf(sources[i].exchange, sizeof(sources[i].exchange), "%s",
		    from->exchange->name);
		snprintf(sources[i].symbol, sizeof(sources[i].symbol), "%s",
		    from->symbol);
		snprintf(sources[i].via, sizeof(sources[i].via), "%s",
		    from->quote_feed);
	}
}

void poller_visit(const struct poller *poller, int64_t now_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data)
{
	const struct poller_exchange_view kraken = {
	    .exchange = exchange_find("kraken")};
	const struct poller_exchange_view binance = {
	    .exchange = exchange_find("binance")};
	const struct poller_source_view views[] = {
	    {.symbol = "BTCUSDT", .status = btcusdt_status, .latency_ms = 31},
	    {.symbol = "USDTUSD", .status = 200, .latency_ms = -1},
	    {.symbol = "XBTUSD", .status = 200, .latency_ms = 1234},
	};

	(void)poller;
	(void)exchange_cb;
	assert_true(now_ms > 0);
	source_cb(&binance, &views[0], data);
	source_cb(&kraken, &views[1], data);
	source_cb(&kraken, &views[2], data);
}

struct poller *poller_start(
    uv_loop_t *loop, const struct config *with, SSL_CTX *tls)
{
	(void)loop;
	(void)with;
	(void)tls;
	fail_msg("a report asks nobody");
	return NULL;
}

void poller_stop(struct poller *poller)
{
	(void)poller;
}

void poller_free(struct poller *poller)
{
	(void)poller;
}

/* ---- tests ---- */

static int report(void)
{
	size_t len;
	FILE *out;
	int result;

	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	result = probe_report(&config, NULL, NOW_MS, out);
	fclose(out);
	return result;
}

static void shows(const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in\n%s", wanted, text);
}

static struct item_source answered(int64_t mantissa, int exponent)
{
	return (struct item_source){
	    .state = SOURCE_USED,
	    .has_answer = true,
	    .received_ms = NOW_MS - 100,
	    .quote = {.has_last = true, .last = {mantissa, exponent}},
	};
}

static int set_up(void **state)
{
	char error[FEED_CONFIG_ERROR_MAX];
	json_t *json = json_loads(feeds_text, 0, NULL);

	(void)state;
	assert_int_equal(feed_set_parse(&config.feeds, json, error), 0);
	json_decref(json);
	usdtusd = answered(9990, -4);
	xbtusd = answered(6100000, -2);
	xbtusd.quote.has_bid = xbtusd.quote.has_ask = true;
	xbtusd.quote.bid = (struct decimal){6099900, -2};
	xbtusd.quote.ask = (struct decimal){6100100, -2};
	btcusdt = answered(61060, 0);
	btcusdt.quote.has_exchange_ms = true;
	btcusdt.quote.exchange_ms = NOW_MS - 1100;
	btcusdt_status = 200;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void each_source_has_its_line(void **state)
{
	(void)state;
	assert_int_equal(report(), 0);
	shows("exchange          symbol                   last            bid"
	      "            ask  age_ms state      ms feed\n"
	      "binance           BTCUSDT                 61060              -"
	      "              -    1000 used       31 BTC-USD\n"
	      "binance           BTCUSDT                 61060              -"
	      "              -    1000 used       31 BTC-USDT\n"
	      "kraken            USDTUSD                0.9990              -"
	      "              -       - used        - USDT-USD\n"
	      "kraken            XBTUSD               61000.00       60999.00"
	      "       61001.00       - used     1234 BTC-USD\n");
}

/* 61060 at 0.9990 is 60998.94. */
static void each_feed_has_its_price(void **state)
{
	(void)state;
	assert_int_equal(report(), 0);
	shows("\n\nUSDT-USD   0.9990, 1 used, 1 needed\n"
	      "BTC-USD    60999.47, 2 used, 2 needed\n"
	      "BTC-USDT   61060.00, 1 used, 1 needed\n");
}

static void a_feed_with_too_few_is_named(void **state)
{
	(void)state;
	btcusdt = (struct item_source){
	    .state = SOURCE_FAILED, .error = QUOTE_GEO_BLOCKED};
	btcusdt_status = 451;
	assert_int_equal(report(), 1);
	shows("- failed     31 BTC-USD geo_blocked HTTP 451\n");
	shows("USDT-USD   0.9990, 1 used, 1 needed\n"
	      "BTC-USD    TOO FEW SOURCES, 1 used, 2 needed\n"
	      "BTC-USDT   TOO FEW SOURCES, 0 used, 1 needed\n");
}

static void without_an_answer_there_is_no_status(void **state)
{
	(void)state;
	btcusdt = (struct item_source){
	    .state = SOURCE_FAILED, .error = QUOTE_CONNECT_FAILED};
	btcusdt_status = 0;
	assert_int_equal(report(), 1);
	shows(" BTC-USD connect_failed\n");
}

static void without_a_rate_it_fails(void **state)
{
	(void)state;
	usdtusd = (struct item_source){
	    .state = SOURCE_FAILED, .error = QUOTE_MAINTENANCE};
	assert_int_equal(report(), 1);
	shows(" BTC-USD no_rate HTTP 200\n");
	shows("BTC-USD    TOO FEW SOURCES, 1 used, 2 needed\n"
	      "BTC-USDT   61060.00, 1 used, 1 needed\n");
}

static void an_old_answer_is_stale(void **state)
{
	(void)state;
	xbtusd.received_ms = NOW_MS - 5001;
	assert_int_equal(report(), 1);
	shows(" stale    1234 BTC-USD\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_source_has_its_line),
	    TEST(each_feed_has_its_price),
	    TEST(a_feed_with_too_few_is_named),
	    TEST(without_an_answer_there_is_no_status),
	    TEST(without_a_rate_it_fails),
	    TEST(an_old_answer_is_stale),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
