/* log_evidence: see log_evidence.h. */
#include "verifier/daemon/log_evidence.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/daemon/log_misbehaviour.h"
#include "verifier/envelope.h"
#include "verifier/merkle.h"
#include "verifier/tree_head.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_proof(sqlite3 *db, struct record *r, char *text)
{
	struct record_finding *f = &r->finding;
	const char *archive = sqlite3_db_filename(db, "main");
	char boot_id[LOG_BOOT_HEX];
	int rc = -1;

	hex_encode(r->boot_id, sizeof(r->boot_id), boot_id);
	if (!text || !archive || !archive[0])
		snprintf(f->proof, sizeof(f->proof), "no memory, or no file");
	else
		rc = log_misbehaviour_write(archive, boot_id,
		    r->head->tree_size, text, f->proof, sizeof(f->proof));
	f->proven = rc >= 0;
	f->new_proof = rc == 0;
	free(text);
}

/* The record's envelope with its document, all borrowed. */
static struct hm_envelope full(const struct record *r)
{
	struct hm_envelope e = r->envelope;

	e.document = r->document->bytes;
	e.document_len = r->document->len;
	return e;
}

void log_evidence_heads(
    sqlite3 *db, const struct log_head *stored, struct record *record)
{
	const struct hm_envelope second = full(record);

	write_proof(db, record,
	    log_misbehaviour_format(
		&stored->envelope, &second, record->boot_id, NULL, NULL));
}

/* ---- items ---- */

struct collection {
	sqlite3_stmt *select;
	json_t *items, *documents; /* owned */
	struct merkle tree;        /* of what was really signed */
};

static int add_document(struct collection *c, const char *sha256)
{
	char *text;
	int rc;

	if (json_object_get(c->documents, sha256))
		return 0;
	text = base64_encode(sqlite3_column_blob(c->select, 5),
	    (size_t)sqlite3_column_bytes(c->select, 5));
	rc = json_object_set_new(c->documents, sha256, json_string(text));
	free(text);
	return rc;
}

static int add_leaf(struct collection *c, const struct hm_envelope *e)
{
	uint8_t sha256[HM_SHA256_LEN], leaf[HM_SHA256_LEN];

	SHA256((const uint8_t *)e->content, e->content_len, sha256);
	return merkle_leaf(sha256, sizeof(sha256), leaf) ||
	       merkle_append(&c->tree, leaf, NULL, NULL);
}

static int add_item(struct collection *c)
{
	sqlite3_stmt *s = c->select;
	const char *sha256 = (const char *)sqlite3_column_text(s, 2);
	const char *platform = (const char *)sqlite3_column_text(s, 3);
	struct hm_envelope e = {
	    .content = (char *)(uintptr_t)sqlite3_column_text(s, 0),
	    .content_len = (size_t)sqlite3_column_bytes(s, 0),
	    .signature = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 1),
	    .signature_len = (size_t)sqlite3_column_bytes(s, 1),
	    .public_key = (char *)(uintptr_t)sqlite3_column_text(s, 4),
	};
	char *text;
	int rc;

	if (!e.content || !e.signature || !e.public_key || !platform ||
	    !sha256 || e.content_len > HM_ENVELOPE_MAX ||
	    hex_decode(
		e.attestation_sha256, HM_SHA256_LEN, sha256, strlen(sha256)))
		return -1;
	snprintf(e.platform, sizeof(e.platform), "%s", platform);
	text = envelope_format(&e, false);
	rc = json_array_append_new(
	    c->items, text ? json_loads(text, 0, NULL) : NULL);
	free(text);
	return rc || add_leaf(c, &e) ? -1 : add_document(c, sha256);
}

static int add_feed(struct collection *c, const char *feed, uint64_t from,
    uint64_t to, const char *boot_id)
{
	sqlite3_stmt *s = c->select;
	uint64_t got = 0;

	sqlite3_reset(s);
	if (sqlite3_bind_text(s, 1, feed, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s, 2, boot_id, -1, SQLITE_STATIC) ||
	    sqlite3_bind_int64(s, 3, (sqlite3_int64)from) ||
	    sqlite3_bind_int64(s, 4, (sqlite3_int64)to))
		return -1;
	for (; sqlite3_step(s) == SQLITE_ROW; got++)
		if (json_array_size(c->items) == LOG_MISBEHAVIOUR_ITEMS_MAX ||
		    add_item(c))
			return -1;
	return got == to - from ? 0 : -1;
}

/* 0: they are all there, and their contents give another root than the head's:
 * it is not our own hashes that are damaged. */
static int collect(struct collection *c, const struct hm_head *previous,
    const struct hm_head *head)
{
	uint8_t root[HM_SHA256_LEN];
	char boot_id[LOG_BOOT_HEX];

	if (previous && merkle_resume(&c->tree, previous->tree_size,
			    previous->frontier, previous->frontier_count))
		return -1;
	hex_encode(head->boot_id, 16, boot_id);
	for (size_t i = 0; i < head->feed_count; i++) {
		const struct hm_head_feed *f = &head->feeds[i];
		uint64_t from = previous ? tree_head_count(previous, f->feed)
					 : 0;

		if (add_feed(c, f->feed, from, f->next_sequence, boot_id))
			return -1;
	}
	return merkle_root(&c->tree, root) ||
		       memcmp(root, head->root_sha256, sizeof(root)) == 0
		   ? -1
		   : 0;
}

void log_evidence_items(
    sqlite3 *db, const struct log_head *previous, struct record *record)
{
	static const char sql[] =
	    "SELECT content, signature, attestation_sha256, platform,"
	    " public_key, document FROM items JOIN attestations"
	    " ON sha256 = attestation_sha256 WHERE feed=?1 AND boot_id=?2"
	    " AND sequence>=?3 AND sequence<?4 ORDER BY sequence";
	struct collection c = {
	    .items = json_array(), .documents = json_object()};
	const struct hm_envelope second = full(record);
	struct record_finding *f = &record->finding;

	if (sqlite3_prepare_v2(db, sql, -1, &c.select, NULL) == SQLITE_OK &&
	    collect(&c, previous ? &previous->head : NULL, record->head) == 0)
		write_proof(db, record,
		    log_misbehaviour_format(
			previous ? &previous->envelope : NULL, &second,
			record->boot_id, json_incref(c.items),
			json_incref(c.documents)));
	else
		snprintf(f->proof, sizeof(f->proof),
		    "the archive is damaged, or these are too many items");
	sqlite3_finalize(c.select);
	json_decref(c.items);
	json_decref(c.documents);
}
