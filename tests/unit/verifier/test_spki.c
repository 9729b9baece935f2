/* spki: of a key whose hash Intel publishes, and of a certificate's. */
#include "verifier/spki.h"

#include "feeds/hex.h"
#include "verifier/sgx/sgx_p256.h"
#include "verifier/sgx/sgx_pck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t none[SPKI_SHA256_LEN];

static void test_of_key(void **state)
{
	EVP_PKEY *key = sgx_p256_key(sgx_intel_root.point);
	uint8_t out[SPKI_SHA256_LEN];
	char hex[2 * SPKI_SHA256_LEN + 1];

	(void)state;
	assert_int_equal(spki_of_key(key, out), 0);
	hex_encode(out, sizeof(out), hex);
	assert_string_equal(hex, "a0af031289f5d5d4132f9186068a7fc13628633ba235"
				 "777472e29b6b6c67a49e");
	EVP_PKEY_free(key);
	assert_int_equal(spki_of_key(NULL, out), -1);
	assert_memory_equal(out, none, sizeof(none));
}

static void test_of_cert(void **state)
{
	EVP_PKEY *key = sgx_p256_key(sgx_intel_root.point);
	uint8_t of_key[SPKI_SHA256_LEN], of_cert[SPKI_SHA256_LEN];
	X509 *cert = X509_new();

	(void)state;
	memset(of_cert, 1, sizeof(of_cert));
	assert_int_equal(spki_of_cert(cert, of_cert), -1); /* has no key */
	assert_memory_equal(of_cert, none, sizeof(none));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_int_equal(spki_of_cert(cert, of_cert), 0);
	assert_int_equal(spki_of_key(key, of_key), 0);
	assert_memory_equal(of_cert, of_key, sizeof(of_key));
	X509_free(cert);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_of_key),
	    cmocka_unit_test(test_of_cert),
	};

	return cmocka_run_group_tests_name("spki", tests, NULL, NULL);
}
