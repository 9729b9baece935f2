/* fetched_envelope: see fetched_envelope.h. As strict as envelope.c: none of it
 * is signed, so it must not be able to say anything in two ways. */
#include "verifier/fetched_envelope.h"

#include "feeds/check.h"
#include "verifier/base64.h"
#include "verifier/envelope.h"
#include "verifier/fetched.h"
#include "verifier/flat_field.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOCUMENT,
	CONTENT,
	KEY,
	SIGNATURE,
	FIELDS
};

static int read_fields(struct hm_envelope *out, const struct flat_field *fields)
{
	if (flat_field_base64(&fields[DOCUMENT], HM_DOCUMENT_MAX,
		&out->document, &out->document_len) != 0 ||
	    flat_field_base64(&fields[SIGNATURE], ENVELOPE_SIGNATURE_MAX,
		&out->signature, &out->signature_len) != 0)
		return -1; /* unnamed: flat_field's are */
	out->content = flat_field_text(&fields[CONTENT], FETCHED_CONTENT_MAX);
	out->public_key = flat_field_text(&fields[KEY], ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1; /* unnamed: flat_field's are */
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
	return envelope_read(out, json, len, HM_FETCHED_MAX, read_envelope);
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
