/* file: whole small files, read under a ceiling and written so that a crash
 * leaves the old one or the new one. Start-up and tools only: these block. */
#ifndef HALLMARK_BASE_FILE_H
#define HALLMARK_BASE_FILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* Reads all of `path` ("-" is standard input) into `*data`, NUL-terminated
 * past its end; the caller frees it. Returns 0, or -errno: -EFBIG when it is
 * longer than max bytes. On failure *data is NULL and *len 0. */
__attribute__((warn_unused_result)) int file_read(
    const char *path, size_t max, uint8_t **data, size_t *len);

/* Writes beside `path`, syncs, renames over it. mode as for open(2).
 * Returns 0 or -errno. */
__attribute__((warn_unused_result)) int file_write(
    const char *path, const void *data, size_t len, unsigned mode);

/* A file that is being made beside `path`, and takes its place when it is
 * whole. Its place is the caller's to keep: use pread(2) and pwrite(2). */
struct file_new {
	int fd;           /* for both; -1 when there is none */
	const char *path; /* borrowed until it ends */
	char temp[PATH_MAX];
};

/* 0 or -errno, and then there is none. */
__attribute__((warn_unused_result)) int file_begin(
    struct file_new *file, const char *path, unsigned mode);
/* Syncs and renames; 0, or -errno and `path` is as it was (or new, but a crash
 * could bring back the old one: its folder would not sync). Ends it. */
__attribute__((warn_unused_result)) int file_commit(struct file_new *file);
/* Ends it if it has not ended, and leaves `path` as it is. */
void file_abandon(struct file_new *file);

#endif
