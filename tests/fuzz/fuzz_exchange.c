/*
 * fuzz_exchange: any body with any status through any adapter. The first line
 * of the input is "EXCHANGE STATUS SYMBOL..."; the rest is the body. A price
 * comes only with 2xx and is above zero; an error leaves nothing behind; and
 * each of several symbols gets what it would have got alone, or all bad_body.
 */
#include "feeds/exchanges/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 255
#define SYMBOLS_MAX    6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_number(bool has, struct decimal d)
{
	char text[DECIMAL_STRMAX];

	require(has ? d.mantissa > 0 : d.mantissa == 0 && d.exponent == 0);
	decimal_format(d, text);
}

static void check(enum quote_error error, int status, const struct quote *q)
{
	require((unsigned)error < QUOTE_ERROR_COUNT);
	if (error != QUOTE_OK) {
		require(!q->has_last && !q->has_bid && !q->has_ask &&
			!q->has_exchange_ms);
	}
	if (error == QUOTE_OK)
		require(status / 100 == 2 &&
			(q->has_last || q->has_bid || q->has_ask));
	check_number(q->has_last, q->last);
	check_number(q->has_bid, q->bid);
	check_number(q->has_ask, q->ask);
	require(q->has_exchange_ms ? q->exchange_ms > 0 : q->exchange_ms == 0);
}

static void check_target(
    const struct exchange *exchange, const char *const *symbols, size_t count)
{
	char target[EXCHANGE_TARGET_MAX];

	if (exchange->format_target(target, symbols, count) != 0) {
		require(target[0] == '\0');
		return;
	}
	require(target[0] == '/' && strlen(target) < sizeof(target));
	/* Nothing that ends a request line or its target. */
	for (const char *p = target; *p != '\0'; p++)
		require(*p > ' ' && *p < 0x7f && *p != '#');
}

static bool same_number(struct decimal a, struct decimal b)
{
	return a.mantissa == b.mantissa && a.exponent == b.exponent;
}

static void check_alone(const struct exchange *exchange,
    const struct exchange_reading *r, int status, const char *body, size_t len)
{
	struct quote q;

	require(exchange_parse(&q, exchange, r->symbol, status, body, len) ==
		r->error);
	require(same_number(q.last, r->quote.last) &&
		same_number(q.bid, r->quote.bid) &&
		same_number(q.ask, r->quote.ask) &&
		q.exchange_ms == r->quote.exchange_ms);
}

static void check_answer(const struct exchange *exchange,
    const char *const *symbols, size_t count, int status, const char *body,
    size_t len)
{
	struct exchange_reading readings[SYMBOLS_MAX];
	bool any = false, all_bad = true, found;

	for (size_t i = 0; i < count; i++)
		readings[i].symbol = symbols[i];
	found = exchange_parse_each(
	    exchange, readings, count, status, body, len);
	for (size_t i = 0; i < count; i++) {
		check(readings[i].error, status, &readings[i].quote);
		any = any || readings[i].error == QUOTE_OK;
		all_bad = all_bad && readings[i].error == QUOTE_BAD_BODY;
	}
	/* All are where the answer names none: alone each may have it. */
	for (size_t i = 0; count > 1 && !all_bad && i < count; i++)
		check_alone(exchange, &readings[i], status, body, len);
	require(any == found);
}

/* Cuts the line at its blanks; what is left are the symbols. */
static size_t words_of(char *line, const char *words[2 + SYMBOLS_MAX])
{
	size_t count = 0;
	char *rest = line;

	for (char *word = strtok_r(line, " ", &rest);
	     word != NULL && count < 2 + SYMBOLS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	const char *words[2 + SYMBOLS_MAX];
	char line[LINE_MAX_BYTES + 1] = "";
	const struct exchange *exchange;
	size_t count;
	int status;

	if (end == NULL || end - data > LINE_MAX_BYTES)
		return 0;
	memcpy(line, data, (size_t)(end - data));
	count = words_of(line, words);
	if (count < 3 || strlen(words[1]) > 3)
		return 0;
	exchange = exchange_find(words[0]);
	if (exchange == NULL)
		return 0;
	status = (int)strtol(words[1], NULL, 10);
	check_target(exchange, words + 2, 0);
	check_target(exchange, words + 2, count - 2);
	end++;
	check_answer(exchange, words + 2, count - 2, status, (const char *)end,
	    size - (size_t)(end - data));
	return 0;
}
