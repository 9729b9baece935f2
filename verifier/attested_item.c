/* attested_item: reads the JSON of a result inside an attestation (hallmark.h).
 * Like an envelope it is not signed, so it must not be able to say anything
 * twice or in two ways. */
#include "verifier/hallmark.h"

#include "feeds/check.h"
#include "feeds/item.h"
#include "verifier/flat_field.h"
#include "verifier/item_key.h"
#include "verifier/nonce_path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct texts { /* borrowed from the JSON */
	struct flat_field content, platform, hash, document, key, nonce;
	json_t *path; /* NULL: plain */
};

static int read_nonce(struct hm_attested *out, const struct texts *t)
{
	struct nonce_path path;

	out->nonce_len = t->nonce.len / 2;
	if (REFUSE(attested_nonce_len,
		out->nonce_len == 0 || out->nonce_len > HM_NONCE_MAX) ||
	    flat_field_hex(&t->nonce, out->nonce, out->nonce_len) != 0)
		return -1;
	if (t->path == NULL)
		return 0;
	if (nonce_path_read(&path, t->path) != 0)
		return -1; /* unnamed: nonce_path's are */
	out->nonce_index = path.index;
	out->nonce_size = path.size;
	out->nonce_path_len = path.proof.count;
	memcpy(out->nonce_path, path.proof.hashes, sizeof(out->nonce_path));
	return 0;
}

static int read_all(struct hm_attested *out, const struct texts *t)
{
	if (!flat_field_fits(&t->platform, sizeof(out->platform) - 1) ||
	    flat_field_hex(&t->hash, out->attestation_sha256, HM_SHA256_LEN) !=
		0 ||
	    flat_field_base64(&t->document, HM_DOCUMENT_MAX, &out->document,
		&out->document_len) != 0)
		return -1; /* unnamed: flat_field's are */
	memcpy(out->platform, t->platform.text, t->platform.len);
	out->content = flat_field_text(&t->content, ITEM_CONTENT_MAX);
	out->content_len = t->content.len;
	out->public_key = flat_field_text(&t->key, ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1; /* unnamed: flat_field's are */
	return read_nonce(out, t);
}

static int read_json(struct hm_attested *out, json_t *root)
{
	struct texts t = {.path = NULL};

	if (REFUSE(attested_form,
		json_unpack(root, "{s:s%, s:s%, s:s%, s:s%, s:s%, s:s%, s?o !}",
		    "content", &t.content.text, &t.content.len, "platform",
		    &t.platform.text, &t.platform.len, "attestation_sha256",
		    &t.hash.text, &t.hash.len, "attestation_doc_b64",
		    &t.document.text, &t.document.len, "public_key",
		    &t.key.text, &t.key.len, "nonce", &t.nonce.text,
		    &t.nonce.len, "nonce_path", &t.path) != 0))
		return -1;
	return read_all(out, &t);
}

enum hm_verdict hm_attested_parse(
    struct hm_attested *out, const char *json, size_t len)
{
	json_t *root = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (len <= HM_ENVELOPE_MAX)
		root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	if (root != NULL)
		rc = read_json(out, root);
	json_decref(root);
	if (rc == 0)
		return HM_VALID;
	hm_attested_fini(out);
	/* unnamed: by the readers above; what is no JSON has nothing to read */
	return HM_ENVELOPE_MALFORMED;
}

void hm_attested_fini(struct hm_attested *attested)
{
	free(attested->content);
	free(attested->public_key);
	free(attested->document);
	memset(attested, 0, sizeof(*attested));
}
