/*
 * archive_fetch: a verifier's history (GET /history, feed by feed, and the
 * documents that its items name, and the heads of the log) as NDJSON in a
 * nameless file, and that as an archive_source. What it says is as little
 * believed as any other archive. Blocking.
 */
#ifndef HALLMARK_VERIFIER_CLI_ARCHIVE_FETCH_H
#define HALLMARK_VERIFIER_CLI_ARCHIVE_FETCH_H

#include "verifier/cli/archives.h"

#define ARCHIVE_FETCH_PAGE_ITEMS 10000
#define ARCHIVE_FETCH_PAGE_MAX   (16u << 20) /* bytes; verifierd: 4 MiB */
#define ARCHIVE_FETCH_PAGES_MAX  10000000    /* of one feed */
#define ARCHIVE_FETCH_BOOTS_MAX  4096

/* http://, https:// or unix:// */
bool archive_fetch_is_url(const char *path);

HM_MUST_CHECK int archive_fetch_open(struct archive_source **out,
    const char *url, const struct archives_wish *wish,
    char error[static ARCHIVES_ERROR_MAX]);

#endif
