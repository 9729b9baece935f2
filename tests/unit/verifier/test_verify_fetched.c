/* Fetched answers: good ones, what they have of their own, and that they and
 * items never pass for each other. What all signed contents share is
 * verify_signed.c's, and test_verify_item breaks each rule of that alone. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/fetched_fixture.h"
#include "tests/unit/verifier/item_builder.c"

#include "verifier/envelope.h"
#include "verifier/fetched_envelope.h"
#include "verifier/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIVE_MS (FETCHED_MS + 1000)

static struct builder *b;
static struct item_builder i; /* its content is a fetched answer's */
static struct hm_fetched fetched;
static struct hm_policy *policy;
static const struct hm_fetch_request asked = {
    "api.binance.com", 443, FETCHED_PATH};

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

/* Signs `fetched` as it is now. */
static void sign(void)
{
	char *text = fetched_encode(&fetched, &i.content_len);

	assert_non_null(text);
	assert_true(i.content_len < sizeof(i.content));
	memcpy(i.content, text, i.content_len + 1);
	free(text);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
}

static int begin(void **state)
{
	(void)state;
	item_reset(&i, b);
	fetched_make(&fetched);
	sign();
	item_envelope(&i);
	i.envelope.platform[0] = '\0';
	policy = i.policy;
	return 0;
}

static int end(void **state)
{
	(void)state;
	hm_fetched_fini(&fetched);
	item_drop(&i);
	return 0;
}

static enum hm_verdict live(
    const struct hm_fetch_request *request, int64_t now_ms)
{
	static struct hm_fetched out, zero;
	enum hm_verdict verdict;

	memset(&out, 0xaa, sizeof(out));
	verdict = hm_fetch_verify_live(
	    policy, NULL, &i.envelope, request, now_ms, &out, NULL);
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	hm_fetched_fini(&out);
	return verdict;
}

static enum hm_verdict replay(void)
{
	return hm_fetch_verify_replay(
	    policy, NULL, &i.envelope, &asked, NULL, NULL);
}

/* ---- good ---- */

static void test_good(void **state)
{
	struct hm_fetched out;
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(hm_fetch_verify_live(policy, NULL, &i.envelope, &asked,
			     LIVE_MS, &out, NULL),
	    HM_VALID);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(out.content_sha256, sha256, 32);
	assert_string_equal(out.document.release, "test");
	assert_string_equal(out.document.platform, "simulated");
	assert_memory_equal(
	    out.document.sha256, i.envelope.attestation_sha256, 32);
	assert_string_equal((const char *)out.body, FETCHED_BODY);
	assert_string_equal(out.hostname, "api.binance.com");
	assert_int_equal(out.status, 200);
	hm_fetched_fini(&out);
	assert_null(out.body);
	assert_int_equal(replay(), HM_VALID);
	assert_int_equal(live(NULL, LIVE_MS), HM_VALID);
}

/* What is served is what is read back. */
static void test_through_json(void **state)
{
	char *json = fetched_envelope_format(&i.envelope);
	struct hm_envelope parsed;

	(void)state;
	assert_int_equal(hm_fetch_parse(&parsed, json, strlen(json)), HM_VALID);
	assert_int_equal(
	    hm_fetch_verify_replay(policy, NULL, &parsed, &asked, NULL, NULL),
	    HM_VALID);
	hm_envelope_fini(&parsed);
	free(json);
}

static void note(void *data, const char *check, bool passed, const char *wanted,
    const char *found)
{
	(void)wanted;
	(void)found;
	if (!passed)
		strcat(data, "NOT ");
	strcat(data, check);
	strcat(data, " ");
}

static void test_report(void **state)
{
	char checks[1024] = "";
	const struct hm_report report = {note, checks};
	const struct hm_fetch_request other = {asked.hostname, 443, "/"};

	(void)state;
	assert_int_equal(hm_fetch_verify_live(policy, NULL, &i.envelope, &asked,
			     LIVE_MS, NULL, &report),
	    HM_VALID);
	assert_non_null(strstr(checks, "envelope content attestation_hash "));
	assert_non_null(strstr(
	    checks, "public_key item_signature user_data published request "));
	assert_null(strstr(checks, "platform "));
	checks[0] = '\0';
	assert_int_equal(hm_fetch_verify_live(policy, NULL, &i.envelope, &other,
			     LIVE_MS, NULL, &report),
	    HM_REQUEST_MISMATCH);
	assert_non_null(strstr(checks, "published NOT request "));
}

/* ---- not good ---- */

/* A server in between has kept the answer to something else. */
static void test_another_request(void **state)
{
	struct hm_fetch_request other = asked;

	(void)state;
	other.path = "/api/v3/ticker/price?symbol=ETHUSDT";
	assert_int_equal(live(&other, LIVE_MS), HM_REQUEST_MISMATCH);
	other = asked;
	other.path = "/api/v3/ticker/price";
	assert_int_equal(live(&other, LIVE_MS), HM_REQUEST_MISMATCH);
	other = asked;
	other.hostname = "api.binance.co";
	assert_int_equal(live(&other, LIVE_MS), HM_REQUEST_MISMATCH);
	other = asked;
	other.port = 8443;
	assert_int_equal(live(&other, LIVE_MS), HM_REQUEST_MISMATCH);
	assert_int_equal(live(&asked, LIVE_MS), HM_VALID);
}

static void test_every_bit(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	for (size_t bit = 0; bit < 8 * i.content_len; bit++) {
		enum hm_verdict verdict;

		i.content[bit / 8] ^= (char)(1 << bit % 8);
		verdict = hm_fetch_verify_replay(
		    policy, cache, &i.envelope, NULL, NULL, NULL);
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
	    hm_fetch_verify_replay(policy, NULL, NULL, NULL, NULL, NULL),
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    hm_fetch_verify_replay(NULL, NULL, &i.envelope, NULL, NULL, NULL),
	    HM_POLICY_EMPTY);
	i.envelope.document = NULL;
	assert_int_equal(replay(), HM_ATTESTATION_MISSING);
}

/* Whatever hash is beside it, a document is known by its own. */
static void test_other_document_hash(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	i.envelope.attestation_sha256[0] ^= 1;
	assert_int_equal(hm_fetch_verify_replay(
			     policy, cache, &i.envelope, &asked, NULL, NULL),
	    HM_ATTESTATION_MISMATCH);
	hm_cache_free(cache);
}

static void test_other_user_data(void **state)
{
	(void)state;
	fetched.boot_id[0] ^= 1;
	sign();
	assert_int_equal(replay(), HM_USER_DATA_MISMATCH);
	fetched.boot_id[0] ^= 1;
	fetched.config_sha256[0] ^= 1;
	sign();
	assert_int_equal(replay(), HM_USER_DATA_MISMATCH);
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(live(&asked, FETCHED_MS - 5000), HM_VALID);
	assert_int_equal(live(&asked, FETCHED_MS - 5001), HM_ITEM_IN_FUTURE);
	assert_int_equal(live(&asked, FETCHED_MS + 300000), HM_VALID);
	assert_int_equal(live(&asked, FETCHED_MS + 300001), HM_ITEM_TOO_OLD);
	fetched.fetched_ms = b->timestamp_ms - 5001;
	sign();
	assert_int_equal(replay(), HM_ITEM_BEFORE_DOCUMENT);
	fetched.fetched_ms = b->timestamp_ms + INT64_C(1000) * 86400 * 3650;
	sign();
	assert_int_equal(replay(), HM_ITEM_AFTER_CHAIN);
	fetched.fetched_ms = MOMENT_MAX_MS + 1;
	sign();
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
}

/* All stand in the same envelope under the same key. */
static void test_not_an_item(void **state)
{
	(void)state;
	assert_int_equal(hm_head_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_CONTENT_MALFORMED);
	item_content(&i);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
	/* An item whose envelope names no platform is none either. */
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_PLATFORM_MISMATCH);
	strcpy(i.envelope.platform, "simulated");
	assert_int_equal(hm_item_verify_replay(
			     policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_VALID);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_through_json),
	    TEST(test_report),
	    TEST(test_another_request),
	    TEST(test_every_bit),
	    TEST(test_no_envelope),
	    TEST(test_other_document_hash),
	    TEST(test_other_user_data),
	    TEST(test_times),
	    TEST(test_not_an_item),
	};

	return cmocka_run_group_tests_name(
	    "verify_fetched", tests, setup, teardown);
}
