/*
 * seal_cms: see seal_cms.h. OpenSSL names recipients by certificates, and there
 * is none here: what vouches for the key is the attestation document. So one
 * is made around it for the moment, signed by a key that is thrown away;
 * nothing of it but the subjectKeyIdentifier gets into the message.
 */
#include "verifier/cli/seal_cms.h"

#include "verifier/spki.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BITS_MIN 2048

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (key && (!EVP_PKEY_is_a(key, "RSA") ||
		       EVP_PKEY_get_bits(key) < KEY_BITS_MIN)) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

int seal_cms_recipient(uint8_t sha256[32], const char *public_key_pem)
{
	EVP_PKEY *key = read_key(public_key_pem);
	int result = -1;

	memset(sha256, 0, SPKI_SHA256_LEN);
	if (key)
		result = spki_of_key(key, sha256);
	EVP_PKEY_free(key);
	return result;
}

static int name_key(X509 *cert, EVP_PKEY *key)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	uint8_t sha256[SPKI_SHA256_LEN];
	int result = -1;

	if (id && spki_of_key(key, sha256) == 0 &&
	    ASN1_OCTET_STRING_set(id, sha256, sizeof(sha256)) == 1 &&
	    X509_add1_ext_i2d(cert, NID_subject_key_identifier, id, 0,
		X509V3_ADD_DEFAULT) == 1)
		result = 0;
	ASN1_OCTET_STRING_free(id);
	return result;
}

static X509 *certificate_around(EVP_PKEY *key)
{
	EVP_PKEY *thrown_away = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	if (cert && thrown_away && X509_set_version(cert, 2) == 1 &&
	    X509_set_pubkey(cert, key) == 1 && name_key(cert, key) == 0 &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 0) &&
	    X509_sign(cert, thrown_away, EVP_sha256()) > 0) {
		EVP_PKEY_free(thrown_away);
		return cert;
	}
	EVP_PKEY_free(thrown_away);
	X509_free(cert);
	return NULL;
}

static int add_recipient(CMS_ContentInfo *message, X509 *cert)
{
	CMS_RecipientInfo *info = CMS_add1_recipient_cert(
	    message, cert, CMS_USE_KEYID | CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = info ? CMS_RecipientInfo_get0_pkey_ctx(info) : NULL;

	if (!ctx ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1)
		return -1;
	return 0;
}

static uint8_t *write_der(size_t *len, const CMS_ContentInfo *message)
{
	unsigned char *at;
	int der_len = i2d_CMS_ContentInfo(message, NULL);
	uint8_t *der = der_len > 0 ? malloc((size_t)der_len) : NULL;

	if (!der)
		return NULL;
	at = der;
	*len = (size_t)i2d_CMS_ContentInfo(message, &at);
	return der;
}

static uint8_t *encrypt(
    size_t *len, X509 *cert, const void *plain, size_t plain_len)
{
	CMS_ContentInfo *message = CMS_AuthEnvelopedData_create(
	    EVP_aes_256_gcm());
	BIO *in = BIO_new_mem_buf(plain, (int)plain_len);
	uint8_t *der = NULL;

	if (message && in && add_recipient(message, cert) == 0 &&
	    CMS_set_detached(message, 0) == 1 &&
	    CMS_final(message, in, NULL, CMS_BINARY) == 1)
		der = write_der(len, message);
	CMS_ContentInfo_free(message);
	BIO_free(in);
	return der;
}

uint8_t *seal_cms(size_t *len, const char *public_key_pem, const void *plain,
    size_t plain_len)
{
	EVP_PKEY *key = read_key(public_key_pem);
	X509 *cert = key ? certificate_around(key) : NULL;
	uint8_t *der = NULL;

	*len = 0;
	if (cert)
		der = encrypt(len, cert, plain, plain_len);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return der;
}
