/* history_ask: see history_ask.h. */
#include "verifier/daemon/history_ask.h"

#include "verifier/moment.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 18 /* of a number: it fits into 64 bits */

/* ---- numbers and times ---- */

/* Digits without a leading zero. Steps over them. */
static bool take_number(const char **text, int64_t *out)
{
	size_t n = strspn(*text, "0123456789");

	if (n == 0 || n > DIGITS_MAX || ((*text)[0] == '0' && n > 1))
		return false;
	*out = strtoll(*text, NULL, 10);
	*text += n;
	return true;
}

static bool read_number(const char *text, int64_t max, int64_t *out)
{
	return take_number(&text, out) && *text == '\0' && *out <= max;
}

static bool read_time(const char *text, int64_t *out)
{
	return read_number(text, MOMENT_MAX_MS, out) ||
	       moment_parse_rfc3339(out, text) == 0;
}

/* ---- cursors: "1763760000000-<boot_id>-17" ---- */

void history_cursor_format(
    const struct history_key *key, char out[static HISTORY_CURSOR_MAX])
{
	snprintf(out, HISTORY_CURSOR_MAX, "%lld-%s-%llu",
	    (long long)key->published_ms, key->boot_id,
	    (unsigned long long)key->sequence);
}

static bool read_cursor(const char *text, struct history_key *out)
{
	int64_t sequence;
	size_t n;

	if (!take_number(&text, &out->published_ms) || *text++ != '-')
		return false;
	n = strspn(text, "0123456789abcdef");
	/* Without a boot_id: where files end, not an item. */
	if ((n != 0 && n != HISTORY_BOOT_ID_MAX - 1) || text[n] != '-')
		return false;
	memcpy(out->boot_id, text, n);
	out->boot_id[n] = '\0';
	if (!read_number(text + n + 1, HISTORY_SEQUENCE_MAX, &sequence))
		return false;
	out->sequence = (uint64_t)sequence;
	return true;
}

int history_key_compare(
    const struct history_key *a, const struct history_key *b)
{
	int boots;

	if (a->published_ms != b->published_ms)
		return a->published_ms < b->published_ms ? -1 : 1;
	boots = strcmp(a->boot_id, b->boot_id);
	if (boots != 0)
		return boots < 0 ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return 0;
}

/* A feed's name is nothing to escape, but who knows what is in the archive. */
static void escape(const char *text, char *out, size_t cap)
{
	size_t len = 0;

	for (; *text && len + 4 < cap; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || c == '-' || c == '_' || c == '.')
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 4, "%%%02X", c);
	}
	out[len] = '\0';
}

void history_link_format(const struct history_ask *ask,
    const struct history_key *key, char out[static HISTORY_LINK_MAX])
{
	char cursor[HISTORY_CURSOR_MAX], feed[3 * HISTORY_FEED_MAX];

	history_cursor_format(key, cursor);
	escape(ask->feed, feed, sizeof(feed));
	snprintf(out, HISTORY_LINK_MAX,
	    "</history?feed=%s&from=%lld&to=%lld&limit=%u&order=%s"
	    "&attestation=%s&cursor=%s>; rel=\"next\"",
	    feed, (long long)ask->from_ms, (long long)ask->to_ms, ask->limit,
	    ask->desc ? "desc" : "asc", ask->full ? "full" : "ref", cursor);
}

/* ---- a request's parameters ---- */

static bool refuse(
    struct http_request *req, const char *param, const char *detail)
{
	char extra[64];

	snprintf(extra, sizeof(extra), "\"parameter\":\"%s\"", param);
	http_problem(req, 400, "PARAM_INVALID", detail, extra);
	return false;
}

/* One of two words. */
static bool read_choice(
    const char *text, const char *no, const char *yes, bool *out)
{
	if (!text)
		return true;
	*out = strcmp(text, yes) == 0;
	return *out || strcmp(text, no) == 0;
}

/* RFC 9110, 12.5.1: is it among what is accepted? */
static bool accepts_ndjson(const char *accept)
{
	static const char type[] = "application/x-ndjson";

	while (accept && *accept) {
		size_t word, len;

		accept += strspn(accept, " \t");
		word = strcspn(accept, ",; \t");
		if (word == sizeof(type) - 1 &&
		    strncasecmp(accept, type, word) == 0)
			return true;
		len = strcspn(accept, ",");
		accept += len + (accept[len] == ',');
	}
	return false;
}

static bool read_feed(struct history_ask *out, struct http_request *req)
{
	const char *feed = http_param(req, "feed");

	if (!feed || !*feed) {
		http_problem(req, 400, "PARAM_MISSING",
		    "which feed? GET /feeds lists them",
		    "\"parameter\":\"feed\"");
		return false;
	}
	if (strlen(feed) >= sizeof(out->feed))
		return refuse(req, "feed", "no feed has such a long name");
	snprintf(out->feed, sizeof(out->feed), "%s", feed);
	return true;
}

static bool read_range(struct history_ask *out, struct http_request *req)
{
	static const char what[] =
	    "must be Unix milliseconds or RFC 3339 in UTC, such as "
	    "2026-11-01T00:00:00Z";
	const char *from = http_param(req, "from"), *to = http_param(req, "to");

	out->to_ms = MOMENT_MAX_MS;
	if (from && !read_time(from, &out->from_ms))
		return refuse(req, "from", what);
	if (to && !read_time(to, &out->to_ms))
		return refuse(req, "to", what);
	if (out->from_ms >= out->to_ms)
		return refuse(req, "to", "must be later than from");
	return true;
}

static bool read_limit(struct history_ask *out, struct http_request *req)
{
	const char *text = http_param(req, "limit");
	int64_t max = out->ndjson ? HISTORY_NDJSON_MAX : HISTORY_JSON_MAX;
	int64_t limit = HISTORY_LIMIT;

	if (text && (!read_number(text, max, &limit) || limit == 0))
		return refuse(req, "limit",
		    "must be 1 to 1000, or to 10000 with Accept: "
		    "application/x-ndjson");
	out->limit = (unsigned)limit;
	return true;
}

bool history_ask_page(struct history_ask *out, struct http_request *req)
{
	const char *cursor = http_param(req, "cursor");

	memset(out, 0, sizeof(*out));
	out->ndjson = accepts_ndjson(http_header(req, "Accept"));
	if (!read_feed(out, req) || !read_range(out, req) ||
	    !read_limit(out, req))
		return false;
	if (!read_choice(http_param(req, "order"), "asc", "desc", &out->desc))
		return refuse(req, "order", "must be asc or desc");
	if (!read_choice(
		http_param(req, "attestation"), "ref", "full", &out->full))
		return refuse(req, "attestation", "must be full or ref");
	out->has_cursor = cursor != NULL;
	if (cursor && !read_cursor(cursor, &out->cursor))
		return refuse(req, "cursor",
		    "is none; take next_cursor of the page before");
	return true;
}

bool history_ask_at(struct history_ask *out, struct http_request *req)
{
	static const char *const others[] = {
	    "max_age_ms", "after_sequence", "boot_id", "wait_ms"};
	const char *at = http_param(req, "at_ms");

	memset(out, 0, sizeof(*out));
	out->kind = HISTORY_MOMENT;
	out->full = true;
	snprintf(out->feed, sizeof(out->feed), "%s", http_path_param(req));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (http_param(req, others[i]))
			return refuse(req, others[i],
			    "is about the newest item; it does not go with "
			    "at_ms");
	if (!at || !read_number(at, MOMENT_MAX_MS, &out->at_ms))
		return refuse(req, "at_ms", "must be Unix milliseconds");
	if (!read_choice(
		http_param(req, "attestation"), "ref", "full", &out->full))
		return refuse(req, "attestation", "must be full or ref");
	return true;
}

bool history_ask_document(struct history_ask *out, struct http_request *req)
{
	const char *hex = http_path_param(req);

	memset(out, 0, sizeof(*out));
	out->kind = HISTORY_DOCUMENT;
	snprintf(out->sha256_hex, sizeof(out->sha256_hex), "%s", hex);
	return strlen(hex) == sizeof(out->sha256_hex) - 1 &&
	       strspn(hex, "0123456789abcdef") == strlen(hex);
}
