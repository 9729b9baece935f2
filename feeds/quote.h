/*
 * quote: what one exchange said about one symbol, and the closed set of ways
 * in which it did not. Pure.
 */
#ifndef HALLMARK_FEEDS_QUOTE_H
#define HALLMARK_FEEDS_QUOTE_H

#include "feeds/decimal.h"

#include <stdbool.h>

/* name in C, name in items, logs and --parse */
#define QUOTE_ERRORS(X)                                                \
	X(OK, "ok")                                                    \
	X(UNKNOWN_SYMBOL, "unknown_symbol")                            \
	X(RATE_LIMITED, "rate_limited")                                \
	X(BANNED, "banned")                                            \
	X(GEO_BLOCKED, "geo_blocked")                                  \
	X(BLOCKED, "blocked")                                          \
	X(MAINTENANCE, "maintenance")                                  \
	X(SERVER_ERROR, "server_error")                                \
	X(HTTP_ERROR, "http_error")                                    \
	X(BAD_REQUEST, "bad_request")                                  \
	X(BAD_BODY, "bad_body")                                        \
	X(NO_PRICE, "no_price")                                        \
	X(AUTH, "auth")                                                \
	X(TIMEOUT, "timeout")                                          \
	X(REDIRECT, "redirect")                                        \
	/* not from an answer: the way to it, or what we made of it */ \
	X(CONNECT_FAILED, "connect_failed")                            \
	X(TLS_FAILED, "tls_failed")                                    \
	X(BAD_HTTP, "bad_http")                                        \
	X(TOO_LARGE, "too_large")                                      \
	X(NO_RATE, "no_rate")                                          \
	X(NOT_POLLED, "not_polled")                                    \
	X(NO_KEY, "no_key")

enum quote_error {
#define QUOTE_ENUM(c, text) QUOTE_##c,
	QUOTE_ERRORS(QUOTE_ENUM)
#undef QUOTE_ENUM
	QUOTE_ERROR_COUNT
};

/* "unknown_symbol"; never NULL. */
const char *quote_error_name(enum quote_error error);
/* The other way; -1 if there is no such name. */
int quote_error_find(const char *name, size_t len);

/* Each number as the exchange sent it, decimals and all. */
struct quote {
	bool has_last, has_bid, has_ask, has_exchange_ms;
	struct decimal last, bid, ask; /* > 0 where present */
	int64_t exchange_ms;           /* Unix ms; meaning: the adapter says */
};

/* The same of last, bid and ask are there, and of the same value ("1.0" is
 * 1). */
bool quote_same_prices(const struct quote *a, const struct quote *b);

#endif
