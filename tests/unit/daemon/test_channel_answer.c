/* channel_answer: the document, its nonce, the key of the connection, and the
 * text around them: right, and wrong in one way each. */
#include "verifier/daemon/channel_answer.h"

#include "channel_fixture.h"

static const uint8_t nonce[CHANNEL_NONCE_LEN] =
    "a nonce that nobody had before";
static uint8_t tls[HM_SHA256_LEN], other[HM_SHA256_LEN];
static char tls_hex[2 * HM_SHA256_LEN + 1], other_hex[2 * HM_SHA256_LEN + 1];
static char failed[64]; /* the last check that did */
static struct channel_facts facts;

static int make_keys(void **state)
{
	memset(tls, 0x11, sizeof(tls));
	memset(other, 0x12, sizeof(other));
	hex_encode(tls, sizeof(tls), tls_hex);
	hex_encode(other, sizeof(other), other_hex);
	return make_mint(state);
}

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	(void)data, (void)wanted, (void)found;
	if (!passed)
		snprintf(failed, sizeof(failed), "%s", check);
}

static enum hm_verdict judge_text(const struct hm_policy *policy,
    const char *json, const uint8_t *spki, int64_t later_ms)
{
	const struct channel_question question = {
	    .nonce = nonce,
	    .nonce_len = sizeof(nonce),
	    .spki_sha256 = spki,
	    .now_ms = now_unix_ms() + later_ms,
	};
	const struct hm_report report = {.cb = on_check};
	enum hm_verdict verdict;

	failed[0] = '\0';
	memset(&facts, 0xff, sizeof(facts));
	verdict = channel_answer_judge(
	    &facts, policy, NULL, json, strlen(json), &question, &report);
	assert_int_equal(verdict == HM_VALID, failed[0] == '\0');
	if (verdict != HM_VALID) { /* nothing of it is handed out */
		assert_int_equal(facts.document.timestamp_ms, 0);
		assert_false(facts.bound);
		assert_string_equal(facts.seal_public_key, "");
	}
	return verdict;
}

static enum hm_verdict judge(struct answer_wish wish, const uint8_t *spki)
{
	enum hm_verdict verdict;
	char *json;

	if (!wish.nonce) {
		wish.nonce = nonce;
		wish.nonce_len = sizeof(nonce);
	}
	json = answer_json(&mint, &wish);
	verdict = judge_text(mint.policy, json, spki, 0);
	free(json);
	return verdict;
}

static void test_right(void **state)
{
	(void)state;
	assert_int_equal(
	    judge((struct answer_wish){.tls_spki_sha256 = tls}, tls), HM_VALID);
	assert_true(facts.bound);
	assert_memory_equal(facts.attested.tls_spki_sha256, tls, sizeof(tls));
	assert_memory_equal(facts.attested.boot_id, mint.boot_id, 16);
	assert_string_equal(facts.document.platform, "simulated");
	assert_string_equal(facts.seal_public_key, "");
	assert_int_equal(judge((struct answer_wish){.tls_spki_sha256 = tls,
				   .tls_text = tls_hex,
				   .batched = true},
			     tls),
	    HM_VALID);
	assert_true(facts.bound);
}

/* Plain HTTP, or somebody else's TLS: the document is good, and says nothing
 * of the connection. */
static void test_not_a_channel(void **state)
{
	(void)state;
	assert_int_equal(judge((struct answer_wish){0}, NULL), HM_VALID);
	assert_false(facts.bound);
	assert_int_equal(
	    judge((struct answer_wish){.tls_spki_sha256 = tls}, NULL),
	    HM_VALID);
	assert_false(facts.bound);
	assert_true(facts.attested.has_tls);
}

static void test_another_key(void **state)
{
	(void)state;
	assert_int_equal(
	    judge((struct answer_wish){.tls_spki_sha256 = other}, tls),
	    HM_KEY_NOT_ATTESTED);
	assert_string_equal(failed, "tls_key");
	/* an oracle without TLS of its own, behind somebody's */
	assert_int_equal(
	    judge((struct answer_wish){0}, tls), HM_KEY_NOT_ATTESTED);
	assert_string_equal(failed, "tls_key");
	/* and the text beside it does not help */
	assert_int_equal(judge((struct answer_wish){.tls_text = tls_hex}, tls),
	    HM_KEY_NOT_ATTESTED);
}

static void test_nonce(void **state)
{
	static const uint8_t old[CHANNEL_NONCE_LEN] = "one of an hour ago";
	struct answer_wish replayed = {
	    .nonce = old, .nonce_len = sizeof(old), .tls_spki_sha256 = tls};
	struct answer_wish shorter = {
	    .nonce = nonce, .nonce_len = 31, .tls_spki_sha256 = tls};

	(void)state;
	assert_int_equal(judge(replayed, tls), HM_NONCE_MISMATCH);
	assert_string_equal(failed, "nonce");
	replayed.batched = true; /* somebody else's path */
	assert_int_equal(judge(replayed, tls), HM_NONCE_MISMATCH);
	assert_string_equal(failed, "nonce");
	assert_int_equal(judge(shorter, tls), HM_NONCE_MISMATCH);
}

/* A path to nowhere, one that is none, and one to a document that is none of a
 * batch. */
static void test_path(void **state)
{
#define HASH \
	"\"1212121212121212121212121212121212121212121212121212121212121212\""
	static const char *const wrong[] = {
	    "{\"index\":0,\"size\":1,\"path\":[]}",
	    "{\"index\":2,\"size\":5,\"path\":[" HASH "," HASH "," HASH "]}",
	    "{\"index\":2,\"size\":5,\"path\":[" HASH "]}",
	};
	static const char *const malformed[] = {"null", "1", "[]", "{}",
	    "{\"index\":0,\"size\":1}", "{\"index\":1,\"size\":1,\"path\":[]}",
	    "{\"index\":0,\"size\":1,\"path\":[],\"more\":1}"};
	struct answer_wish wish = {.tls_spki_sha256 = tls};

	(void)state;
	for (size_t batched = 0; batched < 2; batched++) {
		wish.batched = batched;
		for (size_t i = 0; i < 3; i++) {
			wish.path_text = wrong[i];
			assert_int_equal(judge(wish, tls), HM_NONCE_MISMATCH);
			assert_string_equal(failed, "nonce");
		}
		for (size_t i = 0; i < 7; i++) {
			wish.path_text = malformed[i];
			assert_int_equal(
			    judge(wish, tls), HM_ENVELOPE_MALFORMED);
			assert_string_equal(failed, "answer");
		}
	}
}

static void test_another_oracle(void **state)
{
	struct answer_wish wish = {
	    .nonce = nonce, .nonce_len = sizeof(nonce), .tls_spki_sha256 = tls};
	struct mint stranger;
	char *json;

	(void)state;
	mint_init(&stranger, 2);
	json = answer_json(&stranger, &wish);
	assert_int_equal(
	    judge_text(mint.policy, json, tls, 0), HM_ROOT_UNTRUSTED);
	assert_string_equal(failed, "root");
	assert_int_equal(judge_text(stranger.policy, json, tls, 0), HM_VALID);
	assert_int_equal(judge_text(stranger.policy, json, tls, 301000),
	    HM_DOCUMENT_TOO_OLD);
	free(json);
	mint_fini(&stranger);
}

/* ---- the key for secrets ---- */

static char *pem_in_json(const char *pem)
{
	char *out = calloc(2, strlen(pem) + 1), *at = out;

	for (; *pem; pem++) {
		if (*pem == '\n')
			*at++ = '\\';
		*at++ = *pem == '\n' ? 'n' : *pem;
	}
	return out;
}

static void test_seal_key(void **state)
{
	uint8_t sha256[HM_SHA256_LEN];
	struct answer_wish wish = {
	    .tls_spki_sha256 = tls, .seal_spki_sha256 = sha256};
	char *text = pem_in_json(mint.pem);

	(void)state;
	SHA256(mint.spki, mint.spki_len, sha256);
	assert_int_equal(judge(wish, tls), HM_VALID); /* not shown: not there */
	assert_string_equal(facts.seal_public_key, "");
	wish.seal_text = text;
	assert_int_equal(judge(wish, tls), HM_VALID);
	assert_string_equal(facts.seal_public_key, mint.pem);
	sha256[31] ^= 1;
	assert_int_equal(judge(wish, tls), HM_KEY_NOT_ATTESTED);
	assert_string_equal(failed, "seal_key");
	sha256[31] ^= 1;
	wish.seal_text = "no key";
	assert_int_equal(judge(wish, tls), HM_KEY_NOT_ATTESTED);
	wish.seal_text = text;
	wish.seal_spki_sha256 = NULL; /* the document names none */
	assert_int_equal(judge(wish, tls), HM_KEY_NOT_ATTESTED);
	free(text);
}

/* ---- the text ---- */

static void test_text_contradicts(void **state)
{
	(void)state;
	assert_int_equal(judge((struct answer_wish){.tls_spki_sha256 = tls,
				   .tls_text = other_hex},
			     tls),
	    HM_ATTESTATION_MISMATCH);
	assert_string_equal(failed, "answer");
	assert_int_equal(
	    judge((struct answer_wish){.tls_text = other_hex}, NULL),
	    HM_ATTESTATION_MISMATCH);
}

#define DOC "\"attestation_doc_b64\":\"AA==\""

static void test_hostile_text(void **state)
{
	static const char *const wrong[] = {"", "{", "[]", "null", "{}",
	    "{\"attestation_doc_b64\":1}", "{\"attestation_doc_b64\":\"=\"}",
	    "{\"attestation_doc_b64\":\"AA==\",\"tls_spki_sha256\":1}",
	    "{\"attestation_doc_b64\":\"AA==\",\"seal_public_key\":[]}",
	    "{" DOC "," DOC "}", "{\"attestation_doc_b64\":\"AA==\"} x"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(judge_text(mint.policy, wrong[i], tls, 0),
		    HM_ENVELOPE_MALFORMED);
	assert_int_equal(judge((struct answer_wish){.document = "AAAA",
				   .tls_spki_sha256 = tls},
			     tls),
	    HM_COSE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right),
	    cmocka_unit_test(test_not_a_channel),
	    cmocka_unit_test(test_another_key),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_path),
	    cmocka_unit_test(test_another_oracle),
	    cmocka_unit_test(test_seal_key),
	    cmocka_unit_test(test_text_contradicts),
	    cmocka_unit_test(test_hostile_text),
	};

	return cmocka_run_group_tests_name(
	    "channel_answer", tests, make_keys, free_mint);
}
