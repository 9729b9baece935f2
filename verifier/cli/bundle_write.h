/*
 * bundle_write: makes a bundle (verifier/archive/archive_bundle.h) of any size
 * in one pass: the documents go into it as they come, items and heads into two
 * nameless files beside it, which follow at the end. It takes its place when it
 * is whole.
 */
#ifndef HALLMARK_VERIFIER_CLI_BUNDLE_WRITE_H
#define HALLMARK_VERIFIER_CLI_BUNDLE_WRITE_H

#include "base/file.h"
#include "verifier/archive/archive_bundle.h"

#include <stdio.h>

enum { /* its lists */
	BUNDLE_ATTESTATIONS,
	BUNDLE_ITEMS,
	BUNDLE_HEADS,
	BUNDLE_LISTS
};

struct bundle_write {
	struct file_new file;
	char *path; /* owned */
	FILE *lists[BUNDLE_LISTS];
	uint64_t counts[BUNDLE_LISTS];
};

/* Each: 0, or a negative errno. After bundle_write_begin() has succeeded, one
 * of bundle_write_end() (which ends it in any case) and bundle_write_drop(). */
HM_MUST_CHECK int bundle_write_begin(struct bundle_write *out, const char *path,
    const struct archive_bundle_about *about);
/* One member, without a newline in it. */
HM_MUST_CHECK int bundle_write_add(
    struct bundle_write *writer, int list, const char *json);
HM_MUST_CHECK int bundle_write_end(struct bundle_write *writer);
void bundle_write_drop(struct bundle_write *writer);

#endif
