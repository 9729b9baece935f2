/* archive_reader: what the readers of the forms share: each is a struct
 * archive_source that begins with this. */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_READER_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_READER_H

#include "verifier/archive/archive_bundle.h"

struct archive_source {
	/* contracts: those of archive_source_next and _close; `out` is zeroed
	 * but for its path */
	int (*next)(struct archive_source *source, struct archive_entry *out);
	void (*close)(struct archive_source *source);
	uint64_t total;
	const struct archive_bundle_about *about; /* of a bundle, or NULL */
	char *path; /* owned: the file, for people */
};

/* Each takes what it is given: 0, or -1, *out NULL and why. */

/* NDJSON or bundle, told apart by the beginning. */
HM_MUST_CHECK int archive_text_open(struct archive_source **out, int fd,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);
HM_MUST_CHECK int archive_text_open_memory(struct archive_source **out,
    const char *bytes, size_t len, char error[static ARCHIVE_SOURCE_ERROR_MAX]);

/* Read-only; where there is no PATH-wal or PATH-journal beside it, it is taken
 * to be one that nobody writes. */
HM_MUST_CHECK int archive_sqlite_open(struct archive_source **out,
    const char *path, char error[static ARCHIVE_SOURCE_ERROR_MAX]);
/* The bytes of a database file, copied; for tests and fuzzing. */
HM_MUST_CHECK int archive_sqlite_open_memory(struct archive_source **out,
    const void *bytes, size_t len, char error[static ARCHIVE_SOURCE_ERROR_MAX]);

#endif
