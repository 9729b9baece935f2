/* fetched_envelope: see fetched_envelope.h. As strict as envelope.c: none of it
 * is signed, so it must not be able to say anything in two ways. */
#include "verifier/fetched_envelope.h"

#include "feeds/check.h"
#include "verifier/base64.h"
#include "verifier/fetched.h"
#include "verifier/flat_json.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_MAX 512 /* bytes, RSA-4096 */

enum {
	DOCUMENT,
	CONTENT,
	KEY,
	SIGNATURE,
	FIELDS
};

static bool fits(const struct flat_field *field, size_t max)
{
	/* One that is not there is empty. */
	return REQUIRE(fetched_text_min, field->len > 0) &&
	       REQUIRE(fetched_text_max, field->len <= max);
}

/* NUL-terminated, in a new buffer; NULL: too long, too short, no memory. */
static char *read_text(const struct flat_field *field, size_t max)
{
	return fits(field, max) ? strndup(field->text, field->len) : NULL;
}

static int read_base64(
    const struct flat_field *field, size_t max, uint8_t **out, size_t *len)
{
	if (!fits(field, (max + 2) / 3 * 4))
		return -1;
	return base64_decode(out, len, field->text, field->len);
}

static int read_fields(struct hm_envelope *out, const struct flat_field *fields)
{
	if (read_base64(&fields[DOCUMENT], HM_DOCUMENT_MAX, &out->document,
		&out->document_len) != 0 ||
	    read_base64(&fields[SIGNATURE], SIGNATURE_MAX, &out->signature,
		&out->signature_len) != 0)
		return -1;
	out->content = read_text(&fields[CONTENT], FETCHED_CONTENT_MAX);
	out->public_key = read_text(&fields[KEY], ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1; /* unnamed: by read_text() */
	out->content_len = fields[CONTENT].len;
	if (EVP_Digest(out->document, out->document_len,
		out->attestation_sha256, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	return 0;
}

static int read_envelope(
    struct hm_envelope *out, const char *json, size_t len, char *room)
{
	struct flat_field fields[FIELDS] = {
	    [DOCUMENT] = {.key = "attestation_doc_b64"},
	    [CONTENT] = {.key = "content"},
	    [KEY] = {.key = "public_key"},
	    [SIGNATURE] = {.key = "signature_b64"},
	};

	if (REFUSE(fetched_json,
		flat_json_parse(fields, FIELDS, json, len, room) != 0))
		return -1;
	return read_fields(out, fields);
}

enum hm_verdict hm_fetch_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	enum hm_verdict verdict = HM_ENVELOPE_MALFORMED;
	char *room;

	memset(out, 0, sizeof(*out));
	if (REFUSE(fetched_no_text, json == NULL) ||
	    REFUSE(fetched_max, len > HM_FETCHED_MAX))
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

/* ---- the other way ---- */

char *fetched_envelope_format(const struct hm_envelope *envelope)
{
	char *document = base64_encode(
	    envelope->document, envelope->document_len);
	char *signature = base64_encode(
	    envelope->signature, envelope->signature_len);
	json_t *root = NULL;
	char *text = NULL;

	if (document != NULL && signature != NULL)
		root = json_pack("{s:s, s:s%, s:s, s:s}", "attestation_doc_b64",
		    document, "content", envelope->content,
		    envelope->content_len, "public_key", envelope->public_key,
		    "signature_b64", signature);
	if (root != NULL)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	free(document);
	free(signature);
	return text;
}
