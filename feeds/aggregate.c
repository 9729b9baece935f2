/*
 * aggregate: see aggregate.h for the rules. Where a value is rounded:
 *
 * - a source price, see source_price.c;
 * - the price, when the number of sources is even, half up;
 * - nothing else. The outlier rule is decided on exact multiples of its terms:
 *   twice the median, four times the MAD; shares and jumps by products.
 *
 * From the source prices on, everything is an integer count of the feed's last
 * decimal; products are made in 128 bits.
 */
#include "feeds/aggregate.h"

#include "feeds/source_price.h"

#include <assert.h>
#include <stdlib.h>

__extension__ typedef __int128 wide;

/* 1.4826, which makes a MAD comparable to a standard deviation. */
#define MAD_NUMERATOR   14826
#define MAD_DENOMINATOR 10000
#define BPS             10000
#define PERCENT         100

struct values { /* ascending */
	wide value[FEED_SOURCES_MAX];
	size_t count;
};

/* ---- 2 and 3: who takes part ---- */

/* Whether the exchange's time says anything of the quote's age. */
static bool tells_age(enum exchange_time time)
{
	return time != EXCHANGE_TIME_NONE && time != EXCHANGE_TIME_BUCKET;
}

static bool is_stale(const struct item_source *source,
    const struct feed_config *config, const struct feed_source *configured,
    int64_t published_ms)
{
	enum exchange_time time = configured->exchange->time;
	wide published = published_ms, received = source->received_ms;
	wide theirs = source->quote.exchange_ms;

	if (published - received >
	    feed_config_age_max(configured, config->max_age_ms))
		return true;
	return source->quote.has_exchange_ms && tells_age(time) &&
	       (published - theirs > feed_config_age_max(configured,
					 config->exchange_max_age_ms) ||
		   theirs - received > AGGREGATE_AHEAD_MS);
}

static void judge_source(struct item_source *source,
    const struct feed_config *config, const struct feed_source *configured,
    int64_t published_ms)
{
	source_price_set(source, config->decimals);
	if (source->state != SOURCE_USED)
		return;
	if (is_stale(source, config, configured, published_ms))
		source->state = SOURCE_STALE;
	else if (configured->is_check)
		source->state = SOURCE_CHECK;
}

/* ---- 4 to 7: integers ---- */

static int compare_values(const void *a, const void *b)
{
	const wide *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(struct values *v)
{
	qsort(v->value, v->count, sizeof(v->value[0]), compare_values);
}

static void used_prices(struct values *out, const struct item *item)
{
	out->count = 0;
	for (size_t i = 0; i < item->source_count; i++) {
		if (item->sources[i].state == SOURCE_USED)
			out->value[out->count++] =
			    item->sources[i].price.mantissa;
	}
	sort(out);
}

/* Twice the median: exact. */
static wide median_twice(const struct values *v)
{
	assert(v->count > 0);
	return v->value[(v->count - 1) / 2] + v->value[v->count / 2];
}

static wide distance(wide a, wide b)
{
	return a > b ? a - b : b - a;
}

/* Whether d is more than so many bps of `of`; both may be multiplied. */
static bool beyond_bps(wide d, unsigned bps, wide of)
{
	return d * BPS > bps * of;
}

/*
 * With m2 = 2m, d2 = 2d and mad4 = 4 MAD:
 *
 *   d > mads x 1.4826 x MAD   <=>   2 x d2 x 10000 > mads x 14826 x mad4
 */
static bool is_outlier(
    const struct feed_config *config, wide d2, wide m2, wide mad4)
{
	bool beyond_mads = 2 * d2 * MAD_DENOMINATOR >
			   config->outlier_mads * (MAD_NUMERATOR * mad4);

	return (beyond_mads && beyond_bps(d2, config->outlier_floor_bps, m2)) ||
	       beyond_bps(d2, config->max_deviation_bps, m2);
}

static void mark_outliers(const struct feed_config *config, struct item *item)
{
	struct values values;
	wide m2, mad4;

	used_prices(&values, item);
	if (values.count == 0)
		return;
	m2 = median_twice(&values);
	for (size_t i = 0; i < values.count; i++)
		values.value[i] = distance(2 * values.value[i], m2);
	sort(&values);
	mad4 = median_twice(&values);
	for (size_t i = 0; i < item->source_count; i++) {
		struct item_source *source = &item->sources[i];
		wide d2 = distance(2 * (wide)source->price.mantissa, m2);
		if (source->state == SOURCE_USED &&
		    is_outlier(config, d2, m2, mad4))
			source->state = SOURCE_OUTLIER;
	}
}

static wide price_of(const struct values *used)
{
	return (median_twice(used) + 1) / 2; /* half up: it is above zero */
}

static wide confidence_of(const struct values *used, wide price)
{
	size_t quarter = used->count / 4;
	wide below = price - used->value[quarter];
	wide above = used->value[used->count - 1 - quarter] - price;

	return below > above ? below : above;
}

static struct decimal to_decimal(wide value, const struct feed_config *config)
{
	return (struct decimal){(int64_t)value, -config->decimals};
}

/* ---- 7: the jump ---- */

static bool is_jump(
    struct decimal from, wide to, const struct feed_config *config)
{
	/* What does not fit cannot be a past of this feed. */
	if (decimal_rescale(&from, from, -config->decimals) != DECIMAL_OK)
		return false;
	return beyond_bps(
	    distance(to, from.mantissa), config->max_jump_bps, from.mantissa);
}

bool aggregate_may_publish(const struct feed_config *config,
    const struct aggregate_past *past, int64_t published_ms,
    struct decimal price, size_t used)
{
	assert(price.exponent == -config->decimals);
	if (config->max_jump_bps == 0 || !past->has_price ||
	    (wide)published_ms - past->published_ms > AGGREGATE_PAST_MS ||
	    !is_jump(past->price, price.mantissa, config))
		return true;
	return past->has_candidate &&
	       !is_jump(past->candidate, price.mantissa, config) &&
	       used * PERCENT >=
		   feed_config_voters(config) * config->jump_share_percent;
}

/* ---- the whole ---- */

static void set_result(const struct feed_config *config,
    const struct aggregate_past *past, struct item *item)
{
	struct values used;
	wide price;

	item->status = ITEM_UNAVAILABLE;
	item->reason = ITEM_INSUFFICIENT_SOURCES;
	item->price = item->confidence = (struct decimal){0};
	item->min_sources = feed_config_min_sources(config);
	used_prices(&used, item);
	if (used.count < item->min_sources)
		return;
	price = price_of(&used);
	item->reason = ITEM_PRICE_JUMP;
	if (!aggregate_may_publish(config, past, item->published_ms,
		to_decimal(price, config), used.count))
		return;
	item->status = ITEM_OK;
	item->reason = ITEM_NO_REASON;
	item->price = to_decimal(price, config);
	item->confidence = to_decimal(confidence_of(&used, price), config);
}

void aggregate(const struct feed_config *config,
    const struct aggregate_past *past, struct item *item)
{
	assert(config->min_sources >= 1);
	assert(item->source_count <= FEED_SOURCES_MAX);
	assert(item->source_count == config->source_count);
	for (size_t i = 0; i < item->source_count; i++)
		judge_source(&item->sources[i], config, &config->sources[i],
		    item->published_ms);
	mark_outliers(config, item);
	set_result(config, past, item);
}

void aggregate_remember(struct aggregate_past *past,
    const struct feed_config *config, const struct item *item)
{
	struct values used;

	past->has_candidate = false;
	past->candidate = (struct decimal){0};
	if (item->status == ITEM_OK) {
		past->has_price = true;
		past->price = item->price;
		past->published_ms = item->published_ms;
	} else if (item->reason == ITEM_PRICE_JUMP) {
		used_prices(&used, item);
		past->has_candidate = used.count > 0;
		if (past->has_candidate)
			past->candidate = to_decimal(price_of(&used), config);
	}
}
