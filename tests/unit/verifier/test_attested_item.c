/* Results inside an attestation: read strictly, judged without a signature, and
 * each rule broken alone. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LIVE_MS (ITEM_PUBLISHED_MS + 1000)

static struct builder *b;
static struct item_builder i;
static struct hm_attested attested;
static uint8_t nonce[32] = "a nonce that nobody had before.";

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

/* user_data with the content's hash, or with what a test wants there. */
static void put_user_data(const uint8_t *content_sha256)
{
	struct blob *out = &b->user_data;

	out->len = 0;
	blob_head(out, 5, content_sha256 ? 3 : 2);
	blob_text(out, "boot_id");
	blob_bytes(out, i.item.boot_id, 16);
	blob_text(out, "config_sha256");
	blob_bytes(out, i.item.config_sha256, 32);
	if (content_sha256 == NULL)
		return;
	blob_text(out, "content_sha256");
	blob_bytes(out, content_sha256, 32);
}

/* Steps: begin (the item may be changed after it), content (user_data and nonce
 * may be), finish. */
static void begin(void)
{
	item_reset(&i, b);
	memset(&attested, 0, sizeof(attested));
}

static void content(void)
{
	uint8_t sha256[32];

	item_content(&i);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	put_user_data(sha256);
	blob_set(&b->nonce, nonce, sizeof(nonce));
}

/* Borrows all of i. */
static void finish(void)
{
	const struct hm_envelope *e = &i.envelope;

	item_envelope(&i);
	attested.content = e->content;
	attested.content_len = e->content_len;
	attested.public_key = e->public_key;
	memcpy(attested.platform, e->platform, sizeof(e->platform));
	memcpy(attested.attestation_sha256, e->attestation_sha256, 32);
	attested.document = e->document;
	attested.document_len = e->document_len;
	memcpy(attested.nonce, nonce, sizeof(nonce));
	attested.nonce_len = sizeof(nonce);
}

static void make(void)
{
	begin();
	content();
	finish();
}

static struct hm_item out;
static char checks[2048], failed[64];

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	size_t len = strlen(checks);

	(void)data, (void)wanted, (void)found;
	snprintf(checks + len, sizeof(checks) - len, "%s ", check);
	if (!passed)
		snprintf(failed, sizeof(failed), "%s", check);
}

static enum hm_verdict judge_at(int64_t now_ms, size_t nonce_len)
{
	const struct hm_report report = {.cb = on_check};
	enum hm_verdict verdict;

	checks[0] = failed[0] = '\0';
	memset(&out, 0xaa, sizeof(out));
	verdict = hm_item_verify_attested(
	    i.policy, NULL, &attested, nonce, nonce_len, now_ms, &out, &report);
	if (verdict != HM_VALID)
		assert_string_equal(out.feed, "");
	return verdict;
}

static enum hm_verdict judge(void)
{
	return judge_at(LIVE_MS, sizeof(nonce));
}

static void expect(enum hm_verdict verdict, const char *check)
{
	assert_int_equal(judge(), verdict);
	assert_string_equal(failed, check);
	item_drop(&i);
}

/* ---- judged ---- */

static void test_good(void **state)
{
	(void)state;
	make();
	assert_int_equal(judge(), HM_VALID);
	assert_string_equal(out.feed, "BTC-USD");
	assert_string_equal(out.price, "84036.00");
	assert_int_equal(out.document.timestamp_ms, b->timestamp_ms);
	assert_non_null(strstr(checks, " nonce platform public_key "
				       "attested_content user_data published "
				       "expires "));
	assert_null(strstr(checks, "item_signature"));
	assert_int_equal(hm_item_verify_attested(i.policy, NULL, &attested,
			     nonce, sizeof(nonce), LIVE_MS, NULL, NULL),
	    HM_VALID);
	item_drop(&i);
}

/* The document is made for the asker, after the item: as long as that may be
 * used, how long before does not matter. */
static void test_item_before_document(void **state)
{
	(void)state;
	begin();
	i.item.published_ms = b->timestamp_ms - 60000;
	i.item.expires_ms = b->timestamp_ms + 60000;
	content();
	finish();
	assert_int_equal(judge_at(b->timestamp_ms + 100, 32), HM_VALID);
	assert_int_equal(
	    judge_at(b->timestamp_ms + 60001, 32), HM_ITEM_EXPIRED);
	item_drop(&i);
}

static void test_times(void **state)
{
	(void)state;
	make();
	assert_int_equal(judge_at(ITEM_EXPIRES_MS, 32), HM_VALID);
	assert_int_equal(judge_at(ITEM_EXPIRES_MS + 1, 32), HM_ITEM_EXPIRED);
	assert_int_equal(
	    judge_at(b->timestamp_ms + 300001, 32), HM_DOCUMENT_TOO_OLD);
	assert_string_equal(failed, "document_time");
	item_drop(&i);
	begin();
	i.item.published_ms += 8000;
	i.item.expires_ms += 8000;
	content();
	finish();
	expect(HM_ITEM_IN_FUTURE, "published");
}

static void test_content(void **state)
{
	char *at;

	(void)state;
	make();
	at = strstr(i.content, "84036.00");
	assert_non_null(at);
	at[0] = '9'; /* a price that nobody attested */
	expect(HM_CONTENT_NOT_ATTESTED, "attested_content");
	begin();
	content();
	put_user_data(NULL); /* the document of an ordinary item */
	finish();
	expect(HM_CONTENT_NOT_ATTESTED, "attested_content");
	begin();
	content();
	blob_set(&b->user_data, "\xa0", 1);
	finish();
	expect(HM_CONTENT_NOT_ATTESTED, "attested_content");
}

static void test_nonce(void **state)
{
	(void)state;
	make();
	assert_int_equal(judge_at(LIVE_MS, 31), HM_NONCE_MISMATCH);
	assert_int_equal(judge_at(LIVE_MS, 0), HM_NONCE_MISMATCH);
	nonce[0] ^= 1;
	assert_int_equal(judge(), HM_NONCE_MISMATCH);
	assert_string_equal(failed, "nonce");
	nonce[0] ^= 1;
	attested.nonce_size = 1; /* plain, and called a batch */
	expect(HM_NONCE_MISMATCH, "nonce");
	begin();
	content();
	b->nonce.len = 0; /* replayed from an ordinary document */
	finish();
	expect(HM_NONCE_MISMATCH, "nonce");
}

static void test_batch(void **state)
{
	uint8_t leaves[2][32], root[32];

	(void)state;
	assert_int_equal(merkle_leaf(nonce, sizeof(nonce), leaves[1]), 0);
	memset(leaves[0], 5, 32);
	assert_int_equal(merkle_node(leaves[0], leaves[1], root), 0);
	begin();
	content();
	blob_set(&b->nonce, root, sizeof(root));
	finish();
	assert_int_equal(judge(), HM_NONCE_MISMATCH);
	attested.nonce_index = 1;
	attested.nonce_size = 2;
	attested.nonce_path_len = 1;
	memcpy(attested.nonce_path[0], leaves[0], 32);
	assert_int_equal(judge(), HM_VALID);
	attested.nonce_index = 0;
	assert_int_equal(judge(), HM_NONCE_MISMATCH);
	attested.nonce_index = 1;
	attested.nonce_path[0][31] ^= 1;
	expect(HM_NONCE_MISMATCH, "nonce");
}

/* What came beside it, and what the item says of itself. */
static void test_around(void **state)
{
	(void)state;
	make();
	attested.attestation_sha256[3] ^= 1;
	expect(HM_ATTESTATION_MISMATCH, "attestation_hash");
	make();
	snprintf(attested.platform, sizeof(attested.platform), "aws-nitro");
	expect(HM_PLATFORM_MISMATCH, "platform");
	make();
	attested.public_key = (char *)(uintptr_t) "another";
	expect(HM_KEY_NOT_ATTESTED, "public_key");
	begin();
	content();
	i.item.boot_id[0] ^= 1;
	put_user_data(NULL);
	i.item.boot_id[0] ^= 1;
	b->user_data.at[0] = 0xa3;
	blob_text(&b->user_data, "content_sha256");
	{
		uint8_t sha256[32];

		EVP_Digest(
		    i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
		blob_bytes(&b->user_data, sha256, 32);
	}
	finish();
	expect(HM_USER_DATA_MISMATCH, "user_data");
	make();
	b->document.at[b->document.len - 1] ^= 1;
	expect(HM_ATTESTATION_MISMATCH, "attestation_hash");
	make();
	attested.content = (char *)(uintptr_t) "{}";
	attested.content_len = 2;
	expect(HM_CONTENT_MALFORMED, "content");
	make();
	attested.document = NULL;
	attested.document_len = 0;
	expect(HM_ATTESTATION_MISSING, "attestation");
}

/* Nobody co-signed it: a policy that wants others gets none. */
static void test_quorum(void **state)
{
	(void)state;
	make();
	assert_int_equal(hm_policy_set_quorum(i.policy, 1), 0);
	expect(HM_QUORUM_MISSING, "quorum");
}

/* ---- the text ---- */

#define HASH "1212121212121212121212121212121212121212121212121212121212121212"
#define MOST                                                        \
	"\"platform\":\"simulated\",\"attestation_sha256\":\"" HASH \
	"\",\"attestation_doc_b64\":\"AAEC\",\"public_key\":\"PEM\""
#define CONTENT "\"content\":\"{}\","

static enum hm_verdict parse(const char *json)
{
	return hm_attested_parse(&attested, json, strlen(json));
}

static void test_text(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("{" CONTENT MOST ",\"nonce\":\"00ff\"}"), HM_VALID);
	assert_string_equal(attested.content, "{}");
	assert_int_equal(attested.content_len, 2);
	assert_string_equal(attested.platform, "simulated");
	assert_string_equal(attested.public_key, "PEM");
	assert_int_equal(attested.document_len, 3);
	assert_int_equal(attested.nonce_len, 2);
	assert_int_equal(attested.nonce[1], 0xff);
	assert_int_equal(attested.nonce_size, 0);
	assert_int_equal(attested.attestation_sha256[31], 0x12);
	hm_attested_fini(&attested);
	assert_int_equal(
	    parse("{" CONTENT MOST ",\"nonce\":\"00\",\"nonce_path\":{"
		  "\"index\":1,\"size\":2,\"path\":[\"" HASH "\"]}}"),
	    HM_VALID);
	assert_int_equal(attested.nonce_index, 1);
	assert_int_equal(attested.nonce_size, 2);
	assert_int_equal(attested.nonce_path_len, 1);
	assert_int_equal(attested.nonce_path[0][0], 0x12);
	hm_attested_fini(&attested);
}

static void test_wrong_text(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "{}",
	    "[]",
	    "null",
	    "{" CONTENT MOST "}",
	    "{" MOST ",\"nonce\":\"00\"}",
	    "{" CONTENT MOST ",\"nonce\":\"00\"} x",
	    "{" CONTENT MOST ",\"nonce\":\"00\",\"signature_b64\":\"AA==\"}",
	    "{" CONTENT MOST ",\"nonce\":\"00\",\"nonce\":\"00\"}",
	    "{" CONTENT MOST ",\"nonce\":\"\"}",
	    "{" CONTENT MOST ",\"nonce\":\"0\"}",
	    "{" CONTENT MOST ",\"nonce\":\"0g\"}",
	    "{" CONTENT MOST ",\"nonce\":\"FF\"}",
	    "{" CONTENT MOST ",\"nonce\":1}",
	    "{" CONTENT MOST ",\"nonce\":\"00\",\"nonce_path\":null}",
	    "{" CONTENT MOST ",\"nonce\":\"00\",\"nonce_path\":{}}",
	    "{\"content\":\"\"," MOST ",\"nonce\":\"00\"}",
	    "{\"content\":\"a\\u0000b\"," MOST ",\"nonce\":\"00\"}",
	    "{\"content\":1," MOST ",\"nonce\":\"00\"}",
	    "{" CONTENT "\"platform\":\"\",\"attestation_sha256\":\"" HASH
	    "\",\"attestation_doc_b64\":\"AAEC\",\"public_key\":\"P\","
	    "\"nonce\":\"00\"}",
	    "{" CONTENT "\"platform\":\"sixteen letters!\","
	    "\"attestation_sha256\":\"" HASH "\",\"attestation_doc_b64\":"
	    "\"AAEC\",\"public_key\":\"P\",\"nonce\":\"00\"}",
	    "{" CONTENT "\"platform\":\"s\",\"attestation_sha256\":\"12"
	    "\",\"attestation_doc_b64\":\"AAEC\",\"public_key\":\"P\","
	    "\"nonce\":\"00\"}",
	    "{" CONTENT "\"platform\":\"s\",\"attestation_sha256\":\"" HASH
	    "\",\"attestation_doc_b64\":\"AA\",\"public_key\":\"P\","
	    "\"nonce\":\"00\"}",
	    "{" CONTENT "\"platform\":\"s\",\"attestation_sha256\":\"" HASH
	    "\",\"attestation_doc_b64\":\"AAEC\",\"public_key\":\"\","
	    "\"nonce\":\"00\"}",
	};
	struct hm_attested zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		if (parse(wrong[n]) != HM_ENVELOPE_MALFORMED)
			fail_msg("accepted: %s", wrong[n]);
		assert_memory_equal(&attested, &zero, sizeof(zero));
	}
}

/* Each part as long as it may be, and one byte longer. */
static void try_long(size_t nonce_len, size_t document_len, size_t key_len,
    enum hm_verdict verdict)
{
	size_t room = HM_ENVELOPE_MAX;
	uint8_t *zeros = calloc(1, document_len);
	char *base64 = base64_encode(zeros, document_len);
	char *hex = calloc(1, 2 * nonce_len + 1);
	char *key = calloc(1, key_len + 1), *json = malloc(room);

	memset(hex, '0', 2 * nonce_len);
	memset(key, 'k', key_len);
	snprintf(json, room,
	    "{" CONTENT "\"platform\":\"s\",\"attestation_sha256\":\"" HASH
	    "\",\"attestation_doc_b64\":\"%s\",\"public_key\":\"%s\","
	    "\"nonce\":\"%s\"}",
	    base64, key, hex);
	assert_int_equal(parse(json), verdict);
	hm_attested_fini(&attested);
	free(zeros);
	free(base64);
	free(hex);
	free(key);
	free(json);
}

static void test_long(void **state)
{
	char *blanks = malloc(HM_ENVELOPE_MAX + 1);

	(void)state;
	try_long(HM_NONCE_MAX, HM_DOCUMENT_MAX, 1023, HM_VALID);
	try_long(HM_NONCE_MAX + 1, 1, 1, HM_ENVELOPE_MALFORMED);
	try_long(1, HM_DOCUMENT_MAX + 3, 1, HM_ENVELOPE_MALFORMED);
	try_long(1, 1, 1024, HM_ENVELOPE_MALFORMED);
	memset(blanks, ' ', HM_ENVELOPE_MAX + 1);
	assert_int_equal(
	    hm_attested_parse(&attested, blanks, HM_ENVELOPE_MAX + 1),
	    HM_ENVELOPE_MALFORMED);
	free(blanks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_item_before_document),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_content),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_batch),
	    cmocka_unit_test(test_around),
	    cmocka_unit_test(test_quorum),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_wrong_text),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name(
	    "attested_item", tests, setup, teardown);
}
