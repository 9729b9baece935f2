/*
 * binance_form: the questions and answers of exchanges that took Binance's
 * API as theirs: Binance, Binance US, MEXC. Only feeds/exchanges/ includes
 * this.
 */
#ifndef HALLMARK_FEEDS_EXCHANGES_BINANCE_FORM_H
#define HALLMARK_FEEDS_EXCHANGES_BINANCE_FORM_H

#include "feeds/exchanges/adapter.h"

#define BINANCE_FORM_NAMES_MAX 4

/* What a row may call its members: the first that is there counts. Each list
 * ends with NULL. */
struct binance_form_names {
	const char *last[BINANCE_FORM_NAMES_MAX], *bid[BINANCE_FORM_NAMES_MAX],
	    *ask[BINANCE_FORM_NAMES_MAX], *time_ms[BINANCE_FORM_NAMES_MAX];
};

/* For the `format_target` of Binance and Binance US: 24hr for up to
 * EXCHANGE_NAMED_MAX named symbols; never for all of them, see binance.c. */
int binance_form_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count);

/* {"code":-1121,"msg":"..."}: OK if the body is none of this form. */
enum quote_error binance_form_error(int status, const json_t *body);

/* The symbol's row, of an array or alone. */
enum quote_error binance_form_row(struct quote *out, const char *symbol,
    const json_t *rows, const struct binance_form_names *names);

/* All of it: the `read` of Binance and Binance US. */
enum quote_error binance_form_read(
    struct quote *out, const char *symbol, int status, const json_t *body);

#endif
