/* feeds_api: every parameter of the rule, as it is applied. */
#include "oracle/feeds_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static char *replied;

void http_reply_json(struct http_request *req, const char *json)
{
	(void)req;
	replied = strdup(json);
	assert_non_null(replied);
}

static struct config config;

/* What GET /feeds says of a configuration with these feeds. */
static void serve(const char *feeds)
{
	const struct api api = {
	    .config = &config, .platform = "simulated", .boot_id = "b00t"};
	char error[FEED_CONFIG_ERROR_MAX];
	json_t *json = json_loads(feeds, 0, NULL);

	if (feed_set_parse(&config.feeds, json, error) != 0)
		fail_msg("%s", error);
	json_decref(json);
	free(replied);
	replied = NULL;
	feeds_api_serve(&api, NULL);
	assert_non_null(replied);
}

static void the_whole(void **state)
{
	static const char zeros[] = "0000000000000000";
	char wanted[2048];

	(void)state;
	serve("[{\"feed\":\"USDT-USD\",\"decimals\":6,\"interval_ms\":1000,"
	      "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
	      "{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\"}]},"
	      "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":500,"
	      "\"max_age_ms\":4000,\"exchange_max_age_ms\":30000,"
	      "\"frozen_after_ms\":0,\"min_sources\":1,"
	      "\"min_share_percent\":60,\"max_deviation_bps\":300,"
	      "\"outlier_mads\":4,\"outlier_floor_bps\":20,"
	      "\"max_jump_bps\":700,\"jump_share_percent\":80,\"sources\":["
	      "{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"},"
	      "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","
	      "\"quote_feed\":\"USDT-USD\"},"
	      "{\"exchange\":\"bitstamp\",\"symbol\":\"btcusd\"},"
	      "{\"exchange\":\"coingecko\",\"symbol\":\"bitcoin\","
	      "\"role\":\"check\"}]}]");
	snprintf(wanted, sizeof(wanted),
	    "{\"feeds\":[{\"feed\":\"USDT-USD\",\"decimals\":6,"
	    "\"interval_ms\":1000,\"max_age_ms\":5000,"
	    "\"exchange_max_age_ms\":60000,\"frozen_after_ms\":300000,"
	    "\"min_sources\":1,\"min_share_percent\":50,"
	    "\"max_deviation_bps\":200,\"outlier_mads\":5,"
	    "\"outlier_floor_bps\":50,\"max_jump_bps\":1000,"
	    "\"jump_share_percent\":60,\"sources\":["
	    "{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\","
	    "\"quote_feed\":null,\"role\":\"vote\"}]},"
	    /* three vote, sixty percent of them are two */
	    "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":500,"
	    "\"max_age_ms\":4000,\"exchange_max_age_ms\":30000,"
	    "\"frozen_after_ms\":0,\"min_sources\":2,"
	    "\"min_share_percent\":60,\"max_deviation_bps\":300,"
	    "\"outlier_mads\":4,\"outlier_floor_bps\":20,"
	    "\"max_jump_bps\":700,\"jump_share_percent\":80,\"sources\":["
	    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","
	    "\"quote_feed\":\"USDT-USD\",\"role\":\"vote\"},"
	    "{\"exchange\":\"bitstamp\",\"symbol\":\"btcusd\","
	    "\"quote_feed\":null,\"role\":\"vote\"},"
	    "{\"exchange\":\"coingecko\",\"symbol\":\"bitcoin\","
	    "\"quote_feed\":null,\"role\":\"check\"},"
	    "{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\","
	    "\"quote_feed\":null,\"role\":\"vote\"}]}],"
	    "\"platform\":\"simulated\",\"boot_id\":\"b00t\","
	    "\"config_sha256\":\"%s%s%s%s\"}",
	    zeros, zeros, zeros, zeros);
	assert_string_equal(replied, wanted);
}

static int tear_down(void **state)
{
	(void)state;
	free(replied);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_whole),
	};

	return cmocka_run_group_tests_name("feeds_api", tests, NULL, tear_down);
}
