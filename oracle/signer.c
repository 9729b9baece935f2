/*
 * signer: one RSA-2048 key and a digest context that is ready to sign with
 * it. See signer.h.
 *
 * Each signature starts from a copy of that context: the key is looked up and
 * checked once and not every time, and copies share nothing that signing
 * changes, so operations run side by side on the pool.
 */
#include "oracle/signer.h"

#include "base/log.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BITS         2048
#define SECURE_HEAP_UNIT 32  /* bytes of its smallest piece */
#define PEM_MAX          512 /* of RSA-2048: 451 */

struct signer {
	EVP_PKEY *key;
	EVP_MD_CTX *ready; /* never used itself, only copied */
	uint8_t *der;      /* OpenSSL's */
	size_t der_len;
	char pem[PEM_MAX];
	unsigned under_way; /* signatures; by the loop's thread only */

	/* from signer_replace() until it is done */
	struct signer *next; /* owned */
	void (*replaced)(void *data);
	void *replaced_data;
};

/* Once per process. Without the heap OpenSSL would put the key elsewhere and
 * say nothing. */
static void need_secure_heap(void)
{
	int rc;

	if (CRYPTO_secure_malloc_initialized())
		return;
	rc = CRYPTO_secure_malloc_init(SIGNER_SECURE_HEAP, SECURE_HEAP_UNIT);
	if (rc == 0 || !CRYPTO_secure_malloc_initialized())
		log_die("signer", "no secure heap for the key");
	if (rc == 2) /* RLIMIT_MEMLOCK, mostly */
		log_warn("signer", "secure_heap_incomplete",
		    LOG_S("why", "it could not be locked or guarded"));
}

static EVP_PKEY *make_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *exponent = BN_new();
	EVP_PKEY *key = NULL;

	if (ctx == NULL || exponent == NULL ||
	    BN_set_word(exponent, RSA_F4) != 1 ||
	    EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, KEY_BITS) != 1 ||
	    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		log_die("signer", "cannot make the key");
	BN_free(exponent);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_MD_CTX *make_ready(EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding; /* belongs to ctx */

	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, &padding, EVP_sha256(), NULL, key) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PADDING) != 1)
		log_die("signer", "cannot sign with the key");
	return ctx;
}

static void export_public(struct signer *s)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int der_len = i2d_PUBKEY(s->key, &s->der), pem_len;

	if (bio == NULL || der_len <= 0 ||
	    PEM_write_bio_PUBKEY(bio, s->key) != 1)
		log_die("signer", "cannot write the public key");
	s->der_len = (size_t)der_len;
	pem_len = BIO_read(bio, s->pem, sizeof(s->pem) - 1);
	assert(pem_len > 0 && BIO_pending(bio) == 0);
	s->pem[pem_len] = '\0';
	BIO_free(bio);
}

/* Takes the key. */
static struct signer *signer_of(EVP_PKEY *key)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_die("signer", "out of memory");
	s->key = key;
	assert(EVP_PKEY_get_size(s->key) == SIGNER_SIGNATURE_LEN);
	s->ready = make_ready(s->key);
	export_public(s);
	return s;
}

struct signer *signer_new(void)
{
	need_secure_heap();
	return signer_of(make_key());
}

/* What was sealed comes back as it was, or not at all; this is for a key that
 * another program sealed. */
static bool is_ours(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	BIGNUM *exponent = NULL;
	bool good = ctx != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		    EVP_PKEY_get_bits(key) == KEY_BITS &&
		    EVP_PKEY_get_bn_param(
			key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
		    BN_is_word(exponent, RSA_F4) == 1 &&
		    EVP_PKEY_pairwise_check(ctx) == 1;

	BN_free(exponent);
	EVP_PKEY_CTX_free(ctx);
	return good;
}

struct signer *signer_from_der(const uint8_t *der, size_t len)
{
	const uint8_t *end = der;
	EVP_PKEY *key;

	need_secure_heap();
	key = d2i_AutoPrivateKey(NULL, &end, (long)len);
	if (key != NULL && end == der + len && is_ours(key))
		return signer_of(key);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return NULL;
}

uint8_t *signer_export(const struct signer *s, size_t *len)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(s->key);
	int der_len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;
	uint8_t *der = NULL, *end;

	if (der_len > 0)
		der = OPENSSL_secure_malloc((size_t)der_len);
	end = der;
	if (der == NULL || i2d_PKCS8_PRIV_KEY_INFO(info, &end) != der_len)
		log_die("signer", "cannot write the key");
	PKCS8_PRIV_KEY_INFO_free(info); /* wipes its copy */
	*len = (size_t)der_len;
	return der;
}

/* Everything that is made of the key changes hands; the caller's pointers to
 * `s` and to its PEM stay good. */
static void replace_if_idle(struct signer *s)
{
	struct signer *next = s->next, last = *s;

	if (next == NULL || s->under_way > 0)
		return;
	*s = *next;
	*next = (struct signer){
	    .key = last.key, .ready = last.ready, .der = last.der};
	signer_free(next);
	last.replaced(last.replaced_data);
}

void signer_replace(struct signer *s, struct signer *next,
    void (*replaced)(void *data), void *data)
{
	assert(s->next == NULL && next->under_way == 0);
	s->next = next;
	s->replaced = replaced;
	s->replaced_data = data;
	replace_if_idle(s);
}

void signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	assert(s->under_way == 0);
	signer_free(s->next);
	EVP_MD_CTX_free(s->ready);
	EVP_PKEY_free(s->key); /* wipes the private parts */
	OPENSSL_free(s->der);
	free(s);
}

const uint8_t *signer_public_der(const struct signer *s, size_t *len)
{
	*len = s->der_len;
	return s->der;
}

const char *signer_public_pem(const struct signer *s)
{
	return s->pem;
}

/* On the pool. */
static void sign_work(uv_work_t *work)
{
	struct signer_op *op = work->data;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(op->signature);

	op->failed = ctx == NULL ||
		     EVP_MD_CTX_copy_ex(ctx, op->signer->ready) != 1 ||
		     EVP_DigestSign(
			 ctx, op->signature, &len, op->bytes, op->len) != 1 ||
		     len != sizeof(op->signature);
	EVP_MD_CTX_free(ctx);
}

static void on_signed(uv_work_t *work, int status)
{
	struct signer_op *op = work->data;
	struct signer *s;

	op->signer->under_way--;
	if (status == 0 && op->failed)
		status = UV_EIO;
	if (status != 0)
		memset(op->signature, 0, sizeof(op->signature));
	s = op->signer;
	op->cb(op, status); /* op may be gone */
	replace_if_idle(s);
}

void signer_sign(struct signer *s, uv_loop_t *loop, struct signer_op *op,
    const void *bytes, size_t len, void (*cb)(struct signer_op *op, int status))
{
	int rc;

	op->work.data = op;
	op->signer = s;
	op->bytes = bytes;
	op->len = len;
	op->cb = cb;
	op->failed = 1;
	s->under_way++;
	rc = uv_queue_work(loop, &op->work, sign_work, on_signed);
	assert(rc == 0); /* fails only without a work function */
}
