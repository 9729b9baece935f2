/*
 * item: see item.h. One value has one text: the writer has no choices, the
 * reader takes no others. Both follow the same order of keys, and both ask
 * item_check() whether the value makes sense, so neither can drift from the
 * other. The reader walks the text once: no tree, no allocation.
 */
#include "feeds/check.h"
#include "feeds/hex.h"
#include "feeds/item_check.h"

#include <stddef.h>
#include <string.h>

#define HASH_HEX 64
/* For what gets a key as it stands in the source, so that its length is known:
 * a replay does nothing so often. */
#define WITH_KEY __attribute__((always_inline)) static inline

/* ---- writing ---- */

struct writer {
	char *out;
	size_t capacity, len;
	bool full;
};

static void put_bytes(struct writer *w, const char *text, size_t len)
{
	if (w->full || len >= w->capacity - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, text, len);
	w->len += len;
}

WITH_KEY void put(struct writer *w, const char *key)
{
	put_bytes(w, key, strlen(key));
}

WITH_KEY void put_string(struct writer *w, const char *key, const char *text)
{
	put(w, key);
	put(w, "\"");
	put(w, text);
	put(w, "\"");
}

static void put_number(struct writer *w, int64_t value)
{
	char text[24];
	char *end = text + sizeof(text), *p = end;
	uint64_t left = (uint64_t)value;

	for (; left > 0 || p == end; left /= 10)
		*--p = (char)('0' + left % 10);
	put_bytes(w, p, (size_t)(end - p));
}

WITH_KEY void put_integer(
    struct writer *w, const char *key, bool has, int64_t value)
{
	put(w, key);
	if (has)
		put_number(w, value);
	else
		put(w, "null");
}

WITH_KEY void put_decimal(
    struct writer *w, const char *key, bool has, struct decimal d)
{
	char text[DECIMAL_STRMAX];

	put(w, key);
	if (!has) {
		put(w, "null");
		return;
	}
	put(w, "\"");
	put_bytes(w, text, decimal_format(d, text));
	put(w, "\"");
}

WITH_KEY void put_hash(
    struct writer *w, const char *key, bool has, const uint8_t *hash)
{
	char text[HASH_HEX + 1];

	put(w, key);
	if (!has) {
		put(w, "null");
		return;
	}
	hex_encode(hash, HASH_HEX / 2, text);
	put(w, "\"");
	put_bytes(w, text, HASH_HEX);
	put(w, "\"");
}

static void put_source(struct writer *w, const struct item_source *s)
{
	const struct quote *q = &s->quote;

	put_string(w, "{\"exchange\":", s->exchange);
	put_string(w, ",\"symbol\":", s->symbol);
	put_decimal(w, ",\"last\":", q->has_last, q->last);
	put_decimal(w, ",\"bid\":", q->has_bid, q->bid);
	put_decimal(w, ",\"ask\":", q->has_ask, q->ask);
	put_decimal(w, ",\"price\":", s->has_price, s->price);
	if (s->via[0] != '\0') {
		put_string(w, ",\"via\":", s->via);
		put_decimal(w, ",\"rate\":", s->has_rate, s->rate);
	}
	put_integer(w, ",\"exchange_ms\":", q->has_exchange_ms, q->exchange_ms);
	put_integer(w, ",\"received_ms\":", s->has_answer, s->received_ms);
	put_hash(w, ",\"body_sha256\":", s->has_answer, s->body_sha256);
	put_hash(w, ",\"tls_spki_sha256\":", s->has_answer, s->tls_spki_sha256);
	put_string(w, ",\"state\":", source_state_name(s->state));
	if (s->state == SOURCE_FAILED)
		put_string(w, ",\"error\":", quote_error_name(s->error));
	put(w, "}");
}

static void put_item(struct writer *w, const struct item *item)
{
	char boot_id[2 * sizeof(item->boot_id) + 1];
	bool ok = item->status == ITEM_OK;

	hex_encode(item->boot_id, sizeof(item->boot_id), boot_id);
	put_string(w, "{\"format\":", ITEM_FORMAT);
	put_string(w, ",\"feed\":", item->feed);
	put_string(w, ",\"boot_id\":", boot_id);
	put_integer(w, ",\"sequence\":", true, (int64_t)item->sequence);
	put_string(w, ",\"status\":", item_status_name(item->status));
	if (!ok)
		put_string(w, ",\"reason\":", item_reason_name(item->reason));
	put_decimal(w, ",\"price\":", ok, item->price);
	put_decimal(w, ",\"confidence\":", ok, item->confidence);
	put_integer(w, ",\"published_ms\":", true, item->published_ms);
	put_integer(w, ",\"expires_ms\":", true, item->expires_ms);
	put(w, ",\"sources\":[");
	for (size_t i = 0; i < item->source_count; i++) {
		put(w, i > 0 ? "," : "");
		put_source(w, &item->sources[i]);
	}
	put_string(w, "],\"aggregation\":", "median");
	put_integer(w, ",\"min_sources\":", true, item->min_sources);
	put_hash(w, ",\"config_sha256\":", true, item->config_sha256);
	put_hash(w, ",\"previous_sha256\":", true, item->previous_sha256);
	put(w, "}");
}

int item_encode(
    const struct item *item, char *out, size_t capacity, size_t *len)
{
	struct writer w = {.out = out, .capacity = capacity};

	*len = 0;
	/* unnamed: nothing from outside */
	if (capacity == 0)
		return -1;
	out[0] = '\0';
	if (!item_check(item))
		return -1;
	put_item(&w, item);
	/* unnamed: nothing from outside */
	if (w.full || w.len >= ITEM_CONTENT_MAX) {
		out[0] = '\0';
		return -1;
	}
	out[w.len] = '\0';
	*len = w.len;
	return 0;
}

/* ---- reading: once something is wrong, everything is ---- */

struct cursor {
	const char *p, *end;
	bool wrong;
};

WITH_KEY bool next_is(const struct cursor *c, const char *key)
{
	size_t len = strlen(key);

	/* unnamed: the caller's to judge */
	return !c->wrong && (size_t)(c->end - c->p) >= len &&
	       memcmp(c->p, key, len) == 0;
}

WITH_KEY bool accept(struct cursor *c, const char *key)
{
	if (!next_is(c, key))
		return false;
	c->p += strlen(key);
	return true;
}

WITH_KEY void expect(struct cursor *c, const char *key)
{
	if (REFUSE(item_expected, !accept(c, key)))
		c->wrong = true;
}

/* Up to the next quote; no escapes, since nothing we write needs one. */
static void get_text(struct cursor *c, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	if (c->wrong)
		return;
	while (c->p + len < c->end && c->p[len] != '"' && c->p[len] != '\0')
		len++;
	if (REFUSE(item_text_max, len >= size)) {
		c->wrong = true;
		return;
	}
	memcpy(out, c->p, len);
	out[len] = '\0';
	c->p += len;
}

WITH_KEY void get_string(
    struct cursor *c, const char *key, char *out, size_t size)
{
	expect(c, key);
	expect(c, "\"");
	get_text(c, out, size);
	expect(c, "\"");
}

WITH_KEY int get_name(
    struct cursor *c, const char *key, const char *const *names)
{
	char text[32];

	get_string(c, key, text, sizeof(text));
	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0)
			return i;
	}
	c->wrong = true;
	return 0;
}

WITH_KEY enum quote_error get_error(struct cursor *c, const char *key)
{
	char text[32];
	int error;

	get_string(c, key, text, sizeof(text));
	error = quote_error_find(text, strlen(text));
	c->wrong = c->wrong || error < 0;
	return c->wrong ? QUOTE_OK : (enum quote_error)error;
}

static void get_digits(struct cursor *c, int64_t *out)
{
	const char *start = c->p;

	while (!c->wrong && c->p < c->end && *c->p >= '0' && *c->p <= '9' &&
	       *out <= ITEM_INTEGER_MAX)
		*out = *out * 10 + (*c->p++ - '0');
	/* One that is too large is item_check()'s to refuse. */
	if (REFUSE(item_integer_empty, c->p == start) ||
	    REFUSE(item_integer_zero, *start == '0' && c->p - start > 1))
		c->wrong = true;
}

WITH_KEY void get_integer(
    struct cursor *c, const char *key, bool *has, int64_t *out)
{
	*out = 0;
	expect(c, key);
	if (has != NULL) {
		*has = !accept(c, "null");
		if (!*has)
			return;
	}
	get_digits(c, out);
}

static void get_number(struct cursor *c, struct decimal *out)
{
	char text[DECIMAL_STRMAX], again[DECIMAL_STRMAX];

	get_string(c, "", text, sizeof(text));
	/* unnamed: in one form only, and so quickly done */
	if (!c->wrong && decimal_parse_written(out, text, strlen(text)) == 0)
		return;
	/* unnamed: what it leaves then is 0, and not as it was written */
	if (c->wrong || decimal_parse(out, text, strlen(text)) != DECIMAL_OK) {
		c->wrong = true;
		return;
	}
	decimal_format(*out, again); /* "1e3", "-0": not as we write it */
	if (REFUSE(item_decimal_form, strcmp(text, again) != 0))
		c->wrong = true;
}

WITH_KEY void get_decimal(
    struct cursor *c, const char *key, bool *has, struct decimal *out)
{
	*out = (struct decimal){0};
	expect(c, key);
	*has = !accept(c, "null");
	if (*has)
		get_number(c, out);
}

static void get_digest(struct cursor *c, uint8_t *out, size_t len)
{
	if (c->wrong ||
	    REFUSE(item_hex_cut, (size_t)(c->end - c->p) < 2 * len) ||
	    REFUSE(item_hex, hex_decode(out, len, c->p, 2 * len) != 0) ||
	    REFUSE(item_hex_case, hex_has_capital(c->p, 2 * len))) {
		c->wrong = true;
		return;
	}
	c->p += 2 * len;
}

WITH_KEY void get_hex(
    struct cursor *c, const char *key, uint8_t *out, size_t len)
{
	expect(c, key);
	expect(c, "\"");
	get_digest(c, out, len);
	expect(c, "\"");
}

/* The hashes of an answer: both, or null where there was none. */
WITH_KEY void get_hash(
    struct cursor *c, const char *key, bool has, uint8_t out[HASH_HEX / 2])
{
	if (has) {
		get_hex(c, key, out, HASH_HEX / 2);
		return;
	}
	expect(c, key);
	expect(c, "null");
}

static void get_source(struct cursor *c, struct item_source *s)
{
	struct quote *q = &s->quote;

	memset(s, 0, sizeof(*s));
	get_string(c, "{\"exchange\":", s->exchange, sizeof(s->exchange));
	get_string(c, ",\"symbol\":", s->symbol, sizeof(s->symbol));
	get_decimal(c, ",\"last\":", &q->has_last, &q->last);
	get_decimal(c, ",\"bid\":", &q->has_bid, &q->bid);
	get_decimal(c, ",\"ask\":", &q->has_ask, &q->ask);
	get_decimal(c, ",\"price\":", &s->has_price, &s->price);
	if (next_is(c, ",\"via\":")) {
		get_string(c, ",\"via\":", s->via, sizeof(s->via));
		get_decimal(c, ",\"rate\":", &s->has_rate, &s->rate);
		c->wrong = c->wrong ||
			   REFUSE(item_via_empty, s->via[0] == '\0');
	}
	get_integer(
	    c, ",\"exchange_ms\":", &q->has_exchange_ms, &q->exchange_ms);
	get_integer(c, ",\"received_ms\":", &s->has_answer, &s->received_ms);
	get_hash(c, ",\"body_sha256\":", s->has_answer, s->body_sha256);
	get_hash(c, ",\"tls_spki_sha256\":", s->has_answer, s->tls_spki_sha256);
	s->state = (enum source_state)get_name(
	    c, ",\"state\":", item_state_names);
	if (s->state == SOURCE_FAILED)
		s->error = get_error(c, ",\"error\":");
	expect(c, "}");
}

static void get_sources(struct cursor *c, struct item *out)
{
	expect(c, ",\"sources\":[");
	while (!c->wrong && !next_is(c, "]")) {
		if (REFUSE(item_sources_read,
			out->source_count == FEED_SOURCES_MAX)) {
			c->wrong = true;
			return;
		}
		if (out->source_count > 0)
			expect(c, ",");
		get_source(c, &out->sources[out->source_count++]);
	}
	expect(c, "]");
}

static void get_item(struct cursor *c, struct item *out)
{
	int64_t sequence, min_sources;
	char format[16];
	bool has_price, has_confidence;

	get_string(c, "{\"format\":", format, sizeof(format));
	get_string(c, ",\"feed\":", out->feed, sizeof(out->feed));
	get_hex(c, ",\"boot_id\":", out->boot_id, sizeof(out->boot_id));
	get_integer(c, ",\"sequence\":", NULL, &sequence);
	out->status = (enum item_status)get_name(
	    c, ",\"status\":", item_status_names);
	if (out->status == ITEM_UNAVAILABLE)
		out->reason = (enum item_reason)get_name(
		    c, ",\"reason\":", item_reason_names);
	get_decimal(c, ",\"price\":", &has_price, &out->price);
	get_decimal(c, ",\"confidence\":", &has_confidence, &out->confidence);
	get_integer(c, ",\"published_ms\":", NULL, &out->published_ms);
	get_integer(c, ",\"expires_ms\":", NULL, &out->expires_ms);
	get_sources(c, out);
	expect(c, ",\"aggregation\":\"median\"");
	get_integer(c, ",\"min_sources\":", NULL, &min_sources);
	get_hash(c, ",\"config_sha256\":", true, out->config_sha256);
	get_hash(c, ",\"previous_sha256\":", true, out->previous_sha256);
	expect(c, "}");
	out->sequence = (uint64_t)sequence;
	out->min_sources = min_sources <= FEED_SOURCES_MAX
			       ? (unsigned)min_sources
			       : 0; /* item_check refuses it */
	if (REFUSE(item_format, strcmp(format, ITEM_FORMAT) != 0) ||
	    REFUSE(item_has_price, has_price != (out->status == ITEM_OK)) ||
	    REFUSE(item_has_confidence, has_confidence != has_price) ||
	    REFUSE(item_end, c->p != c->end))
		c->wrong = true;
}

#define SOURCES_AT  offsetof(struct item, sources)
#define SOURCES_END offsetof(struct item, source_count)

int item_decode(struct item *out, const char *text, size_t len)
{
	struct cursor c = {0};

	memset(out, 0, SOURCES_AT);
	memset((char *)out + SOURCES_END, 0, sizeof(*out) - SOURCES_END);
	/* unnamed: NULL may be of no length. No item is as long as the most:
	 * what is would be refused for what is behind the item. */
	if (len > 0 && len < ITEM_CONTENT_MAX) {
		c.p = text;
		c.end = text + len;
		get_item(&c, out);
		if (!c.wrong && REQUIRE(item_makes_sense, item_check(out)))
			return 0;
	}
	memset(out, 0, sizeof(*out));
	return -1; /* unnamed: by what was wrong */
}
