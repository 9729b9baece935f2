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
	require(f->interval_ms >= 250 && f->interval_ms <= 60000);
	require(f->max_age_ms > 0 && f->frozen_after_ms >= 0);
	require(f->min_sources >= 1 && f->min_sources <= f->source_count);
	require(f->max_deviation_bps >= 1);
	require(f->source_count <= FEED_SOURCES_MAX);
	for (size_t i = 0; i < f->source_count; i++) {
		const struct feed_source *s = &f->sources[i];
		char target[EXCHANGE_TARGET_MAX];
		require(s->exchange != NULL && s->symbol[0] != '\0');
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
