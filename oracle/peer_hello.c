/* peer_hello: see peer_hello.h. */
#include "oracle/peer_hello.h"

#include "feeds/hex.h"
#include "verifier/attested_data.h"
#include "verifier/base64.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void peer_hello_nonce(const uint8_t exporter[static PEER_EXPORTER_LEN],
    enum peer_role speaker, uint8_t out[static PEER_HELLO_NONCE_LEN])
{
	memcpy(out, exporter, PEER_EXPORTER_LEN);
	out[PEER_EXPORTER_LEN] = (uint8_t)speaker;
}

/* ---- writing ---- */

static json_t *path_json(const struct attestation_path *path)
{
	json_t *hashes = json_array();

	for (size_t i = 0; i < path->proof.count; i++) {
		char hex[2 * HM_SHA256_LEN + 1];

		hex_encode(path->proof.hashes[i], HM_SHA256_LEN, hex);
		json_array_append_new(hashes, json_string(hex));
	}
	return json_pack("{s:I, s:I, s:o}", "index", (json_int_t)path->index,
	    "size", (json_int_t)path->size, "path", hashes);
}

char *peer_hello_format(const struct attestation_document *document,
    const struct attestation_path *path)
{
	json_t *root = json_pack("{s:s, s:s}", "format", PEER_HELLO_FORMAT,
	    "attestation_doc_b64", document->base64);
	char *text = NULL;

	if (root && (!path || json_object_set_new(
				  root, "nonce_path", path_json(path)) == 0))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

/* ---- reading ---- */

struct hello {
	uint8_t *document; /* owned */
	size_t len;
	uint64_t index, size;
	struct hm_log_proof path;
};

static int read_path(struct hello *out, json_t *value)
{
	json_int_t index, size;
	json_t *list, *one;
	size_t i;

	if (!value)
		return 0;
	if (json_unpack_ex(value, NULL, 0, "{s:I, s:I, s:o !}", "index", &index,
		"size", &size, "path", &list) != 0 ||
	    index < 0 || size < 1 || !json_is_array(list) ||
	    json_array_size(list) > HM_LOG_HASHES_MAX)
		return -1;
	out->index = (uint64_t)index;
	out->size = (uint64_t)size;
	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one) ||
		    hex_decode(out->path.hashes[i], HM_SHA256_LEN,
			json_string_value(one), json_string_length(one)) != 0)
			return -1;
		out->path.count++;
	}
	return 0;
}

static int read_members(struct hello *out, json_t *root)
{
	const char *format, *base64;
	json_t *path = NULL;

	if (json_unpack_ex(root, NULL, 0, "{s:s, s:s, s?o !}", "format",
		&format, "attestation_doc_b64", &base64, "nonce_path",
		&path) != 0 ||
	    strcmp(format, PEER_HELLO_FORMAT) != 0 ||
	    strlen(base64) > HM_DOCUMENT_MAX / 3 * 4 + 4)
		return -1;
	if (read_path(out, path) != 0)
		return -1;
	return base64_decode(&out->document, &out->len, base64, strlen(base64));
}

static int read_hello(struct hello *out, const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int status = root ? read_members(out, root) : -1;

	json_decref(root);
	return status;
}

/* ---- judging ---- */

static const char *judge_bound(const struct peer_hello_question *q,
    const struct hm_document *document, uint8_t boot_id[static 16])
{
	struct attested_data data;

	if (attested_data_parse(&data, (struct slice){document->user_data.bytes,
					   document->user_data.len}) != 0)
		return "its user data is malformed";
	if (!data.has_tls ||
	    memcmp(data.tls_spki_sha256, q->spki_sha256, HM_SHA256_LEN) != 0)
		return "another key than the certificate's is attested";
	memcpy(boot_id, data.boot_id, 16);
	return NULL;
}

static const char *judge_document(const struct peer_hello_question *q,
    const struct hello *hello, uint8_t boot_id[static 16])
{
	uint8_t nonce[PEER_HELLO_NONCE_LEN];
	struct hm_document document;
	enum hm_verdict verdict = hm_document_verify_live(q->policy, q->cache,
	    hello->document, hello->len, q->now_ms, NULL, 0, &document, NULL);

	if (verdict != HM_VALID)
		return hm_verdict_name(verdict);
	peer_hello_nonce(q->exporter, q->speaker, nonce);
	if (hm_nonce_verify(document.nonce.bytes, document.nonce.len, nonce,
		sizeof(nonce), hello->index, hello->size, hello->path.hashes,
		hello->path.count) != HM_VALID)
		return "made for another connection, or for the other side";
	return judge_bound(q, &document, boot_id);
}

enum peer_hello_answer peer_hello_judge(const struct peer_hello_question *q,
    const char *text, size_t len, uint8_t boot_id[static 16],
    char why[static PEER_HELLO_WHY_MAX])
{
	static const char malformed[] = "its hello is malformed";
	struct hello hello = {0};
	const char *wrong = malformed;

	if (read_hello(&hello, text, len) == 0)
		wrong = judge_document(q, &hello, boot_id);
	free(hello.document);
	why[0] = '\0';
	if (wrong) {
		memset(boot_id, 0, 16);
		snprintf(why, PEER_HELLO_WHY_MAX, "%s", wrong);
		return PEER_HELLO_BAD;
	}
	return memcmp(boot_id, q->own_boot_id, 16) == 0 ? PEER_HELLO_SELF
							: PEER_HELLO_GOOD;
}
