/*
 * answers: bodies of our own, in the form that an exchange documents, and what
 * its adapter should make of them. For tests of adapters, which use all of it.
 *
 * What an answer gives is one text: "last bid ask time", "-" for what is
 * absent, or the name of the error, in which case the quote has to be empty.
 */
#ifndef HALLMARK_TESTS_FEEDS_ANSWERS_H
#define HALLMARK_TESTS_FEEDS_ANSWERS_H

#include "feeds/exchanges/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ANSWERS_GIVES_MAX (4 * DECIMAL_STRMAX)

struct answer {
	const char *symbol;
	int status;
	const char *body, *gives;
};

/* Field by field: padding may hold anything. */
static bool answers_is_empty(const struct quote *q)
{
	return !q->has_last && !q->has_bid && !q->has_ask &&
	       !q->has_exchange_ms && q->last.mantissa == 0 &&
	       q->bid.mantissa == 0 && q->ask.mantissa == 0 &&
	       q->last.exponent == 0 && q->bid.exponent == 0 &&
	       q->ask.exponent == 0 && q->exchange_ms == 0;
}

static void answers_describe(char out[static ANSWERS_GIVES_MAX],
    const struct quote *q, enum quote_error error)
{
	char last[DECIMAL_STRMAX] = "-", bid[DECIMAL_STRMAX] = "-";
	char ask[DECIMAL_STRMAX] = "-", ms[24] = "-";

	if (error != QUOTE_OK) {
		snprintf(out, ANSWERS_GIVES_MAX, "%s%s",
		    quote_error_name(error),
		    answers_is_empty(q) ? "" : " and a quote");
		return;
	}
	if (q->has_last)
		decimal_format(q->last, last);
	if (q->has_bid)
		decimal_format(q->bid, bid);
	if (q->has_ask)
		decimal_format(q->ask, ask);
	if (q->has_exchange_ms)
		snprintf(ms, sizeof(ms), "%lld", (long long)q->exchange_ms);
	snprintf(out, ANSWERS_GIVES_MAX, "%s %s %s %s", last, bid, ask, ms);
}

static void answers_check(
    const char *exchange, const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct answer *a = &answers[i];
		char found[ANSWERS_GIVES_MAX];
		struct quote q;
		enum quote_error error = exchange_parse(&q,
		    exchange_find(exchange), a->symbol, a->status, a->body,
		    strlen(a->body));
		answers_describe(found, &q, error);
		if (strcmp(found, a->gives) != 0)
			print_error("%s %s %d %s\n", exchange, a->symbol,
			    a->status, a->body);
		assert_string_equal(found, a->gives);
	}
}
#define ANSWERS_CHECK(exchange, answers) \
	answers_check(exchange, answers, sizeof(answers) / sizeof((answers)[0]))

/* One answer for several symbols, which end with NULL. */
static void answers_check_each(const char *exchange, const char *const *symbols,
    const char *body, const char *const *gives)
{
	struct exchange_reading readings[EXCHANGE_NAMED_MAX] = {{0}};
	char found[ANSWERS_GIVES_MAX];
	size_t count = 0;

	for (; symbols[count] != NULL; count++)
		readings[count].symbol = symbols[count];
	exchange_parse_each(
	    exchange_find(exchange), readings, count, 200, body, strlen(body));
	for (size_t i = 0; i < count; i++) {
		answers_describe(found, &readings[i].quote, readings[i].error);
		assert_string_equal(found, gives[i]);
	}
}

/* What asks for these symbols, which end with NULL; "" if it is refused. */
static void answers_check_target(
    const char *exchange, const char *const *symbols, const char *wanted)
{
	char found[EXCHANGE_TARGET_MAX];
	size_t count = 0;
	int error;

	while (symbols[count] != NULL)
		count++;
	memset(found, 'x', sizeof(found));
	error = exchange_find(exchange)->format_target(found, symbols, count);
	assert_string_equal(found, wanted);
	assert_int_equal(error, wanted[0] != '\0' ? 0 : -1);
}
#define ANSWERS_TARGET(exchange, wanted, ...) \
	answers_check_target(                 \
	    exchange, (const char *const[]){__VA_ARGS__}, wanted)

#define ANSWERS_ZEROS_36 "000000000000000000000000000000000000"

/* The one number of an answer, which has no other and no time, in every way
 * that exchanges write numbers, and some they should not. */
static void answers_check_numbers(const char *exchange, const char *symbol,
    const char *before, const char *after)
{
	static const struct {
		const char *json, *gives;
	} numbers[] = {
	    {"\"84070.9\"", "84070.9 - - -"},
	    {"84070.90", "84070.90 - - -"},
	    {"\"84070.90000\"", "84070.90000 - - -"},
	    {"1.147350001E7", "11473500.01 - - -"},
	    {"\"6E-8\"", "0.00000006 - - -"},
	    {"3.4e-7", "0.00000034 - - -"},
	    {"5e+3", "5000 - - -"},
	    {"\"11381." ANSWERS_ZEROS_36 "\"", "11381.00000000000000 - - -"},
	    {"11381." ANSWERS_ZEROS_36, "11381.00000000000000 - - -"},
	    {"null", "no_price"},
	    {"\"\"", "no_price"},
	    {"0", "no_price"},
	    {"\"0.00000000\"", "no_price"},
	    {"0e5", "no_price"},
	    {"-0.0", "no_price"},
	    {"-1", "no_price"},
	    {"\"-84070.9\"", "no_price"},
	    {"NaN", "bad_body"},
	    {"\"NaN\"", "bad_body"},
	    {"\"Infinity\"", "bad_body"},
	    {"\"inf\"", "bad_body"},
	    {"\"null\"", "bad_body"},
	    {"\"84,070.9\"", "bad_body"},
	    {"\" 1\"", "bad_body"},
	    {"\"1 \"", "bad_body"},
	    {"\"+1\"", "bad_body"},
	    {"\".5\"", "bad_body"},
	    {"\"5.\"", "bad_body"},
	    {"\"0x10\"", "bad_body"},
	    {"007", "bad_body"},
	    {"1e400", "bad_body"},
	    {"1e-400", "bad_body"},
	    {"9223372036854775807", "9223372036854775807 - - -"},
	    {"9223372036854775808", "bad_body"},
	    {"99999999999999999999", "bad_body"},
	    /* 41 digits that all count, as HTX writes a volume */
	    {"90090730.707133525077464434840000000000000000", "bad_body"},
	    {"\"1." ANSWERS_ZEROS_36 "000000000000000000000000001\"",
		"bad_body"}, /* 65 */
	    {"true", "bad_body"},
	    {"[\"1\"]", "bad_body"},
	    {"{\"1\":1}", "bad_body"},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char body[512];
		struct answer answer = {symbol, 200, body, numbers[i].gives};
		int len = snprintf(body, sizeof(body), "%s%s%s", before,
		    numbers[i].json, after);
		assert_true(len > 0 && (size_t)len < sizeof(body));
		answers_check(exchange, &answer, 1);
	}
}

#endif
