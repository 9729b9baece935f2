/*
 * kms_key and kms_call: a key is made, kept and comes back; what is away is
 * tried again, what is refused is told; a keeper that lies; cancelled in each
 * state that waits.
 */
#include "tests/unit/oracle/kms_fixture.h"

static void refused(const char *why)
{
	assert_null(kms.made.signer);
	if (strstr(kms.why, why) == NULL)
		fail_msg("'%s' instead of '%s'", kms.why, why);
}

/* The PEM of what was made; a copy. */
static void pem(char out[600])
{
	assert_non_null(kms.made.signer);
	snprintf(out, 600, "%s", signer_public_pem(kms.made.signer));
}

static void test_made_and_loaded(void **state)
{
	char first[600], again[600];
	(void)state;

	finish(0, 0);
	pem(first);
	assert_int_equal(kms.made.epoch, 1);
	assert_int_equal(kms.made.made_ms, kms.now_ms);
	assert_int_equal(kms.made.retire_ms, 0);
	assert_string_equal(kms.last_target, "TrentService.GenerateDataKey");
	assert_int_equal(kms.puts, 1);
	for (int i = 0; i < 2; i++) {
		finish(0, 0);
		pem(again);
		assert_string_equal(first, again);
		assert_string_equal(kms.last_target, "TrentService.Decrypt");
	}
	assert_int_equal(kms.puts, 1);
	finish(2, 0); /* the next one */
	pem(again);
	assert_string_not_equal(first, again);
	assert_int_equal(kms.made.epoch, 2);
	assert_int_equal(kms.puts, 2);
}

static void test_retired(void **state)
{
	char first[600], second[600];
	(void)state;

	kms.config.key.rotate_s = 100;
	finish(0, 0);
	pem(first);
	assert_int_equal(kms.made.retire_ms, kms.now_ms + 100000);
	kms.now_ms += 99999;
	finish(0, 0);
	pem(second);
	assert_string_equal(first, second);
	kms.now_ms++;
	finish(0, 0);
	pem(second);
	assert_string_not_equal(first, second);
	assert_int_equal(kms.made.epoch, 2);
}

static void test_tried_again(void **state)
{
	(void)state;
	kms.error = "{\"__type\":\"ThrottlingException\",\"message\":\"slow\"}";
	kms.errors = 1;
	finish(0, 20000);
	assert_non_null(kms.made.signer);
	assert_int_equal(kms.asked, 2);
	kms.errors = 1;
	finish(0, 0); /* there is no time for another */
	refused("kms: ThrottlingException: slow");
}

static void test_refused(void **state)
{
	(void)state;
	kms.error = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}";
	kms.errors = 1;
	finish(0, 20000);
	refused("kms: AccessDeniedException: no");
	assert_non_null(strstr(kms.remedy, "ImageSha384"));
	assert_int_equal(kms.asked, 1);
	assert_int_equal(kms.puts, 0);
}

static void test_credentials(void **state)
{
	static char token[KMS_TOKEN_MAX + 200];
	(void)state;

	kms.credentials = "{\"Code\":\"Unavailable\"}";
	finish(0, 0);
	refused("credentials: ");
	kms.credentials = "{\"AccessKeyId\":\"A\\r\\nX: y\","
			  "\"SecretAccessKey\":\"s\"}";
	finish(0, 0);
	refused("credentials: ");
	assert_int_equal(kms.asked, 0);
	/* The longest that fit, and none at all. */
	memset(token, 't', sizeof(token));
	snprintf(token, 60,
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
	    "\"Token\":\"");
	token[strlen(token)] = 't';
	snprintf(token + 1500, 3, "\"}");
	kms.credentials = token;
	finish(0, 0);
	assert_non_null(kms.made.signer);
	kms.credentials = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}";
	finish(0, 0);
	assert_non_null(kms.made.signer);
}

static void test_attester_fails(void **state)
{
	(void)state;
	kms.no_attester = true;
	finish(0, 0);
	refused("attestation: made to fail");
}

static void test_keeper_forgets(void **state)
{
	(void)state;
	kms.keeper_forgets = true;
	finish(0, 20000);
	refused("the keeper does not give back");
	kms.blob_len = 3;
	finish(2, 0);
	refused("the keeper does not give back");
}

static void test_other_blobs(void **state)
{
	static uint8_t good[KMS_BLOB_MAX];
	size_t len;
	(void)state;

	finish(0, 0);
	len = kms.blob_len;
	memcpy(good, kms.blob, len);
	kms.blob[len - 30] ^= 1; /* in sealed_b64 */
	finish(0, 0);
	assert_null(kms.made.signer);
	memcpy(kms.blob, good, len);
	kms.data_key[0] ^= 1; /* KMS gives another data key */
	finish(0, 0);
	refused("the blob was altered");
	kms.data_key[0] ^= 1;
	kms.config.sha256[5]++;
	finish(0, 0);
	refused("another configuration");
	kms.config.sha256[5]--;
	kms.blob_len = 10;
	finish(0, 0);
	refused("not a sealed key");
	memcpy(kms.blob, good, len);
	kms.blob_len = len;
	finish(0, 0);
	assert_non_null(kms.made.signer);
}

static void test_nobody(void **state)
{
	struct endpoint keeper = kms.config.key.blob;
	(void)state;

	snprintf(kms.config.key.blob.path, sizeof(kms.config.key.blob.path),
	    "/nowhere/keeper");
	finish(0, 0);
	refused("keeper: ");
	kms.config.key.blob = keeper;
	kms.config.key.port = 1;
	finish(0, 0);
	refused("kms: localhost:1: ");
	kms.config.key.port = kms.f.peer.port;
}

/* Turns the loop until it is in that state, and ends it there. */
static void cancel_when(struct kms_key *op, bool (*ready)(void))
{
	int64_t end_ms = now_monotonic_ms() + 20000;

	while (!ready()) {
		uv_run(&kms.f.loop, UV_RUN_NOWAIT);
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
	kms_key_cancel(op);
	uv_close((uv_handle_t *)&kms.f.pause, NULL);
	uv_run(&kms.f.loop, UV_RUN_DEFAULT); /* nothing is left */
	uv_timer_init(&kms.f.loop, &kms.f.pause);
	assert_int_equal(kms.fired, 0);
}

static bool at_once(void)
{
	return true;
}

static bool kms_was_asked(void)
{
	return kms.asked > 0;
}

static bool attester_was_asked(void)
{
	return kms.waiting != NULL;
}

static bool has_failed(void)
{
	return kms.errors == 0;
}

static void test_cancel(void **state)
{
	(void)state;
	cancel_when(begin(0, 0), at_once); /* asks the keeper */
	cancel_when(begin(1, 0), at_once); /* the pool makes a key */
	kms.kms_silent = true;
	cancel_when(begin(0, 0), kms_was_asked);
	kms.kms_silent = false;
	kms.error = "{\"__type\":\"ThrottlingException\"}";
	kms.errors = 1;
	cancel_when(begin(0, 20000), has_failed); /* it is heard, or pauses */
	kms.attester_waits = true;
	cancel_when(begin(0, 0), attester_was_asked);
	kms.waiting(NULL, 0, "stopping", kms.waiting_data); /* frees the call */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_made_and_loaded, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_retired, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_tried_again, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_refused, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_credentials, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(
		test_attester_fails, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(
		test_keeper_forgets, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_other_blobs, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_nobody, kms_up, kms_down),
	    cmocka_unit_test_setup_teardown(test_cancel, kms_up, kms_down),
	};
	int rc;

	log_set_level(LOG_ERROR);
	rc = cmocka_run_group_tests_name(
	    "kms_key", tests, fixture_group_begin, fixture_group_end);
	uv_library_shutdown();
	return rc;
}
