/* history_read: see history_read.h. */
#include "verifier/daemon/history_read.h"

#include "base/log.h"
#include "feeds/item.h"
#include "verifier/envelope.h"
#include "verifier/moment.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *need(char *text)
{
	if (!text)
		log_die("history", "out of memory");
	return text;
}

/* ---- a page ---- */

struct page {
	const struct history_ask *ask;
	struct history_answer *answer;
	FILE *out;
	unsigned rows; /* read, damaged ones too */
	size_t bytes, items;
};

static void write_item(struct page *p, const struct history_row *row)
{
	char *json = row->sound ? envelope_format(&row->envelope, p->ask->full)
				: NULL;

	if (!json) { /* or its texts are not UTF-8 */
		p->answer->damaged++;
		return;
	}
	if (p->ask->ndjson)
		fprintf(p->out, "%s\n", json);
	else
		fprintf(p->out, "%s%s", p->items ? "," : "", json);
	p->items++;
	p->bytes += strlen(json) + 1;
	free(json);
}

static bool on_row(const struct history_row *row, void *data)
{
	struct page *p = data;

	if (p->rows == p->ask->limit || p->bytes >= HISTORY_BYTES_MAX) {
		p->answer->more = true;
		return false;
	}
	write_item(p, row);
	p->rows++;
	p->answer->last = row->key;
	return true;
}

static void write_end(struct page *p)
{
	char cursor[HISTORY_CURSOR_MAX];

	if (p->ask->ndjson)
		return;
	history_cursor_format(&p->answer->last, cursor);
	if (p->answer->more)
		fprintf(p->out, "],\"next_cursor\":\"%s\"", cursor);
	else
		fprintf(p->out, "],\"next_cursor\":null");
	fprintf(p->out, ",\"damaged\":%u}", p->answer->damaged);
}

static int read_page(struct history_answer *out, const struct history_ask *ask,
    struct history_archive *archive)
{
	const struct history_wish wish = {
	    .feed = ask->feed,
	    .from_ms = ask->from_ms,
	    .to_ms = ask->to_ms,
	    .behind = ask->has_cursor ? &ask->cursor : NULL,
	    .limit = ask->limit + 1, /* is there one more? */
	    .desc = ask->desc,
	    .full = ask->full,
	};
	struct page page = {.ask = ask, .answer = out};
	struct history_end end;
	int rc;

	page.out = open_memstream(&out->body, &out->len);
	if (!page.out)
		log_die("history", "out of memory");
	if (!ask->ndjson)
		fprintf(page.out, "{\"items\":[");
	rc = history_walk(archive, &wish, on_row, &page, &end, out->error);
	if (rc == 0 && end.stopped) {
		out->more = true;
		out->last = end.where;
	}
	write_end(&page);
	if (fclose(page.out) != 0)
		log_die("history", "out of memory");
	out->result = HISTORY_FOUND;
	return rc;
}

/* ---- the item at a time ---- */

struct found { /* one row, kept */
	bool has, ok, sound;
	struct history_key key;
	int64_t expires_ms;
	char *json; /* or NULL: not asked for */
	char etag[2 * HM_SHA256_LEN + 8];
	bool full, with_item;
};

/* Our own format, and does it say a price? */
static bool read_content(const struct hm_envelope *envelope, bool *ok)
{
	static _Thread_local struct item item; /* large */

	if (item_decode(&item, envelope->content, envelope->content_len) != 0)
		return false;
	*ok = item.status == ITEM_OK;
	return true;
}

static bool keep_row(const struct history_row *row, void *data)
{
	struct found *f = data;

	f->has = true;
	f->key = row->key;
	f->expires_ms = row->expires_ms;
	if (!f->with_item)
		return false;
	if (row->sound && read_content(&row->envelope, &f->ok))
		f->json = envelope_format(&row->envelope, f->full);
	f->sound = f->json != NULL;
	snprintf(f->etag, sizeof(f->etag), "\"%s%s\"",
	    f->sound ? row->sha256_hex : "", f->full ? "" : "-ref");
	return false;
}

static json_t *describe(const struct found *f)
{
	if (!f->has)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I}", "boot_id", f->key.boot_id,
	    "sequence", (json_int_t)f->key.sequence, "published_ms",
	    (json_int_t)f->key.published_ms, "expires_ms",
	    (json_int_t)f->expires_ms);
}

/* The members of the problem, and the item that says so, if one does. */
static void say_nothing(struct history_answer *out,
    const struct history_ask *ask, const struct found *before,
    const struct found *after)
{
	json_t *root = json_pack("{s:s, s:I, s:o, s:o}", "feed", ask->feed,
	    "at_ms", (json_int_t)ask->at_ms, "before", describe(before),
	    "after", describe(after));
	char *text = need(root ? json_dumps(root, JSON_COMPACT) : NULL);
	bool says = before->sound && !before->ok &&
		    before->expires_ms > ask->at_ms;
	int len = (int)strlen(text) - 2;

	out->result = HISTORY_NOTHING;
	out->why = says ? "the item that was in force then says that there "
			  "was no price"
		   : before->has
		       ? "nothing was in force then: what was published "
			 "before had expired"
		       : "nothing is kept from then or before";
	if (before->has && !before->sound)
		out->why = "the item of that time is damaged in the archive";
	if (asprintf(&out->body, "%.*s%s%s", len, text + 1,
		says ? ",\"item\":" : "", says ? before->json : "") < 0)
		log_die("history", "out of memory");
	out->len = strlen(out->body);
	free(text);
	json_decref(root);
}

static int find(struct history_archive *archive, const struct history_ask *ask,
    int64_t from_ms, int64_t to_ms, bool desc, struct found *out, char *error)
{
	const struct history_wish wish = {
	    .feed = ask->feed,
	    .from_ms = from_ms,
	    .to_ms = to_ms,
	    .limit = 1,
	    .desc = desc,
	    .full = out->with_item && out->full,
	};
	struct history_end end;

	return history_walk(archive, &wish, keep_row, out, &end, error);
}

static int read_at(struct history_answer *out, const struct history_ask *ask,
    struct history_archive *archive)
{
	struct found before = {.full = ask->full, .with_item = true};
	struct found after = {.has = false};
	int rc = find(
	    archive, ask, 0, ask->at_ms + 1, true, &before, out->error);

	if (rc == 0 && before.sound && before.ok &&
	    before.expires_ms > ask->at_ms) {
		out->result = HISTORY_FOUND;
		out->body = before.json;
		out->len = strlen(before.json);
		memcpy(out->etag, before.etag, sizeof(out->etag));
		return 0;
	}
	if (rc == 0)
		rc = find(archive, ask, ask->at_ms + 1, MOMENT_MAX_MS, false,
		    &after, out->error);
	if (rc == 0)
		say_nothing(out, ask, &before, &after);
	free(before.json);
	return rc;
}

/* ---- documents ---- */

static int read_document(struct history_answer *out,
    const struct history_ask *ask, const struct history_archive *archive)
{
	uint8_t *bytes;
	int found = history_archive_document(archive, ask->sha256_hex,
	    HISTORY_WALK_FILES, &bytes, &out->len, out->error);

	out->result = found == 1 ? HISTORY_FOUND : HISTORY_NO_DOCUMENT;
	out->body = (char *)bytes;
	snprintf(out->etag, sizeof(out->etag), "\"%s\"", ask->sha256_hex);
	return found < 0 ? -1 : 0;
}

/* ---- public ---- */

static int read_items(struct history_answer *out, const struct history_ask *ask,
    struct history_archive *archive)
{
	int known = history_archive_has(archive, ask->feed);

	if (known == 0 && !ask->known) {
		out->result = HISTORY_FEED_UNKNOWN;
		return 0;
	}
	if (known < 0)
		return -1;
	return ask->kind == HISTORY_MOMENT ? read_at(out, ask, archive)
					   : read_page(out, ask, archive);
}

void history_read(struct history_answer *out, const struct history_ask *ask,
    const char *archive)
{
	struct history_archive opened;
	int rc;

	memset(out, 0, sizeof(*out));
	out->result = HISTORY_FAILED;
	if (history_archive_open(&opened, archive, out->error) != 0)
		return;
	rc = ask->kind == HISTORY_DOCUMENT ? read_document(out, ask, &opened)
					   : read_items(out, ask, &opened);
	if (rc != 0) {
		history_answer_fini(out);
		out->result = HISTORY_FAILED;
	}
	history_archive_close(&opened);
}

void history_answer_fini(struct history_answer *answer)
{
	free(answer->body);
	answer->body = NULL;
	answer->len = 0;
}
