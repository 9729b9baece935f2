/*
 * archive_sqlite_db: see archive_sqlite_db.h; after sqlite.org/security.html,
 * "Untrusted SQLite Database Files".
 *
 * The schema is compared with the one that a new file of this version has, as
 * sqlite_master tells both. A table under another definition could compute
 * (generated columns, CHECK, expression indexes), a trigger or view could do
 * what its maker likes, statistics could mislead the planner: none of them is
 * in ours.
 */
#include "verifier/archive/archive_sqlite_db.h"

#include "verifier/archive/archive_schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define URI_MAX     4096
#define OBJECTS_MAX 32 /* tables and indexes; we have 18 */

static const char master[] = "SELECT type, name, tbl_name, sql"
			     " FROM sqlite_master";

static int fail(char error[static ARCHIVE_SOURCE_ERROR_MAX], const char *why)
{
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "%s", why);
	return -1;
}

/* ---- ceilings ---- */

static void limit(sqlite3 *db)
{
	static const struct {
		int which, most;
	} limits[] = {
	    {SQLITE_LIMIT_LENGTH, ARCHIVE_SQLITE_ROW_MAX},
	    {SQLITE_LIMIT_SQL_LENGTH, 8192},
	    {SQLITE_LIMIT_COLUMN, 32},
	    {SQLITE_LIMIT_EXPR_DEPTH, 16},
	    {SQLITE_LIMIT_COMPOUND_SELECT, 4},
	    {SQLITE_LIMIT_VDBE_OP, 50000},
	    {SQLITE_LIMIT_FUNCTION_ARG, 8},
	    {SQLITE_LIMIT_ATTACHED, 0},
	    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
	    {SQLITE_LIMIT_VARIABLE_NUMBER, 8},
	    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	    {SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db, limits[i].which, limits[i].most);
}

/* -1 if one of them is not to be had. */
static int harden(sqlite3 *db)
{
	static const struct {
		int which, on;
	} settings[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	};
	char pragmas[160];
	int bad = 0;

	if (sqlite3_hard_heap_limit64(-1) == 0)
		sqlite3_hard_heap_limit64(ARCHIVE_SQLITE_HEAP_MAX);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		bad |= sqlite3_db_config(
		    db, settings[i].which, settings[i].on, NULL);
	limit(db);
	sqlite3_busy_timeout(db, ARCHIVE_SQLITE_WAIT_MS);
	/* mmap: a file that is cut meanwhile would be SIGBUS */
	snprintf(pragmas, sizeof(pragmas),
	    "PRAGMA query_only=1; PRAGMA cell_size_check=1;"
	    "PRAGMA mmap_size=0; PRAGMA cache_size=-%d;",
	    ARCHIVE_SQLITE_CACHE_KIB);
	bad |= sqlite3_exec(db, pragmas, NULL, NULL, NULL);
	return bad ? -1 : 0;
}

/* ---- the schema ---- */

struct objects {
	uint32_t seen; /* a bit for each of ours that was found */
	int count;
};

/* Are these two rows the same, NULLs too? */
static bool same(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int i = 0; i < 4; i++) {
		int len = sqlite3_column_bytes(a, i);

		if (sqlite3_column_type(a, i) != sqlite3_column_type(b, i) ||
		    sqlite3_column_bytes(b, i) != len ||
		    (len > 0 &&
			memcmp(sqlite3_column_blob(a, i),
			    sqlite3_column_blob(b, i), (size_t)len) != 0))
			return false;
	}
	return true;
}

/* Marks the one of ours that this row is; -1: it is none. */
static int find(struct objects *o, sqlite3_stmt *row, sqlite3_stmt *ours)
{
	int found = -1;

	sqlite3_reset(ours);
	for (int i = 0; sqlite3_step(ours) == SQLITE_ROW; i++)
		if (i < OBJECTS_MAX && same(row, ours))
			found = i;
	if (found < 0 || (o->seen & (UINT32_C(1) << found)) != 0)
		return -1;
	o->seen |= UINT32_C(1) << found;
	o->count++;
	return 0;
}

static int compare(sqlite3_stmt *rows, sqlite3_stmt *ours)
{
	struct objects o = {0};
	int wanted = 0, rc;

	while ((rc = sqlite3_step(rows)) == SQLITE_ROW)
		if (find(&o, rows, ours) != 0)
			return -1;
	sqlite3_reset(ours);
	while (sqlite3_step(ours) == SQLITE_ROW)
		wanted++;
	return rc == SQLITE_DONE && o.count == wanted ? 0 : -1;
}

/* An empty file of this version, in memory. */
static int make_ours(sqlite3 **out, int version)
{
	if (sqlite3_open(":memory:", out) != SQLITE_OK)
		return -1;
	return archive_schema_upgrade(*out, 0, version);
}

static int check_schema(
    sqlite3 *db, int version, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	sqlite3_stmt *rows = NULL, *ours = NULL;
	sqlite3 *reference = NULL;
	int rc = -1;

	if (make_ours(&reference, version) ||
	    sqlite3_prepare_v2(reference, master, -1, &ours, NULL) ||
	    sqlite3_prepare_v2(db, master, -1, &rows, NULL))
		fail(error, "its tables cannot be read");
	else if (compare(rows, ours) != 0)
		fail(error, "has other tables, indexes, triggers or views than "
			    "an archive of hallmark");
	else
		rc = 0;
	sqlite3_finalize(rows);
	sqlite3_finalize(ours);
	sqlite3_close(reference);
	return rc;
}

int64_t archive_sqlite_db_ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW &&
	    sqlite3_column_type(stmt, 0) == SQLITE_INTEGER)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

static int check(
    sqlite3 *db, int *version, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	int64_t found;

	if (archive_sqlite_db_ask(db, "PRAGMA application_id") !=
	    ARCHIVE_SCHEMA_ID)
		return fail(error, "is no archive of hallmark");
	found = archive_sqlite_db_ask(db, "PRAGMA user_version");
	if (found < ARCHIVE_SCHEMA_OLDEST || found > ARCHIVE_SCHEMA_VERSION)
		return fail(error, "was made by another version");
	*version = (int)found;
	return check_schema(db, *version, error);
}

/* ---- open ---- */

/* file:PATH?mode=ro, its odd characters escaped (sqlite.org/uri.html). */
static int make_uri(char out[URI_MAX], const char *path, bool immutable)
{
	static const char plain[] = "/._-";
	size_t len = (size_t)snprintf(
	    out, URI_MAX, path[0] == '/' ? "file://" : "file:");

	for (; *path; path++) {
		bool kept = (*path >= '0' && *path <= '9') ||
			    (*path >= 'a' && *path <= 'z') ||
			    (*path >= 'A' && *path <= 'Z') ||
			    strchr(plain, *path) != NULL;

		if (len + 64 > URI_MAX)
			return -1;
		len += (size_t)snprintf(
		    out + len, 4, kept ? "%c" : "%%%02X", (unsigned char)*path);
	}
	snprintf(out + len, URI_MAX - len, "?mode=ro%s",
	    immutable ? "&immutable=1" : "");
	return 0;
}

/* Is there a file of this name with anything in it? */
static bool has_beside(const char *path, const char *suffix)
{
	char beside[URI_MAX];
	struct stat about;

	return snprintf(beside, sizeof(beside), "%s%s", path, suffix) <
		   (int)sizeof(beside) &&
	       stat(beside, &about) == 0 && about.st_size > 0;
}

/* Nobody writes it, and no half-done transaction is left: it needs no lock and
 * no -shm, so it can be read where nothing can be written. */
static bool is_at_rest(const char *path)
{
	return !has_beside(path, "-wal") && !has_beside(path, "-journal");
}

/* Takes db. */
static int settle(sqlite3 **out, sqlite3 *db, int *version,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	/* One moment of the file, however long it is read. */
	if (harden(db) != 0 ||
	    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		fail(error, sqlite3_errmsg(db));
	else if (check(db, version, error) == 0) {
		*out = db;
		return 0;
	}
	sqlite3_close(db);
	return -1;
}

int archive_sqlite_db_open(sqlite3 **out, const char *path, int *version,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	/* One thread at a time has a source: locks would be a tenth of its
	 * work. */
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
			  SQLITE_OPEN_NOMUTEX;
	char uri[URI_MAX];
	sqlite3 *db = NULL;

	*out = NULL;
	if (make_uri(uri, path, is_at_rest(path)) != 0)
		return fail(error, "its path is too long");
	if (sqlite3_open_v2(uri, &db, flags, NULL) != SQLITE_OK) {
		fail(error, db ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
		return -1;
	}
	return settle(out, db, version, error);
}

int archive_sqlite_db_open_memory(sqlite3 **out, const void *bytes, size_t len,
    int *version, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	unsigned char *copy = sqlite3_malloc64(len ? len : 1);
	sqlite3 *db = NULL;

	*out = NULL;
	if (copy == NULL || sqlite3_open(":memory:", &db) != SQLITE_OK) {
		sqlite3_free(copy);
		sqlite3_close(db);
		return fail(error, "out of memory");
	}
	memcpy(copy, bytes, len);
	/* It frees the copy in any case. */
	if (sqlite3_deserialize(db, "main", copy, (sqlite3_int64)len,
		(sqlite3_int64)len,
		SQLITE_DESERIALIZE_READONLY | SQLITE_DESERIALIZE_FREEONCLOSE) !=
	    SQLITE_OK) {
		sqlite3_close(db);
		return fail(error, "is no database");
	}
	return settle(out, db, version, error);
}
