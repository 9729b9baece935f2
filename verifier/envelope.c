/* envelope: see envelope.h. The envelope is not signed, so it must not be able
 * to say anything twice or in two ways: six keys, each once, binary values in
 * canonical base64, the hash in lower case. */
#include "verifier/envelope.h"

#include "feeds/hex.h"
#include "feeds/item.h"
#include "verifier/base64.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_MAX 512 /* bytes, RSA-4096 */

/* The texts of the JSON, borrowed from it. */
struct texts {
	const char *content, *signature, *key, *platform, *hash, *document;
	size_t content_len, signature_len, key_len, platform_len, hash_len,
	    document_len;
};

static int unpack(json_t *root, struct texts *t)
{
	json_error_t why;

	/* %: with its length. document is left as it is if absent. */
	return json_unpack_ex(root, &why, 0,
	    "{s:s%, s:s%, s:s%, s:s%, s:s%, s?s% !}", "content", &t->content,
	    &t->content_len, "signature_b64", &t->signature, &t->signature_len,
	    "public_key", &t->key, &t->key_len, "platform", &t->platform,
	    &t->platform_len, "attestation_sha256", &t->hash, &t->hash_len,
	    "attestation_doc_b64", &t->document, &t->document_len);
}

static bool is_lower(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'F')
			return false;
	return true;
}

static bool sizes_ok(const struct hm_envelope *e, const struct texts *t)
{
	return t->content_len >= 1 && t->content_len <= ITEM_CONTENT_MAX &&
	       t->key_len >= 1 && t->key_len < ITEM_KEY_PEM_MAX &&
	       t->platform_len >= 1 && t->platform_len < sizeof(e->platform) &&
	       t->signature_len >= 1 &&
	       t->signature_len <= (SIGNATURE_MAX + 2) / 3 * 4 &&
	       t->document_len <= (HM_DOCUMENT_MAX + 2) / 3 * 4;
}

static int read_texts(struct hm_envelope *out, const struct texts *t)
{
	if (!sizes_ok(out, t) || !is_lower(t->hash, t->hash_len) ||
	    hex_decode(out->attestation_sha256, HM_SHA256_LEN, t->hash,
		t->hash_len) != 0 ||
	    base64_decode(&out->signature, &out->signature_len, t->signature,
		t->signature_len) != 0)
		return -1;
	memcpy(out->platform, t->platform, t->platform_len);
	out->content = strndup(t->content, t->content_len);
	out->content_len = t->content_len;
	out->public_key = strndup(t->key, t->key_len);
	if (out->content == NULL || out->public_key == NULL)
		return -1;
	if (t->document == NULL)
		return 0;
	if (t->document_len == 0)
		return -1;
	return base64_decode(
	    &out->document, &out->document_len, t->document, t->document_len);
}

enum hm_verdict hm_envelope_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	enum hm_verdict verdict = HM_ENVELOPE_MALFORMED;
	struct texts texts = {0};
	json_error_t why;
	json_t *root;

	memset(out, 0, sizeof(*out));
	if (json == NULL || len > HM_ENVELOPE_MAX)
		return verdict;
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return verdict;
	if (unpack(root, &texts) == 0 && read_texts(out, &texts) == 0)
		verdict = HM_VALID;
	else
		hm_envelope_fini(out);
	json_decref(root);
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
