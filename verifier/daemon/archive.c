/*
 * archive: opens the SQLite file of accepted items, and judges what is wrong
 * with it.
 */
#include "verifier/daemon/archive_db.h"

#include "base/log.h"
#include "verifier/archive/archive_schema.h"

#include <stdio.h>
#include <stdlib.h>

int archive_exec(struct archive *a, const char *sql)
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
	int64_t from =
	    ARCHIVE_SCHEMA_VERSION; /* somebody else's: not touched */

	if (archive_exec(a, "BEGIN IMMEDIATE"))
		return -1;
	if (ask(a, "SELECT count(*) FROM sqlite_master") == 0)
		from = 0;
	else if (ask(a, "PRAGMA application_id") == ARCHIVE_SCHEMA_ID &&
		 ask(a, "PRAGMA user_version") >= ARCHIVE_SCHEMA_OLDEST)
		from = ask(a, "PRAGMA user_version");
	if (archive_schema_upgrade(a->db, from, ARCHIVE_SCHEMA_VERSION))
		return -1;
	return archive_exec(a, "COMMIT");
}

enum archive_state archive_fail(
    struct archive *a, char error[static ARCHIVE_ERROR_MAX])
{
	snprintf(error, ARCHIVE_ERROR_MAX, "%s", sqlite3_errmsg(a->db));
	return archive_state_of(sqlite3_extended_errcode(a->db),
	    a->step_errno ? a->step_errno : sqlite3_system_errno(a->db));
}

static enum archive_state foreign(
    const char *why, char error[static ARCHIVE_ERROR_MAX])
{
	snprintf(error, ARCHIVE_ERROR_MAX, "%s", why);
	return ARCHIVE_FOREIGN;
}

static enum archive_state set_up(
    struct archive *a, char error[static ARCHIVE_ERROR_MAX])
{
	if (sqlite3_db_readonly(a->db, "main")) { /* opened after all */
		snprintf(error, ARCHIVE_ERROR_MAX, "cannot be written");
		return ARCHIVE_READ_ONLY;
	}
	/* Each batch changes the same pages of the indexes: with 16 MB of -wal
	 * they are copied into the file once for many batches. */
	if (archive_exec(a, "PRAGMA journal_mode=WAL") ||
	    archive_exec(a, "PRAGMA synchronous=FULL") ||
	    archive_exec(a, "PRAGMA wal_autocheckpoint=4000") ||
	    archive_exec(a, "PRAGMA journal_size_limit=67108864"))
		return archive_fail(a, error);
	if (ask(a, "PRAGMA user_version") < ARCHIVE_SCHEMA_VERSION &&
	    bring_up_to_date(a))
		return archive_fail(a, error);
	if (ask(a, "PRAGMA application_id") != ARCHIVE_SCHEMA_ID)
		return foreign("is not an archive of hallmark", error);
	if (ask(a, "PRAGMA user_version") != ARCHIVE_SCHEMA_VERSION)
		return foreign("was made by another version", error);
	return archive_prepare(a) ? archive_fail(a, error) : ARCHIVE_OK;
}

enum archive_state archive_open(struct archive **out, const char *path,
    char error[static ARCHIVE_ERROR_MAX])
{
	struct archive *a = calloc(1, sizeof(*a));
	enum archive_state state;

	*out = NULL;
	if (!a)
		log_die("archive", "out of memory");
	if (sqlite3_open_v2(path, &a->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL)) {
		state = archive_fail(a, error);
	} else {
		harden(a->db);
		state = set_up(a, error);
	}
	if (state == ARCHIVE_OK) {
		*out = a;
		return ARCHIVE_OK;
	}
	if (state == ARCHIVE_CORRUPT)
		archive_abandon(a);
	else
		archive_close(a);
	return state;
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

void archive_abandon(struct archive *archive)
{
	if (archive && archive->db)
		sqlite3_db_config(
		    archive->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	archive_close(archive);
}
