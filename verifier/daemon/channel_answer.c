/* channel_answer: see channel_answer.h. */
#include "verifier/daemon/channel_answer.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/nonce_path.h"
#include "verifier/report.h"
#include "verifier/spki.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer_text {       /* borrowed from the JSON, but for the document */
	uint8_t *document; /* owned */
	size_t document_len;
	const char *tls_spki, *seal_key; /* NULL: not there */
	bool batched;
	struct nonce_path path;
};

static int read_text(struct answer_text *out, json_t *root)
{
	const char *base64;
	json_t *path = NULL;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (json_unpack(root, "{s:s%, s?s, s?s, s?o}", "attestation_doc_b64",
		&base64, &len, "tls_spki_sha256", &out->tls_spki,
		"seal_public_key", &out->seal_key, "nonce_path", &path))
		return -1;
	out->batched = path != NULL;
	if (path != NULL && nonce_path_read(&out->path, path) != 0)
		return -1;
	return base64_decode(&out->document, &out->document_len, base64, len);
}

/* ---- the document and its nonce ---- */

static enum hm_verdict judge_batched(const struct channel_facts *facts,
    const struct answer_text *text, const struct channel_question *q,
    const struct hm_report *report)
{
	bool holds = nonce_path_holds(
	    &text->path, &facts->document.nonce, q->nonce, q->nonce_len);

	return report_check(report, "nonce",
	    holds ? HM_VALID : HM_NONCE_MISMATCH,
	    "a path from our nonce to the document's",
	    holds ? "one of a batch" : "a path that leads elsewhere");
}

static enum hm_verdict judge_document(struct channel_facts *out,
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct answer_text *text, const struct channel_question *q,
    const struct hm_report *report)
{
	enum hm_verdict verdict = hm_document_verify_live(policy, cache,
	    text->document, text->document_len, q->now_ms,
	    text->batched ? NULL : q->nonce, text->batched ? 0 : q->nonce_len,
	    &out->document, report);

	if (verdict == HM_VALID && text->batched)
		verdict = judge_batched(out, text, q, report);
	return verdict;
}

/* ---- what it vouches for ---- */

static enum hm_verdict judge_user_data(
    struct channel_facts *out, const struct hm_report *report)
{
	const struct hm_bytes *bytes = &out->document.user_data;
	int rc = attested_data_parse(
	    &out->attested, (struct slice){bytes->bytes, bytes->len});

	return report_check(report, "user_data",
	    rc == 0 ? HM_VALID : HM_USER_DATA_MISMATCH,
	    "a boot_id and a config_sha256", rc == 0 ? NULL : "neither");
}

/* The copy beside the document must be one. */
static enum hm_verdict judge_text(const struct channel_facts *facts,
    const struct answer_text *text, const struct hm_report *report)
{
	const struct attested_data *attested = &facts->attested;
	char wanted[2 * HM_SHA256_LEN + 1];

	hex_encode(attested->tls_spki_sha256, HM_SHA256_LEN, wanted);
	if (text->tls_spki == NULL ||
	    (attested->has_tls && strcmp(text->tls_spki, wanted) == 0))
		return HM_VALID;
	return report_check(report, "answer", HM_ATTESTATION_MISMATCH,
	    attested->has_tls ? wanted : "no tls_spki_sha256",
	    "another tls_spki_sha256 beside the document");
}

static enum hm_verdict judge_tls(struct channel_facts *out,
    const struct channel_question *q, const struct hm_report *report)
{
	char wanted[2 * HM_SHA256_LEN + 1] = "";
	char found[2 * HM_SHA256_LEN + 1];

	if (q->spki_sha256 == NULL)
		return HM_VALID;
	hex_encode(q->spki_sha256, HM_SHA256_LEN, found);
	if (!out->attested.has_tls)
		return report_check(report, "tls_key", HM_KEY_NOT_ATTESTED,
		    "a document that names the key of this connection",
		    "one that names none: the oracle has no TLS of its own");
	hex_encode(out->attested.tls_spki_sha256, HM_SHA256_LEN, wanted);
	out->bound = memcmp(q->spki_sha256, out->attested.tls_spki_sha256,
			 HM_SHA256_LEN) == 0;
	return report_check(report, "tls_key",
	    out->bound ? HM_VALID : HM_KEY_NOT_ATTESTED, wanted, found);
}

/* 0, or -1: it is no public key. */
static int hash_key(const char *pem, uint8_t sha256[HM_SHA256_LEN])
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
	int rc = key ? spki_of_key(key, sha256) : -1;

	EVP_PKEY_free(key);
	BIO_free(in);
	return rc;
}

bool channel_answer_is_key(
    const char *pem, const uint8_t spki_sha256[HM_SHA256_LEN])
{
	uint8_t sha256[HM_SHA256_LEN];

	return hash_key(pem, sha256) == 0 &&
	       memcmp(sha256, spki_sha256, HM_SHA256_LEN) == 0;
}

static enum hm_verdict judge_seal(struct channel_facts *out,
    const struct answer_text *text, const struct hm_report *report)
{
	bool same;

	if (text->seal_key == NULL)
		return HM_VALID;
	same = out->attested.has_seal &&
	       strlen(text->seal_key) < sizeof(out->seal_public_key) &&
	       channel_answer_is_key(
		   text->seal_key, out->attested.seal_spki_sha256);
	if (same)
		snprintf(out->seal_public_key, sizeof(out->seal_public_key),
		    "%s", text->seal_key);
	return report_check(report, "seal_key",
	    same ? HM_VALID : HM_KEY_NOT_ATTESTED,
	    "the attested key for secrets",
	    same ? "the attested key for secrets" : "another key");
}

static enum hm_verdict judge_all(struct channel_facts *out,
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct answer_text *text, const struct channel_question *q,
    const struct hm_report *report)
{
	enum hm_verdict verdict = judge_document(
	    out, policy, cache, text, q, report);

	if (verdict == HM_VALID)
		verdict = judge_user_data(out, report);
	if (verdict == HM_VALID)
		verdict = judge_tls(out, q, report);
	if (verdict == HM_VALID)
		verdict = judge_seal(out, text, report);
	if (verdict == HM_VALID)
		verdict = judge_text(out, text, report);
	return verdict;
}

enum hm_verdict channel_answer_judge(struct channel_facts *out,
    const struct hm_policy *policy, struct hm_cache *cache, const char *json,
    size_t len, const struct channel_question *question,
    const struct hm_report *report)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	struct answer_text text;
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	ERR_set_mark();
	if (read_text(&text, root) == 0)
		verdict = judge_all(
		    out, policy, cache, &text, question, report);
	else
		verdict = report_check(report, "answer", HM_ENVELOPE_MALFORMED,
		    "the answer of GET /attestation", "something else");
	ERR_pop_to_mark();
	if (verdict != HM_VALID)
		memset(out, 0, sizeof(*out));
	free(text.document);
	json_decref(root);
	return verdict;
}
