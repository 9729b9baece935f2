/* attestation: the first document, renewals, expiry, stop. */
#include "oracle/attestation.h"

#include "verifier/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/attestation_fixture.h"

#define LEAF_MS (INT64_C(3) * 60 * MINUTE + 3000) /* from a minute back */

/* ---- start ---- */

static void test_first_document(void **state)
{
	const struct attestation_document *doc;
	struct hm_document read;
	uint8_t *decoded, wanted[USER_DATA_MAX];
	size_t len;

	(void)state;
	start(0);
	assert_int_equal(seen.changed, 1); /* before start returned */
	doc = attestation_current(keeper, NOW_MS);
	assert_non_null(doc);
	assert_ptr_equal(attestation_find(keeper, doc->sha256), doc);
	assert_int_equal(doc->timestamp_ms, NOW_MS);
	assert_int_equal(strlen(doc->sha256_hex), 64);
	assert_int_equal(
	    base64_decode(&decoded, &len, doc->base64, strlen(doc->base64)), 0);
	assert_int_equal(len, doc->len);
	assert_memory_equal(decoded, doc->bytes, len);
	free(decoded);
	assert_int_equal(hm_document_verify_live(policy, NULL, doc->bytes,
			     doc->len, NOW_MS, NULL, 0, &read, NULL),
	    HM_VALID);
	assert_memory_equal(read.sha256, doc->sha256, HM_SHA256_LEN);
	assert_memory_equal(read.public_key.bytes, key, sizeof(key) - 1);
	len = user_data_encode(&bound, wanted);
	assert_int_equal(read.user_data.len, len);
	assert_memory_equal(read.user_data.bytes, wanted, len);
	assert_false(read.nonce.present);
}

static void expect_no_start(
    const struct attestation_options *with, const char *why)
{
	char error[ATTESTER_ERROR_MAX];

	assert_null(attestation_start(with, error));
	assert_string_equal(error, why);
	assert_int_equal(seen.changed, 0);
}

static void test_no_start(void **state)
{
	struct attestation_options with = options();
	struct hm_policy *empty = hm_policy_new();

	(void)state;
	fake.fail_next = 1;
	expect_no_start(&with, "made to fail");
	fake.tamper = true;
	expect_no_start(&with, "the attester's document: document_signature");
	fake.tamper = false;
	fake.other_key = true;
	expect_no_start(&with, "the attester's document: key_not_attested");
	fake.other_key = false;
	fake.no_user_data = true;
	expect_no_start(&with, "the attester's document: user_data_mismatch");
	fake.no_user_data = false;
	with.policy = empty;
	expect_no_start(&with, "the attester's document: policy_empty");
	hm_policy_free(empty);
}

/* ---- renewals ---- */

static void test_renews_and_keeps(void **state)
{
	unsigned last = 2 * ATTESTATION_KEPT;

	(void)state;
	start(1);
	while (seen.changed < last) {
		clock_ms++;
		uv_run(&loop, UV_RUN_ONCE);
	}
	for (unsigned i = 0; i < last; i++) {
		const struct attestation_document *doc = attestation_find(
		    keeper, seen.hashes[i]);

		assert_int_equal(doc != NULL, i >= last - ATTESTATION_KEPT);
	}
	assert_memory_equal(attestation_current(keeper, clock_ms)->sha256,
	    seen.hashes[last - 1], HM_SHA256_LEN);
}

static void test_failed_renewals(void **state)
{
	uint8_t first[HM_SHA256_LEN];

	(void)state;
	start(1);
	memcpy(first, seen.hashes[0], sizeof(first));
	fake.fail_next = 5;
	while (fake.fail_next > 0)
		uv_run(&loop, UV_RUN_ONCE);
	if (seen.changed == 1)
		assert_memory_equal(attestation_current(keeper, NOW_MS)->sha256,
		    first, sizeof(first));
	clock_ms++;
	while (seen.changed == 1)
		uv_run(&loop, UV_RUN_ONCE);
	assert_memory_not_equal(
	    attestation_current(keeper, NOW_MS)->sha256, first, sizeof(first));
	assert_non_null(attestation_find(keeper, first));
}

/* A document that libhallmark refuses never becomes the current one. */
static void test_forged_renewal(void **state)
{
	(void)state;
	start(1);
	fake.tamper = true;
	while (fake.calls < 5)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(seen.changed, 1);
	assert_memory_equal(attestation_current(keeper, NOW_MS)->sha256,
	    seen.hashes[0], HM_SHA256_LEN);
}

static void test_expires(void **state)
{
	(void)state;
	start(0);
	/* Times in certificates are in seconds. */
	assert_int_equal(seen.not_after_ms, NOW_MS - 123 - MINUTE + LEAF_MS);
	assert_non_null(attestation_current(keeper, seen.not_after_ms - 1));
	assert_null(attestation_current(keeper, seen.not_after_ms));
	/* Those who come with a reference may still have it. */
	assert_non_null(attestation_find(keeper, seen.hashes[0]));
}

/* Just before the margin: the renewal comes at the margin, long before
 * renew_ms, and has the next leaf. */
static void test_renews_before_the_chain_ends(void **state)
{
	struct attester_request none = {0};
	uint8_t bytes[ATTESTER_DOCUMENT_MAX];
	char error[ATTESTER_ERROR_MAX];
	int64_t first_end;
	size_t len;

	(void)state;
	assert_int_equal(
	    fake.real->ops->attest(fake.real, &none, bytes, &len, error), 0);
	first_end = NOW_MS - 123 - MINUTE + LEAF_MS;
	clock_ms = first_end - ATTESTATION_MARGIN_MS - 1001;
	start(0);
	assert_int_equal(seen.not_after_ms, first_end);
	clock_ms += 1001; /* the timer's second goes by on its own */
	while (seen.changed < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(seen.not_after_ms > first_end + 60 * MINUTE);
}

/* ---- stop ---- */

static void test_stop_idle(void **state)
{
	(void)state;
	start(0);
	attestation_stop(keeper, on_stopped, &seen);
	attestation_stop(keeper, NULL, NULL);
	assert_int_equal(seen.stopped, 0);
	run_out();
}

static void test_stop_during_a_renewal(void **state)
{
	(void)state;
	start(1);
	fake.stall = true;
	while (fake.inside == 0) {
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	attestation_stop(keeper, on_stopped, &seen);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(seen.stopped, 0); /* the call is still out */
	fake.stall = false;
	uv_sem_post(&fake.go);
	run_out();
	assert_int_equal(seen.changed, 1);
}

static void test_stop_from_changed(void **state)
{
	(void)state;
	seen.stop_after = 2;
	start(1);
	run_out();
	assert_int_equal(seen.changed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_first_document),
	    TEST(test_no_start),
	    TEST(test_renews_and_keeps),
	    TEST(test_failed_renewals),
	    TEST(test_forged_renewal),
	    TEST(test_expires),
	    TEST(test_renews_before_the_chain_ends),
	    TEST(test_stop_idle),
	    TEST(test_stop_during_a_renewal),
	    TEST(test_stop_from_changed),
	};
	int rc = cmocka_run_group_tests_name("attestation", tests, NULL, NULL);

	uv_library_shutdown();
	return rc;
}
