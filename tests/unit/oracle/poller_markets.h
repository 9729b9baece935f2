/*
 * poller_markets: exchanges of our own making for the tests of poller, what
 * their adapters read, and the peer that plays them all.
 *
 * A request names its symbols, "/t?s=A,B", or none, "/all"; the answer is
 * {"A":1.50,"B":1.50}. Symbols whose first letters say so are special:
 *   SICK... the whole request is refused, as an unknown symbol
 *   GONE... it is not in the answer
 *   HANG... there is no answer to a request that names it
 */
#ifndef HALLMARK_TESTS_POLLER_MARKETS_H
#define HALLMARK_TESTS_POLLER_MARKETS_H

#include "base/now.h"
#include "feeds/exchanges/exchange.h"
#include "feeds/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/tls_peer.h"

/* ---- the exchanges' adapters ---- */

static int market_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	size_t len = (size_t)snprintf(
	    out, EXCHANGE_TARGET_MAX, "%s", count == 0 ? "/all" : "/t?s=");

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(out + len, EXCHANGE_TARGET_MAX - len,
		    "%s%s", i > 0 ? "," : "", symbols[i]);
	return len < EXCHANGE_TARGET_MAX ? 0 : -1;
}

/* {"A":1.23}, or {"error":"limit"} or {"error":"unknown"}. */
static enum quote_error market_read(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	const char *error = json_text_string(json_object_get(body, "error"));
	const char *text = json_string_value(json_object_get(body, symbol));

	if (error != NULL)
		return strcmp(error, "limit") == 0 ? QUOTE_RATE_LIMITED
						   : QUOTE_UNKNOWN_SYMBOL;
	if (status / 100 != 2)
		return QUOTE_HTTP_ERROR;
	if (text == NULL)
		return QUOTE_UNKNOWN_SYMBOL;
	text += strcspn(text, "0123456789"); /* json_text's mark */
	out->has_last = true;
	return decimal_parse(&out->last, text, strlen(text)) == 0
		   ? QUOTE_OK
		   : QUOTE_BAD_BODY;
}

#define MARKET(called, spacing, named, whole)                                  \
	{                                                                      \
		.name = called, .host = called ".test", .limit = "none",       \
		.limit_per_min = 100000, .spacing_ms = spacing,                \
		.ban_403_ms = 600000, .named_max = named, .whole_from = whole, \
		.format_target = market_target, .read = market_read,           \
	}

enum market {
	ALPHA, /* one symbol in a request */
	BETA,  /* the same */
	BATCH, /* twenty */
	WHOLE, /* the whole market from three on */
	SLOW,  /* one, and little patience */
	MARKETS
};

static const struct exchange markets[MARKETS] = {
    [ALPHA] = MARKET("alpha", 5, 1, 0),
    [BETA] = MARKET("beta", 5, 1, 0),
    [BATCH] = MARKET("batch", 5, EXCHANGE_NAMED_MAX, 0),
    [WHOLE] = MARKET("whole", 5, 1, 3),
    [SLOW] = MARKET("slow", 50, 1, 0),
};

/* ---- what they say ---- */

enum mode {
	MOVING,
	STANDING,
	BROKEN,           /* 500 */
	LIMITED,          /* 429, an hour */
	LIMITED_BY_DATE,  /* the same as a date */
	LIMITED_IN_A_200, /* in the body's own words */
	BANNED,           /* 418, without a time */
	FORBIDDEN,        /* 403, which is its ban too */
	HANGING
};

/* Of one market, as the peer sees it. */
static struct {
	atomic_int mode;
	atomic_uint asked;
	atomic_uint asked_of[3];        /* those that name A, B, C */
	atomic_llong first_ms, last_ms; /* monotonic, of requests */
	atomic_llong date_ms;           /* 0: it says no Date */
} seen[MARKETS];

static enum market market_of(const struct peer_session *s)
{
	for (int m = 0; m < MARKETS; m++) {
		char host[64];
		snprintf(host, sizeof(host), "Host: %s\r", markets[m].host);
		if (strstr(s->head, host) != NULL)
			return (enum market)m;
	}
	pki_need(false, "a host of ours");
	return MARKETS;
}

static void put_date(char *out, size_t cap, int64_t at_ms)
{
	time_t at_s = (time_t)(at_ms / 1000);
	struct tm tm;

	gmtime_r(&at_s, &tm);
	strftime(out, cap, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* "A,B" -> {"A":n.50,"B":n.50}; the whole market has all that anybody asks
 * for, T000 to T199 and A. */
static void say_prices(struct peer_session *s, enum market m, unsigned n)
{
	static const char hello[] = "{\"A\":7.50";
	char body[8192] = "{", date[64] = "", text[8400];
	char *symbols = strstr(s->head, "s="), *next;
	size_t len = 1;

	if (symbols == NULL) {
		len = (size_t)snprintf(body, sizeof(body), "%s", hello);
		for (int i = 0; i < 200; i++)
			len += (size_t)snprintf(body + len, sizeof(body) - len,
			    ",\"T%03d\":%u.50", i, n);
	} else {
		symbols[strcspn(symbols, " ")] = '\0';
		for (char *name = strtok_r(symbols + 2, ",", &next);
		     name != NULL; name = strtok_r(NULL, ",", &next)) {
			if (strncmp(name, "GONE", 4) != 0)
				len += (size_t)snprintf(body + len,
				    sizeof(body) - len, "%s\"%s\":%u.50",
				    len > 1 ? "," : "", name, n);
		}
	}
	snprintf(body + len, sizeof(body) - len, "}");
	int64_t date_ms = atomic_load(&seen[m].date_ms);
	if (date_ms != 0)
		put_date(date, sizeof(date), date_ms);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
	    date[0] ? "Date: " : "", date, date[0] ? "\r\n" : "", strlen(body),
	    body);
	peer_say(s, text);
}

static void say_limited_until(struct peer_session *s)
{
	char date[64], text[200];

	put_date(date, sizeof(date), now_unix_ms() + 3600000);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    date);
	peer_say(s, text);
}

static void say_by_symbol(struct peer_session *s, enum market m, unsigned n)
{
	if (strstr(s->head, "HANG") != NULL)
		peer_wait(s);
	else if (strstr(s->head, "SICK") != NULL)
		peer_json(s, "{\"error\":\"unknown\"}");
	else
		say_prices(s, m, n);
}

static void say(struct peer_session *s, enum market m, unsigned n)
{
	switch ((enum mode)atomic_load(&seen[m].mode)) {
	case MOVING:
		say_by_symbol(s, m, n);
		break;
	case STANDING:
		say_by_symbol(s, m, 7);
		break;
	case BROKEN:
		peer_say(s, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
		break;
	case LIMITED:
		peer_say(s, "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\n"
			    "Content-Length: 0\r\n\r\n");
		break;
	case LIMITED_BY_DATE:
		say_limited_until(s);
		break;
	case LIMITED_IN_A_200:
		peer_json(s, "{\"error\":\"limit\"}");
		break;
	case BANNED:
		peer_say(s, "HTTP/1.1 418 Tea\r\nContent-Length: 0\r\n\r\n");
		break;
	case FORBIDDEN:
		peer_say(s, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
		break;
	case HANGING:
		peer_wait(s);
		break;
	}
}

static void play_markets(struct peer_session *s)
{
	while (peer_request(s)) {
		enum market m = market_of(s);
		const char *symbol = strstr(s->head, "s=");
		long long none = 0;

		if (symbol != NULL && symbol[2] >= 'A' && symbol[2] <= 'C')
			atomic_fetch_add(&seen[m].asked_of[symbol[2] - 'A'], 1);
		atomic_compare_exchange_strong(
		    &seen[m].first_ms, &none, now_monotonic_ms());
		atomic_store(&seen[m].last_ms, now_monotonic_ms());
		say(s, m, 1 + atomic_fetch_add(&seen[m].asked, 1));
	}
}

#endif
