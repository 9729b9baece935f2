/*
 * source_fixture: archives in a folder of their own, in each form, and what an
 * archive_source says of them as one word: a letter for each entry,
 *
 *   I item (and a digit: its co-signatures), D document, H head, R raw,
 *   N newest, X damaged
 */
#ifndef HALLMARK_TESTS_ARCHIVE_SOURCE_FIXTURE_H
#define HALLMARK_TESTS_ARCHIVE_SOURCE_FIXTURE_H

#include "tests/unit/daemon/mint.h"

#include "feeds/hex.h"
#include "verifier/archive/archive_reader.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/archive/archive_seen.h"

#include <jansson.h>
#include <sqlite3.h>

#define TOLD_MAX 4096

struct told {
	char word[TOLD_MAX];
	size_t len, items;
	char problems[8192]; /* each and a newline */
	char contents[65536];
	/* What whoever keeps as many documents as he has to would have. */
	struct archive_ring kept;
	size_t lacked; /* named by an item, and not there */
};

static inline void tell_lacked(struct told *t, const struct hm_envelope *e)
{
	t->lacked += archive_ring_find(&t->kept, e->attestation_sha256) < 0;
	for (size_t i = 0; i < e->cosignature_count; i++) {
		assert_null(e->cosignatures[i].document);
		tell_lacked(t, &e->cosignatures[i]);
	}
	if (e->cosignature_count > 0)
		t->word[t->len++] = (char)('0' + e->cosignature_count);
}

static inline void tell_entry(struct told *t, const struct archive_entry *e)
{
	static const char letters[] = "IDHRNX";
	char where[ARCHIVE_SOURCE_WHERE_MAX];

	assert_true(t->len + 2 < TOLD_MAX);
	t->word[t->len++] = letters[e->kind];
	archive_entry_where(e, where);
	if (e->kind == ARCHIVE_ENTRY_ITEM) {
		size_t at = strlen(t->contents);

		t->items++;
		assert_int_equal(
		    strlen(e->envelope.content), e->envelope.content_len);
		snprintf(t->contents + at, sizeof(t->contents) - at, "%s\n",
		    e->envelope.content);
		assert_null(e->envelope.document);
		tell_lacked(t, &e->envelope);
	}
	if (e->kind == ARCHIVE_ENTRY_DOCUMENT &&
	    archive_ring_find(&t->kept, e->sha256) < 0)
		archive_ring_add(&t->kept, e->sha256);
	if (e->kind == ARCHIVE_ENTRY_DAMAGED) {
		size_t at = strlen(t->problems);

		assert_non_null(e->problem);
		snprintf(t->problems + at, sizeof(t->problems) - at, "%s: %s\n",
		    strstr(where, ": ") + 2, e->problem);
	}
}

/* Reads to the end and closes it. */
static inline void tell_source(struct told *t, struct archive_source *source)
{
	struct archive_entry entry;
	uint64_t before = 0;

	memset(t, 0, sizeof(*t));
	while (archive_source_next(source, &entry)) {
		assert_true(entry.position >= before);
		before = entry.position;
		tell_entry(t, &entry);
	}
	assert_true(before < archive_source_total(source) || before == 0);
	assert_int_equal(archive_source_next(source, &entry), 0);
	archive_source_close(source);
}

static inline void tell_path(struct told *t, const char *path)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";
	struct archive_source *source;

	if (archive_source_open(&source, path, error))
		fail_msg("%s: %s", path, error);
	tell_source(t, source);
}

static inline void tell_text(struct told *t, const char *text)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";
	struct archive_source *source;

	if (archive_text_open_memory(&source, text, strlen(text), error))
		fail_msg("%s", error);
	tell_source(t, source);
}

/* ---- a folder ---- */

struct folder {
	char path[64], file[96];
};

static inline void folder_make(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/source-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->file, sizeof(f->file), "%s/archive?%%a.db", f->path);
}

static inline void folder_drop(struct folder *f)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char path[128];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", f->file, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->path), 0);
}

static inline void write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* ---- SQLite ---- */

static inline void sql(sqlite3 *db, const char *text)
{
	char *error = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &error))
		fail_msg("%s: %s", text, error);
}

/* An empty archive; the caller closes it. */
static inline sqlite3 *db_make(const char *path, int version)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(archive_schema_upgrade(db, 0, version), 0);
	return db;
}

/* VALUES with a hash for each %s, as text. */
static inline void db_document(sqlite3 *db)
{
	char hex[65];
	uint8_t sha256[32];
	sqlite3_stmt *s = NULL;

	SHA256(mint.document, mint.document_len, sha256);
	hex_encode(sha256, 32, hex);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "INSERT INTO attestations VALUES"
			     "(?1,?2,'simulated',?3,1)",
			     -1, &s, NULL),
	    0);
	sqlite3_bind_text(s, 1, hex, -1, SQLITE_TRANSIENT);
	sqlite3_bind_blob(s, 2, mint.document, (int)mint.document_len, NULL);
	sqlite3_bind_text(s, 3, mint.pem, -1, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

/* One item as the daemon would write it. */
static inline void db_item(sqlite3 *db, uint64_t sequence, const char *content,
    const struct hm_envelope *e, int64_t received_ms)
{
	char hash[65], own[65];
	uint8_t sha256[32];
	sqlite3_stmt *s = NULL;

	hex_encode(e->attestation_sha256, 32, hash);
	SHA256((const uint8_t *)content, strlen(content), sha256);
	hex_encode(sha256, 32, own);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "INSERT INTO items VALUES('BTC-USD','01',?1,?2,"
			     "?3,?4,5,6,?5,?6,0)",
			     -1, &s, NULL),
	    0);
	sqlite3_bind_int64(s, 1, (sqlite3_int64)sequence);
	sqlite3_bind_text(s, 2, content, -1, NULL);
	sqlite3_bind_blob(s, 3, e->signature, (int)e->signature_len, NULL);
	sqlite3_bind_text(s, 4, hash, -1, NULL);
	sqlite3_bind_int64(s, 5, received_ms);
	sqlite3_bind_text(s, 6, own, -1, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

static inline void db_minted(sqlite3 *db, uint64_t sequence)
{
	char *json = mint_item(&mint,
	    &(struct mint_wish){
		.sequence = sequence, .published_ms = 1800000000000},
	    NULL);
	struct hm_envelope e;

	assert_int_equal(hm_envelope_parse(&e, json, strlen(json)), HM_VALID);
	db_item(db, sequence, e.content, &e, 1000 + (int64_t)sequence);
	hm_envelope_fini(&e);
	free(json);
}

static inline void db_raw(sqlite3 *db, const char *body, int64_t received_ms)
{
	char hex[65];
	uint8_t sha256[32];
	char text[512];

	SHA256((const uint8_t *)body, strlen(body), sha256);
	hex_encode(sha256, 32, hex);
	snprintf(text, sizeof(text),
	    "INSERT INTO raw VALUES('%s',CAST('%s' AS BLOB),%lld)", hex, body,
	    (long long)received_ms);
	sql(db, text);
}

/* ---- text ---- */

/* {"attestation_sha256",...} of the mint's; the caller frees it. */
static inline char *text_document(void)
{
	char hex[65], *base64 = base64_encode(mint.document, mint.document_len);
	uint8_t sha256[32];
	json_t *root;
	char *text;

	SHA256(mint.document, mint.document_len, sha256);
	hex_encode(sha256, 32, hex);
	root = json_pack("{s:s, s:s, s:s, s:s}", "attestation_sha256", hex,
	    "platform", "simulated", "public_key", mint.pem,
	    "attestation_doc_b64", base64);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	free(base64);
	return text;
}

static inline char *text_item(uint64_t sequence, bool full)
{
	return mint_item(&mint,
	    &(struct mint_wish){.sequence = sequence,
		.published_ms = 1800000000000,
		.full = full},
	    NULL);
}

#endif
