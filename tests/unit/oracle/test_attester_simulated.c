/* attester_simulated: its PCRs and the bytes of its documents, whose signature
 * is checked here by OpenSSL alone. */
#include "oracle/attester_simulated.h"

#include "base/log.h"
#include "oracle/simulated_root.h"
#include "verifier/cursor.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1800000000123)
#define HOUR   INT64_C(3600000)

static char folder[64], error[ATTESTER_ERROR_MAX];
static int64_t clock_ms;

static int64_t test_clock(void)
{
	return clock_ms;
}

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int setup(void **state)
{
	log_set_level(LOG_ERROR);
	clock_ms = NOW_MS;
	strcpy(folder, "/tmp/test_simulated.XXXXXX");
	assert_non_null(mkdtemp(folder));
	*state = attester_simulated_open_at(folder, test_clock, error);
	assert_non_null(*state);
	return 0;
}

static int teardown(void **state)
{
	struct attester *a = *state;

	a->ops->close(a);
	unlink(path_of(SIMULATED_ROOT_CERT));
	unlink(path_of(SIMULATED_ROOT_KEY));
	assert_int_equal(rmdir(folder), 0); /* and nothing else is left */
	return 0;
}

/* ---- PCRs ---- */

static void test_platform(void **state)
{
	struct attester *a = *state;

	assert_string_equal(a->ops->platform, "simulated");
	assert_memory_equal(
	    a->ops->root_pem(a), "-----BEGIN CERTIFICATE-----\n", 28);
}

static void test_pcrs_at_boot(void **state)
{
	static const uint8_t zeros[ATTESTER_PCR_LEN];
	struct attester *a = *state;
	uint8_t value[ATTESTER_PCR_LEN], wanted[ATTESTER_PCR_LEN];
	char text[32];
	int locked;

	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(
		    a->ops->describe_pcr(a, i, value, &locked, error), 0);
		assert_int_equal(locked, i < 16);
		if (i < 3) {
			snprintf(
			    text, sizeof(text), "hallmark simulated pcr%u", i);
			EVP_Digest(text, strlen(text), wanted, NULL,
			    EVP_sha384(), NULL);
			assert_memory_equal(value, wanted, sizeof(value));
		} else if (i != 4) {
			assert_memory_equal(value, zeros, sizeof(value));
		}
	}
	assert_int_equal(
	    a->ops->describe_pcr(a, 32, value, &locked, error), -1);
	assert_string_equal(error, "simulated DescribePCR: InvalidIndex");
}

static void test_extend_and_lock(void **state)
{
	struct attester *a = *state;
	uint8_t value[ATTESTER_PCR_LEN], wanted[ATTESTER_PCR_LEN];
	uint8_t both[ATTESTER_PCR_LEN + 3] = {0};
	const uint8_t *data = (const uint8_t *)"abc";
	int locked;

	assert_int_equal(a->ops->extend_pcr(a, 16, data, 3, error), 0);
	assert_int_equal(a->ops->extend_pcr(a, 16, data, 3, error), 0);
	for (unsigned i = 0; i < 2; i++) {
		memcpy(both + ATTESTER_PCR_LEN, data, 3);
		EVP_Digest(
		    both, sizeof(both), wanted, NULL, EVP_sha384(), NULL);
		memcpy(both, wanted, sizeof(wanted));
	}
	assert_int_equal(a->ops->lock_pcr(a, 16, error), 0);
	assert_int_equal(a->ops->describe_pcr(a, 16, value, &locked, error), 0);
	assert_int_equal(locked, 1);
	assert_memory_equal(value, wanted, sizeof(value));

	assert_int_equal(a->ops->extend_pcr(a, 16, data, 3, error), -1);
	assert_string_equal(error, "simulated ExtendPCR: ReadOnlyIndex");
	assert_int_equal(a->ops->extend_pcr(a, 0, data, 3, error), -1);
	assert_int_equal(a->ops->lock_pcr(a, 16, error), -1);
	assert_string_equal(error, "simulated LockPCR: ReadOnlyIndex");
	assert_int_equal(a->ops->extend_pcr(a, 32, data, 3, error), -1);
	assert_string_equal(error, "simulated ExtendPCR: InvalidIndex");
	assert_int_equal(a->ops->lock_pcr(a, 32, error), -1);
	assert_string_equal(error, "simulated LockPCR: InvalidIndex");
}

/* ---- documents ---- */

static uint8_t document[ATTESTER_DOCUMENT_MAX];
static size_t document_len;

static void make_document(
    struct attester *a, const struct attester_request *request)
{
	if (a->ops->attest(a, request, document, &document_len, error) != 0)
		fail_msg("%s", error);
}

static struct slice take_text(struct cursor *c)
{
	struct slice text;

	assert_int_equal(cursor_text(c, &text, 0, SIZE_MAX), 0);
	return text;
}

static void take_key(struct cursor *c, const char *key)
{
	assert_true(slice_is(take_text(c), key));
}

static struct slice take_bytes(struct cursor *c)
{
	struct slice bytes;

	assert_int_equal(cursor_bytes(c, &bytes, 0, SIZE_MAX), 0);
	return bytes;
}

static uint64_t take_uint(struct cursor *c)
{
	uint64_t value;

	assert_int_equal(cursor_uint(c, &value), 0);
	return value;
}

struct parts { /* of a document; borrowed from it */
	struct slice payload, signature, module_id, leaf, root;
	struct slice public_key, user_data, nonce; /* null: at == NULL */
	uint64_t timestamp_ms, pcrs;
	const uint8_t *pcr[32];
};

static struct slice take_optional(struct cursor *c, const char *key)
{
	take_key(c, key);
	return cursor_take_null(c) ? (struct slice){0} : take_bytes(c);
}

static void take_pcrs(struct cursor *c, struct parts *p)
{
	struct cursor_map map;

	take_key(c, "pcrs");
	assert_int_equal(cursor_map(c, &map, false), 0);
	p->pcrs = map.left;
	while (cursor_map_next(c, &map) == 1) {
		uint64_t index = take_uint(c);
		struct slice value = take_bytes(c);

		assert_true(index < 32);
		assert_int_equal(value.len, ATTESTER_PCR_LEN);
		p->pcr[index] = value.at;
	}
}

static void take_chain(struct cursor *c, struct parts *p)
{
	uint64_t count;

	take_key(c, "certificate");
	p->leaf = take_bytes(c);
	take_key(c, "cabundle");
	assert_int_equal(cursor_array(c, &count), 0);
	assert_int_equal(count, 4);
	p->root = take_bytes(c);
	for (unsigned i = 0; i < 3; i++)
		take_bytes(c);
}

/* In the order of real documents, and nothing else in it. */
static void take_payload(struct parts *p)
{
	struct cursor_map map;
	struct cursor c;

	cursor_init(&c, p->payload);
	assert_int_equal(cursor_map(&c, &map, true), 0);
	assert_true(map.indefinite);
	take_key(&c, "module_id");
	p->module_id = take_text(&c);
	take_key(&c, "digest");
	take_key(&c, "SHA384");
	take_key(&c, "timestamp");
	assert_int_equal(c.at[0], 0x1b);
	p->timestamp_ms = take_uint(&c);
	take_pcrs(&c, p);
	take_chain(&c, p);
	p->public_key = take_optional(&c, "public_key");
	p->user_data = take_optional(&c, "user_data");
	p->nonce = take_optional(&c, "nonce");
	assert_int_equal(cursor_map_next(&c, &map), 0);
	assert_int_equal(cursor_end(&c), 0);
}

static struct parts take_apart(void)
{
	static const uint8_t head[] = {
	    0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59};
	struct parts p = {0};
	struct cursor c;

	assert_memory_equal(document, head, sizeof(head));
	cursor_init(&c, (struct slice){document + 7, document_len - 7});
	p.payload = take_bytes(&c);
	p.signature = take_bytes(&c);
	assert_int_equal(p.signature.len, 96);
	assert_int_equal(cursor_end(&c), 0);
	take_payload(&p);
	return p;
}

/* 84 6a Signature1 44 protected 40 59 xxxx payload, by hand. */
static size_t signed_bytes(
    const struct parts *p, uint8_t out[ATTESTER_DOCUMENT_MAX + 32])
{
	static const uint8_t head[] = "\x84\x6a"
				      "Signature1\x44\xa1\x01\x38\x22\x40\x59";
	size_t len = sizeof(head) - 1;

	memcpy(out, head, len);
	out[len++] = (uint8_t)(p->payload.len >> 8);
	out[len++] = (uint8_t)p->payload.len;
	memcpy(out + len, p->payload.at, p->payload.len);
	return len + p->payload.len;
}

static int signature_is_good(const struct parts *p)
{
	uint8_t bytes[ATTESTER_DOCUMENT_MAX + 32], *der = NULL;
	size_t len = signed_bytes(p, bytes);
	const uint8_t *at = p->leaf.at, *rs = p->signature.at;
	X509 *leaf = d2i_X509(NULL, &at, (long)p->leaf.len);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int der_len, rc;

	assert_non_null(leaf);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(rs, 48, NULL),
			     BN_bin2bn(rs + 48, 48, NULL)),
	    1);
	der_len = i2d_ECDSA_SIG(sig, &der);
	EVP_DigestVerifyInit(
	    ctx, NULL, EVP_sha384(), NULL, X509_get0_pubkey(leaf));
	rc = EVP_DigestVerify(ctx, der, (size_t)der_len, bytes, len);
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	X509_free(leaf);
	return rc == 1;
}

static void test_document(void **state)
{
	struct attester_request none = {0};
	struct attester *a = *state;
	struct parts p;

	make_document(a, &none);
	p = take_apart();
	assert_true(signature_is_good(&p));
	assert_int_equal(p.timestamp_ms, NOW_MS);
	assert_int_equal(p.module_id.len, 39);
	assert_int_equal(p.pcrs, 16);
	assert_null(p.public_key.at);
	assert_null(p.user_data.at);
	assert_null(p.nonce.at);
	document[20] ^= 1;
	assert_false(signature_is_good(&p));
}

/* AWS Nitro Enclaves User Guide: PCR4 = SHA384(zeros || instance id). */
static void test_pcr4_is_the_instance(void **state)
{
	struct attester_request none = {0};
	uint8_t both[ATTESTER_PCR_LEN + 19] = {0}, wanted[ATTESTER_PCR_LEN];
	struct parts p;

	make_document(*state, &none);
	p = take_apart();
	memcpy(both + ATTESTER_PCR_LEN, p.module_id.at, 19);
	EVP_Digest(both, sizeof(both), wanted, NULL, EVP_sha384(), NULL);
	assert_memory_equal(p.pcr[4], wanted, sizeof(wanted));
}

static void test_only_locked_pcrs(void **state)
{
	struct attester_request none = {0};
	struct attester *a = *state;
	struct parts p;

	assert_int_equal(
	    a->ops->extend_pcr(a, 16, (const uint8_t *)"x", 1, error), 0);
	make_document(a, &none);
	p = take_apart();
	assert_null(p.pcr[16]);
	assert_int_equal(a->ops->lock_pcr(a, 16, error), 0);
	make_document(a, &none);
	p = take_apart();
	assert_non_null(p.pcr[16]);
	assert_int_equal(p.pcrs, 17);
}

static void test_largest_request(void **state)
{
	static uint8_t bytes[ATTESTER_PUBLIC_KEY_MAX + 1];
	struct attester_request request = {bytes, ATTESTER_PUBLIC_KEY_MAX,
	    bytes, ATTESTER_USER_DATA_MAX, bytes, ATTESTER_NONCE_MAX};
	struct attester *a = *state;
	size_t *const lens[] = {&request.public_key_len, &request.user_data_len,
	    &request.nonce_len};
	struct parts p;

	for (unsigned i = 16; i < 32; i++)
		assert_int_equal(a->ops->lock_pcr(a, i, error), 0);
	make_document(a, &request);
	p = take_apart();
	assert_true(signature_is_good(&p));
	assert_int_equal(p.pcrs, 32);
	assert_int_equal(p.public_key.len, ATTESTER_PUBLIC_KEY_MAX);
	assert_int_equal(p.user_data.len, ATTESTER_USER_DATA_MAX);
	assert_int_equal(p.nonce.len, ATTESTER_NONCE_MAX);
	for (unsigned i = 0; i < 3; i++) {
		++*lens[i];
		assert_int_equal(
		    a->ops->attest(a, &request, document, &document_len, error),
		    -1);
		assert_string_equal(
		    error, "simulated Attestation: InputTooLarge");
		assert_int_equal(document_len, 0);
		--*lens[i];
	}
}

static void test_empty_is_not_null(void **state)
{
	struct attester_request request = {.nonce = (const uint8_t *)""};
	struct parts p;

	make_document(*state, &request);
	p = take_apart();
	assert_non_null(p.nonce.at);
	assert_int_equal(p.nonce.len, 0);
	assert_null(p.user_data.at);
}

static void test_leaf_is_reused(void **state)
{
	struct attester_request none = {0};
	uint8_t first[1024];
	struct parts p;

	make_document(*state, &none);
	p = take_apart();
	memcpy(first, p.leaf.at, p.leaf.len);
	clock_ms += HOUR;
	make_document(*state, &none);
	p = take_apart();
	assert_memory_equal(first, p.leaf.at, p.leaf.len);
	clock_ms += 2 * HOUR;
	make_document(*state, &none);
	p = take_apart();
	assert_memory_not_equal(first, p.leaf.at, p.leaf.len);
	assert_true(signature_is_good(&p));
}

static void test_clock_out_of_the_root(void **state)
{
	struct attester_request none = {0};
	struct attester *a = *state;

	clock_ms = 0;
	assert_int_equal(
	    a->ops->attest(a, &none, document, &document_len, error), -1);
	assert_non_null(strstr(error, "is the clock within the root's life"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_platform),
	    TEST(test_pcrs_at_boot),
	    TEST(test_extend_and_lock),
	    TEST(test_document),
	    TEST(test_pcr4_is_the_instance),
	    TEST(test_only_locked_pcrs),
	    TEST(test_largest_request),
	    TEST(test_empty_is_not_null),
	    TEST(test_leaf_is_reused),
	    TEST(test_clock_out_of_the_root),
	};

	return cmocka_run_group_tests_name(
	    "attester_simulated", tests, NULL, NULL);
}
