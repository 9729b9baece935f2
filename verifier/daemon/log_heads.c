/* log_heads: heads of the log, read back. */
#include "verifier/daemon/log_heads.h"

#include "feeds/hex.h"
#include "verifier/daemon/log_day.h"
#include "verifier/daemon/log_tiles.h"
#include "verifier/tree_head.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS                                               \
	"SELECT hashes FROM log_tiles WHERE boot_id=?1 AND" \
	" level=?3 AND position"

static const char *const queries[] = {
    [LOG_HEADS_AT] = HEADS "=?2",
    [LOG_HEADS_BELOW] = HEADS "<?2 ORDER BY position DESC LIMIT 1",
    [LOG_HEADS_FROM] = HEADS ">=?2 ORDER BY position LIMIT 1",
    [LOG_HEADS_NEWEST] = HEADS ">=?2 ORDER BY position DESC LIMIT 1",
};

void log_head_fini(struct log_head *head)
{
	hm_envelope_fini(&head->envelope);
	memset(head, 0, sizeof(*head));
}

/* Of out->envelope. */
static int decode(struct log_head *out)
{
	const struct hm_envelope *e = &out->envelope;

	if (tree_head_decode(&out->head, e->content, e->content_len))
		return -1;
	SHA256((const uint8_t *)e->content, e->content_len,
	    out->head.content_sha256);
	return 0;
}

static int find_document(struct hm_envelope *e, sqlite3 *db)
{
	char hex[2 * HM_SHA256_LEN + 1];
	sqlite3_stmt *s = NULL;
	const void *bytes = NULL;
	size_t len = 0;

	hex_encode(e->attestation_sha256, HM_SHA256_LEN, hex);
	if (sqlite3_prepare_v2(db,
		"SELECT document FROM attestations WHERE sha256=?1", -1, &s,
		NULL) == SQLITE_OK &&
	    sqlite3_bind_text(s, 1, hex, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		bytes = sqlite3_column_blob(s, 0);
		len = (size_t)sqlite3_column_bytes(s, 0);
	}
	if (bytes && len <= HM_DOCUMENT_MAX && (e->document = malloc(len))) {
		memcpy(e->document, bytes, len);
		e->document_len = len;
	}
	sqlite3_finalize(s);
	return e->document ? 0 : -1;
}

/* Of a day that is over the document is where its heads are. */
static int find_document_daily(
    struct hm_envelope *e, sqlite3 *db, int64_t published_ms)
{
	sqlite3 *day = log_day_open(db, published_ms);
	int rc = day ? find_document(e, day) : -1;

	sqlite3_close(day);
	return rc;
}

/* What is not in the reference form is not what we wrote. */
static int read_head(
    struct log_head *out, sqlite3 *db, const char *text, size_t len)
{
	if (!text || hm_envelope_parse(&out->envelope, text, len) != HM_VALID ||
	    out->envelope.document || decode(out))
		return -1;
	if (find_document(&out->envelope, db) == 0)
		return 0;
	return find_document_daily(&out->envelope, db, out->head.published_ms);
}

int log_heads_find(struct log_head *out, sqlite3 *db, const char *boot_id,
    enum log_heads_which which, uint64_t size)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (sqlite3_prepare_v2(db, queries[which], -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(s, 1, boot_id, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int64(s, 2, (sqlite3_int64)size) == SQLITE_OK &&
	    sqlite3_bind_int(s, 3, LOG_TILES_HEAD) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		rc = read_head(out, db, sqlite3_column_blob(s, 0),
		    (size_t)sqlite3_column_bytes(s, 0));
	sqlite3_finalize(s);
	if (rc)
		log_head_fini(out);
	return rc;
}

/* Counts only grow from head to head: halves what is between the sizes where
 * they do not yet count it, and where they do. */
int log_heads_around(struct log_head *previous, struct log_head *head,
    sqlite3 *db, const char *boot_id, const char *feed, uint64_t sequence,
    bool *newer)
{
	uint64_t low = 0, high;
	struct log_head at;

	*newer = false;
	memset(previous, 0, sizeof(*previous));
	if (log_heads_find(head, db, boot_id, LOG_HEADS_NEWEST, 0))
		return -1;
	if (tree_head_count(&head->head, feed) <= sequence) {
		*newer = true;
		goto out;
	}
	for (high = head->head.tree_size; low < high;) {
		uint64_t middle = low + (high - low) / 2;

		if (log_heads_find(&at, db, boot_id, LOG_HEADS_FROM, middle))
			goto out;
		if (tree_head_count(&at.head, feed) <= sequence) {
			low = at.head.tree_size + 1;
			log_head_fini(&at);
			continue;
		}
		log_head_fini(head);
		*head = at; /* handed over */
		high = middle;
	}
	if (head->head.number == 0 ||
	    log_heads_find(previous, db, boot_id, LOG_HEADS_BELOW,
		head->head.tree_size) == 0)
		return 0;
out:
	log_head_fini(head);
	return -1;
}

int log_heads_newest_boot(sqlite3 *db, char boot_id[static LOG_BOOT_HEX])
{
	/* From boot to boot along the primary key, and of each its last. */
	static const char sql[] =
	    "WITH RECURSIVE boots(id) AS (SELECT min(boot_id) FROM tree_heads"
	    " UNION ALL SELECT (SELECT min(boot_id) FROM tree_heads"
	    " WHERE boot_id > id) FROM boots WHERE id IS NOT NULL)"
	    " SELECT id, (SELECT published_ms FROM tree_heads"
	    " WHERE boot_id = id ORDER BY tree_size DESC LIMIT 1) AS at"
	    " FROM boots WHERE id IS NOT NULL ORDER BY at DESC LIMIT 1";
	sqlite3_stmt *s = NULL;
	const char *found = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		found = (const char *)sqlite3_column_text(s, 0);
	snprintf(boot_id, LOG_BOOT_HEX, "%s", found ? found : "");
	sqlite3_finalize(s);
	return boot_id[0] ? 0 : -1;
}
