/* seal_key: see seal_key.h. */
#include "oracle/seal_key.h"

#include "base/log.h"
#include "oracle/cms.h"
#include "verifier/spki.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define KEY_BITS 3072 /* NIST SP 800-57: 128 bits of strength */
#define PEM_MAX  768  /* 625 */

struct seal_key {
	EVP_PKEY *key;
	uint8_t spki_sha256[32];
	char pem[PEM_MAX];
};

static void export_public(struct seal_key *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int pem_len;

	if (bio == NULL || PEM_write_bio_PUBKEY(bio, key->key) != 1 ||
	    spki_of_key(key->key, key->spki_sha256) != 0)
		log_die("seal_key", "cannot write the public key");
	pem_len = BIO_read(bio, key->pem, sizeof(key->pem) - 1);
	assert(pem_len > 0 && BIO_pending(bio) == 0);
	key->pem[pem_len] = '\0';
	BIO_free(bio);
}

struct seal_key *seal_key_new(void)
{
	struct seal_key *key = calloc(1, sizeof(*key));

	assert(CRYPTO_secure_malloc_initialized());
	if (key == NULL)
		log_die("seal_key", "out of memory");
	key->key = EVP_RSA_gen(KEY_BITS);
	if (key->key == NULL)
		log_die("seal_key", "cannot make the key");
	export_public(key);
	return key;
}

void seal_key_free(struct seal_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->key); /* wipes the private parts */
	free(key);
}

const uint8_t *seal_key_spki_sha256(const struct seal_key *key)
{
	return key->spki_sha256;
}

const char *seal_key_public_pem(const struct seal_key *key)
{
	return key->pem;
}

int seal_key_open(struct seal_key *key, struct secret_message *out,
    const uint8_t *der, size_t len)
{
	const struct slice recipient = {
	    key->spki_sha256, sizeof(key->spki_sha256)};
	uint8_t *plain;
	size_t plain_len;
	int result;

	if (cms_open_auth_enveloped(&plain, &plain_len, key->key, recipient,
		(struct slice){der, len}) != 0) {
		OPENSSL_cleanse(out, sizeof(*out));
		return -1;
	}
	result = secret_message_decode(out, (const char *)plain, plain_len);
	OPENSSL_secure_clear_free(plain, plain_len);
	return result;
}
