/* quote: the names of the errors, both ways. */
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
