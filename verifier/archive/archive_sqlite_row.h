/* archive_sqlite_row: the columns of a row, each with its type and its ceiling.
 * Anything may stand in any column of a file that somebody made. */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_ROW_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_ROW_H

#include "verifier/archive/archive_source.h"
#include "verifier/item_key.h"

#include <sqlite3.h>

#define ARCHIVE_SQLITE_SIGNATURE_MAX 512 /* bytes, RSA-4096 */

enum { /* of items; the others have NULLs where they have none */
	ARCHIVE_SQLITE_ROW_ID,
	ARCHIVE_SQLITE_ROW_FEED,
	ARCHIVE_SQLITE_ROW_BOOT,
	ARCHIVE_SQLITE_ROW_SEQUENCE,
	ARCHIVE_SQLITE_ROW_PUBLISHED,
	ARCHIVE_SQLITE_ROW_EXPIRES,
	ARCHIVE_SQLITE_ROW_RECEIVED,
	ARCHIVE_SQLITE_ROW_SHA256,
	ARCHIVE_SQLITE_ROW_LATE,
	ARCHIVE_SQLITE_ROW_CONTENT,
	ARCHIVE_SQLITE_ROW_SIGNATURE,
	ARCHIVE_SQLITE_ROW_ATTESTATION
};
enum { /* of raw */
	ARCHIVE_SQLITE_ROW_RAW_SHA256 = 1,
	ARCHIVE_SQLITE_ROW_RAW_BODY,
	ARCHIVE_SQLITE_ROW_RAW_RECEIVED
};

struct archive_beside { /* what stands beside a document in its row */
	char platform[16];
	char public_key[ITEM_KEY_PEM_MAX];
};

/* Each: NULL, or what is wrong with the row (static). Pointers that are set
 * are SQLite's until its statement's next step. */

/* Of an ITEM, HEAD (sequence is its tree_size) or NEWEST: those columns that it
 * has. As much as can be read is set in any case. */
const char *archive_sqlite_row_stated(sqlite3_stmt *stmt,
    enum archive_entry_kind kind, struct archive_stated *out);
/* Content, signature and the hash of the attestation. */
const char *archive_sqlite_row_envelope(
    sqlite3_stmt *stmt, struct hm_envelope *out);
const char *archive_sqlite_row_raw(
    sqlite3_stmt *stmt, struct archive_entry *out);

/* One column. Text without a NUL in it, into a field of `size` bytes; a blob of
 * at most max bytes, or NULL; lower-case hex of 32 bytes. */
bool archive_sqlite_row_text(
    sqlite3_stmt *stmt, int at, char *out, size_t size);
const void *archive_sqlite_row_blob(
    sqlite3_stmt *stmt, int at, size_t max, size_t *len);
bool archive_sqlite_row_hash(
    sqlite3_stmt *stmt, int at, uint8_t out[HM_SHA256_LEN]);

/* Columns: document (of 1 to HM_DOCUMENT_MAX bytes), platform, public_key.
 * 0 or -1. */
HM_MUST_CHECK int archive_sqlite_row_beside(
    sqlite3_stmt *stmt, struct archive_beside *out);

/* Is this the SHA-256 of these bytes? */
bool archive_sqlite_row_hashes_to(
    const void *bytes, size_t len, const uint8_t wanted[HM_SHA256_LEN]);

/* Resets it; parameter 1 is the hash in hex. 0 or -1. */
HM_MUST_CHECK int archive_sqlite_row_bind_hash(
    sqlite3_stmt *stmt, const uint8_t sha256[HM_SHA256_LEN]);

#endif
