/*
 * archive_sqlite_db: opens a database file that anybody may have made, so that
 * nothing in it runs (no trigger, view, virtual table: its schema is ours,
 * letter by letter, or it is refused) and every size has a ceiling.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_DB_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_DB_H

#include "verifier/archive/archive_source.h"

#include <sqlite3.h>

/* SQLite's own memory, of the whole process, if it has no ceiling yet. */
#define ARCHIVE_SQLITE_HEAP_MAX (256 << 20)
/* Bytes of a row: a raw answer and what stands beside it. */
#define ARCHIVE_SQLITE_ROW_MAX   (ARCHIVE_SOURCE_RAW_MAX + 65536)
#define ARCHIVE_SQLITE_CACHE_KIB 1024
#define ARCHIVE_SQLITE_WAIT_MS   2000 /* for a writer's lock */

/* 0 and *version, or -1, *out NULL and why. */
HM_MUST_CHECK int archive_sqlite_db_open(sqlite3 **out, const char *path,
    int *version, char error[static ARCHIVE_SOURCE_ERROR_MAX]);
HM_MUST_CHECK int archive_sqlite_db_open_memory(sqlite3 **out,
    const void *bytes, size_t len, int *version,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);

/* The first column of the only row, or -1. */
int64_t archive_sqlite_db_ask(sqlite3 *db, const char *sql);

#endif
