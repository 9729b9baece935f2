/*
 * CMS AuthEnvelopedData: any bytes are safe, and none opens that was not sealed
 * to this key. What begins with an S says what is changed in a message that
 * was: three bytes each for where (two) and what; only unchanged it opens.
 */
#include "oracle/cms.h"
#include "tests/fuzz/openssl_errors.h"
#include "verifier/cli/seal_cms.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "a secret of nobody's"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;
static char pem[1024];
static uint8_t recipient[32];
static uint8_t *sealed; /* TEXT, for `recipient` */
static size_t sealed_len;
/* Of the seeds, whoever they were sealed to. */
static const uint8_t of_seeds[32] = "the key that the seeds are for..";

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	BIO *bio = BIO_new(BIO_s_mem());

	(void)argc;
	(void)argv;
	require(CRYPTO_secure_malloc_init(1u << 16, 32) != 0);
	key = EVP_RSA_gen(2048);
	require(bio && key && PEM_write_bio_PUBKEY(bio, key) == 1);
	require(BIO_read(bio, pem, sizeof(pem) - 1) > 0);
	require(seal_cms_recipient(recipient, pem) == 0);
	sealed = seal_cms(&sealed_len, pem, TEXT, strlen(TEXT));
	require(sealed != NULL);
	BIO_free(bio);
	openssl_errors_init();
	return 0;
}

static int open_for(const uint8_t *id, const uint8_t *data, size_t size,
    uint8_t **out, size_t *len)
{
	return cms_open_auth_enveloped(out, len, key,
	    (struct slice){id, sizeof(recipient)}, (struct slice){data, size});
}

static void change_and_open(const uint8_t *data, size_t size)
{
	uint8_t *changed = malloc(sealed_len), *out;
	size_t len;
	int same;

	require(changed != NULL);
	memcpy(changed, sealed, sealed_len);
	for (; size >= 3; data += 3, size -= 3)
		changed[(size_t)(data[0] << 8 | data[1]) % sealed_len] ^=
		    data[2];
	same = memcmp(changed, sealed, sealed_len) == 0;
	require((open_for(recipient, changed, sealed_len, &out, &len) == 0) ==
		same);
	if (same) {
		require(len == strlen(TEXT) && memcmp(out, TEXT, len) == 0);
		OPENSSL_secure_clear_free(out, len);
	}
	free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out;
	size_t len;

	if (size >= 1 && data[0] == 'S') {
		change_and_open(data + 1, size - 1);
	} else {
		require(open_for(of_seeds, data, size, &out, &len) != 0);
		require(out == NULL && len == 0);
	}
	ERR_clear_error();
	return 0;
}
