/* eif_folder: a folder of its own to work in, with the parts of an image. */
#ifndef HALLMARK_TESTS_CLI_EIF_FOLDER_H
#define HALLMARK_TESTS_CLI_EIF_FOLDER_H

#include "hear.h"

#include "base/file.h"
#include "verifier/eif/eif_reader.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[64];

static inline void write_file(const char *name, const void *bytes, size_t len)
{
	assert_int_equal(file_write(name, bytes, len, 0600), 0);
}

static inline void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static inline int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_eif.XXXXXX");
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	write_text("kernel", "kernel");
	write_text("boot", "boot");
	write_text("app", "app");
	write_text("empty", "");
	return 0;
}

/* How many files are in there; with `remove` none are left. */
static inline int count_files(bool remove)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (remove)
			unlink(entry->d_name);
	}
	closedir(dir);
	return n;
}

static inline int remove_folder(void **state)
{
	(void)state;
	count_files(true);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

#define RUN(command, stream, ...) \
	hear(&(command), stream, (const char *const[]){__VA_ARGS__, NULL})

#endif
