/*
 * wanted: what an answer should give, and a table of what it gave. For tests
 * that read answers from files; each line of the table is one symbol of one
 * answer.
 */
#ifndef HALLMARK_TESTS_FEEDS_WANTED_H
#define HALLMARK_TESTS_FEEDS_WANTED_H

#include "feeds/exchanges/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WANTED_ROWS_MAX 64
#define WANTED_NUMBER   100 /* a number as text, with room for an exponent */

/* One answer, as it came. */
struct wanted_answer {
	const char *name; /* of its file */
	const struct exchange *exchange;
	int status;
	const char *body;
	size_t len;
};

/* What it should give for one symbol: last, bid, ask and time, or an error. */
struct wanted {
	const char *symbol;
	const char *error;     /* NULL: a price; "*": any error will do */
	const char *number[3]; /* as sent; NULL: absent */
	int64_t exchange_ms;   /* -1: absent */
};

struct wanted_count {
	unsigned lines, wrong, prices, errors;
};

/* The digits without an exponent: "1.147350001E7" is "11473500.01". By moving
 * characters, so that our own decimals are not their own judge. */
static inline void wanted_plain(
    char out[static WANTED_NUMBER], const char *text, bool trim)
{
	char digits[200];
	size_t start = 60, end = start, point = 0, n;

	memset(digits, '0', sizeof(digits));
	assert_true(strlen(text) < 70);
	for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
		if (*text == '.')
			point = end;
		else
			digits[end++] = *text;
	}
	point = point == 0 ? end : point;
	if (*text != '\0')
		point = (size_t)((long)point + strtol(text + 1, NULL, 10));
	assert_true(point > 20 && point < 180);
	while (trim && end > point && digits[end - 1] == '0')
		end--;
	if (point <= start)
		start = point - 1;
	n = (size_t)snprintf(
	    out, WANTED_NUMBER, "%.*s", (int)(point - start), digits + start);
	if (end > point)
		snprintf(out + n, WANTED_NUMBER - n, ".%.*s",
		    (int)(end - point), digits + point);
}

/* More digits than a mantissa holds fit only without the zeros at their end:
 * those are not compared. */
static inline bool wanted_same(const char *wanted, const char *found)
{
	bool trim = wanted != NULL && strlen(wanted) > 18;
	char a[WANTED_NUMBER], b[WANTED_NUMBER];

	if (wanted == NULL || found == NULL)
		return wanted == found;
	wanted_plain(a, wanted, trim);
	wanted_plain(b, found, trim);
	return strcmp(a, b) == 0;
}

/* What was found, in the form of what was wanted. */
static inline void wanted_found(struct wanted *out,
    char numbers[3][DECIMAL_STRMAX], const struct exchange_reading *reading)
{
	const struct quote *q = &reading->quote;
	const struct decimal values[3] = {q->last, q->bid, q->ask};
	const bool has[3] = {q->has_last, q->has_bid, q->has_ask};

	*out = (struct wanted){.symbol = reading->symbol, .exchange_ms = -1};
	if (reading->error != QUOTE_OK)
		out->error = quote_error_name(reading->error);
	for (int i = 0; i < 3; i++) {
		decimal_format(values[i], numbers[i]);
		out->number[i] = has[i] ? numbers[i] : NULL;
	}
	if (q->has_exchange_ms)
		out->exchange_ms = q->exchange_ms;
}

static inline bool wanted_equal(
    const struct wanted *wanted, const struct wanted *found)
{
	bool same = wanted->exchange_ms == found->exchange_ms;

	for (int i = 0; i < 3; i++)
		same = same && wanted_same(wanted->number[i], found->number[i]);
	if (wanted->error == NULL || found->error == NULL)
		return same && wanted->error == found->error;
	/* With an error no number and no time. */
	return same && (strcmp(wanted->error, "*") == 0 ||
			   strcmp(wanted->error, found->error) == 0);
}

static inline void wanted_print(const struct wanted *w)
{
	char text[4 * WANTED_NUMBER] = "";

	for (int i = 0; i < 3 && w->error == NULL; i++)
		snprintf(text + strlen(text), WANTED_NUMBER, "%s ",
		    w->number[i] != NULL ? w->number[i] : "-");
	if (w->exchange_ms >= 0)
		snprintf(text + strlen(text), WANTED_NUMBER, "at %lld",
		    (long long)w->exchange_ms);
	printf(" %-56s", w->error != NULL ? w->error : text);
}

static inline void wanted_line(const struct wanted_answer *answer,
    const struct wanted *wanted, const struct exchange_reading *reading,
    struct wanted_count *count)
{
	char numbers[3][DECIMAL_STRMAX];
	struct wanted found;
	bool equal;

	wanted_found(&found, numbers, reading);
	equal = wanted_equal(wanted, &found);
	printf("%-6s %-44s %-14s", equal ? "ok" : "WRONG", answer->name,
	    wanted->symbol);
	wanted_print(wanted);
	wanted_print(&found);
	printf("\n");
	count->lines++;
	count->wrong += !equal;
	count->prices += wanted->error == NULL;
	count->errors += wanted->error != NULL;
}

/* Reads the answer for all the symbols at once, as the poller does, and for
 * each alone: that must make no difference. */
static inline void wanted_check(const struct wanted_answer *answer,
    const struct wanted *wanted, size_t count, struct wanted_count *sum)
{
	struct exchange_reading all[WANTED_ROWS_MAX], one;
	char a_numbers[3][DECIMAL_STRMAX], b_numbers[3][DECIMAL_STRMAX];
	struct wanted a, b;
	bool any = false, found;

	assert_true(count > 0 && count <= WANTED_ROWS_MAX);
	for (size_t i = 0; i < count; i++)
		all[i] = (struct exchange_reading){.symbol = wanted[i].symbol};
	found = exchange_parse_each(answer->exchange, all, count,
	    answer->status, answer->body, answer->len);
	for (size_t i = 0; i < count; i++) {
		wanted_line(answer, &wanted[i], &all[i], sum);
		any = any || all[i].error == QUOTE_OK;
		one.symbol = wanted[i].symbol;
		one.error = exchange_parse(&one.quote, answer->exchange,
		    one.symbol, answer->status, answer->body, answer->len);
		wanted_found(&a, a_numbers, &all[i]);
		wanted_found(&b, b_numbers, &one);
		assert_true(wanted_equal(&a, &b));
	}
	assert_true(any == found);
}

static inline void wanted_head(const char *title)
{
	printf("\n%s\n%-6s %-44s %-14s %-56s %s\n", title, "", "sample",
	    "symbol", "wanted: last bid ask time", "found");
}

#endif
