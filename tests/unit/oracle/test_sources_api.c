/* sources_api: what the page says of what the poller and publisher know. */
#include "api_fixture.h"

#include "oracle/clock_check.h"
#include "oracle/sources_api.h"

static json_t *page; /* of the newest reply */

static void get(const char *exchange, const char *feed)
{
	json_decref(page);
	param_exchange = exchange;
	param_feed = feed;
	sources_api_serve(&api, NULL);
	page = replied == 200
		   ? json_loads(reply_text, JSON_REJECT_DUPLICATES, NULL)
		   : NULL;
	if (replied == 200)
		assert_non_null(page);
}

static json_t *row(const char *list, size_t i)
{
	json_t *found = json_array_get(json_object_get(page, list), i);

	assert_non_null(found);
	return found;
}

static size_t rows(const char *list)
{
	return json_array_size(json_object_get(page, list));
}

/* The compact text of one member, as it stands in the page. */
static void has(const json_t *object, const char *key, const char *wanted)
{
	char *text = json_dumps(
	    json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static void a_source_that_is_down_says_why(void **state)
{
	json_t *exchange, *symbol;

	(void)state;
	get(NULL, NULL);
	exchange = row("exchanges", 0);
	has(exchange, "exchange", "\"binance\"");
	has(exchange, "host", "\"data-api.binance.vision\"");
	has(exchange, "up", "false");
	has(exchange, "requests", "7");
	has(exchange, "failures", "7");
	has(exchange, "budget_per_min", "60");
	has(exchange, "budget_left", "0");
	has(exchange, "paused_ms", "90500");
	has(exchange, "clock_offset_ms", "-1200");
	symbol = json_array_get(json_object_get(exchange, "symbols"), 0);
	has(symbol, "symbol", "\"BTCUSDT\"");
	has(symbol, "up", "false");
	has(symbol, "error", "\"geo_blocked\"");
	has(symbol, "status", "451");
	has(symbol, "latency_ms", "12");
	has(symbol, "answer_age_ms", "null");
	has(symbol, "failures_in_a_row", "7");
	has(symbol, "attempts", "7");
	has(symbol, "errors", "{\"geo_blocked\":5,\"timeout\":2}");
}

static void one_that_is_up_has_no_error(void **state)
{
	json_t *exchange, *symbol;

	(void)state;
	get(NULL, NULL);
	exchange = row("exchanges", 1);
	has(exchange, "exchange", "\"kraken\"");
	has(exchange, "up", "true");
	has(exchange, "requests_last_minute", "12");
	has(exchange, "budget_left", "18");
	has(exchange, "clock_offset_ms", "null");
	symbol = json_array_get(json_object_get(exchange, "symbols"), 1);
	has(symbol, "symbol", "\"XBTUSD\"");
	has(symbol, "error", "null");
	has(symbol, "status", "200");
	has(symbol, "errors", "{}");
	assert_in_range(
	    json_integer_value(json_object_get(symbol, "answer_age_ms")), 2000,
	    62000);
}

static void one_that_was_not_asked_has_nulls(void **state)
{
	json_t *symbol;

	(void)state;
	btcusdt = (struct poller_source_view){
	    .symbol = "BTCUSDT", .newest = QUOTE_NOT_POLLED, .latency_ms = -1};
	get(NULL, NULL);
	symbol = json_array_get(
	    json_object_get(row("exchanges", 0), "symbols"), 0);
	has(symbol, "error", "\"not_polled\"");
	has(symbol, "status", "null");
	has(symbol, "latency_ms", "null");
}

static void one_symbol_up_is_an_exchange_up(void **state)
{
	(void)state;
	usdtusd.up = false;
	get(NULL, NULL);
	has(row("exchanges", 1), "up", "true");
	xbtusd.up = false;
	get(NULL, NULL);
	has(row("exchanges", 1), "up", "false");
}

static void feeds_show_their_newest_item(void **state)
{
	json_t *feed, *source;

	(void)state;
	get(NULL, NULL);
	assert_int_equal(rows("feeds"), 2);
	feed = row("feeds", 1);
	has(feed, "feed", "\"BTC-USD\"");
	has(feed, "sequence", "41");
	has(feed, "status", "\"unavailable\"");
	has(feed, "reason", "\"insufficient_sources\"");
	has(feed, "used", "1");
	has(feed, "min_sources", "2");
	source = json_array_get(json_object_get(feed, "sources"), 0);
	has(source, "exchange", "\"binance\"");
	has(source, "state", "\"failed\"");
	has(source, "error", "\"geo_blocked\"");
	has(source, "price", "null");
	has(source, "via", "\"USDT-USD\"");
	has(source, "rate", "null");
	has(source, "received_ms", "null");
	source = json_array_get(json_object_get(feed, "sources"), 1);
	has(source, "state", "\"used\"");
	has(source, "error", "null");
	has(source, "price", "\"61000.50\"");
	has(source, "via", "null");
	has(source, "received_ms", "1700000000123");
	has(source, "exchange_ms", "null");
}

static void a_feed_without_an_item_has_nulls(void **state)
{
	json_t *feed;

	(void)state;
	get(NULL, NULL);
	feed = row("feeds", 0);
	has(feed, "feed", "\"USDT-USD\"");
	has(feed, "sequence", "null");
	has(feed, "status", "null");
	has(feed, "reason", "null");
	has(feed, "published_ms", "null");
	has(feed, "sources", "[]");
}

static void a_good_item_has_no_reason(void **state)
{
	(void)state;
	items[1].status = ITEM_OK;
	items[1].reason = ITEM_NO_REASON;
	get(NULL, NULL);
	has(row("feeds", 1), "status", "\"ok\"");
	has(row("feeds", 1), "reason", "null");
}

static void the_clock_is_judged(void **state)
{
	const struct {
		bool known;
		int64_t offset;
		const char *text;
	} cases[] = {
	    {true, -1200,
		"{\"offset_ms\":-1200,\"limit_ms\":2000,\"agrees\":true}"},
	    {true, CLOCK_CHECK_LIMIT_MS + 1,
		"{\"offset_ms\":2001,\"limit_ms\":2000,\"agrees\":false}"},
	    {true, -CLOCK_CHECK_LIMIT_MS - 1,
		"{\"offset_ms\":-2001,\"limit_ms\":2000,\"agrees\":false}"},
	    {false, 9999,
		"{\"offset_ms\":null,\"limit_ms\":2000,\"agrees\":true}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		has_offset = cases[i].known;
		offset = cases[i].offset;
		get(NULL, NULL);
		has(page, "clock", cases[i].text);
	}
}

/* Members come in the order of the header. */
static void the_order_is_stable(void **state)
{
	static const char *const order[] = {"\"now_ms\"", "\"clock\"",
	    "\"exchanges\"", "\"host\"", "\"up\"", "\"requests\"",
	    "\"budget_left\"", "\"limit\"", "\"paused_ms\"", "\"symbols\"",
	    "\"error\"", "\"status\"", "\"latency_ms\"", "\"errors\"",
	    "\"feeds\"", "\"sequence\"", "\"reason\"", "\"sources\"",
	    "\"state\"", "\"price\"", "\"rate\"", "\"exchange_ms\""};
	const char *at;

	(void)state;
	get(NULL, NULL);
	at = reply_text;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		if (!at)
			fail_msg("%s is not behind the one before", order[i]);
	}
}

static void one_exchange_only(void **state)
{
	json_t *sources;

	(void)state;
	get("binance", NULL);
	assert_int_equal(rows("exchanges"), 1);
	assert_int_equal(rows("feeds"), 1);
	sources = json_object_get(row("feeds", 0), "sources");
	assert_int_equal(json_array_size(sources), 1);
	has(json_array_get(sources, 0), "exchange", "\"binance\"");
	get("okx", NULL); /* known, but not in use */
	assert_int_equal(rows("exchanges"), 0);
	assert_int_equal(rows("feeds"), 0);
}

static void one_feed_only(void **state)
{
	json_t *symbols;

	(void)state;
	get(NULL, "USDT-USD");
	assert_int_equal(rows("feeds"), 1);
	assert_int_equal(rows("exchanges"), 1);
	symbols = json_object_get(row("exchanges", 0), "symbols");
	assert_int_equal(json_array_size(symbols), 1);
	has(json_array_get(symbols, 0), "symbol", "\"USDTUSD\"");
	get("kraken", "BTC-USD");
	assert_int_equal(rows("feeds"), 1);
	assert_int_equal(rows("exchanges"), 1);
}

static void unknown_names_are_refused(void **state)
{
	static const char *const hostile[] = {
	    "", "no", "\"", "krake", "kraken\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		get(hostile[i], NULL);
		assert_int_equal(replied, 404);
		assert_string_equal(reply_code, "EXCHANGE_UNKNOWN");
		get(NULL, hostile[i]);
		assert_int_equal(replied, 404);
		assert_string_equal(reply_code, "FEED_UNKNOWN");
	}
}

static int close_page(void **state)
{
	json_decref(page);
	page = NULL;
	return tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, close_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_source_that_is_down_says_why),
	    TEST(one_that_is_up_has_no_error),
	    TEST(one_that_was_not_asked_has_nulls),
	    TEST(one_symbol_up_is_an_exchange_up),
	    TEST(feeds_show_their_newest_item),
	    TEST(a_feed_without_an_item_has_nulls),
	    TEST(a_good_item_has_no_reason),
	    TEST(the_clock_is_judged),
	    TEST(the_order_is_stable),
	    TEST(one_exchange_only),
	    TEST(one_feed_only),
	    TEST(unknown_names_are_refused),
	};

	return cmocka_run_group_tests_name("sources_api", tests, NULL, NULL);
}
