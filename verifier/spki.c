/* spki: see spki.h. */
#include "verifier/spki.h"

#include <openssl/evp.h>
#include <string.h>

/* Takes what OpenSSL has written; len is not positive if it has not. */
static int hash(unsigned char *der, int len, uint8_t out[SPKI_SHA256_LEN])
{
	int ok = len > 0 && EVP_Digest(der, (size_t)len, out, NULL,
				EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	if (!ok)
		memset(out, 0, SPKI_SHA256_LEN);
	return ok ? 0 : -1; /* unnamed: nothing from outside */
}

int spki_of_key(const EVP_PKEY *key, uint8_t out[SPKI_SHA256_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	return hash(der, len, out);
}

int spki_of_cert(const X509 *cert, uint8_t out[SPKI_SHA256_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	return hash(der, len, out);
}
