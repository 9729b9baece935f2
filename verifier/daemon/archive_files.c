/* archive_files: names of daily files, both ways. */
#include "verifier/daemon/archive_files.h"

#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATE_LEN 10 /* YYYY-MM-DD */
#define PART     ".part"

/* Its length without ".db", if it has that. */
static int stem_len(const char *archive)
{
	size_t len = strlen(archive);

	if (len > 3 && strcmp(archive + len - 3, ".db") == 0)
		len -= 3;
	return (int)len;
}

int archive_files_day(
    char out[static PATH_MAX], const char *archive, int64_t day)
{
	time_t at = (time_t)(day * (ARCHIVE_FILES_DAY_MS / 1000));
	char date[32];
	struct tm tm;
	int n;

	out[0] = '\0';
	if (day < 0 || !gmtime_r(&at, &tm) ||
	    strftime(date, sizeof(date), "%Y-%m-%d", &tm) != DATE_LEN)
		return -1;
	n = snprintf(
	    out, PATH_MAX, "%.*s-%s.db", stem_len(archive), archive, date);
	if (n > 0 && n < PATH_MAX - (int)sizeof(PART))
		return 0;
	out[0] = '\0';
	return -1;
}

static void folder_of(const char *path, char out[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash)
		snprintf(out, PATH_MAX, "%.*s", (int)(slash - path + 1), path);
	else
		snprintf(out, PATH_MAX, ".");
}

/* The day of a file "archive-YYYY-MM-DD.db" + suffix, or -1. */
static int64_t day_of(const char *archive, const char *name, const char *suffix)
{
	const char *slash = strrchr(archive, '/');
	const char *base = slash ? slash + 1 : archive;
	size_t stem = (size_t)stem_len(base);
	char wanted[PATH_MAX], found[PATH_MAX];
	struct tm tm = {0};
	int64_t day;

	if (strlen(name) != stem + 1 + DATE_LEN + 3 + strlen(suffix) ||
	    strncmp(name, base, stem) != 0 ||
	    !strptime(name + stem, "-%Y-%m-%d", &tm))
		return -1;
	day = (int64_t)timegm(&tm) / (ARCHIVE_FILES_DAY_MS / 1000);
	if (archive_files_day(found, base, day))
		return -1;
	snprintf(wanted, sizeof(wanted), "%.*s%s", PATH_MAX - 8, found, suffix);
	return strcmp(name, wanted) == 0 ? day : -1;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t *archive_files_days(const char *archive, size_t *count)
{
	int64_t *days = NULL, day;
	char folder[PATH_MAX];
	struct dirent *entry;
	size_t capacity = 0;
	DIR *dir;

	*count = 0;
	folder_of(archive, folder);
	dir = opendir(folder);
	if (!dir)
		return NULL;
	while (*count < ARCHIVE_FILES_MAX && (entry = readdir(dir))) {
		day = day_of(archive, entry->d_name, "");
		if (day < 0)
			continue;
		if (*count == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			days = realloc(days, capacity * sizeof(*days));
			if (!days)
				log_die("archive", "out of memory");
		}
		days[(*count)++] = day;
	}
	closedir(dir);
	if (days)
		qsort(days, *count, sizeof(*days), by_number);
	return days;
}

void archive_files_clean(const char *archive)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	folder_of(archive, folder);
	dir = opendir(folder);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (day_of(archive, entry->d_name, PART) >= 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void archive_files_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd;

	folder_of(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}
