/* quote: the names of the errors, both ways; and which prices are the same. */
#include "feeds/quote.h"

#include <assert.h>
#include <string.h>

static const char *const error_names[QUOTE_ERROR_COUNT] = {
#define QUOTE_NAME(c, text) [QUOTE_##c] = text,
    QUOTE_ERRORS(QUOTE_NAME)
#undef QUOTE_NAME
};

const char *quote_error_name(enum quote_error error)
{
	assert((unsigned)error < QUOTE_ERROR_COUNT);
	return error_names[error];
}

int quote_error_find(const char *name, size_t len)
{
	for (int i = 0; i < QUOTE_ERROR_COUNT; i++) {
		if (strlen(error_names[i]) == len &&
		    memcmp(error_names[i], name, len) == 0)
			return i;
	}
	return -1;
}

static bool same_number(
    bool has_a, struct decimal a, bool has_b, struct decimal b)
{
	return has_a == has_b && (!has_a || decimal_compare(a, b) == 0);
}

bool quote_same_prices(const struct quote *a, const struct quote *b)
{
	return same_number(a->has_last, a->last, b->has_last, b->last) &&
	       same_number(a->has_bid, a->bid, b->has_bid, b->bid) &&
	       same_number(a->has_ask, a->ask, b->has_ask, b->ask);
}
