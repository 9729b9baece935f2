/* Which keys may sign items. */
#include "verifier/item_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_der(const unsigned char *der, size_t len)
{
	struct item_key key;
	int status = item_key_open(&key, (struct slice){der, len});

	if (status == 0) {
		assert_non_null(key.pkey);
		assert_true(
		    strncmp(key.pem, "-----BEGIN PUBLIC KEY-----\n", 27) == 0);
	} else {
		assert_null(key.pkey);
	}
	item_key_close(&key);
	return status;
}

/* Takes `pkey`. */
static int open_pkey(EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	int status = open_der(der, (size_t)len);

	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return status;
}

/* A public key of this modulus size and exponent; the modulus is odd and no
 * product of primes that anybody knows. */
static EVP_PKEY *rsa(int bits, const char *exponent_hex)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = NULL;
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
	BN_hex2bn(&e, exponent_hex);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(open_pkey(rsa(2048, "10001")), 0);
	assert_int_equal(open_pkey(rsa(3072, "10001")), 0);
	assert_int_equal(open_pkey(rsa(4096, "10001")), 0);
	assert_int_equal(open_pkey(rsa(2047, "10001")), -1);
	assert_int_equal(open_pkey(rsa(1024, "10001")), -1);
	assert_int_equal(open_pkey(rsa(4104, "10001")), -1);
	assert_int_equal(open_pkey(rsa(8192, "10001")), -1);
}

static void test_exponents(void **state)
{
	(void)state;
	assert_int_equal(open_pkey(rsa(2048, "FFFFFFFF")), 0);
	assert_int_equal(open_pkey(rsa(2048, "01")), -1);
	assert_int_equal(open_pkey(rsa(2048, "03")), -1);
	assert_int_equal(open_pkey(rsa(2048, "FFFF")), -1);
	assert_int_equal(open_pkey(rsa(2048, "10002")), -1);
	assert_int_equal(open_pkey(rsa(2048, "100000001")), -1);
	assert_int_equal(open_pkey(rsa(2048, "100010001")), -1);
}

static void test_other_kinds(void **state)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pss = NULL;

	(void)state;
	assert_int_equal(open_pkey(EVP_EC_gen("P-256")), -1);
	assert_int_equal(open_pkey(EVP_EC_gen("P-384")), -1);
	assert_int_equal(
	    open_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")), -1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pss), 1);
	assert_int_equal(open_pkey(pss), -1);
	EVP_PKEY_CTX_free(ctx);
}

/* The same key in other bytes, which OpenSSL might read as well. */
static void test_other_bytes(void **state)
{
	EVP_PKEY *pkey = rsa(2048, "10001");
	unsigned char *der = NULL, longer[600];
	size_t len = (size_t)i2d_PUBKEY(pkey, &der);

	(void)state;
	assert_int_equal(open_der(der, len), 0);
	memcpy(longer, der, len);
	longer[len] = 0;
	assert_int_equal(open_der(longer, len + 1), -1);
	assert_int_equal(open_der(der, len - 1), -1);
	assert_int_equal(open_der(der, 0), -1);
	/* NULL parameters of rsaEncryption left out */
	assert_int_equal(der[17], 0x05);
	memcpy(longer, der, 17);
	memcpy(longer + 17, der + 19, len - 19);
	longer[3] = (unsigned char)(longer[3] - 2);
	longer[5] = (unsigned char)(longer[5] - 2);
	assert_int_equal(open_der(longer, len - 2), -1);
	/* PKCS #1 without the SPKI around it */
	assert_int_equal(open_der(der + 24, len - 24), -1);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

/* Every byte changed in two ways: what is still taken is a key whose only text
 * this is, by OpenSSL's account too. */
static void test_flips(void **state)
{
	EVP_PKEY *pkey = rsa(2048, "10001");
	unsigned char *der = NULL;
	size_t len = (size_t)i2d_PUBKEY(pkey, &der), taken = 0;

	(void)state;
	for (size_t i = 0; i < 2 * len; i++) {
		uint8_t flip = i % 2 == 0 ? 0x10 : 0xff;
		unsigned char *again;
		const unsigned char *at = der;
		EVP_PKEY *read;

		der[i / 2] ^= flip;
		if (open_der(der, len) == 0) {
			taken++;
			again = NULL;
			read = d2i_PUBKEY(NULL, &at, (long)len);
			assert_non_null(read);
			assert_int_equal(EVP_PKEY_base_id(read), EVP_PKEY_RSA);
			assert_int_equal(i2d_PUBKEY(read, &again), len);
			assert_memory_equal(again, der, len);
			OPENSSL_free(again);
			EVP_PKEY_free(read);
		}
		der[i / 2] ^= flip;
	}
	/* those of the modulus, of which the top bit stays, and few others */
	assert_in_range(taken, 2 * 254, 2 * 256 + 8);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

/* What the reader builds is what OpenSSL reads. */
static void test_same_key(void **state)
{
	static const int bits[] = {2048, 2049, 2055, 2056, 3072, 4095, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		EVP_PKEY *pkey = rsa(
		    bits[i], i % 2 == 0 ? "10001" : "80000001");
		unsigned char *der = NULL;
		int len = i2d_PUBKEY(pkey, &der);
		struct item_key key;

		assert_int_equal(
		    item_key_open(&key, (struct slice){der, (size_t)len}), 0);
		assert_int_equal(EVP_PKEY_eq(key.pkey, pkey), 1);
		item_key_close(&key);
		OPENSSL_free(der);
		EVP_PKEY_free(pkey);
	}
}

/* Replaces what is at `at` of a key of 2048 bits: 294 bytes. */
static int open_with(size_t at, const void *bytes, size_t count)
{
	EVP_PKEY *pkey = rsa(2048, "10001");
	unsigned char *der = NULL;
	size_t len = (size_t)i2d_PUBKEY(pkey, &der);
	int status;

	assert_int_equal(len, 294);
	memcpy(der + at, bytes, count);
	status = open_der(der, len);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return status;
}

static void test_frame(void **state)
{
	(void)state;
	assert_int_equal(open_with(0, "\x30\x82\x01\x22", 4), 0);
	assert_int_equal(open_with(0, "\x31\x82\x01\x22", 4), -1);
	assert_int_equal(open_with(19, "\x03\x82\x01\x0f\x00", 5), 0);
	assert_int_equal(open_with(19, "\x04\x82\x01\x0f\x00", 5), -1);
	assert_int_equal(open_with(19, "\x03\x82\x01\x0f\x01", 5), -1);
	assert_int_equal(open_with(24, "\x30\x82\x01\x0a\x02", 5), 0);
	assert_int_equal(open_with(24, "\x31\x82\x01\x0a\x02", 5), -1);
	assert_int_equal(open_with(24, "\x30\x82\x01\x0a\x03", 5), -1);
	/* a negative exponent, zero, one with a byte of zero too many */
	assert_int_equal(open_with(289, "\x02\x03\x01\x00\x01", 5), 0);
	assert_int_equal(open_with(289, "\x02\x03\x81\x00\x01", 5), -1);
	assert_int_equal(open_with(289, "\x02\x03\x00\x00\x01", 5), -1);
	assert_int_equal(open_with(289, "\x02\x01\x00\x05\x00", 5), -1);
	/* something behind the exponent, inside the SEQUENCE */
	assert_int_equal(open_with(289, "\x02\x01\x03\x05\x00", 5), -1);
	/* a negative modulus */
	assert_int_equal(open_with(28, "\x02\x82\x01\x01\x80", 5), -1);
}

/* A NULL behind a key of 2048 bits, counted by the first so many of the three
 * lengths around it: behind the BIT STRING, behind the SEQUENCE in it, or in
 * that. */
static int open_longer(int lengths)
{
	static const size_t at[] = {3, 22, 27};
	EVP_PKEY *pkey = rsa(2048, "10001");
	unsigned char *der = NULL, longer[296];
	int status;

	assert_int_equal(i2d_PUBKEY(pkey, &der), 294);
	memcpy(longer, der, 294);
	memcpy(longer + 294, "\x05\x00", 2);
	for (int i = 0; i < lengths; i++)
		longer[at[i]] += 2;
	status = open_der(longer, sizeof(longer));
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return status;
}

static void test_more_inside(void **state)
{
	static const uint8_t short_spki[] = {0x30, 0x02, 0x05, 0x00};
	uint8_t *copy = malloc(sizeof(short_spki));

	(void)state;
	for (int lengths = 1; lengths <= 3; lengths++)
		assert_int_equal(open_longer(lengths), -1);
	/* with nothing behind, so that the sanitizer sees a byte too many */
	memcpy(copy, short_spki, sizeof(short_spki));
	assert_int_equal(open_der(copy, sizeof(short_spki)), -1);
	free(copy);
}

static bool verifies(const struct item_key *key, const char *text, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	uint8_t sha256[32], wanted[32] = {0};
	bool ok = item_key_verifies(key,
	    (struct slice){(const uint8_t *)text, len},
	    (struct slice){sig, sig_len}, sha256);

	if (key->pkey != NULL)
		EVP_Digest(text, len, wanted, NULL, EVP_sha256(), NULL);
	assert_memory_equal(sha256, wanted, 32);
	return ok;
}

static void test_verify(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL, sig[257] = {0};
	int len = i2d_PUBKEY(pkey, &der);
	size_t sig_len = 256;
	struct item_key key, none = {0};

	(void)state;
	assert_int_equal(
	    item_key_open(&key, (struct slice){der, (size_t)len}), 0);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey);
	assert_int_equal(
	    EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)"abc", 3),
	    1);
	assert_true(verifies(&key, "abc", 3, sig, 256));
	assert_false(verifies(&key, "abd", 3, sig, 256));
	assert_false(verifies(&key, "abc", 2, sig, 256));
	assert_false(verifies(&key, "abc", 3, sig, 255));
	assert_false(verifies(&key, "abc", 3, sig, 0));
	assert_false(verifies(&key, "abc", 3, sig, 257));
	assert_false(verifies(&none, "abc", 3, sig, 256));
	/* what failed leaves nothing behind */
	assert_true(verifies(&key, "abc", 3, sig, 256));
	/* with another digest */
	EVP_MD_CTX_reset(ctx);
	sig_len = 256;
	EVP_DigestSignInit(ctx, NULL, EVP_sha512(), NULL, pkey);
	assert_int_equal(
	    EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)"abc", 3),
	    1);
	assert_false(verifies(&key, "abc", 3, sig, 256));
	item_key_close(&key);
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_exponents),
	    cmocka_unit_test(test_other_kinds),
	    cmocka_unit_test(test_other_bytes),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_same_key),
	    cmocka_unit_test(test_frame),
	    cmocka_unit_test(test_more_inside),
	    cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests_name("item_key", tests, NULL, NULL);
}
