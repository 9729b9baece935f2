/* channel_fixture: what an oracle answers to GET /attestation?nonce=, made in
 * the test: right, or wrong in one way. */
#ifndef HALLMARK_TESTS_DAEMON_CHANNEL_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_CHANNEL_FIXTURE_H

#include "mint.h"

#include "feeds/hex.h"
#include "verifier/merkle.h"

#define BATCH 5 /* nonces of a batch; ours is number 2 */

struct answer_wish { /* NULL or 0: as an oracle does */
	const uint8_t *nonce;
	size_t nonce_len;
	const uint8_t *tls_spki_sha256;  /* of user_data; NULL: none */
	const uint8_t *seal_spki_sha256; /* of user_data; NULL: none */
	const char *tls_text;  /* beside the document; NULL: left out */
	const char *seal_text; /* likewise */
	bool batched;
	const char *path_text; /* instead of the path of the batch */
	const char *document;  /* its base64, instead of a new one */
};

/* A document of `m` with this nonce and user_data, as base64. */
static inline char *answer_document(const struct mint *m,
    const struct answer_wish *w, const uint8_t *nonce, size_t nonce_len)
{
	uint8_t user_data[USER_DATA_MAX], document[ATTESTER_DOCUMENT_MAX];
	char error[ATTESTER_ERROR_MAX] = "";
	size_t len;
	struct attester_request request = {
	    .public_key = m->spki,
	    .public_key_len = m->spki_len,
	    .user_data = user_data,
	    .nonce = nonce,
	    .nonce_len = nonce_len,
	};

	request.user_data_len = user_data_encode(
	    &(struct user_data){
		.boot_id = m->boot_id,
		.config_sha256 = m->config_sha256,
		.tls_spki_sha256 = w->tls_spki_sha256,
		.seal_spki_sha256 = w->seal_spki_sha256,
	    },
	    user_data);
	if (m->attester->ops->attest(
		m->attester, &request, document, &len, error) != 0)
		abort();
	return base64_encode(document, len);
}

static inline int answer_leaf(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	memcpy(out, ((uint8_t(*)[HM_SHA256_LEN])data)[index], HM_SHA256_LEN);
	return level == 0 ? 0 : -1;
}

/* Level 0 is all there is: the rest is folded. */
static inline int answer_node(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	return merkle_fold(answer_leaf, data, 0, level, index, out);
}

/* The root over BATCH nonces, ours among them, and the JSON of its path. */
static inline void answer_batch(const uint8_t *nonce, size_t nonce_len,
    uint8_t root[HM_SHA256_LEN], char text[1024])
{
	uint8_t leaves[BATCH][HM_SHA256_LEN];
	struct hm_log_proof proof;
	char hex[2 * HM_SHA256_LEN + 1];
	size_t len;

	for (uint8_t i = 0; i < BATCH; i++)
		if (merkle_leaf(&i, 1, leaves[i]) != 0)
			abort();
	if (merkle_leaf(nonce, nonce_len, leaves[2]) != 0 ||
	    merkle_root_of(answer_node, leaves, BATCH, root) != 0 ||
	    merkle_inclusion(answer_node, leaves, 2, BATCH, &proof) != 0)
		abort();
	len = (size_t)snprintf(
	    text, 1024, "{\"index\":2,\"size\":%d,\"path\":[", BATCH);
	for (size_t i = 0; i < proof.count; i++) {
		hex_encode(proof.hashes[i], HM_SHA256_LEN, hex);
		len += (size_t)snprintf(
		    text + len, 1024 - len, "%s\"%s\"", i ? "," : "", hex);
	}
	snprintf(text + len, 1024 - len, "]}");
}

/* The whole answer; the caller frees it. Safe in a thread of its own, as long
 * as it is the only one. */
static inline char *answer_json(
    const struct mint *m, const struct answer_wish *w)
{
	uint8_t root[HM_SHA256_LEN];
	char path[1024], *document, *json = NULL;

	answer_batch(w->nonce, w->nonce_len, root, path);
	if (w->document)
		document = strdup(w->document);
	else if (w->batched)
		document = answer_document(m, w, root, sizeof(root));
	else
		document = answer_document(m, w, w->nonce, w->nonce_len);
	if (asprintf(&json,
		"{\"attestation_doc_b64\":\"%s\",\"platform\":\"simulated\""
		"%s%s%s%s%s%s%s%s}",
		document, w->tls_text ? ",\"tls_spki_sha256\":\"" : "",
		w->tls_text ? w->tls_text : "", w->tls_text ? "\"" : "",
		w->seal_text ? ",\"seal_public_key\":\"" : "",
		w->seal_text ? w->seal_text : "", w->seal_text ? "\"" : "",
		w->batched || w->path_text ? ",\"nonce_path\":" : "",
		w->path_text ? w->path_text
		: w->batched ? path
			     : "") < 0)
		abort();
	free(document);
	return json;
}

#endif
