/*
 * archive_rotate_db: one connection to two files, and statements about a window
 * of rows of one day. These parameters may stand in any of them:
 *
 *   :after, :upto    rowids of the window
 *   :from_ms, :to_ms the day
 *   :late_ms         its end, and as long after it as its items may come
 *   :raw_ms          what was received from then on is the next day's as well
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_DB_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_DB_H

#include <sqlite3.h>
#include <stdint.h>

struct archive_rotate_db {
	sqlite3 *db;       /* NULL if closed */
	int64_t day;       /* the caller's */
	int64_t row, last; /* rowids: done up to, and the last one */
};

/* `other` is attached under that name. All of these: 0, or -1 and SQLite knows
 * why. */
int archive_rotate_db_open(struct archive_rotate_db *db, const char *path,
    const char *other, const char *pragmas);
void archive_rotate_db_close(struct archive_rotate_db *db);
int archive_rotate_db_exec(struct archive_rotate_db *db, const char *sql);

/* *answer is the first column of the first row, `none` if that is NULL. */
int archive_rotate_db_ask(struct archive_rotate_db *db, const char *sql,
    int64_t none, int64_t *answer);

/* Statements up to a NULL, in one transaction, for `rows` rows after db->row.
 */
int archive_rotate_db_run(
    struct archive_rotate_db *db, const char *const *sql, int64_t rows);

/* Sets row and last for a run over what these two ask for. */
int archive_rotate_db_rows(
    struct archive_rotate_db *db, const char *first, const char *last);

#endif
