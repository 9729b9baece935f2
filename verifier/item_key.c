/*
 * item_key: see item_key.h.
 *
 * The key is read by hand. One key has one text: the frame around modulus and
 * exponent is the same for all keys that we take, so whatever OpenSSL's reader
 * would forgive cannot be written. (It is also ten times faster: OpenSSL looks
 * through all its decoders for each key.)
 */
#include "verifier/item_key.h"

#include "feeds/check.h"
#include "verifier/der.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define MODULUS_MAX        512 /* bytes, 4096 bits */
#define MODULUS_BITS_MIN   2048
#define MODULUS_BITS_MAX   4096
#define EXPONENT_BYTES_MAX 4
#define EXPONENT_MIN       65537

enum {
	INTEGER = 0x02,
	BIT_STRING = 0x03,
	SEQUENCE = 0x30
};

/* RFC 3279, 2.3.1: rsaEncryption, and "the parameters field MUST have ASN.1
 * type NULL". */
static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* ---- reading: after der_check(), so that an INTEGER has a byte ---- */

/* A positive one, without the zero that keeps it so. */
static bool take_positive(struct slice *in, struct slice *value)
{
	if (REFUSE(key_integer, der_take(in, INTEGER, value) != 0) ||
	    REFUSE(key_negative, (value->at[0] & 0x80) != 0))
		return false;
	if (value->at[0] == 0) {
		value->at++;
		value->len--;
	}
	/* unnamed: 0 is too small as well, but has no bits */
	return value->len > 0;
}

struct rsa {
	struct slice modulus, exponent; /* big-endian */
};

/* SubjectPublicKeyInfo (RFC 5280, 4.1) of an RSAPublicKey (RFC 8017, A.1.1) */
static bool read_spki(struct slice spki, struct rsa *out)
{
	struct slice body, bits, key;

	if (REFUSE(key_der, der_check(spki) != 0) ||
	    der_take(&spki, SEQUENCE, &body) != 0 ||
	    REFUSE(key_algorithm_len, body.len < sizeof(algorithm)) ||
	    REFUSE(key_algorithm,
		memcmp(body.at, algorithm, sizeof(algorithm)) != 0))
		return false;
	body.at += sizeof(algorithm);
	body.len -= sizeof(algorithm);
	if (REFUSE(key_bit_string,
		der_take(&body, BIT_STRING, &bits) != 0 || body.len > 0))
		return false;
	/* The first byte of a BIT STRING: how many of its bits are unused.
	 * None, since they would be zero in DER, and the exponent at the end
	 * odd. */
	bits.at++;
	bits.len--;
	return REQUIRE(key_inner_der, der_check(bits) == 0) &&
	       der_take(&bits, SEQUENCE, &key) == 0 &&
	       take_positive(&key, &out->modulus) &&
	       take_positive(&key, &out->exponent) &&
	       REQUIRE(key_end, key.len == 0);
}

static unsigned bits_of(struct slice number)
{
	unsigned bits = (unsigned)(number.len - 1) * 8;

	for (uint8_t top = number.at[0]; top != 0; top >>= 1)
		bits++;
	return bits;
}

static bool sizes_ok(const struct rsa *rsa)
{
	uint32_t e = 0;

	if (REFUSE(key_bits_min, bits_of(rsa->modulus) < MODULUS_BITS_MIN) ||
	    REFUSE(key_bits_max, bits_of(rsa->modulus) > MODULUS_BITS_MAX) ||
	    REFUSE(key_exponent_max, rsa->exponent.len > EXPONENT_BYTES_MAX))
		return false;
	for (size_t i = 0; i < rsa->exponent.len; i++)
		e = e << 8 | rsa->exponent.at[i];
	return REQUIRE(key_exponent_odd, (e & 1) != 0) &&
	       REQUIRE(key_exponent_min, e >= EXPONENT_MIN);
}

/* ---- making ---- */

/* OpenSSL wants numbers in this machine's byte order. */
static size_t to_native(struct slice number, uint8_t *out)
{
	BIGNUM *bn = BN_bin2bn(number.at, (int)number.len, NULL);
	int len = bn == NULL ? -1 : BN_bn2nativepad(bn, out, (int)number.len);

	BN_free(bn);
	return len < 0 ? 0 : (size_t)len;
}

static EVP_PKEY *make_pkey(const struct rsa *rsa)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	uint8_t n[MODULUS_MAX], e[EXPONENT_BYTES_MAX];
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_BN(
		OSSL_PKEY_PARAM_RSA_N, n, to_native(rsa->modulus, n)),
	    OSSL_PARAM_construct_BN(
		OSSL_PKEY_PARAM_RSA_E, e, to_native(rsa->exponent, e)),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* Set up once, since that costs as much again as a hash. */
static int make_contexts(struct item_key *key)
{
	key->sha256 = EVP_MD_CTX_new();
	key->verify = EVP_PKEY_CTX_new(key->pkey, NULL);
	/* unnamed: no memory */
	if (key->sha256 == NULL || key->verify == NULL ||
	    EVP_DigestInit_ex2(key->sha256, EVP_sha256(), NULL) != 1 ||
	    EVP_PKEY_verify_init(key->verify) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(key->verify, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(key->verify, EVP_sha256()) != 1)
		return -1;
	return 0;
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
	struct rsa rsa;

	memset(out, 0, sizeof(*out));
	if (!read_spki(spki, &rsa) || !sizes_ok(&rsa))
		return -1;
	out->pkey = make_pkey(&rsa);
	if (out->pkey == NULL || make_contexts(out) != 0 ||
	    write_pem(out, spki) != 0) {
		item_key_close(out);
		return -1;
	}
	return 0;
}

void item_key_close(struct item_key *key)
{
	EVP_PKEY_CTX_free(key->verify);
	EVP_MD_CTX_free(key->sha256);
	EVP_PKEY_free(key->pkey);
	memset(key, 0, sizeof(*key));
}

bool item_key_verifies(const struct item_key *key, struct slice bytes,
    struct slice signature, uint8_t sha256[HM_SHA256_LEN])
{
	memset(sha256, 0, HM_SHA256_LEN);
	/* unnamed: nothing was opened, or no memory */
	if (key->pkey == NULL ||
	    EVP_DigestInit_ex2(key->sha256, NULL, NULL) != 1 ||
	    EVP_DigestUpdate(key->sha256, bytes.at, bytes.len) != 1 ||
	    EVP_DigestFinal_ex(key->sha256, sha256, NULL) != 1)
		return false;
	/* The signature's length is looked at in there (RFC 8017, 8.2.2). */
	return REQUIRE(
	    key_signature, EVP_PKEY_verify(key->verify, signature.at,
			       signature.len, sha256, HM_SHA256_LEN) == 1);
}
