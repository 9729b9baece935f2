/*
 * archive_schema: the tables of an archive file, for whoever writes or reads
 * one. Hashes and boot_id are lower-case hex; content is the signed bytes;
 * times are Unix milliseconds.
 *
 *   attestations  a document, once, by its hash
 *   items         what was accepted; late: it came after it had expired
 *   heads         the last item of each feed and boot
 *   refused       the newest items that were not accepted, as evidence
 *   cursors       where each oracle's stream is resumed
 * since version 2:
 *   tree_heads    signed heads of each boot's log (RFC 6962)
 *   log_tiles     hashes of that log's tree
 *   raw           bodies of exchanges' answers, by the hash that items name
 * since version 3:
 *   cosignatures  what other enclaves signed of an item; platform and key stand
 *                 beside their documents, as an item's do
 *
 * Each version is the one before and some tables more: what reads 3 reads 1. A
 * daily file (NAME-YYYY-MM-DD.db, the UTC day of published_ms) is the same
 * again.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SCHEMA_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SCHEMA_H

#include <sqlite3.h>
#include <stdint.h>

#define ARCHIVE_SCHEMA_ID      0x484d4b31 /* PRAGMA application_id, "HMK1" */
#define ARCHIVE_SCHEMA_OLDEST  1          /* PRAGMA user_version */
#define ARCHIVE_SCHEMA_VERSION 3

/* An empty file becomes version 1. Inside a transaction. */
#define ARCHIVE_SCHEMA_CREATE                                                \
	"CREATE TABLE attestations("                                         \
	" sha256 TEXT PRIMARY KEY, document BLOB NOT NULL,"                  \
	" platform TEXT NOT NULL, public_key TEXT NOT NULL,"                 \
	" first_seen_ms INTEGER NOT NULL);"                                  \
	"CREATE TABLE items("                                                \
	" feed TEXT NOT NULL, boot_id TEXT NOT NULL,"                        \
	" sequence INTEGER NOT NULL,"                                        \
	" content TEXT NOT NULL, signature BLOB NOT NULL,"                   \
	" attestation_sha256 TEXT NOT NULL REFERENCES attestations(sha256)," \
	" published_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"       \
	" received_ms INTEGER NOT NULL, content_sha256 TEXT NOT NULL,"       \
	" late INTEGER NOT NULL, PRIMARY KEY(feed, boot_id, sequence));"     \
	"CREATE INDEX items_by_time ON items(feed, published_ms);"           \
	"CREATE TABLE heads("                                                \
	" feed TEXT NOT NULL, boot_id TEXT NOT NULL,"                        \
	" sequence INTEGER NOT NULL, published_ms INTEGER NOT NULL,"         \
	" content_sha256 TEXT NOT NULL, PRIMARY KEY(feed, boot_id));"        \
	"CREATE TABLE refused("                                              \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                             \
	" received_ms INTEGER NOT NULL, oracle TEXT NOT NULL,"               \
	" verdict TEXT NOT NULL, text TEXT NOT NULL);"                       \
	"CREATE TABLE cursors("                                              \
	" oracle TEXT PRIMARY KEY, event_id TEXT NOT NULL);"                 \
	"PRAGMA application_id=0x484d4b31;"                                  \
	"PRAGMA user_version=1;"

/* Version 1 becomes version 2. Inside a transaction. */
#define ARCHIVE_SCHEMA_UPGRADE_1                                             \
	"CREATE TABLE tree_heads("                                           \
	" boot_id TEXT NOT NULL, tree_size INTEGER NOT NULL,"                \
	" content TEXT NOT NULL, signature BLOB NOT NULL,"                   \
	" attestation_sha256 TEXT NOT NULL REFERENCES attestations(sha256)," \
	" published_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,"      \
	" content_sha256 TEXT NOT NULL, PRIMARY KEY(boot_id, tree_size));"   \
	"CREATE TABLE log_tiles("                                            \
	" boot_id TEXT NOT NULL, level INTEGER NOT NULL,"                    \
	" position INTEGER NOT NULL, hashes BLOB NOT NULL,"                  \
	" PRIMARY KEY(boot_id, level, position));"                           \
	"CREATE TABLE raw("                                                  \
	" sha256 TEXT PRIMARY KEY, body BLOB NOT NULL,"                      \
	" received_ms INTEGER NOT NULL);"                                    \
	"PRAGMA user_version=2;"

/* Version 2 becomes version 3. Inside a transaction. */
#define ARCHIVE_SCHEMA_UPGRADE_2                                             \
	"CREATE TABLE cosignatures("                                         \
	" feed TEXT NOT NULL, boot_id TEXT NOT NULL,"                        \
	" sequence INTEGER NOT NULL,"                                        \
	" attestation_sha256 TEXT NOT NULL REFERENCES attestations(sha256)," \
	" content TEXT NOT NULL, signature BLOB NOT NULL,"                   \
	" PRIMARY KEY(feed, boot_id, sequence, attestation_sha256));"        \
	"PRAGMA user_version=3;"

/* From version `from` (0: an empty file) to `upto`, which is at most
 * ARCHIVE_SCHEMA_VERSION; nothing if it is there already. Inside a transaction.
 * 0, or -1: SQLite knows why. */
__attribute__((warn_unused_result)) int archive_schema_upgrade(
    sqlite3 *db, int64_t from, int64_t upto);

#endif
