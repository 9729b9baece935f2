/* metrics: what a scrape says of what the poller and publisher know. */
#include "api_fixture.h"

#include "oracle/fetch_metrics.h"
#include "oracle/metrics.h"
#include "oracle/metrics_peers.h"

/* ---- in place of those that have metrics of their own ---- */

void fetch_metrics(const struct fetch *fetch, struct metrics_text *text)
{
	(void)fetch;
	(void)text;
}

void metrics_peers(const struct api *served, struct metrics_text *text)
{
	(void)served;
	(void)text;
}

static void scrape(void)
{
	metrics_serve(&api, NULL);
	assert_int_equal(replied, 200);
	assert_string_equal(
	    reply_type, "text/plain; version=0.0.4; charset=utf-8");
}

/* One whole line of it. */
static bool has(const char *line)
{
	size_t len = strlen(line);

	for (const char *at = strstr(reply_text, line); at;
	     at = strstr(at + 1, line))
		if ((at == reply_text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void shows(const char *line)
{
	if (!has(line))
		fail_msg("no line %s in\n%s", line, reply_text);
}

static void exchanges_have_their_budget(void **state)
{
	(void)state;
	scrape();
#define ROW(name, labels, value) \
	shows("hallmark_oracle_" name "{" labels "} " value)
	ROW("exchange_requests_total", "exchange=\"kraken\"", "30");
	ROW("exchange_request_failures_total", "exchange=\"binance\"", "7");
	ROW("exchange_requests_planned", "exchange=\"binance\"", "1");
	ROW("exchange_budget_requests_per_minute", "exchange=\"kraken\"", "30");
	ROW("exchange_budget_left_requests", "exchange=\"kraken\"", "18");
	ROW("exchange_budget_left_requests", "exchange=\"binance\"", "0");
	ROW("exchange_paused_seconds", "exchange=\"binance\"", "90.500");
	ROW("exchange_paused_seconds", "exchange=\"kraken\"", "0.000");
	ROW("exchange_clock_offset_seconds", "exchange=\"binance\"", "-1.200");
	assert_null(strstr(
	    reply_text, "exchange_clock_offset_seconds{exchange=\"kraken\""));
}

static void sources_have_their_causes(void **state)
{
	(void)state;
	scrape();
#define BTCUSDT "exchange=\"binance\",symbol=\"BTCUSDT\""
#define XBTUSD  "exchange=\"kraken\",symbol=\"XBTUSD\""
	ROW("source_up", BTCUSDT, "0");
	ROW("source_up", XBTUSD, "1");
	ROW("source_http_status", BTCUSDT, "451");
	ROW("source_latency_seconds", XBTUSD, "0.087");
	ROW("source_attempts_total", XBTUSD, "30");
	ROW("source_failures_in_a_row", BTCUSDT, "7");
	ROW("source_errors_total", BTCUSDT ",error=\"geo_blocked\"", "5");
	ROW("source_errors_total", BTCUSDT ",error=\"timeout\"", "2");
	assert_non_null(
	    strstr(reply_text, "source_answer_age_seconds{" XBTUSD "} 2."));
	/* Nothing is said of what is not known, or did not happen. */
	assert_null(strstr(reply_text, "source_answer_age_seconds{" BTCUSDT));
	assert_null(strstr(reply_text, "source_errors_total{" XBTUSD));
}

static void what_was_not_asked_has_no_latency(void **state)
{
	(void)state;
	btcusdt.latency_ms = -1;
	btcusdt.status = 0;
	scrape();
	ROW("source_http_status", BTCUSDT, "0");
	assert_null(strstr(reply_text, "source_latency_seconds{" BTCUSDT));
}

static void feeds_have_status_and_states(void **state)
{
	(void)state;
	scrape();
	ROW("feed_items_total", "feed=\"USDT-USD\",status=\"ok\",reason=\"\"",
	    "0");
	ROW("feed_items_total", "feed=\"BTC-USD\",status=\"ok\",reason=\"\"",
	    "10");
	ROW("feed_items_total",
	    "feed=\"BTC-USD\",status=\"unavailable\","
	    "reason=\"price_jump\"",
	    "13");
	ROW("feed_status",
	    "feed=\"BTC-USD\",status=\"unavailable\","
	    "reason=\"insufficient_sources\"",
	    "1");
	ROW("feed_min_sources", "feed=\"BTC-USD\"", "2");
	ROW("feed_sources", "feed=\"BTC-USD\",state=\"used\"", "1");
	ROW("feed_sources", "feed=\"BTC-USD\",state=\"failed\"", "1");
	ROW("feed_sources", "feed=\"BTC-USD\",state=\"stale\"", "0");
	ROW("feed_sources", "feed=\"BTC-USD\",state=\"check\"", "0");
	assert_non_null(
	    strstr(reply_text, "feed_item_age_seconds{feed=\"BTC-USD\"} "));
	items[1].status = ITEM_OK;
	items[1].reason = ITEM_NO_REASON;
	scrape();
	ROW("feed_status", "feed=\"BTC-USD\",status=\"ok\",reason=\"\"", "1");
}

static void a_feed_without_an_item_has_no_status(void **state)
{
	(void)state;
	scrape();
	assert_null(strstr(reply_text, "feed_status{feed=\"USDT-USD\""));
	assert_null(strstr(reply_text, "feed_sources{feed=\"USDT-USD\""));
	assert_null(
	    strstr(reply_text, "feed_item_age_seconds{feed=\"USDT-USD\""));
}

static void the_oracle_says_who_it_is(void **state)
{
	(void)state;
	scrape();
	ROW("build_info",
	    "version=\"" HALLMARK_VERSION "\",platform=\"simulated\"", "1");
	shows("hallmark_oracle_clock_offset_seconds -1.200");
	shows("hallmark_oracle_clock_limit_seconds 2.000");
	shows("hallmark_oracle_attester_calls_total 11");
	shows("hallmark_oracle_nonces_attested_total 2500");
	shows("hallmark_oracle_nonces_waiting 7");
	shows("hallmark_oracle_tree_heads_total 6");
	shows("hallmark_oracle_tree_head_failures_total 1");
	shows("hallmark_oracle_tree_size 80");
	shows("hallmark_oracle_tree_items_waiting 4");
	has_offset = false;
	scrape();
	assert_null(strstr(reply_text, "\nhallmark_oracle_clock_offset"));
}

static void a_key_that_retires_says_when(void **state)
{
	static int rotation;

	(void)state;
	scrape();
	assert_null(strstr(reply_text, "\nhallmark_oracle_key_"));
	api.key_epoch = 7;
	api.rotation = (const struct key_rotation *)&rotation;
	scrape();
	shows("hallmark_oracle_key_epoch 7");
	shows("hallmark_oracle_key_retires_timestamp_seconds 1900000000.500");
	shows("hallmark_oracle_key_rotation_failures_total 3");
	api.key_epoch = 0;
	api.rotation = NULL;
}

static void the_attestation_has_an_age_and_an_end(void **state)
{
	(void)state;
	scrape();
	shows("hallmark_oracle_attestation_not_after_timestamp_seconds "
	      "1900000000.123");
	assert_non_null(
	    strstr(reply_text, "\nhallmark_oracle_attestation_age_seconds 6"));
	has_document = false;
	scrape();
	assert_null(strstr(reply_text, "\nhallmark_oracle_attestation_"));
}

static void streams_are_counted(void **state)
{
	(void)state;
	scrape();
	shows("hallmark_oracle_waiting_requests 5");
	shows("hallmark_oracle_stream_subscribers 3");
	shows("hallmark_oracle_stream_events_total 100");
	shows("hallmark_oracle_stream_deliveries_total 300");
	shows("hallmark_oracle_stream_slow_closed_total 1");
	shows("hallmark_oracle_stream_resumed_total 2");
	shows("hallmark_oracle_stream_resynced_total 4");
}

static void only_a_price_is_a_price(void **state)
{
	(void)state;
	scrape();
	assert_null(strstr(reply_text, "feed_price{"));
	items[1].status = ITEM_OK;
	items[1].price = cents(6100050);
	scrape();
	ROW("feed_price", "feed=\"BTC-USD\"", "61000.50");
}

/* promtool's rules: a family is one block, with one HELP and one TYPE before
 * its samples. */
static void families_stand_together(void **state)
{
	char family[128] = "", seen[8192] = "|", name[128], wanted[160];
	char *save = NULL, *copy;

	(void)state;
	scrape();
	copy = strdup(reply_text);
	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *from = line;

		if (strncmp(line, "# HELP ", 7) == 0 ||
		    strncmp(line, "# TYPE ", 7) == 0)
			from += 7;
		snprintf(
		    name, sizeof(name), "%.*s", (int)strcspn(from, " {"), from);
		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(wanted, sizeof(wanted), "|%s|", name);
			assert_null(strstr(seen, wanted));
			assert_true(
			    strlen(seen) + strlen(name) + 2 < sizeof(seen));
			strncat(seen, name, sizeof(seen) - strlen(seen) - 1);
			strncat(seen, "|", sizeof(seen) - strlen(seen) - 1);
			memcpy(family, name, sizeof(family));
		}
		assert_string_equal(name, family);
		assert_int_equal(strncmp(name, "hallmark_oracle_", 16), 0);
	}
	free(copy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(exchanges_have_their_budget),
	    TEST(sources_have_their_causes),
	    TEST(what_was_not_asked_has_no_latency),
	    TEST(feeds_have_status_and_states),
	    TEST(a_feed_without_an_item_has_no_status),
	    TEST(the_oracle_says_who_it_is),
	    TEST(a_key_that_retires_says_when),
	    TEST(the_attestation_has_an_age_and_an_end),
	    TEST(streams_are_counted),
	    TEST(only_a_price_is_a_price),
	    TEST(families_stand_together),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
