/* The JSON around a fetched answer: its four keys, each once, in canonical
 * base64, within their sizes, and nothing else. */
#include "verifier/fetched_envelope.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/fetched.h"
#include "verifier/item_key.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "{\"attestation_doc_b64\":\"ZG9j\","
			   "\"content\":\"{\\\"a\\\":1}\","
			   "\"public_key\":\"key\\n\","
			   "\"signature_b64\":\"c2ln\"}";
static const struct hm_envelope zero;

static bool reads(const char *json, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct hm_envelope envelope;
	enum hm_verdict verdict;

	memcpy(copy, json, len);
	memset(&envelope, 0xaa, sizeof(envelope));
	verdict = hm_fetch_parse(&envelope, copy, len);
	free(copy);
	if (verdict != HM_VALID) {
		assert_int_equal(verdict, HM_ENVELOPE_MALFORMED);
		assert_memory_equal(&envelope, &zero, sizeof(zero));
	}
	hm_envelope_fini(&envelope);
	return verdict == HM_VALID;
}

static bool reads_with(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *text = NULL;
	bool result;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - good), good, to,
			at + strlen(from)) > 0);
	result = reads(text, strlen(text));
	free(text);
	return result;
}

static void test_good(void **state)
{
	struct hm_envelope e;
	uint8_t sha256[32];
	char *again;

	(void)state;
	assert_int_equal(hm_fetch_parse(&e, good, strlen(good)), HM_VALID);
	assert_string_equal(e.content, "{\"a\":1}");
	assert_int_equal(e.content_len, 7);
	assert_string_equal(e.public_key, "key\n");
	assert_string_equal(e.platform, "");
	assert_int_equal(e.document_len, 3);
	assert_memory_equal(e.document, "doc", 3);
	assert_int_equal(e.signature_len, 3);
	assert_memory_equal(e.signature, "sig", 3);
	EVP_Digest("doc", 3, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(e.attestation_sha256, sha256, 32);
	again = fetched_envelope_format(&e);
	assert_string_equal(again, good);
	free(again);
	hm_envelope_fini(&e);
}

static void test_other_forms(void **state)
{
	struct hm_envelope e;

	(void)state;
	assert_true(reads(good, strlen(good)));
	assert_true(reads_with("{", " { "));
	assert_false(reads(good, strlen(good) - 1));
	assert_false(reads(good, strlen(good) + 1)); /* its NUL */
	assert_false(reads("", 0));
	assert_false(reads("{}", 2));
	assert_false(reads("[]", 2));
	assert_int_equal(hm_fetch_parse(&e, NULL, 0), HM_ENVELOPE_MALFORMED);
	assert_false(reads_with("{", "{\"more\":\"1\","));
	assert_false(reads_with("{", "{\"platform\":\"simulated\","));
	assert_false(reads_with("{", "{\"content\":\"{}\","));
	assert_false(reads_with("\"attestation_doc_b64\":\"ZG9j\",", ""));
	assert_false(reads_with("\"public_key\":\"key\\n\",", ""));
	assert_false(reads_with(",\"signature_b64\":\"c2ln\"", ""));
	assert_false(reads_with("\"content\":\"{\\\"a\\\":1}\",", ""));
	assert_false(reads_with("\"{\\\"a\\\":1}\"", "\"\""));
	assert_false(reads_with("\"{\\\"a\\\":1}\"", "{\"a\":1}"));
	assert_false(reads_with("\"key\\n\"", "\"\""));
	assert_false(reads_with("ZG9j", ""));
	assert_false(reads_with("ZG9j", "ZG9"));
	assert_false(reads_with("ZG9j", "ZG9 j"));
	assert_false(reads_with("ZG9j", "ZG9-"));
	assert_false(reads_with("c2ln", ""));
	assert_false(reads_with("c2ln", "c2lnZ==="));
}

/* A member of `len` times this letter in place of `from`. */
static bool reads_long(const char *from, char letter, size_t len)
{
	char *to = malloc(len + 1);
	bool result;

	memset(to, letter, len);
	to[len] = '\0';
	result = reads_with(from, to);
	free(to);
	return result;
}

static void test_sizes(void **state)
{
	size_t document = (HM_DOCUMENT_MAX + 2) / 3 * 4;
	char *blanks = malloc(HM_FETCHED_MAX + 1);

	(void)state;
	assert_true(reads_long("key\\n", 'k', ITEM_KEY_PEM_MAX - 1));
	assert_false(reads_long("key\\n", 'k', ITEM_KEY_PEM_MAX));
	assert_true(reads_long("{\\\"a\\\":1}", 'c', FETCHED_CONTENT_MAX));
	assert_false(reads_long("{\\\"a\\\":1}", 'c', FETCHED_CONTENT_MAX + 1));
	assert_true(reads_long("ZG9j", 'A', document));
	assert_false(reads_long("ZG9j", 'A', document + 4));
	assert_true(reads_long("c2ln", 'A', 684));
	assert_false(reads_long("c2ln", 'A', 688));
	memset(blanks, ' ', HM_FETCHED_MAX + 1);
	memcpy(blanks, good, strlen(good));
	assert_true(reads(blanks, HM_FETCHED_MAX));
	assert_false(reads(blanks, HM_FETCHED_MAX + 1));
	free(blanks);
}

/* What is written of the largest answer is read. */
static void test_largest(void **state)
{
	static uint8_t document[HM_DOCUMENT_MAX], signature[512];
	static char key[ITEM_KEY_PEM_MAX];
	struct hm_fetched f = {.hostname = "a", .port = 1, .status = 200};
	struct hm_envelope e = {.document = document,
	    .document_len = sizeof(document),
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = key};
	char *text;

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	memset(f.path, 'p', sizeof(f.path) - 1);
	f.path[0] = '/';
	f.body = malloc(HM_FETCHED_BODY_MAX);
	f.body_len = HM_FETCHED_BODY_MAX;
	memset(f.body, '"', f.body_len);
	e.content = fetched_encode(&f, &e.content_len);
	text = fetched_envelope_format(&e);
	assert_non_null(text);
	assert_true(strlen(text) <= HM_FETCHED_MAX);
	assert_true(reads(text, strlen(text)));
	free(text);
	free(e.content);
	hm_fetched_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_other_forms),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests_name(
	    "fetched_envelope", tests, NULL, NULL);
}
