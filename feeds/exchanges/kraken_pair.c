/*
 * kraken_pair: see kraken_pair.h.
 *
 * Kraken's oldest assets have names of four letters, X for coins and Z for
 * currencies before three (XXBT, XETH, ZUSD); a pair of two of them is written
 * XXBTZUSD, and may be asked for as XBTUSD. Later listings are plain. Bitcoin
 * is XBT or BTC, Dogecoin XDG or DOGE. With assetVersion=1 names are BTC/USD.
 * Source: support.kraken.com, "API symbols and tickers" and "Asset names";
 * docs.kraken.com/api, "Get Tradable Asset Pairs".
 *
 * Taking letters away is ambiguous: AIOZ/USD is AIOZUSD, which reads as AIO
 * and ZUSD too. So the old form counts only where both assets have it, or
 * neither; USDTZUSD is the one pair that Kraken itself mixes.
 */
#include "feeds/exchanges/kraken_pair.h"

#include <stddef.h>
#include <string.h>

#define OLD_LEN   4 /* X or Z and three letters */
#define QUOTE_MIN 3 /* letters of a quote asset: no pair is cut shorter */

struct asset {
	const char *text;
	size_t len;
};

enum relation {
	DIFFERENT,
	SAME,
	OLD_FORM
};

static bool is(struct asset a, const char *name)
{
	return a.len == strlen(name) && memcmp(a.text, name, a.len) == 0;
}

/* The name that both spellings of a coin share. */
static struct asset modern(struct asset a)
{
	if (is(a, "XBT"))
		return (struct asset){"BTC", 3};
	if (is(a, "XDG"))
		return (struct asset){"DOGE", 4};
	return a;
}

static bool same(struct asset a, struct asset b)
{
	a = modern(a);
	b = modern(b);
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Whether `old` is the four-letter name of `plain`. */
static bool is_old_form(struct asset old, struct asset plain)
{
	return old.len == OLD_LEN &&
	       (old.text[0] == 'X' || old.text[0] == 'Z') &&
	       same((struct asset){old.text + 1, OLD_LEN - 1}, plain);
}

static enum relation relate(struct asset a, struct asset b)
{
	if (same(a, b))
		return SAME;
	return is_old_form(a, b) || is_old_form(b, a) ? OLD_FORM : DIFFERENT;
}

static bool split_equal(struct asset a_base, struct asset a_quote,
    struct asset b_base, struct asset b_quote)
{
	enum relation base = relate(a_base, b_base);
	enum relation quote = relate(a_quote, b_quote);

	if (base == DIFFERENT || quote == DIFFERENT)
		return false;
	return base == quote || (quote == OLD_FORM && is(a_base, "USDT") &&
				    (is(a_quote, "USD") || is(b_quote, "USD")));
}

/* Cuts a name at its slash, or without one at `at`; false if it cannot be. */
static bool cut(
    const char *name, size_t at, struct asset *base, struct asset *quote)
{
	const char *slash = strchr(name, '/');
	size_t len = strlen(name);

	if (slash != NULL && at != (size_t)(slash - name))
		return false;
	if (at == 0 || at + QUOTE_MIN > len)
		return false;
	*base = (struct asset){name, at};
	*quote = (struct asset){name + at, len - at};
	if (slash != NULL)
		*quote = (struct asset){slash + 1, len - at - 1};
	return true;
}

static bool is_prefix(char c)
{
	return c == 'X' || c == 'Z';
}

/* XBT and BTC, XDG and DOGE end differently. */
static char last_letter(const char *name)
{
	size_t len = strlen(name);

	if (len == 0)
		return '\0';
	if (name[len - 1] == 'C')
		return 'T';
	return name[len - 1] == 'E' ? 'G' : name[len - 1];
}

/* Most pairs are told apart by their ends: the first letter of an asset is that
 * of its other names where none begins with X or Z, and the last is too. Trying
 * all cuts, 200 symbols took 45 ms to be found in the whole market. */
static bool differ_at_ends(const char *a, const char *b)
{
	if (a[0] != b[0] && !is_prefix(a[0]) && !is_prefix(b[0]))
		return true;
	return last_letter(a) != last_letter(b);
}

bool kraken_pair_equal(const char *a, const char *b)
{
	struct asset a_base, a_quote, b_base, b_quote;

	if (differ_at_ends(a, b))
		return false;
	if (strcmp(a, b) == 0)
		return true;
	for (size_t i = 1; i < strlen(a); i++) {
		/* The bases differ by one letter at most. */
		for (size_t j = i > 1 ? i - 1 : 1; j <= i + 1; j++) {
			if (cut(a, i, &a_base, &a_quote) &&
			    cut(b, j, &b_base, &b_quote) &&
			    split_equal(a_base, a_quote, b_base, b_quote))
				return true;
		}
	}
	return false;
}

const json_t *kraken_pair_find(
    const json_t *result, const char *symbol, bool *twice)
{
	const json_t *found = json_object_get(result, symbol);
	const char *key;
	json_t *row;

	*twice = false;
	if (found != NULL)
		return found;
	json_object_foreach((json_t *)result, key, row)
	{
		if (!kraken_pair_equal(symbol, key))
			continue;
		*twice = found != NULL;
		if (*twice)
			return NULL;
		found = row;
	}
	return found;
}
