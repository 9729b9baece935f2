/* document_builder: see document_builder.h. */
#include "tests/unit/verifier/document_builder.h"

#include "tests/unit/verifier/builder_chain.c"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* ---- blobs ---- */

void blob_put(struct blob *blob, const void *bytes, size_t len)
{
	assert(blob->len + len <= sizeof(blob->at));
	if (len > 0)
		memcpy(blob->at + blob->len, bytes, len);
	blob->len += len;
}

void blob_set(struct blob *blob, const void *bytes, size_t len)
{
	blob->len = 0;
	blob_put(blob, bytes, len);
}

void blob_head(struct blob *blob, unsigned major, uint64_t value)
{
	unsigned width = value < 24            ? 0
			 : value < 256         ? 1
			 : value < 65536       ? 2
			 : value <= UINT32_MAX ? 4
					       : 8;
	uint8_t head[9];

	head[0] = (uint8_t)(major << 5 | (width == 0      ? (unsigned)value
					     : width == 1 ? 24
					     : width == 2 ? 25
					     : width == 4 ? 26
							  : 27));
	for (unsigned i = 0; i < width; i++)
		head[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	blob_put(blob, head, 1 + width);
}

void blob_text(struct blob *blob, const char *text)
{
	blob_head(blob, 3, strlen(text));
	blob_put(blob, text, strlen(text));
}

void blob_bytes(struct blob *blob, const void *bytes, size_t len)
{
	blob_head(blob, 2, len);
	blob_put(blob, bytes, len);
}

void blob_replace(struct blob *blob, const void *from, size_t from_len,
    const void *to, size_t to_len)
{
	static struct blob rest;
	uint8_t *place = memmem(blob->at, blob->len, from, from_len);
	size_t before;

	assert(place != NULL);
	before = (size_t)(place - blob->at);
	blob_set(&rest, place + from_len, blob->len - before - from_len);
	blob->len = before;
	blob_put(blob, to, to_len);
	blob_put(blob, rest.at, rest.len);
}

/* ---- the payload ---- */

struct builder_field *builder_field(struct builder *b, const char *key)
{
	for (size_t i = 0; i < b->field_count; i++)
		if (strcmp(b->fields[i].key, key) == 0)
			return &b->fields[i];
	assert(false);
	return NULL;
}

struct builder_field *builder_add_field(struct builder *b, const char *key)
{
	struct builder_field *field = &b->fields[b->field_count++];

	assert(b->field_count <= BUILDER_FIELDS_MAX);
	snprintf(field->key, sizeof(field->key), "%s", key);
	field->value.len = 0;
	return field;
}

void builder_drop_field(struct builder *b, const char *key)
{
	struct builder_field *field = builder_field(b, key);
	size_t after = (size_t)(b->fields + b->field_count - field - 1);

	memmove(field, field + 1, after * sizeof(*field));
	b->field_count--;
}

static void put_optional(struct blob *out, const struct blob *bytes)
{
	if (bytes->len == 0)
		blob_put(out, "\xf6", 1);
	else
		blob_bytes(out, bytes->at, bytes->len);
}

static void make_fields(struct builder *b)
{
	struct blob *v;

	b->field_count = 0;
	blob_text(&builder_add_field(b, "module_id")->value, b->module_id);
	blob_text(&builder_add_field(b, "digest")->value, "SHA384");
	blob_head(&builder_add_field(b, "timestamp")->value, 0,
	    (uint64_t)b->timestamp_ms);
	v = &builder_add_field(b, "pcrs")->value;
	blob_head(v, 5, 16);
	for (unsigned i = 0; i < 16; i++) {
		blob_head(v, 0, i);
		blob_bytes(v, b->pcrs[i], 48);
	}
	blob_bytes(&builder_add_field(b, "certificate")->value,
	    b->der[BUILDER_LEAF].at, b->der[BUILDER_LEAF].len);
	v = &builder_add_field(b, "cabundle")->value;
	blob_head(v, 4, b->bundle_count);
	for (size_t i = 0; i < b->bundle_count; i++)
		blob_bytes(v, b->bundle[i].at, b->bundle[i].len);
	put_optional(
	    &builder_add_field(b, "public_key")->value, &b->public_key);
	put_optional(&builder_add_field(b, "user_data")->value, &b->user_data);
	put_optional(&builder_add_field(b, "nonce")->value, &b->nonce);
	if (b->edit_fields != NULL)
		b->edit_fields(b);
}

static void make_payload(struct builder *b)
{
	b->payload.len = 0;
	if (b->indefinite)
		blob_put(&b->payload, "\xbf", 1);
	else
		blob_head(&b->payload, 5, b->field_count);
	for (size_t i = 0; i < b->field_count; i++) {
		blob_text(&b->payload, b->fields[i].key);
		blob_put(
		    &b->payload, b->fields[i].value.at, b->fields[i].value.len);
	}
	if (b->indefinite)
		blob_put(&b->payload, "\xff", 1);
	if (b->edit_payload != NULL)
		b->edit_payload(b, &b->payload);
}

/* ---- COSE ---- */

static void split_signature(const uint8_t *der, size_t len, uint8_t out[96])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	assert(sig != NULL);
	assert(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 48) == 48);
	assert(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 48, 48) == 48);
	ECDSA_SIG_free(sig);
}

void builder_sign(EVP_PKEY *key, const struct blob *bytes, uint8_t out[96])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[256];
	size_t len = sizeof(der);

	assert(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1);
	assert(EVP_DigestSign(ctx, der, &len, bytes->at, bytes->len) == 1);
	split_signature(der, len, out);
	EVP_MD_CTX_free(ctx);
}

static void make_cose(struct builder *b)
{
	static struct blob signed_bytes;
	uint8_t raw[96];

	blob_set(&b->head, "\x84", 1);
	blob_set(&b->protected, "\x44\xa1\x01\x38\x22", 5);
	blob_set(&b->unprotected, "\xa0", 1);
	b->tail.len = 0;
	signed_bytes.len = 0;
	blob_put(
	    &signed_bytes, "\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40", 18);
	blob_bytes(&signed_bytes, b->payload.at, b->payload.len);
	builder_sign(key_of(b, BUILDER_LEAF), &signed_bytes, raw);
	b->signature.len = 0;
	blob_bytes(&b->signature, raw, sizeof(raw));
	/* From here on the payload is an item with its head. */
	signed_bytes.len = 0;
	blob_bytes(&signed_bytes, b->payload.at, b->payload.len);
	b->payload = signed_bytes;
	if (b->edit_cose != NULL)
		b->edit_cose(b);
}

void builder_make(struct builder *b)
{
	const struct blob *parts[] = {&b->head, &b->protected, &b->unprotected,
	    &b->payload, &b->signature, &b->tail};

	make_chain(b);
	make_fields(b);
	make_payload(b);
	make_cose(b);
	b->document.len = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		blob_put(&b->document, parts[i]->at, parts[i]->len);
}

/* ---- one builder ---- */

static char *pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	assert(PEM_write_bio_PUBKEY(bio, key) == 1);
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	BIO_free(bio);
	return copy;
}

struct builder *builder_new(void)
{
	struct builder *b = calloc(1, sizeof(*b));

	assert(b != NULL);
	for (unsigned i = 0; i < BUILDER_LEVELS; i++) {
		b->keys[i] = EVP_EC_gen("P-384");
		assert(b->keys[i] != NULL);
	}
	b->rsa = EVP_RSA_gen(2048);
	assert(b->rsa != NULL);
	b->rsa_pem = pem_of(b->rsa);
	builder_reset(b);
	return b;
}

void builder_free(struct builder *b)
{
	for (unsigned i = 0; i < BUILDER_LEVELS; i++)
		EVP_PKEY_free(b->keys[i]);
	EVP_PKEY_free(b->rsa);
	free(b->rsa_pem);
	free(b);
}

static void reset_times(struct builder *b)
{
	const int64_t before[] = {
	    -365 * 7 * DAY_S, -10 * DAY_S, -3 * DAY_S, -3600, -60};
	const int64_t after[] = {
	    365 * 22 * DAY_S, 10 * DAY_S, 3 * DAY_S, 23 * 3600, 3 * 3600 - 57};

	memcpy(b->not_before_s, before, sizeof(before));
	memcpy(b->not_after_s, after, sizeof(after));
}

static void reset_hooks(struct builder *b)
{
	b->edit_cert = NULL;
	b->edit_tbs = NULL;
	b->edit_der = NULL;
	b->edit_bundle = NULL;
	b->edit_fields = NULL;
	b->edit_payload = NULL;
	b->edit_cose = NULL;
	b->level = 0;
	b->kept = 0;
	memset(b->key_of, 0, sizeof(b->key_of));
	b->digest = EVP_sha384();
}

void builder_reset(struct builder *b)
{
	unsigned char *der = NULL;
	int len;

	reset_hooks(b);
	reset_times(b);
	b->timestamp_ms = BUILDER_NOW_MS;
	b->indefinite = true;
	snprintf(b->module_id, sizeof(b->module_id),
	    "i-0123456789abcdef0-enc%012llx%04x",
	    (unsigned long long)BUILDER_START_MS, 0x55b9);
	snprintf(
	    b->leaf_name, sizeof(b->leaf_name), "%s.test-1.aws", b->module_id);
	for (unsigned i = 0; i < 16; i++)
		memset(b->pcrs[i], i < 3 ? 0x11 * (int)(i + 1) : 0, 48);
	memset(b->pcrs[4], 0x44, 48);
	len = i2d_PUBKEY(b->rsa, &der);
	assert(len > 0);
	blob_set(&b->public_key, der, (size_t)len);
	OPENSSL_free(der);
	b->user_data.len = 0;
	b->nonce.len = 0;
}

struct hm_policy *builder_policy(const struct builder *b)
{
	struct hm_policy *policy = hm_policy_new();
	struct policy_root *root = &policy->roots[0];

	assert(policy != NULL);
	policy->root_count = 1;
	snprintf(root->name, sizeof(root->name), "%s", BUILDER_ROOT_NAME);
	snprintf(root->platform, sizeof(root->platform), "simulated");
	assert(EVP_Digest(b->der[0].at, b->der[0].len, root->sha256, NULL,
		   EVP_sha256(), NULL) == 1);
	assert(
	    hm_policy_add_release(policy, "test", INT64_MIN, INT64_MAX) == 0);
	for (unsigned i = 0; i <= 2; i++)
		assert(hm_policy_add_pcr(policy, 0, i, b->pcrs[i]) == 0);
	return policy;
}

char *builder_root_pem(const struct builder *b)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	assert(PEM_write_bio(bio, "CERTIFICATE", "", b->der[0].at,
		   (long)b->der[0].len) > 0);
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	BIO_free(bio);
	return copy;
}
