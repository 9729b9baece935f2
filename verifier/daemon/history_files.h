/*
 * history_files: the daily files beside an archive. Of "prices.db" they are
 * "prices-2026-11-21.db" and so on, each with the items that were published on
 * that day in UTC. What looks like one but is not a day is none.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_FILES_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_FILES_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_PATH_MAX 4096
#define HISTORY_DAY_MS   86400000
#define HISTORY_DAYS_MAX 36525 /* a century */

struct history_files {
	int64_t *days; /* when they begin, Unix ms, ascending; owned */
	size_t count;
};

/* 0, or -1: the folder cannot be read. */
__attribute__((warn_unused_result)) int history_files_list(
    struct history_files *out, const char *archive);
void history_files_fini(struct history_files *files);

/* 0, or -1: too long. */
__attribute__((warn_unused_result)) int history_files_path(
    char out[static HISTORY_PATH_MAX], const char *archive, int64_t day_ms);

#endif
