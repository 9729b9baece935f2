/* board_serve: the answers of a board, see board.h. */
#include "base/board_state.h"

#include "base/log.h"
#include "base/now.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARD_CACHE_MAX_S 1 /* a shared cache never hides a newer text */

void board_serve_document(struct board *board, struct http_request *req)
{
	const struct board_document *found = board_find_document(
	    board, http_path_param(req));
	char etag[BOARD_ETAG_MAX];

	if (!found) {
		http_problem(req, 404, "ATTESTATION_UNKNOWN",
		    "no document with this SHA-256 is kept here; only recent "
		    "ones are",
		    NULL);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%s\"", found->sha256_hex);
	http_reply(
	    req, &(struct http_reply){.status = 200,
		     .content_type = "application/cbor",
		     .body = found->bytes,
		     .len = found->len,
		     .cache_control = "public, max-age=31536000, immutable",
		     .etag = etag});
}

/* ---- texts ---- */

static void reply_refusal(struct http_request *req,
    const struct board_entry *entry, const char *code, const char *detail,
    bool full)
{
	char *extra = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&extra, &len);

	if (!out)
		log_die("board", "out of memory");
	fprintf(out, "\"feed\":\"%s\"", entry->name);
	if (entry->full)
		fprintf(out,
		    ",\"published_ms\":%lld,\"expires_ms\":%lld,\"item\":%s",
		    (long long)entry->published_ms,
		    (long long)entry->expires_ms,
		    full ? entry->full : entry->ref);
	if (fclose(out) != 0)
		log_die("board", "out of memory");
	http_problem(req, 503, code, detail, extra);
	free(extra);
}

/* Made once for each item, and not for those that nobody asks for: an oracle
 * of two hundred feeds would spend its time packing. The reference form is too
 * small to be worth it. */
static void pack(struct board *board, struct board_entry *entry)
{
	if (!entry->gzip)
		entry->gzip = gzip_pack(board->gzip, entry->full,
		    strlen(entry->full), &entry->gzip_len);
}

/* While the answer stays the same: what it says of caches, too. */
static int64_t good_until(
    const struct board_entry *entry, const struct board_ask *ask, int64_t now)
{
	int64_t until = entry->expires_ms - BOARD_CACHE_MAX_S * 1000;

	if (until < now)
		until = entry->expires_ms;
	if (ask->max_age_ms < until - entry->published_ms)
		until = entry->published_ms + ask->max_age_ms;
	return until;
}

static void reply_text(struct board *board, struct http_request *req,
    struct board_entry *entry, const struct board_ask *ask)
{
	const char *body = ask->full ? entry->full : entry->ref;
	char etag[BOARD_ETAG_MAX], cache[48];
	int64_t now = now_unix_ms();
	int64_t left_s = (entry->expires_ms - now) / 1000;

	if (left_s > BOARD_CACHE_MAX_S)
		left_s = BOARD_CACHE_MAX_S;
	snprintf(cache, sizeof(cache), "public, max-age=%d",
	    left_s > 0 ? (int)left_s : 0);
	snprintf(etag, sizeof(etag), "\"%s%s\"", entry->sha256_hex,
	    ask->full ? "" : "-ref");
	if (ask->full && http_wants_gzip(req))
		pack(board, entry);
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = body,
			    .len = strlen(body),
			    .cache_control = ask->waits ? "no-store" : cache,
			    .etag = etag,
			    .has_gzip = ask->full,
			    .gzip = entry->gzip,
			    .gzip_len = entry->gzip_len,
			    .version = &entry->version,
			    .until_ms = good_until(entry, ask, now)});
}

void board_answer(struct board *board, struct http_request *req,
    struct board_entry *entry, const struct board_ask *ask)
{
	char detail[BOARD_DETAIL_MAX];
	const char *code = board_refusal(
	    entry, now_unix_ms(), ask->max_age_ms, detail);

	if (code)
		reply_refusal(req, entry, code, detail, ask->full);
	else
		reply_text(board, req, entry, ask);
}

static void reply_unknown(struct http_request *req, const char *name)
{
	char *extra = board_member("feed", name);

	http_problem(req, 404, "FEED_UNKNOWN",
	    "there is no such feed here; GET /feeds lists them", extra);
	free(extra);
}

void board_serve_one(struct board *board, struct http_request *req)
{
	struct board_entry *entry = board_find_entry(
	    board, http_path_param(req));
	struct board_ask ask;

	if (!entry)
		reply_unknown(req, http_path_param(req));
	else if (!board_ask_read(&ask, req, true))
		return;
	else if (ask.waits && http_wants_kept(req))
		return; /* its answer is for one, once */
	else if (board_must_wait(entry, &ask))
		board_wait(board->waits, req, entry, &ask);
	else
		board_answer(board, req, entry, &ask);
}

/* ---- several at once ---- */

struct answer {
	FILE *items, *errors;
	size_t item_count, error_count;
};

/* entry: NULL, or the one that has this name. */
static void add_error(struct answer *answer, const char *name, const char *code,
    const char *detail, const struct board_entry *entry)
{
	json_t *error = json_pack(
	    "{s:s?, s:s, s:s}", "feed", name, "code", code, "detail", detail);
	char *text;

	if (error && entry && entry->full) {
		json_object_set_new(error, "published_ms",
		    json_integer((json_int_t)entry->published_ms));
		json_object_set_new(error, "expires_ms",
		    json_integer((json_int_t)entry->expires_ms));
	}
	/* NULL when the name was cut in a character: the client knows what it
	 * asked */
	text = error ? json_dumps(error, JSON_COMPACT) : NULL;

	fprintf(answer->errors, "%s%s", answer->error_count++ ? "," : "",
	    text ? text : "{\"feed\":null,\"code\":\"FEED_UNKNOWN\"}");
	free(text);
	json_decref(error);
}

static void add_entry(struct answer *answer, const struct board_entry *entry,
    const struct board_ask *ask, int64_t now_ms)
{
	char detail[BOARD_DETAIL_MAX];
	const char *code = board_refusal(
	    entry, now_ms, ask->max_age_ms, detail);

	if (code) {
		add_error(answer, entry->name, code, detail, entry);
		return;
	}
	fprintf(answer->items, "%s%s", answer->item_count++ ? "," : "",
	    ask->full ? entry->full : entry->ref);
}

/* Walks a comma list; `rest` advances. 0 at its end. */
static int next_name(const char **rest, char out[BOARD_NAME_MAX])
{
	size_t len;

	if (!*rest)
		return 0;
	len = strcspn(*rest, ",");
	snprintf(out, BOARD_NAME_MAX, "%.*s", (int)len, *rest);
	*rest = (*rest)[len] ? *rest + len + 1 : NULL;
	return 1;
}

static void collect(const struct board *board, const char *names,
    const struct board_ask *ask, struct answer *answer)
{
	int64_t now_ms = now_unix_ms();
	char name[BOARD_NAME_MAX];
	size_t asked = 0;

	if (!names) {
		for (size_t i = 0; i < board->entry_count; i++)
			add_entry(answer, &board->entries[i], ask, now_ms);
		return;
	}
	while (next_name(&names, name) && asked++ < BOARD_NAMES_MAX) {
		const struct board_entry *entry = board_find_entry(board, name);

		if (entry)
			add_entry(answer, entry, ask, now_ms);
		else
			add_error(answer, name, "FEED_UNKNOWN",
			    "there is no such feed here", NULL);
	}
}

void board_serve_many(struct board *board, struct http_request *req)
{
	char *items = NULL, *errors = NULL, *body = NULL;
	size_t items_len, errors_len;
	struct answer answer = {.items = NULL};
	struct board_ask ask;

	if (!board_ask_read(&ask, req, true))
		return;
	answer.items = open_memstream(&items, &items_len);
	answer.errors = open_memstream(&errors, &errors_len);
	if (!answer.items || !answer.errors)
		log_die("board", "out of memory");
	collect(board, http_param(req, "feeds"), &ask, &answer);
	if (fclose(answer.items) != 0 || fclose(answer.errors) != 0)
		log_die("board", "out of memory");
	if (asprintf(&body, "{\"items\":[%s],\"errors\":[%s]}", items, errors) <
	    0)
		log_die("board", "out of memory");
	http_reply_json(req, body);
	free(body);
	free(items);
	free(errors);
}

/* ---- stream ---- */

/* The first name of the list that the board does not have. */
static bool find_unknown(
    const struct board *board, const char *names, char out[BOARD_NAME_MAX])
{
	while (next_name(&names, out))
		if (!board_find_entry(board, out))
			return true;
	return false;
}

void board_serve_stream(struct board *board, struct http_request *req)
{
	const char *names = http_param(req, "feeds");
	char unknown[BOARD_NAME_MAX];
	struct board_ask ask;

	if (!board_ask_read(&ask, req, false))
		return;
	if (find_unknown(board, names, unknown)) {
		reply_unknown(req, unknown);
		return;
	}
	if (ask.full && !board->full_hub)
		board->full_hub = board_new_hub(board, "f");
	sse_subscribe_with(ask.full ? board->full_hub : board->ref_hub, req,
	    &(struct sse_wish){
		.topics = names,
		.since = http_param(req, "since"),
		.min_interval_ms = http_param(req, "min_interval_ms"),
	    });
}
