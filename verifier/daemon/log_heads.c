/* log_heads: rows of tree_heads, as heads again. */
#include "verifier/daemon/log_heads.h"

#include "feeds/hex.h"
#include "verifier/envelope.h"
#include "verifier/tree_head.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                    \
	"SELECT content, signature, attestation_sha256, platform," \
	" public_key, document FROM tree_heads JOIN attestations"  \
	" ON sha256 = attestation_sha256 WHERE boot_id=?1 AND tree_size"

static const char *const queries[] = {
    [LOG_HEADS_AT] = COLUMNS "=?2",
    [LOG_HEADS_BELOW] = COLUMNS "<?2 ORDER BY tree_size DESC LIMIT 1",
    [LOG_HEADS_FROM] = COLUMNS ">=?2 ORDER BY tree_size LIMIT 1",
    [LOG_HEADS_NEWEST] = COLUMNS ">=?2 ORDER BY tree_size DESC LIMIT 1",
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

/* By way of its JSON, like archive_read_item(). */
static int read_row(struct log_head *out, sqlite3_stmt *s)
{
	const char *sha256 = (const char *)sqlite3_column_text(s, 2);
	const char *platform = (const char *)sqlite3_column_text(s, 3);
	struct hm_envelope e = {
	    .content = (char *)(uintptr_t)sqlite3_column_text(s, 0),
	    .content_len = (size_t)sqlite3_column_bytes(s, 0),
	    .signature = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 1),
	    .signature_len = (size_t)sqlite3_column_bytes(s, 1),
	    .public_key = (char *)(uintptr_t)sqlite3_column_text(s, 4),
	    .document = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 5),
	    .document_len = (size_t)sqlite3_column_bytes(s, 5),
	};
	char *json = NULL;
	int rc = -1;

	if (!e.content || !e.signature || !e.document || !e.public_key ||
	    !platform || !sha256 || e.document_len > HM_DOCUMENT_MAX ||
	    e.content_len > TREE_HEAD_CONTENT_MAX ||
	    hex_decode(
		e.attestation_sha256, HM_SHA256_LEN, sha256, strlen(sha256)))
		return -1;
	snprintf(e.platform, sizeof(e.platform), "%s", platform);
	json = envelope_format(&e, true);
	if (json &&
	    hm_envelope_parse(&out->envelope, json, strlen(json)) == HM_VALID)
		rc = decode(out);
	free(json);
	return rc;
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
	    sqlite3_step(s) == SQLITE_ROW)
		rc = read_row(out, s);
	sqlite3_finalize(s);
	if (rc)
		log_head_fini(out);
	return rc;
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

int log_heads_read(
    struct log_head *out, sqlite3 *db, const char *text, size_t len)
{
	memset(out, 0, sizeof(*out));
	if (hm_envelope_parse(&out->envelope, text, len) == HM_VALID &&
	    (out->envelope.document ||
		find_document(&out->envelope, db) == 0) &&
	    decode(out) == 0)
		return 0;
	log_head_fini(out);
	return -1;
}

uint64_t log_heads_count(const struct hm_head *head, const char *feed)
{
	for (size_t i = 0; i < head->feed_count; i++)
		if (strcmp(head->feeds[i].feed, feed) == 0)
			return head->feeds[i].next_sequence;
	return 0;
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
	if (log_heads_count(&head->head, feed) <= sequence) {
		*newer = true;
		goto out;
	}
	for (high = head->head.tree_size; low < high;) {
		uint64_t middle = low + (high - low) / 2;

		if (log_heads_find(&at, db, boot_id, LOG_HEADS_FROM, middle))
			goto out;
		if (log_heads_count(&at.head, feed) <= sequence) {
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
