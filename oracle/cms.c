/*
 * cms: see cms.h.
 *
 *   ContentInfo: id-ct-authEnvelopedData, [0]
 *     AuthEnvelopedData: 0, SET of one
 *       KeyTransRecipientInfo: 2, [0] subjectKeyIdentifier,
 *         id-RSAES-OAEP {sha256, mgf1 {sha256}}, the wrapped key
 *       EncryptedContentInfo: id-data, aes256-GCM {nonce, 16}, [0] content
 *       the tag
 *
 * Whatever else the syntax would allow (originator, other recipients, other
 * ciphers, attributes, BER) is refused before a key is used.
 */
#include "oracle/cms.h"

#include "verifier/der.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* RFC 5084, 3.2: "A length of 12 octets is RECOMMENDED"; here it is the only
 * one. */
#define NONCE_LEN 12
#define TAG_LEN   16

enum { /* DER: class, form and number */
	INTEGER = 0x02,
	OCTETS = 0x04,
	NULL_TYPE = 0x05,
	OBJECT_ID = 0x06,
	SEQUENCE = 0x30,
	SET = 0x31,
	OCTETS_0 = 0x80, /* [0] IMPLICIT OCTET STRING */
	INSIDE_0 = 0xa0, /* [0], constructed */
	INSIDE_1 = 0xa1,
};

/* 1.2.840.113549.1.9.16.1.23 */
static const uint8_t auth_enveloped[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17};
/* 1.2.840.113549.1.7.1 */
static const uint8_t data[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
/* 1.2.840.113549.1.1.7 and .8 */
static const uint8_t oaep[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07};
static const uint8_t mgf1[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08};
/* 2.16.840.1.101.3.4.2.1 and .1.46 */
static const uint8_t sha256[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t aes_256_gcm[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};

struct parts { /* borrowed */
	struct slice wrapped, nonce, content, tag;
};

/* ---- one element after the other; each returns 0 or -1 ---- */

/* The element must hold these bytes. */
static int expect(
    struct slice *in, uint8_t tag, const uint8_t *bytes, size_t len)
{
	struct slice found;

	if (der_take(in, tag, &found) != 0 || found.len != len ||
	    memcmp(found.at, bytes, len) != 0)
		return -1;
	return 0;
}

static int expect_number(struct slice *in, uint8_t number)
{
	return expect(in, INTEGER, &number, 1);
}

/* The last of what stands in something else. */
static int take_last(struct slice *in, uint8_t tag, struct slice *out)
{
	return der_take(in, tag, out) == 0 && in->len == 0 ? 0 : -1;
}

/* ---- the form ---- */

/* The only element: AlgorithmIdentifier of SHA-256. RFC 4055, 2.1: with NULL
 * or without, "legal and equivalent". */
static int expect_sha256(struct slice *in)
{
	struct slice inside, nothing;

	if (take_last(in, SEQUENCE, &inside) != 0 ||
	    expect(&inside, OBJECT_ID, sha256, sizeof(sha256)) != 0)
		return -1;
	if (inside.len == 0)
		return 0;
	return take_last(&inside, NULL_TYPE, &nothing) == 0 && nothing.len == 0
		   ? 0
		   : -1;
}

/* RFC 4055, 4.1. */
static int expect_oaep(struct slice *in)
{
	struct slice algorithm, parameters, hash, mask, mask_hash;

	if (der_take(in, SEQUENCE, &algorithm) != 0 ||
	    expect(&algorithm, OBJECT_ID, oaep, sizeof(oaep)) != 0 ||
	    take_last(&algorithm, SEQUENCE, &parameters) != 0 ||
	    der_take(&parameters, INSIDE_0, &hash) != 0 ||
	    expect_sha256(&hash) != 0 ||
	    take_last(&parameters, INSIDE_1, &mask) != 0 ||
	    take_last(&mask, SEQUENCE, &mask_hash) != 0 ||
	    expect(&mask_hash, OBJECT_ID, mgf1, sizeof(mgf1)) != 0)
		return -1;
	return expect_sha256(&mask_hash);
}

static int read_recipient(
    struct slice *in, struct slice recipient, struct parts *out)
{
	struct slice set, info;

	if (der_take(in, SET, &set) != 0 ||
	    take_last(&set, SEQUENCE, &info) != 0 ||
	    expect_number(&info, 2) != 0 ||
	    expect(&info, OCTETS_0, recipient.at, recipient.len) != 0 ||
	    expect_oaep(&info) != 0)
		return -1;
	return take_last(&info, OCTETS, &out->wrapped);
}

static int read_content(struct slice *in, struct parts *out)
{
	struct slice info, algorithm, parameters;

	if (der_take(in, SEQUENCE, &info) != 0 ||
	    expect(&info, OBJECT_ID, data, sizeof(data)) != 0 ||
	    der_take(&info, SEQUENCE, &algorithm) != 0 ||
	    expect(&algorithm, OBJECT_ID, aes_256_gcm, sizeof(aes_256_gcm)) !=
		0 ||
	    take_last(&algorithm, SEQUENCE, &parameters) != 0 ||
	    der_take(&parameters, OCTETS, &out->nonce) != 0 ||
	    out->nonce.len != NONCE_LEN ||
	    expect_number(&parameters, TAG_LEN) != 0 || parameters.len != 0)
		return -1;
	return take_last(&info, OCTETS_0, &out->content);
}

static int read_message(
    struct slice der, struct slice recipient, struct parts *out)
{
	struct slice info, inside, message;

	if (der.len > CMS_BYTES_MAX || take_last(&der, SEQUENCE, &info) != 0 ||
	    expect(&info, OBJECT_ID, auth_enveloped, sizeof(auth_enveloped)) !=
		0 ||
	    take_last(&info, INSIDE_0, &inside) != 0 ||
	    take_last(&inside, SEQUENCE, &message) != 0 ||
	    expect_number(&message, 0) != 0 ||
	    read_recipient(&message, recipient, out) != 0 ||
	    read_content(&message, out) != 0 ||
	    take_last(&message, OCTETS, &out->tag) != 0)
		return -1;
	return out->tag.len == TAG_LEN ? 0 : -1;
}

/* ---- the keys ---- */

int cms_unwrap_key(
    uint8_t out[static CMS_KEY_LEN], EVP_PKEY *key, struct slice wrapped)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t plain[1024]; /* RSA-8192 */
	size_t len = sizeof(plain);
	int result = -1;

	if (ctx != NULL && EVP_PKEY_get_size(key) <= (int)sizeof(plain) &&
	    EVP_PKEY_decrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_decrypt(ctx, plain, &len, wrapped.at, wrapped.len) == 1 &&
	    len == CMS_KEY_LEN)
		result = 0;
	memset(out, 0, CMS_KEY_LEN);
	if (result == 0)
		memcpy(out, plain, CMS_KEY_LEN);
	OPENSSL_cleanse(plain, sizeof(plain));
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return result;
}

/* 0 only once the tag was seen to be right. */
static int decrypt(
    uint8_t *out, const uint8_t key[CMS_KEY_LEN], const struct parts *parts)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t rest[EVP_MAX_BLOCK_LENGTH];
	int len = 0, rest_len = 0, result = -1;

	if (ctx != NULL &&
	    EVP_DecryptInit_ex(
		ctx, EVP_aes_256_gcm(), NULL, key, parts->nonce.at) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
		(void *)parts->tag.at) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &len, parts->content.at,
		(int)parts->content.len) == 1 &&
	    EVP_DecryptFinal_ex(ctx, rest, &rest_len) == 1 &&
	    (size_t)len == parts->content.len && rest_len == 0)
		result = 0;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return result;
}

int cms_open_auth_enveloped(uint8_t **out, size_t *len, EVP_PKEY *key,
    struct slice recipient, struct slice der)
{
	struct parts parts;
	uint8_t content_key[CMS_KEY_LEN], *plain = NULL;
	int result = -1;

	*out = NULL;
	*len = 0;
	if (read_message(der, recipient, &parts) != 0 ||
	    cms_unwrap_key(content_key, key, parts.wrapped) != 0)
		return -1;
	plain = OPENSSL_secure_zalloc(parts.content.len + 1);
	if (plain != NULL)
		result = decrypt(plain, content_key, &parts);
	OPENSSL_cleanse(content_key, sizeof(content_key));
	if (result != 0) {
		OPENSSL_secure_clear_free(plain, parts.content.len + 1);
		return -1;
	}
	*out = plain;
	*len = parts.content.len;
	return 0;
}
