/* board_serve: the answers of a board, see board.h. */
#include "base/board_state.h"

#include "base/log.h"
#include "base/now.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARD_CACHE_MAX_S 1 /* a shared cache never hides a newer text */

const char *const board_one_params[] = {"attestation", NULL};
const char *const board_many_params[] = {"feeds", "attestation", NULL};
const char *const board_stream_params[] = {
    "feeds", "attestation", "since", NULL};

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

/* 0 ref, 1 full, -1 after it has answered 400. */
static int wants_full(struct http_request *req, int otherwise)
{
	const char *form = http_param(req, "attestation");

	if (!form)
		return otherwise;
	if (strcmp(form, "full") == 0)
		return 1;
	if (strcmp(form, "ref") == 0)
		return 0;
	http_problem(req, 400, "PARAM_INVALID",
	    "attestation must be full or ref", "\"parameter\":\"attestation\"");
	return -1;
}

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

static void reply_text(
    struct http_request *req, const struct board_entry *entry, bool full)
{
	const char *body = full ? entry->full : entry->ref;
	char etag[BOARD_ETAG_MAX], cache[48];
	int64_t left_s = (entry->expires_ms - now_unix_ms()) / 1000;

	if (left_s > BOARD_CACHE_MAX_S)
		left_s = BOARD_CACHE_MAX_S;
	snprintf(cache, sizeof(cache), "public, max-age=%d",
	    left_s > 0 ? (int)left_s : 0);
	snprintf(etag, sizeof(etag), "\"%s%s\"", entry->sha256_hex,
	    full ? "" : "-ref");
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = body,
			    .len = strlen(body),
			    .cache_control = cache,
			    .etag = etag});
}

void board_serve_one(struct board *board, struct http_request *req)
{
	const struct board_entry *entry = board_find_entry(
	    board, http_path_param(req));
	char detail[BOARD_DETAIL_MAX];
	const char *code;
	int full;

	if (!entry) {
		http_problem(req, 404, "FEED_UNKNOWN",
		    "there is no such feed here; GET /feeds lists them", NULL);
		return;
	}
	full = wants_full(req, 1);
	if (full < 0)
		return;
	code = board_refusal(entry, now_unix_ms(), detail);
	if (code)
		reply_refusal(req, entry, code, detail, full);
	else
		reply_text(req, entry, full);
}

/* ---- several at once ---- */

struct answer {
	FILE *items, *errors;
	size_t item_count, error_count;
};

static void add_error(struct answer *answer, const char *name, const char *code,
    const char *detail)
{
	json_t *error = json_pack(
	    "{s:s?, s:s, s:s}", "feed", name, "code", code, "detail", detail);
	/* NULL when the name is not UTF-8: the client knows what it asked */
	char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;

	fprintf(answer->errors, "%s%s", answer->error_count++ ? "," : "",
	    text ? text : "{\"feed\":null,\"code\":\"FEED_UNKNOWN\"}");
	free(text);
	json_decref(error);
}

static void add_entry(struct answer *answer, const struct board_entry *entry,
    bool full, int64_t now_ms)
{
	char detail[BOARD_DETAIL_MAX];
	const char *code = board_refusal(entry, now_ms, detail);

	if (code) {
		add_error(answer, entry->name, code, detail);
		return;
	}
	fprintf(answer->items, "%s%s", answer->item_count++ ? "," : "",
	    full ? entry->full : entry->ref);
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

static void collect(const struct board *board, const char *names, bool full,
    struct answer *answer)
{
	int64_t now_ms = now_unix_ms();
	char name[BOARD_NAME_MAX];
	size_t asked = 0;

	if (!names) {
		for (size_t i = 0; i < board->entry_count; i++)
			add_entry(answer, &board->entries[i], full, now_ms);
		return;
	}
	while (next_name(&names, name) && asked++ < BOARD_NAMES_MAX) {
		const struct board_entry *entry = board_find_entry(board, name);

		if (entry)
			add_entry(answer, entry, full, now_ms);
		else
			add_error(answer, name, "FEED_UNKNOWN",
			    "there is no such feed here");
	}
}

void board_serve_many(struct board *board, struct http_request *req)
{
	char *items = NULL, *errors = NULL, *body = NULL;
	size_t items_len, errors_len;
	struct answer answer = {
	    .items = open_memstream(&items, &items_len),
	    .errors = open_memstream(&errors, &errors_len),
	};
	int full = wants_full(req, 1);

	if (!answer.items || !answer.errors)
		log_die("board", "out of memory");
	if (full >= 0)
		collect(board, http_param(req, "feeds"), full, &answer);
	if (fclose(answer.items) != 0 || fclose(answer.errors) != 0)
		log_die("board", "out of memory");
	if (full >= 0) {
		if (asprintf(&body, "{\"items\":[%s],\"errors\":[%s]}", items,
			errors) < 0)
			log_die("board", "out of memory");
		http_reply_json(req, body);
	}
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
	int full = wants_full(req, 0);

	if (full < 0)
		return;
	if (find_unknown(board, names, unknown)) {
		http_problem(req, 404, "FEED_UNKNOWN",
		    "`feeds` names a feed that is not here; GET /feeds lists "
		    "them",
		    NULL);
		return;
	}
	if (full && !board->full_hub)
		board->full_hub = board_new_hub(board, "f");
	sse_subscribe(full ? board->full_hub : board->ref_hub, req, names,
	    http_param(req, "since"));
}
