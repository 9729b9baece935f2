/* archive_line: see archive_line.h. */
#include "verifier/archive/archive_line.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/flat_json.h"
#include "verifier/item_key.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH,
	PLATFORM,
	KEY,
	DOCUMENT,
	FIELDS
};

static int hash_of(const void *bytes, size_t len, uint8_t out[HM_SHA256_LEN])
{
	return EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1 ? 0
									  : -1;
}

/* Both, each in its place. */
static int hash_said(struct archive_line_document *document,
    struct slice platform, struct slice key)
{
	uint8_t bytes[16 + ITEM_KEY_PEM_MAX] = {0};

	if (platform.len > 15 || key.len >= ITEM_KEY_PEM_MAX)
		return -1;
	memcpy(bytes, platform.at, platform.len);
	memcpy(bytes + 16, key.at, key.len);
	return hash_of(bytes, 16 + key.len, document->said);
}

static struct slice slice_of(const char *text, size_t len)
{
	return (struct slice){(const uint8_t *)text, len};
}

/* ---- a document ---- */

static int read_fields(struct archive_line_document *out,
    const struct flat_field fields[static FIELDS])
{
	char digits[2 * HM_SHA256_LEN + 1];

	for (int i = 0; i < FIELDS; i++)
		if (fields[i].text == NULL || fields[i].len == 0)
			return -1;
	if (hex_decode(out->sha256, HM_SHA256_LEN, fields[HASH].text,
		fields[HASH].len) != 0)
		return -1;
	hex_encode(out->sha256, HM_SHA256_LEN, digits);
	if (memcmp(digits, fields[HASH].text, fields[HASH].len) != 0)
		return -1; /* in upper case */
	if (fields[DOCUMENT].len > (HM_DOCUMENT_MAX + 2) / 3 * 4 ||
	    hash_said(out,
		slice_of(fields[PLATFORM].text, fields[PLATFORM].len),
		slice_of(fields[KEY].text, fields[KEY].len)))
		return -1;
	return base64_decode(&out->bytes, &out->len, fields[DOCUMENT].text,
	    fields[DOCUMENT].len);
}

static int read_document(struct archive_line *out, const char *text, size_t len)
{
	struct flat_field fields[FIELDS] = {
	    [HASH] = {.key = "attestation_sha256"},
	    [PLATFORM] = {.key = "platform"},
	    [KEY] = {.key = "public_key"},
	    [DOCUMENT] = {.key = "attestation_doc_b64"},
	};
	char *room = malloc(len + FLAT_JSON_SLACK);
	int rc = -1;

	if (room != NULL &&
	    flat_json_parse(fields, FIELDS, text, len, room) == 0)
		rc = read_fields(&out->documents[0], fields);
	out->document_count = 1;
	free(room);
	return rc;
}

/* ---- an item or a head ---- */

/* Takes what it says of its document. */
static int part(struct archive_line_document *out, struct hm_envelope *e)
{
	memcpy(out->sha256, e->attestation_sha256, HM_SHA256_LEN);
	out->bytes = e->document;
	out->len = e->document_len;
	e->document = NULL;
	e->document_len = 0;
	return hash_said(out, slice_of(e->platform, strlen(e->platform)),
	    slice_of(e->public_key, strlen(e->public_key)));
}

static int read_envelope(struct archive_line *out, const char *text, size_t len)
{
	struct hm_envelope *e = &out->envelope;

	if (hm_envelope_parse(e, text, len) != HM_VALID)
		return -1;
	out->kind = hm_envelope_is_head(e) ? ARCHIVE_ENTRY_HEAD
					   : ARCHIVE_ENTRY_ITEM;
	out->document_count = 1 + e->cosignature_count;
	if (part(&out->documents[0], e) != 0)
		return -1;
	for (size_t i = 0; i < e->cosignature_count; i++)
		if (part(&out->documents[i + 1], &e->cosignatures[i]) != 0)
			return -1;
	return 0;
}

/* Drops those that are not what they are called. */
static void check_documents(struct archive_line *line)
{
	uint8_t sha256[HM_SHA256_LEN];

	for (size_t i = 0; i < line->document_count; i++) {
		struct archive_line_document *d = &line->documents[i];

		if (d->bytes == NULL ||
		    (hash_of(d->bytes, d->len, sha256) == 0 &&
			memcmp(sha256, d->sha256, HM_SHA256_LEN) == 0))
			continue;
		free(d->bytes);
		d->bytes = NULL;
		line->problem = "its document is another than its "
				"attestation_sha256 says";
	}
}

static void damaged(struct archive_line *out, const char *problem)
{
	archive_line_fini(out);
	out->kind = ARCHIVE_ENTRY_DAMAGED;
	out->problem = problem;
}

void archive_line_parse(struct archive_line *out, const char *text, size_t len)
{
	memset(out, 0, sizeof(*out));
	if (len > ARCHIVE_LINE_MAX) {
		damaged(out, "longer than an item can be");
		return;
	}
	out->kind = ARCHIVE_ENTRY_DOCUMENT;
	if (read_document(out, text, len) != 0 &&
	    read_envelope(out, text, len) != 0) {
		damaged(out, "neither an item, nor a tree head, nor an "
			     "attestation document");
		return;
	}
	check_documents(out);
}

void archive_line_fini(struct archive_line *line)
{
	hm_envelope_fini(&line->envelope);
	for (size_t i = 0; i < ARCHIVE_LINE_DOCUMENTS; i++)
		free(line->documents[i].bytes);
	memset(line, 0, sizeof(*line));
}
