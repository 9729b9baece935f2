/*
 * kms_cms: both shapes that KMS was seen to write open, written by another
 * hand; whatever else a peer may write is refused and leaves nothing behind.
 * AWS's own samples are read as far as one can without their private key.
 */
#include "oracle/kms_cms.h"

#include "base/file.h"

#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/simulator/kms_envelope.h"

#define KEY_LEN 32

static EVP_PKEY *ours, *another;
static const uint8_t data_key[KEY_LEN] = "it is a key of thirty-two bytes";
static const char *why;

static int make_keys(void **state)
{
	(void)state;
	ours = EVP_RSA_gen(2048);
	another = EVP_RSA_gen(2048);
	return ours == NULL || another == NULL;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(ours);
	EVP_PKEY_free(another);
	return 0;
}

static int open_it(const uint8_t *bytes, size_t len, uint8_t out[KEY_LEN])
{
	/* Exactly as long as it is: a read behind its end is seen. */
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	result = kms_cms_open(copy, len, ours, out, KEY_LEN, &why);
	free(copy);
	return result;
}

static void refused(const struct kms_envelope *e, const char *because)
{
	static const uint8_t zeros[KEY_LEN];
	uint8_t out[KEY_LEN];

	memset(out, 1, sizeof(out));
	assert_int_equal(open_it(e->bytes, e->len, out), -1);
	assert_string_equal(why, because);
	assert_memory_equal(out, zeros, sizeof(zeros));
}

static struct kms_envelope made(struct kms_envelope_options options)
{
	return kms_envelope_make(ours, data_key, KEY_LEN, &options);
}

static void test_both_shapes(void **state)
{
	uint8_t out[KEY_LEN];
	(void)state;

	for (int octets = 0; octets < 2; octets++) {
		struct kms_envelope e = made(
		    (struct kms_envelope_options){.octet_strings = octets});

		assert_int_equal(open_it(e.bytes, e.len, out), 0);
		assert_memory_equal(out, data_key, KEY_LEN);
	}
}

static void test_for_another(void **state)
{
	const struct kms_envelope_options options = {0};
	struct kms_envelope e = kms_envelope_make(
	    another, data_key, KEY_LEN, &options);
	(void)state;
	refused(&e, "it is not for our key");
}

static void test_other_algorithms(void **state)
{
	struct kms_envelope e;
	(void)state;

	e = made((struct kms_envelope_options){.cipher = EVP_aes_128_cbc()});
	refused(&e, "its content is not under AES-256-CBC");
	e = made((struct kms_envelope_options){.cipher = EVP_des_ede3_cbc()});
	refused(&e, "its content is not under AES-256-CBC");
	e = made((struct kms_envelope_options){.md = EVP_sha1()});
	refused(&e, "its key is not under RSAES-OAEP with SHA-256");
}

static void test_other_lengths(void **state)
{
	const struct kms_envelope_options options = {0};
	static const uint8_t plain[64] = {1};
	static const size_t lengths[] = {0, 16, 31, 33, 48, 64};
	(void)state;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct kms_envelope e = kms_envelope_make(
		    ours, plain, lengths[i], &options);

		refused(&e, "its content has another length or padding");
	}
}

static void test_trailing_and_cut(void **state)
{
	struct kms_envelope e = made((struct kms_envelope_options){0}), cut;
	uint8_t out[KEY_LEN];
	(void)state;

	for (size_t len = 0; len < e.len; len++) {
		cut = e;
		cut.len = len;
		assert_int_equal(open_it(cut.bytes, cut.len, out), -1);
	}
	e.bytes[e.len++] = 0;
	refused(&e, "it is not CMS");
	e.len = 0;
	refused(&e, "it is not CMS");
}

/* CBC has no MAC: a changed bit may give another key of the same length, but
 * never a crash, and never this key but where nothing is looked at. */
static void test_changed_bits(void **state)
{
	struct kms_envelope e = made((struct kms_envelope_options){0});
	uint8_t out[KEY_LEN];
	unsigned opened = 0;
	(void)state;

	for (size_t i = 0; i < e.len; i += 3) {
		e.bytes[i] ^= 0x10;
		if (open_it(e.bytes, e.len, out) == 0)
			opened++;
		e.bytes[i] ^= 0x10;
	}
	/* the key id (32), the IV and a block: all that nobody checks */
	assert_true(opened < 40);
}

/* Two recipients, of whom one is ours, are one too many. */
static void test_two_recipients(void **state)
{
	const struct kms_envelope_options options = {0};
	struct kms_envelope e = {.len = 0}, r = {.len = 0};
	struct kms_envelope one = kms_envelope_make(
	    ours, data_key, KEY_LEN, &options);
	uint8_t key[32] = {0};
	size_t set = 2 + 11 + 7; /* what stands before the recipients */
	size_t old = (size_t)one.bytes[set + 2] << 8 | one.bytes[set + 3];
	(void)state;

	assert_int_equal(one.bytes[set], 0x31);
	kms_envelope_add(&r, one.bytes + set + 4, old);
	kms_envelope_recipient(&r, another, EVP_sha256(), key, sizeof(key));
	kms_envelope_add(&e, one.bytes, set);
	kms_envelope_put(&e, 0x31, r.bytes, r.len);
	kms_envelope_add(
	    &e, one.bytes + set + 4 + old, one.len - set - 4 - old);
	refused(&e, "its recipient is not one key by its id");
}

static void test_samples_of_aws(void **state)
{
	static const char *const names[] = {
	    "kms_cms_1_explicit_octets", "kms_cms_2_implicit_octets"};
	const char *vectors = getenv("HALLMARK_VECTORS");
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct kms_envelope e;
		char path[512];
		uint8_t *bytes;
		size_t len;

		snprintf(path, sizeof(path), "%s/kms_cms/%s.ber",
		    vectors ? vectors : "../shared/vectors", names[i]);
		if (file_read(path, sizeof(e.bytes), &bytes, &len) != 0) {
			assert_null(getenv("CI"));
			skip();
		}
		memcpy(e.bytes, bytes, len);
		e.len = len;
		free(bytes);
		/* Form and algorithms are right; the key is Amazon's. */
		refused(&e, "it is not for our key");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_shapes),
	    cmocka_unit_test(test_for_another),
	    cmocka_unit_test(test_other_algorithms),
	    cmocka_unit_test(test_other_lengths),
	    cmocka_unit_test(test_trailing_and_cut),
	    cmocka_unit_test(test_changed_bits),
	    cmocka_unit_test(test_two_recipients),
	    cmocka_unit_test(test_samples_of_aws),
	};
	return cmocka_run_group_tests_name(
	    "kms_cms", tests, make_keys, free_keys);
}
