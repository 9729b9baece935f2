/* log_day: see log_day.h. */
#include "verifier/daemon/log_day.h"

#include "verifier/daemon/archive_files.h"

#include <openssl/sha.h>

sqlite3 *log_day_open(sqlite3 *db, int64_t time_ms)
{
	const char *archive = sqlite3_db_filename(db, "main");
	char path[PATH_MAX];
	sqlite3 *day = NULL;

	if (!archive || !archive[0] ||
	    archive_files_day(path, archive, time_ms / ARCHIVE_FILES_DAY_MS))
		return NULL;
	if (sqlite3_open_v2(path, &day, SQLITE_OPEN_READONLY, NULL)) {
		sqlite3_close(day);
		return NULL;
	}
	sqlite3_db_config(day, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(day, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return day;
}

int log_day_item_sha256(
    sqlite3 *db, const struct log_day_item *item, uint8_t out[HM_SHA256_LEN])
{
	static const char sql[] = "SELECT content FROM items WHERE feed=?1"
				  " AND boot_id=?2 AND sequence=?3";
	sqlite3_stmt *s = NULL;
	const void *content = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(s, 1, item->feed, -1, SQLITE_STATIC) == 0 &&
	    sqlite3_bind_text(s, 2, item->boot_id, -1, SQLITE_STATIC) == 0 &&
	    sqlite3_bind_int64(s, 3, (sqlite3_int64)item->sequence) == 0 &&
	    sqlite3_step(s) == SQLITE_ROW &&
	    (content = sqlite3_column_text(s, 0)) != NULL)
		SHA256(content, (size_t)sqlite3_column_bytes(s, 0), out);
	sqlite3_finalize(s);
	return content ? 0 : -1;
}

int log_day_item_then(sqlite3 *db, const struct log_day_item *item,
    int64_t head_ms, uint8_t out[HM_SHA256_LEN])
{
	int rc = -1;

	for (int before = 0; before < 2 && rc; before++) {
		sqlite3 *day = log_day_open(
		    db, head_ms - before * ARCHIVE_FILES_DAY_MS);

		if (day)
			rc = log_day_item_sha256(day, item, out);
		sqlite3_close(day);
	}
	return rc;
}
