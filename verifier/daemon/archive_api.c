/* archive_api: the archive's state, for people and for Prometheus. */
#include "verifier/daemon/archive_api.h"

#include "base/now.h"

#include <stdio.h>

#define PREFIX "hallmark_verifierd_archive_"

static struct archive_writer_view view_of(const struct verifierd *d)
{
	struct archive_writer_view view = {
	    .state = ARCHIVE_FAILING, .why = "stopping"};

	if (d->writer)
		archive_writer_view(d->writer, &view);
	else if (d->wait)
		archive_wait_view(d->wait, &view);
	return view;
}

json_t *archive_api_check(const struct verifierd *daemon, bool *ready)
{
	struct archive_writer_view view = view_of(daemon);
	char text[ARCHIVE_ERROR_MAX + 128];
	json_t *json;

	if (view.state == ARCHIVE_OK)
		return json_string("ok");
	*ready = false;
	snprintf(text, sizeof(text), "%s for %lld s: %s; %zu items wait",
	    archive_state_name(view.state),
	    view.since_ms ? (long long)(now_unix_ms() - view.since_ms) / 1000
			  : 0,
	    view.why, view.waiting);
	json = json_string(text);
	return json ? json : json_string("(not UTF-8)");
}

json_t *archive_api_describe(const struct verifierd *daemon)
{
	struct archive_writer_view view = view_of(daemon);
	json_t *since = view.since_ms ? json_integer(view.since_ms)
				      : json_null();

	return json_pack("{s:s, s:o, s:I, s:I}", "state",
	    archive_state_name(view.state), "since_ms", since, "waiting",
	    (json_int_t)view.waiting, "set_aside", (json_int_t)view.set_aside);
}

static void one(struct metrics_text *text, const char *name, const char *type,
    const char *help, uint64_t value)
{
	metrics_text_family(text, name, type, help);
	metrics_text_sample(text, NULL, (int64_t)value);
}

static void put_raw(const struct raw_keeper *raw, struct metrics_text *text)
{
	struct raw_keeper_stats stats;

	raw_keeper_stats(raw, &stats);
	one(text, PREFIX "raw_waiting", "gauge",
	    "Raw answers of exchanges that are still to be fetched.",
	    stats.waiting);
	one(text, PREFIX "raw_kept_total", "counter",
	    "Raw answers that were fetched for the archive.", stats.kept);
	one(text, PREFIX "raw_missing_total", "counter",
	    "Raw answers that the oracle did not have, or not any more.",
	    stats.missing);
	one(text, PREFIX "raw_wrong_total", "counter",
	    "Raw answers with another hash than asked for.", stats.wrong);
	one(text, PREFIX "raw_dropped_total", "counter",
	    "Raw answers that were not fetched, for want of time or room.",
	    stats.dropped);
}

void archive_api_metrics(
    const struct verifierd *daemon, struct metrics_text *text)
{
	struct archive_writer_view view = view_of(daemon);

	one(text, PREFIX "ok", "gauge",
	    "1 while what is accepted can be written to the archive.",
	    view.state == ARCHIVE_OK);
	metrics_text_family(text, PREFIX "state", "gauge",
	    "1 for the state that the archive is in.");
	for (int s = 0; s < ARCHIVE_STATES; s++) {
		const struct metrics_label labels[] = {
		    {"state", archive_state_name((enum archive_state)s)},
		    {NULL, NULL}};

		metrics_text_sample(
		    text, labels, view.state == (enum archive_state)s);
	}
	metrics_text_family(text, PREFIX "failing_since_timestamp_seconds",
	    "gauge", "Since when it is in a state that is not ok; else 0.");
	metrics_text_sample_ms(text, NULL, view.since_ms);
	one(text, PREFIX "waiting_items", "gauge",
	    "Items that wait to be written.", view.waiting);
	one(text, PREFIX "set_aside_total", "counter",
	    "Damaged archives that were set aside since the start.",
	    view.set_aside);
	one(text, PREFIX "rotation_ok", "gauge",
	    "0 while a day that is over cannot be put into its own file.",
	    !view.rotation_failed);
	if (daemon->raw)
		put_raw(daemon->raw, text);
}
