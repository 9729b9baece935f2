/*
 * archive_expire: what is older than an archive keeps: files of days, and in
 * the archive itself the logs of boots that ended before (their heads, and the
 * hashes of their trees: of a running boot all are needed for its proofs).
 *
 * Days are counted from the newest that has a file, if the clock is beyond the
 * day after it: one that is years ahead must not remove all of them.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_EXPIRE_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_EXPIRE_H

#include "verifier/daemon/archive.h"

#define ARCHIVE_EXPIRE_TILES 500 /* of 8 KiB, of one step */

/* One step, of some milliseconds. keep_days >= 1. 1: there is more to do; 0:
 * that is all, for now; -1: it failed and why. */
__attribute__((warn_unused_result)) int archive_expire(const char *archive,
    int64_t keep_days, int64_t now_ms, char error[static ARCHIVE_ERROR_MAX]);

#endif
