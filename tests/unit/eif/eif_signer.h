/* eif_signer: a key and a self-signed certificate for it, as PEM. */
#ifndef HALLMARK_TESTS_EIF_EIF_SIGNER_H
#define HALLMARK_TESTS_EIF_EIF_SIGNER_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct signer { /* owned */
	EVP_PKEY *key;
	char *pem, *key_pem;
	uint8_t *der;
	int der_len;
};

static inline char *signer_text(BIO *bio)
{
	char *bytes, *text;
	long len = BIO_get_mem_data(bio, &bytes);

	text = calloc(1, (size_t)len + 1);
	memcpy(text, bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline X509 *signer_certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"test signer", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha384());
	return x509;
}

/* Of that curve, "P-384" for one that may sign. */
static inline void signer_init(struct signer *out, const char *curve)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x509;

	memset(out, 0, sizeof(*out));
	out->key = EVP_EC_gen(curve);
	x509 = signer_certificate(out->key);
	PEM_write_bio_X509(bio, x509);
	out->pem = signer_text(bio);
	out->der_len = i2d_X509(x509, &out->der);
	X509_free(x509);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, out->key, NULL, NULL, 0, NULL, NULL);
	out->key_pem = signer_text(bio);
}

static inline void signer_fini(struct signer *signer)
{
	EVP_PKEY_free(signer->key);
	free(signer->pem);
	free(signer->key_pem);
	OPENSSL_free(signer->der);
}

#endif
