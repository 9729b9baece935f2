/*
 * kms_envelope: CiphertextForRecipient as KMS writes it: EnvelopedData in BER
 * of indefinite lengths, in the two shapes that were seen (aws-nitro-enclaves-
 * sdk-c, tests/kmstool-enclaves/cms_test.c): the encrypted content in octet
 * strings inside [0], or in [0] itself. Written by hand, so that what reads it
 * is not tested by what it is made of. For the stand-in and for unit tests.
 */
#ifndef HALLMARK_TESTS_KMS_ENVELOPE_H
#define HALLMARK_TESTS_KMS_ENVELOPE_H

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define KMS_ENVELOPE_MAX 2048

struct kms_envelope {
	uint8_t bytes[KMS_ENVELOPE_MAX];
	size_t len;
};

struct kms_envelope_options {
	bool octet_strings;       /* of the two shapes the first */
	const EVP_CIPHER *cipher; /* NULL: AES-256-CBC */
	const EVP_MD *md;         /* of OAEP; NULL: SHA-256 */
};

static inline void kms_envelope_add(
    struct kms_envelope *e, const void *bytes, size_t len)
{
	assert(len <= sizeof(e->bytes) - e->len);
	memcpy(e->bytes + e->len, bytes, len);
	e->len += len;
}

static inline void kms_envelope_head(
    struct kms_envelope *e, uint8_t tag, size_t len)
{
	const uint8_t head[] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	if (len < 0x80)
		kms_envelope_add(e, (uint8_t[]){tag, (uint8_t)len}, 2);
	else
		kms_envelope_add(e, head, sizeof(head));
}

static inline void kms_envelope_put(
    struct kms_envelope *e, uint8_t tag, const void *bytes, size_t len)
{
	kms_envelope_head(e, tag, len);
	kms_envelope_add(e, bytes, len);
}

/* The content's key under OAEP; its length. */
static inline size_t kms_envelope_wrap(EVP_PKEY *to, const EVP_MD *md,
    const uint8_t *key, size_t key_len, uint8_t out[512])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to, NULL);
	size_t len = 512;
	int ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
		 EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) ==
		     1 &&
		 EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
		 EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
		 EVP_PKEY_encrypt(ctx, out, &len, key, key_len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok ? len : 0;
}

static inline void kms_envelope_oaep(struct kms_envelope *e, const EVP_MD *md)
{
	static const uint8_t sha256[] = {0x30, 0x3c, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2f, 0xa0, 0x0f,
	    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
	    0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a,
	    0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06,
	    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
	    0x00};
	/* SHA-1 is what OAEP is without parameters. */
	static const uint8_t sha1[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
	    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x00};

	if (EVP_MD_get_type(md) == NID_sha1)
		kms_envelope_add(e, sha1, sizeof(sha1));
	else
		kms_envelope_add(e, sha256, sizeof(sha256));
}

static inline void kms_envelope_recipient(struct kms_envelope *e, EVP_PKEY *to,
    const EVP_MD *md, const uint8_t *key, size_t key_len)
{
	uint8_t wrapped[512], id[SHA256_DIGEST_LENGTH], *der = NULL;
	struct kms_envelope r = {.len = 0};
	size_t wrapped_len = kms_envelope_wrap(to, md, key, key_len, wrapped);
	int der_len = i2d_PUBKEY(to, &der);

	assert(wrapped_len > 0 && der_len > 0);
	SHA256(der, (size_t)der_len, id);
	OPENSSL_free(der);
	kms_envelope_put(&r, 0x02, "\x02", 1);
	kms_envelope_put(&r, 0x80, id, sizeof(id));
	kms_envelope_oaep(&r, md);
	kms_envelope_put(&r, 0x04, wrapped, wrapped_len);
	kms_envelope_put(e, 0x30, r.bytes, r.len);
}

static inline void kms_envelope_algorithm(
    struct kms_envelope *e, const EVP_CIPHER *cipher, const uint8_t *iv)
{
	struct kms_envelope a = {.len = 0};
	uint8_t *oid = NULL;
	int len = i2d_ASN1_OBJECT(
	    OBJ_nid2obj(EVP_CIPHER_get_nid(cipher)), &oid);

	assert(len > 0);
	kms_envelope_add(&a, oid, (size_t)len);
	OPENSSL_free(oid);
	kms_envelope_put(
	    &a, 0x04, iv, (size_t)EVP_CIPHER_get_iv_length(cipher));
	kms_envelope_put(e, 0x30, a.bytes, a.len);
}

static inline size_t kms_envelope_encrypt(const EVP_CIPHER *cipher,
    const uint8_t *key, const uint8_t *iv, const uint8_t *plain, size_t len,
    uint8_t out[512])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int some = 0, rest = 0;
	int ok = ctx != NULL && len < 400 &&
		 EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1 &&
		 EVP_EncryptUpdate(ctx, out, &some, plain, (int)len) == 1 &&
		 EVP_EncryptFinal_ex(ctx, out + some, &rest) == 1;

	EVP_CIPHER_CTX_free(ctx);
	assert(ok);
	(void)ok;
	return (size_t)(some + rest);
}

/* `plain` for whoever has the private key of `to`. */
static inline struct kms_envelope kms_envelope_make(EVP_PKEY *to,
    const uint8_t *plain, size_t plain_len,
    const struct kms_envelope_options *options)
{
	static const uint8_t enveloped[] = {
	    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
	static const uint8_t data[] = {
	    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	const EVP_CIPHER *cipher = options->cipher ? options->cipher
						   : EVP_aes_256_cbc();
	struct kms_envelope e = {.len = 0}, r = {.len = 0};
	uint8_t key[32], iv[16], text[512];
	size_t len, half;

	RAND_bytes(key, sizeof(key));
	RAND_bytes(iv, sizeof(iv));
	len = kms_envelope_encrypt(cipher, key, iv, plain, plain_len, text);
	kms_envelope_add(&e, "\x30\x80", 2);
	kms_envelope_add(&e, enveloped, sizeof(enveloped));
	kms_envelope_add(&e, "\xa0\x80\x30\x80\x02\x01\x02", 7);
	kms_envelope_recipient(&r, to, options->md ? options->md : EVP_sha256(),
	    key, (size_t)EVP_CIPHER_get_key_length(cipher));
	kms_envelope_put(&e, 0x31, r.bytes, r.len);
	kms_envelope_add(&e, "\x30\x80", 2);
	kms_envelope_add(&e, data, sizeof(data));
	kms_envelope_algorithm(&e, cipher, iv);
	half = len / 2;
	if (options->octet_strings) {
		kms_envelope_add(&e, "\xa0\x80", 2);
		kms_envelope_put(&e, 0x04, text, half);
		kms_envelope_put(&e, 0x04, text + half, len - half);
		kms_envelope_add(&e, "\0\0", 2);
	} else {
		kms_envelope_put(&e, 0x80, text, len);
	}
	kms_envelope_add(&e, "\0\0\0\0\0\0\0\0", 8);
	return e;
}

#endif
