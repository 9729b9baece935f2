/*
 * Kraken. Source: docs.kraken.com/api, "Get Ticker Information" and "Errors".
 *
 * GET /0/public/Ticker?pair=XBTUSD gives {"error":[],"result":{"XXBTZUSD":
 * {"a":[ask, ...],"b":[bid, ...],"c":[last, ...]}}}. The key is seldom the name
 * that was asked for: see kraken_pair.h. An answer for several pairs is read by
 * key, never by position. Without "pair" it has all of them, 430 KB. There is
 * no time in it: no exchange_ms.
 *
 * Errors come in "error", mostly with HTTP 200, the limit too. One unknown pair
 * among several was seen to lose them all, and at other times to stand beside
 * the result of the others: then it is not about a pair that is there. Dead
 * markets stay, with a last of zero.
 */
#include "feeds/exchanges/adapter.h"
#include "feeds/exchanges/kraken_pair.h"

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	if (count == 0)
		return adapter_target_one_or_all(
		    out, "/0/public/Ticker", "", NULL, 0, "", "");
	/* '/' and ':' stand for themselves in a query (RFC 3986, 3.4). */
	return adapter_target(
	    out, "/0/public/Ticker?pair=", symbols, count, ",", "/:.", "");
}

static enum quote_error class_of_error(const char *text, int status)
{
	static const struct adapter_phrase phrases[] = {
	    {"asset pair", QUOTE_UNKNOWN_SYMBOL},
	    {"Unknown asset", QUOTE_UNKNOWN_SYMBOL},
	    {"Temporary lockout", QUOTE_RATE_LIMITED},
	    {"EService:Throttled", QUOTE_RATE_LIMITED},
	    {"EService: Throttled", QUOTE_RATE_LIMITED},
	    {"EService:Timeout", QUOTE_TIMEOUT},
	    {"Deadline elapsed", QUOTE_TIMEOUT},
	    /* Unavailable, Busy, Market in cancel_only mode ... */
	    {"EService:", QUOTE_MAINTENANCE},
	    {"EAPI:Invalid", QUOTE_AUTH},
	    {"Permission denied", QUOTE_AUTH},
	    {NULL, QUOTE_OK},
	};

	return adapter_classify(text, phrases, status);
}

/* The first error that is not a warning ("W..."); with `found` not one about
 * an unknown pair either. */
static enum quote_error own_error(const json_t *errors, int status, bool found)
{
	const json_t *value;
	size_t i;

	json_array_foreach(errors, i, value)
	{
		const char *text = json_text_string(value);
		enum quote_error error;
		if (text == NULL)
			return QUOTE_BAD_BODY;
		error = class_of_error(text, status);
		if (text[0] != 'W' && !(found && error == QUOTE_UNKNOWN_SYMBOL))
			return error;
	}
	return QUOTE_OK;
}

static const json_t *first_of(const json_t *row, const char *key)
{
	return json_array_get(json_object_get(row, key), 0);
}

static enum quote_error read_answer(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const json_t *errors = json_object_get(body, "error");
	const json_t *result = json_object_get(body, "result"), *row;
	enum quote_error error;
	bool success = status / 100 == 2, twice;

	if (!json_is_array(errors))
		return success ? QUOTE_BAD_BODY : QUOTE_HTTP_ERROR;
	row = kraken_pair_find(result, symbol, &twice);
	error = own_error(errors, status, row != NULL && success);
	if (error != QUOTE_OK)
		return error;
	if (!success)
		return QUOTE_HTTP_ERROR;
	if (!json_is_object(result) || twice)
		return QUOTE_BAD_BODY;
	if (row == NULL)
		return QUOTE_UNKNOWN_SYMBOL;
	return adapter_prices(
	    out, first_of(row, "c"), first_of(row, "b"), first_of(row, "a"));
}

const struct exchange kraken_exchange = {
    .name = "kraken",
    .host = "api.kraken.com",
    /* Not documented for public calls; clients keep to one a second, and
     * about thirty at once were seen to pass. */
    .limit = "not documented; clients keep to one a second",
    .limit_per_min = 60,
    /* An answer is served from a cache for two seconds. */
    .spacing_ms = 2000,
    .named_max = 20,
    /* Two requests by name would halve how often each pair is asked for. */
    .whole_from = 21,
    .format_target = format_target,
    .read = read_answer,
};
