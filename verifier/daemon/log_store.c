/* log_store: see log_store.h for the way of a head. */
#include "verifier/daemon/log_store.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/daemon/log_evidence.h"
#include "verifier/daemon/log_tiles.h"
#include "verifier/envelope.h"
#include "verifier/merkle.h"
#include "verifier/tree_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store { /* one head on its way in */
	sqlite3 *db;
	struct record *record;
	const struct hm_head *head;
	char boot_id[LOG_BOOT_HEX];
	struct log_tiles tiles;
	struct log_head newest; /* of this boot, the one we go on from */
	bool has_newest;
	struct merkle tree;
	sqlite3_stmt *select; /* hashes of items */
	bool holes;           /* items are missing after some that are there */
};

static int exec(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* ---- against those that we have ---- */

static bool same_content(const struct store *s, const struct log_head *stored)
{
	return memcmp(stored->head.content_sha256, s->record->content_sha256,
		   HM_SHA256_LEN) == 0;
}

/* True: it has an outcome already. */
static bool settle(struct store *s, const struct log_head *stored)
{
	if (same_content(s, stored)) {
		/* If it was tried, it is there by that, and not announced. */
		s->record->outcome = s->record->tried ? RECORD_STORED
						      : RECORD_DUPLICATE;
		s->record->finding.state = RECORD_LOG_LATE;
		return true;
	}
	if (hm_head_compare(&stored->head, s->head) == HM_VALID)
		return false;
	s->record->outcome = RECORD_FORK;
	log_evidence_heads(s->db, stored, s->record);
	return true;
}

/* Numbers and sizes grow together: a head of the same number, the one before
 * and the one after stand on either side of its size. */
static bool settle_with_neighbours(struct store *s)
{
	static const enum log_heads_which sides[] = {
	    LOG_HEADS_FROM, LOG_HEADS_BELOW};
	bool settled = s->has_newest && settle(s, &s->newest);
	struct log_head stored;

	for (size_t i = 0; i < 2 && !settled; i++) {
		if (log_heads_find(&stored, s->db, s->boot_id, sides[i],
			s->head->tree_size))
			continue;
		settled = settle(s, &stored);
		log_head_fini(&stored);
	}
	return settled;
}

/* ---- our items ---- */

struct range {
	const char *feed;
	uint64_t from, to;
};

/* The i'th feed's items that are new in this head. */
static struct range new_items(const struct store *s, size_t i)
{
	const struct hm_head_feed *f = &s->head->feeds[i];

	return (struct range){f->feed,
	    s->has_newest ? tree_head_count(&s->newest.head, f->feed) : 0,
	    f->next_sequence};
}

static void note_missing(
    struct store *s, const struct range *range, uint64_t sequence, uint64_t n)
{
	struct record_finding *f = &s->record->finding;

	s->holes |= sequence > range->from;
	if (f->items_missing == 0) {
		snprintf(f->feed, sizeof(f->feed), "%s", range->feed);
		f->sequence = sequence;
	}
	f->items_missing += n;
}

static int add_leaf(struct store *s, const char *hex)
{
	uint8_t sha256[HM_SHA256_LEN], leaf[HM_SHA256_LEN];

	if (!hex || hex_decode(sha256, sizeof(sha256), hex, strlen(hex)))
		memset(sha256, 0, sizeof(sha256)); /* gives another root */
	if (merkle_leaf(sha256, sizeof(sha256), leaf))
		return -1;
	return merkle_append(&s->tree, leaf, log_tiles_add, &s->tiles);
}

static int add_feed(struct store *s, const struct range *range)
{
	uint64_t next = range->from;
	int rc;

	sqlite3_reset(s->select);
	if (sqlite3_bind_text(s->select, 1, range->feed, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s->select, 2, s->boot_id, -1, SQLITE_STATIC) ||
	    sqlite3_bind_int64(s->select, 3, (sqlite3_int64)range->from) ||
	    sqlite3_bind_int64(s->select, 4, (sqlite3_int64)range->to))
		return -1;
	while ((rc = sqlite3_step(s->select)) == SQLITE_ROW) {
		uint64_t found = (uint64_t)sqlite3_column_int64(s->select, 0);

		if (found != next)
			note_missing(s, range, next, found - next);
		next = found + 1;
		if (add_leaf(
			s, (const char *)sqlite3_column_text(s->select, 1)))
			return -1;
	}
	if (next < range->to)
		note_missing(s, range, next, range->to - next);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int add_items(struct store *s)
{
	static const char sql[] =
	    "SELECT sequence, content_sha256 FROM items"
	    " WHERE feed=?1 AND boot_id=?2 AND sequence>=?3 AND sequence<?4"
	    " ORDER BY sequence";
	const struct hm_head *from = &s->newest.head;

	if (s->has_newest && merkle_resume(&s->tree, from->tree_size,
				 from->frontier, from->frontier_count))
		return -1;
	if (sqlite3_prepare_v2(s->db, sql, -1, &s->select, NULL))
		return -1;
	for (size_t i = 0; i < s->head->feed_count; i++) {
		const struct range range = new_items(s, i);

		if (add_feed(s, &range))
			return -1;
	}
	return 0;
}

/* ---- the tree grows ---- */

/* We came after a boot's first items, but before its first head: that is no
 * gap. */
static int judge_growth(struct store *s)
{
	struct record_finding *f = &s->record->finding;
	uint8_t root[HM_SHA256_LEN];

	f->state = s->has_newest || s->holes ? RECORD_LOG_GAP
					     : RECORD_LOG_JOINED;
	if (f->items_missing)
		return 0;
	if (merkle_root(&s->tree, root))
		return -1;
	f->state = s->tree.size == s->head->tree_size &&
			   memcmp(root, s->head->root_sha256, sizeof(root)) == 0
		       ? RECORD_LOG_WHOLE
		       : RECORD_LOG_MISMATCH;
	return 0;
}

/* Nothing is known but its frontier. */
static int adopt(struct store *s)
{
	uint64_t size = s->head->tree_size, index = 0;
	size_t i = 0;

	for (unsigned level = 63; level < 64 && i < s->head->frontier_count;
	     level--) {
		if ((size >> level & 1) == 0)
			continue;
		log_tiles_add_peak(
		    &s->tiles, level, index >> level, s->head->frontier[i++]);
		index += (uint64_t)1 << level;
	}
	return log_tiles_flush(&s->tiles);
}

/* Takes back what the tiles were given of a tree that is not the signed one. */
static int forget_growth(struct store *s)
{
	sqlite3_finalize(s->select); /* it reads */
	s->select = NULL;
	log_tiles_fini(&s->tiles);
	if (exec(s, "ROLLBACK TO grow"))
		return -1;
	return log_tiles_init(&s->tiles, s->db, s->boot_id);
}

static int grow(struct store *s)
{
	const struct record_finding *f = &s->record->finding;

	if (exec(s, "SAVEPOINT grow"))
		return -1;
	if (add_items(s) || log_tiles_flush(&s->tiles) || judge_growth(s))
		return -1;
	if (f->state != RECORD_LOG_WHOLE && (forget_growth(s) || adopt(s)))
		return -1;
	if (f->state == RECORD_LOG_MISMATCH)
		log_evidence_items(
		    s->db, s->has_newest ? &s->newest : NULL, s->record);
	return exec(s, "RELEASE grow");
}

static int follow(struct store *s)
{
	struct record_finding *f = &s->record->finding;
	uint64_t expected = s->has_newest ? s->newest.head.number + 1 : 0;

	if (s->head->number == expected)
		return grow(s);
	f->state = s->has_newest ? RECORD_LOG_GAP : RECORD_LOG_JOINED;
	f->heads_missing = s->head->number - expected;
	return adopt(s);
}

/* ---- rows ---- */

static int insert(struct store *s)
{
	static const char sql[] =
	    "INSERT INTO tree_heads VALUES(?1,?2,?3,?4,?5,?6,?7,?8)";
	const struct hm_envelope *e = &s->record->envelope;
	char content[2 * HM_SHA256_LEN + 1];
	sqlite3_stmt *stmt = NULL;
	int rc = -1;

	hex_encode(s->record->content_sha256, HM_SHA256_LEN, content);
	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    !sqlite3_bind_text(stmt, 1, s->boot_id, -1, SQLITE_STATIC) &&
	    !sqlite3_bind_int64(stmt, 2, (sqlite3_int64)s->head->tree_size) &&
	    !sqlite3_bind_text(
		stmt, 3, e->content, (int)e->content_len, SQLITE_STATIC) &&
	    !sqlite3_bind_blob64(
		stmt, 4, e->signature, e->signature_len, SQLITE_STATIC) &&
	    !sqlite3_bind_text(
		stmt, 5, s->record->document->sha256_hex, -1, SQLITE_STATIC) &&
	    !sqlite3_bind_int64(stmt, 6, s->record->published_ms) &&
	    !sqlite3_bind_int64(stmt, 7, s->record->received_ms) &&
	    !sqlite3_bind_text(stmt, 8, content, -1, SQLITE_STATIC) &&
	    sqlite3_step(stmt) == SQLITE_DONE)
		rc = 0;
	sqlite3_finalize(stmt);
	return rc;
}

static int keep(struct store *s)
{
	char *text = envelope_format(&s->record->envelope, false);
	int rc;

	if (!text)
		log_die("log_store", "out of memory");
	rc = log_tiles_put_head(
	    &s->tiles, s->head->tree_size, text, strlen(text));
	free(text);
	return rc;
}

static int store(struct store *s)
{
	struct record *r = s->record;

	s->has_newest = log_heads_find(&s->newest, s->db, s->boot_id,
			    LOG_HEADS_NEWEST, 0) == 0;
	if (settle_with_neighbours(s))
		return 0;
	r->outcome = RECORD_STORED;
	if (insert(s) || keep(s))
		return -1;
	if (s->has_newest && s->newest.head.tree_size > s->head->tree_size) {
		r->finding.state = RECORD_LOG_LATE;
		return 0;
	}
	return follow(s);
}

int log_store_write(sqlite3 *db, struct record *record)
{
	struct store *s = calloc(1, sizeof(*s)); /* 100 KiB */
	int rc;

	if (!s)
		log_die("log_store", "out of memory");
	s->db = db;
	s->record = record;
	s->head = record->head;
	hex_encode(record->boot_id, sizeof(record->boot_id), s->boot_id);
	memset(&record->finding, 0, sizeof(record->finding));
	rc = log_tiles_init(&s->tiles, db, s->boot_id);
	if (rc == 0) {
		rc = store(s);
		sqlite3_finalize(s->select);
		log_tiles_fini(&s->tiles);
	}
	if (s->has_newest)
		log_head_fini(&s->newest);
	free(s);
	return rc;
}
