/* history_files: see history_files.h. */
#include "verifier/daemon/history_files.h"

#include "base/log.h"
#include "verifier/moment.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX  ".db"
#define DAY_LEN 10 /* 2026-11-21 */

/* Bytes of the name up to SUFFIX. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name);

	if (len > strlen(SUFFIX) && strcmp(name + len - 3, SUFFIX) == 0)
		return len - strlen(SUFFIX);
	return len;
}

int history_files_path(
    char out[static HISTORY_PATH_MAX], const char *archive, int64_t day_ms)
{
	char day[MOMENT_TEXT_MAX];
	int n;

	moment_format(day_ms, day);
	n = snprintf(out, HISTORY_PATH_MAX, "%.*s-%.*s" SUFFIX,
	    (int)stem_len(archive), archive, DAY_LEN, day);
	return n > 0 && n < HISTORY_PATH_MAX ? 0 : -1;
}

/* The day of a file of this archive, or -1. */
static int64_t day_of(const char *file, const char *name)
{
	size_t stem = stem_len(name);
	char text[DAY_LEN + sizeof("T00:00:00Z")];
	int64_t ms;

	if (strlen(file) != stem + 1 + DAY_LEN + strlen(SUFFIX) ||
	    strncmp(file, name, stem) != 0 || file[stem] != '-' ||
	    strcmp(file + stem + 1 + DAY_LEN, SUFFIX) != 0)
		return -1;
	snprintf(
	    text, sizeof(text), "%.*sT00:00:00Z", DAY_LEN, file + stem + 1);
	return moment_parse_rfc3339(&ms, text) == 0 ? ms : -1;
}

static void add(struct history_files *files, size_t *cap, int64_t day)
{
	if (files->count == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		files->days = realloc(files->days, *cap * sizeof(*files->days));
		if (!files->days)
			log_die("history", "out of memory");
	}
	files->days[files->count++] = day;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int history_files_list(struct history_files *out, const char *archive)
{
	const char *slash = strrchr(archive, '/');
	const char *name = slash ? slash + 1 : archive;
	char folder[HISTORY_PATH_MAX];
	struct dirent *entry;
	size_t cap = 0;
	DIR *dir;

	memset(out, 0, sizeof(*out));
	snprintf(folder, sizeof(folder), "%.*s",
	    slash ? (int)(slash + 1 - archive) : 1, slash ? archive : ".");
	dir = opendir(folder);
	if (!dir)
		return -1;
	while (out->count < HISTORY_DAYS_MAX && (entry = readdir(dir))) {
		int64_t day = day_of(entry->d_name, name);

		if (day >= 0)
			add(out, &cap, day);
	}
	closedir(dir);
	if (out->count > 0)
		qsort(out->days, out->count, sizeof(*out->days), by_time);
	return 0;
}

void history_files_fini(struct history_files *files)
{
	free(files->days);
	memset(files, 0, sizeof(*files));
}
