/*
 * plan: see plan.h. The requests are poll_plan's, made as the poller makes
 * them at its start, so that what is printed here is what it will ask.
 */
#include "oracle/plan.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "oracle/kept_key.h"
#include "oracle/plan_fetch.h"
#include "oracle/plan_peers.h"
#include "oracle/plan_secrets.h"
#include "oracle/poll_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct exchange_plan {
	const struct exchange *exchange;
	struct poll_source *sources;
	struct poll_request *requests;
	size_t count;
	struct poll_plan plan;
};

struct plan {
	const struct config *config;
	FILE *out;
	struct exchange_plan exchanges[CONFIG_EXCHANGES_MAX];
	size_t count;
	bool lives[FEEDS_MAX];
};

/* ---- the requests ---- */

static struct poll_source *find_source(
    const struct exchange_plan *exchange, const char *symbol)
{
	for (size_t i = 0; i < exchange->count; i++)
		if (strcmp(exchange->sources[i].symbol, symbol) == 0)
			return &exchange->sources[i];
	return NULL;
}

static void add_source(struct exchange_plan *exchange,
    const struct feed_config *feed, const char *symbol)
{
	struct poll_source *source = find_source(exchange, symbol);

	if (!source) {
		source = &exchange->sources[exchange->count++];
		poll_source_init(source, exchange->exchange, symbol);
	}
	poll_source_use(source, feed->interval_ms, feed->max_age_ms);
}

/* How many sources of all feeds are of this exchange. */
static size_t count_sources(
    const struct feed_set *feeds, const struct exchange *exchange)
{
	size_t count = 0;

	for (size_t f = 0; f < feeds->count; f++)
		for (size_t i = 0; i < feeds->feeds[f].source_count; i++)
			count += feeds->feeds[f].sources[i].exchange ==
				 exchange;
	return count;
}

static void add_exchange(
    struct plan *plan, const struct exchange *exchange, size_t most)
{
	const struct feed_set *feeds = &plan->config->feeds;
	struct exchange_plan *out = &plan->exchanges[plan->count++];

	*out = (struct exchange_plan){
	    .exchange = exchange,
	    .sources = calloc(most, sizeof(*out->sources)),
	    .requests = calloc(most, sizeof(*out->requests)),
	};
	if (!out->sources || !out->requests)
		log_die("plan", "out of memory");
	for (size_t f = 0; f < feeds->count; f++) {
		const struct feed_config *feed = &feeds->feeds[f];

		for (size_t i = 0; i < feed->source_count; i++)
			if (feed->sources[i].exchange == exchange)
				add_source(out, feed, feed->sources[i].symbol);
	}
	poll_plan_init(&out->plan, exchange, out->sources, out->requests,
	    out->count, 0, 1, 0);
}

static struct plan *plan_new(const struct config *config, FILE *out)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		log_die("plan", "out of memory");
	plan->config = config;
	plan->out = out;
	for (size_t i = 0; exchange_table[i]; i++) {
		size_t most = count_sources(&config->feeds, exchange_table[i]);

		assert(plan->count < CONFIG_EXCHANGES_MAX);
		if (most > 0)
			add_exchange(plan, exchange_table[i], most);
	}
	return plan;
}

static void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->exchanges[i].sources);
		free(plan->exchanges[i].requests);
	}
	free(plan);
}

static bool asks_for(const struct poll_plan *plan,
    const struct poll_request *request, const struct poll_source *source)
{
	for (size_t i = 0; request->used && i < request->count; i++)
		if (poll_plan_source(plan, request, i) == source)
			return true;
	return false;
}

/* How often this source is asked for. */
static int64_t interval_of(
    const struct plan *plan, const struct feed_source *source)
{
	const struct exchange_plan *exchange = plan->exchanges;
	const struct poll_source *wanted;
	size_t i = 0;

	while (exchange->exchange != source->exchange)
		exchange++;
	wanted = find_source(exchange, source->symbol);
	while (i < exchange->count &&
	       !asks_for(&exchange->plan, &exchange->requests[i], wanted))
		i++;
	assert(i < exchange->count); /* each source is asked for */
	return exchange->requests[i].interval_ms;
}

/* ---- the head ---- */

static void print_pins(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < config->pin_count; i++) {
		const struct config_pins *pins = &config->pins[i];
		char hex[2 * sizeof(pins->spki_sha256[0]) + 1];

		if (pins->ca_file[0] != '\0')
			fprintf(out, "trust         %s only by %s\n",
			    pins->exchange->name, pins->ca_file);
		for (size_t key = 0; key < pins->spki_count; key++) {
			hex_encode(pins->spki_sha256[key],
			    sizeof(pins->spki_sha256[0]), hex);
			fprintf(out, "trust         %s only with key %s%s\n",
			    pins->exchange->name, key > 0 ? "or " : "", hex);
		}
	}
}

static void print_head(const struct config *config, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX], hex[2 * sizeof(config->sha256) + 1];

	endpoint_format(&config->listen, text);
	fprintf(out, "listen        %s%s\n", text,
	    config->listen_proxy_protocol ? ", behind PROXY headers" : "");
	if (config->has_proxy)
		endpoint_format(&config->proxy, text);
	fprintf(out, "proxy         %s\n",
	    config->has_proxy ? text : "none: exchanges are dialled directly");
	fprintf(out, "tree_head     every %lld ms\n",
	    (long long)config->tree_head_interval_ms);
	if (config->keep_raw_s > 0)
		fprintf(out, "raw answers   kept for %lld s, GET /raw/SHA256\n",
		    (long long)config->keep_raw_s);
	fprintf(out, "attester      %s\n",
	    config->attester == CONFIG_NSM       ? config->nsm_device
	    : config->attester == CONFIG_GRAMINE ? config->gramine_dir
						 : "SIMULATED: no verifier "
						   "accepts it unless its "
						   "policy names its root");
	if (config->gramine_root[0] != '\0')
		fprintf(out, "gramine_root  %s, not Intel's\n",
		    config->gramine_root);
	if (config->nsm_root[0] != '\0')
		fprintf(out, "nsm_root      %s, not AWS's\n",
		    certificates_name(config->nsm_root));
	fprintf(
	    out, "ca_bundle     %s\n", certificates_name(config->ca_bundle));
	print_pins(config, out);
	plan_secrets_print(config, out);
	plan_fetch_print(config, out);
	kept_key_print(config, out);
	plan_peers(config, out);
	if (config->insecure_allow_debug)
		fprintf(out, "INSECURE      publishes from a debug enclave\n");
	if (config->insecure_emulator)
		fprintf(out,
		    "INSECURE      starts in an emulated machine, whose "
		    "clock and random numbers nobody vouches for\n");
	if (config->attested_tls)
		fprintf(out, "tls           attested: TLS 1.3 ends in the "
			     "oracle, its key is in each document\n");
	hex_encode(config->sha256, sizeof(config->sha256), hex);
	fprintf(out, "config_sha256 %s\n", hex);
}

/* ---- feeds ---- */

static const char *meaning(enum exchange_time time)
{
	switch (time) {
	case EXCHANGE_TIME_NONE:
		return "none";
	case EXCHANGE_TIME_REPLY:
		return "of the answer";
	case EXCHANGE_TIME_QUOTE:
		return "of the quote";
	case EXCHANGE_TIME_CHANGE:
		return "of its last change";
	case EXCHANGE_TIME_TRADE:
		return "of the last trade";
	case EXCHANGE_TIME_BUCKET:
		return "of a statistic, not used";
	}
	return "?";
}

static void print_source(const struct feed_source *source, FILE *out)
{
	char target[EXCHANGE_TARGET_MAX];

	if (exchange_target(target, source->exchange, source->symbol) != 0)
		snprintf(target, sizeof(target), " (bad symbol)");
	fprintf(out, "  %-17s %-14s %-5s %-9s %-24s https://%s%s\n",
	    source->exchange->name, source->symbol,
	    source->is_check ? "check" : "vote",
	    source->quote_feed[0] ? source->quote_feed : "-",
	    meaning(source->exchange->time), source->exchange->host, target);
}

static void print_feed(const struct feed_config *feed, FILE *out)
{
	fprintf(out, "\nfeed %s\n", feed->feed);
	fprintf(out,
	    "  interval_ms %lld, decimals %d; needs %u of %zu voting sources "
	    "(min_sources %u, min_share_percent %u)\n",
	    (long long)feed->interval_ms, feed->decimals,
	    feed_config_min_sources(feed), feed_config_voters(feed),
	    feed->min_sources, feed->min_share_percent);
	fprintf(out,
	    "  max_age_ms %lld, exchange_max_age_ms %lld, frozen_after_ms "
	    "%lld\n",
	    (long long)feed->max_age_ms, (long long)feed->exchange_max_age_ms,
	    (long long)feed->frozen_after_ms);
	fprintf(out,
	    "  max_deviation_bps %u, outlier_mads %u, outlier_floor_bps %u, "
	    "max_jump_bps %u, jump_share_percent %u\n",
	    feed->max_deviation_bps, feed->outlier_mads,
	    feed->outlier_floor_bps, feed->max_jump_bps,
	    feed->jump_share_percent);
	fprintf(out, "  %-17s %-14s %-5s %-9s %-24s alone it would be\n",
	    "exchange", "symbol", "role", "via", "its time is");
	for (size_t i = 0; i < feed->source_count; i++)
		print_source(&feed->sources[i], out);
}

/* ---- exchanges ---- */

static int64_t wanted_interval(
    const struct poll_plan *plan, const struct poll_request *request)
{
	int64_t interval_ms = INT64_MAX;

	for (size_t i = 0; i < request->count; i++) {
		int64_t each = poll_plan_source(plan, request, i)->interval_ms;

		if (each < interval_ms)
			interval_ms = each;
	}
	return interval_ms;
}

/* Requests a minute, rounded up: what the feeds want, what the plan makes. */
static void count_per_minute(
    const struct exchange_plan *exchange, int64_t *wanted, int64_t *made)
{
	int64_t wanted_milli = 0, made_milli = 0;

	for (size_t i = 0; i < exchange->count; i++) {
		const struct poll_request *request = &exchange->requests[i];

		if (!request->used)
			continue;
		wanted_milli += INT64_C(60000000) /
				wanted_interval(&exchange->plan, request);
		made_milli += INT64_C(60000000) / request->interval_ms;
	}
	*wanted = (wanted_milli + 999) / 1000;
	*made = (made_milli + 999) / 1000;
}

static void print_pinned(const struct config_pins *pins, FILE *out)
{
	char text[32] = "-";

	if (pins && pins->spki_count > 0)
		snprintf(text, sizeof(text), "%s%zu keys",
		    pins->ca_file[0] ? "ca, " : "", pins->spki_count);
	else if (pins && pins->ca_file[0])
		snprintf(text, sizeof(text), "ca");
	fprintf(out, "%-10s ", text);
}

static void print_exchange(
    const struct plan *plan, const struct exchange_plan *exchange)
{
	const struct exchange *e = exchange->exchange;
	int64_t wanted, made;

	count_per_minute(exchange, &wanted, &made);
	fprintf(plan->out, "%-17s %7zu %8zu %7lld %7lld %7u %7u  ", e->name,
	    exchange->count, poll_plan_requests(&exchange->plan),
	    (long long)wanted, (long long)made, 60000 / e->spacing_ms,
	    e->limit_per_min);
	print_pinned(config_pins_find(plan->config, e), plan->out);
	fprintf(plan->out, "%s\n", e->limit);
}

static void print_requests(const struct exchange_plan *exchange, FILE *out)
{
	for (size_t i = 0; i < exchange->count; i++) {
		const struct poll_request *request = &exchange->requests[i];

		if (request->used)
			fprintf(out,
			    "every %lld ms, %zu symbols: "
			    "https://%s%s\n",
			    (long long)request->interval_ms, request->count,
			    exchange->exchange->host, request->target);
	}
}

static void print_exchanges(const struct plan *plan)
{
	fprintf(plan->out, "\n%-17s %7s %8s %7s %7s %7s %7s  %-10s %s\n",
	    "per minute:", "symbols", "requests", "wanted", "made", "budget",
	    "limit", "pins", "its limit");
	for (size_t i = 0; i < plan->count; i++)
		print_exchange(plan, &plan->exchanges[i]);
	fputc('\n', plan->out);
	for (size_t i = 0; i < plan->count; i++)
		print_requests(&plan->exchanges[i], plan->out);
}

/* ---- can it work? ---- */

/* A check that is stale is only less of a comparison. */
static void warn(const struct plan *plan, const struct feed_config *feed,
    const struct feed_source *source, int64_t interval_ms)
{
	int64_t age_ms = feed_config_age_max(source, feed->max_age_ms);

	if (interval_ms + PLAN_ANSWER_MS <= age_ms)
		return;
	fprintf(plan->out,
	    "%s: feed %s: %s %s is asked for every %lld ms, its answers will "
	    "be older than %s %lld\n",
	    source->is_check ? "note" : "warning", feed->feed,
	    source->exchange->name, source->symbol, (long long)interval_ms,
	    source->is_check ? "a check may be," : "max_age_ms",
	    (long long)age_ms);
}

static bool source_lives(const struct plan *plan,
    const struct feed_config *feed, const struct feed_source *source)
{
	const struct feed_set *feeds = &plan->config->feeds;
	int64_t interval_ms = interval_of(plan, source);

	warn(plan, feed, source, interval_ms);
	if (source->is_check || interval_ms > feed->max_age_ms)
		return false;
	return !source->quote_feed[0] ||
	       plan->lives[feed_set_find(feeds, source->quote_feed) -
			   feeds->feeds];
}

/* A quote_feed stands before its users, so it has been judged before them. */
static bool feed_lives(const struct plan *plan, const struct feed_config *feed)
{
	unsigned living = 0, needed = feed_config_min_sources(feed);

	for (size_t i = 0; i < feed->source_count; i++)
		living += source_lives(plan, feed, &feed->sources[i]);
	if (living < needed)
		fprintf(plan->out,
		    "error: feed %s cannot live: %u of its sources can be "
		    "asked for within max_age_ms %lld, it needs %u\n",
		    feed->feed, living, (long long)feed->max_age_ms, needed);
	return living >= needed;
}

static int judge(struct plan *plan)
{
	const struct feed_set *feeds = &plan->config->feeds;
	int result = 0;

	fputc('\n', plan->out);
	for (size_t i = 0; i < feeds->count; i++) {
		plan->lives[i] = feed_lives(plan, &feeds->feeds[i]);
		if (!plan->lives[i])
			result = 1;
	}
	if (result == 0)
		fprintf(plan->out, "%zu feeds: the plan can keep up\n",
		    feeds->count);
	return result;
}

int plan_print(const struct config *config, FILE *out)
{
	struct plan *plan = plan_new(config, out);
	int result;

	print_head(config, out);
	for (size_t i = 0; i < config->feeds.count; i++)
		print_feed(&config->feeds.feeds[i], out);
	print_exchanges(plan);
	result = judge(plan);
	plan_free(plan);
	return result;
}
