/*
 * archive_rows: see archive_rows.h.
 *
 * The rowids must grow: in a database that somebody made, a page may be its own
 * neighbour, and a scan would never end.
 */
#include "verifier/archive/archive_rows.h"

#include "verifier/archive/archive_sqlite_db.h"

#include <stdio.h>
#include <string.h>

#define STEPS_OF_ONE 64 /* then each step is twice the one before */

void archive_rows_open(struct archive_rows *rows, sqlite3 *db, const char *sql,
    const char *greatest)
{
	memset(rows, 0, sizeof(*rows));
	rows->db = db;
	rows->last = INT64_MIN;
	rows->end = archive_sqlite_db_ask(db, greatest);
	if (sqlite3_prepare_v2(db, sql, -1, &rows->stmt, NULL) == SQLITE_OK)
		return;
	sqlite3_finalize(rows->stmt);
	rows->stmt = NULL;
}

void archive_rows_close(struct archive_rows *rows)
{
	sqlite3_finalize(rows->stmt);
	memset(rows, 0, sizeof(*rows));
	rows->over = true;
}

/* Begins anew behind this rowid: a row, or SQLITE_DONE, or an error. */
static int step_from(struct archive_rows *rows, sqlite3_int64 after)
{
	sqlite3_reset(rows->stmt);
	if (sqlite3_bind_int64(rows->stmt, 1, after) != SQLITE_OK)
		return SQLITE_ERROR;
	return sqlite3_step(rows->stmt);
}

static int give_up(struct archive_rows *rows, const char *why)
{
	rows->over = true;
	snprintf(rows->problem, sizeof(rows->problem),
	    "nothing behind it can be read: %.180s", why);
	return -1;
}

/* Over what cannot be read, to the next row that can. Where there is none,
 * the table ends with it. */
static int leap(struct archive_rows *rows)
{
	sqlite3_int64 from = rows->last > 0 ? rows->last : 0;
	char why[128];

	snprintf(why, sizeof(why), "%s", sqlite3_errmsg(rows->db));
	for (int i = 0; from < rows->end; i++) {
		int doublings = i < STEPS_OF_ONE ? 0 : i - STEPS_OF_ONE;
		sqlite3_int64 step = (sqlite3_int64)1
				     << (doublings < 62 ? doublings : 62);
		int rc;

		from = step < rows->end - from ? from + step : rows->end;
		rc = step_from(rows, from);
		if (rc == SQLITE_DONE)
			break;
		if (rc != SQLITE_ROW)
			continue;
		snprintf(rows->problem, sizeof(rows->problem),
		    "the rows behind it, up to %lld, cannot be read: %s",
		    (long long)sqlite3_column_int64(rows->stmt, 0) - 1, why);
		return -1;
	}
	return give_up(rows, why);
}

/* After a leap the statement stands on a row that was not given yet. */
static bool stands_on_row(const struct archive_rows *rows)
{
	return rows->problem[0] != '\0';
}

int archive_rows_next(struct archive_rows *rows)
{
	sqlite3_int64 id;
	int rc;

	if (rows->over)
		return 0;
	if (rows->stmt == NULL)
		return give_up(rows, sqlite3_errmsg(rows->db));
	if (stands_on_row(rows)) {
		rows->problem[0] = '\0';
		rc = SQLITE_ROW;
	} else if (rows->last == INT64_MIN) {
		rc = step_from(rows, INT64_MIN);
	} else {
		rc = sqlite3_step(rows->stmt);
	}
	if (rc == SQLITE_DONE) {
		rows->over = true;
		return 0;
	}
	if (rc != SQLITE_ROW)
		return leap(rows);
	id = sqlite3_column_int64(rows->stmt, 0);
	if (id <= rows->last)
		return give_up(rows, "its rows are out of order");
	rows->last = id;
	return 1;
}
