/* adapter: see adapter.h. */
#include "feeds/exchanges/adapter.h"
#include "feeds/exchanges/iso_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TIME_MAX_MS 253402300799999 /* 9999-12-31T23:59:59.999Z */

static bool is_missing(const json_t *value)
{
	const char *text = json_text_string(value);

	return value == NULL || json_is_null(value) ||
	       (text != NULL && text[0] == '\0');
}

/* One number. A zero is how exchanges say that a market is dead, halted or not
 * open yet; what they put beside it (an old last, a book that nobody fills) is
 * no price either. */
static enum quote_error read_price(
    struct decimal *out, bool *has, const json_t *value)
{
	*has = false;
	if (is_missing(value))
		return QUOTE_OK;
	if (json_text_decimal(out, value) != DECIMAL_OK)
		return QUOTE_BAD_BODY;
	*has = out->mantissa > 0;
	return *has ? QUOTE_OK : QUOTE_NO_PRICE;
}

enum quote_error adapter_prices(
    struct quote *out, const json_t *last, const json_t *bid, const json_t *ask)
{
	enum quote_error errors[3];

	if (last == NULL && bid == NULL && ask == NULL)
		return QUOTE_BAD_BODY;
	errors[0] = read_price(&out->last, &out->has_last, last);
	errors[1] = read_price(&out->bid, &out->has_bid, bid);
	errors[2] = read_price(&out->ask, &out->has_ask, ask);
	for (int i = 0; i < 3; i++)
		if (errors[i] == QUOTE_BAD_BODY)
			return QUOTE_BAD_BODY;
	for (int i = 0; i < 3; i++)
		if (errors[i] != QUOTE_OK)
			return errors[i];
	return out->has_last || out->has_bid || out->has_ask ? QUOTE_OK
							     : QUOTE_NO_PRICE;
}

enum quote_error adapter_time(
    struct quote *out, const json_t *value, int64_t unit_ms)
{
	int64_t time;

	if (is_missing(value))
		return QUOTE_OK;
	if (json_text_integer(&time, value) != 0 || time <= 0 ||
	    time > TIME_MAX_MS / unit_ms)
		return QUOTE_BAD_BODY;
	out->exchange_ms = time * unit_ms;
	out->has_exchange_ms = true;
	return QUOTE_OK;
}

enum quote_error adapter_iso_time(struct quote *out, const json_t *value)
{
	const char *text = json_text_string(value);

	if (value == NULL || json_is_null(value))
		return QUOTE_OK;
	if (text == NULL || iso_time_parse(&out->exchange_ms, text) != 0)
		return QUOTE_BAD_BODY;
	out->has_exchange_ms = true;
	return QUOTE_OK;
}

static const struct adapter_phrase common_phrases[] = {
    {"rate limit", QUOTE_RATE_LIMITED},
    {"limit exceeded", QUOTE_RATE_LIMITED},
    {"too many requests", QUOTE_RATE_LIMITED},
    {"maintenance", QUOTE_MAINTENANCE},
    {"signature", QUOTE_AUTH},
    {"unauthorized", QUOTE_AUTH},
    {"authentication", QUOTE_AUTH},
    {"internal", QUOTE_SERVER_ERROR},
    {NULL, QUOTE_OK},
};

static enum quote_error find_phrase(
    const char *text, const struct adapter_phrase *phrases)
{
	while (phrases->phrase != NULL &&
	       strcasestr(text, phrases->phrase) == NULL)
		phrases++;
	return phrases->error;
}

enum quote_error adapter_classify(
    const char *text, const struct adapter_phrase *own, int status)
{
	enum quote_error error = QUOTE_OK;

	if (text != NULL)
		error = find_phrase(text, own);
	if (text != NULL && error == QUOTE_OK)
		error = find_phrase(text, common_phrases);
	if (error != QUOTE_OK)
		return error;
	if (status / 100 == 2 || status == 400 || status == 422)
		return QUOTE_BAD_REQUEST;
	return status / 100 == 5 ? QUOTE_SERVER_ERROR : QUOTE_HTTP_ERROR;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = len > 0 ? strstr(words, word) : NULL;

	while (at != NULL && ((at > words && at[-1] != ' ') ||
				 (at[len] != ' ' && at[len] != '\0')))
		at = strstr(at + 1, word);
	return at != NULL;
}

enum quote_error adapter_code(const json_t *code, const json_t *text,
    const struct adapter_phrase *codes, const struct adapter_phrase *own,
    int status)
{
	const char *name = json_text_string(code);
	char digits[24] = "";
	int64_t number;

	if (name == NULL && json_text_integer(&number, code) == 0)
		snprintf(digits, sizeof(digits), "%" PRId64, number);
	if (name == NULL)
		name = digits;
	while (codes->phrase != NULL && !has_word(codes->phrase, name))
		codes++;
	return codes->phrase != NULL
		   ? codes->error
		   : adapter_classify(json_text_string(text), own, status);
}

static bool is_same(const char *symbol, const char *name)
{
	return strcmp(symbol, name) == 0;
}

static enum quote_error match_row(const json_t *row, const char *key,
    const char *symbol, bool (*equal)(const char *symbol, const char *name))
{
	const char *name = json_text_string(json_object_get(row, key));

	if (name == NULL)
		return QUOTE_BAD_BODY;
	if (equal == NULL)
		equal = is_same;
	return equal(symbol, name) ? QUOTE_OK : QUOTE_UNKNOWN_SYMBOL;
}

enum quote_error adapter_row(const json_t **out, const json_t *body,
    const char *key, const char *symbol,
    bool (*equal)(const char *symbol, const char *name))
{
	enum quote_error missing = QUOTE_UNKNOWN_SYMBOL, error;
	const json_t *row;
	size_t i;

	*out = body;
	if (!json_is_array(body))
		return match_row(body, key, symbol, equal);
	*out = NULL;
	json_array_foreach(body, i, row)
	{
		error = match_row(row, key, symbol, equal);
		if (error == QUOTE_BAD_BODY)
			missing = error;
		if (error != QUOTE_OK)
			continue;
		if (*out != NULL && !json_equal(*out, row))
			return QUOTE_BAD_BODY;
		*out = row;
	}
	return *out == NULL ? missing : QUOTE_OK;
}

static bool is_symbol(const char *symbol, const char *marks)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *p = symbol;

	while (*p != '\0' &&
	       (strchr(plain, *p) != NULL || strchr(marks, *p) != NULL))
		p++;
	return p > symbol && *p == '\0' && p - symbol < EXCHANGE_SYMBOL_MAX;
}

/* 0, or -1 if there is no room. */
static int append(char out[static EXCHANGE_TARGET_MAX], const char *text)
{
	size_t used = strlen(out), len = strlen(text);

	if (len >= EXCHANGE_TARGET_MAX - used)
		return -1;
	memcpy(out + used, text, len + 1);
	return 0;
}

int adapter_target(char out[static EXCHANGE_TARGET_MAX], const char *prefix,
    const char *const *symbols, size_t count, const char *between,
    const char *marks, const char *suffix)
{
	int error = count >= 1 && count <= EXCHANGE_NAMED_MAX ? 0 : -1;

	out[0] = '\0';
	if (error == 0)
		error = append(out, prefix);
	for (size_t i = 0; error == 0 && i < count; i++) {
		if (!is_symbol(symbols[i], marks) ||
		    (i > 0 && append(out, between) != 0))
			error = -1;
		else
			error = append(out, symbols[i]);
	}
	if (error == 0)
		error = append(out, suffix);
	if (error != 0)
		out[0] = '\0';
	return error;
}

int adapter_target_one_or_all(char out[static EXCHANGE_TARGET_MAX],
    const char *all, const char *prefix, const char *const *symbols,
    size_t count, const char *marks, const char *suffix)
{
	out[0] = '\0';
	if (count == 0)
		return append(out, all);
	if (count > 1)
		return -1;
	return adapter_target(out, prefix, symbols, 1, "", marks, suffix);
}
