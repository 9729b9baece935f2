/* sgx_p256: see sgx_p256.h. */
#include "verifier/sgx/sgx_p256.h"

#include "feeds/check.h"
#include "verifier/ecdsa.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#define SCALAR_LEN 32

EVP_PKEY *sgx_p256_key(const uint8_t point[SGX_POINT_LEN])
{
	char group[] = "P-256";
	uint8_t copy[SGX_POINT_LEN];
	OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
	    OSSL_PARAM_octet_string(
		OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy)),
	    OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	memcpy(copy, point, sizeof(copy));
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

enum hm_verdict sgx_p256_verify(EVP_PKEY *key, struct slice signed_part,
    const uint8_t signature[SGX_SIGNATURE_LEN], enum hm_verdict otherwise)
{
	enum hm_verdict verdict = otherwise;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int len = ecdsa_der(signature, SCALAR_LEN, &der);

	if (ctx == NULL || len < 0)
		verdict = HM_NO_MEMORY;
	else if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) ==
		     1 &&
		 REQUIRE(
		     p256_signature, EVP_DigestVerify(ctx, der, (size_t)len,
					 signed_part.at, signed_part.len) == 1))
		verdict = HM_VALID;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return verdict;
}

bool sgx_p256_is(EVP_PKEY *key, const uint8_t point[SGX_POINT_LEN])
{
	unsigned char *found = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(key, &found);
	bool same = len == SGX_POINT_LEN &&
		    memcmp(found, point, SGX_POINT_LEN) == 0;

	OPENSSL_free(found);
	return same; /* unnamed: the caller's to judge */
}
