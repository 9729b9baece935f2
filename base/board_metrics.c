/* board_metrics: see board_metrics.h. */
#include "base/board_metrics.h"

#include <stdio.h>

#define NAME_MAX_LEN 96 /* bytes of a family's name and a NUL */

static int64_t subscribers(const struct sse_stats *stats)
{
	return stats->subscribers;
}

static int64_t events(const struct sse_stats *stats)
{
	return (int64_t)stats->events;
}

static int64_t deliveries(const struct sse_stats *stats)
{
	return (int64_t)stats->deliveries;
}

static int64_t slow_closed(const struct sse_stats *stats)
{
	return (int64_t)stats->slow_closed;
}

static int64_t resumed(const struct sse_stats *stats)
{
	return (int64_t)stats->resumed;
}

static int64_t resynced(const struct sse_stats *stats)
{
	return (int64_t)stats->resynced;
}

static const struct family {
	const char *name, *type, *help;
	int64_t (*value)(const struct sse_stats *stats);
} families[] = {
    {"stream_subscribers", "gauge", "Streams that are open now.", subscribers},
    {"stream_events_total", "counter", "Events made for all of them.", events},
    {"stream_deliveries_total", "counter", "Events put into their queues.",
	deliveries},
    {"stream_slow_closed_total", "counter",
	"Streams closed because they were not read.", slow_closed},
    {"stream_resumed_total", "counter",
	"Streams that got all that they had missed.", resumed},
    {"stream_resynced_total", "counter",
	"Streams that were told to fetch anew: it was not kept.", resynced},
};

void board_metrics(
    const struct board *board, struct metrics_text *metrics, const char *prefix)
{
	struct sse_stats stats;
	char name[NAME_MAX_LEN];

	board_stream_stats(board, &stats);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *family = &families[i];

		snprintf(name, sizeof(name), "%s%s", prefix, family->name);
		metrics_text_family(metrics, name, family->type, family->help);
		metrics_text_sample(metrics, NULL, family->value(&stats));
	}
	snprintf(name, sizeof(name), "%swaiting_requests", prefix);
	metrics_text_family(metrics, name, "gauge",
	    "Requests that wait for an item newer than theirs.");
	metrics_text_sample(metrics, NULL, (int64_t)board_waiting(board));
}
