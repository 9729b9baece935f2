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

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_MAX 512 /* bytes, RSA-4096 */
#define SHORT_MAX     (2 * HM_SHA256_LEN + 1)
#define ESCAPE_MAX    6 /* bytes that may stand for one */

enum {
	CONTENT,
	SIGNATURE,
	KEY,
	PLATFORM,
	HASH,
	DOCUMENT, /* may be absent */
	FIELDS
};

/* The text, NUL-terminated, in a new buffer; NULL if there is none of min to
 * max bytes, or no memory. */
static char *read_text(
    const struct flat_text *text, size_t min, size_t max, size_t *len)
{
	char *out = malloc(text->len + 1);

	if (out == NULL)
		return NULL;
	*len = flat_text_decode(text, out);
	if (REFUSE(envelope_text_min, *len < min) ||
	    REFUSE(envelope_text_max, *len > max)) {
		free(out);
		return NULL;
	}
	out[*len] = '\0';
	return out;
}

/* The same for a short one, into the caller's. */
static int read_short(
    const struct flat_text *text, char *out, size_t size, size_t *len)
{
	char decoded[SHORT_MAX * ESCAPE_MAX];

	assert(size <= SHORT_MAX);
	if (REFUSE(envelope_short_max, text->len > sizeof(decoded)))
		return -1;
	*len = flat_text_decode(text, decoded);
	if (REFUSE(envelope_short_empty, *len < 1) ||
	    REFUSE(envelope_short_size, *len >= size))
		return -1;
	memcpy(out, decoded, *len);
	out[*len] = '\0';
	return 0;
}

/* At least one byte, at most max. */
static int read_base64(
    const struct flat_text *text, size_t max, uint8_t **out, size_t *out_len)
{
	size_t len, text_max = (max + 2) / 3 * 4;
	char *decoded;
	int status;

	if (!text->escaped)
		return REFUSE(envelope_base64_empty, text->len < 1) ||
			       REFUSE(envelope_base64_max, text->len > text_max)
			   ? -1
			   : base64_decode(out, out_len, text->at, text->len);
	decoded = read_text(text, 1, text_max, &len);
	if (decoded == NULL)
		return -1;
	status = base64_decode(out, out_len, decoded, len);
	free(decoded);
	return status;
}

static int read_hash(const struct flat_text *text, uint8_t out[HM_SHA256_LEN])
{
	char hex[2 * HM_SHA256_LEN + 1];
	size_t len;

	if (read_short(text, hex, sizeof(hex), &len) != 0)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (REFUSE(envelope_hash_case, hex[i] >= 'A' && hex[i] <= 'F'))
			return -1;
	return REQUIRE(
		   envelope_hash, hex_decode(out, HM_SHA256_LEN, hex, len) == 0)
		   ? 0
		   : -1;
}

static int read_fields(struct hm_envelope *out, const struct flat_field *fields)
{
	const struct flat_text *document = &fields[DOCUMENT].value;
	size_t len;

	for (int i = 0; i < DOCUMENT; i++)
		if (REFUSE(envelope_missing, fields[i].value.at == NULL))
			return -1;
	if (read_hash(&fields[HASH].value, out->attestation_sha256) != 0 ||
	    read_short(&fields[PLATFORM].value, out->platform,
		sizeof(out->platform), &len) != 0 ||
	    read_base64(&fields[SIGNATURE].value, SIGNATURE_MAX,
		&out->signature, &out->signature_len) != 0)
		return -1;
	out->content = read_text(
	    &fields[CONTENT].value, 1, ITEM_CONTENT_MAX, &out->content_len);
	out->public_key = read_text(
	    &fields[KEY].value, 1, ITEM_KEY_PEM_MAX - 1, &len);
	if (out->content == NULL || out->public_key == NULL)
		return -1;
	if (document->at == NULL)
		return 0;
	return read_base64(
	    document, HM_DOCUMENT_MAX, &out->document, &out->document_len);
}

enum hm_verdict hm_envelope_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	struct flat_field fields[FIELDS] = {
	    [CONTENT] = {.key = "content"},
	    [SIGNATURE] = {.key = "signature_b64"},
	    [KEY] = {.key = "public_key"},
	    [PLATFORM] = {.key = "platform"},
	    [HASH] = {.key = "attestation_sha256"},
	    [DOCUMENT] = {.key = "attestation_doc_b64"},
	};

	memset(out, 0, sizeof(*out));
	if (REFUSE(envelope_no_text, json == NULL) ||
	    REFUSE(envelope_max, len > HM_ENVELOPE_MAX))
		return HM_ENVELOPE_MALFORMED;
	if (REFUSE(envelope_json,
		flat_json_parse(fields, FIELDS, json, len) != 0) ||
	    read_fields(out, fields) != 0) {
		hm_envelope_fini(out);
		return HM_ENVELOPE_MALFORMED;
	}
	return HM_VALID;
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

static int add_document(json_t *root, const struct hm_envelope *e)
{
	char *text = base64_encode(e->document, e->document_len);
	int status = -1;

	if (text != NULL)
		status = json_object_set_new(
		    root, "attestation_doc_b64", json_string(text));
	free(text);
	return status;
}

char *envelope_format(const struct hm_envelope *envelope, bool with_document)
{
	char *signature = base64_encode(
	    envelope->signature, envelope->signature_len);
	json_t *root = NULL;
	char *text = NULL;

	if (signature == NULL)
		return NULL;
	root = build(envelope, signature);
	if (root == NULL ||
	    (with_document && add_document(root, envelope) != 0))
		goto out;
	text = json_dumps(root, JSON_COMPACT);
out:
	json_decref(root);
	free(signature);
	return text;
}
