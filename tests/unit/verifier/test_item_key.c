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

static void test_verify(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL, sig[256];
	int len = i2d_PUBKEY(pkey, &der);
	size_t sig_len = sizeof(sig);
	struct item_key key, none = {0};

	(void)state;
	assert_int_equal(
	    item_key_open(&key, (struct slice){der, (size_t)len}), 0);
	assert_int_equal(key.modulus_len, 256);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey);
	assert_int_equal(
	    EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)"abc", 3),
	    1);
	assert_true(item_key_verifies(&key, "abc", 3, sig, 256));
	assert_false(item_key_verifies(&key, "abd", 3, sig, 256));
	assert_false(item_key_verifies(&key, "abc", 2, sig, 256));
	assert_false(item_key_verifies(&key, "abc", 3, sig, 255));
	assert_false(item_key_verifies(&none, "abc", 3, sig, 256));
	/* with another digest */
	EVP_MD_CTX_reset(ctx);
	sig_len = sizeof(sig);
	EVP_DigestSignInit(ctx, NULL, EVP_sha512(), NULL, pkey);
	assert_int_equal(
	    EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)"abc", 3),
	    1);
	assert_false(item_key_verifies(&key, "abc", 3, sig, 256));
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
	    cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests_name("item_key", tests, NULL, NULL);
}
