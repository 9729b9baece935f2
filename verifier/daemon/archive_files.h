/*
 * archive_files: the files of an archive, by their names.
 *
 *   archive.db                  what is being written
 *   archive-2026-11-21.db       a day that is over (UTC, of published_ms)
 *   archive-2026-11-21.db.part  one that is being made
 *
 * A day is a number here: days since 1970-01-01.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_FILES_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_FILES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_FILES_DAY_MS 86400000LL
#define ARCHIVE_FILES_MAX    36600 /* days that are looked at: a century */

/* `archive` is the path of the main file. 0, or -1: too long, or no date. */
__attribute__((warn_unused_result)) int archive_files_day(
    char out[static PATH_MAX], const char *archive, int64_t day);

/* The days that have a file, in order, as an array to free; NULL if none.
 * Names that we would not give are none of ours. */
int64_t *archive_files_days(const char *archive, size_t *count);

/* Removes what a crash left of files that were being made. */
void archive_files_clean(const char *archive);

/* Makes the names in the folder of `path` durable. */
void archive_files_sync_folder(const char *path);

#endif
