/* archive_expire: see archive_expire.h. */
#include "verifier/daemon/archive_expire.h"

#include "base/log.h"
#include "verifier/daemon/archive_files.h"
#include "verifier/daemon/archive_rotate_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void remove_day(const char *path)
{
	if (unlink(path) == 0)
		log_info("archive", "day_removed", LOG_S("file", path));
	else
		log_warn("archive", "day_not_removed", LOG_S("file", path),
		    LOG_S("why", strerror(errno)));
}

/* Removes files; the first day that is kept, INT64_MIN if no day has one. */
static int64_t remove_days(const char *archive, int64_t keep_days, int64_t now)
{
	int64_t today = now / ARCHIVE_FILES_DAY_MS, first = INT64_MIN;
	char path[PATH_MAX];
	size_t count;
	int64_t *days = archive_files_days(archive, &count);

	if (count > 0 && today > days[count - 1] + 1)
		today = days[count - 1] + 1;
	if (count > 0)
		first = today - keep_days;
	for (size_t i = 0; i < count && days[i] < first; i++)
		if (archive_files_day(path, archive, days[i]) == 0)
			remove_day(path);
	free(days);
	return first;
}

/* ---- logs of boots ---- */

/* Of the window's first day: :from_ms. */
#define ENDED                                              \
	"(SELECT boot_id FROM tree_heads GROUP BY boot_id" \
	" HAVING max(published_ms) < :from_ms)"

static const char *const remove_tiles[] = {
    "DELETE FROM log_tiles WHERE rowid IN (SELECT rowid FROM log_tiles"
    " WHERE boot_id IN " ENDED " LIMIT :upto)",
    NULL,
};

/* When no tile of theirs is left. */
static const char *const remove_heads[] = {
    "DELETE FROM tree_heads WHERE boot_id IN " ENDED,
    NULL,
};

static int forget(struct archive_rotate_db *db)
{
	int64_t boots;

	if (archive_rotate_db_ask(db, "SELECT count(*) FROM " ENDED, 0, &boots))
		return -1;
	if (boots == 0)
		return 0;
	if (archive_rotate_db_run(db, remove_tiles, ARCHIVE_EXPIRE_TILES))
		return -1;
	if (sqlite3_changes(db->db) > 0)
		return 1;
	return archive_rotate_db_run(db, remove_heads, 0);
}

int archive_expire(const char *archive, int64_t keep_days, int64_t now_ms,
    char error[static ARCHIVE_ERROR_MAX])
{
	struct archive_rotate_db db = {
	    .day = remove_days(archive, keep_days, now_ms)};
	int rc;

	if (db.day == INT64_MIN)
		return 0;
	rc = archive_rotate_db_open(
	    &db, archive, ":memory:", "PRAGMA synchronous=FULL");
	if (rc == 0)
		rc = forget(&db);
	if (rc < 0)
		snprintf(error, ARCHIVE_ERROR_MAX, "%s", sqlite3_errmsg(db.db));
	archive_rotate_db_close(&db);
	return rc;
}
