/*
 * fuzz_exchange: any body with any status through any adapter. The first line
 * of the input is "EXCHANGE STATUS SYMBOL"; the rest is the body. A price comes
 * only with 2xx and is above zero; an error leaves nothing behind.
 */
#include "feeds/exchanges/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 127

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[LINE_MAX_BYTES + 1] = "", name[32] = "", symbol[64] = "";
	char target[EXCHANGE_TARGET_MAX];
	const uint8_t *end = memchr(data, '\n', size);
	const struct exchange *exchange;
	struct quote q;
	int status = 0;

	if (end == NULL || end - data > LINE_MAX_BYTES)
		return 0;
	memcpy(line, data, (size_t)(end - data));
	if (sscanf(line, "%31s %3d %63s", name, &status, symbol) != 3)
		return 0;
	exchange = exchange_find(name);
	if (exchange == NULL)
		return 0;
	if (exchange_target(target, exchange, symbol) == 0)
		require(target[0] == '/' && strlen(target) < sizeof(target));
	end++;
	check(exchange_parse(&q, exchange, symbol, status, (const char *)end,
		  size - (size_t)(end - data)),
	    status, &q);
	return 0;
}
