/* replay_price: see replay_price.h. */
#include "verifier/archive/replay_price.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the rules to go by ---- */

/* How many decimals the feed has: all prices of an item have the same. -1:
 * there is none in it. */
static int decimals_of(const struct item *item)
{
	if (item->status == ITEM_OK)
		return -item->price.exponent;
	for (size_t i = 0; i < item->source_count; i++)
		if (item->sources[i].has_price)
			return -item->sources[i].price.exponent;
	return -1;
}

/* Rules that leave every source in the state in which it is given. */
static const struct feed_config *be_lenient(
    struct feed_config *out, const struct item *said)
{
	static const struct exchange any = {.time = EXCHANGE_TIME_NONE};
	int decimals = decimals_of(said);

	out->decimals = decimals < 0 ? 0 : decimals;
	out->max_age_ms = out->exchange_max_age_ms = INT64_MAX;
	out->min_sources = said->min_sources;
	out->min_share_percent = 0;
	out->max_deviation_bps = out->outlier_floor_bps = UINT32_MAX;
	out->outlier_mads = UINT32_MAX;
	out->max_jump_bps = 0;
	out->source_count = said->source_count;
	for (size_t i = 0; i < said->source_count; i++) {
		out->sources[i].exchange = &any;
		out->sources[i].is_check = false;
	}
	return out;
}

static bool is_configured(
    const struct item_source *source, const struct feed_source *configured)
{
	return strcmp(source->exchange, configured->exchange->name) == 0 &&
	       strcmp(source->symbol, configured->symbol) == 0 &&
	       strcmp(source->via, configured->quote_feed) == 0;
}

__attribute__((format(printf, 2, 3))) static void differ(
    struct replay_price *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->other, sizeof(out->other), format, args);
	va_end(args);
}

/* Whether it is an item of this feed at all. */
static bool is_of(struct replay_price *out, const struct feed_config *config,
    const struct item *said)
{
	if (said->source_count != config->source_count) {
		differ(out, "has %zu sources, the configuration %zu",
		    said->source_count, config->source_count);
		return false;
	}
	for (size_t i = 0; i < said->source_count; i++)
		if (!is_configured(&said->sources[i], &config->sources[i])) {
			differ(out, "source %zu is not the configuration's",
			    i + 1);
			return false;
		}
	if (said->expires_ms - said->published_ms != config->max_age_ms) {
		differ(out, "expires after %" PRId64 " ms, not %" PRId64,
		    said->expires_ms - said->published_ms, config->max_age_ms);
		return false;
	}
	return true;
}

/* ---- making it again ---- */

/* Failed by what aggregate() makes of an answer, not before. */
static bool failed_here(const struct item_source *source)
{
	return source->state == SOURCE_FAILED && source->has_answer &&
	       (source->error == QUOTE_NO_PRICE ||
		   source->error == QUOTE_NO_RATE);
}

/* Back to what the poller gave. */
static void reset(struct item *item, bool take_states)
{
	for (size_t i = 0; i < item->source_count; i++) {
		struct item_source *source = &item->sources[i];
		bool poller = source->state == SOURCE_FROZEN ||
			      (source->state == SOURCE_FAILED &&
				  !failed_here(source));

		if (!take_states && !poller) {
			source->state = SOURCE_USED;
			source->error = QUOTE_OK;
		}
	}
}

/* What is decided outside of what an item shows of itself. */
static void take_reason(struct item *item, const struct item *said)
{
	bool jump = said->reason == ITEM_PRICE_JUMP && item->status == ITEM_OK;

	if (!jump && said->reason != ITEM_CLOCK_UNCERTAIN)
		return;
	item->status = ITEM_UNAVAILABLE;
	item->reason = said->reason;
	item->price = item->confidence = (struct decimal){0};
}

static void describe_source(struct replay_price *out,
    const struct item_source *said, const struct item_source *made)
{
	char a[DECIMAL_STRMAX], b[DECIMAL_STRMAX];

	decimal_format(said->price, a);
	decimal_format(made->price, b);
	differ(out, "%s %s: says %s (%s), recomputed %s (%s)", said->exchange,
	    said->symbol, said->has_price ? a : "no price",
	    source_state_name(said->state), made->has_price ? b : "no price",
	    source_state_name(made->state));
}

static bool same_decimal(struct decimal a, struct decimal b)
{
	return a.mantissa == b.mantissa && a.exponent == b.exponent;
}

static void describe(
    struct replay_price *out, const struct item *said, const struct item *made)
{
	char a[DECIMAL_STRMAX], b[DECIMAL_STRMAX];

	for (size_t i = 0; i < said->source_count; i++) {
		const struct item_source *s = &said->sources[i];
		const struct item_source *m = &made->sources[i];

		if (s->state == m->state && s->error == m->error &&
		    s->has_price == m->has_price &&
		    same_decimal(s->price, m->price))
			continue;
		describe_source(out, s, m);
		return;
	}
	if (said->status != made->status || said->reason != made->reason) {
		differ(out, "says %s %s, recomputed %s %s",
		    item_status_name(said->status),
		    item_reason_name(said->reason),
		    item_status_name(made->status),
		    item_reason_name(made->reason));
		return;
	}
	if (said->min_sources != made->min_sources) {
		differ(out, "says min_sources %u, recomputed %u",
		    said->min_sources, made->min_sources);
		return;
	}
	decimal_format(said->price, a);
	decimal_format(made->price, b);
	if (!same_decimal(said->price, made->price)) {
		differ(out, "says %s, recomputed %s", a, b);
		return;
	}
	decimal_format(said->confidence, a);
	decimal_format(made->confidence, b);
	differ(out, "says confidence %s, recomputed %s", a, b);
}

static void ask_past(struct replay_price *out, const struct feed_config *config,
    const struct item *said)
{
	struct aggregate_past after = {0};

	aggregate_remember(&after, config, said);
	out->after = after;
	out->asks_past = after.has_price || after.has_candidate;
	out->price = after.has_price ? after.price : after.candidate;
	for (size_t i = 0; i < said->source_count; i++)
		out->used += said->sources[i].state == SOURCE_USED;
}

void replay_price_make(struct replay_price *out,
    const struct feed_config *config, const struct item *said,
    const char *content, size_t len, struct replay_price_room *room)
{
	static const struct aggregate_past nothing;
	struct item *item = &room->item;
	const struct feed_config *rules = config;
	size_t made_len;

	*out = (struct replay_price){0};
	if (config && !is_of(out, config, said))
		return;
	if (!config)
		rules = be_lenient(&room->lenient, said);
	item_copy(item, said);
	reset(item, !config);
	aggregate(rules, &nothing, item);
	take_reason(item, said);
	out->same = item_encode(item, room->content, sizeof(room->content),
			&made_len) == 0 &&
		    made_len == len && memcmp(room->content, content, len) == 0;
	if (!out->same)
		describe(out, said, item);
	else if (config)
		ask_past(out, config, said);
}
