/*
 * archive_aside: a damaged archive gets out of the way, and stays.
 *
 *   archive.db        ->  archive.db.corrupt-20261121T090000Z
 *   archive.db-wal    ->  archive.db.corrupt-20261121T090000Z-wal
 *
 * To write on into a damaged file can destroy what is still good in it, and to
 * wait for an operator means that no price is served meanwhile. What is under
 * the new name is as it was found, and `hallmark replay` or sqlite3's .recover
 * reads what can be read. Nothing ever removes it.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_ASIDE_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_ASIDE_H

#include "verifier/daemon/archive.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Is this file, damaged or not, an archive of ours? By its first bytes alone:
 * a path that leads to something else by mistake must not be touched. */
bool archive_aside_is_ours(const char *path);

/* archive_open; but one that is ours and cannot be opened for its damage is set
 * aside first, and `aside` says where. Else `aside` is as it was. */
__attribute__((warn_unused_result)) enum archive_state archive_aside_open(
    struct archive **out, const char *path, char aside[static PATH_MAX],
    char error[static ARCHIVE_ERROR_MAX]);

/*
 * No connection of this process may be open. 0 and the new name; or -errno, ""
 * and the archive is where it was. A crash in between leaves it in one of the
 * two places with its -wal beside it.
 */
__attribute__((warn_unused_result)) int archive_aside(
    const char *path, int64_t now_ms, char to[static PATH_MAX]);

#endif
