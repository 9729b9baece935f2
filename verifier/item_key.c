/* item_key: see item_key.h. */
#include "verifier/item_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define MODULUS_BITS_MIN  2048
#define MODULUS_BITS_MAX  4096
#define EXPONENT_BITS_MAX 32
#define EXPONENT_MIN      65537

static bool exponent_ok(const EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		  BN_is_odd(e) && BN_num_bits(e) <= EXPONENT_BITS_MAX &&
		  BN_get_word(e) >= EXPONENT_MIN;

	BN_free(e);
	return ok;
}

/* One key, one text: what OpenSSL writes is what was attested. */
static bool is_canonical(const EVP_PKEY *pkey, struct slice spki)
{
	unsigned char *again = NULL;
	int len = i2d_PUBKEY(pkey, &again);
	bool same = len > 0 && (size_t)len == spki.len &&
		    memcmp(again, spki.at, spki.len) == 0;

	OPENSSL_free(again);
	return same;
}

static int write_pem(struct item_key *key, struct slice spki)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int status = -1;
	char *text;
	long len;

	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_PUBLIC, "", spki.at,
			       (long)spki.len) <= 0)
		goto out;
	len = BIO_get_mem_data(bio, &text);
	if (len <= 0 || len >= ITEM_KEY_PEM_MAX)
		goto out;
	memcpy(key->pem, text, (size_t)len);
	key->pem[len] = '\0';
	status = 0;
out:
	BIO_free(bio);
	return status;
}

int item_key_open(struct item_key *out, struct slice spki)
{
	const unsigned char *at = spki.at;
	int bits;

	memset(out, 0, sizeof(*out));
	out->pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
	if (out->pkey == NULL)
		return -1;
	bits = EVP_PKEY_get_bits(out->pkey);
	if (EVP_PKEY_get_base_id(out->pkey) != EVP_PKEY_RSA ||
	    bits < MODULUS_BITS_MIN || bits > MODULUS_BITS_MAX ||
	    !exponent_ok(out->pkey) || !is_canonical(out->pkey, spki) ||
	    write_pem(out, spki) != 0) {
		item_key_close(out);
		return -1;
	}
	out->modulus_len = (size_t)EVP_PKEY_get_size(out->pkey);
	return 0;
}

void item_key_close(struct item_key *key)
{
	EVP_PKEY_free(key->pkey);
	memset(key, 0, sizeof(*key));
}

bool item_key_verifies(const struct item_key *key, const void *bytes,
    size_t len, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *ctx;
	bool ok;

	if (key->pkey == NULL || signature_len != key->modulus_len)
		return false;
	ctx = EVP_MD_CTX_new();
	/* PKCS #1 v1.5 is the default padding of an RSA key. */
	ok = ctx != NULL &&
	     EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) ==
		 1 &&
	     EVP_DigestVerify(ctx, signature, signature_len, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}
