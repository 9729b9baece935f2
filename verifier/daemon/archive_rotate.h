/*
 * archive_rotate: days that are over go into files that stand alone.
 *
 *   idle -> copy -> seal -> name -> remove -> idle
 *
 *   copy    items, tree heads, raw answers of the day, and the attestations
 *           that they need, into archive-YYYY-MM-DD.db.part
 *   seal    that file is synced
 *   name    it becomes archive-YYYY-MM-DD.db
 *   remove  what is in it is removed from the main file, row by row compared
 *
 * Killed at any point, nothing is lost: until it has its name the .part is
 * waste, and from then on a start goes on with `remove`. Until that is done an
 * item is in both files; who reads both takes it once. An item that came after
 * its day had been named is put into the file by making it again.
 *
 * The newest tree head of each boot stays in the main file as well, so do raw
 * answers of the day's last minute (the next day's first items name them).
 * Blocking, in steps of some milliseconds: on the thread pool, by whoever
 * writes the archive, between two batches.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_ROTATE_H

#include "verifier/daemon/archive.h"

/* After midnight, until nothing can be accepted any more of the day before:
 * VALIDATOR_LATE_MS and some minutes. */
#define ARCHIVE_ROTATE_GRACE_MS (65 * 60 * 1000LL)
#define ARCHIVE_ROTATE_ROWS     500 /* items of one step */
#define ARCHIVE_ROTATE_BODIES   64  /* raw answers of one step */
#define ARCHIVE_ROTATE_RAW_MS   60000

struct archive_rotate;

/* keep_days: what is older than the last so many goes (archive_expire.h); 0:
 * never. Removes what an earlier process left half made. */
struct archive_rotate *archive_rotate_new(const char *path, int64_t keep_days);
void archive_rotate_free(struct archive_rotate *rotate); /* NULL is fine */

/* One step. 1: there is more to do; 0: nothing is, for now; -1: it failed and
 * why, and begins again with the next call. */
__attribute__((warn_unused_result)) int archive_rotate_step(
    struct archive_rotate *rotate, int64_t now_ms,
    char error[static ARCHIVE_ERROR_MAX]);

/* Forgets what it was doing, and the archive (which may be another now). NULL
 * is fine. */
void archive_rotate_reset(struct archive_rotate *rotate);

#endif
