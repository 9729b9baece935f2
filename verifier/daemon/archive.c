/*
 * archive: the SQLite file of accepted items.
 *
 * One transaction for each batch. An item whose number is there already is
 * compared by its hash: the same is a duplicate (after a resumed stream, or
 * from a mirror), another is a fork and goes to `refused` as evidence. A
 * commit that fails (disk full, locked, corrupt) leaves nothing behind and is
 * tried again by the caller with the same list.
 */
#include "verifier/daemon/archive_db.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const statements[ARCHIVE_STATEMENTS] = {
    [ARCHIVE_BEGIN] = "BEGIN IMMEDIATE",
    [ARCHIVE_COMMIT] = "COMMIT",
    [ARCHIVE_ADD_ATTESTATION] =
	"INSERT INTO attestations VALUES(?1,?2,?3,?4,?5)"
	" ON CONFLICT(sha256) DO NOTHING",
    [ARCHIVE_ADD_ITEM] =
	"INSERT INTO items VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"
	" ON CONFLICT(feed, boot_id, sequence) DO NOTHING",
    [ARCHIVE_FIND_ITEM] = "SELECT content_sha256 FROM items"
			  " WHERE feed=?1 AND boot_id=?2 AND sequence=?3",
    [ARCHIVE_ADD_HEAD] = "INSERT INTO heads VALUES(?1,?2,?3,?4,?5)"
			 " ON CONFLICT(feed, boot_id) DO UPDATE SET"
			 " sequence=excluded.sequence,"
			 " published_ms=excluded.published_ms,"
			 " content_sha256=excluded.content_sha256"
			 " WHERE excluded.sequence > sequence",
    [ARCHIVE_ADD_REFUSED] =
	"INSERT INTO refused(received_ms, oracle, verdict, text)"
	" VALUES(?1,?2,?3,?4)",
    [ARCHIVE_TRIM_REFUSED] = "DELETE FROM refused WHERE id <="
			     " (SELECT max(id) FROM refused) - ?1",
    [ARCHIVE_ADD_CURSOR] = "INSERT INTO cursors VALUES(?1,?2)"
			   " ON CONFLICT(oracle) DO UPDATE SET"
			   " event_id=excluded.event_id",
};

/* ---- open ---- */

static int exec(struct archive *a, const char *sql)
{
	return sqlite3_exec(a->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* The first column of the first row as a number, or -1. */
static int64_t ask(struct archive *a, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(a->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

/* The file may come from anywhere: nothing in it may run. */
static void harden(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(db, ARCHIVE_BUSY_MS);
}

/* In a transaction, so that two daemons that open one file at once do not both
 * change it. */
static int bring_up_to_date(struct archive *a)
{
	if (exec(a, "BEGIN IMMEDIATE"))
		return -1;
	if (ask(a, "SELECT count(*) FROM sqlite_master") == 0 &&
	    exec(a, ARCHIVE_SCHEMA_CREATE))
		return -1;
	if (ask(a, "PRAGMA application_id") == ARCHIVE_SCHEMA_ID &&
	    ask(a, "PRAGMA user_version") == 1 &&
	    exec(a, ARCHIVE_SCHEMA_UPGRADE_1))
		return -1;
	return exec(a, "COMMIT");
}

static const char *set_up(struct archive *a)
{
	if (exec(a, "PRAGMA journal_mode=WAL") ||
	    exec(a, "PRAGMA synchronous=FULL") ||
	    exec(a, "PRAGMA journal_size_limit=67108864"))
		return sqlite3_errmsg(a->db);
	if (ask(a, "PRAGMA user_version") < ARCHIVE_SCHEMA_VERSION &&
	    bring_up_to_date(a))
		return sqlite3_errmsg(a->db);
	if (ask(a, "PRAGMA application_id") != ARCHIVE_SCHEMA_ID)
		return "is not an archive of hallmark";
	if (ask(a, "PRAGMA user_version") != ARCHIVE_SCHEMA_VERSION)
		return "was made by another version";
	for (int i = 0; i < ARCHIVE_STATEMENTS; i++)
		if (sqlite3_prepare_v3(a->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &a->prepared[i], NULL))
			return sqlite3_errmsg(a->db);
	return NULL;
}

int archive_open(struct archive **out, const char *path,
    char error[static ARCHIVE_ERROR_MAX])
{
	struct archive *a = calloc(1, sizeof(*a));
	const char *why = "out of memory";

	*out = NULL;
	if (!a)
		log_die("archive", "out of memory");
	if (sqlite3_open_v2(path, &a->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL)) {
		if (a->db)
			why = sqlite3_errmsg(a->db);
		goto out;
	}
	harden(a->db);
	why = set_up(a);
	if (!why) {
		*out = a;
		return 0;
	}
out:
	snprintf(error, ARCHIVE_ERROR_MAX, "%s", why);
	archive_close(a);
	return -1;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	for (int i = 0; i < ARCHIVE_STATEMENTS; i++)
		sqlite3_finalize(archive->prepared[i]);
	sqlite3_close(archive->db);
	free(archive);
}

/* ---- write ---- */

int archive_bind_text(sqlite3_stmt *s, int at, const char *text)
{
	return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

int archive_bind_hex(sqlite3_stmt *s, int at, const uint8_t *bytes, size_t len)
{
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(bytes, len, hex);
	return sqlite3_bind_text(s, at, hex, (int)(2 * len), SQLITE_TRANSIENT);
}

static int bind_blob(sqlite3_stmt *s, int at, const void *bytes, size_t len)
{
	return sqlite3_bind_blob64(s, at, bytes, len, SQLITE_STATIC);
}

/* Runs a prepared statement to its end; its bindings do not outlive it. */
static int run(struct archive *a, enum archive_statement which)
{
	int rc = sqlite3_step(a->prepared[which]);

	sqlite3_reset(a->prepared[which]);
	sqlite3_clear_bindings(a->prepared[which]);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int add_attestation(struct archive *a, const struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_ATTESTATION];

	if (archive_bind_hex(s, 1, r->document->sha256, HM_SHA256_LEN) ||
	    bind_blob(s, 2, r->document->bytes, r->document->len) ||
	    archive_bind_text(s, 3, r->envelope.platform) ||
	    archive_bind_text(s, 4, r->envelope.public_key) ||
	    sqlite3_bind_int64(s, 5, r->received_ms))
		return -1;
	return run(a, ARCHIVE_ADD_ATTESTATION);
}

static int bind_key(sqlite3_stmt *s, const struct record *r)
{
	return archive_bind_text(s, 1, r->feed) ||
	       archive_bind_hex(s, 2, r->boot_id, ARCHIVE_BOOT_ID_LEN) ||
	       sqlite3_bind_int64(s, 3, (sqlite3_int64)r->sequence);
}

static int add_item(struct archive *a, const struct record *r)
{
	const struct hm_envelope *e = &r->envelope;
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_ITEM];

	if (bind_key(s, r) ||
	    sqlite3_bind_text(
		s, 4, e->content, (int)e->content_len, SQLITE_STATIC) ||
	    bind_blob(s, 5, e->signature, e->signature_len) ||
	    archive_bind_hex(s, 6, r->document->sha256, HM_SHA256_LEN) ||
	    sqlite3_bind_int64(s, 7, r->published_ms) ||
	    sqlite3_bind_int64(s, 8, r->expires_ms) ||
	    sqlite3_bind_int64(s, 9, r->received_ms) ||
	    archive_bind_hex(s, 10, r->content_sha256, HM_SHA256_LEN) ||
	    sqlite3_bind_int(s, 11, r->late))
		return -1;
	return run(a, ARCHIVE_ADD_ITEM);
}

static int add_head(struct archive *a, const struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_HEAD];

	if (bind_key(s, r) || sqlite3_bind_int64(s, 4, r->published_ms) ||
	    archive_bind_hex(s, 5, r->content_sha256, HM_SHA256_LEN))
		return -1;
	return run(a, ARCHIVE_ADD_HEAD);
}

static int add_refused(
    struct archive *a, const struct record *r, enum hm_verdict verdict)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_REFUSED];
	char *made = r->text ? NULL : envelope_format(&r->envelope, false);
	const char *text = r->text ? r->text : made ? made : "";
	size_t len = strnlen(text, RECORD_TEXT_MAX);
	int rc;

	rc = sqlite3_bind_int64(s, 1, r->received_ms) ||
	     archive_bind_text(s, 2, r->origin) ||
	     archive_bind_text(s, 3, hm_verdict_name(verdict)) ||
	     sqlite3_bind_text(s, 4, text, (int)len, SQLITE_STATIC);
	if (!rc)
		rc = run(a, ARCHIVE_ADD_REFUSED);
	free(made);
	return rc ? -1 : 0;
}

/* What is there under this number: the same, or another? */
static int compare(struct archive *a, struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_FIND_ITEM];
	char wanted[2 * HM_SHA256_LEN + 1];
	const char *found = NULL;

	hex_encode(r->content_sha256, HM_SHA256_LEN, wanted);
	if (!bind_key(s, r) && sqlite3_step(s) == SQLITE_ROW)
		found = (const char *)sqlite3_column_text(s, 0);
	if (found)
		r->outcome = strcmp(found, wanted) == 0 ? RECORD_DUPLICATE
							: RECORD_FORK;
	sqlite3_reset(s);
	return found ? 0 : -1;
}

static int add_cursor(struct archive *a, const struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_CURSOR];

	if (!r->event_id[0])
		return 0;
	if (archive_bind_text(s, 1, r->origin) ||
	    archive_bind_text(s, 2, r->event_id))
		return -1;
	return run(a, ARCHIVE_ADD_CURSOR);
}

static int write_one(struct archive *a, struct record *r)
{
	if (r->refused) {
		r->outcome = RECORD_REFUSED;
		return add_refused(a, r, r->verdict) || add_cursor(a, r);
	}
	if (add_attestation(a, r) || add_item(a, r))
		return -1;
	if (sqlite3_changes(a->db) == 1) {
		r->outcome = RECORD_STORED;
		return add_head(a, r) || add_cursor(a, r);
	}
	if (compare(a, r))
		return -1;
	if (r->outcome == RECORD_FORK && add_refused(a, r, HM_SEQUENCE_FORK))
		return -1;
	return add_cursor(a, r);
}

static int trim_refused(struct archive *a)
{
	if (sqlite3_bind_int64(
		a->prepared[ARCHIVE_TRIM_REFUSED], 1, ARCHIVE_REFUSED_MAX))
		return -1;
	return run(a, ARCHIVE_TRIM_REFUSED);
}

static int write_all(struct archive *a, struct record *list)
{
	bool evidence = false;

	if (run(a, ARCHIVE_BEGIN))
		return -1;
	for (struct record *r = list; r; r = r->next) {
		if (write_one(a, r))
			return -1;
		evidence |= r->outcome == RECORD_REFUSED ||
			    r->outcome == RECORD_FORK;
	}
	if (evidence && trim_refused(a))
		return -1;
	return run(a, ARCHIVE_COMMIT);
}

int archive_commit(struct archive *archive, struct record *list,
    char error[static ARCHIVE_ERROR_MAX])
{
	if (write_all(archive, list) == 0)
		return 0;
	snprintf(error, ARCHIVE_ERROR_MAX, "%s", sqlite3_errmsg(archive->db));
	if (!sqlite3_get_autocommit(archive->db))
		(void)exec(archive, "ROLLBACK");
	for (struct record *r = list; r; r = r->next)
		r->outcome = RECORD_PENDING;
	return -1;
}
