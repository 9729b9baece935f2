/* fetch_metrics: see fetch_metrics.h. */
#include "oracle/fetch_metrics.h"

static void put(struct metrics_text *text, const char *result, uint64_t value)
{
	const struct metrics_label labels[] = {
	    {"result", result}, {NULL, NULL}};

	metrics_text_sample(text, labels, (int64_t)value);
}

void fetch_metrics(const struct fetch *fetch, struct metrics_text *text)
{
	struct fetch_stats stats;

	if (fetch == NULL)
		return;
	fetch_stats(fetch, &stats);
	metrics_text_family(text, "hallmark_oracle_fetch_requests_total",
	    "counter",
	    "POST /fetch, by what it came to; asked and failed: requests to "
	    "a host, the failed ones among them.");
	put(text, "asked", stats.asked);
	put(text, "failed", stats.failed);
	put(text, "shared", stats.shared);
	put(text, "refused", stats.refused);
	put(text, "not_allowed", stats.outside);
	metrics_text_family(text, "hallmark_oracle_fetch_held_bytes", "gauge",
	    "Of answers that clients have not taken yet.");
	metrics_text_sample(text, NULL, (int64_t)stats.held_bytes);
}
