/* envelope: see envelope.h. The envelope is not signed, so it must not be able
 * to say anything twice or in two ways: six keys, each once, binary values in
 * canonical base64, the hash in lower case. A seventh key holds envelopes of
 * six keys, the co-signatures of others, and may be absent but not empty.
 *
 * Reading is half of what an item costs if a tree is built for it, so it is
 * not: flat_json.h. Writing is rare enough for jansson. */
#include "verifier/envelope.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "feeds/item.h"
#include "verifier/base64.h"
#include "verifier/flat_field.h"
#include "verifier/item_key.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTENT,
	SIGNATURE,
	KEY,
	PLATFORM,
	HASH,
	DOCUMENT, /* may be absent */
	FIELDS,
	COSIGNATURES = FIELDS, /* may be absent; of the outer one alone */
	FIELDS_AND_LIST
};

static const struct flat_field no_fields[FIELDS] = {
    [CONTENT] = {.key = "content"},
    [SIGNATURE] = {.key = "signature_b64"},
    [KEY] = {.key = "public_key"},
    [PLATFORM] = {.key = "platform"},
    [HASH] = {.key = "attestation_sha256"},
    [DOCUMENT] = {.key = "attestation_doc_b64"},
};

static int read_fields(struct hm_envelope *out, const struct flat_field *fields)
{
	if (flat_field_hex(
		&fields[HASH], out->attestation_sha256, HM_SHA256_LEN) != 0 ||
	    !flat_field_fits(&fields[PLATFORM], sizeof(out->platform) - 1) ||
	    flat_field_base64(&fields[SIGNATURE], ENVELOPE_SIGNATURE_MAX,
		&out->signature, &out->signature_len) != 0)
		return -1; /* unnamed: flat_field's are */
	memcpy(out->platform, fields[PLATFORM].text, fields[PLATFORM].len);
	out->content = flat_field_text(&fields[CONTENT], ITEM_CONTENT_MAX);
	out->content_len = fields[CONTENT].len;
	out->public_key = flat_field_text(&fields[KEY], ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1; /* unnamed: flat_field's are */
	if (fields[DOCUMENT].text == NULL)
		return 0;
	return flat_field_base64(&fields[DOCUMENT], HM_DOCUMENT_MAX,
	    &out->document, &out->document_len);
}

static int read_cosignatures(
    struct hm_envelope *out, const struct flat_list *list)
{
	if (REFUSE(envelope_no_cosignature, list->count == 0))
		return -1;
	out->cosignatures = calloc(list->count, sizeof(*out->cosignatures));
	if (out->cosignatures == NULL)
		return -1;
	out->cosignature_count = list->count;
	for (size_t i = 0; i < list->count; i++)
		if (read_fields(
			&out->cosignatures[i], list->fields + i * FIELDS) != 0)
			return -1;
	return 0;
}

static int read_envelope(
    struct hm_envelope *out, const char *json, size_t len, char *room)
{
	struct flat_field others[HM_COSIGNATURES_MAX][FIELDS];
	struct flat_list list = {others[0], FIELDS, HM_COSIGNATURES_MAX, 0};
	struct flat_field fields[FIELDS_AND_LIST] = {
	    [COSIGNATURES] = {.key = "cosignatures", .list = &list}};

	memcpy(fields, no_fields, sizeof(no_fields));
	for (size_t i = 0; i < HM_COSIGNATURES_MAX; i++)
		memcpy(others[i], no_fields, sizeof(no_fields));
	if (REFUSE(envelope_json,
		flat_json_parse(fields, FIELDS_AND_LIST, json, len, room) != 0))
		return -1;
	if (read_fields(out, fields) != 0)
		return -1;
	return fields[COSIGNATURES].text == NULL
		   ? 0
		   : read_cosignatures(out, &list);
}

enum hm_verdict envelope_read(struct hm_envelope *out, const char *json,
    size_t len, size_t max, envelope_reader *read)
{
	enum hm_verdict verdict = HM_ENVELOPE_MALFORMED;
	char *room;

	memset(out, 0, sizeof(*out));
	if (REFUSE(envelope_no_text, json == NULL) ||
	    REFUSE(envelope_max, len > max))
		return HM_ENVELOPE_MALFORMED;
	room = malloc(len + FLAT_JSON_SLACK);
	if (room == NULL)
		return HM_ENVELOPE_MALFORMED;
	if (read(out, json, len, room) == 0)
		verdict = HM_VALID;
	else
		hm_envelope_fini(out);
	free(room);
	return verdict;
}

enum hm_verdict hm_envelope_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	return envelope_read(out, json, len, HM_ENVELOPE_MAX, read_envelope);
}

void hm_envelope_fini(struct hm_envelope *envelope)
{
	for (size_t i = 0; i < envelope->cosignature_count; i++)
		hm_envelope_fini(&envelope->cosignatures[i]);
	free(envelope->cosignatures);
	free(envelope->content);
	free(envelope->signature);
	free(envelope->public_key);
	free(envelope->document);
	memset(envelope, 0, sizeof(*envelope));
}

static bool lacks(const struct hm_envelope *e, const uint8_t *sha256)
{
	/* unnamed: a fact */
	return e->document == NULL &&
	       memcmp(e->attestation_sha256, sha256, HM_SHA256_LEN) == 0;
}

static int give(struct hm_envelope *e, const uint8_t *document, size_t len)
{
	e->document = malloc(len);
	if (e->document == NULL)
		return -1;
	memcpy(e->document, document, len);
	e->document_len = len;
	return 0;
}

int hm_envelope_supply(
    struct hm_envelope *envelope, const uint8_t *document, size_t len)
{
	uint8_t sha256[HM_SHA256_LEN];
	int given = 0;

	if (REFUSE(supply_size, len == 0 || len > HM_DOCUMENT_MAX) ||
	    EVP_Digest(document, len, sha256, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	for (size_t i = 0; i <= envelope->cosignature_count; i++) {
		struct hm_envelope *e = i == 0 ? envelope
					       : &envelope->cosignatures[i - 1];

		if (!lacks(e, sha256))
			continue;
		if (give(e, document, len) != 0)
			return -1;
		given++;
	}
	return given;
}

bool envelope_has_format(const struct hm_envelope *envelope, const char *format)
{
	char begin[64];
	size_t len = (size_t)snprintf(
	    begin, sizeof(begin), "{\"format\":\"%s\",", format);

	assert(len < sizeof(begin)); /* ours are short */
	/* unnamed: a fact */
	return envelope->content_len >= len &&
	       memcmp(envelope->content, begin, len) == 0;
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

static int set_document(json_t *root, const struct hm_envelope *e)
{
	char *base64 = base64_encode(e->document, e->document_len);
	int status = base64 == NULL
			 ? -1
			 : json_object_set_new(root, "attestation_doc_b64",
			       json_string(base64));

	free(base64);
	return status;
}

/* The six keys, those that there are; NULL: no memory. */
static json_t *build_one(const struct hm_envelope *e, bool with_document)
{
	char *signature = base64_encode(e->signature, e->signature_len);
	json_t *root = signature == NULL ? NULL : build(e, signature);

	free(signature);
	if (root != NULL && with_document && e->document != NULL &&
	    set_document(root, e) != 0) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static int set_cosignatures(
    json_t *root, const struct hm_envelope *e, bool with_documents)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->cosignature_count; i++)
		if (json_array_append_new(list,
			build_one(&e->cosignatures[i], with_documents)) != 0) {
			json_decref(list);
			return -1; /* unnamed: no memory */
		}
	return json_object_set_new(root, "cosignatures", list);
}

char *envelope_format(const struct hm_envelope *envelope, bool with_document)
{
	json_t *root = build_one(envelope, with_document);
	char *text = NULL;

	if (root != NULL &&
	    (envelope->cosignature_count == 0 ||
		set_cosignatures(root, envelope, with_document) == 0))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

char *envelope_add_document(
    const char *reference, const struct hm_envelope *envelope)
{
	char *document, *text = NULL;

	/* Inside of the co-signatures there is more to add. */
	if (envelope->cosignature_count > 0)
		return envelope_format(envelope, true);
	document = base64_encode(envelope->document, envelope->document_len);
	/* Before the closing brace; base64 needs no escapes. */
	if (document == NULL ||
	    asprintf(&text, "%.*s,\"attestation_doc_b64\":\"%s\"}",
		(int)strlen(reference) - 1, reference, document) < 0)
		text = NULL;
	free(document);
	return text;
}
