/* seal: what is read from the command line, and which receipts are believed. */
#include "verifier/base64.h"
#include "verifier/cli/seal_delivery.h"
#include "verifier/cli/seal_options.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "coinmarketcap_api_key"

static char directory[] = "/tmp/test_seal.XXXXXX";
static char token_path[64], secret_path[64];
static char error[POLICY_FILE_ERROR_MAX];
static struct seal_options options;

static void put(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(token_path, sizeof(token_path), "%s/token", directory);
	snprintf(secret_path, sizeof(secret_path), "%s/secret", directory);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(token_path);
	unlink(secret_path);
	return rmdir(directory);
}

/* ---- options ---- */

#define TOKEN "0123456789abcdef0123456789abcdef"

static int parse_with(const char *name, const char *token, const char *secret)
{
	char *argv[] = {"seal", "--policy", "p.json", "--token-file",
	    token_path, "http://127.0.0.1:8080", (char *)name, NULL};

	put(token_path, token, strlen(token));
	put(secret_path, secret, strlen(secret));
	return seal_options_parse(&options, 7, argv, secret_path, error);
}

static void test_options(void **state)
{
	static const struct secret_message nothing;

	(void)state;
	assert_int_equal(parse_with(NAME, TOKEN "\n", "hush\r\n"), 0);
	assert_string_equal(options.message.name, NAME);
	assert_string_equal(options.message.token, TOKEN);
	assert_string_equal(options.message.secret, "hush");
	assert_string_equal(options.verify.policy, "p.json");
	assert_string_equal(options.address.base, "http://127.0.0.1:8080");
	seal_options_wipe(&options);
	assert_memory_equal(&options.message, &nothing, sizeof(nothing));
	assert_int_equal(parse_with(NAME, TOKEN, "hush"), 0);
}

static void refused(
    const char *name, const char *token, const char *secret, const char *why)
{
	assert_int_equal(parse_with(name, token, secret), -1);
	if (strstr(error, why) == NULL)
		fail_msg("%s", error);
	assert_null(strstr(error, TOKEN));
}

static void test_refused(void **state)
{
	char text[2000];

	(void)state;
	refused("No", TOKEN, "x", "NAME is");
	refused("", TOKEN, "x", "NAME is");
	refused(NAME, TOKEN, "", "a secret");
	refused(NAME, TOKEN, "\n", "a secret");
	refused(NAME, TOKEN, "two words", "a secret");
	refused(NAME, TOKEN, "two\nlines", "a secret");
	refused(NAME, "short", "x", "a token");
	refused(NAME, TOKEN "\n\n", "x", "a token");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(NAME, TOKEN, text, "the secret: more than 512");
	refused(NAME, text, "x", "the token: more than 128");
	text[513] = '\0';
	refused(NAME, TOKEN, text, "the secret");
	text[100] = '\0';
	refused(text, TOKEN, "x", "NAME is too long");
}

static void parse_only(const char *why, int argc, char **argv)
{
	assert_int_equal(
	    seal_options_parse(&options, argc, argv, secret_path, error), -1);
	if (strstr(error, why) == NULL)
		fail_msg("%s", error);
}

static void test_missing(void **state)
{
	char *no_name[] = {
	    "seal", "--policy", "p", "--token-file", "t", "http://x", NULL};
	char *no_token[] = {"seal", "--policy", "p", "http://x", NAME, NULL};
	char *no_file[] = {"seal", "--policy", "p", "--token-file",
	    "/nothing/here", "http://x", NAME, NULL};
	char *no_policy[] = {
	    "seal", "--token-file", "t", "http://x", NAME, NULL};
	char *path[] = {"seal", "--policy", "p", "--token-file", "t",
	    "http://x/path", NAME, NULL};
	char *twice[] = {"seal", "--token-file", "t", "--token-file", "t",
	    "--policy", "p", "http://x", NAME, NULL};

	(void)state;
	parse_only("NAME", 6, no_name);
	parse_only("--token-file is needed", 5, no_token);
	parse_only("/nothing/here", 7, no_file);
	parse_only("--policy", 5, no_policy);
	parse_only("address", 7, path);
	parse_only("twice", 9, twice);
}

/* ---- receipts ---- */

static struct channel_facts facts;
static const uint8_t cms_sha256[32] = {1, 2, 3};

static EVP_PKEY *attest_key(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	unsigned char *at = facts.document.public_key.bytes;
	int len = i2d_PUBKEY(key, NULL);

	assert_true(
	    len > 0 && (size_t)len <= sizeof(facts.document.public_key.bytes));
	facts.document.public_key.len = (size_t)i2d_PUBKEY(key, &at);
	facts.document.public_key.present = true;
	return key;
}

/* The answer with the receipt for this name and hash. */
static size_t answer(
    char out[2048], EVP_PKEY *key, const char *name, const uint8_t sha256[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[256];
	size_t len = sizeof(signature), n = 0;
	char content[SECRET_RECEIPT_MAX], escaped[2 * SECRET_RECEIPT_MAX];
	char *base64;

	secret_receipt_format(content, facts.attested.boot_id, name, sha256);
	for (const char *p = content; *p != '\0'; p++) {
		if (*p == '"')
			escaped[n++] = '\\';
		escaped[n++] = *p;
	}
	escaped[n] = '\0';
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len,
			     (const uint8_t *)content, strlen(content)),
	    1);
	base64 = base64_encode(signature, len);
	n = (size_t)snprintf(out, 2048,
	    "{\"content\":\"%s\",\"signature_b64\":\"%s\"}", escaped, base64);
	free(base64);
	EVP_MD_CTX_free(ctx);
	return n;
}

static bool is_believed(const char *json, size_t len)
{
	return seal_receipt_ok(json, len, &facts, NAME, cms_sha256);
}

static void test_receipt(void **state)
{
	EVP_PKEY *key = attest_key(), *other = EVP_RSA_gen(2048);
	static const uint8_t another[32] = {9};
	char json[2048];
	size_t len = answer(json, key, NAME, cms_sha256);

	(void)state;
	assert_true(is_believed(json, len));
	assert_false(is_believed(json, len - 1));
	assert_false(seal_receipt_ok(json, len, &facts, "another", cms_sha256));
	assert_false(seal_receipt_ok(json, len, &facts, NAME, another));
	facts.attested.boot_id[3] ^= 1;
	assert_false(is_believed(json, len));
	facts.attested.boot_id[3] ^= 1;
	for (size_t i = 0; i < len; i++) {
		json[i] ^= 1;
		if (is_believed(json, len))
			fail_msg("byte %zu: %s", i, json);
		json[i] ^= 1;
	}
	/* for another message or name; by another key */
	assert_false(is_believed(json, answer(json, key, NAME, another)));
	assert_false(is_believed(json, answer(json, key, "x", cms_sha256)));
	assert_false(is_believed(json, answer(json, other, NAME, cms_sha256)));
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_no_receipt(void **state)
{
	static const char *const texts[] = {"", "{}", "[]", "null", "\"\"",
	    "{\"content\":\"\",\"signature_b64\":\"\"}",
	    "{\"content\":1,\"signature_b64\":2}", "<html>"};
	EVP_PKEY *key = attest_key();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(is_believed(texts[i], strlen(texts[i])));
	/* a document without a key */
	char json[2048];
	size_t len = answer(json, key, NAME, cms_sha256);
	facts.document.public_key.len = 0;
	assert_false(is_believed(json, len));
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_receipt),
	    cmocka_unit_test(test_no_receipt),
	};

	return cmocka_run_group_tests_name(
	    "seal", tests, group_setup, group_teardown);
}
