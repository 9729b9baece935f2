/* signer: what it signs verifies, by OpenSSL's library and by its command;
 * many at once; and the private parts are where they should be. */
#include "oracle/signer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 50

static struct signer *signer;
static uv_loop_t loop;

struct job {
	struct signer_op op;
	char text[64];
	unsigned fired;
	int status;
};

static void on_signed(struct signer_op *op, int status)
{
	struct job *job = op->data;

	job->fired++;
	job->status = status;
}

static void start(struct job *job, const char *text)
{
	memset(job, 0, sizeof(*job));
	snprintf(job->text, sizeof(job->text), "%s", text);
	job->op.data = job;
	signer_sign(
	    signer, &loop, &job->op, job->text, strlen(job->text), on_signed);
	assert_int_equal(job->fired, 0);
}

static int setup(void **state)
{
	(void)state;
	signer = signer_new();
	assert_int_equal(uv_loop_init(&loop), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	signer_free(signer);
	signer = NULL;
	return 0;
}

static EVP_PKEY *public_key(void)
{
	size_t len;
	const uint8_t *der = signer_public_der(signer, &len), *end = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &end, (long)len);

	assert_non_null(key);
	assert_ptr_equal(end, der + len);
	return key;
}

static int verifies(const struct job *job)
{
	EVP_PKEY *key = public_key();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc;

	assert_int_equal(
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	rc = EVP_DigestVerify(ctx, job->op.signature, sizeof(job->op.signature),
	    (const uint8_t *)job->text, strlen(job->text));
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rc == 1;
}

static void test_key(void **state)
{
	EVP_PKEY *key = public_key();
	BIGNUM *e = NULL;

	(void)state;
	assert_true(EVP_PKEY_is_a(key, "RSA"));
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(EVP_PKEY_get_bn_param(key, "e", &e), 1);
	assert_true(BN_is_word(e, 65537));
	BN_free(e);
	EVP_PKEY_free(key);
}

static void test_pem_is_the_der(void **state)
{
	const char *pem = signer_public_pem(signer);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *der = public_key();
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	(void)state;
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, der), 1);
	assert_int_equal(strncmp(pem, "-----BEGIN PUBLIC KEY-----\n", 27), 0);
	assert_int_equal(BIO_pending(bio), 0);
	BIO_free(bio);
	EVP_PKEY_free(key);
	EVP_PKEY_free(der);
}

static void test_signs(void **state)
{
	struct job job;

	(void)state;
	start(&job, "{\"format\":\"hallmark/1\"}");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(job.fired, 1);
	assert_int_equal(job.status, 0);
	assert_true(verifies(&job));
	job.text[3] ^= 1;
	assert_false(verifies(&job));
	job.text[3] ^= 1;
	job.op.signature[255] ^= 1;
	assert_false(verifies(&job));
}

static void test_nothing(void **state)
{
	struct job job;

	(void)state;
	start(&job, "");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(job.status, 0);
	assert_true(verifies(&job));
}

/* The scheme has no salt (RFC 8017, 8.2): the same bytes, the same
 * signature, and no trace of the one before in the shared context. */
static void test_deterministic(void **state)
{
	struct job one, other, again;

	(void)state;
	start(&one, "BTC-USD");
	start(&other, "ETH-USD");
	start(&again, "BTC-USD");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_memory_equal(
	    one.op.signature, again.op.signature, SIGNER_SIGNATURE_LEN);
	assert_memory_not_equal(
	    one.op.signature, other.op.signature, SIGNER_SIGNATURE_LEN);
}

static void test_many_at_once(void **state)
{
	static struct job jobs[MANY];
	char text[32];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "item %u", i);
		start(&jobs[i], text);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(jobs[i].fired, 1);
		assert_int_equal(jobs[i].status, 0);
		assert_true(verifies(&jobs[i]));
	}
}

/* The private exponent, two primes, two exponents and a coefficient: 256 and
 * five times 128 bytes at least, and all given back. */
static void test_secure_heap(void **state)
{
	size_t before = CRYPTO_secure_used();
	struct signer *another = signer_new();

	(void)state;
	assert_int_equal(CRYPTO_secure_malloc_initialized(), 1);
	assert_true(CRYPTO_secure_used() >= before + 256 + 5 * 128);
	signer_free(another);
	assert_int_equal(CRYPTO_secure_used(), before);
}

static void test_two_keys_differ(void **state)
{
	struct signer *another = signer_new();

	(void)state;
	assert_string_not_equal(
	    signer_public_pem(signer), signer_public_pem(another));
	signer_free(another);
	signer_free(NULL);
}

/* ---- out and in again, sealed in between ---- */

static void test_export(void **state)
{
	size_t before, len;
	uint8_t *der = signer_export(signer, &len);
	struct signer *again = signer_from_der(der, len);
	struct job one, other;

	(void)state;
	assert_non_null(again);
	assert_string_equal(
	    signer_public_pem(signer), signer_public_pem(again));
	start(&one, "BTC-USD");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(one.status, 0);
	memset(&other, 0, sizeof(other));
	signer_sign(again, &loop, &other.op, "BTC-USD", 7, on_signed);
	other.op.data = &other;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_memory_equal(
	    one.op.signature, other.op.signature, SIGNER_SIGNATURE_LEN);
	signer_free(again);
	before = CRYPTO_secure_used(); /* the pool's threads have theirs now */
	again = signer_from_der(der, len);
	signer_free(again);
	assert_int_equal(CRYPTO_secure_used(), before);
	OPENSSL_secure_clear_free(der, len);
	assert_true(CRYPTO_secure_used() < before);
}

static void refuse_key(EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int len = i2d_PrivateKey(key, &der);

	assert_true(len > 0);
	assert_null(signer_from_der(der, (size_t)len));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static void test_from_something_else(void **state)
{
	size_t len;
	uint8_t *der = signer_export(signer, &len), other[2000] = {0};

	(void)state;
	memcpy(other, der, len);
	assert_null(signer_from_der(other, len + 1)); /* a byte too many */
	for (size_t cut = 0; cut < len; cut += 37)
		assert_null(signer_from_der(der, cut));
	other[len - 200] ^= 1; /* in one of its primes */
	assert_null(signer_from_der(other, len));
	refuse_key(EVP_RSA_gen(1024));
	refuse_key(EVP_EC_gen("P-256"));
	OPENSSL_secure_clear_free(der, len);
}

/* ---- another key in its place ---- */

static unsigned replaced;

static void on_replaced(void *data)
{
	assert_ptr_equal(data, &replaced);
	replaced++;
}

static void test_replace(void **state)
{
	struct signer *next = signer_new();
	const char *pem = signer_public_pem(signer);
	char last[512], then[512];
	struct job before, after;

	(void)state;
	snprintf(last, sizeof(last), "%s", pem);
	snprintf(then, sizeof(then), "%s", signer_public_pem(next));
	replaced = 0;
	start(&before, "signed by the last key");
	signer_replace(signer, next, on_replaced, &replaced);
	assert_int_equal(replaced, 0); /* one is under way */
	assert_string_equal(pem, last);
	assert_int_equal(before.fired, 0);
	while (before.fired == 0) {
		assert_int_equal(replaced, 0);
		uv_run(&loop, UV_RUN_ONCE);
	}
	assert_int_equal(replaced, 1);
	assert_false(verifies(&before)); /* by the key that it has now */
	assert_string_equal(pem, then);  /* the pointer is good */
	start(&after, "signed by the next");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(verifies(&after));
	next = signer_new();
	signer_replace(signer, next, on_replaced, &replaced);
	assert_int_equal(replaced, 2); /* idle: at once */
}

static void write_file(
    const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* What the README tells people to do by hand. */
static void test_openssl_command(void **state)
{
	char folder[] = "/tmp/test_signer.XXXXXX", command[512];
	const char *pem = signer_public_pem(signer);
	struct job job;

	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	start(&job, "{\"price\":\"1.00\"}");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_non_null(mkdtemp(folder));
	write_file(folder, "key.pem", pem, strlen(pem));
	write_file(folder, "content", job.text, strlen(job.text));
	write_file(
	    folder, "sig.bin", job.op.signature, sizeof(job.op.signature));
	snprintf(command, sizeof(command),
	    "cd %s && openssl dgst -sha256 -verify key.pem -signature "
	    "sig.bin content | grep -q '^Verified OK$'; rc=$?; "
	    "rm -r %s; exit $rc",
	    folder, folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key),
	    cmocka_unit_test(test_pem_is_the_der),
	    cmocka_unit_test(test_signs),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_deterministic),
	    cmocka_unit_test(test_many_at_once),
	    cmocka_unit_test(test_secure_heap),
	    cmocka_unit_test(test_two_keys_differ),
	    cmocka_unit_test(test_export),
	    cmocka_unit_test(test_from_something_else),
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_openssl_command),
	};

	int rc = cmocka_run_group_tests_name("signer", tests, setup, teardown);

	uv_library_shutdown();
	return rc;
}
