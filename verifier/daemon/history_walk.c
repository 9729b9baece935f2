/*
 * history_walk: see history_walk.h.
 *
 * Time is cut where the daily files begin and end. In each part the rows come
 * from the archive, and from the day's file where there is one, merged by key.
 */
#include "verifier/daemon/history_walk.h"

#include "feeds/hex.h"
#include "verifier/archive/archive_cosigned.h"

#include <stdio.h>
#include <string.h>

enum {
	PUBLISHED,
	BOOT_ID,
	SEQUENCE,
	EXPIRES,
	CONTENT_SHA256,
	CONTENT,
	SIGNATURE,
	ATTESTATION,
	PLATFORM,
	PUBLIC_KEY,
	DOCUMENT
};

struct stream { /* of rows, from one file */
	sqlite3_stmt *stmt;
	struct archive_cosigned cosigned;
	bool has; /* a row, in `row` */
	struct history_row row;
};

struct walk {
	struct history_archive *archive;
	const struct history_wish *wish;
	bool (*cb)(const struct history_row *row, void *data);
	void *data;
	struct history_end *end;
	unsigned opened; /* daily files */
	char *error;     /* ARCHIVE_SOURCE_ERROR_MAX */
};

enum step {
	GO_ON,
	ENOUGH,
	FAILED
};

/* ---- rows ---- */

/* LEFT JOIN: an item whose document is lost is not passed over in silence. And
 * it keeps SQLite on the index of items. */
static int prepare(struct stream *s, sqlite3 *db,
    const struct history_wish *wish, int64_t from_ms, int64_t to_ms)
{
	const char *way = wish->desc ? "DESC" : "ASC";
	const char *boot_id = wish->behind ? wish->behind->boot_id : "";
	int64_t behind = wish->desc ? INT64_MAX : INT64_MIN;
	int64_t sequence = 0;
	char sql[768];

	if (wish->behind) {
		behind = wish->behind->published_ms;
		sequence = (int64_t)wish->behind->sequence;
	}
	snprintf(sql, sizeof(sql),
	    "SELECT published_ms, boot_id, sequence, expires_ms,"
	    " content_sha256, content, signature, attestation_sha256,"
	    " platform, public_key, %s FROM items LEFT JOIN attestations"
	    " ON sha256 = attestation_sha256 WHERE feed = ?1"
	    " AND published_ms >= ?2 AND published_ms < ?3"
	    " AND (published_ms, boot_id, sequence) %s (?4, ?5, ?6)"
	    " ORDER BY published_ms %s, boot_id %s, sequence %s LIMIT ?7",
	    wish->full ? "document" : "NULL", wish->desc ? "<" : ">", way, way,
	    way);
	return archive_cosigned_open(&s->cosigned, db,
		   wish->full ? ARCHIVE_COSIGNED_FULL
			      : ARCHIVE_COSIGNED_KEYS) ||
	       sqlite3_prepare_v2(db, sql, -1, &s->stmt, NULL) ||
	       sqlite3_bind_text(
		   s->stmt, 1, wish->feed, -1, SQLITE_TRANSIENT) ||
	       sqlite3_bind_int64(s->stmt, 2, from_ms) ||
	       sqlite3_bind_int64(s->stmt, 3, to_ms) ||
	       sqlite3_bind_int64(s->stmt, 4, behind) ||
	       sqlite3_bind_text(s->stmt, 5, boot_id, -1, SQLITE_TRANSIENT) ||
	       sqlite3_bind_int64(s->stmt, 6, sequence) ||
	       sqlite3_bind_int64(s->stmt, 7, wish->limit);
}

static const char *text(sqlite3_stmt *stmt, int column, size_t max)
{
	const char *found = (const char *)sqlite3_column_text(stmt, column);

	return found && strlen(found) < max &&
		       strlen(found) ==
			   (size_t)sqlite3_column_bytes(stmt, column)
		   ? found
		   : NULL;
}

static bool read_envelope(
    sqlite3_stmt *stmt, bool full, struct hm_envelope *out)
{
	const char *sha256 = text(stmt, ATTESTATION, 2 * HM_SHA256_LEN + 1);
	const char *platform = text(stmt, PLATFORM, sizeof(out->platform));

	memset(out, 0, sizeof(*out));
	out->content = (char *)(uintptr_t)text(stmt, CONTENT, HM_ENVELOPE_MAX);
	out->public_key = (char *)(uintptr_t)text(
	    stmt, PUBLIC_KEY, HM_ENVELOPE_MAX);
	if (!out->content || !out->public_key || !sha256 || !platform)
		return false;
	out->content_len = strlen(out->content);
	out->signature = (uint8_t *)(uintptr_t)sqlite3_column_blob(
	    stmt, SIGNATURE);
	out->signature_len = (size_t)sqlite3_column_bytes(stmt, SIGNATURE);
	out->document = (uint8_t *)(uintptr_t)sqlite3_column_blob(
	    stmt, DOCUMENT);
	out->document_len = (size_t)sqlite3_column_bytes(stmt, DOCUMENT);
	snprintf(out->platform, sizeof(out->platform), "%s", platform);
	return out->signature && (!full || out->document) &&
	       out->document_len <= HM_DOCUMENT_MAX &&
	       hex_decode(out->attestation_sha256, HM_SHA256_LEN, sha256,
		   strlen(sha256)) == 0;
}

/* What is no key cannot be gone on from. */
static int read_key(sqlite3_stmt *stmt, struct history_key *out)
{
	const char *boot_id = text(stmt, BOOT_ID, HISTORY_BOOT_ID_MAX);
	int64_t sequence = sqlite3_column_int64(stmt, SEQUENCE);

	if (!boot_id ||
	    strspn(boot_id, "0123456789abcdef") != HISTORY_BOOT_ID_MAX - 1 ||
	    sequence < 0 || sequence > HISTORY_SEQUENCE_MAX)
		return -1;
	snprintf(out->boot_id, sizeof(out->boot_id), "%s", boot_id);
	out->published_ms = sqlite3_column_int64(stmt, PUBLISHED);
	out->sequence = (uint64_t)sequence;
	return 0;
}

static void fail(struct walk *w, const char *why)
{
	snprintf(w->error, ARCHIVE_SOURCE_ERROR_MAX, "%s", why);
}

/* The next row, or none. */
static int advance(struct walk *w, struct stream *s)
{
	struct history_row *row = &s->row;
	int rc = sqlite3_step(s->stmt);

	s->has = rc == SQLITE_ROW;
	if (rc == SQLITE_DONE)
		return 0;
	if (!s->has) {
		fail(w, sqlite3_errmsg(sqlite3_db_handle(s->stmt)));
		return -1;
	}
	if (read_key(s->stmt, &row->key) != 0) {
		fail(w, "an item with a boot_id or a sequence that is none");
		return -1;
	}
	row->expires_ms = sqlite3_column_int64(s->stmt, EXPIRES);
	row->sha256_hex = text(s->stmt, CONTENT_SHA256, 2 * HM_SHA256_LEN + 1);
	row->sound = row->sha256_hex &&
		     read_envelope(s->stmt, w->wish->full, &row->envelope) &&
		     !archive_cosigned_read(&s->cosigned, w->wish->feed,
			 row->key.boot_id, (int64_t)row->key.sequence,
			 &row->envelope);
	return 0;
}

/* ---- two streams as one ---- */

/* Which comes next; both if it is the same item, then the first. */
static struct stream *next(struct stream s[2], bool desc, bool *both)
{
	int order;

	*both = false;
	if (!s[0].has || !s[1].has)
		return s[0].has ? &s[0] : s[1].has ? &s[1] : NULL;
	order = history_key_compare(&s[0].row.key, &s[1].row.key);
	*both = order == 0;
	return (order <= 0) != (desc && order != 0) ? &s[0] : &s[1];
}

static enum step merge(struct walk *w, struct stream s[2])
{
	struct stream *from;
	bool both;

	for (int i = 0; i < 2; i++)
		if (s[i].stmt && advance(w, &s[i]) != 0)
			return FAILED;
	while ((from = next(s, w->wish->desc, &both)) != NULL) {
		if (!w->cb(&from->row, w->data))
			return ENOUGH;
		if ((both && advance(w, &s[1]) != 0) || advance(w, from) != 0)
			return FAILED;
	}
	return GO_ON;
}

/* day_db: NULL, or the day's file. */
static enum step walk_part(
    struct walk *w, sqlite3 *day_db, int64_t from_ms, int64_t to_ms)
{
	sqlite3 *dbs[2] = {w->archive->db, day_db};
	struct stream s[2] = {{.stmt = NULL}, {.stmt = NULL}};
	enum step step = GO_ON;

	for (int i = 0; i < 2 && step == GO_ON; i++) {
		if (!dbs[i] ||
		    prepare(&s[i], dbs[i], w->wish, from_ms, to_ms) == 0)
			continue;
		fail(w, sqlite3_errmsg(dbs[i]));
		step = FAILED;
	}
	if (step == GO_ON)
		step = merge(w, s);
	for (int i = 0; i < 2; i++) {
		sqlite3_finalize(s[i].stmt);
		archive_cosigned_close(&s[i].cosigned);
	}
	return step;
}

/* ---- days ---- */

/* The rest is another walk's. */
static enum step stop_before(struct walk *w, int64_t from_ms, int64_t to_ms)
{
	w->end->stopped = true;
	memset(&w->end->where, 0, sizeof(w->end->where));
	w->end->where.published_ms = w->wish->desc ? to_ms : from_ms;
	return ENOUGH;
}

static enum step walk_day(
    struct walk *w, int64_t day, int64_t from_ms, int64_t to_ms)
{
	sqlite3 *db;
	enum step step;

	if (w->opened++ == HISTORY_WALK_FILES)
		return stop_before(w, from_ms, to_ms);
	if (history_archive_open_day(w->archive, day, &db, w->error) != 0)
		return FAILED;
	step = walk_part(w, db, from_ms, to_ms);
	sqlite3_close(db);
	if (step == FAILED)
		history_archive_blame(w->archive, day, w->error);
	return step;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum step walk_asc(struct walk *w, int64_t from_ms, int64_t to_ms)
{
	const struct history_archive *archive = w->archive;
	enum step step = GO_ON;

	for (size_t i = 0; i < archive->day_count && step == GO_ON; i++) {
		int64_t day = archive->days[i];
		int64_t begins = day * ARCHIVE_FILES_DAY_MS;
		int64_t ends = begins + ARCHIVE_FILES_DAY_MS;

		if (ends <= from_ms || begins >= to_ms)
			continue;
		if (from_ms < begins)
			step = walk_part(w, NULL, from_ms, begins);
		if (step == GO_ON)
			step = walk_day(
			    w, day, max(from_ms, begins), min(to_ms, ends));
		from_ms = ends;
	}
	if (step == GO_ON && from_ms < to_ms)
		step = walk_part(w, NULL, from_ms, to_ms);
	return step;
}

static enum step walk_desc(struct walk *w, int64_t from_ms, int64_t to_ms)
{
	const struct history_archive *archive = w->archive;
	enum step step = GO_ON;

	for (size_t i = archive->day_count; i > 0 && step == GO_ON; i--) {
		int64_t day = archive->days[i - 1];
		int64_t begins = day * ARCHIVE_FILES_DAY_MS;
		int64_t ends = begins + ARCHIVE_FILES_DAY_MS;

		if (ends <= from_ms || begins >= to_ms)
			continue;
		if (to_ms > ends)
			step = walk_part(w, NULL, ends, to_ms);
		if (step == GO_ON)
			step = walk_day(
			    w, day, max(from_ms, begins), min(to_ms, ends));
		to_ms = begins;
	}
	if (step == GO_ON && from_ms < to_ms)
		step = walk_part(w, NULL, from_ms, to_ms);
	return step;
}

/* ---- public ---- */

int history_walk(struct history_archive *archive,
    const struct history_wish *wish,
    bool (*cb)(const struct history_row *row, void *data), void *data,
    struct history_end *end, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct walk w = {.archive = archive,
	    .wish = wish,
	    .cb = cb,
	    .data = data,
	    .end = end,
	    .error = error};
	int64_t from_ms = wish->from_ms, to_ms = wish->to_ms;
	enum step step;

	memset(end, 0, sizeof(*end));
	error[0] = '\0';
	/* Days that were walked before are not opened again. */
	if (wish->behind && !wish->desc)
		from_ms = max(from_ms, wish->behind->published_ms);
	if (wish->behind && wish->desc)
		to_ms = min(to_ms, wish->behind->published_ms +
				       (wish->behind->boot_id[0] != '\0'));
	step = wish->desc ? walk_desc(&w, from_ms, to_ms)
			  : walk_asc(&w, from_ms, to_ms);
	return step == FAILED ? -1 : 0;
}
