/* archive_rotate_sql: see archive_rotate_sql.h. */
#include "verifier/daemon/archive_rotate_sql.h"

#include <stddef.h>

/* By the index of each feed: an archive without rotation may be years long. */
const char archive_rotate_sql_oldest[] =
    "SELECT min(ms) FROM (SELECT"
    " (SELECT min(published_ms) FROM items"
    "  WHERE feed=h.feed AND published_ms >= :from_ms) AS ms"
    " FROM (SELECT DISTINCT feed FROM heads) AS h)";

#define ROWS " rowid > :after AND rowid <= :upto"
#define DAY  " AND published_ms >= :from_ms AND published_ms < :to_ms"

/* What an item, and what stands by it, is known by. */
#define C_OF_I \
	" c.feed=i.feed AND c.boot_id=i.boot_id AND c.sequence=i.sequence"
#define O_IS_I \
	" o.feed=i.feed AND o.boot_id=i.boot_id AND o.sequence=i.sequence"
#define O_IS_C \
	" o.feed=c.feed AND o.boot_id=c.boot_id AND o.sequence=c.sequence"

/* Joined item by item. Of those alone that are there now: not of another item
 * under that number. */
#define COSIGNED                                                    \
	" (SELECT * FROM other.items WHERE" ROWS DAY ") AS i"       \
	" CROSS JOIN other.cosignatures AS c ON" C_OF_I             \
	" WHERE EXISTS (SELECT 1 FROM main.items AS o WHERE" O_IS_I \
	" AND o.content_sha256=i.content_sha256)"

const char *const archive_rotate_sql_copy_items[] = {
    "INSERT OR IGNORE INTO attestations SELECT * FROM other.attestations"
    " WHERE sha256 IN (SELECT attestation_sha256 FROM other.items"
    " WHERE" ROWS DAY ")",
    "INSERT INTO heads SELECT feed, boot_id, sequence, published_ms,"
    " content_sha256 FROM other.items WHERE" ROWS DAY
    " ON CONFLICT(feed, boot_id) DO UPDATE SET sequence=excluded.sequence,"
    " published_ms=excluded.published_ms,"
    " content_sha256=excluded.content_sha256"
    " WHERE excluded.sequence > sequence",
    "INSERT OR IGNORE INTO items SELECT * FROM other.items WHERE" ROWS DAY
    " ORDER BY rowid",
    "INSERT OR IGNORE INTO attestations SELECT * FROM other.attestations"
    " WHERE sha256 IN (SELECT c.attestation_sha256 FROM" COSIGNED ")",
    "INSERT OR IGNORE INTO cosignatures SELECT c.* FROM" COSIGNED
    " ORDER BY c.rowid",
    NULL,
};

const char *const archive_rotate_sql_copy_heads[] = {
    "INSERT OR IGNORE INTO attestations SELECT * FROM other.attestations"
    " WHERE sha256 IN (SELECT attestation_sha256 FROM other.tree_heads"
    " WHERE published_ms < :to_ms)",
    "INSERT OR IGNORE INTO tree_heads SELECT * FROM other.tree_heads"
    " WHERE published_ms < :to_ms ORDER BY rowid",
    NULL,
};

const char *const archive_rotate_sql_copy_raw[] = {
    "INSERT OR IGNORE INTO raw SELECT * FROM other.raw WHERE" ROWS
    " AND received_ms < :to_ms ORDER BY rowid",
    NULL,
};

#define IS_COPIED                                              \
	" EXISTS (SELECT 1 FROM other.items AS o WHERE" O_IS_I \
	" AND o.content_sha256=i.content_sha256)"

/* What stands by an item goes before it does; an item stays as long as one of
 * its co-signatures is not in the day's file. */
const char *const archive_rotate_sql_remove_items[] = {
    "DELETE FROM main.cosignatures WHERE rowid IN (SELECT c.rowid"
    " FROM (SELECT * FROM main.items WHERE" ROWS DAY ") AS i"
    " CROSS JOIN main.cosignatures AS c ON" C_OF_I " WHERE" IS_COPIED
    " AND EXISTS (SELECT 1 FROM other.cosignatures AS o WHERE" O_IS_C
    " AND o.attestation_sha256=c.attestation_sha256))",
    "DELETE FROM main.items AS i WHERE" ROWS DAY " AND" IS_COPIED
    " AND NOT EXISTS (SELECT 1 FROM main.cosignatures AS c WHERE" C_OF_I ")",
    NULL,
};

const char *const archive_rotate_sql_remove_heads[] = {
    "DELETE FROM main.tree_heads AS h WHERE published_ms < :to_ms"
    " AND EXISTS (SELECT 1 FROM other.tree_heads AS o"
    " WHERE o.boot_id=h.boot_id AND o.tree_size=h.tree_size"
    " AND o.content_sha256=h.content_sha256)"
    " AND tree_size < (SELECT max(tree_size) FROM main.tree_heads AS m"
    " WHERE m.boot_id=h.boot_id)",
    NULL,
};

const char *const archive_rotate_sql_remove_raw[] = {
    "DELETE FROM main.raw AS w WHERE" ROWS " AND received_ms < :raw_ms"
    " AND EXISTS (SELECT 1 FROM other.raw AS o WHERE o.sha256=w.sha256)",
    NULL,
};

const char *const archive_rotate_sql_remove_attestations[] = {
    "DELETE FROM main.attestations AS a"
    " WHERE EXISTS (SELECT 1 FROM other.attestations AS o"
    " WHERE o.sha256=a.sha256)"
    " AND sha256 NOT IN (SELECT attestation_sha256 FROM main.items)"
    " AND sha256 NOT IN (SELECT attestation_sha256 FROM main.tree_heads)"
    " AND sha256 NOT IN (SELECT attestation_sha256 FROM main.cosignatures)",
    NULL,
};
