/* feeds_api: see feeds_api.h. */
#include "oracle/feeds_api.h"

#include "base/log.h"
#include "feeds/hex.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *source_json(const struct feed_source *source)
{
	const char *via = source->quote_feed[0] ? source->quote_feed : NULL;

	return json_pack("{s:s, s:s, s:s?, s:s}", "exchange",
	    source->exchange->name, "symbol", source->symbol, "quote_feed", via,
	    "role", source->is_check ? "check" : "vote");
}

static json_t *feed_json(const struct feed_config *feed)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < feed->source_count; i++)
		json_array_append_new(sources, source_json(&feed->sources[i]));
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i,"
			 " s:i, s:i, s:i, s:o}",
	    "feed", feed->feed, "decimals", feed->decimals, "interval_ms",
	    (json_int_t)feed->interval_ms, "max_age_ms",
	    (json_int_t)feed->max_age_ms, "exchange_max_age_ms",
	    (json_int_t)feed->exchange_max_age_ms, "frozen_after_ms",
	    (json_int_t)feed->frozen_after_ms, "min_sources",
	    (int)feed_config_min_sources(feed), "min_share_percent",
	    (int)feed->min_share_percent, "max_deviation_bps",
	    (int)feed->max_deviation_bps, "outlier_mads",
	    (int)feed->outlier_mads, "outlier_floor_bps",
	    (int)feed->outlier_floor_bps, "max_jump_bps",
	    (int)feed->max_jump_bps, "jump_share_percent",
	    (int)feed->jump_share_percent, "sources", sources);
}

void feeds_api_serve(const struct api *api, struct http_request *req)
{
	const struct feed_set *set = &api->config->feeds;
	char config_sha256[2 * sizeof(api->config->sha256) + 1];
	json_t *feeds = json_array(), *tree;
	char *text;

	for (size_t i = 0; i < set->count; i++)
		json_array_append_new(feeds, feed_json(&set->feeds[i]));
	hex_encode(
	    api->config->sha256, sizeof(api->config->sha256), config_sha256);
	tree = json_pack("{s:o, s:s, s:s, s:s}", "feeds", feeds, "platform",
	    api->platform, "boot_id", api->boot_id, "config_sha256",
	    config_sha256);
	text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
	if (!text)
		log_die("api", "out of memory");
	http_reply_json(req, text);
	free(text);
	json_decref(tree);
}
