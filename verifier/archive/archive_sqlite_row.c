/* archive_sqlite_row: see archive_sqlite_row.h. */
#include "verifier/archive/archive_sqlite_row.h"

#include "feeds/hex.h"
#include "feeds/item.h"

#include <openssl/evp.h>
#include <string.h>

/* A text of at most max bytes without a NUL in it, or NULL. */
static const char *text_of(sqlite3_stmt *s, int at, size_t max, size_t *len)
{
	const char *text;

	if (sqlite3_column_type(s, at) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(s, at);
	*len = (size_t)sqlite3_column_bytes(s, at);
	if (text == NULL || *len > max || memchr(text, '\0', *len) != NULL)
		return NULL;
	return text;
}

const void *archive_sqlite_row_blob(
    sqlite3_stmt *s, int at, size_t max, size_t *len)
{
	if (sqlite3_column_type(s, at) != SQLITE_BLOB)
		return NULL;
	*len = (size_t)sqlite3_column_bytes(s, at);
	return *len <= max ? sqlite3_column_blob(s, at) : NULL;
}

bool archive_sqlite_row_text(sqlite3_stmt *s, int at, char *out, size_t size)
{
	size_t len;
	const char *text = text_of(s, at, size - 1, &len);

	if (text != NULL)
		memcpy(out, text, len + 1);
	return text != NULL;
}

static bool copy_number(sqlite3_stmt *s, int at, int64_t *out)
{
	if (sqlite3_column_type(s, at) != SQLITE_INTEGER)
		return false;
	*out = sqlite3_column_int64(s, at);
	return true;
}

bool archive_sqlite_row_hash(
    sqlite3_stmt *s, int at, uint8_t out[HM_SHA256_LEN])
{
	char again[2 * HM_SHA256_LEN + 1];
	size_t len;
	const char *text = text_of(s, at, 2 * HM_SHA256_LEN, &len);

	if (text == NULL || hex_decode(out, HM_SHA256_LEN, text, len) != 0)
		return false;
	hex_encode(out, HM_SHA256_LEN, again);
	return memcmp(again, text, len) == 0;
}

static const char *check_stated(
    sqlite3_stmt *s, enum archive_entry_kind kind, struct archive_stated *out)
{
	bool is_item = kind == ARCHIVE_ENTRY_ITEM;
	int64_t sequence = -1, late = 0;

	if (kind != ARCHIVE_ENTRY_HEAD &&
	    !archive_sqlite_row_text(
		s, ARCHIVE_SQLITE_ROW_FEED, out->feed, sizeof(out->feed)))
		return "its feed is malformed";
	if (!archive_sqlite_row_text(
		s, ARCHIVE_SQLITE_ROW_BOOT, out->boot_id, sizeof(out->boot_id)))
		return "its boot_id is malformed";
	if (!copy_number(s, ARCHIVE_SQLITE_ROW_SEQUENCE, &sequence) ||
	    sequence < 0)
		return kind == ARCHIVE_ENTRY_HEAD ? "its tree_size is malformed"
						  : "its sequence is malformed";
	out->sequence = (uint64_t)sequence;
	if (!copy_number(s, ARCHIVE_SQLITE_ROW_PUBLISHED, &out->published_ms))
		return "its published_ms is malformed";
	if (!archive_sqlite_row_text(s, ARCHIVE_SQLITE_ROW_SHA256,
		out->content_sha256, sizeof(out->content_sha256)))
		return "its content_sha256 is malformed";
	if (kind != ARCHIVE_ENTRY_NEWEST &&
	    !copy_number(s, ARCHIVE_SQLITE_ROW_RECEIVED, &out->received_ms))
		return "its received_ms is malformed";
	if (is_item &&
	    (!copy_number(s, ARCHIVE_SQLITE_ROW_EXPIRES, &out->expires_ms) ||
		!copy_number(s, ARCHIVE_SQLITE_ROW_LATE, &late)))
		return "its expires_ms or late is malformed";
	out->late = late != 0;
	return late == 0 || late == 1 ? NULL : "its late is malformed";
}

const char *archive_sqlite_row_stated(
    sqlite3_stmt *s, enum archive_entry_kind kind, struct archive_stated *out)
{
	memset(out, 0, sizeof(*out));
	out->has = true;
	return check_stated(s, kind, out);
}

const char *archive_sqlite_row_envelope(
    sqlite3_stmt *s, struct hm_envelope *out)
{
	const char *content = text_of(
	    s, ARCHIVE_SQLITE_ROW_CONTENT, ITEM_CONTENT_MAX, &out->content_len);
	const void *signature = archive_sqlite_row_blob(s,
	    ARCHIVE_SQLITE_ROW_SIGNATURE, ARCHIVE_SQLITE_SIGNATURE_MAX,
	    &out->signature_len);

	if (content == NULL || out->content_len == 0)
		return "its content is malformed";
	if (signature == NULL)
		return "its signature is malformed";
	if (!archive_sqlite_row_hash(
		s, ARCHIVE_SQLITE_ROW_ATTESTATION, out->attestation_sha256))
		return "its attestation_sha256 is malformed";
	out->content = (char *)(uintptr_t)content;
	out->signature = (uint8_t *)(uintptr_t)signature;
	return NULL;
}

const char *archive_sqlite_row_raw(sqlite3_stmt *s, struct archive_entry *out)
{
	static const uint8_t none[1];
	int64_t received_ms;

	if (!archive_sqlite_row_hash(
		s, ARCHIVE_SQLITE_ROW_RAW_SHA256, out->sha256))
		return "its sha256 is malformed";
	if (!copy_number(s, ARCHIVE_SQLITE_ROW_RAW_RECEIVED, &received_ms))
		return "its received_ms is malformed";
	out->bytes = archive_sqlite_row_blob(
	    s, ARCHIVE_SQLITE_ROW_RAW_BODY, ARCHIVE_SOURCE_RAW_MAX, &out->len);
	if (out->bytes == NULL && out->len == 0 &&
	    sqlite3_column_type(s, ARCHIVE_SQLITE_ROW_RAW_BODY) == SQLITE_BLOB)
		out->bytes = none; /* SQLite's empty blob */
	return out->bytes != NULL ? NULL : "its body is malformed";
}

int archive_sqlite_row_beside(sqlite3_stmt *s, struct archive_beside *out)
{
	size_t len = 0;

	memset(out, 0, sizeof(*out));
	if (archive_sqlite_row_blob(s, 0, HM_DOCUMENT_MAX, &len) == NULL ||
	    len == 0)
		return -1;
	return archive_sqlite_row_text(
		   s, 1, out->platform, sizeof(out->platform)) &&
		       archive_sqlite_row_text(
			   s, 2, out->public_key, sizeof(out->public_key))
		   ? 0
		   : -1;
}

bool archive_sqlite_row_hashes_to(
    const void *bytes, size_t len, const uint8_t wanted[HM_SHA256_LEN])
{
	uint8_t sha256[HM_SHA256_LEN];

	return EVP_Digest(bytes, len, sha256, NULL, EVP_sha256(), NULL) == 1 &&
	       memcmp(sha256, wanted, HM_SHA256_LEN) == 0;
}

int archive_sqlite_row_bind_hash(
    sqlite3_stmt *s, const uint8_t sha256[HM_SHA256_LEN])
{
	char hex[2 * HM_SHA256_LEN + 1];

	sqlite3_reset(s);
	hex_encode(sha256, HM_SHA256_LEN, hex);
	return sqlite3_bind_text(
		   s, 1, hex, 2 * HM_SHA256_LEN, SQLITE_TRANSIENT) == SQLITE_OK
		   ? 0
		   : -1;
}
