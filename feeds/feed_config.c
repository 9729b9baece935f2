/*
 * feed_config: see feed_config.h. jansson checks the shape (types, required
 * and unknown keys) by its unpack formats; what is left here are ranges, names
 * and what one entry says about another.
 */
#include "feeds/feed_config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMALS_MAX            12
#define INTERVAL_MIN_MS         200
#define INTERVAL_MAX_MS         60000
#define MAX_AGE_MAX_MS          600000
#define EXCHANGE_MAX_AGE_MIN_MS 1000
#define EXCHANGE_MAX_AGE_MAX_MS 86400000
#define FROZEN_AFTER_MAX_MS     86400000
#define BPS_MAX                 10000
#define OUTLIER_MADS_MAX        100
#define PERCENT_MAX             100

/* Why these: deploy/man/hallmark-oracle.8, "FEEDS". */
#define EXCHANGE_MAX_AGE_DEFAULT 60000
#define FROZEN_AFTER_DEFAULT     300000
#define MIN_SHARE_DEFAULT        50
#define MAX_DEVIATION_DEFAULT    200
#define OUTLIER_MADS_DEFAULT     5
#define OUTLIER_FLOOR_DEFAULT    50
#define MAX_JUMP_DEFAULT         1000
#define JUMP_SHARE_DEFAULT       60

/* Where in the file we are, and where to say what is wrong with it. */
struct place {
	char *error;
	size_t feed;
	const char *name; /* of the feed; "" until it is known */
	long source;      /* -1: the feed itself */
};

__attribute__((format(printf, 2, 3))) static int refuse(
    const struct place *at, const char *format, ...)
{
	char where[40] = "", what[128];
	va_list args;

	if (at->source >= 0)
		snprintf(where, sizeof(where), ".sources[%ld]", at->source);
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(at->error, FEED_CONFIG_ERROR_MAX, "feeds[%zu]%s%.31s%s: %s",
	    at->feed, at->name[0] != '\0' ? " " : "", at->name, where, what);
	return -1;
}

/* [A-Z0-9]+-[A-Z0-9]+ */
static bool is_feed_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t base = strspn(name, letters), quote;

	if (base == 0 || name[base] != '-')
		return false;
	quote = strspn(name + base + 1, letters);
	return quote > 0 && name[base + 1 + quote] == '\0' &&
	       strlen(name) < FEED_NAME_MAX;
}

/* The characters that an item may hold in a name. */
static bool is_symbol(const char *symbol)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._:/-";
	size_t len = strlen(symbol);

	return len > 0 && len < EXCHANGE_SYMBOL_MAX &&
	       strspn(symbol, letters) == len;
}

static void copy_name(char *out, const char *name, size_t size)
{
	snprintf(out, size, "%s", name); /* its length was checked */
}

static int read_quote_feed(struct feed_source *out, const char *quote_feed,
    const struct feed_set *earlier, const struct feed_config *feed,
    const struct place *at)
{
	if (quote_feed == NULL)
		return 0;
	if (feed_set_find(earlier, quote_feed) == NULL)
		return refuse(at, "quote_feed \"%.40s\" is not an earlier feed",
		    quote_feed);
	/* What it converts to must be what this feed is quoted in. */
	if (strcmp(strchr(quote_feed, '-'), strchr(feed->feed, '-')) != 0)
		return refuse(at,
		    "quote_feed \"%s\" has another quote currency", quote_feed);
	copy_name(out->quote_feed, quote_feed, sizeof(out->quote_feed));
	return 0;
}

static int read_role(
    struct feed_source *out, const char *role, const struct place *at)
{
	out->is_check = strcmp(role, "check") == 0;
	if (!out->is_check && strcmp(role, "vote") != 0)
		return refuse(
		    at, "role \"%.40s\" is neither vote nor check", role);
	if (out->exchange->check_only && !out->is_check)
		return refuse(at, "%s is not a market: its role must be check",
		    out->exchange->name);
	return 0;
}

static int read_source(struct feed_source *out, const json_t *json,
    const struct feed_set *earlier, const struct feed_config *feed,
    const struct place *at)
{
	const char *exchange, *symbol, *quote_feed = NULL, *role = "vote";
	char target[EXCHANGE_TARGET_MAX];
	json_error_t why;

	if (json_unpack_ex((json_t *)json, &why, 0, "{s:s, s:s, s?:s, s?:s !}",
		"exchange", &exchange, "symbol", &symbol, "quote_feed",
		&quote_feed, "role", &role) != 0)
		return refuse(at, "%s", why.text);
	out->exchange = exchange_find(exchange);
	if (out->exchange == NULL)
		return refuse(at, "unknown exchange \"%.40s\"", exchange);
	if (!is_symbol(symbol) ||
	    exchange_target(target, out->exchange, symbol) != 0)
		return refuse(
		    at, "\"%.40s\" is not a symbol of %s", symbol, exchange);
	copy_name(out->symbol, symbol, sizeof(out->symbol));
	if (read_role(out, role, at) != 0)
		return -1;
	return read_quote_feed(out, quote_feed, earlier, feed, at);
}

static int compare_sources(const void *a, const void *b)
{
	const struct feed_source *x = a, *y = b;
	int order = strcmp(x->exchange->name, y->exchange->name);

	return order != 0 ? order : strcmp(x->symbol, y->symbol);
}

static int read_sources(struct feed_config *out, const json_t *sources,
    const struct feed_set *earlier, struct place *at)
{
	const json_t *json;
	size_t i;

	if (!json_is_array(sources) || json_array_size(sources) == 0 ||
	    json_array_size(sources) > FEED_SOURCES_MAX)
		return refuse(
		    at, "sources must be 1 to %d objects", FEED_SOURCES_MAX);
	json_array_foreach(sources, i, json)
	{
		at->source = (long)i;
		if (read_source(&out->sources[i], json, earlier, out, at) != 0)
			return -1;
	}
	at->source = -1;
	out->source_count = json_array_size(sources);
	qsort(out->sources, out->source_count, sizeof(out->sources[0]),
	    compare_sources);
	for (i = 1; i < out->source_count; i++) {
		if (compare_sources(&out->sources[i - 1], &out->sources[i]) ==
		    0)
			return refuse(at, "source %s %s twice",
			    out->sources[i].exchange->name,
			    out->sources[i].symbol);
	}
	return 0;
}

/* The numbers of one feed, as they stand in the file. */
struct numbers {
	json_int_t decimals, interval_ms;
	json_int_t max_age_ms, exchange_max_age_ms, frozen_after_ms;
	json_int_t min_sources, min_share_percent;
	json_int_t max_deviation_bps, outlier_mads, outlier_floor_bps;
	json_int_t max_jump_bps, jump_share_percent;
};

static const struct numbers defaults = {
    .exchange_max_age_ms = EXCHANGE_MAX_AGE_DEFAULT,
    .frozen_after_ms = FROZEN_AFTER_DEFAULT,
    .min_share_percent = MIN_SHARE_DEFAULT,
    .max_deviation_bps = MAX_DEVIATION_DEFAULT,
    .outlier_mads = OUTLIER_MADS_DEFAULT,
    .outlier_floor_bps = OUTLIER_FLOOR_DEFAULT,
    .max_jump_bps = MAX_JUMP_DEFAULT,
    .jump_share_percent = JUMP_SHARE_DEFAULT,
};

static int check_numbers(const struct numbers *n, const struct place *at)
{
	const struct {
		const char *name;
		json_int_t value, min, max;
	} ranges[] = {
	    {"decimals", n->decimals, 0, DECIMALS_MAX},
	    {"interval_ms", n->interval_ms, INTERVAL_MIN_MS, INTERVAL_MAX_MS},
	    {"max_age_ms", n->max_age_ms, 1, MAX_AGE_MAX_MS},
	    {"exchange_max_age_ms", n->exchange_max_age_ms,
		EXCHANGE_MAX_AGE_MIN_MS, EXCHANGE_MAX_AGE_MAX_MS},
	    {"frozen_after_ms", n->frozen_after_ms, 0, FROZEN_AFTER_MAX_MS},
	    {"min_sources", n->min_sources, 1, FEED_SOURCES_MAX},
	    {"min_share_percent", n->min_share_percent, 0, PERCENT_MAX},
	    {"max_deviation_bps", n->max_deviation_bps, 1, BPS_MAX},
	    {"outlier_mads", n->outlier_mads, 1, OUTLIER_MADS_MAX},
	    {"outlier_floor_bps", n->outlier_floor_bps, 0, BPS_MAX},
	    {"max_jump_bps", n->max_jump_bps, 0, BPS_MAX},
	    {"jump_share_percent", n->jump_share_percent, 0, PERCENT_MAX},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (ranges[i].value < ranges[i].min ||
		    ranges[i].value > ranges[i].max)
			return refuse(at, "%s must be %lld to %lld",
			    ranges[i].name, (long long)ranges[i].min,
			    (long long)ranges[i].max);
	}
	return 0;
}

static int read_numbers(
    struct feed_config *out, const struct numbers *n, const struct place *at)
{
	if (check_numbers(n, at) != 0)
		return -1;
	out->decimals = (int)n->decimals;
	out->interval_ms = n->interval_ms;
	out->max_age_ms = n->max_age_ms;
	out->exchange_max_age_ms = n->exchange_max_age_ms;
	out->frozen_after_ms = n->frozen_after_ms;
	out->min_sources = (unsigned)n->min_sources;
	out->min_share_percent = (unsigned)n->min_share_percent;
	out->max_deviation_bps = (unsigned)n->max_deviation_bps;
	out->outlier_mads = (unsigned)n->outlier_mads;
	out->outlier_floor_bps = (unsigned)n->outlier_floor_bps;
	out->max_jump_bps = (unsigned)n->max_jump_bps;
	out->jump_share_percent = (unsigned)n->jump_share_percent;
	return 0;
}

/* The shape of a feed; `feed` and `sources` are the JSON's. */
static int unpack_feed(const json_t *json, const char **feed, json_t **sources,
    struct numbers *n, const struct place *at)
{
	json_error_t why;

	*n = defaults;
	if (json_unpack_ex((json_t *)json, &why, 0,
		"{s:s, s:I, s:I, s:I, s?:I, s?:I, s:I, s?:I, s?:I, s?:I, s?:I,"
		" s?:I, s?:I, s:o !}",
		"feed", feed, "decimals", &n->decimals, "interval_ms",
		&n->interval_ms, "max_age_ms", &n->max_age_ms,
		"exchange_max_age_ms", &n->exchange_max_age_ms,
		"frozen_after_ms", &n->frozen_after_ms, "min_sources",
		&n->min_sources, "min_share_percent", &n->min_share_percent,
		"max_deviation_bps", &n->max_deviation_bps, "outlier_mads",
		&n->outlier_mads, "outlier_floor_bps", &n->outlier_floor_bps,
		"max_jump_bps", &n->max_jump_bps, "jump_share_percent",
		&n->jump_share_percent, "sources", sources) != 0)
		return refuse(at, "%s", why.text);
	return 0;
}

static int read_feed(struct feed_config *out, const json_t *json,
    const struct feed_set *earlier, struct place *at)
{
	struct numbers n;
	const char *feed;
	json_t *sources;
	size_t voters;

	if (unpack_feed(json, &feed, &sources, &n, at) != 0)
		return -1;
	if (!is_feed_name(feed))
		return refuse(at, "\"%.40s\" is not a feed's name", feed);
	at->name = feed;
	if (feed_set_find(earlier, feed) != NULL)
		return refuse(at, "there twice");
	copy_name(out->feed, feed, sizeof(out->feed));
	if (read_numbers(out, &n, at) != 0 ||
	    read_sources(out, sources, earlier, at) != 0)
		return -1;
	voters = feed_config_voters(out);
	if (out->min_sources > voters)
		return refuse(at, "min_sources is %u, %zu sources vote",
		    out->min_sources, voters);
	return 0;
}

int feed_set_parse(struct feed_set *out, const json_t *feeds,
    char error[static FEED_CONFIG_ERROR_MAX])
{
	const json_t *json;
	size_t i;

	memset(out, 0, sizeof(*out));
	error[0] = '\0';
	if (!json_is_array(feeds) || json_array_size(feeds) == 0 ||
	    json_array_size(feeds) > FEEDS_MAX) {
		snprintf(error, FEED_CONFIG_ERROR_MAX,
		    "feeds must be 1 to %d objects", FEEDS_MAX);
		return -1;
	}
	json_array_foreach(feeds, i, json)
	{
		struct place at = {error, i, "", -1};
		if (read_feed(&out->feeds[i], json, out, &at) != 0) {
			memset(out, 0, sizeof(*out));
			return -1;
		}
		out->count++;
	}
	return 0;
}

const struct feed_config *feed_set_find(
    const struct feed_set *set, const char *feed)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->feeds[i].feed, feed) == 0)
			return &set->feeds[i];
	}
	return NULL;
}

int64_t feed_config_age_max(
    const struct feed_source *source, int64_t feeds_age_ms)
{
	return source->is_check && feeds_age_ms < FEED_CHECK_AGE_MS
		   ? FEED_CHECK_AGE_MS
		   : feeds_age_ms;
}

size_t feed_config_voters(const struct feed_config *config)
{
	size_t voters = 0;

	for (size_t i = 0; i < config->source_count; i++)
		voters += !config->sources[i].is_check;
	return voters;
}

unsigned feed_config_min_sources(const struct feed_config *config)
{
	size_t voters = feed_config_voters(config);
	unsigned share;

	assert(voters <= FEED_SOURCES_MAX);
	share = (unsigned)(voters * config->min_share_percent + PERCENT_MAX -
			   1) /
		PERCENT_MAX;
	return share > config->min_sources ? share : config->min_sources;
}
