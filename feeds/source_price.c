/*
 * source_price: see source_price.h. Rounded once, to the feed's decimals, half
 * away from zero, after the middle (exact: one more decimal) and the
 * conversion.
 */
#include "feeds/source_price.h"

__extension__ typedef __int128 wide;

/* A stablecoin that is worth less or more is none. */
#define RATE_MIN ((struct decimal){90, -2})
#define RATE_MAX ((struct decimal){110, -2})

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

/* 1 where nothing is converted; -1 if there is none to convert by. */
static int rate_of(struct decimal *out, const struct item_source *source)
{
	*out = (struct decimal){1, 0};
	if (source->via[0] == '\0')
		return 0;
	*out = source->rate;
	return source->has_rate && decimal_compare(*out, RATE_MIN) >= 0 &&
		       decimal_compare(*out, RATE_MAX) <= 0
		   ? 0
		   : -1;
}

static enum quote_error set_price(struct item_source *source, int decimals)
{
	struct decimal price, rate;

	if (!source->has_answer)
		return QUOTE_NOT_POLLED;
	if (price_of_quote(&price, &source->quote) != 0)
		return QUOTE_NO_PRICE;
	if (rate_of(&rate, source) != 0)
		return QUOTE_NO_RATE;
	if (decimal_multiply(&source->price, price, rate, -decimals) !=
		DECIMAL_OK ||
	    source->price.mantissa <= 0)
		return QUOTE_NO_PRICE;
	return QUOTE_OK;
}

void source_price_set(struct item_source *source, int decimals)
{
	source->has_price = false;
	source->price = (struct decimal){0};
	if (source->state == SOURCE_FAILED)
		return;
	source->error = set_price(source, decimals);
	source->has_price = source->error == QUOTE_OK;
	if (!source->has_price) {
		source->state = SOURCE_FAILED;
		source->price = (struct decimal){0};
	}
}
