/*
 * archive_sqlite_documents: the documents that the rows of a SQLite archive
 * name, each given before its row, as archive_source.h promises.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_DOCUMENTS_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SQLITE_DOCUMENTS_H

#include "verifier/archive/archive_seen.h"
#include "verifier/archive/archive_sqlite_row.h"

struct archive_sqlite_documents {
	sqlite3_stmt *find; /* owned */
	/* those that were given, and what stands beside each */
	struct archive_ring ring;
	struct archive_beside beside[ARCHIVE_SOURCE_DOCUMENTS];
	size_t asked; /* of the envelope in hand: how often */
	/* to be given now */
	uint8_t sha256[HM_SHA256_LEN];
	uint8_t bytes[HM_DOCUMENT_MAX];
	size_t len;
};

/* 0, or -1: SQLite knows why. Zeroed before. */
HM_MUST_CHECK int archive_sqlite_documents_open(
    struct archive_sqlite_documents *out, sqlite3 *db);
void archive_sqlite_documents_close(struct archive_sqlite_documents *documents);

/* Another envelope is in hand. */
void archive_sqlite_documents_begin(struct archive_sqlite_documents *documents);
/* 1: one of those that it and its co-signatures name is to be given now; 0: all
 * of them were, as far as they are there, and it has its platforms and public
 * keys ("" without), borrowed until the next begin; -1: *problem is to be told
 * (static), then ask again. */
HM_MUST_CHECK int archive_sqlite_documents_next(
    struct archive_sqlite_documents *documents, struct hm_envelope *envelope,
    const char **problem);

#endif
