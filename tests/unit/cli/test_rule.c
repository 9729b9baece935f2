/* rule: every check that the library reports has a rule to explain it by, and
 * every rule is of a check that the library reports. */
#include "tests/sgx/quote_maker.h"
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/fetched_fixture.h"
#include "tests/unit/verifier/item_builder.c"

#include "verifier/cli/rule.c"
#include "verifier/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RULES_MAX 64
#define LIVE_MS   (ITEM_PUBLISHED_MS + 1)

static struct builder *b;
static struct item_builder i;
static struct hm_envelope nobody; /* does not hold, and no harm */
static bool seen[RULES_MAX];

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

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	const char *wants = rule_of(check);

	(void)data;
	(void)passed;
	(void)wanted;
	(void)found;
	if (!wants)
		fail_msg("no rule explains %s", check);
	for (size_t n = 0; rules[n].check; n++)
		seen[n] |= rules[n].wants == wants;
}

static const struct hm_report report = {.cb = on_check};

static void want(struct hm_bytes *out, const struct blob *blob)
{
	out->present = true;
	out->len = blob->len;
	memcpy(out->bytes, blob->at, blob->len);
}

/* A policy that asks for everything there is. */
static void judge_all(void)
{
	i.policy->max_enclave_age_ms = MOMENT_MAX_MS;
	i.policy->booted_after_ms = 0;
	i.envelope.cosignatures = &nobody;
	i.envelope.cosignature_count = 1;
	want(&i.policy->nonce, &b->nonce);
	want(&i.policy->user_data, &b->user_data);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope, NULL,
			     0, LIVE_MS, NULL, &report),
	    HM_VALID);
	i.envelope.cosignature_count = 0;
}

/* As if it were a result inside an attestation. */
static void judge_attested(void)
{
	struct hm_attested attested = {
	    .content = i.envelope.content,
	    .content_len = i.envelope.content_len,
	    .public_key = i.envelope.public_key,
	    .platform = "simulated",
	    .document = i.envelope.document,
	    .document_len = i.envelope.document_len,
	};

	memcpy(attested.attestation_sha256, i.envelope.attestation_sha256,
	    HM_SHA256_LEN);
	assert_int_equal(hm_item_verify_attested(i.policy, NULL, &attested,
			     b->nonce.at, b->nonce.len, LIVE_MS, NULL, &report),
	    HM_CONTENT_NOT_ATTESTED);
}

/* The answer to another request than was made. */
static void judge_fetched(void)
{
	static const struct hm_fetch_request asked = {"a.example", 443, "/"};
	struct hm_fetched fetched;
	char *text;

	fetched_make(&fetched);
	text = fetched_encode(&fetched, &i.content_len);
	assert_true(i.content_len < sizeof(i.content));
	memcpy(i.content, text, i.content_len + 1);
	i.envelope.content_len = i.content_len;
	i.envelope.document = b->document.at;
	item_sign(&i);
	assert_int_equal(hm_fetch_verify_replay(i.policy, NULL, &i.envelope,
			     &asked, NULL, &report),
	    HM_REQUEST_MISMATCH);
	free(text);
	hm_fetched_fini(&fetched);
}

static void judge_quote(
    struct quote_maker *maker, enum quote_maker_kind kind, bool by_signer)
{
	const struct quote_maker_body body = {.kind = kind};
	const struct policy_revoked revoked = {.serial_len = 1};
	bool tdx = kind == QUOTE_MAKER_TDX_5;
	char *collateral = quote_maker_collateral(maker, "UpToDate", tdx);
	const char *root = quote_maker_root_pem(maker);
	struct hm_policy *policy = hm_policy_new();
	uint8_t quote[QUOTE_MAKER_MAX], zeros[HM_PCR_LEN] = {0};
	size_t len = quote_maker_quote(maker, &body, quote);
	char error[HM_TEXT_MAX];
	int release, rc = 0;

	rc |= hm_policy_add_root_pem(policy, root, strlen(root));
	rc |= hm_policy_add_collateral(
	    policy, (uint8_t *)collateral, strlen(collateral), error);
	rc |= policy_add_revoked(policy, &revoked);
	release = hm_policy_add_release(policy, "r", INT64_MIN, INT64_MAX);
	if (tdx)
		rc |= hm_policy_add_mrtd(policy, release, zeros) |
		      hm_policy_add_rtmr(policy, release, 3, zeros);
	else if (by_signer)
		rc |= hm_policy_add_mrsigner(policy, release, zeros, 0, 0);
	else
		rc |= hm_policy_add_mrenclave(policy, release, zeros);
	assert_int_equal(rc, 0);
	assert_int_equal(hm_quote_verify(policy, NULL, quote, len, LIVE_MS,
			     (const uint8_t *)"", 0, NULL, &report),
	    HM_HELD_DATA_MISMATCH);
	assert_int_equal(hm_quote_verify(policy, NULL, quote, len, LIVE_MS,
			     NULL, 0, NULL, &report),
	    HM_VALID);
	hm_policy_free(policy);
	free(collateral);
}

static void judge_quotes(void)
{
	struct quote_maker *maker = quote_maker_new(LIVE_MS);

	judge_quote(maker, QUOTE_MAKER_SGX_3, false);
	judge_quote(maker, QUOTE_MAKER_SGX_3, true);
	judge_quote(maker, QUOTE_MAKER_TDX_5, false);
	quote_maker_free(maker);
}

static void judge_reference(void)
{
	struct hm_policy *empty = hm_policy_new();

	i.envelope.document = NULL;
	assert_int_equal(hm_item_verify_replay(i.policy, NULL, &i.envelope,
			     NULL, 0, NULL, &report),
	    HM_ATTESTATION_MISSING);
	assert_int_equal(hm_item_verify_replay(
			     empty, NULL, &i.envelope, NULL, 0, NULL, &report),
	    HM_POLICY_EMPTY);
	hm_policy_free(empty);
}

static void judge_key_epoch(void)
{
	assert_int_equal(hm_policy_set_min_key_epoch(i.policy, 1), 0);
	assert_int_equal(
	    hm_document_verify_replay(i.policy, NULL, b->document.at,
		b->document.len, NULL, 0, NULL, &report),
	    HM_KEY_EPOCH);
	assert_int_equal(hm_policy_set_min_key_epoch(i.policy, 0), 0);
}

static void test_each(void **state)
{
	(void)state;
	item_reset(&i, b);
	blob_set(&b->nonce, "\x07", 1);
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	judge_all();
	judge_attested();
	assert_int_equal(
	    hm_document_verify_replay(i.policy, NULL, b->document.at,
		b->document.len, b->nonce.at, b->nonce.len, NULL, &report),
	    HM_VALID);
	judge_reference();
	judge_key_epoch();
	judge_fetched();
	item_drop(&i);
	judge_quotes();
	for (size_t n = 0; rules[n].check; n++)
		if (!seen[n])
			fail_msg("nothing reports %s", rules[n].check);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(rule_of("pcr0"), rule_of("pcr31"));
	assert_string_equal(rule_of("rtmr0"), rule_of("rtmr3"));
	assert_null(rule_of("pcr"));
	assert_null(rule_of("pcrx"));
	assert_null(rule_of("cos"));
	assert_null(rule_of("cosey"));
	assert_null(rule_of(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("rule", tests, setup, teardown);
}
