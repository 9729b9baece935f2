/*
 * aggregate: see aggregate.h for the rules. Where a value is rounded:
 *
 * - a source price, once, to the feed's decimals, half away from zero, after
 *   the middle (exact: one more decimal) and the conversion;
 * - the price, when the number of sources is even, half up;
 * - nothing else. The outlier rule is decided on exact multiples of its terms:
 *   twice the median, four times the MAD.
 *
 * From the source prices on, everything is an integer count of the feed's last
 * decimal; products are made in 128 bits.
 */
#include "feeds/aggregate.h"

#include <assert.h>
#include <stdlib.h>

__extension__ typedef __int128 wide;

#define EXCHANGE_AGE_MAX_MS 60000 /* by the exchange's own time */
#define RATE_MIN            ((struct decimal){90, -2})
#define RATE_MAX            ((struct decimal){110, -2})

/* 5 x 1.4826, what a MAD is multiplied by, as a fraction. */
#define MAD_NUMERATOR   7413
#define MAD_DENOMINATOR 1000
#define BPS             10000

struct values { /* ascending */
	wide value[FEED_SOURCES_MAX];
	size_t count;
};

/* ---- 1: source prices ---- */

static struct decimal median_of_three(
    struct decimal a, struct decimal b, struct decimal c)
{
	bool a_b = decimal_compare(a, b) <= 0;
	bool b_c = decimal_compare(b, c) <= 0;
	bool a_c = decimal_compare(a, c) <= 0;

	if (a_b == b_c)
		return b;
	return a_b == a_c ? c : a;
}

/* Without zeros at its end: what fits is then a matter of the value and not of
 * how it was written, which a stored item does not keep. */
static struct decimal plain(wide mantissa, int exponent)
{
	while (mantissa != 0 && mantissa % 10 == 0) {
		mantissa /= 10;
		exponent++;
	}
	if (mantissa > INT64_MAX)
		mantissa = 0; /* the caller refuses it: no price is zero */
	return (struct decimal){(int64_t)mantissa, exponent};
}

/* The middle of the book, exactly; -1 if ask/bid > 1.02 or it does not fit. */
static int middle(struct decimal *out, struct decimal bid, struct decimal ask)
{
	int exponent;

	bid = plain(bid.mantissa, bid.exponent);
	ask = plain(ask.mantissa, ask.exponent);
	exponent = bid.exponent < ask.exponent ? bid.exponent : ask.exponent;
	if (decimal_rescale(&bid, bid, exponent) != DECIMAL_OK ||
	    decimal_rescale(&ask, ask, exponent) != DECIMAL_OK)
		return -1;
	if ((wide)ask.mantissa * 100 > (wide)bid.mantissa * 102)
		return -1;
	/* (bid + ask) / 2 is five times the sum, one decimal further. */
	*out = plain(((wide)bid.mantissa + ask.mantissa) * 5, exponent - 1);
	return out->mantissa > 0 ? 0 : -1;
}

static int price_of_quote(struct decimal *out, const struct quote *q)
{
	if (q->has_last && q->has_bid && q->has_ask) {
		*out = median_of_three(q->last, q->bid, q->ask);
		return 0;
	}
	if (q->has_bid && q->has_ask)
		return middle(out, q->bid, q->ask);
	/* With one side of a book the market is neither quoted nor unquoted:
	 * last does not stand alone, and is not taken. */
	if (!q->has_last || q->has_bid || q->has_ask)
		return -1;
	*out = q->last;
	return 0;
}

static void fail(struct item_source *source, enum quote_error error)
{
	source->state = SOURCE_FAILED;
	source->error = error;
	source->has_price = false;
	source->price = (struct decimal){0};
}

static void set_price(struct item_source *source, int decimals)
{
	struct decimal price, rate = {1, 0};

	source->has_price = false;
	source->price = (struct decimal){0};
	if (source->state == SOURCE_FAILED)
		return;
	if (!source->has_answer) {
		fail(source, QUOTE_NOT_POLLED);
		return;
	}
	if (price_of_quote(&price, &source->quote) != 0) {
		fail(source, QUOTE_NO_PRICE);
		return;
	}
	if (source->via[0] != '\0') {
		rate = source->rate;
		if (!source->has_rate || decimal_compare(rate, RATE_MIN) < 0 ||
		    decimal_compare(rate, RATE_MAX) > 0) {
			fail(source, QUOTE_NO_RATE);
			return;
		}
	}
	if (decimal_multiply(&source->price, price, rate, -decimals) !=
		DECIMAL_OK ||
	    source->price.mantissa <= 0) {
		fail(source, QUOTE_NO_PRICE);
		return;
	}
	source->has_price = true;
}

/* ---- 2: staleness ---- */

static bool is_stale(
    const struct item_source *source, int64_t published_ms, int64_t max_age_ms)
{
	wide published = published_ms, received = source->received_ms;
	wide theirs = source->quote.exchange_ms;

	if (published - received > max_age_ms)
		return true;
	return source->quote.has_exchange_ms &&
	       (published - theirs > EXCHANGE_AGE_MAX_MS ||
		   theirs - received > AGGREGATE_AHEAD_MS);
}

/* ---- 3 to 5: integers ---- */

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

/*
 * With m2 = 2m, d2 = 2d and mad4 = 4 MAD:
 *
 *   d > 5 x 1.4826 x MAD   <=>   2 x d2 x 1000 > 7413 x mad4
 *   d > bps / 10000 x m    <=>   d2 x 10000 > bps x m2
 */
static bool is_outlier(wide d2, wide m2, wide mad4, unsigned max_deviation_bps)
{
	bool beyond_mad = 2 * d2 * MAD_DENOMINATOR > MAD_NUMERATOR * mad4;
	bool beyond_floor = d2 * BPS > AGGREGATE_FLOOR_BPS * m2;

	return (beyond_mad && beyond_floor) ||
	       d2 * BPS > (wide)max_deviation_bps * m2;
}

static void mark_outliers(struct item *item, unsigned max_deviation_bps)
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
		    is_outlier(d2, m2, mad4, max_deviation_bps))
			source->state = SOURCE_OUTLIER;
	}
}

static void set_result(struct item *item, int decimals, unsigned min_sources)
{
	struct values v;
	wide price, below, above;

	item->status = ITEM_UNAVAILABLE;
	item->reason = ITEM_INSUFFICIENT_SOURCES;
	item->price = item->confidence = (struct decimal){0};
	used_prices(&v, item);
	if (v.count < min_sources)
		return;
	price = (median_twice(&v) + 1) / 2; /* half up: it is above zero */
	below = price - v.value[v.count / 4];
	above = v.value[v.count - 1 - v.count / 4] - price;
	item->status = ITEM_OK;
	item->reason = ITEM_NO_REASON;
	item->price = (struct decimal){(int64_t)price, -decimals};
	item->confidence = (struct decimal){
	    (int64_t)(below > above ? below : above), -decimals};
}

void aggregate(const struct feed_config *config, struct item *item)
{
	assert(config->min_sources >= 1);
	assert(item->source_count <= FEED_SOURCES_MAX);
	for (size_t i = 0; i < item->source_count; i++) {
		struct item_source *source = &item->sources[i];
		set_price(source, config->decimals);
		if (source->state == SOURCE_USED &&
		    is_stale(source, item->published_ms, config->max_age_ms))
			source->state = SOURCE_STALE;
	}
	mark_outliers(item, config->max_deviation_bps);
	set_result(item, config->decimals, config->min_sources);
}
