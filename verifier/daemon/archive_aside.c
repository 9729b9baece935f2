/*
 * archive_aside: two files change their names. The -wal goes first, and as a
 * second link: SQLite deletes a -wal that it finds beside an empty database,
 * and there are committed items in it.
 */
#include "verifier/daemon/archive_aside.h"

#include "base/now.h"
#include "verifier/daemon/archive_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADER_LEN 72  /* of the database's 100 bytes */
#define ID_AT      68  /* big endian (sqlite.org/fileformat2, 1.3) */
#define NAMES_MAX  100 /* set aside within one second */

bool archive_aside_is_ours(const char *path)
{
	static const uint8_t id[] = {'H', 'M', 'K', '1'};
	uint8_t header[HEADER_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, header, sizeof(header), 0);
	close(fd);
	return n == HEADER_LEN && memcmp(header, "SQLite format 3", 16) == 0 &&
	       memcmp(header + ID_AT, id, sizeof(id)) == 0;
}

/* archive.db.corrupt-TIME, or with -2, -3 ... if there is one. */
static int find_name(const char *path, int64_t now_ms, char to[static PATH_MAX])
{
	time_t now = (time_t)(now_ms / 1000);
	char when[32], more[16] = "";
	struct tm tm;

	if (!gmtime_r(&now, &tm) ||
	    !strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm))
		return -EOVERFLOW;
	for (int i = 2; i < NAMES_MAX; i++) {
		int n = snprintf(
		    to, PATH_MAX, "%s.corrupt-%s%s", path, when, more);

		if (n < 0 || n >= PATH_MAX - 4) /* "-wal" */
			return -ENAMETOOLONG;
		if (access(to, F_OK) != 0)
			return 0;
		snprintf(more, sizeof(more), "-%d", i);
	}
	return -EEXIST;
}

static int link_or_rename(const char *from, const char *to)
{
	if (link(from, to) == 0 || errno == ENOENT)
		return 0;
	return rename(from, to) == 0 ? 0 : -errno; /* no links there */
}

static int move(const char *path, const char *to)
{
	char wal[PATH_MAX], wal_to[PATH_MAX + 4];
	int rc;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(wal_to, sizeof(wal_to), "%s-wal", to);
	rc = link_or_rename(wal, wal_to);
	if (rc)
		return rc;
	if (rename(path, to)) {
		rc = -errno;
		(void)rename(wal_to, wal);
		return rc;
	}
	(void)unlink(wal);
	snprintf(wal, sizeof(wal), "%s-shm", path);
	(void)unlink(wal); /* made anew from the -wal */
	archive_files_sync_folder(path);
	return 0;
}

int archive_aside(const char *path, int64_t now_ms, char to[static PATH_MAX])
{
	int rc = find_name(path, now_ms, to);

	if (rc == 0)
		rc = move(path, to);
	if (rc)
		to[0] = '\0';
	return rc;
}

enum archive_state archive_aside_open(struct archive **out, const char *path,
    char aside[static PATH_MAX], char error[static ARCHIVE_ERROR_MAX])
{
	enum archive_state state = archive_open(out, path, error);

	if (state != ARCHIVE_CORRUPT)
		return state;
	if (!archive_aside_is_ours(path))
		return ARCHIVE_FOREIGN;
	if (archive_aside(path, now_unix_ms(), aside))
		return state;
	return archive_open(out, path, error);
}
