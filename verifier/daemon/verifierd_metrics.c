/* verifierd_metrics: see verifierd_metrics.h. The samples of a family stand
 * together, so a visit of all feeds or oracles is made for each. */
#include "verifier/daemon/verifierd_metrics.h"

#include "base/board_metrics.h"
#include "base/metrics_text.h"
#include "base/now.h"
#include "verifier/daemon/archive_api.h"
#include "verifier/daemon/upstreams_api.h"

#include <stdlib.h>

#define PREFIX "hallmark_verifierd_"

struct scrape {
	const struct verifierd *daemon;
	struct metrics_text text;
	int64_t now_ms;
};

static void one(struct scrape *scrape, const char *name, const char *type,
    const char *help, uint64_t value)
{
	metrics_text_family(&scrape->text, name, type, help);
	metrics_text_sample(&scrape->text, NULL, (int64_t)value);
}

/* A sample with one label. */
static void sample(
    struct scrape *scrape, const char *label, const char *is, uint64_t value)
{
	const struct metrics_label labels[] = {{label, is}, {NULL, NULL}};

	metrics_text_sample(&scrape->text, labels, (int64_t)value);
}

/* ---- items ---- */

static void put_items(struct scrape *scrape)
{
	const struct verifierd *d = scrape->daemon;
	struct announce_stats stats;

	metrics_text_family(&scrape->text, PREFIX "items_total", "counter",
	    "Items judged since the start, by verdict (hallmark(1)).");
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		sample(scrape, "verdict", hm_verdict_name((enum hm_verdict)v),
		    validator_count(d->validator, (enum hm_verdict)v));
	announce_stats(d->announcer, &stats);
	metrics_text_family(&scrape->text, PREFIX "archived_items_total",
	    "counter", "Items that the archive has taken or knew, by how.");
	sample(scrape, "outcome", "accepted", stats.accepted);
	sample(scrape, "outcome", "late", stats.late);
	sample(scrape, "outcome", "duplicate", stats.duplicates);
	sample(scrape, "outcome", "refused", stats.refused);
}

/* ---- feeds ---- */

static void put_usable(const struct announce_feed *feed, void *data)
{
	struct scrape *scrape = data;

	sample(scrape, "feed", feed->feed,
	    feed->ok && scrape->now_ms <= feed->expires_ms);
}

static void put_age(const struct announce_feed *feed, void *data)
{
	struct scrape *scrape = data;
	const struct metrics_label labels[] = {
	    {"feed", feed->feed}, {NULL, NULL}};

	if (feed->published_ms > 0)
		metrics_text_sample_ms(
		    &scrape->text, labels, scrape->now_ms - feed->published_ms);
}

static void put_feeds(struct scrape *scrape)
{
	const struct announcer *announcer = scrape->daemon->announcer;

	metrics_text_family(&scrape->text, PREFIX "feed_usable", "gauge",
	    "1 if there is a verified price that has not expired.");
	announce_visit_feeds(announcer, put_usable, scrape);
	metrics_text_family(&scrape->text, PREFIX "feed_age_seconds", "gauge",
	    "Since the newest verified item was published.");
	announce_visit_feeds(announcer, put_age, scrape);
}

/* ---- oracles ---- */

static void put_connected(struct scrape *scrape)
{
	const struct verifierd *d = scrape->daemon;

	metrics_text_family(&scrape->text, PREFIX "oracle_connected", "gauge",
	    "1 while the oracle's stream is open.");
	for (size_t i = 0; i < d->config->oracle_count; i++)
		sample(scrape, "oracle", d->config->oracles[i].text,
		    d->intakes[i] && intake_connected(d->intakes[i]));
}

static void put_waiting(struct scrape *scrape)
{
	const struct verifierd *d = scrape->daemon;

	metrics_text_family(&scrape->text, PREFIX "oracle_waiting_items",
	    "gauge", "Items that wait for their attestation document.");
	for (size_t i = 0; i < d->config->oracle_count; i++)
		sample(scrape, "oracle", d->config->oracles[i].text,
		    d->intakes[i] ? intake_waiting(d->intakes[i]) : 0);
}

static void put_not_after(struct scrape *scrape)
{
	const struct verifierd *d = scrape->daemon;

	metrics_text_family(&scrape->text,
	    PREFIX "attestation_not_after_timestamp_seconds", "gauge",
	    "When the chain of the newest attestation of this oracle ends.");
	for (size_t i = 0; i < d->config->oracle_count; i++) {
		const char *oracle = d->config->oracles[i].text;
		const struct metrics_label labels[] = {
		    {"oracle", oracle}, {NULL, NULL}};
		int64_t ms = announce_not_after(d->announcer, oracle);

		if (ms > 0)
			metrics_text_sample_ms(&scrape->text, labels, ms);
	}
}

static void put_cache(struct scrape *scrape)
{
	struct hm_cache_stats stats;

	validator_cache_stats(scrape->daemon->validator, &stats);
	one(scrape, PREFIX "attestation_documents", "gauge",
	    "Verified attestation documents in the cache.", stats.documents);
	one(scrape, PREFIX "attestation_cache_hits_total", "counter",
	    "Items whose document was there.", stats.hits);
	one(scrape, PREFIX "attestation_cache_misses_total", "counter",
	    "Items whose document had to be verified.", stats.misses);
	one(scrape, PREFIX "attestation_signatures_total", "counter",
	    "P-384 signatures that were verified.", stats.signatures);
}

static void put_build(struct scrape *scrape)
{
	metrics_text_family(
	    &scrape->text, PREFIX "build_info", "gauge", "1 for the version.");
	sample(scrape, "version", HALLMARK_VERSION, 1);
}

void verifierd_metrics_serve(
    const struct verifierd *daemon, struct http_request *req)
{
	struct scrape scrape = {.daemon = daemon, .now_ms = now_unix_ms()};
	struct http_reply reply = {
	    .status = 200, .content_type = METRICS_TEXT_CONTENT_TYPE};
	char *text;

	metrics_text_init(&scrape.text);
	put_build(&scrape);
	put_items(&scrape);
	archive_api_metrics(daemon, &scrape.text);
	put_feeds(&scrape);
	put_connected(&scrape);
	put_waiting(&scrape);
	put_not_after(&scrape);
	put_cache(&scrape);
	upstreams_api_metrics(daemon, &scrape.text);
	log_keeper_metrics(daemon->log, &scrape.text, scrape.now_ms);
	bus_metrics(daemon->bus, &scrape.text);
	board_metrics(daemon->front.board, &scrape.text, PREFIX);
	text = metrics_text_finish(&scrape.text, &reply.len);
	reply.body = text;
	http_reply(req, &reply);
	free(text);
}
