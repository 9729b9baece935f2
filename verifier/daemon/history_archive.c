/* history_archive: see history_archive.h. */
#include "verifier/daemon/history_archive.h"

#include "base/log.h"
#include "feeds/hex.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool cannot_list(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	       error == EACCES;
}

int history_archive_open(struct history_archive *out, const char *path,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	int version;

	memset(out, 0, sizeof(*out));
	out->path = path;
	if (archive_sqlite_db_open(&out->db, path, &version, error) != 0)
		return -1;
	errno = 0;
	out->days = archive_files_days(path, &out->day_count);
	if (out->days || !cannot_list(errno))
		return 0;
	/* Days that are not seen are not days that are not there. */
	snprintf(
	    error, ARCHIVE_SOURCE_ERROR_MAX, "its folder: %s", strerror(errno));
	history_archive_close(out);
	return -1;
}

void history_archive_close(struct history_archive *archive)
{
	sqlite3_close(archive->db);
	free(archive->days);
	memset(archive, 0, sizeof(*archive));
}

/* ---- daily files ---- */

void history_archive_blame(const struct history_archive *archive, int64_t day,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	char path[PATH_MAX], why[ARCHIVE_SOURCE_ERROR_MAX];
	const char *slash;

	if (archive_files_day(path, archive->path, day) != 0)
		return;
	slash = strrchr(path, '/');
	snprintf(why, sizeof(why), "%s", error);
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "%.100s: %.150s",
	    slash ? slash + 1 : path, why);
}

int history_archive_open_day(const struct history_archive *archive, int64_t day,
    sqlite3 **out, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	char path[PATH_MAX];
	struct stat st;
	int version;

	*out = NULL;
	if (archive_files_day(path, archive->path, day) != 0) {
		snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "path too long");
		return -1;
	}
	/* Old files are removed; what was there is no longer kept. */
	if (stat(path, &st) != 0 && errno == ENOENT)
		return 0;
	if (archive_sqlite_db_open(out, path, &version, error) == 0)
		return 0;
	history_archive_blame(archive, day, error);
	return -1;
}

/* ---- what is in it ---- */

int history_archive_has(const struct history_archive *archive, const char *feed)
{
	sqlite3_stmt *s = NULL;
	int rc;

	if (sqlite3_prepare_v2(archive->db,
		"SELECT 1 FROM heads WHERE feed = ?1 LIMIT 1", -1, &s,
		NULL) != SQLITE_OK ||
	    sqlite3_bind_text(s, 1, feed, -1, SQLITE_TRANSIENT) != SQLITE_OK) {
		sqlite3_finalize(s);
		return -1;
	}
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

/* Its bytes must have that hash: whatever else stands there is none. */
static uint8_t *copy_document(
    sqlite3_stmt *stmt, const char *sha256_hex, size_t *len)
{
	const void *bytes = sqlite3_column_blob(stmt, 0);
	char hex[2 * HM_SHA256_LEN + 1];
	uint8_t hash[HM_SHA256_LEN];
	uint8_t *out;

	*len = (size_t)sqlite3_column_bytes(stmt, 0);
	if (!bytes || *len > HM_DOCUMENT_MAX)
		return NULL;
	SHA256(bytes, *len, hash);
	hex_encode(hash, sizeof(hash), hex);
	if (strcmp(hex, sha256_hex) != 0)
		return NULL;
	out = malloc(*len);
	if (!out)
		log_die("history", "out of memory");
	memcpy(out, bytes, *len);
	return out;
}

/* 1, 0 or -1 and why. */
static int find_document(sqlite3 *db, const char *sha256_hex, uint8_t **out,
    size_t *len, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	sqlite3_stmt *s = NULL;
	int rc = SQLITE_ERROR;

	if (sqlite3_prepare_v2(db,
		"SELECT document FROM attestations WHERE sha256 = ?1", -1, &s,
		NULL) == SQLITE_OK &&
	    sqlite3_bind_text(s, 1, sha256_hex, -1, SQLITE_TRANSIENT) ==
		SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = copy_document(s, sha256_hex, len);
	else if (rc != SQLITE_DONE)
		snprintf(
		    error, ARCHIVE_SOURCE_ERROR_MAX, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? *out != NULL : rc == SQLITE_DONE ? 0 : -1;
}

int history_archive_document(const struct history_archive *archive,
    const char *sha256_hex, unsigned files, uint8_t **out, size_t *len,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	size_t i = archive->day_count;
	int found;

	*out = NULL;
	found = find_document(archive->db, sha256_hex, out, len, error);
	for (; found == 0 && i > 0 && files > 0; i--, files--) {
		int64_t day = archive->days[i - 1];
		sqlite3 *db;

		if (history_archive_open_day(archive, day, &db, error) != 0)
			return -1;
		if (db)
			found = find_document(db, sha256_hex, out, len, error);
		sqlite3_close(db);
		if (found < 0)
			history_archive_blame(archive, day, error);
	}
	return found;
}
