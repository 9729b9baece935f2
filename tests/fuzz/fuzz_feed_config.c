/* fuzz_feed_config: any JSON as the feeds of a configuration. What is accepted
 * keeps the promises of feed_config.h. */
#include "feeds/feed_config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_feed(const struct feed_set *set, const struct feed_config *f)
{
	require(feed_set_find(set, f->feed) == f);
	require(f->decimals >= 0 && f->decimals <= 12);
	require(f->interval_ms >= 200 && f->interval_ms <= 60000);
	require(f->max_age_ms > 0 && f->frozen_after_ms >= 0);
	require(f->exchange_max_age_ms >= 1000);
	require(f->min_sources >= 1 && f->min_share_percent <= 100);
	require(f->max_deviation_bps >= 1 && f->max_deviation_bps <= 10000);
	require(f->outlier_mads >= 1 && f->outlier_mads <= 100);
	require(f->outlier_floor_bps <= 10000 && f->max_jump_bps <= 10000);
	require(f->jump_share_percent <= 100);
	/* a price can be had, and an item can say how many it takes */
	require(feed_config_min_sources(f) >= f->min_sources);
	require(feed_config_min_sources(f) <= feed_config_voters(f));
	require(f->source_count <= FEED_SOURCES_MAX);
	for (size_t i = 0; i < f->source_count; i++) {
		const struct feed_source *s = &f->sources[i];
		char target[EXCHANGE_TARGET_MAX];
		require(s->exchange != NULL && s->symbol[0] != '\0');
		require(s->is_check || !s->exchange->check_only);
		require(exchange_target(target, s->exchange, s->symbol) == 0);
		if (s->quote_feed[0] != '\0')
			require(feed_set_find(set, s->quote_feed) < f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feed_set set;
	char error[FEED_CONFIG_ERROR_MAX];
	json_t *json = json_loadb(
	    (const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (json == NULL)
		return 0;
	if (feed_set_parse(&set, json, error) == 0) {
		require(error[0] == '\0' && set.count >= 1);
		for (size_t i = 0; i < set.count; i++)
			check_feed(&set, &set.feeds[i]);
	} else {
		require(error[0] != '\0' && strlen(error) < sizeof(error));
		require(set.count == 0);
	}
	json_decref(json);
	return 0;
}
