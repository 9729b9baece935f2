/* keeper_store: see keeper_store.h. */
#include "vsock-bridge/keeper_store.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_DIGITS_MAX 6

/* The version in "NAME.N"; 0: it is another file. */
static unsigned long version_of(const char *file, const char *name)
{
	size_t len = strlen(name);
	const char *digits;

	if (strncmp(file, name, len) != 0 || file[len] != '.')
		return 0;
	digits = file + len + 1;
	if (digits[0] < '1' || digits[0] > '9' ||
	    strspn(digits, "0123456789") != strlen(digits) ||
	    strlen(digits) > VERSION_DIGITS_MAX)
		return 0;
	return strtoul(digits, NULL, 10);
}

static int look(const char *directory, const char *name, unsigned long *newest,
    size_t *files)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	*newest = 0;
	*files = 0;
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		unsigned long version = version_of(entry->d_name, name);

		*files += entry->d_name[0] != '.';
		if (version > *newest)
			*newest = version;
	}
	closedir(dir);
	return 0;
}

static int path_of(char out[static PATH_MAX], const char *directory,
    const char *name, unsigned long version)
{
	int n = snprintf(out, PATH_MAX, "%s/%s.%lu", directory, name, version);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int keeper_store_get(
    const char *directory, const char *name, uint8_t **blob, size_t *len)
{
	char path[PATH_MAX];
	unsigned long newest;
	size_t files;
	int err = look(directory, name, &newest, &files);

	*blob = NULL;
	*len = 0;
	if (err == 0 && newest == 0)
		err = -ENOENT;
	if (err == 0)
		err = path_of(path, directory, name, newest);
	return err == 0 ? file_read(path, KEEPER_BLOB_MAX, blob, len) : err;
}

int keeper_store_put(
    const char *directory, const char *name, const void *blob, size_t len)
{
	char path[PATH_MAX];
	unsigned long newest;
	size_t files, had_len;
	uint8_t *had;
	int same, err = look(directory, name, &newest, &files);

	if (err != 0)
		return err;
	if (keeper_store_get(directory, name, &had, &had_len) == 0) {
		same = had_len == len && memcmp(had, blob, len) == 0;
		free(had);
		if (same)
			return 0;
	}
	if (files >= KEEPER_FILES_MAX)
		return -EDQUOT;
	err = path_of(path, directory, name, newest + 1);
	return err == 0 ? file_write(path, blob, len, 0600) : err;
}
