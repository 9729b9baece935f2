/*
 * archive_sqlite: a SQLite archive as an archive_source. Stages:
 *
 *   items, and before each the raw answers received before it
 *     -> heads (the newest item of each feed) -> tree_heads -> the rest of raw
 *     -> the file as a whole (archive_check.h)
 *
 * A row gives what is wrong with it, the documents that it and its
 * co-signatures need, itself.
 */
#include "verifier/archive/archive_check.h"
#include "verifier/archive/archive_cosigned.h"
#include "verifier/archive/archive_reader.h"
#include "verifier/archive/archive_rows.h"
#include "verifier/archive/archive_sqlite_db.h"
#include "verifier/archive/archive_sqlite_documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stage {
	ITEMS,
	NEWEST,
	HEADS,
	RAW,
	CHECK,
	END
};
#define TABLES CHECK

static const struct {
	const char *unit, *rows, *greatest;
	int since; /* version */
} tables[TABLES] = {
    [ITEMS] = {"items row",
	"SELECT rowid, feed, boot_id, sequence, published_ms, expires_ms,"
	" received_ms, content_sha256, late, content, signature,"
	" attestation_sha256"
	" FROM items WHERE rowid > ?1 ORDER BY rowid",
	"SELECT max(rowid) FROM items", 1},
    [NEWEST] = {"heads row",
	"SELECT rowid, feed, boot_id, sequence, published_ms, NULL, NULL,"
	" content_sha256 FROM heads WHERE rowid > ?1 ORDER BY rowid",
	"SELECT max(rowid) FROM heads", 1},
    [HEADS] = {"tree_heads row",
	"SELECT rowid, NULL, boot_id, tree_size, published_ms, NULL,"
	" received_ms, content_sha256, NULL, content, signature,"
	" attestation_sha256"
	" FROM tree_heads WHERE rowid > ?1 ORDER BY rowid",
	"SELECT max(rowid) FROM tree_heads", 2},
    [RAW] = {"raw row",
	"SELECT rowid, sha256, body, received_ms"
	" FROM raw WHERE rowid > ?1 ORDER BY rowid",
	"SELECT max(rowid) FROM raw", 2},
};

struct sqlite_source {
	struct archive_source base;
	sqlite3 *db;
	int version;
	enum stage stage;
	struct archive_rows rows[TABLES];
	struct archive_sqlite_documents documents;
	struct archive_cosigned cosigned;
	struct archive_check check;
	uint64_t check_count;
	sqlite3_int64 first_item;
	uint64_t position; /* of the item in hand */
	/* the row in hand; its texts are SQLite's until the next step */
	struct archive_entry row;
	const char *problem; /* to be told; NULL: it was, or none */
	bool owes_row;
	/* the row that this table's statement stands on was not given yet */
	bool item_waits, raw_waits;
};

/* ---- rows ---- */

static void read_envelope(struct sqlite_source *s, sqlite3_stmt *stmt)
{
	const struct archive_stated *stated = &s->row.stated;
	struct hm_envelope *e = &s->row.envelope;

	s->problem = archive_sqlite_row_envelope(stmt, e);
	if (s->problem)
		return;
	if (s->row.kind == ARCHIVE_ENTRY_ITEM)
		s->problem = archive_cosigned_read(&s->cosigned, stated->feed,
		    stated->boot_id, (int64_t)stated->sequence, e);
	archive_sqlite_documents_begin(&s->documents);
	s->owes_row = true;
}

static void read_newest(struct sqlite_source *s, sqlite3_stmt *stmt)
{
	s->problem = archive_sqlite_row_stated(
	    stmt, s->row.kind, &s->row.stated);
	s->owes_row = !s->problem;
}

static void read_raw(struct sqlite_source *s, sqlite3_stmt *stmt)
{
	s->problem = archive_sqlite_row_raw(stmt, &s->row);
	if (!s->problem && !archive_sqlite_row_hashes_to(
			       s->row.bytes, s->row.len, s->row.sha256))
		s->problem = "its body is another than its hash says";
	s->owes_row = !s->problem;
}

static void begin_row(struct sqlite_source *s, enum stage table)
{
	static const enum archive_entry_kind kinds[TABLES] = {
	    ARCHIVE_ENTRY_ITEM, ARCHIVE_ENTRY_NEWEST, ARCHIVE_ENTRY_HEAD,
	    ARCHIVE_ENTRY_RAW};

	memset(&s->row, 0, sizeof(s->row));
	s->row.kind = kinds[table];
	s->row.unit = tables[table].unit;
	/* before the first: 0; ours begin at 1 */
	s->row.number = s->rows[table].last > 0 ? (uint64_t)s->rows[table].last
						: 0;
	s->row.position = s->position;
}

static void read_row(struct sqlite_source *s, enum stage table)
{
	sqlite3_stmt *stmt = s->rows[table].stmt;

	begin_row(s, table);
	if (table == NEWEST) {
		read_newest(s, stmt);
	} else if (table == RAW) {
		read_raw(s, stmt);
	} else {
		s->problem = archive_sqlite_row_stated(
		    stmt, s->row.kind, &s->row.stated);
		if (!s->problem)
			read_envelope(s, stmt);
	}
}

/* The next row of this table is in hand, or a problem; false: no more. */
static bool next_row(struct sqlite_source *s, enum stage table)
{
	int rc = archive_rows_next(&s->rows[table]);

	if (rc > 0 && table == ITEMS)
		archive_check_add(&s->check, s->rows[ITEMS].stmt);
	if (rc < 0) {
		begin_row(s, table);
		s->problem = s->rows[table].problem;
	}
	if (rc < 0 && table == ITEMS)
		archive_check_lost(&s->check);
	return rc != 0;
}

/* ---- stages ---- */

/* Is there a raw answer that was received before the item in hand, or with it?
 * Or a problem with the next one, which is as due. */
static bool raw_is_due(struct sqlite_source *s)
{
	if (!s->raw_waits) {
		s->raw_waits = next_row(s, RAW);
		if (s->problem) {
			s->raw_waits = false;
			return true;
		}
	}
	return s->raw_waits && sqlite3_column_int64(s->rows[RAW].stmt,
				   ARCHIVE_SQLITE_ROW_RAW_RECEIVED) <=
				   sqlite3_column_int64(s->rows[ITEMS].stmt,
				       ARCHIVE_SQLITE_ROW_RECEIVED);
}

/* Progress: how far it is from the first item. */
static void set_position(struct sqlite_source *s)
{
	if (s->base.total == 0)
		return; /* rowids that are none of ours */
	s->position = (uint64_t)(s->rows[ITEMS].last - s->first_item);
	if (s->position >= s->base.total)
		s->position = s->base.total - 1;
}

static bool next_item(struct sqlite_source *s)
{
	if (!s->item_waits) {
		s->item_waits = next_row(s, ITEMS);
		if (s->problem || !s->item_waits) {
			s->item_waits = false;
			return s->problem != NULL;
		}
		set_position(s);
	}
	if (raw_is_due(s)) {
		if (!s->problem)
			read_row(s, RAW);
		s->raw_waits = false;
		return true;
	}
	s->item_waits = false;
	read_row(s, ITEMS);
	return true;
}

static bool next_of_table(struct sqlite_source *s)
{
	if (s->stage == RAW && s->raw_waits)
		s->raw_waits = false;
	else if (!next_row(s, s->stage))
		return false;
	if (!s->problem)
		read_row(s, s->stage);
	return true;
}

/* A complaint about the file as a whole. */
static bool next_complaint(struct sqlite_source *s)
{
	if (archive_check_next(&s->check) == 0)
		return false;
	memset(&s->row, 0, sizeof(s->row));
	s->row.unit = "integrity check";
	s->row.number = ++s->check_count;
	s->row.position = s->position;
	s->problem = s->check.problem;
	return true;
}

/* The next row in hand, or a problem; false: there is no more. */
static bool advance(struct sqlite_source *s)
{
	for (; s->stage < END; s->stage++) {
		if (s->stage == CHECK   ? next_complaint(s)
		    : s->stage == ITEMS ? next_item(s)
					: next_of_table(s))
			return true;
	}
	return false;
}

/* Of the row in hand; true if its document is to be given first. */
static bool has_document(struct sqlite_source *s)
{
	struct hm_envelope *e = &s->row.envelope;

	return s->owes_row && e->content != NULL &&
	       archive_sqlite_documents_next(&s->documents, e, &s->problem) ==
		   1;
}

static int next(struct archive_source *source, struct archive_entry *out)
{
	struct sqlite_source *s = (struct sqlite_source *)source;
	const char *path = out->path;
	bool document = false;

	while (!s->problem && !s->owes_row)
		if (!advance(s))
			return 0;
	if (!s->problem)
		document = has_document(s);
	*out = s->row;
	out->path = path;
	if (s->problem) {
		out->kind = ARCHIVE_ENTRY_DAMAGED;
		out->problem = s->problem;
		s->problem = NULL;
	} else if (document) {
		out->kind = ARCHIVE_ENTRY_DOCUMENT;
		memcpy(out->sha256, s->documents.sha256, HM_SHA256_LEN);
		out->bytes = s->documents.bytes;
		out->len = s->documents.len;
	} else {
		s->owes_row = false;
	}
	return 1;
}

/* ---- open and close ---- */

static void close_sqlite(struct archive_source *source)
{
	struct sqlite_source *s = (struct sqlite_source *)source;

	for (int i = 0; i < TABLES; i++)
		archive_rows_close(&s->rows[i]);
	archive_sqlite_documents_close(&s->documents);
	archive_cosigned_close(&s->cosigned);
	archive_check_fini(&s->check);
	sqlite3_close(s->db);
	free(s);
}

/* Where there are none, no item is asked for them. */
static int open_cosigned(struct sqlite_source *s)
{
	if (s->version < 3 || archive_sqlite_db_ask(s->db,
				  "SELECT max(rowid) FROM cosignatures") < 0)
		return 0;
	return archive_cosigned_open(
	    &s->cosigned, s->db, ARCHIVE_COSIGNED_BARE);
}

/* s->db is open. A statement that cannot be made says so in its first row. */
static int finish(struct archive_source **out, struct sqlite_source *s,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	s->base.next = next;
	s->base.close = close_sqlite;
	for (int i = 0; i < TABLES; i++) {
		s->rows[i].over = true;
		if (s->version >= tables[i].since)
			archive_rows_open(&s->rows[i], s->db, tables[i].rows,
			    tables[i].greatest);
	}
	archive_check_init(&s->check, s->db, s->version);
	s->first_item = archive_sqlite_db_ask(
	    s->db, "SELECT min(rowid) FROM items");
	if (s->first_item > 0 && s->rows[ITEMS].end >= s->first_item)
		s->base.total = (uint64_t)(s->rows[ITEMS].end - s->first_item) +
				1;
	if (archive_sqlite_documents_open(&s->documents, s->db) == 0 &&
	    open_cosigned(s) == 0) {
		*out = &s->base;
		return 0;
	}
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "%s", sqlite3_errmsg(s->db));
	close_sqlite(&s->base);
	return -1;
}

static struct sqlite_source *make(char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct sqlite_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "out of memory");
	return s;
}

int archive_sqlite_open(struct archive_source **out, const char *path,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct sqlite_source *s = make(error);

	*out = NULL;
	if (s == NULL)
		return -1;
	if (archive_sqlite_db_open(&s->db, path, &s->version, error) == 0)
		return finish(out, s, error);
	free(s);
	return -1;
}

int archive_sqlite_open_memory(struct archive_source **out, const void *bytes,
    size_t len, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct sqlite_source *s = make(error);

	*out = NULL;
	if (s == NULL)
		return -1;
	if (archive_sqlite_db_open_memory(
		&s->db, bytes, len, &s->version, error) == 0)
		return finish(out, s, error);
	free(s);
	return -1;
}
