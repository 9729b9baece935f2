/* What an oracle says of its peers: good ones, each thing that can be wrong
 * with the form, and that neither of item and status passes for the other. What
 * both share is verify_signed.c's, and test_verify_item breaks each rule of
 * that. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "feeds/hex.h"
#include "verifier/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PUBLISHED_MS (BUILDER_NOW_MS + 2000)
#define LIVE_MS      (PUBLISHED_MS + 1000)

#define BOOT_ID "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
#define CONFIG                             \
	"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0" \
	"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"
#define FORMAT "\"format\":\"hallmark-peers/1\","
#define WHO    "\"boot_id\":\"" BOOT_ID "\",\"config_sha256\":\"" CONFIG "\","
#define REST                                                            \
	"\"quorum\":2,\"max_disagreement_bps\":50,\"incoming\":1,"      \
	"\"peers\":[{\"endpoint\":\"tcp://b:9000\",\"state\":\"open\"," \
	"\"disagreements\":[{\"feed\":\"BTC-USD\",\"gap_bps\":300}]}]}"

static struct builder *b;
static struct item_builder i; /* its content is a status */

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

static void sign(const char *content)
{
	i.content_len = strlen(content);
	assert_true(i.content_len < sizeof(i.content));
	memcpy(i.content, content, i.content_len + 1);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
}

static void sign_at(int64_t published_ms)
{
	char content[1024];

	snprintf(content, sizeof(content),
	    "{" FORMAT WHO "\"published_ms\":%lld," REST,
	    (long long)published_ms);
	sign(content);
}

static int begin(void **state)
{
	(void)state;
	item_reset(&i, b);
	sign_at(PUBLISHED_MS);
	item_envelope(&i);
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
	static struct hm_peers out, zero;
	enum hm_verdict verdict;

	memset(&out, 0xaa, sizeof(out));
	verdict = hm_peers_verify_live(
	    i.policy, NULL, &i.envelope, now_ms, &out, NULL);
	if (verdict != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return verdict;
}

static enum hm_verdict replay(void)
{
	return hm_peers_verify_replay(i.policy, NULL, &i.envelope, NULL, NULL);
}

static void test_good(void **state)
{
	static struct hm_peers out;
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(hm_peers_verify_live(
			     i.policy, NULL, &i.envelope, LIVE_MS, &out, NULL),
	    HM_VALID);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(out.content_sha256, sha256, 32);
	assert_memory_equal(out.boot_id, i.item.boot_id, 16);
	assert_memory_equal(out.config_sha256, i.item.config_sha256, 32);
	assert_int_equal(out.published_ms, PUBLISHED_MS);
	assert_string_equal(out.document.release, "test");
	assert_int_equal(replay(), HM_VALID);
	assert_true(hm_envelope_is_peers(&i.envelope));
	i.policy->min_key_epoch = 1; /* as with all that stands on a document */
	assert_int_equal(replay(), HM_KEY_EPOCH);
}

static void test_every_bit(void **state)
{
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	for (size_t bit = 0; bit < 8 * i.content_len; bit++) {
		enum hm_verdict verdict;

		i.content[bit / 8] ^= (char)(1 << bit % 8);
		verdict = hm_peers_verify_replay(
		    i.policy, cache, &i.envelope, NULL, NULL);
		assert_true(verdict == HM_CONTENT_MALFORMED ||
			    verdict == HM_ITEM_SIGNATURE ||
			    verdict == HM_ITEM_AFTER_CHAIN);
		i.content[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_int_equal(replay(), HM_VALID);
	hm_cache_free(cache);
}

/* Signed, so that nothing but the form is wrong. */
static void test_malformed(void **state)
{
#define AT "\"published_ms\":1795251602000,"
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{}",
	    "{" FORMAT WHO AT REST "x",
	    "{" FORMAT FORMAT WHO AT REST,
	    "{" FORMAT WHO AT "\"more\":1," REST,
	    "{" WHO AT REST,
	    "{" FORMAT AT REST,
	    "{" FORMAT WHO REST,
	    "{\"format\":\"hallmark-peers/2\"," WHO AT REST,
	    "{\"format\":\"hallmark-head/1\"," WHO AT REST,
	    "{" FORMAT "\"boot_id\":\"b0b0\",\"config_sha256\":\"" CONFIG
	    "\"," AT REST,
	    "{" FORMAT "\"boot_id\":\"" BOOT_ID "b0\",\"config_sha256\":"
	    "\"" CONFIG "\"," AT REST,
	    "{" FORMAT "\"boot_id\":\"" BOOT_ID "\",\"config_sha256\":"
	    "\"c0\"," AT REST,
	    "{" FORMAT WHO "\"published_ms\":\"1\"," REST,
	    "{" FORMAT WHO "\"published_ms\":1.5," REST,
	    "{" FORMAT WHO AT "\"quorum\":2,\"max_disagreement_bps\":50,"
	    "\"incoming\":1,\"peers\":{}}",
	};

	(void)state;
	sign("{" FORMAT WHO AT REST);
	assert_int_not_equal(replay(), HM_CONTENT_MALFORMED);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		sign(bad[n]);
		if (replay() != HM_CONTENT_MALFORMED)
			fail_msg("taken: %s", bad[n]);
	}
}

static void test_other_user_data(void **state)
{
	static char content[1024];

	(void)state;
	for (const char *id = BOOT_ID; id; id = id[0] == 'b' ? CONFIG : NULL) {
		char *at;

		sign_at(PUBLISHED_MS);
		memcpy(content, i.content, i.content_len + 1);
		at = strstr(content, id);
		assert_non_null(at);
		at[1] = '1';
		sign(content);
		assert_int_equal(replay(), HM_USER_DATA_MISMATCH);
	}
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(live(PUBLISHED_MS - 5000), HM_VALID);
	assert_int_equal(live(PUBLISHED_MS - 5001), HM_ITEM_IN_FUTURE);
	assert_int_equal(live(PUBLISHED_MS + 300000), HM_VALID);
	assert_int_equal(live(PUBLISHED_MS + 300001), HM_ITEM_TOO_OLD);
	sign_at(b->timestamp_ms - 5001);
	assert_int_equal(replay(), HM_ITEM_BEFORE_DOCUMENT);
	sign_at(-1);
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
	sign_at(MOMENT_MAX_MS);
	assert_int_equal(replay(), HM_ITEM_AFTER_CHAIN);
	sign_at(MOMENT_MAX_MS + 1);
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
}

/* Both stand in the same envelope under the same key. */
static void test_not_an_item(void **state)
{
	(void)state;
	assert_int_equal(hm_item_verify_replay(
			     i.policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(hm_head_verify_replay(
			     i.policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_CONTENT_MALFORMED);
	item_content(&i);
	item_sign(&i);
	i.envelope.content_len = i.content_len;
	assert_int_equal(hm_item_verify_replay(
			     i.policy, NULL, &i.envelope, NULL, 0, NULL, NULL),
	    HM_VALID);
	assert_int_equal(replay(), HM_CONTENT_MALFORMED);
	assert_false(hm_envelope_is_peers(&i.envelope));
	i.envelope.content_len = 5;
	assert_false(hm_envelope_is_peers(&i.envelope));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(
	    hm_peers_verify_replay(i.policy, NULL, NULL, NULL, NULL),
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    hm_peers_verify_replay(NULL, NULL, &i.envelope, NULL, NULL),
	    HM_POLICY_EMPTY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_every_bit),
	    TEST(test_malformed),
	    TEST(test_other_user_data),
	    TEST(test_times),
	    TEST(test_not_an_item),
	    TEST(test_nothing),
	};

	return cmocka_run_group_tests_name(
	    "verify_peers", tests, setup, teardown);
}
