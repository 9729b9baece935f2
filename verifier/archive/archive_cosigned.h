/*
 * archive_cosigned: the co-signatures of an item in a SQLite archive, main or
 * of a day (table cosignatures of archive_schema.h). For whoever reads items
 * there: replay, history, the bus, the daemon at its start.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_COSIGNED_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_COSIGNED_H

#include "verifier/archive/archive_sqlite_row.h"
#include "verifier/cosign.h"

enum archive_cosigned_with {
	ARCHIVE_COSIGNED_BARE, /* content, signature, attestation_sha256 */
	/* and platform and public_key, which stand beside the document: of
	 * those only that have one */
	ARCHIVE_COSIGNED_KEYS,
	ARCHIVE_COSIGNED_FULL /* and the document */
};

struct archive_cosigned {
	sqlite3_stmt *find; /* owned; NULL: none, or an older version */
	struct hm_envelope list[HM_COSIGNATURES_MAX]; /* of the last read */
	/* what they point to */
	struct {
		char content[COSIGN_CONTENT_MAX];
		uint8_t signature[ARCHIVE_SQLITE_SIGNATURE_MAX];
		char public_key[ITEM_KEY_PEM_MAX];
		uint8_t *document; /* owned */
	} bytes[HM_COSIGNATURES_MAX];
};

/* The database is borrowed until close. 0, or -1: SQLite knows why. Zeroed,
 * it is one without co-signatures. */
HM_MUST_CHECK int archive_cosigned_open(
    struct archive_cosigned *out, sqlite3 *db, enum archive_cosigned_with with);
void archive_cosigned_close(struct archive_cosigned *cosigned);

/* Sets the co-signatures of this item, borrowed until the next read or close.
 * feed and boot_id as they stand in its row. NULL, or what is wrong (static),
 * and then it has none. */
const char *archive_cosigned_read(struct archive_cosigned *cosigned,
    const char *feed, const char *boot_id, int64_t sequence,
    struct hm_envelope *item);

#endif
