/*
 * history_archive: an archive and the daily files beside it, to be read from.
 *
 * The archive is opened first, the folder read after that: what had been moved
 * to a daily file by then is found there, and what had not in the archive.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_ARCHIVE_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_ARCHIVE_H

#include "verifier/archive/archive_sqlite_db.h"
#include "verifier/daemon/archive_files.h"

struct history_archive {  /* one moment of it */
	const char *path; /* borrowed */
	sqlite3 *db;
	int64_t *days; /* those with a file, in order; owned */
	size_t day_count;
};

/* 0, or -1 and why; then nothing is left to close. */
__attribute__((warn_unused_result)) int history_archive_open(
    struct history_archive *out, const char *path,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);
void history_archive_close(struct history_archive *archive);

/* Opens a day's file, for sqlite3_close(). 0, *out NULL if it was removed since
 * it was listed; or -1 and why. */
__attribute__((warn_unused_result)) int history_archive_open_day(
    const struct history_archive *archive, int64_t day, sqlite3 **out,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);
/* "prices-2026-11-21.db: " before what went wrong with that day. */
void history_archive_blame(const struct history_archive *archive, int64_t day,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);

/* Has it ever had an item of this feed? 1, 0 or -1. */
int history_archive_has(
    const struct history_archive *archive, const char *feed);

/* The document of this hash, in a new buffer that the caller frees; the newest
 * `files` daily files are looked into. 1, 0 (none) or -1 and why. */
__attribute__((warn_unused_result)) int history_archive_document(
    const struct history_archive *archive, const char *sha256_hex,
    unsigned files, uint8_t **out, size_t *len,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);

#endif
