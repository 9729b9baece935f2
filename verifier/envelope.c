/* envelope: see envelope.h. The envelope is not signed, so it must not be able
 * to say anything twice or in two ways: six keys, each once, binary values in
 * canonical base64, the hash in lower case.
 *
 * Reading is half of what an item costs if a tree is built for it, so it is
 * not: flat_json.h. Writing is rare enough for jansson. */
#include "verifier/envelope.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "feeds/item.h"
#include "verifier/base64.h"
#include "verifier/flat_json.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_MAX 512 /* bytes, RSA-4096 */

enum {
	CONTENT,
	SIGNATURE,
	KEY,
	PLATFORM,
	HASH,
	DOCUMENT, /* may be absent */
	FIELDS
};

static bool is_long(const struct flat_field *field, size_t min, size_t max)
{
	return REQUIRE(envelope_text_min, field->len >= min) &&
	       REQUIRE(envelope_text_max, field->len <= max);
}

/* NUL-terminated, in a new buffer; NULL: too long, too short, no memory. */
static char *read_text(const struct flat_field *field, size_t max)
{
	char *out;

	if (!is_long(field, 1, max))
		return NULL;
	out = malloc(field->len + 1);
	if (out == NULL)
		return NULL;
	memcpy(out, field->text, field->len);
	out[field->len] = '\0';
	return out;
}

/* At least one byte, at most max. */
static int read_base64(
    const struct flat_field *field, size_t max, uint8_t **out, size_t *len)
{
	if (!is_long(field, 1, (max + 2) / 3 * 4))
		return -1;
	return base64_decode(out, len, field->text, field->len);
}

static int read_hash(const struct flat_field *field, uint8_t out[HM_SHA256_LEN])
{
	int status = hex_decode(out, HM_SHA256_LEN, field->text, field->len);

	if (REFUSE(envelope_hash, status != 0))
		return -1;
	for (size_t i = 0; i < field->len; i++)
		if (REFUSE(envelope_hash_case,
			field->text[i] >= 'A' && field->text[i] <= 'F'))
			return -1;
	return 0;
}

static int read_fields(struct hm_envelope *out, const struct flat_field *fields)
{
	for (int i = 0; i < DOCUMENT; i++)
		if (fields[i].text == NULL)
			return -1; /* unnamed: an empty one is, below */
	if (read_hash(&fields[HASH], out->attestation_sha256) != 0 ||
	    !is_long(&fields[PLATFORM], 1, sizeof(out->platform) - 1) ||
	    read_base64(&fields[SIGNATURE], SIGNATURE_MAX, &out->signature,
		&out->signature_len) != 0)
		return -1;
	memcpy(out->platform, fields[PLATFORM].text, fields[PLATFORM].len);
	out->content = read_text(&fields[CONTENT], ITEM_CONTENT_MAX);
	out->content_len = fields[CONTENT].len;
	out->public_key = read_text(&fields[KEY], ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1;
	if (fields[DOCUMENT].text == NULL)
		return 0;
	return read_base64(&fields[DOCUMENT], HM_DOCUMENT_MAX, &out->document,
	    &out->document_len);
}

static int read_envelope(
    struct hm_envelope *out, const char *json, size_t len, char *room)
{
	struct flat_field fields[FIELDS] = {
	    [CONTENT] = {.key = "content"},
	    [SIGNATURE] = {.key = "signature_b64"},
	    [KEY] = {.key = "public_key"},
	    [PLATFORM] = {.key = "platform"},
	    [HASH] = {.key = "attestation_sha256"},
	    [DOCUMENT] = {.key = "attestation_doc_b64"},
	};

	if (REFUSE(envelope_json,
		flat_json_parse(fields, FIELDS, json, len, room) != 0))
		return -1;
	return read_fields(out, fields);
}

enum hm_verdict hm_envelope_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	enum hm_verdict verdict = HM_ENVELOPE_MALFORMED;
	char *room;

	memset(out, 0, sizeof(*out));
	if (REFUSE(envelope_no_text, json == NULL) ||
	    REFUSE(envelope_max, len > HM_ENVELOPE_MAX))
		return HM_ENVELOPE_MALFORMED;
	room = malloc(len + FLAT_JSON_SLACK);
	if (room == NULL)
		return HM_ENVELOPE_MALFORMED;
	if (read_envelope(out, json, len, room) == 0)
		verdict = HM_VALID;
	else
		hm_envelope_fini(out);
	free(room);
	return verdict;
}

void hm_envelope_fini(struct hm_envelope *envelope)
{
	free(envelope->content);
	free(envelope->signature);
	free(envelope->public_key);
	free(envelope->document);
	memset(envelope, 0, sizeof(*envelope));
}

/* ---- the other way ---- */

static json_t *build(const struct hm_envelope *e, const char *signature)
{
	char hash[2 * HM_SHA256_LEN + 1];

	hex_encode(e->attestation_sha256, HM_SHA256_LEN, hash);
	return json_pack("{s:s%, s:s, s:s, s:s, s:s}", "content", e->content,
	    e->content_len, "signature_b64", signature, "public_key",
	    e->public_key, "platform", e->platform, "attestation_sha256", hash);
}

char *envelope_add_document(
    const char *reference, const struct hm_envelope *envelope)
{
	char *document = base64_encode(
	    envelope->document, envelope->document_len);
	char *text = NULL;

	/* Before the closing brace; base64 needs no escapes. */
	if (document == NULL ||
	    asprintf(&text, "%.*s,\"attestation_doc_b64\":\"%s\"}",
		(int)strlen(reference) - 1, reference, document) < 0)
		text = NULL;
	free(document);
	return text;
}

static char *format_reference(const struct hm_envelope *envelope)
{
	char *signature = base64_encode(
	    envelope->signature, envelope->signature_len);
	json_t *root = NULL;
	char *text = NULL;

	if (signature != NULL)
		root = build(envelope, signature);
	if (root != NULL)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	free(signature);
	return text;
}

char *envelope_format(const struct hm_envelope *envelope, bool with_document)
{
	char *reference = format_reference(envelope), *full = NULL;

	if (reference == NULL || !with_document)
		return reference;
	full = envelope_add_document(reference, envelope);
	free(reference);
	return full;
}
