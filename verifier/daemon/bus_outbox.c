/*
 * bus_outbox: the archive's rows in the order in which they were written
 * (SQLite's rowid), after those that were published. Rows may be moved away
 * meanwhile (rotation): then numbers are skipped, or, when the table became
 * empty, begin anew below our place, which next() notices.
 */
#include "verifier/daemon/bus_outbox.h"

#include "base/file.h"
#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/archive/archive_cosigned.h"
#include "verifier/envelope.h"

#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS   2000
#define PLACE_MAX 128 /* bytes of the file: two numbers */

struct place { /* the last row of each table that was published */
	int64_t item, head;
};

struct bus_outbox {
	sqlite3 *db;
	sqlite3_stmt *items, *heads, *document;
	struct archive_cosigned cosigned;
	char path[PATH_MAX]; /* of the place */
	struct place place, given;
	int64_t saved_ms;
	bool unsaved;
};

/* Columns: rowid, subject, id, then what an envelope is made of, and of an item
 * its key. */
#define ENVELOPE_COLUMNS                          \
	"content, signature, attestation_sha256," \
	" platform, public_key"
#define JOINED                                               \
	" JOIN attestations ON sha256 = attestation_sha256 " \
	"WHERE t.rowid > ?1 ORDER BY t.rowid LIMIT ?2"

static const char items_sql[] =
    "SELECT t.rowid, 'item.' || feed, feed || '-' || boot_id || '-' ||"
    " sequence, " ENVELOPE_COLUMNS
    ", feed, boot_id, sequence FROM items t" JOINED;
static const char heads_sql[] =
    "SELECT t.rowid, 'head.' || boot_id, 'head-' || boot_id || '-' ||"
    " tree_size, " ENVELOPE_COLUMNS
    ", NULL, NULL, NULL FROM tree_heads t" JOINED;
static const char document_sql[] =
    "SELECT document FROM attestations WHERE sha256=?1";

static int fail(struct bus_outbox *o, char error[static BUS_OUTBOX_ERROR_MAX])
{
	snprintf(error, BUS_OUTBOX_ERROR_MAX, "%.200s", sqlite3_errmsg(o->db));
	return -1;
}

/* The first column of the first row, or 0. */
static int64_t ask(struct bus_outbox *o, const char *sql, int64_t value)
{
	sqlite3_stmt *s = NULL;
	int64_t answer = 0;

	if (sqlite3_prepare_v2(o->db, sql, -1, &s, NULL) == SQLITE_OK &&
	    (!strchr(sql, '?') ||
		sqlite3_bind_int64(s, 1, value) == SQLITE_OK) &&
	    sqlite3_step(s) == SQLITE_ROW)
		answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return answer;
}

/* ---- the place ---- */

/* "ITEM HEAD\n" and nothing else. */
static int load_place(struct bus_outbox *o)
{
	struct place place;
	uint8_t *text = NULL;
	size_t len;
	int used = 0, rc = -1;

	if (file_read(o->path, PLACE_MAX, &text, &len) == 0 &&
	    sscanf((const char *)text, "%18" SCNd64 " %18" SCNd64 "%n",
		&place.item, &place.head, &used) == 2 &&
	    (size_t)used + 1 == len && text[used] == '\n' && place.item >= 0 &&
	    place.head >= 0) {
		o->place = place;
		rc = 0;
	}
	free(text);
	return rc;
}

static void save_place(struct bus_outbox *o)
{
	char text[PLACE_MAX];
	int n = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 "\n",
	    o->place.item, o->place.head);
	int rc = file_write(o->path, text, (size_t)n, 0640);

	if (rc)
		log_warn("bus", "place_not_saved", LOG_S("path", o->path),
		    LOG_S("why", strerror(-rc)));
	o->unsaved = false;
}

/* Backwards from the newest row: that the oldest of them come later than
 * `since` is all we need, and received_ms has no index. */
static int64_t row_before(struct bus_outbox *o, int64_t since_ms)
{
	static const char sql[] =
	    "SELECT rowid, received_ms FROM items ORDER BY rowid DESC";
	sqlite3_stmt *s = NULL;
	int64_t row = 0;

	if (sqlite3_prepare_v2(o->db, sql, -1, &s, NULL) == SQLITE_OK)
		while (sqlite3_step(s) == SQLITE_ROW)
			if (sqlite3_column_int64(s, 1) <= since_ms) {
				row = sqlite3_column_int64(s, 0);
				break;
			}
	sqlite3_finalize(s);
	return row;
}

static void find_place(struct bus_outbox *o, int64_t now_ms)
{
	int64_t since_ms = now_ms - BUS_OUTBOX_FIRST_MS;

	if (load_place(o) == 0)
		return;
	o->place.item = row_before(o, since_ms);
	o->place.head = ask(o,
	    "SELECT max(rowid) FROM tree_heads WHERE received_ms <= ?1",
	    since_ms);
	log_info("bus", "place_unknown", LOG_S("path", o->path),
	    LOG_D("from_row", o->place.item + 1));
}

/* ---- open ---- */

static int prepare(struct bus_outbox *o, const char *sql, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(
	    o->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

int bus_outbox_open(struct bus_outbox **out, const char *archive,
    const char *stream, int64_t now_ms, char error[static BUS_OUTBOX_ERROR_MAX])
{
	struct bus_outbox *o = calloc(1, sizeof(*o));
	int n;

	*out = NULL;
	if (!o)
		log_die("bus", "out of memory");
	n = snprintf(o->path, sizeof(o->path), "%s.bus-%s", archive, stream);
	if (n < 0 || (size_t)n >= sizeof(o->path) ||
	    sqlite3_open_v2(archive, &o->db, SQLITE_OPEN_READONLY, NULL) ||
	    sqlite3_busy_timeout(o->db, BUSY_MS) ||
	    prepare(o, items_sql, &o->items) ||
	    prepare(o, heads_sql, &o->heads) ||
	    prepare(o, document_sql, &o->document) ||
	    archive_cosigned_open(&o->cosigned, o->db, ARCHIVE_COSIGNED_KEYS)) {
		fail(o, error);
		bus_outbox_close(o);
		return -1;
	}
	find_place(o, now_ms);
	o->given = o->place;
	*out = o;
	return 0;
}

void bus_outbox_close(struct bus_outbox *outbox)
{
	if (!outbox)
		return;
	if (outbox->unsaved)
		save_place(outbox);
	sqlite3_finalize(outbox->items);
	sqlite3_finalize(outbox->heads);
	sqlite3_finalize(outbox->document);
	archive_cosigned_close(&outbox->cosigned);
	sqlite3_close(outbox->db);
	free(outbox);
}

/* ---- letters ---- */

void bus_letters_free(struct bus_letter *letters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(letters[i].text);
}

static const char *text_of(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}

static void refer(struct bus_letter *letter, const struct hm_envelope *e)
{
	memcpy(letter->documents[letter->document_count++],
	    e->attestation_sha256, HM_SHA256_LEN);
}

/* Those that cannot be read are left out: the item may be good without. */
static void cosign(struct bus_outbox *o, sqlite3_stmt *s, struct hm_envelope *e)
{
	const char *why;

	if (sqlite3_column_type(s, 8) == SQLITE_NULL)
		return;
	why = archive_cosigned_read(&o->cosigned, text_of(s, 8), text_of(s, 9),
	    sqlite3_column_int64(s, 10), e);
	if (why)
		log_warn("bus", "not_cosigned", LOG_S("item", text_of(s, 2)),
		    LOG_S("why", why));
}

/* The row as an envelope. Whatever stands there, readers judge it. */
static char *format(
    struct bus_outbox *o, sqlite3_stmt *s, struct bus_letter *letter)
{
	const char *sha256 = text_of(s, 5);
	struct hm_envelope e = {
	    .content = (char *)(uintptr_t)text_of(s, 3),
	    .content_len = (size_t)sqlite3_column_bytes(s, 3),
	    .signature = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 4),
	    .signature_len = (size_t)sqlite3_column_bytes(s, 4),
	    .public_key = (char *)(uintptr_t)text_of(s, 7),
	};

	if (!e.signature || e.content_len > HM_ENVELOPE_MAX ||
	    e.signature_len > HM_ENVELOPE_MAX ||
	    hex_decode(
		e.attestation_sha256, HM_SHA256_LEN, sha256, strlen(sha256)))
		return NULL;
	snprintf(e.platform, sizeof(e.platform), "%s", text_of(s, 6));
	cosign(o, s, &e);
	refer(letter, &e);
	for (size_t i = 0; i < e.cosignature_count; i++)
		refer(letter, &e.cosignatures[i]);
	return envelope_format(&e, false);
}

/* False: a row that is no item (somebody else wrote it): left out. */
static bool take(
    struct bus_outbox *o, sqlite3_stmt *s, struct bus_letter *letter)
{
	memset(letter, 0, sizeof(*letter));
	snprintf(letter->subject, sizeof(letter->subject), "%s", text_of(s, 1));
	snprintf(letter->id, sizeof(letter->id), "%s", text_of(s, 2));
	letter->text = format(o, s, letter);
	if (!letter->text)
		return false;
	letter->len = strlen(letter->text);
	return true;
}

static int read_rows(struct bus_outbox *o, sqlite3_stmt *s, int64_t *place,
    struct bus_letter *letters, size_t *count,
    char error[static BUS_OUTBOX_ERROR_MAX])
{
	int rc;

	if (sqlite3_bind_int64(s, 1, *place) ||
	    sqlite3_bind_int64(s, 2, BUS_OUTBOX_BATCH))
		return fail(o, error);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		*place = sqlite3_column_int64(s, 0);
		if (take(o, s, &letters[*count]))
			++*count;
	}
	sqlite3_reset(s);
	if (rc == SQLITE_DONE)
		return 0;
	fail(o, error);
	bus_letters_free(letters, *count);
	*count = 0;
	return -1;
}

/* The numbers of an empty table begin anew. */
static void notice_new_numbers(struct bus_outbox *o)
{
	if (ask(o, "SELECT max(rowid) FROM items", 0) < o->place.item)
		o->given.item = o->place.item = 0;
	if (ask(o, "SELECT max(rowid) FROM tree_heads", 0) < o->place.head)
		o->given.head = o->place.head = 0;
}

int bus_outbox_next(struct bus_outbox *outbox,
    struct bus_letter letters[BUS_OUTBOX_BATCH], size_t *count,
    char error[static BUS_OUTBOX_ERROR_MAX])
{
	struct bus_outbox *o = outbox;

	*count = 0;
	o->given = o->place;
	if (read_rows(o, o->items, &o->given.item, letters, count, error))
		return -1;
	if (*count == 0 &&
	    read_rows(o, o->heads, &o->given.head, letters, count, error))
		return -1;
	if (*count == 0)
		notice_new_numbers(o);
	return 0;
}

void bus_outbox_done(struct bus_outbox *outbox, int64_t now_ms)
{
	if (memcmp(&outbox->place, &outbox->given, sizeof(struct place)) == 0)
		return;
	outbox->place = outbox->given;
	outbox->unsaved = true;
	if (now_ms - outbox->saved_ms < BUS_OUTBOX_SAVE_MS &&
	    now_ms >= outbox->saved_ms)
		return;
	outbox->saved_ms = now_ms;
	save_place(outbox);
}

int64_t bus_outbox_waiting(struct bus_outbox *outbox)
{
	int64_t last = ask(outbox, "SELECT max(rowid) FROM items", 0);

	return last > outbox->place.item ? last - outbox->place.item : 0;
}

int bus_outbox_document(struct bus_outbox *outbox,
    const uint8_t sha256[HM_SHA256_LEN], uint8_t **bytes, size_t *len)
{
	sqlite3_stmt *s = outbox->document;
	char hex[2 * HM_SHA256_LEN + 1];
	const void *found = NULL;

	*bytes = NULL;
	*len = 0;
	hex_encode(sha256, HM_SHA256_LEN, hex);
	if (sqlite3_bind_text(s, 1, hex, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		found = sqlite3_column_blob(s, 0);
	if (found && (*bytes = malloc((size_t)sqlite3_column_bytes(s, 0)))) {
		*len = (size_t)sqlite3_column_bytes(s, 0);
		memcpy(*bytes, found, *len);
	}
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return *bytes ? 0 : -1;
}
