/* peer_hello: see peer_hello.h. */
#include "oracle/peer_hello.h"

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

char *peer_hello_format(
    const struct attestation_document *document, const struct nonce_path *path)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	/* Base64 needs no escapes. */
	fprintf(out, "{\"format\":\"%s\",\"attestation_doc_b64\":\"%s\"",
	    PEER_HELLO_FORMAT, document->base64);
	nonce_path_put(out, path);
	fputc('}', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- reading ---- */

struct hello {
	uint8_t *document; /* owned */
	size_t len;
	struct nonce_path path; /* size 0: the nonce stands plain */
};

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
	if (path != NULL && nonce_path_read(&out->path, path) != 0)
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
	if (!nonce_path_holds(
		&hello->path, &document.nonce, nonce, sizeof(nonce)))
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
