/*
 * board_hermes: the board for clients of Pyth's Hermes, see hermes.h.
 *
 * A text that is no price, or past its expiry, has no place in Hermes's
 * shape: such a feed is a 503 that names it, as an unknown one is a 404. With
 * ignore_invalid_price_ids both are left out, and it takes that nothing is
 * left for an error.
 */
#include "base/board_state.h"

#include "base/hermes.h"
#include "base/log.h"
#include "base/now.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_FEEDS "public, max-age=60"

struct hermes_ask {
	struct board *board;
	enum hermes_encoding encoding;
	bool parsed, ignore, full;
	struct board_entry *entries[HTTP_PARAMS_MAX];
	size_t count;
	json_t *bad;      /* ids at fault */
	const char *code; /* what is wrong with the first of them */
	unsigned status;  /* 0: nothing is wrong */
	char detail[BOARD_DETAIL_MAX];
};

/* ---- parameters ---- */

static bool refuse(struct http_request *req, const char *code, const char *name,
    const char *detail)
{
	char *extra = board_member("parameter", name);

	http_problem(req, 400, code, detail, extra);
	free(extra);
	return false;
}

/* An absent one leaves *out as it is. */
static bool read_flag(struct http_request *req, const char *name, bool *out)
{
	const char *text = http_param(req, name);

	if (!text)
		return true;
	*out = strcmp(text, "true") == 0;
	if (*out || strcmp(text, "false") == 0)
		return true;
	return refuse(req, "PARAM_INVALID", name, "must be true or false");
}

static bool read_choice(struct http_request *req, const char *name,
    const char *no, const char *yes, bool *out)
{
	const char *text = http_param(req, name);
	char detail[96];

	if (!text)
		return true;
	*out = strcmp(text, yes) == 0;
	if (*out || strcmp(text, no) == 0)
		return true;
	snprintf(detail, sizeof(detail), "%s must be %s or %s", name, no, yes);
	return refuse(req, "PARAM_INVALID", name, detail);
}

static bool read_manner(struct hermes_ask *ask, struct http_request *req)
{
	bool base64 = false, unordered, benchmarks;

	if (!read_choice(req, "encoding", "hex", "base64", &base64) ||
	    !read_choice(req, "attestation", "ref", "full", &ask->full) ||
	    !read_flag(req, "parsed", &ask->parsed) ||
	    !read_flag(req, "ignore_invalid_price_ids", &ask->ignore) ||
	    !read_flag(req, "allow_unordered", &unordered) ||
	    !read_flag(req, "benchmarks_only", &benchmarks))
		return false;
	ask->encoding = base64 ? HERMES_BASE64 : HERMES_HEX;
	return true;
}

/* ---- ids ---- */

static struct board_entry *find_id(const struct board *board, const char *id)
{
	for (size_t i = 0; i < board->entry_count; i++)
		if (strcmp(board->entries[i].feed_id, id) == 0)
			return (struct board_entry *)&board->entries[i];
	return NULL;
}

/* What is wrong first is what is said; a wrong form before all. */
static void blame(struct hermes_ask *ask, const char *id, unsigned status,
    const char *code, const char *detail)
{
	json_array_append_new(ask->bad, json_string(id));
	if (ask->status)
		return;
	ask->status = status;
	ask->code = code;
	snprintf(ask->detail, sizeof(ask->detail), "%s", detail);
}

static bool is_taken(const struct hermes_ask *ask, const struct board_entry *e)
{
	for (size_t i = 0; i < ask->count; i++)
		if (ask->entries[i] == e)
			return true;
	return false;
}

/* `fresh`: a price must be there now. */
static void take_id(struct hermes_ask *ask, const char *id, bool fresh)
{
	struct board_entry *entry = find_id(ask->board, id);
	char detail[BOARD_DETAIL_MAX];
	const char *code;

	if (!entry) {
		blame(ask, id, 404, "FEED_UNKNOWN",
		    "there is no feed with this id; /v2/price_feeds lists "
		    "them");
		return;
	}
	code = fresh
		   ? board_refusal(entry, now_unix_ms(), BOARD_ANY_AGE, detail)
		   : NULL;
	if (code)
		blame(ask, id, 503, code, detail);
	else if (!is_taken(ask, entry))
		ask->entries[ask->count++] = entry;
}

static bool read_ids(
    struct hermes_ask *ask, struct http_request *req, bool fresh)
{
	char id[HERMES_ID_MAX];
	const char *text;
	size_t i;

	for (i = 0; (text = http_param_at(req, "ids[]", i)); i++) {
		if (hermes_id_read(text, id))
			continue;
		blame(ask, text, 400, "ID_MALFORMED",
		    "an id is 32 bytes in hex, the SHA-256 of a feed's name");
	}
	if (i == 0)
		return refuse(req, "PARAM_MISSING", "ids[]",
		    "at least one ids[] is needed");
	if (ask->status)
		return true;
	for (i = 0; (text = http_param_at(req, "ids[]", i)); i++)
		if (hermes_id_read(text, id))
			take_id(ask, id, fresh);
	return true;
}

/* {"ids":[...]} without its braces. */
static void reply_blame(struct http_request *req, const struct hermes_ask *ask)
{
	json_t *object = json_pack("{s:O}", "ids", ask->bad);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (!text)
		log_die("board", "out of memory");
	text[strlen(text) - 1] = '\0';
	http_problem(req, ask->status, ask->code, ask->detail, text + 1);
	free(text);
	json_decref(object);
}

/* False after it has answered. */
static bool read_ask(struct hermes_ask *ask, struct board *board,
    struct http_request *req, bool fresh, bool full)
{
	bool good = false;

	*ask = (struct hermes_ask){
	    .board = board, .parsed = true, .full = full, .bad = json_array()};
	if (read_manner(ask, req) && read_ids(ask, req, fresh)) {
		good = !ask->status || (ask->ignore && ask->count > 0);
		if (!good)
			reply_blame(req, ask);
	}
	json_decref(ask->bad);
	ask->bad = NULL;
	return good;
}

/* ---- prices ---- */

static bool add(
    struct hermes_update *update, const struct board_entry *entry, bool full)
{
	return hermes_update_add(update, full ? entry->full : entry->ref,
	    &(struct hermes_price){
		.id = entry->feed_id,
		.name = entry->name,
		.boot_id = entry->boot_id,
		.price = entry->price,
		.confidence = entry->confidence,
		.sequence = entry->sequence,
		.published_ms = entry->published_ms,
		.expires_ms = entry->expires_ms,
		.previous_ms = entry->previous_ms,
	    });
}

void board_hermes_latest(struct board *board, struct http_request *req)
{
	struct hermes_update *update;
	struct hermes_ask ask;
	char *text;

	if (!read_ask(&ask, board, req, true, true))
		return;
	update = hermes_update_new(ask.encoding, ask.parsed);
	for (size_t i = 0; i < ask.count; i++)
		(void)add(update, ask.entries[i], ask.full);
	text = hermes_update_end(update);
	http_reply_json(req, text);
	free(text);
}

/* ---- stream ---- */

static struct sse_hub **hub_of(const struct hermes_ask *ask)
{
	return &ask->board->hermes_hubs[ask->encoding == HERMES_BASE64]
				       [ask->parsed][ask->full];
}

void board_hermes_stream(struct board *board, struct http_request *req)
{
	char topics[HTTP_PARAMS_MAX * BOARD_NAME_MAX];
	struct hermes_ask ask;
	struct sse_hub **hub;
	size_t len = 0;

	if (!read_ask(&ask, board, req, false, false))
		return;
	for (size_t i = 0; i < ask.count; i++)
		len += (size_t)snprintf(topics + len, sizeof(topics) - len,
		    "%s%s", i ? "," : "", ask.entries[i]->name);
	hub = hub_of(&ask);
	if (!*hub)
		*hub = sse_hub_new(&(struct sse_hub_options){
		    .loop = board->loop, .epoch = "hermes"});
	sse_subscribe(*hub, req, topics, NULL);
}

static void publish(struct sse_hub *hub, const struct board_entry *entry,
    enum hermes_encoding encoding, bool parsed, bool full)
{
	struct hermes_update *update = hermes_update_new(encoding, parsed);
	bool good = add(update, entry, full);
	char *text = hermes_update_end(update);

	/* "message" is what EventSource calls an event without a name. */
	if (good)
		sse_publish(
		    hub, "message", entry->name, text, strlen(text), false);
	free(text);
}

void board_hermes_posted(struct board *board, const struct board_entry *entry)
{
	if (entry->unavailable[0])
		return;
	for (int i = 0; i < 8; i++) {
		bool base64 = i & 4, parsed = i & 2, full = i & 1;
		struct sse_hub *hub = board->hermes_hubs[base64][parsed][full];
		struct sse_stats stats = {.subscribers = 0};

		if (hub)
			sse_hub_stats(hub, &stats);
		if (stats.subscribers)
			publish(hub, entry, base64 ? HERMES_BASE64 : HERMES_HEX,
			    parsed, full);
	}
}

void board_hermes_each(struct board *board,
    void (*cb)(struct sse_hub *hub, void *data), void *data)
{
	for (int i = 0; i < 8; i++) {
		struct sse_hub **hub =
		    &board->hermes_hubs[!!(i & 4)][!!(i & 2)][i & 1];

		if (*hub)
			cb(*hub, data);
	}
}

/* ---- feeds ---- */

void board_hermes_feeds(struct board *board, struct http_request *req)
{
	const char *query = http_param(req, "query");
	const char *type = http_param(req, "asset_type");
	bool first = true;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		log_die("board", "out of memory");
	fputc('[', out);
	for (size_t i = 0; i < board->entry_count; i++) {
		const struct board_entry *entry = &board->entries[i];
		char *feed;

		if ((type && strcasecmp(type, "crypto") != 0) ||
		    (query && !hermes_feed_has(entry->name, query)))
			continue;
		feed = hermes_feed(entry->feed_id, entry->name);
		fprintf(out, "%s%s", first ? "" : ",", feed);
		first = false;
		free(feed);
	}
	fputc(']', out);
	if (fclose(out) != 0)
		log_die("board", "out of memory");
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = text,
			    .len = len,
			    .cache_control = CACHE_FEEDS});
	free(text);
}
