/*
 * archive_rotate_sql: what a day's rotation asks of SQLite, for
 * archive_rotate_db_run() and _ask(). While copying, main is the day's file and
 * other the archive; while removing it is the other way round. The lists end
 * with NULL.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_SQL_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_SQL_H

/* The rows that can hold this day's items: up to those that were published when
 * nothing of the day could be accepted any more. If something was (the clock
 * was set back), a second run looks at `whole`. */
#define ARCHIVE_ROTATE_FIRST_ITEM(schema) \
	"SELECT min(rowid) FROM " schema ".items"
#define ARCHIVE_ROTATE_LAST_ITEM(schema)                        \
	"SELECT max(n) FROM (SELECT (SELECT rowid FROM " schema \
	".items WHERE feed=h.feed AND published_ms < :late_ms"  \
	" ORDER BY published_ms DESC LIMIT 1) AS n"             \
	" FROM (SELECT DISTINCT feed FROM " schema ".heads) AS h)"
#define ARCHIVE_ROTATE_LAST_OF_ALL(schema) \
	"SELECT max(rowid) FROM " schema ".items"

/* published_ms of the oldest item that is no earlier than :from_ms. */
extern const char archive_rotate_sql_oldest[];

/* In the order in which they stand in the archive. */
extern const char *const archive_rotate_sql_copy_items[];
extern const char *const archive_rotate_sql_copy_heads[];
extern const char *const archive_rotate_sql_copy_raw[];

/* Only what is in the day's file, the same. */
extern const char *const archive_rotate_sql_remove_items[];
extern const char *const archive_rotate_sql_remove_heads[];
extern const char *const archive_rotate_sql_remove_raw[];
extern const char *const archive_rotate_sql_remove_attestations[];

#endif
