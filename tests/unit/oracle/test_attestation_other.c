/* attestation: documents for another key than ours, kept or not, and when that
 * key becomes ours; failures, and a stop while one is waited for. */
#include "oracle/attestation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/attestation_fixture.h"

static const uint8_t next_key[] = "the next one.s";

static struct {
	unsigned fired;
	bool got;
	uint8_t sha256[HM_SHA256_LEN];
	size_t public_key_len, user_data_len;
	char error[ATTESTER_ERROR_MAX];
} heard;

static void on_other(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	struct hm_document read;

	assert_ptr_equal(data, &heard);
	assert_null(path);
	heard.fired++;
	heard.got = doc != NULL;
	if (doc == NULL) {
		snprintf(heard.error, sizeof(heard.error), "%s", error);
		return;
	}
	assert_int_equal(
	    hm_document_read(doc->bytes, doc->len, &read), HM_VALID);
	memcpy(heard.sha256, doc->sha256, HM_SHA256_LEN);
	heard.public_key_len = read.public_key.len;
	heard.user_data_len = read.user_data.len;
}

static void ask(const struct user_data *user_data, bool keep)
{
	memset(&heard, 0, sizeof(heard));
	attestation_request_subject(keeper,
	    &(struct attestation_subject){
		next_key, sizeof(next_key) - 1, user_data, keep},
	    on_other, &heard);
	assert_int_equal(heard.fired, 0);
}

static void wait_for_it(void)
{
	while (heard.fired == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(heard.fired, 1);
}

static void test_not_kept(void **state)
{
	(void)state;
	start(0);
	ask(NULL, false);
	wait_for_it();
	assert_true(heard.got);
	assert_int_equal(heard.public_key_len, sizeof(next_key) - 1);
	assert_int_equal(heard.user_data_len, 0);
	assert_null(attestation_find(keeper, heard.sha256));
	assert_int_equal(seen.changed, 1);
}

/* Kept, it is found, but not the current one until the key is ours. */
static void test_rekey(void **state)
{
	struct user_data next = bound;
	const struct attestation_document *current;
	uint8_t first[HM_SHA256_LEN];
	(void)state;

	start(0);
	memcpy(first, attestation_current(keeper, NOW_MS)->sha256, 32);
	next.key_epoch = 2;
	ask(&next, true);
	wait_for_it();
	assert_true(heard.got);
	assert_true(heard.user_data_len > 0);
	assert_non_null(attestation_find(keeper, heard.sha256));
	current = attestation_current(keeper, NOW_MS);
	assert_memory_equal(current->sha256, first, 32);

	attestation_rekey(keeper, next_key, sizeof(next_key) - 1, heard.sha256);
	current = attestation_current(keeper, NOW_MS);
	assert_memory_equal(current->sha256, heard.sha256, 32);
	assert_non_null(attestation_find(keeper, first));
	while (seen.changed < 2) /* it is renewed at once */
		uv_run(&loop, UV_RUN_ONCE);
	current = attestation_current(keeper, NOW_MS);
	assert_memory_equal(current->sha256, seen.hashes[1], 32);
	assert_memory_not_equal(current->sha256, heard.sha256, 32);
	assert_non_null(attestation_find(keeper, heard.sha256));
}

/* A renewal that began for the last key is not taken for the next. */
static void test_rekey_while_renewing(void **state)
{
	struct hm_document read;
	const struct attestation_document *current;
	(void)state;

	start(1);
	ask(NULL, true);
	wait_for_it();
	fake.stall = true;
	while (fake.inside == 0) /* a renewal */
		uv_run(&loop, UV_RUN_NOWAIT);
	attestation_rekey(keeper, next_key, sizeof(next_key) - 1, heard.sha256);
	fake.stall = false;
	uv_sem_post(&fake.go);
	seen.changed = 0;
	while (seen.changed == 0)
		uv_run(&loop, UV_RUN_ONCE);
	current = attestation_current(keeper, NOW_MS);
	assert_int_equal(
	    hm_document_read(current->bytes, current->len, &read), HM_VALID);
	assert_int_equal(read.public_key.len, sizeof(next_key) - 1);
}

/* The current document is never pushed out by those that will be. */
static void test_many_kept(void **state)
{
	(void)state;
	start(0);
	for (int i = 0; i < 3 * ATTESTATION_KEPT; i++) {
		clock_ms++;
		ask(NULL, true);
		wait_for_it();
		assert_non_null(attestation_find(keeper, heard.sha256));
		assert_memory_equal(attestation_current(keeper, NOW_MS)->sha256,
		    seen.hashes[0], 32);
	}
}

static void test_fails(void **state)
{
	(void)state;
	start(0);
	fake.fail_next = 1;
	ask(NULL, true);
	wait_for_it();
	assert_false(heard.got);
	assert_string_equal(heard.error, "made to fail");
	fake.other_key = true; /* than was asked for */
	ask(NULL, true);
	wait_for_it();
	assert_false(heard.got);
}

static void test_stop(void **state)
{
	(void)state;
	start(0);
	fake.stall = true;
	ask(NULL, true);
	while (fake.inside == 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	attestation_stop(keeper, on_stopped, &seen);
	while (heard.fired == 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_false(heard.got);
	assert_string_equal(heard.error, "the oracle is stopping");
	uv_sem_post(&fake.go);
	run_out();
	assert_int_equal(heard.fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rekey, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_rekey_while_renewing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_many_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_fails, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};
	int rc = cmocka_run_group_tests_name(
	    "attestation_other", tests, NULL, NULL);

	uv_library_shutdown();
	return rc;
}
