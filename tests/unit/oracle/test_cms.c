/* cms: what OpenSSL's CMS writes is read; whatever else is not, byte by byte
 * and form by form. */
#include "oracle/cms.h"

#include "verifier/cli/seal_cms.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT "a secret of nobody's"

static EVP_PKEY *key, *other_key;
static char pem[1024], other_pem[1024];
static uint8_t recipient[32];
static uint8_t *der; /* TEXT for `key` */
static size_t der_len;

static void write_pem(EVP_PKEY *from, char out[1024])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, from), 1);
	len = BIO_read(bio, out, 1023);
	assert_true(len > 0);
	out[len] = '\0';
	BIO_free(bio);
}

static int setup(void **state)
{
	(void)state;
	assert_int_not_equal(CRYPTO_secure_malloc_init(1u << 16, 32), 0);
	key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	write_pem(key, pem);
	write_pem(other_key, other_pem);
	assert_int_equal(seal_cms_recipient(recipient, pem), 0);
	der = seal_cms(&der_len, pem, TEXT, strlen(TEXT));
	assert_non_null(der);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(der);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static int open_it(
    uint8_t **out, size_t *len, EVP_PKEY *by, const uint8_t *bytes, size_t n)
{
	return cms_open_auth_enveloped(out, len, by,
	    (struct slice){recipient, sizeof(recipient)},
	    (struct slice){bytes, n});
}

/* Out of a buffer of exactly this size, so that a read behind it is seen. */
static void is_refused(const uint8_t *bytes, size_t n)
{
	size_t used = CRYPTO_secure_used(), len = 1;
	uint8_t *copy = malloc(n + 1), *out = copy;

	memcpy(copy + 1, bytes, n);
	assert_int_equal(open_it(&out, &len, key, copy + 1, n), -1);
	assert_null(out);
	assert_int_equal(len, 0);
	assert_int_equal(CRYPTO_secure_used(), used);
	free(copy);
}

static void test_opens_what_openssl_sealed(void **state)
{
	size_t used = CRYPTO_secure_used(), len;
	uint8_t *out;

	(void)state;
	assert_int_equal(open_it(&out, &len, key, der, der_len), 0);
	assert_int_equal(len, strlen(TEXT));
	assert_memory_equal(out, TEXT, len);
	assert_int_equal(CRYPTO_secure_allocated(out), 1);
	OPENSSL_secure_clear_free(out, len);
	assert_int_equal(CRYPTO_secure_used(), used);
}

static void test_every_length(void **state)
{
	char text[600];
	size_t lens[] = {0, 1, 15, 16, 60, 127, 128, 255, 256, 599};

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t sealed_len, len;
		uint8_t *sealed = seal_cms(&sealed_len, pem, text, lens[i]);
		uint8_t *out;

		assert_non_null(sealed);
		assert_int_equal(
		    open_it(&out, &len, key, sealed, sealed_len), 0);
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, text, len);
		OPENSSL_secure_clear_free(out, len);
		free(sealed);
	}
}

static void test_no_two_are_alike(void **state)
{
	size_t len;
	uint8_t *again = seal_cms(&len, pem, TEXT, strlen(TEXT));

	(void)state;
	assert_non_null(again);
	assert_int_equal(len, der_len);
	assert_memory_not_equal(again, der, len);
	free(again);
}

static void test_another_key(void **state)
{
	uint8_t *out;
	size_t len;

	(void)state;
	assert_int_equal(open_it(&out, &len, other_key, der, der_len), -1);
	assert_null(out);
}

static void test_for_another_recipient(void **state)
{
	size_t len;
	uint8_t *sealed = seal_cms(&len, other_pem, TEXT, strlen(TEXT));

	(void)state;
	is_refused(sealed, len);
	free(sealed);
}

static void test_every_byte_counts(void **state)
{
	uint8_t *bad = malloc(der_len);

	(void)state;
	for (size_t i = 0; i < der_len; i++) {
		memcpy(bad, der, der_len);
		bad[i] ^= (uint8_t)(1u << i % 8);
		is_refused(bad, der_len);
	}
	free(bad);
}

static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t len = 0; len < der_len; len++)
		is_refused(der, len);
}

static void test_bytes_behind(void **state)
{
	uint8_t *bad = malloc(der_len + 1);

	(void)state;
	memcpy(bad, der, der_len);
	bad[der_len] = 0;
	is_refused(bad, der_len + 1);
	free(bad);
}

static uint8_t *find(uint8_t *in, size_t len, const void *what, size_t n)
{
	uint8_t *at = memmem(in, len, what, n);

	assert_non_null(at);
	return at;
}

/* Each of these OpenSSL's own reader would follow. */
static void test_another_cipher(void **state)
{
	static const uint8_t gcm[] = {
	    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
	/* aes256-CBC, -OFB, -CFB, -wrap, aes192-GCM, aes256-CCM */
	static const uint8_t last[] = {0x2a, 0x2b, 0x2c, 0x2d, 0x1a, 0x2f};
	uint8_t *bad = malloc(der_len);

	(void)state;
	for (size_t i = 0; i < sizeof(last); i++) {
		memcpy(bad, der, der_len);
		find(bad, der_len, gcm, sizeof(gcm))[8] = last[i];
		is_refused(bad, der_len);
	}
	free(bad);
}

/* EnvelopedData in place of AuthEnvelopedData: no tag would be asked for. */
static void test_another_type(void **state)
{
	static const uint8_t enveloped[] = {
	    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
	uint8_t bad[4096];
	size_t rest = der_len - 17; /* from [0] on */

	(void)state;
	assert_int_equal(der[4], 0x06);
	assert_int_equal(der[17], 0xa0);
	assert_true(der_len < sizeof(bad));
	bad[0] = 0x30;
	bad[1] = 0x82;
	bad[2] = (uint8_t)((der_len - 6) >> 8);
	bad[3] = (uint8_t)(der_len - 6);
	bad[4] = 0x06;
	bad[5] = sizeof(enveloped);
	memcpy(bad + 6, enveloped, sizeof(enveloped));
	memcpy(bad + 15, der + 17, rest);
	is_refused(bad, 15 + rest);
}

/* A shorter tag is a weaker one. */
static void test_another_tag_length(void **state)
{
	static const uint8_t sixteen[] = {0x02, 0x01, 0x10};
	uint8_t *bad = malloc(der_len);

	(void)state;
	for (uint8_t len = 4; len < 20; len++) {
		memcpy(bad, der, der_len);
		find(bad, der_len, sixteen, sizeof(sixteen))[2] = len;
		if (len != 16)
			is_refused(bad, der_len);
	}
	free(bad);
}

/* `by` bytes more in each of the elements that begin at these places. */
static void grow(uint8_t *bytes, const size_t *heads, size_t count, unsigned by)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *len = bytes + heads[i] + 1;

		if (*len == 0x82) {
			unsigned n = (unsigned)len[1] << 8 | len[2];
			len[1] = (uint8_t)((n + by) >> 8);
			len[2] = (uint8_t)(n + by);
		} else {
			*len = (uint8_t)(*len + by);
		}
	}
}

/* RFC 4055, 2.1: NULL behind a hash is the same as nothing; a label, or a
 * third of its kind, is not. */
static void test_oaep_parameters(void **state)
{
	static const uint8_t hash[] = {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
	    0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
	static const uint8_t null[] = {0x05, 0x00}, full[] = {0x05, 0x01};
	size_t at = (size_t)(find(der, der_len, hash, sizeof(hash)) - der);
	/* message, [0], it, SET, recipient, algorithm, parameters, [0], hash */
	const size_t heads[] = {0, 17, 21, 28, 32, at - 17, at - 4, at - 2, at};
	uint8_t bad[4096], *out;
	size_t len, end = at + sizeof(hash);

	(void)state;
	memcpy(bad, der, end);
	memcpy(bad + end, null, 2);
	memcpy(bad + end + 2, der + end, der_len - end);
	grow(bad, heads, sizeof(heads) / sizeof(heads[0]), 2);
	assert_int_equal(open_it(&out, &len, key, bad, der_len + 2), 0);
	OPENSSL_secure_clear_free(out, len);
	memcpy(bad + end, full, 2);
	is_refused(bad, der_len + 2);
}

static void test_too_large(void **state)
{
	size_t len, plain_len = CMS_BYTES_MAX;
	char *plain = calloc(1, plain_len);
	uint8_t *sealed = seal_cms(&len, pem, plain, plain_len);

	(void)state;
	assert_non_null(sealed);
	is_refused(sealed, len);
	free(sealed);
	free(plain);
}

static void test_unwrap_refuses_another_length(void **state)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t wrapped[256], out[CMS_KEY_LEN], zeros[CMS_KEY_LEN] = {0};
	size_t len = sizeof(wrapped);

	(void)state;
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, wrapped, &len,
			     (const uint8_t *)"sixteen bytes...", 16),
	    1);
	memset(out, 1, sizeof(out));
	assert_int_equal(
	    cms_unwrap_key(out, key, (struct slice){wrapped, len}), -1);
	assert_memory_equal(out, zeros, sizeof(out));
	EVP_PKEY_CTX_free(ctx);
}

static void test_seals_only_to_good_keys(void **state)
{
	EVP_PKEY *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
	char small_pem[1024], curve_pem[1024];
	uint8_t sha256[32];
	size_t len;

	(void)state;
	write_pem(small, small_pem);
	write_pem(curve, curve_pem);
	assert_null(seal_cms(&len, small_pem, TEXT, 4));
	assert_null(seal_cms(&len, curve_pem, TEXT, 4));
	assert_null(seal_cms(&len, "no key", TEXT, 4));
	assert_int_equal(seal_cms_recipient(sha256, small_pem), -1);
	assert_int_equal(seal_cms_recipient(sha256, ""), -1);
	EVP_PKEY_free(small);
	EVP_PKEY_free(curve);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opens_what_openssl_sealed),
	    cmocka_unit_test(test_every_length),
	    cmocka_unit_test(test_no_two_are_alike),
	    cmocka_unit_test(test_another_key),
	    cmocka_unit_test(test_for_another_recipient),
	    cmocka_unit_test(test_every_byte_counts),
	    cmocka_unit_test(test_every_truncation),
	    cmocka_unit_test(test_bytes_behind),
	    cmocka_unit_test(test_another_cipher),
	    cmocka_unit_test(test_another_type),
	    cmocka_unit_test(test_another_tag_length),
	    cmocka_unit_test(test_oaep_parameters),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_unwrap_refuses_another_length),
	    cmocka_unit_test(test_seals_only_to_good_keys),
	};

	return cmocka_run_group_tests_name("cms", tests, setup, teardown);
}
