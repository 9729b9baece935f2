/* Heads of the log: good ones, what heads have of their own, and that neither
 * of item and head passes for the other. What both share is verify_signed.c's,
 * and test_verify_item breaks each rule of that alone. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/head_fixture.h"
#include "tests/unit/verifier/item_builder.c"

#include "verifier/envelope.h"
#include "verifier/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIVE_MS (HEAD_PUBLISHED_MS + 1000)

static struct builder *b;
static struct item_builder i; /* its content is a head's */
static struct hm_head head;
static struct hm_policy *policy;

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(b);
	return 0;
}

/* Signs `head` as it is now. */
static void sign(void)
{
	assert_int_equal(tree_head_encode(&head, i.content, sizeof(i.content),
			     &i.content_len),
	    0);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
}

static int begin(void **state)
{
	(void)state;
	item_reset(&i, b);
	head_make(&head);
	sign();
	item_envelope(&i);
	policy = i.policy;
	return 0;
}

static int end(void **state)
{
	(void)state;
	item_drop(&i);
	return 0;
}

static enum hm_verdict live(int64_t now_ms)
{
	static struct hm_head out, zero;
	enum hm_verdict verdict;

	memset(&out, 0xaa, sizeof(out));
	verdict = hm_head_verify_live(
	    policy, NULL, &i.envelope, NULL, 0, now_ms, &out, NULL);
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return verdict;
}

static enum hm_verdict replay(void)
{
	return hm_head_verify_replay(
	    policy, NULL, &i.envelope, NULL, 0, NULL, NULL);
}

/* ---- good ---- */

static void test_good(void **state)
{
	static struct hm_head out;
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(hm_head_verify_live(policy, NULL, &i.envelope, NULL, 0,
			     LIVE_MS, &out, NULL),
	    HM_VALID);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(out.content_sha256, sha256, 32);
	assert_string_equal(out.document.release, "test");
	assert_memory_equal(
	    out.document.sha256, i.envelope.attestation_sha256, 32);
	memset(out.content_sha256, 0, 32);
	memset(&out.document, 0, sizeof(out.document));
	assert_memory_equal(&out, &head, sizeof(head));
	assert_int_equal(replay(), HM_VALID);
	assert_true(hm_envelope_is_head(&i.envelope));
}

static void test_reference(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);
	uint8_t *document = i.envelope.document;
	size_t len = i.envelope.document_len;

	(void)state;
	i.envelope.document = NULL;
	assert_int_equal(replay(), HM_ATTESTATION_MISSING);
	assert_int_equal(hm_head_verify_replay(policy, cache, &i.envelope,
			     document, len, NULL, NULL),
	    HM_VALID);
	assert_int_equal(hm_head_verify_live(policy, cache, &i.envelope, NULL,
			     0, LIVE_MS, NULL, NULL),
	    HM_VALID);
	hm_cache_free(cache);
}

/* What is served is what is read back. */
static void test_through_json(void **state)
{
	char *json = envelope_format(&i.envelope, true);
	struct hm_envelope parsed;

	(void)state;
	assert_int_equal(
	    hm_envelope_parse(&parsed, json, strlen(json)), HM_VALID);
	assert_true(hm_envelope_is_head(&parsed));
	assert_int_equal(
	    hm_head_verify_replay(policy, NULL, &parsed, NULL, 0, NULL, NULL),
	    HM_VALID);
	hm_envelope_fini(&parsed);
	free(json);
}

static void note(void *data, const char *check, bool passed, const char *wanted,
    const char *found)
{
	(void)wanted;
	(void)found;
	assert_true(passed);
	strcat(data, check);
	strcat(data, " ");
}

static void test_report(void **state)
{
	char checks[1024] = "";
	const struct hm_report report = {note, checks};

	(void)state;
	assert_int_equal(hm_head_verify_live(policy, NULL, &i.envelope, NULL, 0,
			     LIVE_MS, NULL, &report),
	    HM_VALID);
	assert_non_null(strstr(checks, "envelope content attestation_hash "));
	assert_non_null(strstr(
	    checks, "platform public_key item_signature user_data published "));
	assert_null(strstr(checks, "expires"));
}

/* ---- not good ---- */

static void test_every_bit(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	for (size_t bit = 0; bit < 8 * i.content_len; bit++) {
		enum hm_verdict verdict;

		i.content[bit / 8] ^= (char)(1 << bit % 8);
		verdict = hm_head_verify_replay(
		    policy, cache, &i.envelope, NULL, 0, NULL, NULL);
		assert_true(verdict == HM_CONTENT_MALFORMED ||
			    verdict == HM_ITEM_SIGNATURE);
		i.content[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_int_equal(replay(), HM_VALID);
	hm_cache_free(cache);
}

static void test_no_envelope(void **state)
{
	(void)state;
	assert_int_equal(
	    hm_head_verify_replay(policy, NULL, NULL, NULL, 0, NULL, NULL),
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    hm_head_verify_replay(NULL, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
}

static void test_other_user_data(void **state)
{
	(void)state;
	head.boot_id[0] ^= 1;
	sign();
	assert_int_equal(replay(), HM_USER_DATA_MISMATCH);
	head.boot_id[0] ^= 1;
	head.config_sha256[0] ^= 1;
	sign();
	assert_int_equal(replay(), HM_USER_DATA_MISMATCH);
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(live(HEAD_PUBLISHED_MS - 5000), HM_VALID);
	assert_int_equal(live(HEAD_PUBLISHED_MS - 5001), HM_ITEM_IN_FUTURE);
	assert_int_equal(live(HEAD_PUBLISHED_MS + 300000), HM_VALID);
	assert_int_equal(live(HEAD_PUBLISHED_MS + 300001), HM_ITEM_TOO_OLD);
	head.published_ms = b->timestamp_ms - 5001;
	sign();
	assert_int_equal(replay(), HM_ITEM_BEFORE_DOCUMENT);
	head.published_ms = b->timestamp_ms + INT64_C(1000) * 86400 * 3650;
	sign();
	assert_int_equal(replay(), HM_ITEM_AFTER_CHAIN);
	head.published_ms = MOMENT_MAX_MS + 1;
	sign();
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
}

/* Both stand in the same envelope under the same key. */
static void test_not_an_item(void **state)
{
	struct hm_item item;

	(void)state;
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, &item, NULL),
	    HM_CONTENT_MALFORMED);
	item_content(&i);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, &item, NULL),
	    HM_VALID);
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
	assert_false(hm_envelope_is_head(&i.envelope));
	i.envelope.content_len = 5;
	assert_false(hm_envelope_is_head(&i.envelope));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_reference),
	    TEST(test_through_json),
	    TEST(test_report),
	    TEST(test_every_bit),
	    TEST(test_no_envelope),
	    TEST(test_other_user_data),
	    TEST(test_times),
	    TEST(test_not_an_item),
	};

	return cmocka_run_group_tests_name(
	    "verify_head", tests, setup, teardown);
}
