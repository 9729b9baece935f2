/* archive_source: which form it is, and on to its reader. */
#include "verifier/archive/archive_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sqlite.org/fileformat.html, 1.3.1 */
static const char sqlite_magic[] = "SQLite format 3";

static bool is_sqlite(int fd)
{
	char first[sizeof(sqlite_magic)] = "";

	return pread(fd, first, sizeof(first), 0) == (ssize_t)sizeof(first) &&
	       memcmp(first, sqlite_magic, sizeof(first)) == 0;
}

static int open_fd(struct archive_source **out, int fd, const char *path,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	if (!is_sqlite(fd))
		return archive_text_open(out, fd, error);
	close(fd);
	return archive_sqlite_open(out, path, error);
}

int archive_source_open_fd(struct archive_source **out, int fd,
    const char *path, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	if (open_fd(out, fd, path, error) != 0)
		return -1;
	(*out)->path = strdup(path);
	if ((*out)->path != NULL)
		return 0;
	archive_source_close(*out);
	*out = NULL;
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "out of memory");
	return -1;
}

int archive_source_open(struct archive_source **out, const char *path,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	bool is_input = strcmp(path, "-") == 0;
	int fd = is_input ? dup(STDIN_FILENO)
			  : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	*out = NULL;
	if (fd < 0) {
		snprintf(
		    error, ARCHIVE_SOURCE_ERROR_MAX, "%s", strerror(errno));
		return -1;
	}
	return archive_source_open_fd(
	    out, fd, is_input ? "standard input" : path, error);
}

int archive_source_next(
    struct archive_source *source, struct archive_entry *out)
{
	memset(out, 0, sizeof(*out));
	out->path = source->path ? source->path : "";
	return source->next(source, out);
}

uint64_t archive_source_total(const struct archive_source *source)
{
	return source->total;
}

const struct archive_bundle_about *archive_source_bundle(
    const struct archive_source *source)
{
	return source->about;
}

void archive_source_close(struct archive_source *source)
{
	if (source == NULL)
		return;
	free(source->path);
	source->close(source);
}

void archive_entry_where(const struct archive_entry *entry,
    char out[static ARCHIVE_SOURCE_WHERE_MAX])
{
	/* The place is what counts: a long path loses its beginning. */
	size_t len = strlen(entry->path);
	const char *path = len > 180 ? entry->path + len - 180 : entry->path;

	snprintf(out, ARCHIVE_SOURCE_WHERE_MAX, "%s: %s %llu", path,
	    entry->unit ? entry->unit : "", (unsigned long long)entry->number);
}
