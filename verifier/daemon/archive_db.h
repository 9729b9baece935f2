/* archive_db: what archive.c (open), archive_write.c and archive_read.c share.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_DB_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_DB_H

#include "verifier/daemon/archive.h"

#include <sqlite3.h>

#define ARCHIVE_BOOT_ID_LEN 16
#define ARCHIVE_ATTESTED    8 /* one item's, and some */

enum archive_statement {
	ARCHIVE_BEGIN,
	ARCHIVE_COMMIT,
	ARCHIVE_ADD_ATTESTATION,
	ARCHIVE_ADD_ITEM,
	ARCHIVE_ADD_COSIGNATURE,
	ARCHIVE_FIND_ITEM,
	ARCHIVE_ADD_HEAD,
	ARCHIVE_ADD_REFUSED,
	ARCHIVE_TRIM_REFUSED,
	ARCHIVE_ADD_CURSOR,
	ARCHIVE_STATEMENTS
};

struct archive {
	sqlite3 *db;
	sqlite3_stmt *prepared[ARCHIVE_STATEMENTS];
	/* hashes of the last documents of this batch, borrowed from it */
	const uint8_t *attested[ARCHIVE_ATTESTED];
	size_t next_attested;
	int step_errno; /* SQLite keeps none of a COMMIT that fails */
};

/* 0 or -1; SQLite then knows why. */
int archive_exec(struct archive *a, const char *sql);
int archive_prepare(struct archive *a);
/* What SQLite has just said no for. Never OK. */
enum archive_state archive_fail(
    struct archive *a, char error[static ARCHIVE_ERROR_MAX]);

/* SQLITE_OK or not; `text` must outlive the step. */
int archive_bind_text(sqlite3_stmt *stmt, int at, const char *text);
/* Copied; len is at most HM_SHA256_LEN. */
int archive_bind_hex(
    sqlite3_stmt *stmt, int at, const uint8_t *bytes, size_t len);

#endif
