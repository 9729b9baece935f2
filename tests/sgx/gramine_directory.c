/* gramine_directory: see gramine_directory.h. */
#include "tests/sgx/gramine_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void gramine_directory_path(
    char out[static GRAMINE_PATH_MAX], const char *directory, const char *name)
{
	snprintf(out, GRAMINE_PATH_MAX, "%s/%s", directory, name);
}

static void write_text(
    const char *directory, const char *name, const char *text)
{
	char path[GRAMINE_PATH_MAX];
	FILE *file;

	gramine_directory_path(path, directory, name);
	file = fopen(path, "w");
	need(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

/* Takes the place of the one before at once: whoever opens it next meets
 * another pipe than who is reading. */
static void new_pipe(const char *directory)
{
	char path[GRAMINE_PATH_MAX], next[GRAMINE_PATH_MAX];

	gramine_directory_path(path, directory, "quote");
	gramine_directory_path(next, directory, ".quote");
	need(mkfifo(next, 0600) == 0 && rename(next, path) == 0, path);
}

void gramine_directory_make(const char *directory, const char *type)
{
	write_text(directory, "attestation_type", type);
	write_text(directory, "user_report_data", "");
	new_pipe(directory);
}

static void read_report_data(const char *directory, uint8_t out[64])
{
	char path[GRAMINE_PATH_MAX];
	FILE *file;

	memset(out, 0, 64);
	gramine_directory_path(path, directory, "user_report_data");
	file = fopen(path, "r");
	need(file != NULL, path);
	(void)!fread(out, 1, 64, file);
	fclose(file);
}

void gramine_directory_serve(const char *directory,
    const struct quote_maker *maker, const struct quote_maker_body *body)
{
	struct quote_maker_body own = *body;
	uint8_t quote[QUOTE_MAKER_MAX];
	char path[GRAMINE_PATH_MAX];
	size_t len;
	int fd;

	gramine_directory_path(path, directory, "quote");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0, path);
	new_pipe(directory);
	read_report_data(directory, own.report_data);
	len = quote_maker_quote(maker, &own, quote);
	need(write(fd, quote, len) == (ssize_t)len && close(fd) == 0, path);
}

void gramine_directory_remove(const char *directory)
{
	static const char *const names[] = {
	    "attestation_type", "user_report_data", "quote"};
	char path[GRAMINE_PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		gramine_directory_path(path, directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}
