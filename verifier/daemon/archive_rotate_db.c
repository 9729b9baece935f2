/* archive_rotate_db: see archive_rotate_db.h. Statements are prepared each
 * time: there are few, and each is about a thousand rows. */
#include "verifier/daemon/archive_rotate_db.h"

#include "verifier/daemon/archive_files.h"
#include "verifier/daemon/archive_rotate.h"

int archive_rotate_db_exec(struct archive_rotate_db *db, const char *sql)
{
	return sqlite3_exec(db->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
									: -1;
}

static void bind_all(
    struct archive_rotate_db *db, sqlite3_stmt *s, int64_t rows)
{
	int64_t from_ms = db->day * ARCHIVE_FILES_DAY_MS;
	int64_t to_ms = from_ms + ARCHIVE_FILES_DAY_MS;
	const struct {
		const char *name;
		int64_t value;
	} values[] = {
	    {":after", db->row},
	    {":upto", db->row + rows},
	    {":from_ms", from_ms},
	    {":to_ms", to_ms},
	    {":late_ms", to_ms + ARCHIVE_ROTATE_GRACE_MS},
	    {":raw_ms", to_ms - ARCHIVE_ROTATE_RAW_MS},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int at = sqlite3_bind_parameter_index(s, values[i].name);

		if (at > 0)
			(void)sqlite3_bind_int64(s, at, values[i].value);
	}
}

static int ask(struct archive_rotate_db *db, const char *sql, int64_t rows,
    int64_t none, int64_t *answer)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->db, sql, -1, &s, NULL);

	*answer = none;
	if (rc == SQLITE_OK) {
		bind_all(db, s, rows);
		rc = sqlite3_step(s);
	}
	if (rc == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int archive_rotate_db_ask(struct archive_rotate_db *db, const char *sql,
    int64_t none, int64_t *answer)
{
	return ask(db, sql, 0, none, answer);
}

int archive_rotate_db_run(
    struct archive_rotate_db *db, const char *const *sql, int64_t rows)
{
	int64_t nothing;

	if (archive_rotate_db_exec(db, "BEGIN"))
		return -1;
	for (; *sql; sql++)
		if (ask(db, *sql, rows, 0, &nothing))
			return -1;
	return archive_rotate_db_exec(db, "COMMIT");
}

int archive_rotate_db_rows(
    struct archive_rotate_db *db, const char *first, const char *last)
{
	if (ask(db, first, 0, 1, &db->row) || ask(db, last, 0, 0, &db->last))
		return -1;
	db->row--;
	return 0;
}

int archive_rotate_db_open(struct archive_rotate_db *db, const char *path,
    const char *other, const char *pragmas)
{
	sqlite3_stmt *s = NULL;
	int rc;

	if (sqlite3_open_v2(path, &db->db, SQLITE_OPEN_READWRITE, NULL))
		return -1;
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(db->db, ARCHIVE_BUSY_MS);
	if (archive_rotate_db_exec(db, pragmas))
		return -1;
	rc = sqlite3_prepare_v2(db->db, "ATTACH ?1 AS other", -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, other, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

void archive_rotate_db_close(struct archive_rotate_db *db)
{
	sqlite3_close(db->db);
	db->db = NULL;
}
