/* attested_item: reads the JSON of a result inside an attestation (hallmark.h).
 * Like an envelope it is not signed, so it must not be able to say anything
 * twice or in two ways. */
#include "verifier/hallmark.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "feeds/item.h"
#include "verifier/base64.h"
#include "verifier/item_key.h"
#include "verifier/nonce_path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct texts { /* borrowed from the JSON */
	const char *content, *platform, *hash, *document, *key, *nonce;
	size_t content_len, hash_len, document_len, nonce_len;
	json_t *path; /* NULL: plain */
};

static int read_hex(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	int status = hex_decode(out, len, text, text_len);

	if (REFUSE(attested_hex, status != 0) ||
	    REFUSE(attested_hex_case, hex_has_capital(text, text_len)))
		return -1;
	return 0;
}

static int read_nonce(struct hm_attested *out, const struct texts *t)
{
	struct nonce_path path;

	out->nonce_len = t->nonce_len / 2;
	if (REFUSE(attested_nonce_len,
		out->nonce_len == 0 || out->nonce_len > HM_NONCE_MAX) ||
	    read_hex(out->nonce, out->nonce_len, t->nonce, t->nonce_len) != 0)
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

static int read_document(struct hm_attested *out, const struct texts *t)
{
	if (REFUSE(attested_document_max,
		t->document_len > (HM_DOCUMENT_MAX + 2) / 3 * 4) ||
	    base64_decode(&out->document, &out->document_len, t->document,
		t->document_len) != 0)
		return -1;
	return 0;
}

/* A text of 1 to max bytes in a new buffer, or NULL. */
static char *read_text(const char *text, size_t max)
{
	size_t len = strlen(text);
	bool fits = REQUIRE(attested_text, len > 0 && len <= max);

	return fits ? strdup(text) : NULL;
}

static int read_all(struct hm_attested *out, const struct texts *t)
{
	size_t platform_len = strlen(t->platform);

	if (REFUSE(attested_platform,
		platform_len == 0 || platform_len >= sizeof(out->platform)))
		return -1;
	memcpy(out->platform, t->platform, platform_len);
	out->content = read_text(t->content, ITEM_CONTENT_MAX);
	out->content_len = t->content_len;
	out->public_key = read_text(t->key, ITEM_KEY_PEM_MAX - 1);
	if (out->content == NULL || out->public_key == NULL)
		return -1; /* unnamed: read_text() did */
	if (read_hex(out->attestation_sha256, HM_SHA256_LEN, t->hash,
		t->hash_len) != 0 ||
	    read_document(out, t) != 0)
		return -1;
	return read_nonce(out, t);
}

static int read_json(struct hm_attested *out, json_t *root)
{
	struct texts t = {.path = NULL};

	if (REFUSE(attested_form,
		json_unpack(root, "{s:s%, s:s, s:s%, s:s%, s:s, s:s%, s?o !}",
		    "content", &t.content, &t.content_len, "platform",
		    &t.platform, "attestation_sha256", &t.hash, &t.hash_len,
		    "attestation_doc_b64", &t.document, &t.document_len,
		    "public_key", &t.key, "nonce", &t.nonce, &t.nonce_len,
		    "nonce_path", &t.path) != 0))
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
