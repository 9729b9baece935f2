/* archive_read: what the daemon wants back from its archive when it starts.
 * The file may have been touched by anybody meanwhile: nothing in it is
 * believed before it has been verified again. */
#include "verifier/daemon/archive_db.h"

#include "feeds/hex.h"
#include "verifier/archive/archive_cosigned.h"
#include "verifier/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_head(sqlite3_stmt *s, struct archive_head *head)
{
	const char *boot_id = (const char *)sqlite3_column_text(s, 1);
	const char *sha256 = (const char *)sqlite3_column_text(s, 4);
	int64_t sequence = sqlite3_column_int64(s, 2);

	memset(head, 0, sizeof(*head));
	head->feed = (const char *)sqlite3_column_text(s, 0);
	head->state.started = true;
	head->state.sequence = (uint64_t)sequence;
	head->state.published_ms = sqlite3_column_int64(s, 3);
	if (!head->feed || !boot_id || !sha256 || sequence < 0)
		return -1;
	if (hex_decode(head->state.boot_id, ARCHIVE_BOOT_ID_LEN, boot_id,
		strlen(boot_id)))
		return -1;
	return hex_decode(
	    head->state.content_sha256, HM_SHA256_LEN, sha256, strlen(sha256));
}

enum archive_state archive_heads(struct archive *archive,
    void (*cb)(const struct archive_head *head, void *data), void *data,
    char error[static ARCHIVE_ERROR_MAX])
{
	static const char sql[] =
	    "SELECT feed, boot_id, sequence, published_ms, content_sha256"
	    " FROM heads ORDER BY published_ms DESC LIMIT ?1";
	struct archive_head head;
	enum archive_state state = ARCHIVE_OK;
	sqlite3_stmt *s = NULL;
	int rc;

	if (sqlite3_prepare_v2(archive->db, sql, -1, &s, NULL) ||
	    sqlite3_bind_int(s, 1, ARCHIVE_HEADS_MAX)) {
		state = archive_fail(archive, error);
		sqlite3_finalize(s);
		return state;
	}
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (read_head(s, &head) == 0)
			cb(&head, data);
	if (rc != SQLITE_DONE)
		state = archive_fail(archive, error);
	sqlite3_finalize(s);
	return state;
}

/* The row as an envelope by way of its JSON: whatever stands in the file is
 * read as strictly as if it had come from the network. */
static int read_envelope(sqlite3_stmt *s, struct archive_cosigned *cosigned,
    const char *feed, const uint8_t boot_id[16], uint64_t sequence,
    struct hm_envelope *out)
{
	char boot_hex[2 * ARCHIVE_BOOT_ID_LEN + 1];
	const char *platform = (const char *)sqlite3_column_text(s, 4);
	const char *sha256 = (const char *)sqlite3_column_text(s, 2);
	struct hm_envelope e = {
	    .content = (char *)(uintptr_t)sqlite3_column_text(s, 0),
	    .content_len = (size_t)sqlite3_column_bytes(s, 0),
	    .signature = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 1),
	    .signature_len = (size_t)sqlite3_column_bytes(s, 1),
	    .document = (uint8_t *)(uintptr_t)sqlite3_column_blob(s, 3),
	    .document_len = (size_t)sqlite3_column_bytes(s, 3),
	    .public_key = (char *)(uintptr_t)sqlite3_column_text(s, 5),
	};
	char *json;
	int rc = -1;

	if (!e.content || !e.signature || !e.document || !e.public_key ||
	    !platform || !sha256 || e.document_len > HM_DOCUMENT_MAX ||
	    e.content_len > HM_ENVELOPE_MAX ||
	    hex_decode(
		e.attestation_sha256, HM_SHA256_LEN, sha256, strlen(sha256)))
		return -1;
	snprintf(e.platform, sizeof(e.platform), "%s", platform);
	hex_encode(boot_id, ARCHIVE_BOOT_ID_LEN, boot_hex);
	if (archive_cosigned_read(
		cosigned, feed, boot_hex, (int64_t)sequence, &e))
		return -1;
	json = envelope_format(&e, true);
	if (json && hm_envelope_parse(out, json, strlen(json)) == HM_VALID)
		rc = 0;
	free(json);
	return rc;
}

int archive_read_item(struct archive *archive, const char *feed,
    const uint8_t boot_id[16], uint64_t sequence, struct hm_envelope *out)
{
	static const char sql[] =
	    "SELECT content, signature, attestation_sha256, document,"
	    " platform, public_key FROM items JOIN attestations"
	    " ON sha256 = attestation_sha256"
	    " WHERE feed=?1 AND boot_id=?2 AND sequence=?3";
	struct archive_cosigned cosigned;
	sqlite3_stmt *s = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (archive_cosigned_open(
		&cosigned, archive->db, ARCHIVE_COSIGNED_FULL) == 0 &&
	    sqlite3_prepare_v2(archive->db, sql, -1, &s, NULL) == SQLITE_OK &&
	    archive_bind_text(s, 1, feed) == SQLITE_OK &&
	    archive_bind_hex(s, 2, boot_id, ARCHIVE_BOOT_ID_LEN) == SQLITE_OK &&
	    sqlite3_bind_int64(s, 3, (sqlite3_int64)sequence) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		rc = read_envelope(s, &cosigned, feed, boot_id, sequence, out);
	sqlite3_finalize(s);
	archive_cosigned_close(&cosigned);
	return rc;
}

void archive_cursor(
    struct archive *archive, const char *oracle, char out[static SSE_ID_MAX])
{
	sqlite3_stmt *s = NULL;
	const char *id = NULL;

	if (sqlite3_prepare_v2(archive->db,
		"SELECT event_id FROM cursors WHERE oracle=?1", -1, &s,
		NULL) == SQLITE_OK &&
	    archive_bind_text(s, 1, oracle) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		id = (const char *)sqlite3_column_text(s, 0);
	snprintf(out, SSE_ID_MAX, "%s", id ? id : "");
	sqlite3_finalize(s);
}
