/*
 * archive_write: one transaction for each batch. An item whose number is there
 * already is compared by its hash: the same is a duplicate (after a resumed
 * stream, or from a mirror), another is a fork and goes to `refused` as
 * evidence. A commit that fails (disk full, locked, corrupt) leaves nothing
 * behind and is tried again by the caller with the same list.
 */
#include "verifier/daemon/archive_db.h"

#include "feeds/hex.h"
#include "verifier/daemon/log_store.h"
#include "verifier/envelope.h"

#include <errno.h>
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
    /* One whose document is nowhere proves nothing. */
    [ARCHIVE_ADD_COSIGNATURE] =
	"INSERT OR IGNORE INTO cosignatures SELECT ?1,?2,?3,?4,?5,?6"
	" WHERE EXISTS (SELECT 1 FROM attestations WHERE sha256=?4)",
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

int archive_prepare(struct archive *a)
{
	for (int i = 0; i < ARCHIVE_STATEMENTS; i++)
		if (sqlite3_prepare_v3(a->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &a->prepared[i], NULL))
			return -1;
	return 0;
}

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
	int rc;

	errno = 0;
	rc = sqlite3_step(a->prepared[which]);
	a->step_errno = errno;
	sqlite3_reset(a->prepared[which]);
	sqlite3_clear_bindings(a->prepared[which]);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* Did a record just before have the same? It does now. */
static bool was_attested(struct archive *a, const uint8_t *sha256)
{
	for (size_t i = 0; i < ARCHIVE_ATTESTED; i++)
		if (a->attested[i] &&
		    memcmp(a->attested[i], sha256, HM_SHA256_LEN) == 0)
			return true;
	a->attested[a->next_attested++ % ARCHIVE_ATTESTED] = sha256;
	return false;
}

/* The envelope's document, whose bytes are these. */
static int add_attestation(struct archive *a, const struct hm_envelope *e,
    const uint8_t *document, size_t len, int64_t received_ms)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_ATTESTATION];

	if (was_attested(a, e->attestation_sha256))
		return 0;
	if (archive_bind_hex(s, 1, e->attestation_sha256, HM_SHA256_LEN) ||
	    bind_blob(s, 2, document, len) ||
	    archive_bind_text(s, 3, e->platform) ||
	    archive_bind_text(s, 4, e->public_key) ||
	    sqlite3_bind_int64(s, 5, received_ms))
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
	    archive_bind_text(s, 6, r->document->sha256_hex) ||
	    sqlite3_bind_int64(s, 7, r->published_ms) ||
	    sqlite3_bind_int64(s, 8, r->expires_ms) ||
	    sqlite3_bind_int64(s, 9, r->received_ms) ||
	    archive_bind_hex(s, 10, r->content_sha256, HM_SHA256_LEN) ||
	    sqlite3_bind_int(s, 11, r->late))
		return -1;
	return run(a, ARCHIVE_ADD_ITEM);
}

static int add_cosignature(
    struct archive *a, const struct record *r, const struct hm_envelope *e)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_COSIGNATURE];

	if (e->document &&
	    add_attestation(a, e, e->document, e->document_len, r->received_ms))
		return -1;
	if (bind_key(s, r) ||
	    archive_bind_hex(s, 4, e->attestation_sha256, HM_SHA256_LEN) ||
	    sqlite3_bind_text(
		s, 5, e->content, (int)e->content_len, SQLITE_STATIC) ||
	    bind_blob(s, 6, e->signature, e->signature_len))
		return -1;
	return run(a, ARCHIVE_ADD_COSIGNATURE);
}

/* Of a duplicate too: they may have come by another way than the item. */
static int add_cosignatures(struct archive *a, const struct record *r)
{
	const struct hm_envelope *e = &r->envelope;

	for (size_t i = 0; i < e->cosignature_count; i++)
		if (add_cosignature(a, r, &e->cosignatures[i]))
			return -1;
	return 0;
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

/* What is there under this number: the same, or another? A commit that failed
 * may be there after all (its bytes were written, and the sync failed): what we
 * tried to store before is no duplicate, nobody has announced it yet. */
static int compare(struct archive *a, struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_FIND_ITEM];
	char wanted[2 * HM_SHA256_LEN + 1];
	const char *found = NULL;

	hex_encode(r->content_sha256, HM_SHA256_LEN, wanted);
	if (!bind_key(s, r) && sqlite3_step(s) == SQLITE_ROW)
		found = (const char *)sqlite3_column_text(s, 0);
	if (found && strcmp(found, wanted) != 0)
		r->outcome = RECORD_FORK;
	else if (found)
		r->outcome = r->tried ? RECORD_STORED : RECORD_DUPLICATE;
	sqlite3_reset(s);
	return found ? 0 : -1;
}

static int add_cursor(struct archive *a, const struct record *r)
{
	sqlite3_stmt *s = a->prepared[ARCHIVE_ADD_CURSOR];

	if (archive_bind_text(s, 1, r->origin) ||
	    archive_bind_text(s, 2, r->event_id))
		return -1;
	return run(a, ARCHIVE_ADD_CURSOR);
}

/* Of the log: after the items that it counts, in their transaction. */
static int write_head(struct archive *a, struct record *r)
{
	if (log_store_write(a->db, r))
		return -1;
	if (r->outcome == RECORD_FORK && add_refused(a, r, HM_LOG_FORK))
		return -1;
	if (r->outcome == RECORD_DUPLICATE && r->tried)
		r->outcome = RECORD_STORED; /* as in compare() */
	return 0;
}

static int write_one(struct archive *a, struct record *r)
{
	if (r->refused) {
		r->outcome = RECORD_REFUSED;
		return add_refused(a, r, r->verdict);
	}
	if (add_attestation(a, &r->envelope, r->document->bytes,
		r->document->len, r->received_ms))
		return -1;
	if (r->is_head)
		return write_head(a, r);
	if (add_item(a, r))
		return -1;
	if (sqlite3_changes(a->db) == 1)
		r->outcome = RECORD_STORED;
	else if (compare(a, r))
		return -1;
	return r->outcome == RECORD_FORK ? add_refused(a, r, HM_SEQUENCE_FORK)
					 : add_cosignatures(a, r);
}

/* The last one of a batch says it for all: heads and cursors are written once
 * for each feed and oracle, not with each item. */
static bool head_is_later(const struct record *r)
{
	for (const struct record *s = r->next; s; s = s->next)
		if (s->outcome == RECORD_STORED && !s->is_head &&
		    s->sequence > r->sequence &&
		    strcmp(s->feed, r->feed) == 0 &&
		    memcmp(s->boot_id, r->boot_id, sizeof(r->boot_id)) == 0)
			return true;
	return false;
}

static bool cursor_is_later(const struct record *r)
{
	for (const struct record *s = r->next; s; s = s->next)
		if (s->event_id[0] && strcmp(s->origin, r->origin) == 0)
			return true;
	return false;
}

static int write_lasts(struct archive *a, const struct record *list)
{
	for (const struct record *r = list; r; r = r->next) {
		if (r->outcome == RECORD_STORED && !r->is_head &&
		    !head_is_later(r) && add_head(a, r))
			return -1;
		if (r->event_id[0] && !cursor_is_later(r) && add_cursor(a, r))
			return -1;
	}
	return 0;
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

	memset(a->attested, 0, sizeof(a->attested));
	if (run(a, ARCHIVE_BEGIN))
		return -1;
	for (struct record *r = list; r; r = r->next) {
		if (write_one(a, r))
			return -1;
		evidence |= r->outcome == RECORD_REFUSED ||
			    r->outcome == RECORD_FORK;
	}
	if (write_lasts(a, list) || (evidence && trim_refused(a)))
		return -1;
	return run(a, ARCHIVE_COMMIT);
}

/* What SQLite writes into a file that lost its name is lost with it. */
static bool has_moved(struct archive *a)
{
	int moved = 0;

	return sqlite3_file_control(a->db, "main", SQLITE_FCNTL_HAS_MOVED,
		   &moved) == SQLITE_OK &&
	       moved;
}

enum archive_state archive_commit(struct archive *archive, struct record *list,
    char error[static ARCHIVE_ERROR_MAX])
{
	enum archive_state state;

	if (has_moved(archive)) {
		/* Closing would leave behind what is in the -wal alone. */
		(void)archive_exec(archive, "PRAGMA wal_checkpoint(TRUNCATE)");
		snprintf(error, ARCHIVE_ERROR_MAX,
		    "the file was moved, removed or replaced");
		return ARCHIVE_MOVED;
	}
	if (write_all(archive, list) == 0)
		return ARCHIVE_OK;
	state = archive_fail(archive, error);
	if (!sqlite3_get_autocommit(archive->db))
		(void)archive_exec(archive, "ROLLBACK");
	for (struct record *r = list; r; r = r->next) {
		r->tried |= r->outcome == RECORD_STORED;
		r->outcome = RECORD_PENDING;
	}
	return state;
}
