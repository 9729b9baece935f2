/* sealed_key: see sealed_key.h. */
#include "oracle/sealed_key.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/base64.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT    "hallmark-sealed-key/1"
#define TAG_LEN   16
#define NONCE_LEN sizeof(((struct sealed_key *)NULL)->nonce)
#define HEX_MAX   (2 * SHA256_DIGEST_LENGTH + 1)

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("sealed_key", "out of memory");
	return memory;
}

/* What it is bound to, in lines; none can hold a newline of its own. */
static char *bound(
    const struct sealed_key *key, const struct sealed_key_binding *binding)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char config[HEX_MAX], wrapped[HEX_MAX], *text = NULL;

	SHA256(key->wrapped, key->wrapped_len, digest);
	hex_encode(digest, sizeof(digest), wrapped);
	hex_encode(binding->config_sha256, SHA256_DIGEST_LENGTH, config);
	if (asprintf(&text,
		FORMAT "\n%s\n%s\n%s\n%" PRIu64 "\n%" PRId64 "\n%" PRId64
		       "\n%s\n",
		binding->key_id, binding->region, config, key->epoch,
		key->made_ms, key->retire_ms, wrapped) < 0)
		log_die("sealed_key", "out of memory");
	return text;
}

/* ---- AES-256-GCM (NIST SP 800-38D) ---- */

static EVP_CIPHER_CTX *begin(const struct sealed_key *key,
    const struct sealed_key_binding *binding, const uint8_t *data_key,
    bool seals)
{
	EVP_CIPHER_CTX *ctx = need(EVP_CIPHER_CTX_new());
	char *aad = bound(key, binding);
	int len, ok;

	ok = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, data_key,
		 key->nonce, seals) == 1 &&
	     EVP_CipherUpdate(
		 ctx, NULL, &len, (const uint8_t *)aad, (int)strlen(aad)) == 1;
	if (!ok)
		log_die("sealed_key", "no AES-256-GCM");
	free(aad);
	return ctx;
}

int sealed_key_open(const struct sealed_key *key,
    const struct sealed_key_binding *binding,
    const uint8_t data_key[static SEALED_KEY_DATA_LEN], uint8_t **der,
    size_t *der_len)
{
	size_t len = key->sealed_len - TAG_LEN; /* parse has looked */
	EVP_CIPHER_CTX *ctx = begin(key, binding, data_key, false);
	uint8_t *out = need(OPENSSL_secure_malloc(len));
	int some = 0, rest = 0;
	bool good = EVP_DecryptUpdate(ctx, out, &some, key->sealed, (int)len) ==
			1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN,
			key->sealed + len) == 1 &&
		    EVP_DecryptFinal_ex(ctx, out + some, &rest) == 1;

	EVP_CIPHER_CTX_free(ctx);
	if (!good)
		OPENSSL_secure_clear_free(out, len);
	*der = good ? out : NULL;
	*der_len = good ? len : 0;
	return good ? 0 : -1;
}

/* ---- as JSON ---- */

static bool decode(
    const char *text, uint8_t **out, size_t *len, size_t min, size_t max)
{
	return base64_decode(out, len, text, strlen(text)) == 0 &&
	       *len >= min && *len <= max;
}

struct texts {
	const char *format, *key_id, *region, *config, *wrapped, *nonce,
	    *sealed;
	json_int_t epoch, made_ms, retire_ms;
};

static int unpack(json_t *root, struct texts *t)
{
	return json_unpack(root,
	    "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s !}", "format",
	    &t->format, "key_id", &t->key_id, "region", &t->region,
	    "config_sha256", &t->config, "epoch", &t->epoch, "made_ms",
	    &t->made_ms, "retire_ms", &t->retire_ms, "wrapped_b64", &t->wrapped,
	    "nonce_b64", &t->nonce, "sealed_b64", &t->sealed);
}

/* NULL, or why it is another's. The seal says the same; this says it better. */
static const char *judge(
    const struct texts *t, const struct sealed_key_binding *binding)
{
	char config[HEX_MAX];

	hex_encode(binding->config_sha256, SHA256_DIGEST_LENGTH, config);
	if (strcmp(t->format, FORMAT) != 0)
		return "it is not of format " FORMAT;
	if (strcmp(t->config, config) != 0)
		return "it was sealed for another configuration";
	if (strcmp(t->key_id, binding->key_id) != 0 ||
	    strcmp(t->region, binding->region) != 0)
		return "it was sealed with another KMS key or region";
	if (t->epoch < 1 || t->made_ms < 0 || t->retire_ms < 0)
		return "its epoch or times are none";
	return NULL;
}

static const char *take(struct sealed_key *out, const struct texts *t)
{
	uint8_t *nonce = NULL;
	size_t nonce_len;
	bool good = decode(t->wrapped, &out->wrapped, &out->wrapped_len, 1,
			SEALED_KEY_MAX) &&
		    decode(t->sealed, &out->sealed, &out->sealed_len,
			TAG_LEN + 1, SEALED_KEY_DER_MAX + TAG_LEN) &&
		    decode(t->nonce, &nonce, &nonce_len, NONCE_LEN, NONCE_LEN);

	if (good)
		memcpy(out->nonce, nonce, NONCE_LEN);
	free(nonce);
	out->epoch = (uint64_t)t->epoch;
	out->made_ms = t->made_ms;
	out->retire_ms = t->retire_ms;
	return good ? NULL : "its base64 cannot be read";
}

int sealed_key_parse(struct sealed_key *out,
    const struct sealed_key_binding *binding, const uint8_t *bytes, size_t len,
    const char **why)
{
	json_t *root = NULL;
	struct texts texts = {0};

	*out = (struct sealed_key){0};
	*why = "it is not a sealed key";
	if (len <= SEALED_KEY_MAX)
		root = json_loadb(
		    (const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	if (root != NULL && unpack(root, &texts) == 0) {
		*why = judge(&texts, binding);
		if (*why == NULL)
			*why = take(out, &texts);
	}
	json_decref(root);
	if (*why != NULL)
		sealed_key_fini(out);
	return *why == NULL ? 0 : -1;
}

void sealed_key_fini(struct sealed_key *key)
{
	free(key->wrapped);
	free(key->sealed);
	*key = (struct sealed_key){0};
}

static char *format(const struct sealed_key *key,
    const struct sealed_key_binding *binding, const uint8_t *sealed, size_t len)
{
	char config[HEX_MAX], *text;
	char *wrapped = need(base64_encode(key->wrapped, key->wrapped_len));
	char *nonce = need(base64_encode(key->nonce, NONCE_LEN));
	char *body = need(base64_encode(sealed, len));
	json_t *root;

	hex_encode(binding->config_sha256, SHA256_DIGEST_LENGTH, config);
	root = need(json_pack(
	    "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s}", "format",
	    FORMAT, "key_id", binding->key_id, "region", binding->region,
	    "config_sha256", config, "epoch", (json_int_t)key->epoch, "made_ms",
	    (json_int_t)key->made_ms, "retire_ms", (json_int_t)key->retire_ms,
	    "wrapped_b64", wrapped, "nonce_b64", nonce, "sealed_b64", body));
	text = need(json_dumps(root, JSON_COMPACT));
	json_decref(root);
	free(wrapped);
	free(nonce);
	free(body);
	return text;
}

char *sealed_key_make(const struct sealed_key *key,
    const struct sealed_key_binding *binding,
    const uint8_t data_key[static SEALED_KEY_DATA_LEN], const uint8_t *der,
    size_t der_len)
{
	uint8_t sealed[SEALED_KEY_DER_MAX + TAG_LEN];
	struct sealed_key with = *key; /* its bytes stay the caller's */
	EVP_CIPHER_CTX *ctx;
	int some = 0, rest = 0;
	char *text;

	assert(der_len > 0 && der_len <= SEALED_KEY_DER_MAX);
	if (RAND_bytes(with.nonce, NONCE_LEN) != 1)
		log_die("sealed_key", "no random bytes");
	ctx = begin(&with, binding, data_key, true);
	if (EVP_EncryptUpdate(ctx, sealed, &some, der, (int)der_len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, sealed + some, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, sealed + der_len) != 1)
		log_die("sealed_key", "cannot seal");
	EVP_CIPHER_CTX_free(ctx);
	text = format(&with, binding, sealed, der_len + TAG_LEN);
	if (strlen(text) <= SEALED_KEY_MAX)
		return text;
	free(text);
	return NULL;
}
