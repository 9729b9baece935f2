/*
 * envelope_reference: the outer JSON of an item read the slow way, by jansson
 * and OpenSSL's base64. hm_envelope_parse() has a reader of its own; a test and
 * a fuzzer hold it to accepting what this one accepts, with the same meaning,
 * and nothing else.
 */
#ifndef HALLMARK_TESTS_VERIFIER_ENVELOPE_REFERENCE_H
#define HALLMARK_TESTS_VERIFIER_ENVELOPE_REFERENCE_H

#include "feeds/hex.h"
#include "feeds/item.h"
#include "verifier/envelope.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct reference_texts {
	const char *content, *signature, *key, *platform, *hash, *document;
	size_t content_len, signature_len, key_len, platform_len, hash_len,
	    document_len;
};

/* Canonical: encoding what was decoded gives the text again. */
static int reference_base64(
    uint8_t **out, size_t *out_len, const char *text, size_t len)
{
	size_t pad = len < 2 || text[len - 1] != '=' ? 0
		     : text[len - 2] == '='          ? 2
						     : 1;
	char *again = malloc(len + 5);
	int decoded = -1;

	*out = malloc(len + 1);
	if (len % 4 == 0)
		decoded = EVP_DecodeBlock(
		    *out, (const unsigned char *)text, (int)len);
	if (decoded < 0 || (size_t)decoded != len / 4 * 3)
		goto bad;
	*out_len = (size_t)decoded - pad;
	if ((size_t)EVP_EncodeBlock(
		(unsigned char *)again, *out, (int)*out_len) != len ||
	    memcmp(again, text, len) != 0)
		goto bad;
	free(again);
	return 0;
bad:
	free(again);
	free(*out);
	*out = NULL;
	*out_len = 0;
	return -1;
}

static bool reference_sizes_ok(
    const struct hm_envelope *e, const struct reference_texts *t)
{
	return t->content_len >= 1 && t->content_len <= ITEM_CONTENT_MAX &&
	       t->key_len >= 1 && t->key_len < ITEM_KEY_PEM_MAX &&
	       t->platform_len >= 1 && t->platform_len < sizeof(e->platform) &&
	       t->signature_len >= 1 && t->signature_len <= 684 &&
	       t->document_len <= (HM_DOCUMENT_MAX + 2) / 3 * 4;
}

static int reference_texts(
    struct hm_envelope *out, const struct reference_texts *t)
{
	for (size_t i = 0; i < t->hash_len; i++)
		if (t->hash[i] >= 'A' && t->hash[i] <= 'F')
			return -1;
	if (!reference_sizes_ok(out, t) ||
	    hex_decode(out->attestation_sha256, HM_SHA256_LEN, t->hash,
		t->hash_len) != 0 ||
	    reference_base64(&out->signature, &out->signature_len, t->signature,
		t->signature_len) != 0)
		return -1;
	memcpy(out->platform, t->platform, t->platform_len);
	out->content = strndup(t->content, t->content_len);
	out->content_len = t->content_len;
	out->public_key = strndup(t->key, t->key_len);
	if (t->document == NULL)
		return 0;
	if (t->document_len == 0)
		return -1;
	return reference_base64(
	    &out->document, &out->document_len, t->document, t->document_len);
}

static int reference_one(struct hm_envelope *out, json_t *root)
{
	struct reference_texts t = {0};
	json_error_t why;

	if (json_unpack_ex(root, &why, 0,
		"{s:s%, s:s%, s:s%, s:s%, s:s%, s?s% !}", "content", &t.content,
		&t.content_len, "signature_b64", &t.signature, &t.signature_len,
		"public_key", &t.key, &t.key_len, "platform", &t.platform,
		&t.platform_len, "attestation_sha256", &t.hash, &t.hash_len,
		"attestation_doc_b64", &t.document, &t.document_len) != 0)
		return -1;
	return reference_texts(out, &t);
}

/* An array of 1 to HM_COSIGNATURES_MAX of them; taken out of the root. */
static int reference_cosignatures(struct hm_envelope *out, json_t *root)
{
	json_t *list = json_object_get(root, "cosignatures");
	size_t count = json_array_size(list);
	int status = 0;

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || count < 1 || count > HM_COSIGNATURES_MAX)
		return -1;
	out->cosignatures = calloc(count, sizeof(*out->cosignatures));
	out->cosignature_count = count;
	for (size_t i = 0; i < count && status == 0; i++)
		status = reference_one(
		    &out->cosignatures[i], json_array_get(list, i));
	json_object_del(root, "cosignatures");
	return status;
}

static enum hm_verdict reference_parse(
    struct hm_envelope *out, const char *json, size_t len)
{
	enum hm_verdict verdict = HM_ENVELOPE_MALFORMED;
	json_error_t why;
	json_t *root;

	memset(out, 0, sizeof(*out));
	if (len > HM_ENVELOPE_MAX)
		return verdict;
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return verdict;
	if (reference_cosignatures(out, root) == 0 &&
	    reference_one(out, root) == 0)
		verdict = HM_VALID;
	else
		hm_envelope_fini(out);
	json_decref(root);
	return verdict;
}

static bool reference_same(
    const struct hm_envelope *a, const struct hm_envelope *b)
{
	if (a->cosignature_count != b->cosignature_count)
		return false;
	for (size_t i = 0; i < a->cosignature_count; i++)
		if (!reference_same(&a->cosignatures[i], &b->cosignatures[i]))
			return false;
	return a->content_len == b->content_len &&
	       memcmp(a->content, b->content, a->content_len + 1) == 0 &&
	       a->signature_len == b->signature_len &&
	       memcmp(a->signature, b->signature, a->signature_len) == 0 &&
	       strcmp(a->public_key, b->public_key) == 0 &&
	       memcmp(a->platform, b->platform, sizeof(a->platform)) == 0 &&
	       memcmp(a->attestation_sha256, b->attestation_sha256,
		   HM_SHA256_LEN) == 0 &&
	       (a->document == NULL) == (b->document == NULL) &&
	       a->document_len == b->document_len &&
	       (a->document == NULL ||
		   memcmp(a->document, b->document, a->document_len) == 0);
}

/* Whether both readers say the same of it; *verdict is what they say. */
static bool reference_agrees(
    const char *json, size_t len, enum hm_verdict *verdict)
{
	struct hm_envelope ours, theirs;
	bool same;

	*verdict = hm_envelope_parse(&ours, json, len);
	same = reference_parse(&theirs, json, len) == *verdict &&
	       (*verdict != HM_VALID || reference_same(&ours, &theirs));
	hm_envelope_fini(&ours);
	hm_envelope_fini(&theirs);
	return same;
}

#endif
