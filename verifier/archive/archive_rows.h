/*
 * archive_rows: the rows of one table in the order in which they were written,
 * past what is damaged. A page that cannot be read ends SQLite's own scan; this
 * goes on behind it and says which rows are lost.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_ROWS_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_ROWS_H

#include "verifier/archive/archive_source.h"

#include <sqlite3.h>

struct archive_rows {
	sqlite3 *db;        /* borrowed */
	sqlite3_stmt *stmt; /* owned; its first column is the rowid */
	sqlite3_int64 last; /* rowid of the row in hand, or before it */
	sqlite3_int64 end;  /* the greatest rowid, as far as known */
	char problem[ARCHIVE_SOURCE_ERROR_MAX];
	bool over;
};

/* sql: SELECT rowid, ... WHERE rowid > ?1 ORDER BY rowid; greatest: SELECT
 * max(rowid) ... Failures come with the first archive_rows_next(). */
void archive_rows_open(struct archive_rows *rows, sqlite3 *db, const char *sql,
    const char *greatest);
void archive_rows_close(struct archive_rows *rows);

/* 1: stmt has a row, number `last`; 0: no more; -1: `problem`, and then go
 * on. */
HM_MUST_CHECK int archive_rows_next(struct archive_rows *rows);

#endif
