/* plan: see plan.h. */
#include "oracle/plan.h"

#include "feeds/hex.h"

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

static void print_feed(const struct feed_config *feed, FILE *out)
{
	fprintf(out,
	    "feed %s: every %lld ms, %d decimals, at least %u of %zu sources, "
	    "answers up to %lld ms old, outliers beyond %u bps, frozen after "
	    "%lld ms\n",
	    feed->feed, (long long)feed->interval_ms, feed->decimals,
	    feed->min_sources, feed->source_count, (long long)feed->max_age_ms,
	    feed->max_deviation_bps, (long long)feed->frozen_after_ms);
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *source = &feed->sources[i];
		char target[EXCHANGE_TARGET_MAX];

		if (exchange_target(target, source->exchange, source->symbol) !=
		    0)
			snprintf(target, sizeof(target), " (bad symbol)");
		fprintf(out, "  %-18s https://%s%s%s%s\n",
		    source->exchange->name, source->exchange->host, target,
		    source->quote_feed[0] ? "  converted by " : "",
		    source->quote_feed);
	}
}

void plan_print(const struct config *config, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX], hex[2 * sizeof(config->sha256) + 1];

	endpoint_format(&config->listen, text);
	fprintf(out, "listen        %s\n", text);
	if (config->has_proxy)
		endpoint_format(&config->proxy, text);
	fprintf(out, "proxy         %s\n",
	    config->has_proxy ? text : "none: exchanges are dialled directly");
	fprintf(out, "attester      %s\n",
	    config->attester == CONFIG_NSM
		? config->nsm_device
		: "SIMULATED: no verifier accepts it unless its policy names "
		  "its root");
	fprintf(out, "ca_bundle     %s\n", config->ca_bundle);
	print_pins(config, out);
	if (config->insecure_allow_debug)
		fprintf(out, "INSECURE      publishes from a debug enclave\n");
	hex_encode(config->sha256, sizeof(config->sha256), hex);
	fprintf(out, "config_sha256 %s\n", hex);
	for (size_t i = 0; i < config->feeds.count; i++)
		print_feed(&config->feeds.feeds[i], out);
}
