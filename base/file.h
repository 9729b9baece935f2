/* file: whole small files, read under a ceiling and written so that a crash
 * leaves the old one or the new one. Start-up and tools only: these block. */
#ifndef HALLMARK_BASE_FILE_H
#define HALLMARK_BASE_FILE_H

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

#endif
