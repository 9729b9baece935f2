/*
 * archive_check: whether a file as a whole is sound, asked after its items have
 * been read: every page (PRAGMA quick_check), and every index.
 *
 * PRAGMA integrity_check would look each item up in both its indexes, and read
 * all of the file once more for it. Here the keys of the rows are added up as
 * the rows go by; then each index is walked alone, must be in order, and must
 * add up to the same. The sums are keyed by chance, so no file can be made to
 * fit them. Where a row could not be read or has columns of other types, and
 * for the small tables, integrity_check has the last word.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_CHECK_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_CHECK_H

#include "verifier/archive/archive_source.h"

#include <sqlite3.h>

struct archive_check_sums {
	uint64_t key, time, count; /* by (feed, boot_id, sequence); by time */
};

struct archive_check {
	sqlite3 *db; /* borrowed */
	int version;
	uint64_t chance;
	struct archive_check_sums rows;
	bool lost; /* not every row could be read and added */
	unsigned stage;
	sqlite3_stmt *stmt;
	char problem[ARCHIVE_SOURCE_ERROR_MAX]; /* the last one */
};

void archive_check_init(struct archive_check *check, sqlite3 *db, int version);
void archive_check_fini(struct archive_check *check);

/* A row of items; the columns are those of archive_sqlite_row.h. */
void archive_check_add(struct archive_check *check, sqlite3_stmt *row);
/* There are items that could not be read. */
void archive_check_lost(struct archive_check *check);

/* After the last row. 1: `problem` says something is wrong, go on; 0: that was
 * all. */
HM_MUST_CHECK int archive_check_next(struct archive_check *check);

#endif
